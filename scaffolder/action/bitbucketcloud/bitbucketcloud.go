package bitbucketcloud

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/action/rest"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// Hosts knows the Bitbucket Cloud hosts of an installation. Implementations are
// safe for concurrent use.
type Hosts interface {
	filters.Hosts
	// Account returns how to work at a host: with the token or, where that is
	// "", with the credentials of the integration. It is false for hosts that
	// are no Bitbucket Cloud.
	Account(host, token string) (Account, bool)
}

// An Account is how to work at a host.
type Account struct {
	// API is the base of the REST API, without a slash at the end. BaseURL is
	// not used.
	API, BaseURL string
	// HTTP signs requests to the API, and sends them again where that does no
	// harm.
	HTTP *http.Client
	// User and Password are for Git over HTTP; Password is "" where there are no
	// credentials.
	User, Password string
}

// Options are what the actions need; the zero value of a field means what is
// said beside it.
type Options struct {
	// Hosts is required.
	Hosts Hosts
	// Defaults are for commits.
	Defaults git.Defaults
	// RequireUserCredentials: those of integrations are not used.
	RequireUserCredentials bool
	// Sleep waits between attempts; nil: a timer.
	Sleep func(context.Context, time.Duration) error
	// PushHTTP sends what is pushed with Git; nil: as git.Remote says.
	PushHTTP *http.Client
}

// Host is where Bitbucket Cloud is, for inputs that name no host.
const Host = "bitbucket.org"

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	p := &publisher{o}
	return []action.Action{p.publish(), p.pullRequest(), p.pipeline(), p.restriction()}
}

// A publisher is what the actions of this package have in common.
type publisher struct{ Options }

// A target is a repository that an action works on, be it there or not.
type target struct {
	filters.RepoURL
	rest.Client
	account Account
}

// open reads a URL, and finds credentials for its host. Nothing is asked of it.
func (p *publisher) open(c *action.Context, repoURL, token string) (*target, error) {
	at, err := git.ParseRepoURL(repoURL, p.Hosts)
	if err != nil {
		return nil, err
	}
	return p.signIn(c, at, token)
}

func (p *publisher) signIn(c *action.Context, at filters.RepoURL, token string) (*target, error) {
	if token == "" && p.RequireUserCredentials {
		return nil, git.NoUserCredentials(at.Host)
	}
	if token != "" {
		c.Redact(token)
	}
	account, ok := p.Hosts.Account(at.Host, token)
	switch {
	case !ok:
		return nil, catalog.NewError(catalog.NameInput,
			fmt.Sprintf("No matching integration configuration for host %s, please check your integrations config", at.Host))
	case account.Password == "":
		return nil, catalog.NewError(catalog.NameInput,
			"Authorization has not been provided for Bitbucket Cloud: integrations.bitbucketCloud needs username with appPassword or token, or a token, or the step the input token")
	}
	return &target{RepoURL: at, account: account, Client: client(account)}, nil
}

func client(a Account) rest.Client {
	return rest.Client{Base: a.API, HTTP: a.HTTP, Message: words, Forbidden: "the token needs the scopes that this takes, such as repository:admin and pullrequest:write"}
}

// words finds those of Bitbucket in an answer that says no.
func words(body []byte) string {
	var said struct {
		Error struct {
			Message string
			Fields  map[string]any
		}
	}
	_ = json.Unmarshal(body, &said) // what is no JSON says nothing
	text := said.Error.Message
	for _, field := range slices.Sorted(maps.Keys(said.Error.Fields)) {
		text += fmt.Sprintf("; %s: %v", field, said.Error.Fields[field])
	}
	return text
}

// path is that of the repository in the API, with more below it.
func (t *target) path(more ...string) []string {
	return append([]string{"repositories", t.Workspace, t.Repo}, more...)
}

func (t *target) name() string { return t.Workspace + "/" + t.Repo }

// at asks for a path below that of the repository.
func (t *target) at(ctx context.Context, method string, more []string, body, into any) error {
	return t.Call(ctx, method, t.path(more...), nil, body, into)
}

// maxPages bounds lists.
const maxPages = 2000

// list reads a list to its end, or until visit has had enough.
func list[T any](ctx context.Context, c rest.Client, path []string, query url.Values, visit func(T) (enough bool)) error {
	var page struct {
		Values []T
		Next   string
	}
	if err := c.Call(ctx, http.MethodGet, path, query, nil, &page); err != nil {
		return err
	}
	for n := 1; ; n++ {
		for _, v := range page.Values {
			if visit(v) {
				return nil
			}
		}
		next := page.Next
		if next == "" {
			return nil
		}
		if n == maxPages {
			return fmt.Errorf("the list is longer than %d pages", maxPages)
		}
		page.Values, page.Next = nil, ""
		if err := c.CallURL(ctx, http.MethodGet, next, nil, &page); err != nil {
			return err
		}
	}
}

// quoted writes a text into a query.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// each makes the key of a checkpoint differ between the iterations of a step.
func each(c *action.Context, key string) string {
	if c.Each == nil {
		return key
	}
	return key + "." + *c.Each
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

const exampleURL = "bitbucket.org?workspace=acme&project=SHOP&repo=shop"

// example writes a step of a template.
func example(id, name string, lines ...string) string {
	out := "steps:\n  - id: step\n    name: " + name + "\n    action: " + id + "\n    input:\n"
	for _, line := range lines {
		out += "      " + line + "\n"
	}
	return out
}
