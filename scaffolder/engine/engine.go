package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// Options are what an Engine needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Store, Runner, Workspaces (a folder that nobody else uses) and Key (of
	// KeySize bytes, for secrets at rest). Required. The observer of the runner
	// is the engine's business: see Runner.
	Store      store.Store
	Runner     runner.Options
	Workspaces string
	Key        []byte
	// Concurrency is how many tasks run at once; 0: 10, negative: none.
	Concurrency int
	// PerTemplate is how many tasks of one template run at once; 0: as many as
	// Concurrency.
	PerTemplate int
	// MaxWaiting is how many tasks may wait; 0: 100,000.
	MaxWaiting int
	// Quota is what one workspace may hold; 0: that of package workspace.
	Quota int64
	// KeepInterrupted is how long workspace and journal of a task are kept that
	// waits for a retry since it was interrupted; 0: 24 hours.
	KeepInterrupted time.Duration
	// ParameterLength is how long a text in the parameters may be that the audit
	// log shows; 0: 256, negative: as long as it is.
	ParameterLength int
	// Audit is told when a task begins to run, and how the run ended; nil: nobody
	// is.
	Audit func(Execution)
	// News hears what becomes of tasks; nil: nobody does.
	News News
	// Log; nil: nothing is logged.
	Log *slog.Logger
	// Registry takes the metrics; nil: there are none.
	Registry prometheus.Registerer
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// An Execution is one run of a task, as an audit log shows it.
type Execution struct {
	TaskID, TemplateRef, CreatedBy string
	// Parameters are what the task was given, as JSON with long texts cut.
	Parameters string
	// Ended tells that the run is over, with Err if it failed; false: it begins.
	Ended bool
	Err   error
}

// An Engine keeps tasks. It is made by New, and works between Start and
// Shutdown.
type Engine struct {
	Options
	runner  *runner.Runner
	vault   *vault
	journal *journal
	hub     *hub
	metrics *metrics
	dryRuns chan struct{} // one element for each that runs

	mu       sync.Mutex
	queue    *queue
	active   map[string]*active
	held     map[string]time.Time // interrupted tasks that wait for a retry, since when
	stopping chan struct{}
	stopped  bool
	sweeper  *time.Timer
	tasks    sync.WaitGroup
}

// An active task is one that runs.
type active struct {
	cancel context.CancelCauseFunc
}

// New checks the options. Nothing runs before Start, but the engine answers.
func New(o Options) (*Engine, error) {
	if o.Store == nil || o.Workspaces == "" {
		return nil, errors.New("the scaffolder needs a store and a folder for workspaces")
	}
	o.setDefaults()
	e := &Engine{Options: o, hub: newHub(), active: map[string]*active{}, held: map[string]time.Time{},
		stopping: make(chan struct{}), queue: newQueue(max(o.Concurrency, 0), o.PerTemplate)}
	e.dryRuns = make(chan struct{}, max(o.Concurrency, 1))
	var err error
	if e.vault, err = newVault(o.Key); err != nil {
		return nil, err
	}
	if e.metrics, err = newMetrics(o.Registry, e); err != nil {
		return nil, err
	}
	o.Runner.Observer = e.metrics
	if o.Runner.Log == nil {
		o.Runner.Log = o.Log
	}
	if e.runner, err = runner.New(o.Runner); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Workspaces, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of workspaces cannot be made: %w", err)
	}
	if e.Workspaces, err = filepath.Abs(o.Workspaces); err != nil {
		return nil, err
	}
	e.journal = newJournal(o.Store, e.hub.wake)
	return e, nil
}

func (o *Options) setDefaults() {
	if o.Concurrency == 0 {
		o.Concurrency = 10
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 100_000
	}
	if o.KeepInterrupted == 0 {
		o.KeepInterrupted = 24 * time.Hour
	}
	if o.ParameterLength == 0 {
		o.ParameterLength = 256
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Runner.Now == nil {
		o.Runner.Now = o.Now
	}
}

// now is the time as it is stored: milliseconds, UTC.
func (e *Engine) now() time.Time { return e.Now().UTC().Truncate(time.Millisecond) }

// A Request is what someone asks for who creates a task.
type Request struct {
	Spec scaffolder.Spec
	// Secrets are given to the task; Credentials stand for the initiator.
	Secrets     map[string]string
	Credentials string
}

// Create takes a task in and returns its id. Once it has returned the task will
// run, also after the end of the process.
func (e *Engine) Create(ctx context.Context, r Request) (string, error) {
	if err := e.mayTakeIn(); err != nil {
		return "", err
	}
	id := uuid.NewString()
	sealed, err := e.vault.seal(id, secrets{r.Secrets, r.Credentials})
	if err != nil {
		return "", err
	}
	task := scaffolder.Task{ID: id, Status: scaffolder.Open, CreatedAt: e.now(), CreatedBy: r.Spec.UserRef(),
		TemplateRef: r.Spec.TemplateRef(), StartsOver: r.Spec.StartsOver()}
	spec := jsonvalue.Append(nil, r.Spec.Object)
	var stored scaffolder.Task
	// Whoever does not wait for the answer has created a task nonetheless.
	err = e.journal.commit(context.WithoutCancel(ctx), id, func(tx store.WriteTx) error {
		var err error
		if stored, err = tx.PutTask(task); err != nil {
			return err
		}
		return errors.Join(tx.PutSpec(id, spec), tx.PutSecrets(id, sealed))
	})
	if err != nil {
		return "", fmt.Errorf("store task: %w", err)
	}
	e.tellCreated(stored, r.Spec.Object)
	e.enqueue(stored)
	return id, nil
}

// mayTakeIn refuses tasks while too many wait.
func (e *Engine) mayTakeIn() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.stopped:
		return errClosed
	case len(e.queue.waiting) >= e.MaxWaiting:
		return catalog.NewError(catalog.NameUnavailable,
			fmt.Sprintf("%d tasks are waiting already. Try again later", len(e.queue.waiting)))
	}
	return nil
}

// enqueue lets a task wait for its turn, and starts what may start.
func (e *Engine) enqueue(t scaffolder.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue.push(ticket{id: t.ID, template: t.TemplateRef, turn: t.Turn})
	e.dispatch()
}

// dispatch starts tasks as long as the limits allow. The caller holds e.mu.
func (e *Engine) dispatch() {
	for !e.stopped {
		t, ok := e.queue.next()
		if !ok {
			return
		}
		e.start(t)
	}
}

// start runs a task in a goroutine of its own. The caller holds e.mu.
func (e *Engine) start(t ticket) *active {
	ctx, cancel := context.WithCancelCause(context.Background())
	a := &active{cancel: cancel}
	e.active[t.id] = a
	e.tasks.Add(1)
	go func() {
		defer e.tasks.Done()
		defer cancel(nil)
		e.runTask(ctx, t.id)
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.active, t.id)
		e.queue.done(t)
		e.dispatch()
	}()
	return a
}

// Cancel says that a task is to end, erases its secrets, and ends what it is
// doing. That a task has ended already is no error.
func (e *Engine) Cancel(ctx context.Context, id string) error {
	var wasHeld bool
	var event scaffolder.Event
	err := e.journal.commit(context.WithoutCancel(ctx), id, func(tx store.WriteTx) error {
		t, err := tx.Task(id)
		if err != nil {
			return err
		}
		step, err := tx.LastStep(id)
		if err != nil {
			return err
		}
		if wasHeld = t.Held; wasHeld {
			t.Held = false
			if _, err := tx.PutTask(t); err != nil {
				return err
			}
		}
		event, err = tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventCancelled, CreatedAt: e.now(),
			Body: scaffolder.CancelledBody(step)})
		return errors.Join(err, tx.PutSecrets(id, nil))
	})
	if err != nil {
		return noTask(id, err)
	}
	e.tellEvent(event, string(scaffolder.Cancelled))
	if wasHeld {
		e.release(id)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.active[id]
	if t, ok := e.queue.take(id); ok && !e.stopped {
		a = e.start(t) // it ends at its first step, and needs no turn for that
	}
	if a != nil {
		a.cancel(runner.ErrCancelled)
	}
	return nil
}

// noTask gives the error of the store its words.
func noTask(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return scaffolder.NoTask(id)
	}
	return err
}

// Retry runs a task that has ended once more, with these secrets. It begins
// anew, but for one that was interrupted, which goes on where it was; in both
// cases checkpoints are kept.
func (e *Engine) Retry(ctx context.Context, id string, r Request) error {
	if err := e.mayTakeIn(); err != nil {
		return err
	}
	sealed, err := e.vault.seal(id, secrets{r.Secrets, r.Credentials})
	if err != nil {
		return err
	}
	var task scaffolder.Task
	err = e.journal.commit(context.WithoutCancel(ctx), id, func(tx store.WriteTx) error {
		t, err := tx.Task(id)
		if err != nil {
			return err
		}
		if !t.Status.Ended() {
			return catalog.NewError(catalog.NameConflict, fmt.Sprintf("Task with taskId %s cannot be retried", id))
		}
		task, err = e.reopen(tx, t, sealed)
		return err
	})
	if err != nil {
		return noTask(id, err)
	}
	e.mu.Lock()
	delete(e.held, id)
	e.mu.Unlock()
	e.enqueue(task)
	return nil
}

// reopen makes a task one that waits.
func (e *Engine) reopen(tx store.WriteTx, t scaffolder.Task, sealed []byte) (scaffolder.Task, error) {
	if !t.Held {
		if err := tx.ClearSteps(t.ID); err != nil {
			return t, err
		}
	}
	t.Status, t.Heartbeat, t.Held, t.Turn = scaffolder.Open, e.now(), false, 0
	t, err := tx.PutTask(t)
	if err != nil {
		return t, err
	}
	if err := tx.DropEvents(t.ID, scaffolder.EventCancelled, scaffolder.EventCompletion); err != nil {
		return t, err
	}
	if _, err := e.appendRecovered(tx, t); err != nil {
		return t, err
	}
	return t, tx.PutSecrets(t.ID, sealed)
}

func (e *Engine) appendRecovered(tx store.WriteTx, t scaffolder.Task) (scaffolder.Event, error) {
	strategy := "none"
	if t.StartsOver {
		strategy = scaffolder.StartOver
	}
	return tx.Append(scaffolder.Event{TaskID: t.ID, Type: scaffolder.EventRecovered, CreatedAt: e.now(),
		Body: scaffolder.RecoveredBody(strategy)})
}
