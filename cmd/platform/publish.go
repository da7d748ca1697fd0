package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/ingest/account"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	bitbucketaction "github.com/greenroom-idp/greenroom/scaffolder/action/bitbucketcloud"
	gitaction "github.com/greenroom-idp/greenroom/scaffolder/action/git"
	giteaaction "github.com/greenroom-idp/greenroom/scaffolder/action/gitea"
	githubaction "github.com/greenroom-idp/greenroom/scaffolder/action/github"
	gitlabaction "github.com/greenroom-idp/greenroom/scaffolder/action/gitlab"
)

// commitDefaults are what the configuration says of commits.
func commitDefaults(p scaffolderParts) gitaction.Defaults {
	s := p.settings.Scaffolder
	return gitaction.Defaults{Author: gitaction.Identity{Name: s.AuthorName, Email: s.AuthorEmail}, Message: s.CommitMessage, Signing: p.signing}
}

// signingKeys reads the keys that sign commits.
func signingKeys(p scaffolderParts) (s gitaction.Signing, err error) {
	if key := p.settings.Scaffolder.CommitSigningKey; key != "" {
		if s.Default, err = gitaction.ParseSigningKey(key); err != nil {
			return s, fmt.Errorf("scaffolder.defaultCommitSigningKey: %w", err)
		}
	}
	s.Hosts = map[string]*gitaction.SigningKey{}
	for _, h := range p.hosts.Hosts() {
		if h.CommitSigningKey.IsZero() {
			continue
		}
		if s.Hosts[h.Host], err = gitaction.ParseSigningKey(h.CommitSigningKey.Value()); err != nil {
			return s, fmt.Errorf("integrations.%s, host %s, commitSigningKey: %w", h.Kind, h.Host, err)
		}
	}
	return s, nil
}

// gitOptions are what publish:git needs.
func gitOptions(p scaffolderParts) gitaction.Options {
	s := p.settings.Scaffolder
	return gitaction.Options{Hosts: gitHosts{p.hosts, p.forges}, Defaults: commitDefaults(p), RequireUserCredentials: s.RequireUserCredentials,
		HTTP: p.network.push(), Sleep: p.network.sleep}
}

// gitHosts finds what to sign in with at a Git server of any kind.
type gitHosts struct {
	hosts  *integration.Set
	forges *forges
}

var _ gitaction.Hosts = gitHosts{}

// Credentials implements the hosts of actions.
func (g gitHosts) Credentials(ctx context.Context, host, path string) (user, password string, ok bool, err error) {
	for _, h := range g.hosts.Hosts() {
		if h.Host != host {
			continue
		}
		switch h.Kind {
		case integration.KindGitHub:
			owner, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
			a, _, err := g.forges.github.Account(ctx, host, owner, "")
			return "x-access-token", a.Token, true, err
		case integration.KindGitLab:
			return "oauth2", h.Token.Value(), true, nil
		}
		user, password = h.GitCredentials()
		return user, password, true, nil
	}
	return "", "", false, nil
}

var _ gitaction.SSHHosts = gitHosts{}

// SSH implements the hosts of actions.
func (g gitHosts) SSH(host string) (*ssh.ClientConfig, error) {
	for _, r := range g.forges.gitReaders {
		if r.Matches("ssh://" + host) {
			return r.SSH()
		}
	}
	return nil, nil
}

// githubOptions are what the actions of GitHub need.
func githubOptions(p scaffolderParts) githubaction.Options {
	s := p.settings.Scaffolder
	return githubaction.Options{Hosts: githubHosts{hostKinds{p.hosts}, p.forges.github}, Catalog: p.catalog,
		Defaults: commitDefaults(p), RequireUserCredentials: s.RequireUserCredentials,
		PushHTTP: p.network.push(), Sleep: p.network.sleep}
}

// githubHosts gives actions the clients that crawling uses, with their
// credentials and budgets.
type githubHosts struct {
	hostKinds
	clients *github.Clients
}

var _ githubaction.Hosts = githubHosts{}

// Account implements the hosts of actions.
func (h githubHosts) Account(ctx context.Context, host, owner, token string) (githubaction.Account, bool, error) {
	a, ok, err := h.clients.Account(ctx, host, owner, token)
	return githubaction.Account(a), ok, err
}

// gitlabOptions are what the actions of GitLab need.
func gitlabOptions(p scaffolderParts) gitlabaction.Options {
	s := p.settings.Scaffolder
	return gitlabaction.Options{Hosts: gitlabHosts{hostKinds{p.hosts}, p.forges.gitlab},
		Defaults: commitDefaults(p), RequireUserCredentials: s.RequireUserCredentials,
		PushHTTP: p.network.push(), Sleep: p.network.sleep}
}

// gitlabHosts gives actions the clients that crawling uses.
type gitlabHosts struct {
	hostKinds
	clients *gitlab.Clients
}

var _ gitlabaction.Hosts = gitlabHosts{}

// Account implements the hosts of actions.
func (h gitlabHosts) Account(host, token string) (gitlabaction.Account, bool) {
	a, ok := h.clients.Account(host, token)
	return gitlabaction.Account(a), ok
}

// giteaOptions are what the action of Gitea needs.
func giteaOptions(p scaffolderParts) giteaaction.Options {
	return giteaaction.Options{Hosts: giteaHosts{hostKinds{p.hosts}, p.forges.accounts},
		Defaults: commitDefaults(p), RequireUserCredentials: p.settings.Scaffolder.RequireUserCredentials,
		PushHTTP: p.network.push(), Sleep: p.network.sleep}
}

// giteaHosts gives the action the accounts of integrations.
type giteaHosts struct {
	hostKinds
	accounts *account.Accounts
}

var _ giteaaction.Hosts = giteaHosts{}

// Account implements the hosts of actions.
func (h giteaHosts) Account(host string) (giteaaction.Account, bool) {
	a, ok := h.accounts.Account(integration.KindGitea, host, "")
	return giteaaction.Account(a), ok
}

// bitbucketOptions are what the actions of Bitbucket Cloud need.
func bitbucketOptions(p scaffolderParts) bitbucketaction.Options {
	return bitbucketaction.Options{Hosts: bitbucketHosts{hostKinds{p.hosts}, p.forges.accounts},
		Defaults: commitDefaults(p), RequireUserCredentials: p.settings.Scaffolder.RequireUserCredentials,
		PushHTTP: p.network.push(), Sleep: p.network.sleep}
}

// bitbucketHosts gives actions the accounts of integrations.
type bitbucketHosts struct {
	hostKinds
	accounts *account.Accounts
}

var _ bitbucketaction.Hosts = bitbucketHosts{}

// Account implements the hosts of actions.
func (h bitbucketHosts) Account(host, token string) (bitbucketaction.Account, bool) {
	a, ok := h.accounts.Account(integration.KindBitbucketCloud, host, token)
	return bitbucketaction.Account(a), ok
}

// A completer completes fields of forms with what is at a kind of Git host.
type completer[H any, F ~struct{ ID, Title string }] struct {
	hosts H
	find  func(ctx context.Context, hosts H, resource, token string, about map[string]string) ([]F, error)
}

// Complete implements scaffolderapi.Completer.
func (c completer[H, F]) Complete(ctx context.Context, resource, token string, about map[string]string) ([]scaffolderapi.Completion, error) {
	found, err := c.find(ctx, c.hosts, resource, token, about)
	out := make([]scaffolderapi.Completion, len(found))
	for i, f := range found {
		out[i] = scaffolderapi.Completion(f)
	}
	return out, err
}

// completers are the providers of POST /v2/autocomplete.
func completers(p scaffolderParts) map[string]scaffolderapi.Completer {
	return map[string]scaffolderapi.Completer{
		"github": completer[githubaction.Hosts, githubaction.Completion]{githubHosts{hostKinds{p.hosts}, p.forges.github}, githubaction.Complete},
		"gitlab": completer[gitlabaction.Hosts, gitlabaction.Completion]{gitlabHosts{hostKinds{p.hosts}, p.forges.gitlab}, gitlabaction.Complete},

		"bitbucket-cloud": completer[bitbucketaction.Hosts, bitbucketaction.Completion]{bitbucketHosts{hostKinds{p.hosts}, p.forges.accounts}, bitbucketaction.Complete},
	}
}
