package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// Hosts knows the GitLab hosts of an installation. Implementations are safe for
// concurrent use.
type Hosts interface {
	filters.Hosts
	// Account returns how to work at a host: with the token or, where that is
	// "", with the credentials of the integration. It is false for hosts that
	// are no GitLab.
	Account(host, token string) (Account, bool)
}

// An Account is how to work at a host.
type Account struct {
	// API is the base of the REST API, without a slash at the end.
	API string
	// HTTP signs requests to the API, keeps to the budget of the host, and sends
	// them again where that does no harm.
	HTTP *http.Client
	// Token is for Git over HTTP; "" where there are no credentials at all.
	Token string
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
	// Now is the clock, for when tokens expire; nil: time.Now.
	Now func() time.Time
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &publisher{Options: o}
	return []action.Action{
		p.publish(), p.mergeRequest(), p.push(), p.ensureGroup(), p.groupAccess(), p.createIssue(), p.editIssue(), p.pipeline(),
		p.accessToken(), p.deployToken(), p.variable(), p.user(), p.migrate(),
	}
}

// A publisher is what the actions of this package have in common.
type publisher struct{ Options }

// A target is a host that an action works at, and what the URL names there.
type target struct {
	filters.RepoURL
	*api
	account Account
}

// host finds the host of an input, and credentials for it. Nothing is asked of
// it.
func (p *publisher) host(c *action.Context, repoURL, token string) (*target, error) {
	u, err := url.Parse("https://" + repoURL)
	if err != nil || u.Host == "" {
		return nil, catalog.NewError(catalog.NameInput, "Invalid repo URL passed to publisher: it must be of the form host?owner=...&repo=...")
	}
	return p.signIn(c, filters.RepoURL{Host: strings.ToLower(u.Host)}, token)
}

// project is host for actions that work on what the URL names.
func (p *publisher) project(c *action.Context, repoURL, token string) (*target, error) {
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
	if !ok {
		return nil, catalog.NewError(catalog.NameInput,
			fmt.Sprintf("No matching integration configuration for host %s, please check your integrations config", at.Host))
	}
	if account.Token == "" {
		return nil, catalog.NewError(catalog.NameInput, "No token available for host "+at.Host)
	}
	a, err := newAPI(account)
	if err != nil {
		return nil, err
	}
	return &target{RepoURL: at, api: a, account: account}, nil
}

// path is the full path of the project that the URL names: its project part or,
// where there is none, owner and name.
func (t *target) path() string {
	if t.Project != "" {
		return t.Project
	}
	return t.Owner + "/" + t.Repo
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

func yes(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// example writes a step of a template.
func example(id, name string, lines ...string) string {
	out := "steps:\n  - id: step\n    name: " + name + "\n    action: " + id + "\n    input:\n      repoUrl: gitlab.com?owner=acme&repo=shop\n"
	for _, line := range lines {
		out += "      " + line + "\n"
	}
	return out
}

// outputOf is the schema of outputs that are not always all there.
func outputOf[T any]() *jsonvalue.Object {
	s, err := action.Schema(reflect.TypeFor[T]())
	if err != nil {
		return nil // the suite of actions would notice
	}
	s.Set("$schema", "http://json-schema.org/draft-07/schema#")
	return s
}
