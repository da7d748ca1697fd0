package provider_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// fakeCatalog keeps which refs each provider feeds in.
type fakeCatalog struct {
	mu        sync.Mutex
	fed       map[string]map[string]bool
	mutations []engine.Mutation
	fail      error
}

func newCatalog() *fakeCatalog { return &fakeCatalog{fed: map[string]map[string]bool{}} }

func (c *fakeCatalog) ApplyMutation(_ context.Context, name string, m engine.Mutation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return c.fail
	}
	if m.Full || c.fed[name] == nil {
		c.fed[name] = map[string]bool{}
	}
	for _, ref := range m.Removed {
		delete(c.fed[name], ref)
	}
	for _, d := range m.Added {
		c.fed[name][d.Entity.Ref().String()] = true
	}
	c.mutations = append(c.mutations, m)
	return nil
}

func (c *fakeCatalog) Fed(_ context.Context, name string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := []string{}
	for ref := range c.fed[name] {
		out = append(out, ref)
	}
	slices.Sort(out)
	return out, nil
}

func (c *fakeCatalog) count(name string) int {
	refs, _ := c.Fed(context.Background(), name)
	return len(refs)
}

func (c *fakeCatalog) applied() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.mutations)
}

// fakeStore remembers in memory; it stands for the file between two loops.
type fakeStore struct {
	mu      sync.Mutex
	records map[string]provider.Record
	held    map[string]provider.Held
}

func newStore() *fakeStore {
	return &fakeStore{records: map[string]provider.Record{}, held: map[string]provider.Held{}}
}

func (s *fakeStore) Records() (map[string]provider.Record, error) { return s.records, nil }
func (s *fakeStore) Held() (map[string]provider.Held, error)      { return s.held, nil }

func (s *fakeStore) PutRecord(name string, r provider.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[name] = r
	return nil
}

func (s *fakeStore) PutHeld(name string, h *provider.Held) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, name)
	if h != nil {
		s.held[name] = *h
	}
	return nil
}

func (s *fakeStore) Forget(name string) error {
	delete(s.records, name)
	delete(s.held, name)
	return nil
}

func deferred(i int) engine.Deferred {
	target := fmt.Sprintf("https://forge.example/acme/repo-%03d", i)
	return engine.Deferred{
		Entity:      catalog.LocationEntity(catalog.LocationRef{Type: "url", Target: target}, "optional", "", ""),
		LocationKey: "test",
	}
}

func refOf(i int) string { return deferred(i).Entity.Ref().String() }

// listed returns the entities from one number up to another.
func listed(from, to int) (out []engine.Deferred) {
	for i := from; i < to; i++ {
		out = append(out, deferred(i))
	}
	return out
}

// A script is a poll function whose answers a test decides.
type script struct {
	mu     sync.Mutex
	answer func(ctx context.Context) (provider.Listing, error)
	polls  int
}

func (s *script) poll(ctx context.Context) (provider.Listing, error) {
	s.mu.Lock()
	s.polls++
	answer := s.answer
	s.mu.Unlock()
	return answer(ctx)
}

func (s *script) says(l []engine.Deferred, err error) {
	s.set(func(context.Context) (provider.Listing, error) { return provider.Listing{Added: l}, err })
}

func (s *script) set(answer func(context.Context) (provider.Listing, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.polls
}

const name = "github-provider:default"

var hourly = provider.Schedule{Every: time.Hour, Timeout: 10 * time.Minute}

// bench is one loop with one provider.
type bench struct {
	catalog  *fakeCatalog
	store    *fakeStore
	script   *script
	registry *prometheus.Registry
	loop     *provider.Loop
	stop     func()
}

// start runs a loop until the test, or stop, ends it. It must be called in a
// bubble of synctest.
func start(t *testing.T, c *fakeCatalog, s *fakeStore, p *script, schedule provider.Schedule, fingerprint string) *bench {
	t.Helper()
	b := &bench{catalog: c, store: s, script: p, registry: prometheus.NewRegistry()}
	var err error
	b.loop, err = provider.New(provider.Options{Catalog: c, Store: s, Registerer: b.registry},
		provider.Provider{Name: name, Schedule: schedule, Fingerprint: fingerprint, Poll: p.poll})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.loop.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return b
}

func (b *bench) status() provider.Status { return b.loop.Statuses()[0] }

// after lets time pass, and then everything come to rest.
func after(d time.Duration) {
	time.Sleep(d) // of the bubble: it takes no time
	synctest.Wait()
}
