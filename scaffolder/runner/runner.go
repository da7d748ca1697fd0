package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// Why a run ends before its steps do, as causes of its context.
var (
	// ErrCancelled: somebody wants the task to end. It fails.
	ErrCancelled = errors.New("the task has been cancelled")
	// ErrStopped: the program ends. The task goes on another time, and the
	// step that runs has no recorded end.
	ErrStopped = errors.New("the program ends")
)

// An ActionPolicy decides which actions an initiator may run.
type ActionPolicy interface {
	// Actions is asked once for each run. The function that it returns is
	// asked before each call of an action, with the rendered input.
	Actions(ctx context.Context, who action.Initiator) (func(actionID string, input *jsonvalue.Object) bool, error)
}

// An Observer is told how steps ended, for metrics.
type Observer interface {
	// Step is called when a step ended: result is ok, failed or skipped.
	Step(templateRef, stepName, result string, took time.Duration)
}

// A Journal is told what a run does. What it is told first is stored first.
type Journal interface {
	// Log adds a line to the log. It does not wait until it is stored.
	Log(body []byte)
	// Step records how far a step came, with a line of the log if body is not
	// nil; both are stored together. It does not wait.
	Step(r store.StepRecord, body []byte)
	// Sync waits until everything before is stored.
	Sync(ctx context.Context) error
	// Checkpoint returns what was stored under a key, ok false if nothing.
	Checkpoint(key string) (value []byte, ok bool, err error)
	// PutCheckpoint stores a value under a key, and waits until it is stored.
	PutCheckpoint(ctx context.Context, key string, value []byte) error
}

// Options are what a Runner needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Actions are those that steps can call. Required.
	Actions *action.Registry
	// Filters are added to the template language; nil: none.
	Filters map[string]nunjucks.Func
	// Policy decides about actions; nil: all are allowed.
	Policy ActionPolicy
	// Parameters and Secrets are the environment that the operator gives to all
	// tasks; nil: none.
	Parameters, Secrets map[string]string
	// Level is the lowest level of lines in a task's log; the zero value is
	// info.
	Level slog.Level
	// Log takes faults of actions that are not the user's; nil: they are lost.
	Log *slog.Logger
	// Trace is called where a step begins, with what it is as keys and values in
	// turn, and what it returns where that ends; nil: nothing is traced.
	Trace func(ctx context.Context, name string, keysAndValues ...string) (context.Context, func(error))
	// Observer; nil: nobody is told.
	Observer Observer
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Runner takes tasks through their steps.
type Runner struct {
	Options
	env         *nunjucks.Env
	environment nunjucks.Value // parameters
	withSecrets nunjucks.Value // the same, with secrets
}

// New checks the options.
func New(o Options) (*Runner, error) {
	if o.Actions == nil {
		return nil, errors.New("a runner needs actions")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Runner{Options: o, env: nunjucks.New(nunjucks.Options{
		Tags: nunjucks.ScaffolderTags(), Filters: o.Filters, LegacyCoercion: true})}
	parameters, err := nunjucks.ValueOf(o.Parameters)
	if err != nil {
		return nil, err
	}
	secrets, err := nunjucks.ValueOf(o.Secrets)
	if err != nil {
		return nil, err
	}
	r.environment = objectValue("parameters", parameters, "secrets", nunjucks.ObjectValue())
	r.withSecrets = objectValue("parameters", parameters, "secrets", secrets)
	return r, nil
}

// A Task is what Run is to run.
type Task struct {
	ID   string
	Spec scaffolder.Spec
	// Secrets are the caller's. They are not changed.
	Secrets map[string]string
	// Credentials stand for who started the task.
	Credentials string
	// DryRun: without effects outside of the workspace.
	DryRun bool
	// HiddenSteps is how many steps the log counts that are none of the spec.
	HiddenSteps int
	Workspace   *workspace.Workspace
	Journal     Journal
	// Before are the records of an earlier run, nil for none.
	Before []store.StepRecord
	// Fault is told of each string that could not be rendered and stays as it
	// is, with the id of its step, "" for the output; nil: nobody is.
	Fault func(stepID string, f nunjucks.Fault)
	// Stopping is closed when no further step is to begin; nil: never.
	Stopping <-chan struct{}
}

// A Result is how a run ended.
type Result struct {
	// Output is what the task puts out, if it succeeded.
	Output any
	// Err is why the task failed, nil if it succeeded. Secrets are masked.
	Err error
	// Stopped: the task did not end, it goes on another time.
	Stopped bool
}

// Run takes a task through its steps. The error is that of the Journal: then
// nobody knows how the task ended, and it is to be run again.
// When the cause of ctx is ErrCancelled the task fails, with ErrStopped it is
// stopped.
func (r *Runner) Run(ctx context.Context, t Task) (Result, error) {
	x, err := r.newRun(t)
	if err != nil {
		return Result{}, err
	}
	return x.run(ctx)
}

// GuardKey names the moment at which a step, or one of its iterations, begins:
// the key with which its workspace is restored.
func GuardKey(records []store.StepRecord) string {
	for i, rec := range records {
		if rec.Index != i || rec.Status == scaffolder.Processing {
			return guardKey(i, doneOf(rec, i))
		}
	}
	return guardKey(len(records), 0)
}

func doneOf(rec store.StepRecord, index int) int {
	if rec.Index != index {
		return 0
	}
	return rec.Done
}
