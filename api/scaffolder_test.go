package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/schemas"
)

const soon = 30 * time.Second

// Verdicts decide by what a test says.
type verdicts func(who auth.Principal, p permission.Permission) permission.Decision

func (f verdicts) Handle(_ context.Context, who auth.Principal, p permission.Permission) (permission.Decision, error) {
	return f(who, p), nil
}

// A workshop is a server with a scaffolder over a real engine.
type workshop struct {
	*fixture
	engine *engine.Engine
	gate   chan struct{} // holds the action wait back
	waits  chan string   // the tasks in which it waits
	audits *lockedBuffer

	mu       sync.Mutex
	entities map[string]string // JSON by ref
	decide   verdicts
}

type entityLookup struct{ *workshop }

func (w entityLookup) Lookup(_ context.Context, _ auth.Principal, ref string) (catalog.Entity, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, ok := w.entities[ref]
	if !ok {
		return catalog.Entity{}, false, nil
	}
	o, err := jsonvalue.ParseObject([]byte(text))
	return catalog.Entity{Object: o}, err == nil, err
}

type noHosts struct{}

func (noHosts) HostKind(host string) (string, bool) { return "github", host == "github.com" }

func (w *workshop) actions() []action.Action {
	type input struct {
		Message string `json:"message,omitempty"`
	}
	return []action.Action{
		action.New(action.Spec{ID: "say", Description: "Says something.", DryRun: true, Repeatable: true,
			Examples: []action.Example{{Description: "Hello", Example: "steps:\n  - action: say\n"}}},
			func(_ context.Context, c *action.Context, in input) error {
				c.Infof("%s", in.Message)
				return nil
			}),
		action.New(action.Spec{ID: "wait", Description: "Waits.", Repeatable: true}, func(ctx context.Context, c *action.Context, _ input) error {
			w.waits <- c.TaskID
			select {
			case <-w.gate:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
	}
}

func newWorkshop(t testing.TB, change func(*scaffolderapi.Options, *engine.Options)) *workshop {
	t.Helper()
	w := &workshop{gate: make(chan struct{}), waits: make(chan string, 1000), audits: &lockedBuffer{}, entities: map[string]string{
		"user:development/guest": `{"apiVersion":"backstage.io/v1alpha1","kind":"User","metadata":{"name":"guest","namespace":"development"}}`,
		"template:default/hello": helloTemplate,
		"template:default/slow":  `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"slow","namespace":"default"},"spec":{"type":"t","steps":[{"id":"w","action":"wait"}]}}`,
		"template:default/old":   `{"apiVersion":"backstage.io/v1beta2","kind":"Template","metadata":{"name":"old"},"spec":{}}`,
	}}
	w.decide = func(auth.Principal, permission.Permission) permission.Decision {
		return permission.Decision{Result: permission.Allow}
	}
	decider := permission.NewEngine(permission.Options{Enabled: true, Policy: verdicts(func(who auth.Principal, p permission.Permission) permission.Decision {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.decide(who, p)
	})})
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "tasks.db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	store, err := boltstore.New(db)
	require.NoError(t, err)
	registry, err := action.NewRegistry(w.actions()...)
	require.NoError(t, err)
	eo := engine.Options{Store: store, Workspaces: t.TempDir(), Key: bytes.Repeat([]byte{1}, engine.KeySize),
		Runner: runner.Options{Actions: registry, Policy: scaffolderapi.Policy{Decider: decider}}}
	kinds, err := schemas.New(schemas.Options{})
	require.NoError(t, err)
	so := scaffolderapi.Options{Catalog: entityLookup{w}, Actions: registry, Decider: decider, Validate: scaffolder.Validator(kinds),
		Filters: filters.Backstage(noHosts{}), Log: slog.New(slog.NewTextHandler(w.audits, nil))}
	if change != nil {
		change(&so, &eo)
	}
	w.engine, err = engine.New(eo)
	require.NoError(t, err)
	require.NoError(t, w.engine.Start(t.Context()))
	so.Engine = w.engine
	s, err := scaffolderapi.New(so)
	require.NoError(t, err)
	t.Cleanup(func() {
		s.Stop()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = w.engine.Shutdown(ctx)
		require.NoError(t, db.Close())
	})
	w.fixture = newFixture(t, func(o *api.Options, _ *auth.Options) { o.Permission, o.Scaffolder = decider, s })
	return w
}

const helloTemplate = `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template",
	"metadata":{"name":"hello","namespace":"default","title":"Hello","description":"Says hello","ui:options":{"x":1},
		"annotations":{"backstage.io/managed-by-location":"url:https://github.com/a/b/blob/main/t.yaml"}},
	"spec":{"type":"service","presentation":{"buttonLabels":{"reviewButtonText":"Look"}},"EXPERIMENTAL_formDecorators":[{"id":"d"}],
		"parameters":[{"title":"Basics","description":"First","required":["name"],"properties":{"name":{"type":"string","minLength":2}}},
			{"backstage:permissions":{"tags":["admin"]},"properties":{"secretly":{"type":"string"}}}],
		"secrets":{"schema":{"type":"object","required":["key"],"properties":{"key":{"type":"string","minLength":4}}}},
		"steps":[{"id":"one","name":"One","action":"say","input":{"message":"hello ${{ parameters.name }}"}},
			{"action":"say","backstage:permissions":{"tags":["admin"]},"input":{"message":"bye"}}],
		"output":{"text":[{"title":"t","content":"done"}]}}}`

// policy replaces what is allowed.
func (w *workshop) policy(f verdicts) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.decide = f
}

func (w *workshop) create(body string, options ...requestOption) string {
	w.t.Helper()
	r := w.do("POST", "/api/scaffolder/v2/tasks", body, options...)
	require.Equal(w.t, 201, r.status, r.text())
	var created struct{ ID string }
	require.NoError(w.t, json.Unmarshal(r.body, &created))
	return created.ID
}

func (w *workshop) ended(id string) map[string]any {
	w.t.Helper()
	var task map[string]any
	require.Eventually(w.t, func() bool {
		task = nil
		r := w.do("GET", "/api/scaffolder/v2/tasks/"+id, "")
		require.NoError(w.t, json.Unmarshal(r.body, &task))
		return task["status"] == "completed" || task["status"] == "failed"
	}, soon, time.Millisecond)
	return task
}

const hello = `{"templateRef":"hello","values":{"name":"Ada"},"secrets":{"key":"a long secret"}}`

func TestParameterSchema(t *testing.T) {
	w := newWorkshop(t, nil)
	r := w.do("GET", "/api/scaffolder/v2/templates/default/template/hello/parameter-schema", "")
	require.Equal(t, 200, r.status)
	require.Equal(t, `{"title":"Hello","description":"Says hello","presentation":{"buttonLabels":{"reviewButtonText":"Look"}},"ui:options":{"x":1},`+
		`"steps":[{"title":"Basics","description":"First","schema":{"title":"Basics","description":"First","required":["name"],"properties":{"name":{"type":"string","minLength":2}}}},`+
		`{"title":"Please enter the following information","schema":{"backstage:permissions":{"tags":["admin"]},"properties":{"secretly":{"type":"string"}}}}],`+
		`"formDecorators":[{"id":"d"}]}`, r.text())
	for path, want := range map[string]struct {
		status  int
		message string
	}{
		"default/Component/x":  {400, "Invalid kind, only 'Template' kind is supported"},
		"default/template/no":  {404, "Template template:default/no not found"},
		"DEFAULT/TEMPLATE/NO":  {404, "Template template:default/no not found"},
		"default/template/old": {400, "Unsupported apiVersion field in schema entity, backstage.io/v1beta2"},
	} {
		r := w.do("GET", "/api/scaffolder/v2/templates/"+path+"/parameter-schema", "")
		require.Equal(t, want.status, r.status, path)
		require.Contains(t, r.text(), want.message)
	}
}

func TestWhatClientsAreToldOfActionsAndFilters(t *testing.T) {
	w := newWorkshop(t, nil)
	r := w.do("GET", "/api/scaffolder/v2/actions", "")
	require.Equal(t, 200, r.status)
	require.JSONEq(t, `[{"id":"say","description":"Says something.","examples":[{"description":"Hello","example":"steps:\n  - action: say\n"}],
		"schema":{"input":{"type":"object","properties":{"message":{"type":"string"}},"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}}},
		{"id":"wait","description":"Waits.",
		"schema":{"input":{"type":"object","properties":{"message":{"type":"string"}},"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}}}]`, r.text())
	r = w.do("GET", "/api/scaffolder/v2/templating-extensions", "")
	var extensions struct {
		Filters map[string]struct{ Description string }
		Globals struct{ Functions, Values map[string]any }
	}
	require.NoError(t, json.Unmarshal(r.body, &extensions))
	require.Len(t, extensions.Filters, 4)
	require.NotEmpty(t, extensions.Filters["pick"].Description)
	require.NotNil(t, extensions.Globals.Functions)

	r = w.do("GET", "/api/scaffolder/openapi.json", "")
	var document struct{ Paths map[string]map[string]any }
	require.NoError(t, json.Unmarshal(r.body, &document))
	require.Len(t, document.Paths, 10)
	require.Contains(t, document.Paths["/api/scaffolder/v2/tasks"], "post")
}

// Requests are checked before anything is done with them.
func TestRequestsOfTheScaffolderAreChecked(t *testing.T) {
	w := newWorkshop(t, nil)
	const tasks = "/api/scaffolder/v2/tasks"
	id := w.create(hello)
	w.ended(id)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		message                  string
	}{
		{"no ref", "POST", tasks, `{"values":{}}`, 400, "request/body must have required property 'templateRef'"},
		{"values of another type", "POST", tasks, `{"templateRef":"hello","values":[]}`, 400, "request/body/values must be object"},
		{"a secret that is no text", "POST", tasks, `{"templateRef":"hello","values":{},"secrets":{"a":1}}`, 400, "request/body/secrets/a must be string"},
		{"more than is known is fine", "POST", tasks, `{"templateRef":"no","values":{},"more":1}`, 404, "Template template:default/no not found"},
		{"a broken ref", "POST", tasks, `{"templateRef":"::","values":{}}`, 400, "was not on the form"},
		{"an empty ref", "POST", tasks, `{"templateRef":"","values":{}}`, 400, "Entity reference must not be empty"},
		{"another kind", "POST", tasks, `{"templateRef":"component:x","values":{}}`, 400, "only 'Template' kind"},
		{"broken JSON", "POST", tasks, `{`, 400, "InputError"},
		{"a limit below zero", "GET", tasks + "?limit=-1", "", 400, "request/query/limit must be >= 0"},
		{"a limit that is none", "GET", tasks + "?limit=x", "", 400, "request/query/limit must be integer"},
		{"an empty limit", "GET", tasks + "?limit=", "", 400, "Empty value found for query parameter 'limit'"},
		{"an unknown parameter", "GET", tasks + "?foo=1", "", 400, "Unknown query parameter 'foo'"},
		{"an order that is none", "GET", tasks + "?order=x", "", 400, `Invalid order parameter \"x\", expected \"\u003casc or desc\u003e:\u003cfield name\u003e\"`},
		{"an order by nothing", "GET", tasks + "?order=asc:x", "", 400, `Invalid order field \"x\"`},
		{"a task that is not there", "GET", tasks + "/nope", "", 404, "No task with id 'nope' found"},
		{"its events", "GET", tasks + "/nope/events", "", 404, "No task with id 'nope' found"},
		{"its stream", "GET", tasks + "/nope/eventstream", "", 404, "No task with id 'nope' found"},
		{"after what is no number", "GET", tasks + "/" + id + "/events?after=x", "", 400, "request/query/after must be integer"},
		{"cancel of nothing", "POST", tasks + "/nope/cancel", "", 404, "No task with id 'nope' found"},
		{"retry of nothing", "POST", tasks + "/nope/retry", "{}", 404, "No task with id 'nope' found"},
		{"retry without its secrets", "POST", tasks + "/" + id + "/retry", "{}", 400, "secrets.key is required"},
		{"autocomplete without a token", "POST", "/api/scaffolder/v2/autocomplete/github/owners", `{"token":"","context":{}}`, 400, "Missing token query parameter"},
		{"autocomplete of nobody", "POST", "/api/scaffolder/v2/autocomplete/x/y", `{"token":"t","context":{}}`, 400, "Unsupported provider: x"},
		{"dry-run of no template", "POST", "/api/scaffolder/v2/dry-run", `{"template":{"kind":"Component","apiVersion":"x"},"values":{},"directoryContents":[]}`, 400, "Input template is not a template"},
		{"dry-run of an incomplete one", "POST", "/api/scaffolder/v2/dry-run", `{"template":{},"values":{},"directoryContents":[]}`, 400, "must have required property"},
		{"dry-run without files", "POST", "/api/scaffolder/v2/dry-run", `{"template":{},"values":{}}`, 400, "request/body must have required property 'directoryContents'"},
		{"no such path", "GET", "/api/scaffolder/v1/tasks", "", 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.do(c.method, c.path, c.body)
			require.Equal(t, c.status, r.status, r.text())
			message := strings.ReplaceAll(strings.ReplaceAll(c.message, `\u003c`, "<"), `\u003e`, ">")
			require.Contains(t, r.text(), message)
		})
	}
	r := w.do("POST", tasks, "x", with("Content-Type", "text/plain"))
	require.Equal(t, 400, r.status)
	require.Contains(t, r.text(), "unsupported media type text/plain")
	r = w.do("POST", tasks, hello, anonymous)
	require.Equal(t, 401, r.status)
}

// Ten megabytes of parameters are taken, and not a byte more.
func TestBodiesOfTenMegabytes(t *testing.T) {
	w := newWorkshop(t, nil)
	body := func(size int) string {
		head, tail := `{"templateRef":"hello","secrets":{"key":"long enough"},"values":{"name":"Ada","x":"`, `"}}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	r := w.do("POST", "/api/scaffolder/v2/tasks", body(10<<20))
	require.Equal(t, 201, r.status, "%.200s", r.text())
	r = w.do("POST", "/api/scaffolder/v2/tasks", body(10<<20+1))
	require.Equal(t, 400, r.status)
	require.Contains(t, r.text(), "request entity too large")
	deep := `{"templateRef":"hello","values":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000) + "}"
	r = w.do("POST", "/api/scaffolder/v2/tasks", deep)
	require.Equal(t, 400, r.status, "nested too deeply")
	many := `{"templateRef":"hello","secrets":{"key":"long enough"},"values":{"name":[` + strings.Repeat("1,", 1_000_000) + `1]}}`
	r = w.do("POST", "/api/scaffolder/v2/tasks", many)
	require.Equal(t, 400, r.status)
}

func TestValuesAndSecretsThatDoNotFit(t *testing.T) {
	w := newWorkshop(t, nil)
	r := w.do("POST", "/api/scaffolder/v2/tasks", `{"templateRef":"hello","values":{"name":"A"}}`)
	require.Equal(t, 400, r.status)
	require.JSONEq(t, `{"errors":[{"path":["name"],"property":"instance.name","message":"does not meet minimum length of 2","schema":{"type":"string","minLength":2},
		"instance":"A","name":"minLength","argument":2,"stack":"instance.name does not meet minimum length of 2"}]}`, r.text())
	r = w.do("POST", "/api/scaffolder/v2/tasks", `{"templateRef":"hello","values":{"name":"Ada"}}`)
	require.Contains(t, r.text(), `"property":"secrets","message":"secrets.key is required"`)
	require.Contains(t, r.text(), `"stack":"instance requires property \"key\""`)
	r = w.do("POST", "/api/scaffolder/v2/tasks", `{"templateRef":"hello","values":{"name":"Ada"},"secrets":{"key":"abc"}}`)
	require.Contains(t, r.text(), `"message":"secrets.key does not meet minimum length of 4"`)
	require.Contains(t, r.text(), `"instance":{}`)
	require.NotContains(t, r.text(), `abc`, "a secret is never sent back")
	require.NotContains(t, w.audits.String()+w.logged.String(), "abc")
}

func TestATaskFromRequestToCompletion(t *testing.T) {
	w := newWorkshop(t, nil)
	id := w.create(hello)
	task := w.ended(id)
	require.Equal(t, "completed", task["status"])
	require.Equal(t, "user:development/guest", task["createdBy"])
	spec := task["spec"].(map[string]any)
	require.Equal(t, "template:default/hello", spec["templateInfo"].(map[string]any)["entityRef"])
	require.Equal(t, "https://github.com/a/b/blob/main/t.yaml", spec["templateInfo"].(map[string]any)["baseUrl"])
	require.Equal(t, "default", spec["templateInfo"].(map[string]any)["entity"].(map[string]any)["metadata"].(map[string]any)["namespace"])
	require.Equal(t, "step-2", spec["steps"].([]any)[1].(map[string]any)["id"])
	require.Equal(t, "guest", spec["user"].(map[string]any)["entity"].(map[string]any)["metadata"].(map[string]any)["name"])
	require.NotContains(t, fmt.Sprint(task), "a long secret")
	require.NotContains(t, fmt.Sprint(task), w.token)
	r := w.do("GET", "/api/scaffolder/v2/tasks/"+id+"/events", "")
	var events []map[string]any
	require.NoError(t, json.Unmarshal(r.body, &events))
	require.Equal(t, "completion", events[len(events)-1]["type"])
	require.Contains(t, r.text(), "hello Ada")
	require.Contains(t, w.audits.String(), "Scaffolding task for template:default/hello created by user:development/guest")

	r = w.do("GET", "/api/scaffolder/v2/tasks?createdBy=user:development/guest&status=completed&status=failed&limit=5", "")
	var list struct {
		Tasks      []map[string]any
		TotalTasks int
	}
	require.NoError(t, json.Unmarshal(r.body, &list))
	require.Equal(t, 1, list.TotalTasks)
	require.Equal(t, id, list.Tasks[0]["id"])

	r = w.do("POST", "/api/scaffolder/v2/tasks/"+id+"/retry", `{"secrets":{"key":"another one"}}`)
	require.Equal(t, 201, r.status, r.text())
	require.JSONEq(t, `{"id":"`+id+`"}`, r.text())
	w.ended(id)
}

// A service has no user, and its tasks nobody who created them.
func TestTasksOfServices(t *testing.T) {
	w := newWorkshop(t, nil)
	id := w.create(hello, bearer(staticToken))
	task := w.ended(id)
	require.NotContains(t, task, "createdBy")
	require.Empty(t, task["spec"].(map[string]any)["user"])
}

// A task that waits shows no heartbeat, and can be cancelled.
func TestCancelOverHTTP(t *testing.T) {
	w := newWorkshop(t, func(_ *scaffolderapi.Options, o *engine.Options) { o.Concurrency = 1 })
	first := w.create(`{"templateRef":"slow","values":{}}`)
	require.Equal(t, first, <-w.waits)
	second := w.create(`{"templateRef":"slow","values":{}}`)
	r := w.do("GET", "/api/scaffolder/v2/tasks/"+second, "")
	require.Contains(t, r.text(), `"status":"open"`)
	require.Contains(t, r.text(), `"lastHeartbeatAt":null`)
	for _, id := range []string{second, first} {
		r = w.do("POST", "/api/scaffolder/v2/tasks/"+id+"/cancel", "{}")
		require.Equal(t, 200, r.status)
		require.JSONEq(t, `{"status":"cancelled"}`, r.text())
		require.Equal(t, "failed", w.ended(id)["status"])
	}
	r = w.do("POST", "/api/scaffolder/v2/tasks/"+first+"/cancel", "{}")
	require.Equal(t, 200, r.status, "also when it has ended")
}
