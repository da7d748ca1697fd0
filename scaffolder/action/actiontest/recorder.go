package actiontest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
	"github.com/stretchr/testify/require"
)

// A Recorder is a task for one action: it keeps what the action logs, outputs
// and stores. It is safe for concurrent use.
type Recorder struct {
	t   testing.TB
	dir string
	ws  *workspace.Workspace

	mu          sync.Mutex
	lines       []string
	outputs     *jsonvalue.Object
	checkpoints map[string]any
	redacted    []string
	temps       int
}

// NewContext returns a context with an empty workspace, and the recorder
// behind it. Fields may be set before the action runs.
func NewContext(t testing.TB) (*action.Context, *Recorder) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "task")
	ws, err := workspace.Open(dir, workspace.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ws.Destroy()) })
	r := &Recorder{t: t, dir: dir, ws: ws, outputs: jsonvalue.NewObject(), checkpoints: map[string]any{}}
	return &action.Context{
		TaskID: "8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11", Step: action.Step{ID: "step", Name: "Step"},
		Log: slog.New(&handler{r: r}), Workspace: ws, Secrets: map[string]string{},
		Initiator: action.Initiator{UserRef: "user:default/guest"},
		Template:  action.TemplateInfo{EntityRef: "template:default/example"},
		Host:      r,
	}, r
}

// Run checks the input and runs the action, as the engine does.
func (r *Recorder) Run(ctx context.Context, a action.Action, c *action.Context, input string) error {
	r.t.Helper()
	o, err := jsonvalue.ParseObject([]byte(input))
	require.NoError(r.t, err, "the input of the test")
	o, warnings := a.WithoutRetired(o)
	for _, w := range warnings {
		c.Log.Warn(w)
	}
	if err := a.Check(o, c.Each); err != nil {
		return err
	}
	return a.Run(ctx, c, o)
}

// Lines returns what was logged, each line as "level: message {attributes}".
func (r *Recorder) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// Outputs returns the outputs as JSON, in the order in which they were set.
func (r *Recorder) Outputs() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(jsonvalue.Append(nil, r.outputs))
}

// Checkpoints returns the keys of what was stored.
func (r *Recorder) Checkpoints() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var keys []string
	for k := range r.checkpoints {
		keys = append(keys, k)
	}
	return keys
}

// Redacted returns the texts that the action asked to mask.
func (r *Recorder) Redacted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.redacted...)
}

// Output implements action.Host.
func (r *Recorder) Output(name string, value any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outputs.Set(name, value)
}

// Checkpoint implements action.Host.
func (r *Recorder) Checkpoint(ctx context.Context, key string, fn func(context.Context) (any, error)) (any, error) {
	r.mu.Lock()
	v, there := r.checkpoints[key]
	r.mu.Unlock()
	if there {
		return v, nil
	}
	v, err := fn(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checkpoints[key] = v
	return v, nil
}

// TempDir implements action.Host.
func (r *Recorder) TempDir() (*workspace.Workspace, error) {
	r.mu.Lock()
	r.temps++
	dir := fmt.Sprintf("%s_step-step-%d", r.dir, r.temps)
	r.mu.Unlock()
	return r.ws.Sibling(dir)
}

// Redact implements action.Host.
func (r *Recorder) Redact(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.redacted = append(r.redacted, secret)
}

var _ action.Host = (*Recorder)(nil)

// A handler writes log records into the recorder.
type handler struct {
	r     *Recorder
	attrs []slog.Attr
}

func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

func (h *handler) Handle(_ context.Context, record slog.Record) error {
	line := strings.ToLower(record.Level.String()) + ": " + record.Message
	attrs := jsonvalue.NewObject()
	add := func(a slog.Attr) bool {
		attrs.Set(a.Key, a.Value.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	record.Attrs(add)
	if attrs.Len() > 0 {
		line += " " + string(jsonvalue.Append(nil, attrs))
	}
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.lines = append(h.r.lines, line)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{r: h.r, attrs: append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}

func (h *handler) WithGroup(string) slog.Handler { return h }

// outside makes a folder that no action may touch, with a file in it.
func outside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kept.txt"), []byte("kept"), 0o600))
	return dir
}
