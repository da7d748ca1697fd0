package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/api/eventsapi"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/boltstore"
	"github.com/greenroom-idp/greenroom/ingest/git"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// crawlParts are what a crawl works with.
type crawlParts struct {
	settings *config.Settings
	hosts    *integration.Set
	forges   *forges
	db       *bbolt.DB
	store    store.Store
	index    *index.Index
	engine   *engine.Engine
	registry prometheus.Registerer
	log      *slog.Logger
	// pushed is told of repositories that were pushed to.
	pushed func(repository string)
}

// A crawl is all that feeds the catalog by itself: providers, and webhooks.
type crawl struct {
	loop      *provider.Loop
	queue     *webhook.Queue
	receivers map[string]eventsapi.Receiver

	handlers map[string]webhook.Handler // by source
	engine   *engine.Engine
	// predecessors are providers of other names that fed in the same.
	predecessors []string
}

// newCrawl builds the providers and webhooks that the configuration asks for.
// Nothing runs before run.
func newCrawl(p crawlParts) (*crawl, error) {
	records, err := boltstore.Open(p.db)
	if err != nil {
		return nil, err
	}
	c := &crawl{engine: p.engine, receivers: map[string]eventsapi.Receiver{}, handlers: map[string]webhook.Handler{}}
	feeds := &feeds{Engine: p.engine, store: p.store, index: p.index}
	sources, err := newSources(p)
	if err != nil {
		return nil, err
	}
	c.loop, err = provider.New(provider.Options{
		Catalog: feeds, Store: records, Guard: p.settings.Providers.Guard, Logger: p.log, Registerer: p.registry,
	}, sources.providers()...)
	if err != nil {
		return nil, err
	}
	for _, o := range sources.githubOrgs {
		c.predecessors = append(c.predecessors, o.Predecessor())
	}
	if c.queue, err = webhook.New(webhook.Options{Store: records, Logger: p.log, Registerer: p.registry}); err != nil {
		return nil, err
	}
	scm := webhook.NewSCM(feeds, p.settings.Events.SCM, p.registry)
	c.addGitHubWebhook(p, sources, scm)
	c.addGitLabWebhook(p, sources, scm)
	for _, topic := range p.settings.Events.Topics {
		if _, known := c.receivers[topic]; known {
			continue
		}
		c.receivers[topic] = nil
		if topic == "github" || topic == "gitlab" {
			p.log.Warn("configuration", slog.String("warning", "events.http.topics names "+topic+
				", whose deliveries nobody can prove: they are taken and have no effect until events.modules."+topic+".webhookSecret is set"))
		}
	}
	return c, nil
}

// sources are the providers by kind.
type sources struct {
	github     []*github.Discovery
	githubOrgs []*github.OrgData
	gitlab     []*gitlab.Discovery
	gitlabOrgs []*gitlab.OrgData
	git        []*git.List
}

// newSources makes the providers of the configuration. All hosts that they name
// must have an integration; those that have none are reported together.
func newSources(p crawlParts) (*sources, error) {
	s, settings := &sources{}, p.settings.Providers
	var faults []error
	host := func(key, name, kind string) integration.Host {
		h, err := findHost(p.hosts, key, name, kind)
		faults = append(faults, err)
		return h
	}
	for _, o := range settings.GitHub {
		host("catalog.providers.github."+o.ID, o.Host, integration.KindGitHub)
		s.github = append(s.github, github.NewDiscovery(o, p.forges.github))
	}
	for _, o := range settings.GitHubOrg {
		for _, app := range host("catalog.providers.githubOrg "+o.ID, o.Host, integration.KindGitHub).Apps {
			o.Apps = append(o.Apps, app.ID)
		}
		s.githubOrgs = append(s.githubOrgs, github.NewOrgData(o, p.forges.github))
	}
	for _, o := range settings.GitLab {
		host("catalog.providers.gitlab."+o.ID, o.Host, integration.KindGitLab)
		s.gitlab = append(s.gitlab, gitlab.NewDiscovery(o, p.forges.gitlab, nil))
	}
	for _, o := range settings.GitLabOrg {
		o.URL = host("catalog.providers.gitlab."+o.ID, o.Host, integration.KindGitLab).BaseURL
		s.gitlabOrgs = append(s.gitlabOrgs, gitlab.NewOrgData(o, p.forges.gitlab))
	}
	for _, o := range settings.Git {
		s.git = append(s.git, git.NewList(o, p.hosts.Kind))
	}
	off := settings.Disabled
	s.github, s.githubOrgs, s.git = enabled(s.github, off), enabled(s.githubOrgs, off), enabled(s.git, off)
	s.gitlab, s.gitlabOrgs = enabled(s.gitlab, off), enabled(s.gitlabOrgs, off)
	return s, errors.Join(faults...)
}

// findHost returns the integration that a provider needs.
func findHost(set *integration.Set, key, name, kind string) (integration.Host, error) {
	for _, h := range set.Hosts() {
		if h.Host == name && h.Kind == kind {
			return h, nil
		}
	}
	return integration.Host{}, fmt.Errorf("configuration: %s: there is no entry in integrations.%s for host %s", key, kind, name)
}

func (s *sources) providers() (out []provider.Provider) {
	for _, d := range s.github {
		out = append(out, d.Provider())
	}
	for _, d := range s.githubOrgs {
		out = append(out, d.Provider())
	}
	for _, d := range s.gitlab {
		out = append(out, d.Provider())
	}
	for _, d := range s.gitlabOrgs {
		out = append(out, d.Provider())
	}
	for _, d := range s.git {
		out = append(out, d.Provider())
	}
	return out
}

// enabled leaves out the providers of these names.
func enabled[T interface{ Name() string }](all []T, disabled []string) []T {
	return slices.DeleteFunc(all, func(p T) bool { return slices.Contains(disabled, p.Name()) })
}

// addGitHubWebhook takes deliveries of GitHub where there is a secret for them.
func (c *crawl) addGitHubWebhook(p crawlParts, s *sources, scm *webhook.SCM) {
	var secrets []string
	if secret := p.settings.Events.GitHubSecret; secret != "" {
		secrets = append(secrets, secret)
	}
	for _, h := range p.hosts.Hosts() {
		for _, app := range h.Apps {
			if !app.WebhookSecret.IsZero() {
				secrets = append(secrets, app.WebhookSecret.Value())
			}
		}
	}
	if len(secrets) == 0 {
		return
	}
	w := github.NewWebhook(github.WebhookOptions{
		Secrets: secrets, Sink: sink{c.loop, p.engine}, SCM: scm, Commits: p.forges.github, Heads: pushes{p.forges.githubReaders, p.pushed},
		Discoveries: s.github, Organizations: s.githubOrgs, Known: knownHosts(p.hosts, integration.KindGitHub),
	})
	c.receivers["github"], c.handlers[github.WebhookSource] = w, w.Handle
}

// addGitLabWebhook takes deliveries of GitLab where there is a secret for them.
func (c *crawl) addGitLabWebhook(p crawlParts, s *sources, scm *webhook.SCM) {
	if p.settings.Events.GitLabSecret == "" {
		return
	}
	w := gitlab.NewWebhook(gitlab.WebhookOptions{
		Secret: p.settings.Events.GitLabSecret, Sink: sink{c.loop, p.engine}, SCM: scm, Heads: pushes{p.forges.gitlabReaders, p.pushed},
		Discoveries: s.gitlab, Organizations: s.gitlabOrgs, Known: knownHosts(p.hosts, integration.KindGitLab),
	})
	c.receivers["gitlab"], c.handlers[gitlab.WebhookSource] = w, w.Handle
}

func knownHosts(set *integration.Set, kind string) func(string) bool {
	return func(host string) bool {
		return slices.ContainsFunc(set.Hosts(), func(h integration.Host) bool { return h.Kind == kind && h.Host == host })
	}
}

// names are the providers whose entities are to be kept.
func (c *crawl) names() []string { return c.loop.Names() }

// run polls and works webhooks off until ctx ends.
func (c *crawl) run(ctx context.Context) error {
	for _, name := range c.predecessors {
		if err := c.engine.ApplyMutation(ctx, name, engine.Mutation{Full: true}); err != nil && ctx.Err() == nil {
			return fmt.Errorf("remove what %s fed in: %w", name, err)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.loop.Run(ctx) })
	group.Go(func() error { return c.queue.Work(ctx, c.handle) })
	return group.Wait()
}

// handle gives a delivery to who knows its source. A source whose secret was
// taken out of the configuration has nobody any more.
func (c *crawl) handle(ctx context.Context, d webhook.Delivery) error {
	h := c.handlers[d.Source]
	if h == nil {
		return fmt.Errorf("%w: webhooks of %s are not configured any more", webhook.ErrUnusable, d.Source)
	}
	return h(ctx, d)
}

// sink takes what webhooks change.
type sink struct {
	*provider.Loop
	engine *engine.Engine
}

// RefreshKeys processes again the entities that hold one of the keys.
func (s sink) RefreshKeys(ctx context.Context, keys []string) error {
	return s.engine.RefreshKeys(ctx, keys)
}

// feeds are the catalog as crawlers see it.
type feeds struct {
	*engine.Engine
	store store.Store
	index *index.Index
}

var (
	_ provider.Catalog = (*feeds)(nil)
	_ webhook.Catalog  = (*feeds)(nil)
)

// Fed returns the refs of the entities that a provider feeds in.
func (f *feeds) Fed(ctx context.Context, name string) (refs []string, err error) {
	err = f.store.View(func(tx store.ReadTx) error {
		return tx.Children(store.Source{Provider: name}, func(ref string) bool {
			refs = append(refs, ref)
			return ctx.Err() == nil
		})
	})
	if err == nil {
		err = ctx.Err()
	}
	return refs, err
}

// managedBy are the keys under which the index has where entities come from.
var managedBy = []string{
	"metadata.annotations." + catalog.AnnotationManagedBy, "metadata.annotations." + catalog.AnnotationManagedByOrigin,
}

// RefreshFrom processes again what was read from one of the URLs, or below one.
func (f *feeds) RefreshFrom(ctx context.Context, urls []string, below bool) error {
	var any query.Or
	for _, key := range managedBy {
		var exact []string
		for _, u := range urls {
			value := "url:" + strings.ToLower(u)
			exact = append(exact, value)
			if below {
				any = append(any, query.HasPrefix{Key: key, Prefix: value + "/"})
			}
		}
		any = append(any, query.In{Key: key, Values: exact})
	}
	snapshot := f.index.Snapshot()
	var refs []string
	for id := range snapshot.Select(any).All {
		refs = append(refs, snapshot.Ref(id))
	}
	return f.RefreshAll(ctx, refs)
}
