package main

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/ingest/account"
	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/git"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

// forges are the Git hosts of the configuration: what asks their APIs, and what
// reads from them.
type forges struct {
	github        *github.Clients
	githubReaders github.Readers
	gitlab        *gitlab.Clients
	gitlabReaders gitlab.Readers
	gitReaders    []*git.Reader
	accounts      *account.Accounts // of Gitea and Bitbucket Cloud
}

// newForges makes clients and readers for all hosts. They keep to the budgets
// of the hosts, whose figures go to the registry. The caller closes what it
// returns.
func newForges(set *integration.Set, registry prometheus.Registerer, log *slog.Logger) (*forges, error) {
	metrics := budget.NewMetrics(registry)
	f := &forges{}
	var err error
	if f.github, err = github.NewClients(set, github.ClientOptions{Metrics: metrics, Log: log}); err != nil {
		return nil, err
	}
	if f.gitlab, err = gitlab.NewClients(set, gitlab.ClientOptions{Metrics: metrics, Log: log}); err != nil {
		return nil, err
	}
	if f.accounts, err = account.New(set, account.Options{Metrics: metrics, Log: log}); err != nil {
		return nil, err
	}
	for _, h := range set.Hosts() {
		switch h.Kind {
		case integration.KindGitHub:
			client, _ := f.github.Client(h.Host) // none where there are only files
			f.githubReaders = append(f.githubReaders, github.NewReader(h, client, github.ReaderOptions{}))
		case integration.KindGitLab:
			if client, ok := f.gitlab.Client(h.Host); ok {
				f.gitlabReaders = append(f.gitlabReaders, gitlab.NewReader(client, gitlab.ReaderOptions{}))
			}
		case integration.KindGit, integration.KindGitea, integration.KindBitbucketCloud:
			r, err := git.NewReader(h, git.Options{Metrics: metrics, Log: log})
			if err != nil {
				return nil, errors.Join(err, f.Close())
			}
			f.gitReaders = append(f.gitReaders, r)
		}
	}
	return f, nil
}

// sources are what the reader of locations asks.
func (f *forges) sources() (out []source.Host) {
	for _, r := range f.githubReaders {
		out = append(out, r)
	}
	for _, r := range f.gitlabReaders {
		out = append(out, r)
	}
	for _, r := range f.gitReaders {
		out = append(out, r)
	}
	return out
}

// gitHosts are what tasks fetch from.
func (f *forges) gitHosts() (out []gitHost) {
	for _, r := range f.githubReaders {
		out = append(out, r)
	}
	for _, r := range f.gitlabReaders {
		out = append(out, r)
	}
	for _, r := range f.gitReaders {
		out = append(out, r)
	}
	return out
}

// Close removes what readers keep on the disk. Nobody may be reading.
func (f *forges) Close() error {
	var errs []error
	for _, r := range f.gitReaders {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}
