package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/stretchr/testify/require"
)

// A shutdown lets the step that runs end; the task goes on at the next one.
func TestShutdownLetsStepsEnd(t *testing.T) {
	h := open(t, nil)
	gate, reached := h.gate("g")
	id := h.create(job{steps: `[{"id":"a","action":"test:write","input":{"name":"x","value":"kept"}},
		{"id":"b","action":"test:wait-once","input":{"name":"g"}},{"id":"c","action":"test:read","input":{"name":"x"}}]`,
		more: `"output":{"content":"${{ steps.c.output.content }}"}`})
	within(t, reached, "the step")
	stopped := make(chan error, 1)
	go func() { stopped <- h.engine.Shutdown(t.Context()) }()
	within(t, h.engine.Stopping(), "the shutdown")
	close(gate)
	require.NoError(t, within(t, stopped, "the end of the shutdown"))
	task, _, err := h.engine.Task(id)
	require.NoError(t, err)
	require.Equal(t, scaffolder.Processing, task.Status)
	_, err = h.engine.Create(t.Context(), engine.Request{Spec: h.spec(job{steps: `[]`})})
	require.ErrorContains(t, err, "shutting down")
	require.NoError(t, h.db.Close())

	h.start()
	require.Equal(t, scaffolder.Completed, h.ended(id))
	require.Equal(t, []string{"waited g"}, h.allCalls(), "the step that ended does not run again")
	require.Contains(t, h.lines(id), "recovered:  \"none\"")
	require.Contains(t, h.lines(id), "log: Task recovered - resuming from last known good state. 2 step(s) already completed.")
	require.Contains(t, h.lines(id), "log b completed: Skipping step b because it was already completed in a previous run")
	require.Contains(t, h.lines(id), `completion: Run completed with status: completed {"content":"kept"}`)
}

// When the time for a shutdown is over, steps are broken off. One that may run
// twice does; another one waits for somebody.
func TestShutdownBreaksOff(t *testing.T) {
	for _, c := range []struct {
		name, action string
		want         scaffolder.Status
		held         bool
	}{
		{"may run twice", "test:wait", scaffolder.Completed, false},
		{"must not run twice", "test:wait-once", scaffolder.Failed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, nil)
			gate, reached := h.gate("g")
			id := h.create(job{steps: `[{"id":"a","action":"test:write","input":{"name":"x","value":"kept"}},
				{"id":"b","name":"B","action":"` + c.action + `","input":{"name":"g"}},{"id":"c","action":"test:read","input":{"name":"x"}}]`,
				secrets: map[string]string{"token": "t0ken"}})
			within(t, reached, "the step")
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorContains(t, h.engine.Shutdown(ctx), "1 task(s) were broken off in a step")
			require.NoError(t, h.db.Close())
			close(gate)

			h.start()
			require.Equal(t, c.want, h.ended(id))
			task, _, err := h.engine.Task(id)
			require.NoError(t, err)
			require.Equal(t, c.held, task.Held)
			if !c.held {
				return
			}
			require.Empty(t, h.allCalls())
			last := h.lines(id)
			require.Contains(t, last[len(last)-2], "log b failed: InterruptedError: Step b (B) was running when the server ended.")
			require.Contains(t, last[len(last)-1], `{"name":"InterruptedError"`)
			require.Contains(t, h.workspaces(), id, "the workspace waits with the task")

			h.stop()
			h.start()
			require.Contains(t, h.workspaces(), id, "also over another restart")
			require.NoError(t, h.engine.Retry(t.Context(), id, engine.Request{}))
			require.Equal(t, scaffolder.Completed, h.ended(id))
			require.Equal(t, []string{"waited g"}, h.allCalls())
			require.Contains(t, h.lines(id), "log a completed: Skipping step a because it was already completed in a previous run")
			require.Empty(t, h.workspaces())
		})
	}
}

// A task that nobody retries is given up in the end, and one that is cancelled
// at once.
func TestInterruptedTasksAreGivenUp(t *testing.T) {
	var seconds atomic.Int64
	h := open(t, func(o *engine.Options) {
		o.KeepInterrupted = time.Nanosecond
		o.Now = func() time.Time { return time.Unix(1_800_000_000+seconds.Add(1), 0) }
	})
	h.interrupt()
	id := h.interrupt()
	require.NoError(t, h.engine.Cancel(t.Context(), id))
	require.NotContains(t, h.workspaces(), id)
	require.Eventually(t, func() bool { return len(h.workspaces()) == 0 }, patience, 10*time.Millisecond, "the sweep removes the other one")
}

// interrupt leaves a task behind that waits for a retry.
func (h *house) interrupt() string {
	h.t.Helper()
	_, reached := h.gate("i")
	id := h.create(job{steps: `[{"id":"b","action":"test:wait-once","input":{"name":"i"}}]`})
	within(h.t, reached, "the step")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.Error(h.t, h.engine.Shutdown(ctx))
	require.NoError(h.t, h.db.Close())
	h.start()
	require.Equal(h.t, scaffolder.Failed, h.ended(id))
	return id
}

func TestTasksBeginInOrder(t *testing.T) {
	h := open(t, func(o *engine.Options) { o.Concurrency = 1 })
	gate, reached := h.gate("g")
	h.create(job{steps: `[{"id":"a","action":"test:wait","input":{"name":"g"}}]`})
	within(t, reached, "the first task")
	var ids, want []string
	want = append(want, "waited g")
	for i := range 1000 {
		name := fmt.Sprint(i)
		ids = append(ids, h.create(job{steps: `[{"action":"test:call","input":{"name":"` + name + `"}}]`, ref: fmt.Sprintf("template:default/t%d", i%7)}))
		want = append(want, name)
	}
	close(gate)
	for _, id := range ids {
		require.Equal(t, scaffolder.Completed, h.ended(id))
	}
	require.Equal(t, want, h.allCalls(), "a thousand waiting tasks start in order")
}

func TestLimitsOnConcurrency(t *testing.T) {
	h := open(t, func(o *engine.Options) { o.Concurrency, o.PerTemplate = 3, 2 })
	gate, reached := h.gate("g")
	wait := `[{"action":"test:wait","input":{"name":"g"}}]`
	var ids []string
	for range 3 {
		ids = append(ids, h.create(job{steps: wait, ref: "template:default/busy"}))
	}
	within(t, reached, "the first of the busy template")
	within(t, reached, "the second")
	require.Len(t, reached, 0, "the third waits, as two of its template run")
	ids = append(ids, h.create(job{steps: wait, ref: "template:default/other"}))
	within(t, reached, "one of another template goes ahead")
	ids = append(ids, h.create(job{steps: wait, ref: "template:default/third"}))
	task, _, err := h.engine.Task(ids[4])
	require.NoError(t, err)
	require.Equal(t, scaffolder.Open, task.Status, "three run in all")
	close(gate)
	for _, id := range ids {
		require.Equal(t, scaffolder.Completed, h.ended(id))
	}
}

func TestTooManyWaitingTasks(t *testing.T) {
	h := open(t, func(o *engine.Options) { o.Concurrency, o.MaxWaiting = -1, 2 })
	h.create(job{steps: `[]`})
	h.create(job{steps: `[]`})
	_, err := h.engine.Create(t.Context(), engine.Request{Spec: h.spec(job{steps: `[]`})})
	require.ErrorContains(t, err, "2 tasks are waiting already")
}

// Tasks that were taken in but never began begin after a restart, in order.
func TestWaitingTasksOutliveTheProcess(t *testing.T) {
	concurrency := -1
	h := open(t, func(o *engine.Options) { o.Concurrency = concurrency })
	var ids []string
	for i := range 3 {
		ids = append(ids, h.create(job{steps: `[{"action":"test:call","input":{"name":"` + fmt.Sprint(i) + `"}}]`}))
	}
	h.stop()
	concurrency = 1
	h.start()
	for _, id := range ids {
		require.Equal(t, scaffolder.Completed, h.ended(id))
		require.NotContains(t, strings.Join(h.lines(id), "\n"), "recovered", "it was never begun")
	}
	require.Equal(t, []string{"0", "1", "2"}, h.allCalls())
}

// What an earlier process left in the folder of workspaces is removed.
func TestStrangersInTheFolderOfWorkspaces(t *testing.T) {
	h := open(t, nil)
	h.stop()
	for _, name := range []string{"dry-run-1", "11111111-1111-1111-1111-111111111111", "x_step-a-000001", "y_before-1"} {
		require.NoError(t, os.MkdirAll(filepath.Join(h.dir, "workspaces", name, "sub"), 0o700))
	}
	h.start()
	require.Empty(t, h.workspaces())
}

// A retry of a template that starts over makes those who watch forget.
func TestStartOver(t *testing.T) {
	h := open(t, nil)
	id := h.create(job{steps: `[{"id":"a","action":"test:fail"}]`, more: `"EXPERIMENTAL_recovery":{"EXPERIMENTAL_strategy":"startOver"}`})
	h.ended(id)
	before, err := h.engine.Events(id, 0)
	require.NoError(t, err)
	require.NoError(t, h.engine.Retry(t.Context(), id, engine.Request{}))
	h.ended(id)
	after, err := h.engine.Events(id, 0)
	require.NoError(t, err)
	require.Equal(t, scaffolder.EventRecovered, after[0].Type)
	require.Greater(t, after[0].ID, before[len(before)-1].ID, "what was before is not shown")
	tail, err := h.engine.Events(id, after[len(after)-1].ID)
	require.NoError(t, err)
	require.Len(t, tail, 1)
	require.Equal(t, scaffolder.EventCompletion, tail[0].Type, "a completion is shown whatever comes after")
}

// A store that fails makes no task end, and nothing is reported that is not
// stored.
func TestEngineSurvivesAFaultyAction(t *testing.T) {
	h := open(t, nil)
	status, log := h.run(job{steps: `[{"id":"a","action":"test:panic"},{"id":"b","action":"test:call","if":"${{ failure() }}","input":{"name":"b"}}]`})
	require.Equal(t, scaffolder.Failed, status)
	require.Contains(t, log, "log a failed: Error: The action test:panic has a fault of its own. The log of the server says more")
	require.Contains(t, h.log.String(), "an action panicked")
	require.Equal(t, []string{"b"}, h.allCalls())
}

func TestQuery(t *testing.T) {
	h := open(t, nil)
	var ids []string
	for i := range 5 {
		steps := `[]`
		if i%2 == 1 {
			steps = `[{"action":"test:fail"}]`
		}
		ids = append(ids, h.create(job{steps: steps}))
		h.ended(ids[i])
	}
	for _, c := range []struct {
		name  string
		query engine.Query
		want  []int
		total int
	}{
		{"all, the newest first", engine.Query{Limit: -1}, []int{4, 3, 2, 1, 0}, 5},
		{"a page", engine.Query{Limit: 2, Offset: 1}, []int{3, 2}, 5},
		{"beyond the end", engine.Query{Limit: 2, Offset: 9}, nil, 5},
		{"none at all", engine.Query{Limit: 0}, nil, 5},
		{"by state", engine.Query{Limit: -1, Status: []scaffolder.Status{scaffolder.Failed}}, []int{3, 1}, 2},
		{"a state that there is not", engine.Query{Limit: -1, Status: []scaffolder.Status{"lost"}}, nil, 0},
		{"by creator", engine.Query{Limit: -1, CreatedBy: []string{"user:default/nobody"}}, nil, 0},
		{"the oldest first", engine.Query{Limit: 2, Order: []engine.Order{{Field: "created_at"}}}, []int{0, 1}, 5},
		{"by state, then by age", engine.Query{Limit: 3, Order: []engine.Order{{Field: "status", Descending: true}, {Field: "created_at"}}}, []int{1, 3, 0}, 5},
		{"what may be seen", engine.Query{Limit: -1, Visible: func(t scaffolder.Task) bool { return t.Number > 3 }}, []int{4, 3}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			page, total, err := h.engine.Tasks(c.query)
			require.NoError(t, err)
			require.Equal(t, c.total, total)
			var got []string
			for _, l := range page {
				got = append(got, l.ID)
				require.NotEmpty(t, l.Spec)
			}
			var want []string
			for _, i := range c.want {
				want = append(want, ids[i])
			}
			require.Equal(t, want, got)
		})
	}
	_, _, err := h.engine.Task("nope")
	require.ErrorContains(t, err, "No task with id 'nope' found")
	_, err = h.engine.Events("00000000-0000-0000-0000-000000000000", 0)
	require.ErrorContains(t, err, "No task with id")
}
