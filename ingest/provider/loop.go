package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Options say how a Loop works. Catalog and Store are required.
type Options struct {
	Catalog Catalog
	Store   Store
	// Guard is DefaultGuard where it is zero.
	Guard Guard
	// Logger is slog.Default where it is nil.
	Logger *slog.Logger
	// Registerer takes the metrics; nil is nowhere.
	Registerer prometheus.Registerer
	// Now is time.Now where it is nil.
	Now func() time.Time
}

// A Loop polls providers, each on its own schedule.
type Loop struct {
	opts    Options
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	names   []string // sorted
	runners map[string]*runner
}

// New reads what is remembered of the providers, and forgets those that are
// not among them. Nothing runs before Run.
func New(opts Options, providers ...Provider) (*Loop, error) {
	if opts.Catalog == nil || opts.Store == nil {
		return nil, errors.New("provider loop needs a catalog and a store")
	}
	if opts.Guard == (Guard{}) {
		opts.Guard = DefaultGuard()
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	l := &Loop{opts: opts, log: opts.Logger, now: opts.Now, metrics: newMetrics(opts.Registerer), runners: map[string]*runner{}}
	for _, p := range providers {
		if err := l.add(p); err != nil {
			return nil, err
		}
	}
	slices.Sort(l.names)
	return l, l.remember()
}

func (l *Loop) add(p Provider) error {
	if p.Name == "" || p.Poll == nil {
		return errors.New("a provider needs a name and a poll function")
	}
	if l.runners[p.Name] != nil {
		return fmt.Errorf("provider %s is there twice", p.Name)
	}
	if err := p.Schedule.Validate(); err != nil {
		return fmt.Errorf("provider %s: %w", p.Name, err)
	}
	l.names = append(l.names, p.Name)
	l.runners[p.Name] = &runner{loop: l, provider: p, log: l.log.With("provider", p.Name), trigger: make(chan struct{}, 1)}
	return nil
}

func (l *Loop) remember() error {
	records, err := l.opts.Store.Records()
	if err != nil {
		return fmt.Errorf("read what is known of providers: %w", err)
	}
	held, err := l.opts.Store.Held()
	if err != nil {
		return fmt.Errorf("read held listings: %w", err)
	}
	for name, record := range records {
		if r := l.runners[name]; r != nil {
			r.record = record
		}
	}
	for name, h := range held {
		if r := l.runners[name]; r != nil {
			r.held = &h
		}
	}
	for name := range records {
		if l.runners[name] == nil {
			if err := l.opts.Store.Forget(name); err != nil {
				return fmt.Errorf("forget provider %s: %w", name, err)
			}
		}
	}
	for _, r := range l.runners {
		l.metrics.show(r.provider.Name, r.record, r.held)
	}
	return nil
}

// Names returns the names of all providers, sorted.
func (l *Loop) Names() []string { return slices.Clone(l.names) }

// Run polls until ctx ends, and returns once no poll is under way. It is
// called once.
func (l *Loop) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range l.runners {
		group.Go(func() error { return r.keepPolling(ctx) })
	}
	return group.Wait()
}

func (l *Loop) find(name string) (*runner, error) {
	if r := l.runners[name]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
}

// Trigger polls a provider now, or as soon as the poll that is under way has
// ended. It does not wait. An unknown name is ErrUnknown.
func (l *Loop) Trigger(name string) error {
	r, err := l.find(name)
	if err != nil {
		return err
	}
	r.wake()
	return nil
}

// Apply stores what an event says of a provider's entities. A poll that is
// under way does not undo it. An unknown name is ErrUnknown.
func (l *Loop) Apply(ctx context.Context, name string, c Change) error {
	r, err := l.find(name)
	if err != nil {
		return err
	}
	return r.apply(ctx, c)
}

// Release removes what a held listing would have removed, no more and no less,
// and polls the provider again for the rest. It returns what it removed.
// Without a held listing it is ErrNothingHeld.
func (l *Loop) Release(ctx context.Context, name string) (Held, error) {
	r, err := l.find(name)
	if err != nil {
		return Held{}, err
	}
	return r.release(ctx)
}

// Discard forgets a held listing; the catalog stays as it is. The next listing
// is looked at anew. Without a held one it is ErrNothingHeld.
func (l *Loop) Discard(name string) (Held, error) {
	r, err := l.find(name)
	if err != nil {
		return Held{}, err
	}
	return r.discard()
}

// Statuses tells how all providers fare, in order of their names. The caller
// must not change what it points to.
func (l *Loop) Statuses() []Status {
	out := make([]Status, len(l.names))
	for i, name := range l.names {
		out[i] = l.runners[name].status()
	}
	return out
}

// A runner is one provider with all that changes about it.
type runner struct {
	loop     *Loop
	provider Provider
	log      *slog.Logger
	trigger  chan struct{}

	// publish is held while something of this provider is stored.
	publish sync.Mutex
	// since is what events changed since the poll that is under way began, nil
	// where none is. It is guarded by publish.
	since overlay

	mu      sync.Mutex // guards what follows
	running bool
	record  Record
	held    *Held
}

func (r *runner) wake() {
	select {
	case r.trigger <- struct{}{}:
	default: // one is pending already, and has not looked yet
	}
}

func (r *runner) status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Status{
		ID: r.provider.Name, Running: r.running, Schedule: r.provider.Schedule.String(), Record: r.record, Held: r.held,
	}
}

// first returns when the first run after the start of the program begins: as
// it was planned before, or else at once.
func (r *runner) first() time.Time {
	now := r.loop.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.provider.Schedule
	planned := r.record.NextRun
	same := r.record.Fingerprint == r.provider.Fingerprint && r.record.LastRun != nil
	switch {
	case s.Manual:
		return time.Time{}
	case same && planned.After(now) && !planned.After(s.after(now, now).Add(maxJitter+longestWait)):
		return planned
	case s.Cron != "" && !same:
		return s.after(now, now)
	}
	return now.Add(s.InitialDelay + rand.N(min(s.Every/100, time.Second)+1))
}
