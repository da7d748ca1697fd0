package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/stretchr/testify/require"
)

func (h *house) dryRun(steps, more string, files ...engine.DryRunFile) (*engine.DryRunResult, error) {
	return h.engine.DryRun(h.t.Context(), engine.DryRun{Template: template(h.t, steps, more), Files: files,
		Secrets: map[string]string{"token": hush}, Submission: scaffolder.Submission{Values: mustObject(`{"name":"n"}`)}})
}

func dryLines(t *testing.T, r *engine.DryRunResult) []string {
	var events []scaffolder.Event
	for _, body := range r.Log {
		events = append(events, scaffolder.Event{Type: scaffolder.EventLog, Body: body})
	}
	return linesOf(t, events)
}

func TestDryRun(t *testing.T) {
	h := open(t, nil)
	r, err := h.dryRun(`[
		{"id":"w","action":"test:write","input":{"name":"dir/${{ parameters.name }}.txt","value":"${{ secrets.token }}"}},
		{"id":"e","action":"test:effect","input":{"name":"x"},"each":[1,2]},
		{"id":"never","action":"nope","if":false}]`,
		`"output":{"url":"${{ steps.e.output.url }}","n":"${{ steps.e.output.n }}","ok":"${{ steps.e.output.ok }}","list":"${{ steps.e.output.list }}","any":"${{ steps.e.output.any }}"}`)
	require.NoError(t, err)
	require.Equal(t, []string{
		"log: Starting up task with 4 steps",
		"log w processing: Beginning step test:write",
		"log w: info: Running test:write in dry-run mode with inputs (secrets redacted): {\n  \"name\": \"dir/n.txt\",\n  \"value\": \"***\"\n}",
		"log w completed: Finished step test:write",
		"log e processing: Beginning step test:effect",
		"log e: info: Running test:effect in dry-run mode with inputs (secrets redacted): {\n  \"name\": \"x\"\n}",
		"log e skipped: Skipping because test:effect does not support dry-run",
		"log never processing: Beginning step nope",
		"log never skipped: Skipping step never because its if condition was false",
	}, dryLines(t, r))
	require.Equal(t, []engine.DryRunFile{{Path: "dir/n.txt", Content: []byte(hush)}}, r.Files, "the secrets of the caller are real")
	require.Equal(t, mustObject(`{"url":"<example>","n":0,"ok":false,"list":["<example>"],"any":"<unknown>"}`), r.Output, "made up from the schema")
	require.Len(t, r.Steps, 3)
	require.Empty(t, h.allCalls())
	require.Empty(t, h.workspaces())
	_, total, err := h.engine.Tasks(engine.Query{Limit: -1})
	require.NoError(t, err)
	require.Zero(t, total, "a dry-run is no task")
}

func TestDryRunErrors(t *testing.T) {
	h := open(t, nil)
	for _, c := range []struct {
		name, steps string
		files       []engine.DryRunFile
		want        error
		step        bool
	}{
		{"a file outside", `[]`, []engine.DryRunFile{{Path: "../x"}}, catalog.ErrNotAllowed, false},
		{"an absolute file", `[]`, []engine.DryRunFile{{Path: "/etc/cron.d/x"}}, catalog.ErrNotAllowed, false},
		{"an unknown action", `[{"id":"a","action":"nope"}]`, nil, catalog.ErrNotFound, true},
		{"a step that fails", `[{"id":"a","action":"test:fail"},{"id":"b","action":"test:call","if":"${{ always() }}"}]`, nil, catalog.ErrInput, true},
		{"a path outside", `[{"id":"a","action":"test:write","input":{"name":"../x"}}]`, nil, catalog.ErrNotAllowed, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.dryRun(c.steps, "", c.files...)
			require.ErrorIs(t, err, c.want)
			var step *engine.StepError
			require.Equal(t, c.step, errors.As(err, &step))
			require.Empty(t, h.workspaces(), "nothing is left")
		})
	}
}

func TestDryRunFiles(t *testing.T) {
	for _, c := range []struct{ name, json, want string }{
		{"content", `{"path":"a","base64Content":"aGk="}`, "hi"},
		{"empty content", `{"path":"a","base64Content":""}`, ""},
		{"URL alphabet", `{"path":"a","base64Content":"_-8="}`, "\xff\xef"},
		{"no content", `{"path":"a"}`, "Malformed request"},
		{"no path", `{"base64Content":""}`, "Malformed request"},
		{"content that is no text", `{"path":"a","base64Content":1}`, "Malformed request"},
		{"no base64", `{"path":"a","base64Content":"%%"}`, "not base64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := engine.ParseDryRunFile(mustObject(c.json))
			if err != nil {
				require.ErrorIs(t, err, catalog.ErrInput)
				require.Contains(t, err.Error(), c.want)
				return
			}
			require.Equal(t, c.want, string(f.Content))
		})
	}
	_, err := engine.ParseDryRunFile(nil)
	require.ErrorIs(t, err, catalog.ErrInput)
	require.True(t, strings.HasPrefix(err.Error(), "Malformed request: "))
}
