package scaffolderapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store/storetest"
	"github.com/greenroom-idp/greenroom/schemas"
)

const (
	at       = "/api/scaffolder"
	tasks    = at + "/v2/tasks"
	dryRuns  = at + "/v2/dry-run"
	guest    = "user:default/guest"
	patience = 30 * time.Second // for what comes at once
)

// A shop is a server with the scaffolder over a real engine, whose tasks are
// kept in memory.
type shop struct {
	*apitest.Server
	t      testing.TB
	api    *scaffolderapi.API
	engine *engine.Engine
	gate   chan struct{} // holds the action wait back
	waits  chan string   // the tasks in which it waits
	audits *lines

	mu        sync.Mutex
	templates map[string]string // JSON by ref
	decide    func(permission.Permission) permission.Decision
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *shop) Lookup(_ context.Context, _ auth.Principal, ref string) (catalog.Entity, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref == "template:default/unread" {
		return catalog.Entity{}, false, errors.New("the disk is on fire")
	}
	text, ok := s.templates[ref]
	if !ok {
		return catalog.Entity{}, false, nil
	}
	o, err := jsonvalue.ParseObject([]byte(text))
	return catalog.Entity{Object: o}, err == nil, err
}

func (s *shop) Handle(_ context.Context, _ auth.Principal, p permission.Permission) (permission.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(p), nil
}

// policy says from now on what users may do.
func (s *shop) policy(decide func(permission.Permission) permission.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decide = decide
}

var allowed = permission.Decision{Result: permission.Allow}

func everything(permission.Permission) permission.Decision { return allowed }

// except allows everything else.
func except(names ...string) func(permission.Permission) permission.Decision {
	return func(p permission.Permission) permission.Decision {
		for _, name := range names {
			if p.Name == name {
				return permission.Decision{}
			}
		}
		return allowed
	}
}

// under puts a condition on the resources of a type, and allows everything else.
func under(c *permission.Criteria, resourceType string) func(permission.Permission) permission.Decision {
	return func(p permission.Permission) permission.Decision {
		if p.ResourceType != resourceType {
			return allowed
		}
		return permission.Decision{Result: permission.Conditional, Criteria: c}
	}
}

func rule(name, resourceType string, params ...any) *permission.Criteria {
	return &permission.Criteria{Rule: &permission.Rule{Name: name, ResourceType: resourceType, Params: wire.Obj(params...)}}
}

type noHosts struct{}

func (noHosts) HostKind(string) (string, bool) { return "", false }

type completer func(resource, token string, context map[string]string) ([]scaffolderapi.Completion, error)

func (f completer) Complete(_ context.Context, resource, token string, context map[string]string) ([]scaffolderapi.Completion, error) {
	return f(resource, token, context)
}

type sayInput struct {
	Message string `json:"message,omitempty"`
}

// actions are what templates of the tests can call.
func (s *shop) actions() []action.Action {
	say := func(_ context.Context, c *action.Context, in sayInput) error {
		c.Infof("%s", in.Message)
		return nil
	}
	return []action.Action{
		action.New(action.Spec{ID: "say", Description: "Says something.", DryRun: true, Repeatable: true,
			Examples: []action.Example{{Description: "Hello", Example: "steps:\n  - action: say\n"}}}, say),
		action.New(action.Spec{ID: "act", Repeatable: true}, say),
		action.New(action.Spec{ID: "write", DryRun: true, Repeatable: true}, func(_ context.Context, c *action.Context, in sayInput) error {
			return c.Workspace.WriteFile("dir/said.txt", []byte(in.Message), 0o755)
		}),
		action.New(action.Spec{ID: "fail", DryRun: true, Repeatable: true}, func(_ context.Context, c *action.Context, in sayInput) error {
			return errors.New("no luck with " + in.Message)
		}),
		action.New(action.Spec{ID: "wait", Repeatable: true}, func(ctx context.Context, c *action.Context, _ sayInput) error {
			s.waits <- c.TaskID
			select {
			case <-s.gate:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
	}
}

func template(name, spec string) string {
	return `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"` + name + `","namespace":"default"},"spec":` + spec + `}`
}

const slow = `{"templateRef":"slow","values":{}}`

// serve starts a shop, with options that change may have altered.
func serve(t testing.TB, change func(*scaffolderapi.Options, *engine.Options)) *shop {
	t.Helper()
	s := &shop{t: t, gate: make(chan struct{}), waits: make(chan string, 100), audits: &lines{}, decide: everything, templates: map[string]string{
		guest:                    `{"apiVersion":"backstage.io/v1alpha1","kind":"User","metadata":{"name":"guest","namespace":"default"}}`,
		"template:default/hello": template("hello", hello),
		"template:default/plain": template("plain", `{"type":"t","steps":[{"action":"say","input":{"message":"hi"}}]}`),
		"template:default/slow":  template("slow", `{"type":"t","steps":[{"id":"w","action":"wait"}]}`),
		"template:default/again": template("again", `{"type":"t","EXPERIMENTAL_recovery":{"EXPERIMENTAL_strategy":"startOver"},"steps":[{"action":"say","input":{"message":"hi"}}]}`),
		"template:default/old":   `{"apiVersion":"backstage.io/v1beta2","kind":"Template","metadata":{"name":"old"},"spec":{}}`,
	}}
	decider := permission.NewEngine(permission.Options{Enabled: true, Policy: s})
	registry, err := action.NewRegistry(s.actions()...)
	require.NoError(t, err)
	kinds, err := schemas.New(schemas.Options{})
	require.NoError(t, err)
	eo := engine.Options{Store: storetest.NewMemory(), Workspaces: t.TempDir(), Key: bytes.Repeat([]byte{1}, engine.KeySize),
		Runner: runner.Options{Actions: registry, Policy: scaffolderapi.Policy{Decider: decider}}}
	so := scaffolderapi.Options{Catalog: s, Actions: registry, Decider: decider, Validate: scaffolder.Validator(kinds),
		Filters: filters.Backstage(noHosts{}), Log: slog.New(slog.NewTextHandler(s.audits, nil))}
	if change != nil {
		change(&so, &eo)
	}
	s.engine, err = engine.New(eo)
	require.NoError(t, err)
	require.NoError(t, s.engine.Start(t.Context()))
	so.Engine = s.engine
	s.api, err = scaffolderapi.New(so)
	require.NoError(t, err)
	t.Cleanup(func() {
		s.api.Stop()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what still waits is not waited for
		_ = s.engine.Shutdown(ctx)
	})
	s.Server = apitest.New(t, func(o *api.Options, _ *auth.Options) {
		o.Permission, o.Scaffolder, o.Auditor = decider, s.api, audit.New(audit.Options{Log: o.Logger})
	})
	return s
}

// create starts a task and returns its id.
func (s *shop) create(body string, options ...apitest.RequestOption) string {
	s.t.Helper()
	r := s.Do("POST", tasks, body, options...)
	require.Equal(s.t, 201, r.Status, r.Text())
	var created struct{ ID string }
	require.NoError(s.t, json.Unmarshal(r.Body, &created))
	require.JSONEq(s.t, `{"id":"`+created.ID+`"}`, r.Text())
	return created.ID
}

// ended waits for the end of a task.
func (s *shop) ended(id string) scaffolder.Status {
	s.t.Helper()
	w := s.engine.Watch(id)
	defer w.Close()
	deadline := time.After(patience)
	for {
		task, _, err := s.engine.Task(id)
		require.NoError(s.t, err)
		if task.Status.Ended() {
			return task.Status
		}
		select {
		case <-w.C():
		case <-deadline:
			s.t.Fatalf("task %s has not ended", id)
		}
	}
}

// waiting waits until a task waits in its action.
func (s *shop) waiting() string {
	s.t.Helper()
	select {
	case id := <-s.waits:
		return id
	case <-time.After(patience):
		s.t.Fatal("no task waits")
		return ""
	}
}

// refuses requires an error of that name and message, word for word.
func refuses(t testing.TB, r apitest.Response, status int, name, message string) {
	t.Helper()
	require.Equal(t, status, r.Status, r.Text())
	var got struct {
		Error    struct{ Name, Message string }
		Response struct{ StatusCode int }
	}
	require.NoError(t, json.Unmarshal(r.Body, &got), r.Text())
	require.Equal(t, name+": "+message, got.Error.Name+": "+got.Error.Message)
	require.Equal(t, status, got.Response.StatusCode)
}

// hello is the spec of a template with everything that clients see of one.
const hello = `{"type":"service","presentation":{"buttonLabels":{"reviewButtonText":"Look"}},"EXPERIMENTAL_formDecorators":[{"id":"d"}],
	"parameters":[{"title":"Basics","description":"First","required":["name"],"properties":{"name":{"type":"string","minLength":2}}},
		{"backstage:permissions":{"tags":["admin"]},"properties":{"level":{"type":"integer"}}}],
	"secrets":{"schema":{"type":"object","required":["key"],"properties":{"key":{"type":"string","minLength":4}}}},
	"steps":[{"id":"one","name":"One","action":"say","input":{"message":"hello ${{ parameters.name }}"}},
		{"action":"say","backstage:permissions":{"tags":["admin"]},"input":{"message":"with ${{ secrets.key }}"}}],
	"output":{"text":[{"title":"t","content":"done"}]}}`

const greet = `{"templateRef":"hello","values":{"name":"Ada Lovelace"},"secrets":{"key":"top secret key"}}`
