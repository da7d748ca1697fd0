package actiontest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
	"github.com/stretchr/testify/require"
)

// A Case is an input that the action accepts.
type Case struct {
	Name  string
	Input string // JSON
	// Setup puts into the workspace, and sets in the context, what the input
	// needs; nil: nothing.
	Setup func(t *testing.T, c *action.Context)
}

// A Path is an input that names something in the workspace.
type Path struct {
	Name string
	// Input returns the input, as JSON, in which the path stands.
	Input func(path string) string
	// Setup is that of Case.
	Setup func(t *testing.T, c *action.Context)
}

// Options say what the suite needs to know of an action.
type Options struct {
	// Cases together use every key that the schema declares. Required.
	Cases []Case
	// Paths are all inputs that name something in the workspace; none: the
	// action has no such input.
	Paths []Path
	// Effects counts what the action has done outside of its workspace, to the
	// fakes that it was made with; nil: it has no way to do anything there.
	Effects func() int
	// Slow is an input with which the action runs until it is cancelled; nil:
	// the action never waits for anything.
	Slow *Case
	// Waiting is closed by a fake once the action with the input Slow waits;
	// nil: it is cancelled at once.
	Waiting <-chan struct{}
}

// Run asks the action for all promises.
func Run(t *testing.T, a action.Action, o Options) {
	t.Helper()
	_, err := action.NewRegistry(a)
	require.NoError(t, err)
	t.Run("is described", func(t *testing.T) { described(t, a) })
	t.Run("accepts what its schema declares", func(t *testing.T) { declared(t, a, o) })
	t.Run("refuses what its schema does not declare", func(t *testing.T) { undeclared(t, a, o) })
	t.Run("warns of retired inputs", func(t *testing.T) { retired(t, a, o) })
	if a.DryRun() {
		t.Run("has no effect in a dry-run", func(t *testing.T) { dryRun(t, a, o) })
	}
	t.Run("ends when it is cancelled", func(t *testing.T) { cancelled(t, a, o) })
	for _, p := range o.Paths {
		t.Run("stays in the workspace: "+p.Name, func(t *testing.T) { confined(t, a, p) })
	}
}

func described(t *testing.T, a action.Action) {
	require.NotEmpty(t, a.Description(), "a user chooses an action by its description")
	require.NotEmpty(t, a.Examples(), "an example says more than a schema")
	for _, e := range a.Examples() {
		require.NotEmpty(t, e.Description)
		require.True(t, strings.HasPrefix(e.Example, "steps:"), "the form shows examples as YAML that starts with steps:")
		require.Contains(t, e.Example, "action: "+a.ID())
	}
	for _, key := range properties(a.InputSchema()) {
		require.False(t, strings.ContainsRune(key, ' '))
	}
}

// properties returns the keys that a schema declares, in all its forms.
func properties(schema *jsonvalue.Object) []string {
	var keys []string
	for k := range schema.Object("properties").All() {
		keys = append(keys, k)
	}
	for _, union := range []string{"anyOf", "oneOf", "allOf"} {
		list, _ := schema.Value(union).([]any)
		for _, s := range list {
			o, _ := s.(*jsonvalue.Object)
			keys = append(keys, properties(o)...)
		}
	}
	return keys
}

func setup(t *testing.T, f func(*testing.T, *action.Context), c *action.Context) {
	if f != nil {
		f(t, c)
	}
}

func declared(t *testing.T, a action.Action, o Options) {
	used := map[string]bool{}
	for _, cs := range o.Cases {
		t.Run(cs.Name, func(t *testing.T) {
			c, r := NewContext(t)
			setup(t, cs.Setup, c)
			require.NoError(t, r.Run(t.Context(), a, c, cs.Input))
		})
		in, err := jsonvalue.ParseObject([]byte(cs.Input))
		require.NoError(t, err)
		for k := range in.All() {
			used[k] = true
		}
	}
	for _, k := range properties(a.InputSchema()) {
		require.True(t, used[k], "no case uses the input %q", k)
	}
}

func undeclared(t *testing.T, a action.Action, o Options) {
	for _, cs := range o.Cases {
		in, err := jsonvalue.ParseObject([]byte(cs.Input))
		require.NoError(t, err)
		require.NoError(t, a.Check(in, nil))
		in.Set("anInputThatNobodyKnows", true)
		require.ErrorIs(t, a.Check(in, nil), catalog.ErrInput, "a misspelt input must not be ignored")
	}
	for _, key := range required(a.InputSchema()) {
		in, err := jsonvalue.ParseObject([]byte(o.Cases[0].Input))
		require.NoError(t, err)
		in.Delete(key)
		require.ErrorIs(t, a.Check(in, nil), catalog.ErrInput, "%s is required", key)
	}
}

func required(schema *jsonvalue.Object) []string {
	var keys []string
	list, _ := schema.Value("required").([]any)
	for _, k := range list {
		keys = append(keys, k.(string))
	}
	return keys
}

func retired(t *testing.T, a action.Action, o Options) {
	for _, key := range a.Retired() {
		require.NotContains(t, properties(a.InputSchema()), key, "it is in use")
		in, err := jsonvalue.ParseObject([]byte(o.Cases[0].Input))
		require.NoError(t, err)
		in.Set(key, "x")
		without, warnings := a.WithoutRetired(in)
		require.NoError(t, a.Check(without, nil))
		require.Len(t, warnings, 1)
		require.Contains(t, warnings[0], key)
		require.True(t, in.Has(key), "the input of the step is not changed")
	}
}

func dryRun(t *testing.T, a action.Action, o Options) {
	for _, cs := range o.Cases {
		t.Run(cs.Name, func(t *testing.T) {
			c, r := NewContext(t)
			setup(t, cs.Setup, c)
			c.DryRun = true
			before := effects(o)
			require.NoError(t, r.Run(t.Context(), a, c, cs.Input))
			require.Equal(t, before, effects(o), "a dry-run has done something outside of its workspace")
		})
	}
}

func effects(o Options) int {
	if o.Effects == nil {
		return 0
	}
	return o.Effects()
}

var errCancelled = errors.New("cancelled by the test")

// patience is how long an action may take to notice; the promise to users is
// one second, and the rest is for a busy machine.
const patience = 10 * time.Second

func cancelled(t *testing.T, a action.Action, o Options) {
	if o.Slow == nil {
		c, r := NewContext(t)
		setup(t, o.Cases[0].Setup, c)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCancelled)
		end(t, func() { _ = r.Run(ctx, a, c, o.Cases[0].Input) }) // it may be done before it looks
		return
	}
	c, r := NewContext(t)
	setup(t, o.Slow.Setup, c)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var err error
	go func() {
		if o.Waiting != nil {
			select {
			case <-o.Waiting:
			case <-ctx.Done():
			}
		}
		cancel(errCancelled)
	}()
	end(t, func() { err = r.Run(ctx, a, c, o.Slow.Input) })
	require.Error(t, err, "an action that was cancelled has not succeeded")
}

// end calls f and fails if it does not come back.
func end(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("still running %s after it was cancelled", patience)
	}
}

// confined tries paths that lead out of the workspace.
func confined(t *testing.T, a action.Action, p Path) {
	for name, path := range map[string]func(out string) string{
		"parent":               func(string) string { return "../outside.txt" },
		"parent of a folder":   func(string) string { return "folder/../../outside.txt" },
		"absolute":             func(out string) string { return filepath.Join(out, "kept.txt") },
		"through a link":       func(string) string { return "way-out/kept.txt" },
		"through a link, anew": func(string) string { return "way-out/new.txt" },
		"through two links":    func(string) string { return "other-way/kept.txt" },
		"root of all":          func(string) string { return "/" },
		"only the parent":      func(string) string { return ".." },
		"parent, then back":    func(string) string { return "../task2/x" },
	} {
		t.Run(name, func(t *testing.T) {
			c, r := NewContext(t)
			setup(t, p.Setup, c)
			out := outside(t)
			require.NoError(t, c.Workspace.Symlink(out, "way-out"))
			require.NoError(t, c.Workspace.Symlink("way-out", "other-way"))
			err := r.Run(t.Context(), a, c, p.Input(path(out)))
			require.ErrorIs(t, err, catalog.ErrNotAllowed)
			require.Equal(t, workspace.NotAllowed().Error(), err.Error(), "the words of the reference")
			untouched(t, out)
		})
	}
}

func untouched(t *testing.T, dir string) {
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(name))
		}
		return err
	}))
	require.Equal(t, []string{"kept.txt"}, names, "something was written or removed outside of the workspace")
	data, err := os.ReadFile(filepath.Join(dir, "kept.txt"))
	require.NoError(t, err)
	require.Equal(t, "kept", string(data))
}
