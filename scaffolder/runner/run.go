package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/redact"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// A run is one task on its way.
type run struct {
	*Runner
	task    Task
	steps   []scaffolder.Step
	before  map[int]store.StepRecord
	masker  *redact.Masker
	allowed func(actionID string, input *jsonvalue.Object) bool

	// What expressions see.
	parameters, user, context, secrets, starred nunjucks.Value
	outputs                                     []nunjucks.Member

	// failure is the first error of a step, nil as long as there is none.
	failure error
	// How much the actions have written into the log.
	lines, bytes int
	muted        bool
	// lost is an error of the journal, after which nothing is known.
	lost error
}

// guardKey names the beginning of an iteration so that later ones compare
// greater.
func guardKey(step, iteration int) string { return fmt.Sprintf("%06d-%08d", step, iteration) }

func (r *Runner) newRun(t Task) (*run, error) {
	x := &run{Runner: r, task: t, steps: t.Spec.Steps(), before: map[int]store.StepRecord{}, masker: &redact.Masker{}}
	for _, rec := range t.Before {
		x.before[rec.Index] = rec
	}
	for _, secret := range t.Secrets {
		x.masker.Add(secret)
	}
	if !t.DryRun {
		for _, secret := range r.Secrets {
			x.masker.Add(secret)
		}
	}
	return x, x.prepareValues()
}

func (x *run) run(ctx context.Context) (Result, error) {
	if v := x.task.Spec.String("apiVersion"); v != scaffolder.APIVersion {
		return Result{Err: catalog.NewError(catalog.NameError, "Unsupported Template apiVersion "+v)}, nil
	}
	x.line("", "", fmt.Sprintf("Starting up task with %d steps", len(x.steps)+x.task.HiddenSteps))
	if n := x.completedBefore(); n > 0 {
		x.line("", "", fmt.Sprintf("Task recovered - resuming from last known good state. %d step(s) already completed.", n))
	}
	if err := x.askPolicy(ctx); err != nil {
		if result, err := x.ended(ctx, err); err == nil {
			return result, nil
		}
		x.Log.ErrorContext(ctx, "a task may do nothing", slog.String("task_id", x.task.ID), slog.String("error", x.masker.Text(err.Error())))
		return Result{Err: catalog.NewError(catalog.NameError, "It cannot be decided which actions the task may run. The log of the server says more")}, nil
	}
	for i := range x.steps {
		if x.stopping(ctx) {
			return Result{Stopped: true}, x.sync(ctx)
		}
		if err := x.step(ctx, i); err != nil {
			return x.ended(ctx, err)
		}
	}
	if x.failure != nil {
		return Result{Err: x.failure}, nil
	}
	output, err := x.output(ctx)
	if err != nil {
		return x.ended(ctx, err)
	}
	return Result{Output: output}, nil
}

// ended sorts out an error that is not a step's.
func (x *run) ended(ctx context.Context, err error) (Result, error) {
	switch cause := context.Cause(ctx); {
	case errors.Is(err, ErrStopped) || errors.Is(cause, ErrStopped):
		return Result{Stopped: true}, nil
	case errors.Is(cause, ErrCancelled):
		return Result{Err: catalog.NewError(catalog.NameError, "The task has been cancelled.")}, nil
	}
	return Result{}, err
}

func (x *run) completedBefore() int {
	n := 0
	for _, rec := range x.before {
		if rec.Status == scaffolder.Completed {
			n++
		}
	}
	return n
}

func (x *run) stopping(ctx context.Context) bool {
	select {
	case <-x.task.Stopping:
		return true
	default:
		return errors.Is(context.Cause(ctx), ErrStopped)
	}
}

// sync waits until all is stored, also when the task is to end.
func (x *run) sync(ctx context.Context) error {
	return x.task.Journal.Sync(context.WithoutCancel(ctx))
}

// askPolicy finds out which actions may run, once for the whole task.
func (x *run) askPolicy(ctx context.Context) error {
	x.allowed = func(string, *jsonvalue.Object) bool { return true }
	if x.Policy == nil || len(x.steps) == 0 {
		return nil
	}
	allowed, err := x.Policy.Actions(ctx, x.initiator())
	if err != nil {
		return fmt.Errorf("ask which actions may run: %w", err)
	}
	x.allowed = allowed
	return nil
}

func (x *run) initiator() action.Initiator {
	return action.Initiator{UserRef: x.task.Spec.UserRef(), User: x.task.Spec.User(), Credentials: x.task.Credentials}
}

// line writes a line of the log that the runner itself says.
func (x *run) line(stepID string, status scaffolder.Status, message string) {
	x.task.Journal.Log(scaffolder.LogBody(x.masker.Text(message), stepID, status))
}

// tell reports a string that could not be rendered.
func (x *run) tell(stepID string, f nunjucks.Fault) {
	if x.task.Fault != nil {
		x.task.Fault(stepID, nunjucks.Fault{Path: f.Path, Err: errors.New(x.masker.Text(oneLine(faultText(f.Err))))})
	}
}

// step takes the task through one step. The error is not the step's: those
// are kept in x.failure.
func (x *run) step(ctx context.Context, i int) error {
	s := x.steps[i]
	started := x.Now()
	rec, known := x.before[i]
	if known && rec.Status != scaffolder.Processing {
		return x.recall(s, rec)
	}
	if x.failure != nil && !x.runsAfterFailure(ctx, s) {
		x.skip(i, started, "Skipping step "+s.ID()+" because a previous step failed")
		return nil
	}
	x.line(s.ID(), scaffolder.Processing, "Beginning step "+s.Name())
	if isCancelled(ctx) {
		x.fail(x.cancelledError(s))
		x.record(i, scaffolder.Failed, 0, errorJSON(x.cancelledError(s)), nil)
		return nil
	}
	e := &execution{run: x, index: i, step: s, rec: rec, started: started}
	err := x.traced(ctx, s, e.execute)
	switch {
	case x.lost != nil:
		return x.lost
	case isStopped(ctx, err):
		return ErrStopped
	case isCancelled(ctx):
		err = x.cancelledError(s)
	}
	if err != nil {
		e.failed(err)
	}
	return nil
}

// traced runs a step, as a span if anybody looks at those.
func (x *run) traced(ctx context.Context, s scaffolder.Step, execute func(context.Context) error) error {
	if x.Trace == nil {
		return execute(ctx)
	}
	ctx, end := x.Trace(ctx, "step "+s.Action(), "scaffolder.task.id", x.task.ID, "scaffolder.step.id", s.ID(), "scaffolder.step.name", s.Name())
	err := execute(ctx)
	if err != nil {
		end(x.masked(err))
	} else {
		end(nil)
	}
	return err
}

func isCancelled(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrCancelled) }

// isStopped tells whether the step was broken off; one that came to its end
// in spite of that counts.
func isStopped(ctx context.Context, err error) bool {
	return err != nil && errors.Is(context.Cause(ctx), ErrStopped)
}

func (x *run) cancelledError(s scaffolder.Step) error {
	return catalog.NewError(catalog.NameError,
		fmt.Sprintf("Step %s (%s) of task %s has been cancelled.", s.ID(), s.Name(), x.task.ID))
}

// fail keeps the first error.
func (x *run) fail(err error) {
	if x.failure == nil {
		x.failure = x.masked(err)
	}
}

// masked returns an error of the same name without secrets.
func (x *run) masked(err error) error {
	return &catalog.Error{Name: errorName(err), Message: x.masker.Text(err.Error())}
}

// errorName is the name of an error, which those of other packages may have
// too.
func errorName(err error) string {
	var named interface{ ErrorName() string }
	if errors.As(err, &named) {
		return named.ErrorName()
	}
	return catalog.ErrorName(err)
}

func errorJSON(err error) []byte {
	return jsonvalue.Append(nil, jsonvalue.NewObject(
		jsonvalue.Member{Key: "name", Value: errorName(err)}, jsonvalue.Member{Key: "message", Value: err.Error()}))
}

// record tells the journal how far a step came.
func (x *run) record(i int, status scaffolder.Status, done int, output, body []byte) {
	x.task.Journal.Step(store.StepRecord{Index: i, Status: status, Done: done, Output: output, At: x.Now()}, body)
}

func (x *run) skip(i int, started time.Time, message string) {
	s := x.steps[i]
	x.record(i, scaffolder.Skipped, 0, nil, scaffolder.LogBody(message, s.ID(), scaffolder.Skipped))
	x.observe(s, "skipped", started)
}

func (x *run) observe(s scaffolder.Step, result string, started time.Time) {
	if x.Observer != nil {
		x.Observer.Step(x.task.Spec.TemplateRef(), s.Name(), result, x.Now().Sub(started))
	}
}

// recall takes a step over from an earlier run, and says in the log how that
// ended: a client may have forgotten what was before.
func (x *run) recall(s scaffolder.Step, rec store.StepRecord) error {
	var output *jsonvalue.Object
	if rec.Output != nil {
		var err error
		if output, err = jsonvalue.ParseObject(rec.Output); err != nil {
			return fmt.Errorf("record of step %s: %w", s.ID(), err)
		}
	}
	switch rec.Status {
	case scaffolder.Completed:
		x.line(s.ID(), scaffolder.Completed, "Skipping step "+s.ID()+" because it was already completed in a previous run")
		return x.publish(s.ID(), output)
	case scaffolder.Failed:
		err := &catalog.Error{Name: output.String("name"), Message: output.String("message")}
		x.line(s.ID(), scaffolder.Failed, catalog.Describe(err))
		x.fail(err)
	case scaffolder.Skipped:
		x.line(s.ID(), scaffolder.Skipped, "Skipping step "+s.ID()+" because it was already skipped in a previous run")
	}
	return nil
}

// publish makes the output of a step visible to those after it. Of two steps
// with one id the later counts.
func (x *run) publish(id string, output *jsonvalue.Object) error {
	if output == nil {
		output = jsonvalue.NewObject()
	}
	v, err := nunjucks.ValueOf(output)
	if err != nil {
		return fmt.Errorf("output of step %s: %w", id, err)
	}
	member := nunjucks.Member{Key: id, Value: objectValue("output", v)}
	x.outputs = slices.DeleteFunc(slices.Clone(x.outputs), func(m nunjucks.Member) bool { return m.Key == id })
	x.outputs = append(x.outputs, member)
	return nil
}
