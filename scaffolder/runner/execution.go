package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// An execution is one step that runs.
type execution struct {
	*run
	index   int
	step    scaffolder.Step
	rec     store.StepRecord // of an earlier run, whose iterations count
	started time.Time
	action  action.Action
	host    *host
	// faults are the strings of this step that could not be rendered; if the
	// step fails they may be the reason.
	faults []nunjucks.Fault
	each   bool
}

// An iteration is one call of the action: the only one, or one of each.
type iteration struct {
	key      string
	value    any
	variable nunjucks.Value // each, as expressions see it
	input    *jsonvalue.Object
	skipped  bool // its condition does not hold
}

// execute runs the step to its end. An error is why it failed.
func (e *execution) execute(ctx context.Context) error {
	runs, err := e.wanted(ctx)
	if err != nil {
		return err
	}
	if !runs {
		e.skip(e.index, e.started, "Skipping step "+e.step.ID()+" because its if condition was false")
		return nil
	}
	if e.action, err = e.Actions.Lookup(e.step.Action()); err != nil {
		return err
	}
	if e.task.DryRun {
		skipped, err := e.announceDryRun(ctx)
		if err != nil || skipped {
			return err
		}
	}
	iterations, err := e.iterations(ctx)
	if err != nil {
		return err
	}
	if err := e.prepare(ctx, iterations); err != nil {
		return err
	}
	if err := e.perform(ctx, iterations); err != nil {
		return err
	}
	return e.finish(ctx)
}

// wanted evaluates the condition of a step; that of one with each is asked for
// each iteration.
func (e *execution) wanted(ctx context.Context) (bool, error) {
	v, there := e.step.Condition()
	if v == false {
		return false, nil
	}
	_, e.each = e.step.Each()
	raw, isText := v.(string)
	if !there || !isText || e.each {
		return true, nil
	}
	ok, faults, err := e.condition(ctx, raw, scope{probe: &probe{}})
	e.blame("if", faults)
	return ok, err
}

// blame keeps faults, with the place below the step.
func (e *execution) blame(under string, faults []nunjucks.Fault) {
	for _, f := range faults {
		path := under
		if f.Path != "" {
			path += "." + f.Path
		}
		e.faults = append(e.faults, nunjucks.Fault{Path: path, Err: f.Err})
		e.tell(e.step.ID(), e.faults[len(e.faults)-1])
	}
}

// iterations returns the calls that the step makes, not yet rendered.
func (e *execution) iterations(ctx context.Context) ([]*iteration, error) {
	raw, there := e.step.Each()
	if !there {
		return []*iteration{{}}, nil
	}
	v, faults, err := e.renderSecretly(ctx, raw, scope{})
	if err != nil {
		return nil, err
	}
	e.blame("each", faults)
	if v.IsUndefined() {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf(
			`Invalid value on action %s.each parameter, "%s" cannot be resolved to a value`, e.action.ID(), text(raw)))
	}
	var out []*iteration
	switch list := toJSON(v).(type) {
	case []any:
		for i, x := range list {
			out = append(out, newIteration(strconv.Itoa(i), x))
		}
	case *jsonvalue.Object:
		for k, x := range list.All() {
			out = append(out, newIteration(k, x))
		}
	default:
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf(
			"Invalid value on action %s.each parameter, must resolve to an array or object", e.action.ID()))
	}
	return out, nil
}

func newIteration(key string, value any) *iteration {
	v, _ := nunjucks.ValueOf(value) // it was one before
	return &iteration{key: key, value: value, variable: objectValue("key", nunjucks.StringValue(key), "value", v)}
}

// maxIterations bounds the calls that one step may make.
const maxIterations = 100_000

// prepare renders and checks all inputs before the first action runs.
func (e *execution) prepare(ctx context.Context, iterations []*iteration) error {
	warned := map[string]bool{}
	if len(iterations) > maxIterations {
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("The step has %d iterations; there may be %d", len(iterations), maxIterations))
	}
	for _, it := range iterations {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s := scope{}
		if e.each {
			s.each = it
		}
		if err := e.prepareOne(ctx, it, s, warned); err != nil {
			return err
		}
	}
	return nil
}

func (e *execution) prepareOne(ctx context.Context, it *iteration, s scope, warned map[string]bool) error {
	if raw, ok := e.step.Value("if").(string); ok && raw != "" && e.each {
		s := s
		s.secrets, s.probe = realSecrets, &probe{}
		ok, faults, err := e.condition(ctx, raw, s)
		if err != nil {
			return err
		}
		e.blame("if", faults)
		if it.skipped = !ok; it.skipped {
			return nil
		}
	}
	it.input = jsonvalue.NewObject()
	if raw := e.step.Input(); raw != nil {
		v, faults, err := e.renderSecretly(ctx, raw, s)
		if err != nil {
			return err
		}
		e.blame("input", faults)
		if o, ok := toJSON(v).(*jsonvalue.Object); ok {
			it.input = o
		}
	}
	var warnings []string
	it.input, warnings = e.action.WithoutRetired(it.input)
	for _, w := range warnings {
		if !warned[w] {
			warned[w] = true
			e.logger().Warn(w)
		}
	}
	if err := e.action.Check(it.input, e.key(it)); err != nil {
		return err
	}
	if !e.allowed(e.action.ID(), it.input) {
		return catalog.NewError(catalog.NameNotAllowed,
			fmt.Sprintf("Unauthorized action: %s. The action is not allowed.", e.action.ID()))
	}
	return nil
}

func (e *execution) key(it *iteration) *string {
	if !e.each {
		return nil
	}
	return &it.key
}

// perform calls the action for each iteration that an earlier run has not
// ended.
func (e *execution) perform(ctx context.Context, iterations []*iteration) error {
	if err := e.begin(); err != nil {
		return err
	}
	defer e.host.close()
	for i, it := range iterations {
		if i < e.rec.Done {
			continue
		}
		if err := e.guard(ctx, i); err != nil {
			return err
		}
		if err := e.call(ctx, it); err != nil {
			return err
		}
		if e.each && i < len(iterations)-1 {
			e.progress(i + 1)
		}
	}
	return nil
}

// begin makes what the action gets, and records that it runs if it must not do
// so twice.
func (e *execution) begin() error {
	e.host = &host{execution: e, outputs: jsonvalue.NewObject()}
	if e.rec.Output != nil && e.rec.Status == scaffolder.Processing {
		var err error
		if e.host.outputs, err = jsonvalue.ParseObject(e.rec.Output); err != nil {
			return fmt.Errorf("record of step %s: %w", e.step.ID(), err)
		}
	}
	e.progress(e.rec.Done)
	return nil
}

// progress records how many iterations have ended.
func (e *execution) progress(done int) {
	e.task.Journal.Step(store.StepRecord{Index: e.index, Status: scaffolder.Processing, Done: done,
		Repeatable: e.action.Repeatable(), Output: e.host.json(), At: e.Now()}, nil)
}

// guard makes the workspace one that can be set back to how it is now. What
// changed it before is stored first, and also that an action runs which must
// not run twice.
func (e *execution) guard(ctx context.Context, iteration int) error {
	if e.task.DryRun {
		return nil // it begins anew in any case
	}
	if e.task.Workspace.Changed() || !e.action.Repeatable() {
		if err := e.sync(ctx); err != nil {
			e.lost = err
			return err
		}
	}
	return e.task.Workspace.Guard(guardKey(e.index, iteration))
}

// call runs the action once.
func (e *execution) call(ctx context.Context, it *iteration) error {
	if e.each {
		verb := "Running"
		if it.skipped {
			verb = "Skipping"
		}
		e.logger().Info(verb + " step each: " + string(jsonvalue.Append(nil, jsonvalue.NewObject(
			jsonvalue.Member{Key: "key", Value: it.key}, jsonvalue.Member{Key: "value", Value: text(it.value)}))))
	}
	if it.skipped {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := e.protected(ctx, it)
	e.host.flush()
	if err == nil && isCancelled(ctx) {
		err = ErrCancelled
	}
	return errors.Join(err, e.host.err())
}

// protected runs the action and makes an error of a panic, which is a fault of
// the action and not of the task.
func (e *execution) protected(ctx context.Context, it *iteration) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			e.Log.ErrorContext(ctx, "an action panicked", slog.String("task_id", e.task.ID), slog.String("action", e.action.ID()),
				slog.String("panic", e.masker.Text(fmt.Sprint(fault))), slog.String("stack", string(debug.Stack())))
			err = catalog.NewError(catalog.NameError, "The action "+e.action.ID()+" has a fault of its own. The log of the server says more")
		}
	}()
	return e.action.Run(ctx, e.actionContext(it), it.input)
}

func (e *execution) actionContext(it *iteration) *action.Context {
	spec := e.task.Spec
	return &action.Context{
		TaskID: e.task.ID, Step: action.Step{ID: e.step.ID(), Name: e.step.Name()}, Each: e.key(it),
		DryRun: e.task.DryRun, Log: e.logger(), Workspace: e.task.Workspace, Secrets: e.task.Secrets,
		Initiator: e.initiator(),
		Template:  action.TemplateInfo{EntityRef: spec.TemplateRef(), BaseURL: spec.BaseURL(), Metadata: spec.TemplateMetadata()},
		Host:      e.host,
	}
}

// finish publishes the output and records the end.
func (e *execution) finish(ctx context.Context) error {
	if isCancelled(ctx) {
		return ErrCancelled
	}
	if err := e.publish(e.step.ID(), e.host.outputs); err != nil {
		return err
	}
	e.record(e.index, scaffolder.Completed, 0, e.host.json(),
		scaffolder.LogBody("Finished step "+e.step.Name(), e.step.ID(), scaffolder.Completed))
	e.observe(e.step, "ok", e.started)
	return nil
}

// failed records that the step failed, and why.
func (e *execution) failed(err error) {
	if e.failure != nil {
		e.line(e.step.ID(), scaffolder.Failed, "Additional error occurred: "+err.Error())
	}
	body := scaffolder.LogBody(e.masker.Text(e.explain(err)), e.step.ID(), scaffolder.Failed)
	err = e.masked(err)
	e.fail(err)
	e.record(e.index, scaffolder.Failed, 0, errorJSON(err), body)
	e.observe(e.step, "failed", e.started)
}
