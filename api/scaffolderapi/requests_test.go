package scaffolderapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
)

// Requests are checked before anything is done with them, in the words of the
// reference.
func TestRequestsThatAreRefused(t *testing.T) {
	s := serve(t, nil)
	id := s.create(`{"templateRef":"plain","values":{}}`)
	s.ended(id)
	const input, missing = "InputError", "NotFoundError"
	const noTask = "No task with id 'nope' found"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		error, message           string
	}{
		{"no ref", "POST", tasks, `{"values":{}}`, 400, input, "request/body must have required property 'templateRef'"},
		{"no values", "POST", tasks, `{"templateRef":"hello"}`, 400, input, "request/body must have required property 'values'"},
		{"an empty body", "POST", tasks, ` `, 400, "", ""},
		{"a list", "POST", tasks, `[]`, 400, input, "request/body must be object"},
		{"a ref that is no text", "POST", tasks, `{"templateRef":5,"values":{}}`, 400, input, "request/body/templateRef must be string"},
		{"values that are a list", "POST", tasks, `{"templateRef":"hello","values":[]}`, 400, input, "request/body/values must be object"},
		{"values that are null", "POST", tasks, `{"templateRef":"hello","values":null}`, 400, input, "request/body/values must be object"},
		{"a secret that is no text", "POST", tasks, `{"templateRef":"hello","values":{},"secrets":{"a":1}}`, 400, input, "request/body/secrets/a must be string"},
		{"secrets that are a text", "POST", tasks, `{"templateRef":"hello","values":{},"secrets":"a"}`, 400, input, "request/body/secrets must be object"},
		{"more than is known is fine in a body", "POST", tasks, `{"templateRef":"no","values":{},"more":1}`, 404, missing, "Template template:default/no not found"},
		{"not in a query", "POST", tasks + "?more=1", slow, 400, input, "Unknown query parameter 'more'"},
		{"another kind", "POST", tasks, `{"templateRef":"component:x","values":{}}`, 400, input, "Invalid kind, only 'Template' kind is supported"},
		{"an old template", "POST", tasks, `{"templateRef":"old","values":{}}`, 400, input, "Unsupported apiVersion field in schema entity, backstage.io/v1beta2"},
		{"a ref in another case", "POST", tasks, `{"templateRef":"TEMPLATE:Default/NO","values":{}}`, 404, missing, "Template template:default/no not found"},

		{"a limit below zero", "GET", tasks + "?limit=-1", "", 400, input, "request/query/limit must be >= 0"},
		{"a limit that is none", "GET", tasks + "?limit=x", "", 400, input, "request/query/limit must be integer"},
		{"a limit that is not whole", "GET", tasks + "?limit=1.5", "", 400, input, "request/query/limit must be integer"},
		{"two limits", "GET", tasks + "?limit=1&limit=2", "", 400, input, "request/query/limit must be integer"},
		{"an empty limit", "GET", tasks + "?limit=", "", 400, input, "Empty value found for query parameter 'limit'"},
		{"an offset below zero", "GET", tasks + "?offset=-1", "", 400, input, "request/query/offset must be >= 0"},
		{"an offset that is none", "GET", tasks + "?offset=first", "", 400, input, "request/query/offset must be integer"},
		{"an unknown parameter", "GET", tasks + "?foo=1", "", 400, input, "Unknown query parameter 'foo'"},
		{"an order without a direction", "GET", tasks + "?order=created_at", "", 400, input, `Invalid order parameter "created_at", expected "<asc or desc>:<field name>"`},
		{"an order in another direction", "GET", tasks + "?order=up:created_at", "", 400, input, `Invalid order parameter "up:created_at", expected "<asc or desc>:<field name>"`},
		{"an order by what there is not", "GET", tasks + "?order=asc:spec", "", 400, input, `Invalid order field "spec"`},
		{"a second order that is none", "GET", tasks + "?order=asc:status&order=x", "", 400, input, `Invalid order parameter "x", expected "<asc or desc>:<field name>"`},

		{"a task that is not there", "GET", tasks + "/nope", "", 404, missing, noTask},
		{"its events", "GET", tasks + "/nope/events", "", 404, missing, noTask},
		{"its stream", "GET", tasks + "/nope/eventstream", "", 404, missing, noTask},
		{"its end", "POST", tasks + "/nope/cancel", "", 404, missing, noTask},
		{"its retry", "POST", tasks + "/nope/retry", "{}", 404, missing, noTask},
		{"an id with signs", "GET", tasks + "/a%2Fb%27", "", 404, missing, "No task with id 'a/b'' found"},
		{"a query where there is none", "GET", tasks + "/nope?x=1", "", 400, input, "Unknown query parameter 'x'"},
		{"events after what is no number", "GET", tasks + "/" + id + "/events?after=x", "", 400, input, "request/query/after must be integer"},
		{"events after nothing", "GET", tasks + "/" + id + "/events?after=", "", 400, input, "Empty value found for query parameter 'after'"},
		{"secrets of a retry that are no texts", "POST", tasks + "/" + id + "/retry", `{"secrets":{"a":null}}`, 400, input, "request/body/secrets/a must be string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.Do(c.method, c.path, c.body)
			if c.error == "" {
				require.Equal(t, c.status, r.Status, r.Text())
				require.Contains(t, r.Text(), `"name":"InputError"`)
				return
			}
			refuses(t, r, c.status, c.error, c.message)
		})
	}
}

// What is no JSON is an error of the input, as is what is not said to be some.
func TestBodiesThatAreRefused(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{tasks, dryRuns, at + "/v2/autocomplete/github/owners"} {
		refuses(t, s.Do("POST", path, "x", apitest.With("Content-Type", "text/plain")), 400, "InputError", "unsupported media type text/plain")
		refuses(t, s.Do("POST", path, ""), 400, "InputError", "unsupported media type undefined")
		r := s.Do("POST", path, `{"a":`)
		require.Equal(t, 400, r.Status)
		require.Contains(t, r.Text(), `"name":"InputError"`)
	}
	for _, path := range []string{tasks, dryRuns, tasks + "/x/retry"} {
		body := `{"values":{"a":"` + strings.Repeat("a", 10<<20) + `"}}`
		refuses(t, s.Do("POST", path, body), 400, "InputError", "request entity too large")
	}
}

// Ten megabytes are the limit, to the byte.
func TestTheLargestBody(t *testing.T) {
	s := serve(t, nil)
	head, tail := `{"templateRef":"plain","values":{"x":"`, `"}}`
	body := head + strings.Repeat("x", 10<<20-len(head)-len(tail)) + tail
	require.NotEmpty(t, s.create(body))
	refuses(t, s.Do("POST", tasks, body+" "), 400, "InputError", "request entity too large")
}

// Every route wants to know who asks.
func TestNobodyMayAsk(t *testing.T) {
	s := serve(t, nil)
	for _, route := range []string{"GET /v2/templates/default/template/hello/parameter-schema", "GET /v2/actions", "GET /v2/tasks", "POST /v2/tasks",
		"GET /v2/tasks/x", "POST /v2/tasks/x/cancel", "POST /v2/tasks/x/retry", "GET /v2/tasks/x/eventstream", "GET /v2/tasks/x/events",
		"POST /v2/dry-run", "POST /v2/autocomplete/github/owners", "GET /v2/templating-extensions"} {
		method, path, _ := strings.Cut(route, " ")
		refuses(t, s.Do(method, at+path, "", apitest.Anonymous), 401, "AuthenticationError", "Missing credentials")
	}
}

// What there is not is answered without a body, in the wrong method too.
func TestNoSuchRoute(t *testing.T) {
	s := serve(t, nil)
	for _, route := range []string{"GET /v1/tasks", "DELETE /v2/tasks/x", "GET /v2/dry-run", "PUT /v2/tasks", "GET /v2/tasks/x/cancel"} {
		method, path, _ := strings.Cut(route, " ")
		r := s.Do(method, at+path, "")
		require.Equal(t, 404, r.Status, route)
		require.Empty(t, r.Text(), route)
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	s := serve(t, nil)
	whole := s.api.Options
	for name, change := range map[string]func(*scaffolderapi.Options){
		"engine":    func(o *scaffolderapi.Options) { o.Engine = nil },
		"catalog":   func(o *scaffolderapi.Options) { o.Catalog = nil },
		"actions":   func(o *scaffolderapi.Options) { o.Actions = nil },
		"decider":   func(o *scaffolderapi.Options) { o.Decider = nil },
		"validator": func(o *scaffolderapi.Options) { o.Validate = nil },
	} {
		o := whole
		change(&o)
		_, err := scaffolderapi.New(o)
		require.ErrorContains(t, err, name)
	}
	_, err := scaffolderapi.New(whole)
	require.NoError(t, err)
}
