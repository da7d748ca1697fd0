package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// A Processor turns an unprocessed entity into what is stored. It is called
// from several goroutines at once.
type Processor interface {
	Process(ctx context.Context, in process.Input) process.Result
}

// Options say how an engine works. Store, Index and Processor are required.
type Options struct {
	Store     store.Store
	Index     *index.Index
	Processor Processor
	// Logger is slog.Default where it is nil.
	Logger *slog.Logger
	// Now is time.Now where it is nil.
	Now func() time.Time
	// Workers is how many entities are processed at once; 0 is one for each
	// processor that Go uses, and at least two, since some of them wait.
	Workers int

	// MinInterval and MaxInterval bound the time, drawn anew each time, after
	// which an entity that was read from somewhere is refreshed. Zeros are 100
	// and 150 seconds.
	MinInterval, MaxInterval time.Duration
	// ReadOnly switches processing off: what is stored is served, and new work
	// is kept for an engine that does process.
	ReadOnly bool
	// KeepOrphans marks entities that nobody emits any more instead of
	// removing them.
	KeepOrphans bool
	// OrphanGrace is how long an orphan is left alone, so that an entity that
	// moves from one parent to another stays the same; 0 is one second.
	OrphanGrace time.Duration

	// LocationTypes are those that may be registered; nil is url alone.
	LocationTypes []string
	// RefreshOnConflict makes registering a location that exists a refresh of
	// it, for callers that do not say what they want.
	RefreshOnConflict bool

	// Fingerprint stands for everything besides the entity that processing
	// depends on, such as the release and the schemas. When it differs from
	// that of the last start, all entities are processed again.
	Fingerprint string
	// KeepChanges and KeepChangesFor bound the change log by number and age.
	// Zeros are 100,000 and seven days.
	KeepChanges    int
	KeepChangesFor time.Duration

	// Trace is called where the processing of an entity begins, with what it is
	// as keys and values in turn, and what it returns where that ends; nil:
	// nothing is traced.
	Trace func(ctx context.Context, name string, keysAndValues ...string) (context.Context, func(error))

	// News hears what goes wrong with entities; nil: nobody does.
	News News

	// Registerer takes the engine's metrics; nil is nowhere.
	Registerer prometheus.Registerer
}

const (
	defaultMinInterval    = 100 * time.Second
	defaultMaxInterval    = 150 * time.Second
	defaultOrphanGrace    = time.Second
	defaultKeepChanges    = 100_000
	defaultKeepChangesFor = 7 * 24 * time.Hour
)

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = max(2, runtime.GOMAXPROCS(0))
	}
	if o.MinInterval <= 0 {
		o.MinInterval, o.MaxInterval = defaultMinInterval, defaultMaxInterval
	}
	o.MaxInterval = max(o.MinInterval, o.MaxInterval)
	if o.OrphanGrace <= 0 {
		o.OrphanGrace = defaultOrphanGrace
	}
	if o.LocationTypes == nil {
		o.LocationTypes = []string{"url"}
	}
	if o.KeepChanges <= 0 {
		o.KeepChanges = defaultKeepChanges
	}
	if o.KeepChangesFor <= 0 {
		o.KeepChangesFor = defaultKeepChangesFor
	}
}

// An Engine keeps the catalog; see the package comment. Open makes one.
type Engine struct {
	opts        Options
	store       store.Store
	index       *index.Index
	processor   Processor
	log         *slog.Logger
	now         func() time.Time
	workers     int
	keepOrphans bool
	uids        *catalog.UIDSource
	metrics     *metrics

	queue    *queue
	outcomes chan *outcome
	watchers watchers
	// working counts the workers that are processing right now.
	working atomic.Int64

	// mu is held through every transaction, so that revisions reach the index
	// in order.
	mu sync.Mutex
	// conflicts maps a ref to the parents that wanted to emit it in vain.
	conflicts map[string]map[string]bool
	orphans   *orphanage

	ctx    context.Context
	cancel context.CancelCauseFunc
	group  *errgroup.Group
	close  sync.Once
}

// errClosed is the cause that ends what runs when the engine is closed.
var errClosed = catalog.NewError(catalog.NameUnavailable, "Service is shutting down")

// Open loads the index from the store, so that the stored state is served when
// it returns, and begins to work. The context only bounds the loading.
func Open(ctx context.Context, opts Options) (*Engine, error) {
	if opts.Store == nil || opts.Index == nil || opts.Processor == nil {
		return nil, errors.New("engine: store, index and processor are required")
	}
	opts.setDefaults()
	e := &Engine{
		opts: opts, store: opts.Store, index: opts.Index, processor: opts.Processor, log: opts.Logger,
		now: opts.Now, workers: opts.Workers, keepOrphans: opts.KeepOrphans,
		metrics: newMetrics(opts.Registerer), queue: newQueue(opts.Now),
		outcomes: make(chan *outcome, outcomeBuffer), conflicts: map[string]map[string]bool{},
	}
	e.orphans = newOrphanage(opts.OrphanGrace, opts.Now)
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	e.metrics.watch(opts.Registerer, e.queue)
	e.start()
	return e, nil
}

func (e *Engine) start() {
	ctx, cancel := context.WithCancelCause(context.Background())
	e.group, e.ctx = errgroup.WithContext(ctx)
	e.cancel = cancel
	e.group.Go(func() error { return e.resume(e.ctx) })
	e.group.Go(func() error { return e.housekeep(e.ctx) })
	if e.opts.ReadOnly {
		return
	}
	var working sync.WaitGroup
	for range e.workers {
		working.Add(1)
		e.group.Go(func() error {
			defer working.Done()
			return e.work(e.ctx)
		})
	}
	e.group.Go(func() error {
		working.Wait()
		close(e.outcomes)
		return nil
	})
	e.group.Go(e.commitOutcomes)
}

// Close ends the work: what is being processed is given up, what has been
// processed is stored. It returns the error that stopped the engine, if one
// did. The store stays open.
func (e *Engine) Close() error {
	e.close.Do(func() {
		e.cancel(errClosed)
		e.queue.close()
	})
	if err := e.group.Wait(); err != nil && !errors.Is(err, errClosed) {
		return err
	}
	return nil
}

// Done is closed when the engine has been closed, or cannot go on; Close then
// tells why.
func (e *Engine) Done() <-chan struct{} { return e.ctx.Done() }

// Settle waits until no work is due and none is under way.
func (e *Engine) Settle(ctx context.Context) error { return e.queue.settle(ctx) }

// Idle tells whether no work is due and none is under way.
func (e *Engine) Idle() bool {
	ready, running := e.queue.pending()
	return ready == 0 && running == 0
}

// interval draws the time to the next refresh.
func (e *Engine) interval() time.Duration {
	spread := e.opts.MaxInterval - e.opts.MinInterval
	if spread <= 0 {
		return e.opts.MinInterval
	}
	return e.opts.MinInterval + rand.N(spread)
}

// update runs fn in a transaction, stitches what it marked, commits, and then
// shows the new state to the index and the new work to the queue. Nothing of
// it happens when it returns an error.
func (e *Engine) update(fn func(t *txn) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := &txn{e: e, now: e.now().UnixMilli(), records: map[string]*record{}, stitch: map[string]struct{}{}}
	var next *index.Snapshot
	err := e.store.Update(func(tx store.WriteTx) error {
		t.tx, t.revision = tx, tx.Revision()
		if err := fn(t); err != nil {
			return err
		}
		if err := t.finish(); err != nil {
			return err
		}
		if len(t.changes) > 0 {
			next = e.index.Prepare(t.revision, t.changes)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("catalog transaction: %w", err)
	}
	if next != nil {
		e.index.Commit(next)
		e.watchers.wake()
	}
	e.follow(t)
	return nil
}

// finish brings the transaction to the point where it can be committed.
func (t *txn) finish() error {
	if err := t.stitchAll(); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(t.changes) == 0 {
		return nil
	}
	return t.tx.SetRevision(t.revision)
}

// follow tells the queue what a committed transaction has left to do, and the
// log what went wrong in it.
func (e *Engine) follow(t *txn) {
	for _, o := range t.failed {
		e.log.Warn("entity cannot be processed", "entity_ref", o.ref, "error", o.reason)
		if e.opts.News != nil {
			e.opts.News.Failed(Failure{o.ref, o.location, o.errors})
		}
	}
	for _, c := range t.conflicts {
		if e.opts.News != nil && c.NewLocationKey != "" {
			e.opts.News.Conflicted(c.Conflict)
		}
		if c.parent == "" {
			continue
		}
		if e.conflicts[c.ref] == nil {
			e.conflicts[c.ref] = map[string]bool{}
		}
		e.conflicts[c.ref][c.parent] = true
	}
	for _, ref := range t.gone {
		if r := t.records[ref]; r == nil || r.state == nil {
			e.queue.remove(ref)
		}
		for parent := range e.conflicts[ref] {
			e.queue.push(parent)
		}
		delete(e.conflicts, ref)
	}
	e.queue.ask(t.demand, t.due...)
	if !e.keepOrphans {
		e.orphans.add(t.orphans...)
	}
}
