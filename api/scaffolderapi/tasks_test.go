package scaffolderapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// A task is what clients see of one.
type task struct {
	ID, Status, CreatedAt string
	LastHeartbeatAt       *string
	CreatedBy             *string
	Spec                  map[string]any
}

func (s *shop) task(id string) task {
	s.t.Helper()
	r := s.Do("GET", tasks+"/"+id, "")
	require.Equal(s.t, 200, r.Status, r.Text())
	var got task
	require.NoError(s.t, json.Unmarshal(r.Body, &got))
	return got
}

// The whole of a task, but for its id and times.
func TestATask(t *testing.T) {
	s := serve(t, nil)
	id := s.create(greet)
	require.Equal(t, scaffolder.Completed, s.ended(id))
	r := s.Do("GET", tasks+"/"+id, "")
	require.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
	var got map[string]any
	require.NoError(t, json.Unmarshal(r.Body, &got))
	for _, key := range []string{"createdAt", "lastHeartbeatAt"} {
		text, _ := got[key].(string)
		_, err := time.Parse("2006-01-02T15:04:05.000Z", text)
		require.NoError(t, err, key)
		delete(got, key)
	}
	spec, err := json.Marshal(got["spec"])
	require.NoError(t, err)
	delete(got, "spec")
	require.Equal(t, map[string]any{"id": id, "status": "completed", "createdBy": guest}, got)
	require.JSONEq(t, `{"apiVersion":"scaffolder.backstage.io/v1beta3","parameters":{"name":"Ada Lovelace"},
		"steps":[{"id":"one","name":"One","action":"say","input":{"message":"hello ${{ parameters.name }}"}},
			{"id":"step-2","name":"say","action":"say","backstage:permissions":{"tags":["admin"]},"input":{"message":"with ${{ secrets.key }}"}}],
		"output":{"text":[{"title":"t","content":"done"}]},
		"user":{"ref":"user:default/guest","entity":{"apiVersion":"backstage.io/v1alpha1","kind":"User","metadata":{"name":"guest","namespace":"default"}}},
		"templateInfo":{"entityRef":"template:default/hello","entity":{"metadata":{"name":"hello","namespace":"default"}}}}`, string(spec))

	id = s.create(greet, apitest.As(apitest.ServiceToken))
	s.ended(id)
	byService := s.task(id)
	require.Nil(t, byService.CreatedBy, "a service is no user")
	require.Empty(t, byService.Spec["user"])
}

// Neither answers nor logs tell a secret, the token of the caller, or what was
// filled in.
func TestSecretsAreNeverTold(t *testing.T) {
	s := serve(t, nil)
	id := s.create(greet)
	s.ended(id)
	answers := ""
	for _, path := range []string{tasks, tasks + "/" + id, tasks + "/" + id + "/events", tasks + "/" + id + "/eventstream"} {
		answers += s.Do("GET", path, "").Text()
	}
	require.Contains(t, answers, "***", "the step said the secret")
	answers += s.Do("POST", tasks+"/"+id+"/retry", `{"secrets":{"key":"another secret key"}}`).Text()
	s.ended(id)
	answers += s.Do("POST", tasks, `{"templateRef":"hello","values":{"name":"Ada Lovelace"},"secrets":{"key":"xyz"}}`).Text()
	answers += s.Do("POST", tasks, `{"templateRef":"hello","values":{"name":"Ada Lovelace"},"secrets":{"other":"yet another secret"}}`).Text()
	answers += s.Do("POST", dryRuns, `{"template":`+template("t", `{"type":"t","steps":[{"action":"fail","input":{"message":"${{ secrets.key }}"}}]}`)+
		`,"values":{"name":"Ada Lovelace"},"secrets":{"key":"dry secret key"},"directoryContents":[]}`).Text()
	logs := s.audits.String() + s.Log()
	for _, secret := range []string{"top secret key", "another secret key", "xyz", "yet another secret", "dry secret key", s.Token, apitest.ServiceToken} {
		require.NotContains(t, answers, secret)
		require.NotContains(t, logs, secret)
	}
	require.NotContains(t, logs, "Ada Lovelace", "what was filled in is not the business of the audit log of requests")
}

// An auditLine is a line of the audit log, as a whole.
type auditLine struct {
	Level, Message, Plugin, EventID, SeverityLevel, Status, Error string
	IsAuditEvent                                                  bool
	Actor                                                         struct{ ActorID, IP, Hostname, UserAgent string }
	Request                                                       struct{ URL, Method string }
	Meta                                                          map[string]string
}

// auditLines returns those that were written since the log had a length.
func (s *shop) auditLines(since int) (out []auditLine) {
	s.t.Helper()
	for line := range strings.Lines(s.Log()[since:]) {
		if !strings.Contains(line, `"isAuditEvent":true`) {
			continue
		}
		var l auditLine
		require.NoError(s.t, json.Unmarshal([]byte(line), &l))
		out = append(out, l)
	}
	return out
}

func TestAuditLines(t *testing.T) {
	s := serve(t, nil)
	id := s.create(greet)
	s.ended(id)
	for _, c := range []struct {
		name, method, path, body string
		id, severity             string
		meta                     map[string]string
		fault                    string
	}{
		{"a template that is not there", "POST", tasks, `{"templateRef":"no","values":{}}`, "task", "medium",
			map[string]string{"actionType": "create", "templateRef": "template:default/no"}, "NotFoundError: Template template:default/no not found"},
		{"values that do not fit", "POST", tasks, `{"templateRef":"hello","values":{}}`, "task", "medium",
			map[string]string{"actionType": "create", "templateRef": "template:default/hello"}, "Error: answered with status 400"},
		{"list", "GET", tasks, "", "task", "low", map[string]string{"actionType": "list"}, ""},
		{"get", "GET", tasks + "/" + id, "", "task", "low", map[string]string{"actionType": "get", "taskId": id}, ""},
		{"get of nothing", "GET", tasks + "/no", "", "task", "low", map[string]string{"actionType": "get", "taskId": "no"}, "NotFoundError: No task with id 'no' found"},
		{"cancel", "POST", tasks + "/" + id + "/cancel", "", "task", "medium", map[string]string{"actionType": "cancel", "taskId": id}, ""},
		{"retry without its secret", "POST", tasks + "/" + id + "/retry", "{}", "task", "medium", map[string]string{"actionType": "retry", "taskId": id}, "Error: answered with status 400"},
		{"events", "GET", tasks + "/" + id + "/events", "", "task", "low", map[string]string{"actionType": "events", "taskId": id}, ""},
		{"stream", "GET", tasks + "/" + id + "/eventstream", "", "task", "low", map[string]string{"actionType": "stream", "taskId": id}, ""},
		{"dry-run", "POST", dryRuns, `{"template":` + template("t", `{"type":"t","steps":[]}`) + `,"values":{},"directoryContents":[]}`, "task", "low",
			map[string]string{"actionType": "dry-run"}, ""},
		{"parameters", "GET", at + "/v2/templates/default/template/hello/parameter-schema", "", "template-parameter-schema", "low",
			map[string]string{"templateRef": "template:default/hello"}, ""},
		{"actions", "GET", at + "/v2/actions", "", "action-fetch", "low", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			since := len(s.Log())
			s.Do(c.method, c.path, c.body)
			lines := s.auditLines(since)
			require.Len(t, lines, 2)
			status := "succeeded"
			if c.fault != "" {
				status = "failed"
			}
			for i, l := range lines {
				require.Equal(t, []string{"scaffolder", c.id, c.severity, guest, c.method, c.path},
					[]string{l.Plugin, l.EventID, l.SeverityLevel, l.Actor.ActorID, l.Request.Method, l.Request.URL})
				require.Equal(t, c.meta, l.Meta)
				require.Equal(t, []string{"initiated", status}[i], l.Status)
				require.Equal(t, []string{"", c.fault}[i], l.Error)
			}
		})
	}
	since := len(s.Log())
	s.Do("POST", tasks, slow, apitest.As(apitest.ServiceToken))
	lines := s.auditLines(since)
	require.Equal(t, "ci", lines[1].Actor.ActorID)
	require.NotEmpty(t, lines[1].Meta["taskId"], "that a task is created comes with its id")
	require.Contains(t, s.audits.String(), `msg="Scaffolding task for template:default/slow"`, "a service is no creator")
	require.Contains(t, s.audits.String(), `msg="Scaffolding task for template:default/hello created by user:default/guest"`)
}

// Faults of values and secrets have a body of their own.
func TestValuesAndSecretsThatDoNotFit(t *testing.T) {
	s := serve(t, nil)
	id := s.create(greet)
	s.ended(id)
	const secret = `"schema":{"type":"string","minLength":4},"instance":{},"name":"minLength","argument":4,"stack":"instance.key does not meet minimum length of 4"`
	const missing = `{"errors":[{"path":[],"property":"secrets","message":"secrets.key is required",
		"schema":{"type":"object","required":["key"],"properties":{"key":{"type":"string","minLength":4}}},
		"instance":{},"name":"required","argument":"key","stack":"instance requires property \"key\""}]}`
	dry := func(values, secrets string) string {
		return `{"template":` + template("t", hello) + `,"values":` + values + `,"secrets":` + secrets + `,"directoryContents":[]}`
	}
	for _, c := range []struct{ name, path, body, want string }{
		{"a value of the first page", tasks, `{"templateRef":"hello","values":{"name":"A","level":"x"}}`,
			`{"errors":[{"path":["name"],"property":"instance.name","message":"does not meet minimum length of 2","schema":{"type":"string","minLength":2},
			"instance":"A","name":"minLength","argument":2,"stack":"instance.name does not meet minimum length of 2"}]}`},
		{"a value of the second", tasks, `{"templateRef":"hello","values":{"name":"Ada","level":"x"}}`,
			`{"errors":[{"path":["level"],"property":"instance.level","message":"is not of a type(s) integer","schema":{"type":"integer"},
			"instance":"x","name":"type","argument":["integer"],"stack":"instance.level is not of a type(s) integer"}]}`},
		{"no secret", tasks, `{"templateRef":"hello","values":{"name":"Ada"}}`, missing},
		{"a short secret", tasks, `{"templateRef":"hello","values":{"name":"Ada"},"secrets":{"key":"abc"}}`,
			`{"errors":[{"path":["key"],"property":"secrets.key","message":"secrets.key does not meet minimum length of 4",` + secret + `}]}`},
		{"a retry without its secret", tasks + "/" + id + "/retry", "{}", missing},
		{"a retry without a body", tasks + "/" + id + "/retry", "", missing},
		{"a dry-run without its secret", dryRuns, dry(`{"name":"Ada"}`, `{}`), missing},
		{"a dry-run with a value that does not fit", dryRuns, dry(`{"name":"Ada","level":true}`, `{}`),
			`{"errors":[{"path":["level"],"property":"instance.level","message":"is not of a type(s) integer","schema":{"type":"integer"},
			"instance":true,"name":"type","argument":["integer"],"stack":"instance.level is not of a type(s) integer"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.Do("POST", c.path, c.body)
			require.Equal(t, 400, r.Status, r.Text())
			require.JSONEq(t, c.want, r.Text())
		})
	}
}

// listed asks for a list, and returns the ids and the total.
func (s *shop) listed(query string) (ids []string, total int) {
	s.t.Helper()
	r := s.Do("GET", tasks+query, "")
	require.Equal(s.t, 200, r.Status, r.Text())
	var got struct {
		Tasks      []task
		TotalTasks int
	}
	require.NoError(s.t, json.Unmarshal(r.Body, &got))
	for _, each := range got.Tasks {
		ids = append(ids, each.ID)
	}
	return ids, got.TotalTasks
}

func TestLists(t *testing.T) {
	s := serve(t, func(_ *scaffolderapi.Options, o *engine.Options) { o.Concurrency = 1 })
	require.Equal(t, `{"tasks":[],"totalTasks":0}`, s.Do("GET", tasks, "").Text())
	done := s.create(greet)
	s.ended(done)
	service := s.create(greet, apitest.As(apitest.ServiceToken))
	s.ended(service)
	running := s.create(slow)
	require.Equal(t, running, s.waiting())
	open := s.create(slow)
	require.Nil(t, s.task(open).LastHeartbeatAt, "it never ran")
	require.Equal(t, "open", s.task(open).Status)
	for _, c := range []struct {
		name, query string
		want        []string
		total       int
	}{
		{"the newest first", "", []string{open, running, service, done}, 4},
		{"the oldest first", "?order=asc:created_at", []string{done, service, running, open}, 4},
		{"by status", "?order=desc:status&order=desc:created_at", []string{running, open, service, done}, 4},
		{"by creator, who may be nobody", "?order=asc:created_by&order=desc:created_at", []string{service, open, running, done}, 4},
		{"a page", "?limit=2&offset=1", []string{running, service}, 4},
		{"a page in another order", "?order=asc:status&order=asc:created_at&limit=2&offset=1", []string{service, open}, 4},
		{"none but the count", "?limit=0", nil, 4},
		{"beyond the end", "?offset=100", nil, 4},
		{"beyond what fits an integer", "?offset=99999999999999999999&limit=99999999999999999999", nil, 4},
		{"numbers as JavaScript reads them", "?limit=1e0", []string{open}, 4},
		{"of one", "?createdBy=user:default/guest", []string{open, running, done}, 3},
		{"of one of two", "?createdBy=user:default/guest&createdBy=user:default/jane&limit=1", []string{open}, 3},
		{"a list in one value is one value", "?createdBy=user:default/guest,user:default/jane", nil, 0},
		{"in a state", "?status=open", []string{open}, 1},
		{"in one of two", "?status=open&status=processing", []string{open, running}, 2},
		{"in a state that there is not", "?status=lost", nil, 0},
		{"in a state that tasks never have", "?status=cancelled", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids, total := s.listed(c.query)
			require.Equal(t, c.want, ids)
			require.Equal(t, c.total, total)
		})
	}
}

// Cancelling answers alike whatever the task does; it then fails.
func TestCancel(t *testing.T) {
	s := serve(t, func(_ *scaffolderapi.Options, o *engine.Options) { o.Concurrency = 1 })
	running := s.create(slow)
	require.Equal(t, running, s.waiting())
	open := s.create(slow)
	for _, c := range []struct{ name, id, body, event string }{
		{"open", open, "", `"body":{"message":"Step 0 has been cancelled.","stepId":0,"status":"cancelled"},"type":"cancelled"`},
		{"running", running, "{}", `"body":{"message":"Step w has been cancelled.","stepId":"w","status":"cancelled"},"type":"cancelled"`},
		{"ended", running, "{}", `"type":"cancelled"`},
	} {
		r := s.Do("POST", tasks+"/"+c.id+"/cancel", c.body)
		require.Equal(t, 200, r.Status, c.name)
		require.Equal(t, `{"status":"cancelled"}`, r.Text(), c.name)
		require.Equal(t, scaffolder.Failed, s.ended(c.id), c.name)
		require.Contains(t, s.Do("GET", tasks+"/"+c.id+"/events", "").Text(), c.event, c.name)
	}
}

func TestRetry(t *testing.T) {
	s := serve(t, nil)
	id := s.create(slow)
	require.Equal(t, id, s.waiting())
	refuses(t, s.Do("POST", tasks+"/"+id+"/retry", "{}"), 409, "ConflictError", "Task with taskId "+id+" cannot be retried")
	s.Do("POST", tasks+"/"+id+"/cancel", "")
	require.Equal(t, scaffolder.Failed, s.ended(id))
	r := s.Do("POST", tasks+"/"+id+"/retry", "")
	require.Equal(t, 201, r.Status, "without a body: %s", r.Text())
	require.Equal(t, `{"id":"`+id+`"}`, r.Text())
	require.Equal(t, id, s.waiting())
	close(s.gate)
	require.Equal(t, scaffolder.Completed, s.ended(id))
	text := s.Do("GET", tasks+"/"+id+"/events", "").Text()
	require.Contains(t, text, `"body":{"recoverStrategy":"none"},"type":"recovered"`)
	require.Equal(t, 1, strings.Count(text, `"type":"completion"`), "that of the first run is gone")
	require.NotContains(t, text, `"type":"cancelled"`, "as is what ended it")
	refuses(t, s.Do("POST", tasks+"/"+id+"/retry", "x", apitest.With("Content-Type", "text/plain")), 400, "InputError", "unsupported media type text/plain")

	delete(s.templates, "template:default/slow") // nothing runs that would read it
	refuses(t, s.Do("POST", tasks+"/"+id+"/retry", "{}"), 404, "NotFoundError", "Template template:default/slow not found")
}

// Too many that wait are no fault of the caller, who may come again.
func TestTooManyTasks(t *testing.T) {
	s := serve(t, func(_ *scaffolderapi.Options, o *engine.Options) { o.Concurrency, o.MaxWaiting = 1, 1 })
	s.create(slow)
	s.waiting()
	s.create(slow)
	refuses(t, s.Do("POST", tasks, slow), 503, "ServiceUnavailableError", "1 tasks are waiting already. Try again later")
}

// What went wrong inside is logged, not told.
func TestFaultsInside(t *testing.T) {
	s := serve(t, nil)
	for _, r := range []apitest.Response{
		s.Do("POST", tasks, `{"templateRef":"unread","values":{}}`),
		s.Do("GET", at+"/v2/templates/default/template/unread/parameter-schema", ""),
	} {
		require.Equal(t, 500, r.Status)
		require.NotContains(t, r.Text(), "fire")
	}
	require.Contains(t, s.Log(), "the disk is on fire")
}
