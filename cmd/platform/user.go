package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
)

func userVerb() verb {
	return verb{
		name: "user", arguments: "whoami [flags]", summary: "say whom a token stands for",
		details: `
Asks a server what a token stands for: the user and what the user acts for, or
the service and what narrows it, and when it ends. The server is that of --server,
or else of backend.baseUrl; the token that of --token, or of the variable
PLATFORM_TOKEN, which other users of this machine do not see.`,
		prepare: func(flags *flag.FlagSet) action {
			var o serverFlags
			o.define(flags)
			asJSON := flags.Bool("json", false, "print what the server answers")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				rest, err := parseMixed(flags, args)
				switch {
				case errors.Is(err, flag.ErrHelp):
					return help([]string{"user"}, stdout)
				case err != nil:
					return &usageError{"user: " + err.Error()}
				case len(rest) != 1 || rest[0] != "whoami":
					return &usageError{"user: what to do? There is `platform user whoami`"}
				}
				return whoami(ctx, o, *asJSON, stdout)
			}
		},
	}
}

func whoami(ctx context.Context, o serverFlags, asJSON bool, stdout io.Writer) error {
	c, err := o.client("user whoami", true, false)
	if err != nil {
		return err
	}
	var self auth.Self
	err = c.do(ctx, http.MethodGet, "/api/auth/v1/whoami", nil, &self)
	var refused *refusedError
	if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
		return fmt.Errorf("%w%s", err, endOf(c.token))
	}
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(stdout).Encode(self)
	}
	return printSelf(self, stdout)
}

// endOf says of a token that is a JWT when it ended, if it says so itself.
func endOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(data, &claims) != nil || claims.Expires <= 0 || claims.Expires > 1e11 {
		return ""
	}
	end := time.Unix(int64(claims.Expires), 0)
	if time.Now().Before(end) {
		return ""
	}
	return ": the token says that it ended at " + end.Local().Format(time.DateTime)
}

func printSelf(s auth.Self, stdout io.Writer) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(table, "%s\t%s\n", name, value) }
	if s.Type == "user" {
		row("User", s.UserEntityRef)
		row("Acts for", strings.Join(s.Ownership, ", "))
		if s.Actor != "" {
			row("Through", s.Actor)
		}
		if s.Limited {
			row("Limited", "to what browsers load by themselves")
		}
	} else {
		row("Service", s.Subject)
		row("May use", describeAccess(s.Restrictions))
	}
	if s.Audience != nil {
		row("Sent to", strings.Join(s.Audience, ", "))
	}
	row("Ends", describeEnd(s.Expires))
	return table.Flush()
}
