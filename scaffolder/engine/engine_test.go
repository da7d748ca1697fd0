package engine_test

import (
	"testing"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/stretchr/testify/require"
)

func TestATaskRunsItsSteps(t *testing.T) {
	h := open(t, nil)
	status, log := h.run(job{
		steps: `[
			{"id":"first","name":"First","action":"test:call","input":{"name":"${{ parameters.name }}","value":"${{ parameters.list }}"}},
			{"id":"never","action":"test:call","if":"${{ parameters.nothing }}"},
			{"id":"many","action":"test:call","each":"${{ steps.first.output.value }}","if":"${{ each.value != 'b' }}","input":{"name":"${{ each.key }}${{ each.value }}","value":"${{ each.value }}"}},
			{"action":"test:call","input":{"name":"${{ user.ref }}"}}]`,
		more:   `"output":{"all":"${{ steps.many.output.value }}","links":[{"if":"${{ parameters.nothing }}","url":"x"},{"if":true,"url":"${{ parameters.name }}"}]}`,
		values: `{"name":"n","list":["a","b","c"]}`,
	})
	require.Equal(t, scaffolder.Completed, status)
	require.Equal(t, []string{
		"log: Starting up task with 4 steps",
		"log first processing: Beginning step First",
		"log first: info: called n",
		"log first completed: Finished step First",
		"log never processing: Beginning step test:call",
		"log never skipped: Skipping step never because its if condition was false",
		"log many processing: Beginning step test:call",
		`log many: info: Running step each: {"key":"0","value":"a"}`,
		"log many: info: called 0a",
		`log many: info: Skipping step each: {"key":"1","value":"b"}`,
		`log many: info: Running step each: {"key":"2","value":"c"}`,
		"log many: info: called 2c",
		"log many completed: Finished step test:call",
		"log step-4 processing: Beginning step test:call",
		"log step-4: info: called user:default/guest",
		"log step-4 completed: Finished step test:call",
		`completion: Run completed with status: completed {"all":["a","c"],"links":[{"url":"n"}]}`,
	}, log)
	require.Empty(t, h.workspaces(), "a workspace is gone when its task is")
}

func TestAFailureSkipsWhatComesAfter(t *testing.T) {
	h := open(t, nil)
	status, log := h.run(job{steps: `[
		{"id":"a","action":"test:fail","input":{"name":"x"}},
		{"id":"b","action":"test:call"},
		{"id":"c","action":"test:call","if":"${{ always() }}","input":{"name":"c"}},
		{"id":"d","action":"test:call","if":"${{ failure() and parameters.no }}"},
		{"id":"e","action":"test:fail","if":"${{ failure() }}"},
		{"id":"f","action":"test:call","if":true}]`})
	require.Equal(t, scaffolder.Failed, status)
	require.Equal(t, []string{
		"log: Starting up task with 6 steps",
		"log a processing: Beginning step test:fail",
		"log a failed: InputError: it failed: x",
		"log b skipped: Skipping step b because a previous step failed",
		"log c processing: Beginning step test:call",
		"log c: info: called c",
		"log c completed: Finished step test:call",
		"log d processing: Beginning step test:call",
		"log d skipped: Skipping step d because its if condition was false",
		"log e processing: Beginning step test:fail",
		"log e failed: Additional error occurred: it failed: ",
		"log e failed: InputError: it failed: ",
		"log f skipped: Skipping step f because a previous step failed",
		`completion: Run completed with status: failed {"name":"InputError","message":"it failed: x"}`,
	}, log)
}

func TestCancel(t *testing.T) {
	h := open(t, nil)
	_, reached := h.gate("g")
	id := h.create(job{steps: `[{"id":"a","name":"A","action":"test:wait","input":{"name":"g"}},{"id":"b","action":"test:call","if":"${{ always() }}"}]`,
		secrets: map[string]string{"token": "hush-hush"}})
	within(t, reached, "the step")
	require.NoError(t, h.engine.Cancel(t.Context(), id))
	require.Equal(t, scaffolder.Failed, h.ended(id))
	require.Equal(t, []string{
		"log: Starting up task with 2 steps",
		"log a processing: Beginning step A",
		"cancelled a cancelled: Step a has been cancelled.",
		"log a failed: Error: Step a (A) of task " + id + " has been cancelled.",
		"log b skipped: Skipping step b because a previous step failed",
		`completion: Run completed with status: failed {"name":"Error","message":"Step a (A) of task ` + id + ` has been cancelled."}`,
	}, h.lines(id))
	require.NoError(t, h.engine.Cancel(t.Context(), id), "cancelling what has ended is no error")
	require.ErrorContains(t, h.engine.Cancel(t.Context(), "00000000-0000-0000-0000-000000000000"), "No task with id")
}

func TestCancelWhileWaiting(t *testing.T) {
	h := open(t, func(o *engine.Options) { o.Concurrency = 1 })
	_, reached := h.gate("g")
	h.create(job{steps: `[{"id":"a","action":"test:wait","input":{"name":"g"}}]`})
	within(t, reached, "the first task")
	id := h.create(job{steps: `[{"id":"b","name":"B","action":"test:call"}]`})
	require.NoError(t, h.engine.Cancel(t.Context(), id))
	require.Equal(t, scaffolder.Failed, h.ended(id), "it does not wait for a turn to end")
	require.Empty(t, h.allCalls())
	require.Contains(t, h.lines(id), "cancelled cancelled: Step 0 has been cancelled.")
}

func TestRetry(t *testing.T) {
	h := open(t, nil)
	j := job{steps: `[{"id":"a","action":"test:checkpoint","input":{"name":"k"}},{"id":"b","action":"test:call","input":{"name":"b"}},{"id":"f","action":"test:fail"}]`}
	id := h.create(j)
	require.Equal(t, scaffolder.Failed, h.ended(id))
	require.NoError(t, h.engine.Retry(t.Context(), id, engine.Request{}))
	require.Equal(t, scaffolder.Failed, h.ended(id))
	require.Equal(t, []string{"checkpoint k", "b", "b"}, h.allCalls(), "steps begin anew, and what a checkpoint holds is not done twice")
	completions := 0
	for _, line := range h.lines(id) {
		if len(line) > 10 && line[:10] == "completion" {
			completions++
		}
	}
	require.Equal(t, 1, completions, "that of the first attempt is dropped")

	_, reached := h.gate("g")
	running := h.create(job{steps: `[{"action":"test:wait","input":{"name":"g"}}]`})
	within(t, reached, "the step")
	require.ErrorContains(t, h.engine.Retry(t.Context(), running, engine.Request{}), "Task with taskId "+running+" cannot be retried")
}
