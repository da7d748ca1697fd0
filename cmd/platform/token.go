package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"go.etcd.io/bbolt"
)

func tokenVerb() verb {
	return verb{
		name: "token", arguments: "create --subject NAME | list | revoke ID  [flags]", summary: "issue, show and revoke tokens for programs",
		details: `
create prints the token, this once: only a hash of it is kept. With --plugin the
token is good for that plugin alone, and for what needs a permission there only
for those that follow a colon, or for one kind of action:

  platform token create --subject ci --expires 90d
  platform token create --subject ci --plugin catalog:catalog.entity.read,catalog.location.read
  platform token create --subject ci --plugin catalog:action=read --plugin search

While a server has the store to itself, that server is asked, at backend.listen,
or at --server: with the token of --token, of the variable PLATFORM_TOKEN, or
else the first static one of backend.auth.externalAccess that may use
everything. What is revoked there is refused at once. Without a server the store
is written; then no token is needed.`,
		prepare: func(flags *flag.FlagSet) action {
			var o tokenOptions
			o.define(flags)
			flags.StringVar(&o.data, "data", "data", dataFlagUsage)
			flags.StringVar(&o.subject, "subject", "", "`name` of the program, in logs and to policies")
			flags.StringVar(&o.expires, "expires", "90d", "`time` until the token ends, such as 12h or 90d; never: until it is revoked")
			flags.Var((*listFlag)(&o.plugins), "plugin", "`plugin` that it may use, and permissions; may be given several times")
			flags.BoolVar(&o.asJSON, "json", false, "print JSON")
			return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
				rest, err := parseMixed(flags, args)
				switch {
				case errors.Is(err, flag.ErrHelp):
					return help([]string{"token"}, stdout)
				case err != nil:
					return &usageError{"token: " + err.Error()}
				}
				return runToken(ctx, o, rest, stdout, stderr)
			}
		},
	}
}

type tokenOptions struct {
	serverFlags
	data, subject, expires string
	plugins                []string
	asJSON                 bool
}

// tokenKeeper issues and revokes, in a server or in a store.
type tokenKeeper interface {
	io.Closer
	create(ctx context.Context, c servicetokens.Creation) (servicetokens.Created, error)
	list(ctx context.Context) ([]servicetokens.Description, error)
	revoke(ctx context.Context, id string) error
}

func runToken(ctx context.Context, o tokenOptions, args []string, stdout, stderr io.Writer) (err error) {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	var creation servicetokens.Creation
	switch {
	case command == "create" && len(args) == 1:
		if creation, err = o.creation(); err != nil {
			return err
		}
	case command == "list" && len(args) == 1, command == "revoke" && len(args) == 2:
	case command == "revoke":
		return &usageError{"token: revoke takes the ID of one token; `platform token list` shows it"}
	default:
		return &usageError{"token: what to do? There are create --subject NAME, list, and revoke ID"}
	}
	keeper, err := o.keeper(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, keeper)
	switch command {
	case "create":
		made, err := keeper.create(ctx, creation)
		if err != nil {
			return tokenAdvice(err)
		}
		return o.printCreated(made, stdout, stderr)
	case "list":
		list, err := keeper.list(ctx)
		if err != nil {
			return tokenAdvice(err)
		}
		return o.printList(list, stdout)
	}
	if err := keeper.revoke(ctx, args[1]); err != nil {
		return tokenAdvice(err)
	}
	_, err = fmt.Fprintf(stderr, "Token %s is revoked.\n", args[1])
	return err
}

// tokenAdvice says what to do about a server that refuses.
func tokenAdvice(err error) error {
	var refused *refusedError
	if errors.As(err, &refused) && (refused.status == http.StatusUnauthorized || refused.status == http.StatusForbidden) {
		return fmt.Errorf("%w: --token or %s names another token", err, tokenVariable)
	}
	return err
}

// creation reads the flags of create.
func (o *tokenOptions) creation() (c servicetokens.Creation, err error) {
	if o.subject == "" {
		return c, &usageError{"token: for whom? Say --subject"}
	}
	seconds, ok := parseLifetime(o.expires, "never")
	if !ok {
		return c, &usageError{fmt.Sprintf("token: --expires %q is no time such as 12h or 90d, nor never", o.expires)}
	}
	c = servicetokens.Creation{Subject: o.subject, ExpiresInSeconds: seconds, NeverExpires: seconds == 0}
	for _, text := range o.plugins {
		r, err := parseRestriction(text)
		if err != nil {
			return c, err
		}
		c.Restrictions = append(c.Restrictions, auth.AccessRestriction(r))
	}
	return c, nil
}

// parseRestriction reads plugin, plugin:permission,permission and
// plugin:action=read.
func parseRestriction(text string) (r auth.Restriction, err error) {
	plugin, rest, more := strings.Cut(text, ":")
	r.Plugin = plugin
	for _, word := range strings.FieldsFunc(rest, func(c rune) bool { return c == ',' || c == ':' || c == ' ' }) {
		if action, ok := strings.CutPrefix(word, "action="); ok {
			r.Actions = append(r.Actions, action)
			continue
		}
		r.Permissions = append(r.Permissions, word)
	}
	if plugin == "" || more && r.Permissions == nil && r.Actions == nil {
		return r, &usageError{fmt.Sprintf("token: --plugin %q is neither a plugin nor plugin:permission", text)}
	}
	if err := auth.CheckRestrictions([]auth.Restriction{r}); err != nil {
		return r, &usageError{"token: " + err.Error()}
	}
	return r, nil
}

// keeper opens the store, or finds the server that has it.
func (o *tokenOptions) keeper(ctx context.Context) (tokenKeeper, error) {
	if o.url != "" {
		return o.server(false)
	}
	path := filepath.Join(o.data, storeFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store %s: name the folder that holds one with --data, or a server with --server", path)
	}
	db, _, err := openData(o.data, false)
	if errors.Is(err, boltstore.ErrLocked) {
		return o.server(true)
	}
	if err != nil {
		return nil, err
	}
	store, err := boltkeys.Open(db)
	if err == nil {
		var registry *servicetokens.Registry
		if registry, err = newServiceTokens(ctx, store); err == nil {
			return &storeKeeper{db, registry}, nil
		}
	}
	return nil, errors.Join(err, db.Close())
}

func (o *tokenOptions) server(local bool) (tokenKeeper, error) {
	c, err := o.client("token", false, local)
	if err != nil {
		return nil, err
	}
	return &serverKeeper{c}, nil
}

// storeKeeper works on a store that no server has.
type storeKeeper struct {
	db       *bbolt.DB
	registry *servicetokens.Registry
}

// Close gives the store back.
func (k *storeKeeper) Close() error { return k.db.Close() }

func (k *storeKeeper) create(ctx context.Context, c servicetokens.Creation) (servicetokens.Created, error) {
	token, record, err := k.registry.Issue(ctx, servicetokens.Request{
		Subject: c.Subject, Lifetime: time.Duration(c.ExpiresInSeconds) * time.Second, Restrictions: auth.Meant(c.Restrictions), By: "platform token",
	})
	return servicetokens.Created{Token: token, Description: servicetokens.Describe(record)}, err
}

func (k *storeKeeper) list(context.Context) (out []servicetokens.Description, _ error) {
	for _, r := range k.registry.List() {
		out = append(out, servicetokens.Describe(r))
	}
	return out, nil
}

func (k *storeKeeper) revoke(ctx context.Context, id string) error {
	_, err := k.registry.Revoke(ctx, id)
	if errors.Is(err, servicetokens.ErrUnknown) {
		return fmt.Errorf("%w %s; `platform token list` shows which there are", err, id)
	}
	return err
}

// serverKeeper asks a server.
type serverKeeper struct{ *client }

const serviceTokensPath = "/api/auth/v1/service-tokens"

// Close does nothing.
func (k *serverKeeper) Close() error { return nil }

func (k *serverKeeper) create(ctx context.Context, c servicetokens.Creation) (made servicetokens.Created, err error) {
	err = k.do(ctx, http.MethodPost, serviceTokensPath, c, &made)
	return made, err
}

func (k *serverKeeper) list(ctx context.Context) ([]servicetokens.Description, error) {
	var l servicetokens.Listing
	err := k.do(ctx, http.MethodGet, serviceTokensPath, nil, &l)
	return l.Tokens, err
}

func (k *serverKeeper) revoke(ctx context.Context, id string) error {
	return k.do(ctx, http.MethodDelete, serviceTokensPath+"/"+url.PathEscape(id), nil, nil)
}

// printCreated writes the token alone to stdout, for scripts, and what it is
// to stderr.
func (o *tokenOptions) printCreated(made servicetokens.Created, stdout, stderr io.Writer) error {
	if o.asJSON {
		return json.NewEncoder(stdout).Encode(made)
	}
	if _, err := fmt.Fprintf(stderr, "Token %s for %s ends %s and may use %s. It is shown this once:\n",
		made.ID, made.Subject, describeEnd(made.Expires), describeAccess(made.Restrictions)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, made.Token)
	return err
}

func (o *tokenOptions) printList(list []servicetokens.Description, stdout io.Writer) error {
	if o.asJSON {
		return json.NewEncoder(stdout).Encode(servicetokens.Listing{Tokens: append([]servicetokens.Description{}, list...)})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(stdout, "There are no service tokens.")
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSUBJECT\tCREATED\tBY\tENDS\tMAY USE")
	for _, d := range list {
		fmt.Fprintln(table, strings.Join([]string{d.ID, d.Subject, d.Created.Local().Format(time.DateTime), d.CreatedBy,
			describeEnd(d.Expires), describeAccess(d.Restrictions)}, "\t"))
	}
	return table.Flush()
}

func describeEnd(t time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case !time.Now().Before(t):
		return t.Local().Format(time.DateTime) + " (ended)"
	}
	return t.Local().Format(time.DateTime)
}

func describeAccess(list []auth.AccessRestriction) string {
	if list == nil {
		return "everything"
	}
	parts := make([]string, len(list))
	for i, r := range list {
		words := r.Permissions
		for _, a := range r.Actions {
			words = append(words[:len(words):len(words)], "action="+a)
		}
		parts[i] = r.Plugin
		if len(words) > 0 {
			parts[i] += ":" + strings.Join(words, ",")
		}
	}
	return strings.Join(parts, " ")
}
