package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// An attempt is one run of a task.
type attempt struct {
	*Engine
	task    scaffolder.Task
	spec    scaffolder.Spec
	secrets secrets
	before  []store.StepRecord
	started time.Time
	// used: the workspace is not as it was in the beginning.
	used bool

	mu        sync.Mutex
	failure   error     // of the journal
	heartbeat time.Time // that was stored last
}

// runTask takes a task through its steps and stores how it ended. What goes
// wrong with the engine itself is logged; the task then goes on after the next
// start.
func (e *Engine) runTask(ctx context.Context, id string) {
	a := &attempt{Engine: e, started: e.now()}
	if err := a.load(id); err != nil {
		e.Log.Error("a task cannot be read", slog.String("task_id", id), slog.String("error", err.Error()))
		return
	}
	result, err := a.traced(ctx)
	if err == nil && result.Stopped {
		e.Log.Info("task stopped, it goes on after the next start", slog.String("task_id", id))
		return
	}
	if err == nil {
		err = a.end(ctx, result)
	}
	if err != nil {
		e.Log.Error("a task came to no end, it goes on after the next start",
			slog.String("task_id", id), slog.String("error", err.Error()))
	}
}

func (a *attempt) load(id string) error {
	return a.Store.View(func(tx store.ReadTx) error {
		var err error
		if a.task, err = tx.Task(id); err != nil {
			return err
		}
		spec, err := tx.Spec(id)
		if err != nil {
			return err
		}
		if a.spec.Object, err = jsonvalue.ParseObject(spec); err != nil {
			return fmt.Errorf("spec: %w", err)
		}
		sealed, err := tx.Secrets(id)
		if err != nil {
			return err
		}
		if a.secrets, err = a.vault.open(id, sealed); err != nil {
			// The task fails where it needs one of them.
			a.Engine.Log.Error("secrets are lost", slog.String("task_id", id), slog.String("error", err.Error()))
		}
		a.before, err = tx.Steps(id)
		return err
	})
}

// traced runs the task, as a span if anybody looks at those.
func (a *attempt) traced(ctx context.Context) (runner.Result, error) {
	if a.Runner.Trace == nil {
		return a.run(ctx)
	}
	ctx, end := a.Runner.Trace(ctx, "task", "scaffolder.task.id", a.task.ID, "scaffolder.task.template", a.task.TemplateRef,
		"scaffolder.task.created_by", a.task.CreatedBy)
	result, err := a.run(ctx)
	end(errors.Join(err, result.Err))
	return result, err
}

// run claims the task, opens its workspace and hands both to the runner.
func (a *attempt) run(ctx context.Context) (runner.Result, error) {
	a.task.Status, a.task.Heartbeat = scaffolder.Processing, a.started
	a.heartbeat = a.started
	a.write(func(tx store.WriteTx) error {
		_, err := tx.PutTask(a.task)
		return err
	})
	a.audit(false, nil)
	a.tellRun(a.task, a.spec.Object)
	dir := filepath.Join(a.Workspaces, a.task.ID)
	if err := workspace.Restore(dir, runner.GuardKey(a.before)); err != nil {
		return runner.Result{Err: workspaceError(err)}, nil
	}
	ws, err := workspace.Open(dir, workspace.Options{Quota: a.Quota})
	if err != nil {
		return runner.Result{Err: workspaceError(err)}, nil
	}
	result, err := a.runner.Run(ctx, runner.Task{ID: a.task.ID, Spec: a.spec, Secrets: a.secrets.Secrets,
		Credentials: a.secrets.Credentials, Workspace: ws, Journal: a, Before: a.before, Stopping: a.stopping})
	a.used = ws.Used() > 0 || ws.Changed()
	return result, errors.Join(err, ws.Close())
}

func workspaceError(err error) error {
	return catalog.NewError(catalog.NameError, "The workspace of the task cannot be opened: "+err.Error()+
		". See that the folder of workspaces can be written to, and retry the task")
}

// end removes the workspace and stores how the task ended: when it is seen to
// have ended, nothing of it is left. Ended in between, the task comes to the
// same end after the next start, as all its steps have recorded ends.
func (a *attempt) end(ctx context.Context, r runner.Result) error {
	body, status := []byte(nil), scaffolder.Completed
	if r.Err != nil {
		status = scaffolder.Failed
		body = scaffolder.FailedBody(namedError(r.Err))
	} else {
		body = scaffolder.CompletedBody(r.Output)
	}
	if a.used { // the ends of the steps must not be lost with it
		if err := a.Sync(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	a.removeWorkspace(a.task.ID)
	var ended scaffolder.Task
	err := a.journal.commit(context.WithoutCancel(ctx), a.task.ID, func(tx store.WriteTx) error {
		if err := a.failed(); err != nil {
			return err // a task whose log has a hole has not come to its end
		}
		t, err := tx.Task(a.task.ID)
		if err != nil {
			return err
		}
		t.Status, t.Heartbeat = status, a.now()
		if ended, err = tx.PutTask(t); err != nil {
			return err
		}
		_, err = tx.Append(scaffolder.Event{TaskID: t.ID, Type: scaffolder.EventCompletion, CreatedAt: t.Heartbeat, Body: body})
		return errors.Join(err, tx.PutSecrets(t.ID, nil), tx.ClearSteps(t.ID))
	})
	if err != nil {
		return err
	}
	a.metrics.task(a.task.TemplateRef, r.Err, a.now().Sub(a.started))
	a.audit(true, r.Err)
	a.tellRun(ended, nil)
	return nil
}

// namedError returns an error as events show it.
func namedError(err error) *catalog.Error {
	var e *catalog.Error
	if errors.As(err, &e) {
		return e
	}
	return catalog.NewError(catalog.ErrorName(err), err.Error())
}

func (e *Engine) removeWorkspace(id string) {
	if err := workspace.Remove(filepath.Join(e.Workspaces, id)); err != nil {
		e.Log.Warn("a workspace remains", slog.String("task_id", id), slog.String("error", err.Error()))
	}
}

// write hands something to the journal, and keeps what comes of it for Sync.
func (a *attempt) write(fn func(store.WriteTx) error) {
	a.journal.post(&entry{task: a.task.ID, write: fn, done: func(err error) {
		if err != nil {
			a.mu.Lock()
			a.failure = errors.Join(a.failure, err)
			a.mu.Unlock()
		}
	}})
}

// Log implements runner.Journal.
func (a *attempt) Log(body []byte) {
	at := a.now()
	a.write(func(tx store.WriteTx) error {
		_, err := tx.Append(scaffolder.Event{TaskID: a.task.ID, Type: scaffolder.EventLog, CreatedAt: at, Body: body})
		return err
	})
}

// Step implements runner.Journal.
func (a *attempt) Step(r store.StepRecord, body []byte) {
	at := a.now()
	a.write(func(tx store.WriteTx) error {
		if err := tx.PutStep(a.task.ID, r); err != nil {
			return err
		}
		if err := a.beat(tx, at); err != nil || body == nil {
			return err
		}
		_, err := tx.Append(scaffolder.Event{TaskID: a.task.ID, Type: scaffolder.EventLog, CreatedAt: at, Body: body})
		return err
	})
}

// beat says that the task makes progress, at most once a second.
func (a *attempt) beat(tx store.WriteTx, at time.Time) error {
	a.mu.Lock()
	due := at.Sub(a.heartbeat) >= time.Second
	if due {
		a.heartbeat = at
	}
	a.mu.Unlock()
	if !due {
		return nil
	}
	t, err := tx.Task(a.task.ID)
	if err != nil {
		return err
	}
	t.Heartbeat = at
	_, err = tx.PutTask(t)
	return err
}

// Sync implements runner.Journal.
func (a *attempt) Sync(ctx context.Context) error {
	err := a.journal.commit(ctx, "", nil)
	return errors.Join(a.failed(), err)
}

// failed returns what could not be written.
func (a *attempt) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure
}

// Checkpoint implements runner.Journal.
func (a *attempt) Checkpoint(key string) (value []byte, ok bool, err error) {
	err = a.Store.View(func(tx store.ReadTx) error {
		value, ok, err = tx.Checkpoint(a.task.ID, key)
		return err
	})
	return value, ok, err
}

// PutCheckpoint implements runner.Journal.
func (a *attempt) PutCheckpoint(ctx context.Context, key string, value []byte) error {
	return a.journal.commit(ctx, a.task.ID, func(tx store.WriteTx) error {
		return tx.PutCheckpoint(a.task.ID, key, value)
	})
}

var _ runner.Journal = (*attempt)(nil)

// audit tells that the task begins to run, or how that ended.
func (a *attempt) audit(ended bool, err error) {
	if a.Engine.Audit == nil {
		return
	}
	a.Engine.Audit(Execution{
		TaskID: a.task.ID, TemplateRef: a.task.TemplateRef, CreatedBy: a.task.CreatedBy,
		Parameters: string(jsonvalue.Append(nil, a.shortened(a.spec.Parameters()))), Ended: ended, Err: err,
	})
}

// shortened cuts long texts in parameters.
func (e *Engine) shortened(v any) any {
	switch v := v.(type) {
	case string:
		if runes := []rune(v); e.ParameterLength >= 0 && len(runes) > e.ParameterLength {
			return string(runes[:e.ParameterLength]) + "...<truncated>"
		}
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = e.shortened(x)
		}
		return out
	case *jsonvalue.Object:
		out := jsonvalue.NewObject()
		for k, x := range v.All() {
			out.Set(k, e.shortened(x))
		}
		return out
	}
	return v
}
