package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// A house is an engine with its store and some actions, which can be closed and
// opened again.
type house struct {
	t      *testing.T
	dir    string
	db     *bbolt.DB
	engine *engine.Engine
	log    *syncBuffer
	config func(*engine.Options)

	mu    sync.Mutex
	calls []string // of test:call and test:once, in order
	// gates hold test:wait back until they are closed, by the name in its input.
	gates   map[string]chan struct{}
	reached map[string]chan struct{}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// open builds a house in a folder of its own and starts the engine.
func open(t *testing.T, config func(*engine.Options)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), config: config, log: &syncBuffer{},
		gates: map[string]chan struct{}{}, reached: map[string]chan struct{}{}}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *house) start() {
	h.t.Helper()
	h.openStore()
	require.NoError(h.t, h.engine.Start(h.t.Context()))
}

func (h *house) openStore() {
	h.t.Helper()
	db, err := bbolt.Open(filepath.Join(h.dir, "tasks.db"), 0o600, &bbolt.Options{Timeout: time.Second, NoSync: true})
	require.NoError(h.t, err)
	h.db = db
	s, err := boltstore.New(db)
	require.NoError(h.t, err)
	actions, err := action.NewRegistry(h.actions()...)
	require.NoError(h.t, err)
	o := engine.Options{Store: s, Runner: runner.Options{Actions: actions}, Workspaces: filepath.Join(h.dir, "workspaces"),
		Key: bytes.Repeat([]byte{7}, engine.KeySize), Log: slog.New(slog.NewTextHandler(h.log, nil))}
	if h.config != nil {
		h.config(&o)
	}
	h.engine, err = engine.New(o)
	require.NoError(h.t, err)
}

// stop ends the engine as an operator would.
func (h *house) stop() {
	if h.db == nil {
		return
	}
	h.mu.Lock()
	for _, g := range h.gates {
		select {
		case <-g:
		default:
			close(g)
		}
	}
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(h.t, h.engine.Shutdown(ctx))
	require.NoError(h.t, h.db.Close())
	h.db = nil
}

// gate returns what holds test:wait of that name back.
func (h *house) gate(name string) (gate, reached chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gates[name] == nil {
		h.gates[name], h.reached[name] = make(chan struct{}), make(chan struct{}, 100)
	}
	return h.gates[name], h.reached[name]
}

func (h *house) called(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, name)
}

func (h *house) allCalls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.calls...)
}

type nameInput struct {
	Name  string `json:"name,omitempty"`
	Value any    `json:"value,omitempty"`
}

// actions are what templates of the tests can call.
func (h *house) actions() []action.Action {
	examples := []action.Example{{Description: "x", Example: "steps:\n"}}
	spec := func(id string, repeatable bool) action.Spec {
		return action.Spec{ID: id, Description: "For tests.", Examples: examples, DryRun: true, Repeatable: repeatable,
			Retired: map[string]string{"allowedHosts": "hosts are configured"}}
	}
	call := func(_ context.Context, c *action.Context, in nameInput) error {
		h.called(in.Name)
		c.Infof("called %s", in.Name)
		if in.Value != nil {
			c.Output("value", in.Value)
		}
		return nil
	}
	return []action.Action{
		action.New(spec("test:call", true), call),
		action.New(spec("test:once", false), call),
		action.New(action.Spec{ID: "test:effect", Description: "No dry-run.", Examples: examples,
			Output: mustObject(`{"type":"object","properties":{"url":{"type":"string"},"n":{"type":"number"},"ok":{"type":"boolean"},"list":{"type":"array","items":{"type":"string"}},"any":{}}}`)}, call),
		action.New(spec("test:wait", true), func(ctx context.Context, c *action.Context, in nameInput) error {
			return h.wait(ctx, in)
		}),
		action.New(spec("test:wait-once", false), func(ctx context.Context, c *action.Context, in nameInput) error {
			return h.wait(ctx, in)
		}),
		action.New(spec("test:fail", true), func(_ context.Context, _ *action.Context, in nameInput) error {
			return catalog.NewError(catalog.NameInput, "it failed: "+in.Name)
		}),
		action.New(spec("test:panic", true), func(context.Context, *action.Context, nameInput) error { panic("oh " + "no") }),
		action.New(spec("test:write", true), func(_ context.Context, c *action.Context, in nameInput) error {
			return c.Workspace.WriteFile(in.Name, []byte(fmt.Sprint(in.Value)), 0o644)
		}),
		action.New(spec("test:read", true), func(_ context.Context, c *action.Context, in nameInput) error {
			data, err := c.Workspace.ReadFile(in.Name, 1<<20)
			if err != nil {
				return err
			}
			c.Output("content", string(data))
			return nil
		}),
		action.New(spec("test:checkpoint", true), func(ctx context.Context, c *action.Context, in nameInput) error {
			v, err := action.Checkpoint(ctx, c, in.Name, func(context.Context) (string, error) {
				h.called("checkpoint " + in.Name)
				return "made once", nil
			})
			c.Output("value", v)
			return err
		}),
		action.New(spec("test:secret", true), func(_ context.Context, c *action.Context, in nameInput) error {
			c.Infof("the secret is %s", c.Secrets["token"])
			if in.Name == "fail" {
				return errors.New("bad token " + c.Secrets["token"])
			}
			return nil
		}),
	}
}

func mustObject(s string) *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(s))
	if err != nil {
		panic(err)
	}
	return o
}

// wait waits for the gate of the input's name.
func (h *house) wait(ctx context.Context, in nameInput) error {
	gate, reached := h.gate(in.Name)
	reached <- struct{}{}
	select {
	case <-gate:
		h.called("waited " + in.Name)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// template makes a template of steps and more members of its spec, as JSON.
func template(t *testing.T, steps, more string) *scaffolder.Template {
	t.Helper()
	if more != "" {
		more = "," + more
	}
	o, err := jsonvalue.ParseObject([]byte(`{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template",` +
		`"metadata":{"name":"t","namespace":"default"},"spec":{"type":"service","steps":` + steps + more + `}}`))
	require.NoError(t, err)
	tmpl, err := scaffolder.NewTemplate(catalog.Entity{Object: o})
	require.NoError(t, err)
	return tmpl
}

// A job is a task that a test creates.
type job struct {
	steps, more string
	values      string
	secrets     map[string]string
	ref         string
}

func (h *house) create(j job) string {
	h.t.Helper()
	id, err := h.engine.Create(h.t.Context(), engine.Request{Spec: h.spec(j), Secrets: j.secrets, Credentials: "who"})
	require.NoError(h.t, err)
	return id
}

func (h *house) spec(j job) scaffolder.Spec {
	values := jsonvalue.NewObject()
	if j.values != "" {
		values = mustObject(j.values)
	}
	if j.ref == "" {
		j.ref = "template:default/t"
	}
	return scaffolder.NewSpec(template(h.t, j.steps, j.more), scaffolder.Submission{
		Values: values, UserRef: "user:default/guest", TemplateRef: j.ref, BaseURL: "https://example.com/t/template.yaml"})
}

// run creates a task and waits for its end.
func (h *house) run(j job) (status scaffolder.Status, log []string) {
	h.t.Helper()
	id := h.create(j)
	return h.ended(id), h.lines(id)
}

// ended waits until a task has ended.
func (h *house) ended(id string) scaffolder.Status {
	h.t.Helper()
	w := h.engine.Watch(id)
	defer w.Close()
	deadline := time.After(patience)
	for {
		t, _, err := h.engine.Task(id)
		require.NoError(h.t, err)
		if t.Status.Ended() {
			return t.Status
		}
		select {
		case <-w.C():
		case <-deadline:
			h.t.Fatalf("task %s has not ended: %s\n%s", id, strings.Join(h.lines(id), "\n"), h.log)
		}
	}
}

// lines writes the events of a task for people: "type step status: message".
func (h *house) lines(id string) []string {
	h.t.Helper()
	events, err := h.engine.Events(id, 0)
	require.NoError(h.t, err)
	return linesOf(h.t, events)
}

func linesOf(t *testing.T, events []scaffolder.Event) []string {
	var out []string
	for _, e := range events {
		body, err := jsonvalue.ParseObject(e.Body)
		require.NoError(t, err)
		line := string(e.Type)
		for _, key := range []string{"stepId", "status"} {
			if v := body.String(key); v != "" {
				line += " " + v
			}
		}
		line += ": " + plain(body.String("message"))
		for _, key := range []string{"output", "error", "recoverStrategy"} {
			if v, ok := body.Get(key); ok {
				line += " " + string(jsonvalue.Append(nil, v))
			}
		}
		out = append(out, line)
	}
	return out
}

// plain drops colours, and what explains an error.
func plain(s string) string {
	s, _, _ = strings.Cut(s, "\n    at ")
	for _, code := range []string{"\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[34m", "\x1b[39m"} {
		s = strings.ReplaceAll(s, code, "")
	}
	return s
}

// within fails unless something comes.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not happen in %s", what, patience)
		panic("unreachable")
	}
}

func (h *house) workspaces() []string {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.dir, "workspaces"))
	require.NoError(h.t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
