package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// tokenVariable is the variable that has the token of verbs which ask a
// server.
const tokenVariable = "PLATFORM_TOKEN"

// A client asks a running server.
type client struct{ base, token string }

// serverFlags are those of verbs that ask a server.
type serverFlags struct {
	configs    []string
	url, token string
}

func (s *serverFlags) define(flags *flag.FlagSet) {
	flags.Var((*listFlag)(&s.configs), "config", "configuration `file`; may be given several times")
	flags.StringVar(&s.url, "server", "", "`URL` of the server")
	flags.StringVar(&s.url, "url", "", "`URL` of the server, as well")
	flags.StringVar(&s.token, "token", "", "`token` for the server")
}

// client returns what asks the server of the flags. Where they and the
// environment do not say, the configuration does: the server of
// backend.baseUrl or, if it is local, of backend.listen, and where own is not
// set the first static token that may use everything.
func (s serverFlags) client(verb string, own, local bool) (*client, error) {
	if s.token == "" {
		s.token = os.Getenv(tokenVariable)
	}
	if s.url == "" || s.token == "" && !own {
		_, settings, err := loadConfig(s.configs)
		if err != nil {
			return nil, fmt.Errorf("%w: or say --server and --token", err)
		}
		switch {
		case s.url != "":
		case local:
			s.url = localURL(settings.Backend.Listen)
		default:
			s.url = settings.Backend.BaseURL
		}
		if s.token == "" && !own {
			s.token = staticToken(settings.Auth)
		}
	}
	switch {
	case s.token == "" && own:
		return nil, &usageError{verb + ": which token? Say --token, or set " + tokenVariable}
	case s.token == "":
		return nil, errors.New("there is no token to ask the server with: say --token, set " + tokenVariable +
			", or put a static one without accessRestrictions into backend.auth.externalAccess")
	}
	s.url = strings.TrimRight(s.url, "/")
	if u, err := url.Parse(s.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &usageError{fmt.Sprintf("%s: %q is not the URL of a server", verb, s.url)}
	}
	return &client{s.url, s.token}, nil
}

// localURL is where a server on this machine is reached that listens there.
func localURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// A refusedError is an answer of the server that is no success.
type refusedError struct {
	status  int
	message string
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("the server answers %d: %s", e.status, e.message)
}

// do sends a request, and decodes a successful answer unless into is nil.
func (c *client) do(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var payload io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the server cannot be reached: %w: is it running there? --server names another", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return fmt.Errorf("answer of the server: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &refusedError{res.StatusCode, messageOf(res.StatusCode, answer)}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("answer of the server: %w", err)
	}
	return nil
}

// messageOf returns what an error answer says.
func messageOf(status int, answer []byte) string {
	var body struct {
		Error struct{ Message string }
	}
	if json.Unmarshal(answer, &body) == nil && body.Error.Message != "" {
		return body.Error.Message
	}
	return http.StatusText(status)
}

// parseMixed parses flags that may stand before and behind the arguments, and
// returns the arguments.
func parseMixed(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// parseLifetime reads a duration such as 90d, as seconds; word stands for none.
func parseLifetime(text, word string) (seconds int64, ok bool) {
	if text == word {
		return 0, true
	}
	d, ok := config.ParseDuration(text)
	return int64(d.Seconds()), ok && d.Seconds() >= 1
}
