package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// Start takes up the tasks that have not ended, and lets new ones run. It is
// called once.
func (e *Engine) Start(ctx context.Context) error {
	unfinished, err := e.loadUnfinished()
	if err != nil {
		return fmt.Errorf("read unfinished tasks: %w", err)
	}
	if err := e.removeStrangers(unfinished); err != nil {
		return fmt.Errorf("tidy the folder of workspaces: %w", err)
	}
	for _, t := range unfinished {
		if t.Status != scaffolder.Processing {
			e.admit(t)
			continue
		}
		held, err := e.recover(ctx, t)
		if err != nil {
			return fmt.Errorf("take up task %s: %w", t.ID, err)
		}
		if !held {
			e.admit(t)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweeper = time.AfterFunc(e.sweepEvery(), e.sweep)
	e.dispatch()
	return nil
}

func (e *Engine) admit(t scaffolder.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue.push(ticket{id: t.ID, template: t.TemplateRef, turn: t.Turn})
}

// loadUnfinished returns what is to run, and finds out which tasks are held.
func (e *Engine) loadUnfinished() ([]scaffolder.Task, error) {
	var unfinished []scaffolder.Task
	err := e.Store.View(func(tx store.ReadTx) error {
		err := tx.Unfinished(func(t scaffolder.Task) bool {
			unfinished = append(unfinished, t)
			return true
		})
		return errors.Join(err, tx.Tasks(false, func(t scaffolder.Task) bool {
			if t.Held {
				e.held[t.ID] = t.Heartbeat
			}
			return true
		}))
	})
	return unfinished, err
}

// removeStrangers removes what is in the folder of workspaces and belongs to no
// task that needs it: temporary folders, dry-runs, and workspaces of tasks that
// ended just before the process did.
func (e *Engine) removeStrangers(unfinished []scaffolder.Task) error {
	needed := map[string]bool{}
	for _, t := range unfinished {
		needed[t.ID] = true
	}
	for id := range e.held {
		needed[id] = true
	}
	entries, err := os.ReadDir(e.Workspaces)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		id, rest, temporary := strings.Cut(entry.Name(), "_step-")
		if !temporary {
			id, _, _ = strings.Cut(entry.Name(), "_")
		}
		if needed[id] && !temporary {
			continue
		}
		if err := workspace.Remove(filepath.Join(e.Workspaces, entry.Name())); err != nil {
			return fmt.Errorf("remove %s%s: %w", id, rest, err)
		}
	}
	return nil
}

// recover takes up a task that was running when the process ended: it is to run
// on, or it is held.
func (e *Engine) recover(ctx context.Context, t scaffolder.Task) (held bool, err error) {
	var event scaffolder.Event
	err = e.journal.commit(ctx, t.ID, func(tx store.WriteTx) error {
		records, err := tx.Steps(t.ID)
		if err != nil {
			return err
		}
		last := len(records) - 1
		held = last >= 0 && records[last].Status == scaffolder.Processing && !records[last].Repeatable
		if held {
			return e.hold(tx, t, records[last])
		}
		t.Status = scaffolder.Open
		if _, err := tx.PutTask(t); err != nil {
			return err
		}
		event, err = e.appendRecovered(tx, t)
		return err
	})
	if err == nil && !held {
		e.tellEvent(event, "recovered")
	}
	if held && err == nil {
		e.mu.Lock()
		e.held[t.ID] = e.now()
		e.mu.Unlock()
		e.Log.Warn("a task was interrupted in a step that must not run twice, it waits for a retry", slog.String("task_id", t.ID))
	}
	return held, err
}

// hold makes an interrupted task fail, in a way that a retry can go on.
func (e *Engine) hold(tx store.WriteTx, t scaffolder.Task, r store.StepRecord) error {
	data, err := tx.Spec(t.ID)
	if err != nil {
		return err
	}
	spec, err := jsonvalue.ParseObject(data)
	if err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	var step scaffolder.Step
	if steps := (scaffolder.Spec{Object: spec}).Steps(); r.Index < len(steps) {
		step = steps[r.Index]
	}
	fault := catalog.NewError(scaffolder.NameInterrupted, fmt.Sprintf(
		"Step %s (%s) was running when the server ended. %s does not say whether it may run twice, so the task waits. "+
			"See what the step has done, and undo it if need be; then retry the task, and it goes on with this step",
		step.ID(), step.Name(), step.Action()))
	t.Status, t.Held, t.Heartbeat = scaffolder.Failed, true, e.now()
	if _, err := tx.PutTask(t); err != nil {
		return err
	}
	for _, event := range []scaffolder.Event{
		{Type: scaffolder.EventLog, Body: scaffolder.LogBody(catalog.Describe(fault), step.ID(), scaffolder.Failed)},
		{Type: scaffolder.EventCompletion, Body: scaffolder.FailedBody(fault)},
	} {
		event.TaskID, event.CreatedAt = t.ID, t.Heartbeat
		if _, err := tx.Append(event); err != nil {
			return err
		}
	}
	return tx.PutSecrets(t.ID, nil)
}

// release forgets an interrupted task: nobody will retry it.
func (e *Engine) release(id string) {
	e.mu.Lock()
	delete(e.held, id)
	e.mu.Unlock()
	e.removeWorkspace(id)
}

// sweepEvery is how often interrupted tasks are looked through.
func (e *Engine) sweepEvery() time.Duration {
	return max(min(e.KeepInterrupted/4, 5*time.Minute), time.Second)
}

// sweep gives up interrupted tasks that nobody has retried for long.
func (e *Engine) sweep() {
	e.mu.Lock()
	var overdue []string
	for id, since := range e.held {
		if e.now().Sub(since) > e.KeepInterrupted {
			overdue = append(overdue, id)
		}
	}
	e.mu.Unlock()
	for _, id := range overdue {
		if err := e.giveUp(id); err != nil {
			e.Log.Error("an interrupted task cannot be given up", slog.String("task_id", id), slog.String("error", err.Error()))
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stopped {
		e.sweeper.Reset(e.sweepEvery())
	}
}

func (e *Engine) giveUp(id string) error {
	gone := false
	err := e.journal.commit(context.Background(), id, func(tx store.WriteTx) error {
		t, err := tx.Task(id)
		if err != nil || !t.Held {
			return err // retried in the meantime
		}
		t.Held, gone = false, true
		if _, err := tx.PutTask(t); err != nil {
			return err
		}
		return tx.ClearSteps(id)
	})
	if err == nil && gone {
		e.release(id)
	}
	return err
}

// Shutdown ends the engine: nothing new begins, steps that run may end until
// ctx does, and then they are broken off. Tasks that have not ended go on after
// the next start. It returns once nothing runs and all is stored; the error
// says that steps were broken off.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	if !e.stopped {
		e.stopped = true
		close(e.stopping)
		if e.sweeper != nil {
			e.sweeper.Stop()
		}
	}
	e.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.tasks.Wait()
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = e.breakOff()
		<-ended
	}
	e.journal.close()
	return err
}

func (e *Engine) breakOff() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range e.active {
		a.cancel(runner.ErrStopped)
	}
	if len(e.active) == 0 {
		return nil
	}
	return fmt.Errorf("%d task(s) were broken off in a step", len(e.active))
}
