package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

func providerVerb() verb {
	return verb{
		name: "provider", arguments: "[flags] list | release ID | discard ID | run ID", summary: "show providers, and decide about held listings",
		details: `
A listing that would remove too much is held: nothing changes until you look at
it. list shows all providers, and what held listings would remove. release
removes that, and polls again; discard forgets the listing. run polls a provider
now.

It talks to the running server: the one of backend.baseUrl, or of --url, with
the token of --token, of the variable PLATFORM_TOKEN, or else the first static
one of backend.auth.externalAccess that may use everything.`,
		prepare: func(flags *flag.FlagSet) action {
			var o providerOptions
			flags.Var((*listFlag)(&o.configs), "config", "configuration `file`; may be given several times")
			flags.StringVar(&o.url, "url", "", "`URL` of the server")
			flags.StringVar(&o.token, "token", "", "`token` for the server")
			flags.BoolVar(&o.asJSON, "json", false, "print what the server answers")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				return runProvider(ctx, o, args, stdout)
			}
		},
	}
}

type providerOptions struct {
	configs    []string
	url, token string
	asJSON     bool
}

// runProvider does what the arguments ask for.
func runProvider(ctx context.Context, o providerOptions, args []string, stdout io.Writer) error {
	command, id := "list", ""
	if len(args) > 0 {
		command = args[0]
	}
	if len(args) > 1 {
		id = args[1]
	}
	decides := command == "release" || command == "discard" || command == "run"
	switch {
	case command != "list" && !decides:
		return &usageError{fmt.Sprintf("provider: there is no %q; there are list, release ID, discard ID, run ID", command)}
	case decides && len(args) != 2, command == "list" && len(args) > 1:
		return &usageError{"provider: " + command + " takes " + map[bool]string{true: "the ID of one provider", false: "no arguments"}[decides]}
	}
	if err := o.complete(); err != nil {
		return err
	}
	if command == "list" {
		return o.list(ctx, stdout)
	}
	return o.decide(ctx, command, id, stdout)
}

// complete takes from the configuration what no flag says.
func (o *providerOptions) complete() error {
	if o.token == "" {
		o.token = os.Getenv("PLATFORM_TOKEN")
	}
	if o.url == "" || o.token == "" {
		_, settings, err := loadConfig(o.configs)
		if err != nil {
			return fmt.Errorf("%w: or say --url and --token", err)
		}
		if o.url == "" {
			o.url = settings.Backend.BaseURL
		}
		if o.token == "" {
			o.token = staticToken(settings.Auth)
		}
	}
	if o.token == "" {
		return errors.New("there is no token: say --token, or put a static one into backend.auth.externalAccess")
	}
	o.url = strings.TrimRight(o.url, "/")
	if u, err := url.Parse(o.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return &usageError{fmt.Sprintf("provider: %q is not the URL of a server", o.url)}
	}
	return nil
}

// staticToken returns the first token that may use everything.
func staticToken(a config.Auth) string {
	for _, e := range a.External {
		if e.Type == "static" && len(e.Restrictions) == 0 {
			return e.Token
		}
	}
	return ""
}

const (
	providersPath = "/api/catalog/providers"
	maxReply      = 64 << 20
	askTimeout    = time.Minute
)

// ask sends a request to the server and decodes its answer.
func (o *providerOptions) ask(ctx context.Context, method, path string, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, o.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the server cannot be reached: %w: is it running there? --url names another", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("answer of the server: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, refusal(res.StatusCode, body)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			return nil, fmt.Errorf("answer of the server: %w", err)
		}
	}
	return body, nil
}

// refusal says in the server's words why it did not do as it was asked.
func refusal(status int, body []byte) error {
	var answer struct {
		Error struct{ Message string }
	}
	message := http.StatusText(status)
	if json.Unmarshal(body, &answer) == nil && answer.Error.Message != "" {
		message = answer.Error.Message
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		message += ": --token names another token"
	}
	return fmt.Errorf("the server answers %d: %s", status, message)
}

func (o *providerOptions) list(ctx context.Context, stdout io.Writer) error {
	var answer struct{ Providers []provider.Status }
	body, err := o.ask(ctx, http.MethodGet, providersPath, &answer)
	if err != nil {
		return err
	}
	if o.asJSON {
		_, err = fmt.Fprintln(stdout, string(body))
		return err
	}
	if len(answer.Providers) == 0 {
		_, err = fmt.Fprintln(stdout, "There are no providers: catalog.providers is empty.")
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROVIDER\tSCHEDULE\tENTITIES\tLAST RUN\tRESULT\tNEXT RUN")
	for _, s := range answer.Providers {
		fmt.Fprintln(table, strings.Join(providerRow(s), "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range answer.Providers {
		printTrouble(stdout, s)
	}
	return nil
}

func providerRow(s provider.Status) []string {
	row := []string{s.ID, s.Schedule, "-", "never", "-", "-"}
	if r := s.LastRun; r != nil {
		row[2] = fmt.Sprint(r.Entities)
		row[3] = r.Started.Local().Format(time.DateTime) + ", " + (time.Duration(r.Millis) * time.Millisecond).String()
		row[4] = fmt.Sprintf("%s (%d listed, %d added, %d removed)", r.Result, r.Listed, r.Added, r.Removed)
	}
	if s.Running {
		row[4] = "running"
	}
	if !s.NextRun.IsZero() {
		row[5] = s.NextRun.Local().Format(time.DateTime)
	}
	return row
}

// shownRemovals is how many refs of a held listing are printed.
const shownRemovals = 20

func printTrouble(w io.Writer, s provider.Status) {
	if s.Failures > 0 && s.LastError != nil {
		fmt.Fprintf(w, "\n%s has failed %d times in a row, last at %s: %s\n", s.ID, s.Failures, s.LastError.At.Local().Format(time.DateTime), s.LastError.Message)
	}
	if s.Held == nil {
		return
	}
	fmt.Fprintf(w, "\n%s holds a listing since %s, which would remove %d of %d entities:\n",
		s.ID, s.Held.Since.Local().Format(time.DateTime), len(s.Held.Removals), s.Held.Before)
	for i, ref := range s.Held.Removals {
		if i == shownRemovals {
			fmt.Fprintf(w, "  and %d more, which --json shows\n", len(s.Held.Removals)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", ref)
	}
	fmt.Fprintf(w, "To remove them: platform provider release %s\nTo keep them:   platform provider discard %s\n", s.ID, s.ID)
}

func (o *providerOptions) decide(ctx context.Context, command, id string, stdout io.Writer) error {
	path := providersPath + "/" + url.PathEscape(id) + "/" + command
	if command == "run" {
		path = "/api/catalog/.backstage/scheduler/v1/tasks/" + url.PathEscape(id+":refresh") + "/trigger"
	}
	body, err := o.ask(ctx, http.MethodPost, path, nil)
	if err != nil {
		return err
	}
	if o.asJSON {
		_, err = fmt.Fprintln(stdout, string(body))
		return err
	}
	if command == "run" {
		_, err = fmt.Fprintf(stdout, "%s is being polled.\n", id)
		return err
	}
	var answer struct{ Held provider.Held }
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("answer of the server: %w", err)
	}
	words := map[string]string{"release": "%d entities of %s were removed.\n", "discard": "%d entities of %s stay.\n"}
	_, err = fmt.Fprintf(stdout, words[command], len(answer.Held.Removals), id)
	return err
}
