package once_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
)

type fileInput struct {
	Path string `json:"path"`
	Fail bool   `json:"fail,omitempty"`
}

// newRunner has one action, which writes what its checkpoint holds.
func newRunner(t *testing.T) *runner.Runner {
	t.Helper()
	registry, err := action.NewRegistry(action.New(action.Spec{ID: "write", DryRun: true}, func(ctx context.Context, c *action.Context, in fileInput) error {
		c.Infof("writing %s", in.Path)
		text, err := action.Checkpoint(ctx, c, "text", func(context.Context) (string, error) { return "made", nil })
		if err != nil {
			return err
		}
		if err := c.Workspace.WriteFile(in.Path, []byte(text), 0o755); err != nil {
			return err
		}
		if err := c.Workspace.WriteFile(".git/x", nil, 0o644); err != nil {
			return err
		}
		if in.Fail {
			return errors.New("it went wrong")
		}
		return nil
	}))
	require.NoError(t, err)
	r, err := runner.New(runner.Options{Actions: registry})
	require.NoError(t, err)
	return r
}

func spec(t *testing.T, steps string) scaffolder.Spec {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(`{"apiVersion":"scaffolder.backstage.io/v1beta3","steps":` + steps + `,"output":{"a":"${{ 1 + 1 }}"}}`))
	require.NoError(t, err)
	return scaffolder.Spec{Object: o}
}

func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	var seen [][]byte
	task := once.Task{ID: "one", Spec: spec(t, `[{"id":"w","name":"w","action":"write","input":{"path":"a/b"}}]`), Workspace: dir,
		Event: func(body []byte) { seen = append(seen, body) }}
	r, err := once.Run(t.Context(), newRunner(t), task)
	require.NoError(t, err)
	require.NoError(t, r.Err)
	require.Equal(t, []once.File{{Path: "a/b", Content: []byte("made"), Executable: true}}, r.Files, "what is Git's is left out")
	require.Equal(t, `{"a":2}`, string(jsonvalue.Append(nil, r.Output)))
	require.Equal(t, r.Log, seen, "lines are told as they are written")
	require.Contains(t, string(seen[2]), "writing a/b")
	_, err = os.Stat(dir)
	require.ErrorIs(t, err, os.ErrNotExist, "nothing remains")

	task.Known = func(key string) ([]byte, bool) { return []byte(`"known"`), key == "v1.task.checkpoint.w.text" }
	r, err = once.Run(t.Context(), newRunner(t), task)
	require.NoError(t, err)
	require.Equal(t, "known", string(r.Files[0].Content))
}

func TestRunThatFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	r, err := once.Run(t.Context(), newRunner(t), once.Task{ID: "one", Workspace: dir,
		Spec: spec(t, `[{"id":"w","name":"w","action":"write","input":{"path":"a","fail":true}},{"id":"x","name":"x","action":"write","input":{"path":"b"}}]`)})
	require.NoError(t, err)
	require.EqualError(t, r.Err, "it went wrong")
	require.Len(t, r.Files, 1, "what a run left shows why it failed")
	require.NoDirExists(t, dir)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(runner.ErrStopped)
	r, err = once.Run(ctx, newRunner(t), once.Task{ID: "one", Workspace: dir, Spec: spec(t, `[{"id":"w","name":"w","action":"write","input":{"path":"a"}}]`)})
	require.NoError(t, err)
	require.True(t, r.Stopped)
	require.NoDirExists(t, dir)

	_, err = once.Run(t.Context(), newRunner(t), once.Task{Workspace: "/dev/null/x"})
	require.Error(t, err)
}

// Strings that cannot be rendered stay as they are, and somebody is told.
func TestFaults(t *testing.T) {
	var told []string
	s := spec(t, `[{"id":"w","name":"w","action":"write","input":{"path":"a${{ 1 | nope }}"}}]`)
	s.Set("output", object(t, `{"x":"${{ ( }}"}`))
	r, err := once.Run(t.Context(), newRunner(t), once.Task{ID: "one", Spec: s, Workspace: filepath.Join(t.TempDir(), "ws"), Secrets: map[string]string{"s": "nope"},
		Fault: func(step string, f nunjucks.Fault) { told = append(told, step+" "+f.Path+" "+f.Err.Error()) }})
	require.NoError(t, err)
	require.NoError(t, r.Err)
	require.Equal(t, "a${{ 1 | nope }}", r.Files[0].Path)
	require.Len(t, told, 2)
	require.Contains(t, told[0], "w input.path line 1, column 10: ")
	require.NotContains(t, told[0], "nope", "secrets are masked")
	require.Contains(t, told[1], " output.x ")
}

func object(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}
