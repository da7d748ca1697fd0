package github

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// Hosts knows the GitHub hosts of an installation. Implementations are safe for
// concurrent use.
type Hosts interface {
	filters.Hosts
	// Account returns how to reach what an owner has at a host: with the token
	// or, where that is "", with the credentials of the integration. It is
	// false for hosts that are no GitHub with an API.
	Account(ctx context.Context, host, owner, token string) (a Account, ok bool, err error)
}

// An Account is how to reach a host for one owner.
type Account struct {
	// API is the base of the REST API, without a slash at the end.
	API string
	// HTTP signs requests to the API, keeps to the budget of the host, and sends
	// them again where that does no harm.
	HTTP *http.Client
	// Token is for Git over HTTP; "" where there are no credentials at all.
	Token string
}

// A Catalog finds the entities that reviewers are, with the rights of whoever
// started the task.
type Catalog interface {
	EntitiesByRefs(ctx context.Context, by action.Initiator, refs []catalog.EntityRef) ([]catalog.Entity, error)
}

// Options are what the actions need; the zero value of a field means what is
// said beside it.
type Options struct {
	// Hosts is required.
	Hosts Hosts
	// Catalog resolves the reviewers of environments; nil: they are skipped.
	Catalog Catalog
	// Defaults are for commits.
	Defaults git.Defaults
	// RequireUserCredentials: those of integrations are not used.
	RequireUserCredentials bool
	// Sleep waits between attempts; nil: a timer.
	Sleep func(context.Context, time.Duration) error
	// PushHTTP sends what is pushed with Git; nil: as git.Remote says.
	PushHTTP *http.Client
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	p := &publisher{Options: o}
	return []action.Action{
		p.publish(), p.createRepository(), p.push(), p.pullRequest(), p.webhook(), p.dispatch(), p.createIssue(), p.labelIssue(),
		p.deployKey(), p.environment(), p.autolink(), p.pages(), p.branchProtection(),
	}
}

// A publisher is what the actions of this package have in common.
type publisher struct{ Options }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// open finds the repository of an input, and credentials for it. It asks the
// host for nothing but these.
func (p *publisher) open(ctx context.Context, c *action.Context, repoURL, token string) (*repository, error) {
	at, err := git.ParseRepoURL(repoURL, p.Hosts)
	switch {
	case err != nil:
		return nil, err
	case at.Owner == "":
		return nil, catalog.NewError(catalog.NameInput, "Invalid repository owner provided in repoUrl")
	case token == "" && p.RequireUserCredentials:
		return nil, git.NoUserCredentials(at.Host)
	}
	if token != "" {
		c.Redact(token)
	}
	account, ok, err := p.Hosts.Account(ctx, at.Host, at.Owner, token)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, catalog.NewError(catalog.NameInput, "No integration for host "+at.Host)
	case account.Token == "":
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("No token available for host: %s, with owner %s, and repo %s. "+
			"Make sure GitHub auth is configured correctly. See https://backstage.io/docs/auth/github/provider for more details.", at.Host, at.Owner, at.Repo))
	}
	return newRepository(at, account)
}

// each makes the key of a checkpoint differ between the iterations of a step.
func each(c *action.Context, key string) string {
	if c.Each == nil {
		return key
	}
	return key + "." + *c.Each
}

// once runs fn unless an earlier run of the step has done so.
func once(ctx context.Context, c *action.Context, key string, fn func(context.Context) error) error {
	_, err := action.Checkpoint(ctx, c, each(c, key), func(ctx context.Context) (bool, error) { return true, fn(ctx) })
	return err
}
