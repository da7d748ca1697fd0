// Package crawltest_test runs crawlers, reader, pipeline and engine together
// against doubles of Git hosts, with a clock of its own, and counts what the
// hosts are asked.
package crawltest_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/catalog/store"
	ingeststore "github.com/greenroom-idp/greenroom/ingest/boltstore"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/source"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
	"github.com/greenroom-idp/greenroom/schemas"
)

// A clock stands still until it is told to go on. It is that of the reader, who
// believes what it knows of a branch for a while.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A stack is everything between a double of GitHub and the index.
type stack struct {
	t       testing.TB
	forge   *forgetest.GitHub
	clock   *clock
	path    string
	db      *bbolt.DB
	store   *boltstore.Store
	records *ingeststore.Store
	index   *index.Index
	engine  *engine.Engine
	clients *github.Clients
	reader  *github.Reader
	queue   *webhook.Queue
	hook    *github.Webhook
	loop    *provider.Loop

	stopLoop func()
}

func newStack(t testing.TB, change func(o *github.DiscoveryOptions)) *stack {
	t.Helper()
	s := &stack{t: t, forge: forgetest.NewGitHub(t), clock: newClock(), path: filepath.Join(t.TempDir(), "test.db")}
	var err error
	s.db, err = boltstore.OpenFile(s.path, false)
	require.NoError(t, err)
	s.db.NoSync = true // no power fails here
	t.Cleanup(func() { s.db.Close() })
	s.store, err = boltstore.New(s.db)
	require.NoError(t, err)
	s.records, err = ingeststore.Open(s.db)
	require.NoError(t, err)
	s.openEngine()
	s.startLoop(change)
	t.Cleanup(s.close)
	return s
}

// openEngine builds pipeline and engine on top of the store.
func (s *stack) openEngine() {
	t, g := s.t, s.forge
	hosts, _, err := integration.Parse(map[string]any{"github": []any{map[string]any{
		"host": g.Host(), "apiBaseUrl": g.API(), "rawBaseUrl": g.Raw(), "token": "a-token"}}})
	require.NoError(t, err)
	s.clients, err = github.NewClients(hosts, github.ClientOptions{})
	require.NoError(t, err)
	client, ok := s.clients.Client(g.Host())
	require.True(t, ok)
	s.reader = github.NewReader(client.Host(), client, github.ReaderOptions{Now: s.clock.now})
	reader, err := source.New(source.Options{Integrations: hosts, Hosts: []source.Host{s.reader}})
	require.NoError(t, err)
	kinds, err := schemas.New(schemas.Options{})
	require.NoError(t, err)
	pipeline, err := process.New(process.Options{Reader: reader, Kinds: kinds, ParseYAML: descriptor.ParseValues})
	require.NoError(t, err)
	s.index = index.New()
	s.engine, err = engine.Open(t.Context(), engine.Options{
		Store: s.store, Index: s.index, Processor: pipeline, Logger: slog.New(slog.DiscardHandler), Workers: 8,
		MinInterval: time.Hour, MaxInterval: 2 * time.Hour,
	})
	require.NoError(t, err)
}

// startLoop builds discovery, loop and webhooks, and runs them.
func (s *stack) startLoop(change func(o *github.DiscoveryOptions)) {
	s.startLoopWith(change, provider.Options{})
}

func (s *stack) startLoopWith(change func(o *github.DiscoveryOptions), o provider.Options) {
	t := s.t
	d := github.DiscoveryOptions{
		ID: "default", Organization: "acme", Host: s.forge.Host(), CatalogPath: github.DefaultCatalogPath, PageSize: github.DefaultPageSize,
		Filters: github.Filters{AllowForks: true}, Schedule: provider.Schedule{Manual: true, Timeout: 5 * time.Minute},
	}
	if change != nil {
		change(&d)
	}
	discovery := github.NewDiscovery(d, s.clients)
	o.Catalog, o.Store, o.Logger = (*catalogOf)(s), s.records, slog.New(slog.DiscardHandler)
	var err error
	s.loop, err = provider.New(o, discovery.Provider())
	require.NoError(t, err)
	s.queue, err = webhook.New(webhook.Options{Store: s.records, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	s.hook = github.NewWebhook(github.WebhookOptions{
		Secrets: []string{"secret"}, Sink: sinkOf{s}, SCM: webhook.NewSCM((*catalogOf)(s), webhook.Effects{}, nil),
		Discoveries: []*github.Discovery{discovery}, Heads: s.reader,
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.loop.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := s.queue.Work(ctx, s.hook.Handle); err != nil {
			t.Error(err)
		}
	})
	s.stopLoop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
}

func (s *stack) close() {
	s.stopLoop()
	require.NoError(s.t, s.engine.Close())
}

// catalogOf is the catalog as crawlers see it.
type catalogOf stack

func (c *catalogOf) ApplyMutation(ctx context.Context, name string, m engine.Mutation) error {
	return c.engine.ApplyMutation(ctx, name, m)
}

func (c *catalogOf) Fed(_ context.Context, name string) (refs []string, err error) {
	err = c.store.View(func(tx store.ReadTx) error {
		return tx.Children(store.Source{Provider: name}, func(ref string) bool { refs = append(refs, ref); return true })
	})
	return refs, err
}

func (c *catalogOf) RefreshKeys(ctx context.Context, keys []string) error {
	return c.engine.RefreshKeys(ctx, keys)
}
func (c *catalogOf) RefreshFrom(context.Context, []string, bool) error { return nil }
func (c *catalogOf) Locations(ctx context.Context) ([]catalog.Location, error) {
	return c.engine.Locations(ctx)
}
func (c *catalogOf) UpdateLocation(ctx context.Context, id string, to catalog.LocationRef) (catalog.Location, error) {
	return c.engine.UpdateLocation(ctx, id, to)
}
func (c *catalogOf) DeleteLocation(ctx context.Context, id string) error {
	return c.engine.DeleteLocation(ctx, id)
}

type sinkOf struct{ *stack }

func (s sinkOf) Apply(ctx context.Context, name string, c provider.Change) error {
	return s.loop.Apply(ctx, name, c)
}
func (s sinkOf) RefreshKeys(ctx context.Context, keys []string) error {
	return s.engine.RefreshKeys(ctx, keys)
}
func (s sinkOf) Trigger(name string) error { return s.loop.Trigger(name) }

const discoveryName = "github-provider:default"

// poll runs the discovery once and waits until all that it found is processed.
func (s *stack) poll() provider.Run {
	s.t.Helper()
	before := s.loop.Statuses()[0].LastRun
	require.NoError(s.t, s.loop.Trigger(discoveryName))
	require.Eventually(s.t, func() bool {
		last := s.loop.Statuses()[0].LastRun
		return last != nil && last != before
	}, 2*time.Minute, time.Millisecond)
	s.settle()
	return *s.loop.Statuses()[0].LastRun
}

func (s *stack) settle() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(s.t, s.engine.Settle(ctx))
}

// refresh lets time pass, so that nothing is believed unasked, and processes
// all locations again.
func (s *stack) refresh() {
	s.t.Helper()
	s.clock.forward(10 * time.Minute)
	refs, err := (*catalogOf)(s).Fed(s.t.Context(), discoveryName)
	require.NoError(s.t, err)
	require.NoError(s.t, s.engine.RefreshAll(s.t.Context(), refs))
	s.settle()
}

// served counts the entities of a kind that can be read.
func (s *stack) served(kind string) int {
	return s.index.Snapshot().Select(query.In{Key: "kind", Values: []string{strings.ToLower(kind)}}).Len()
}
