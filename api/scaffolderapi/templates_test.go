package scaffolderapi_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// Forms get the pages in the order and words of the template, and nothing of
// its secrets.
func TestParameterSchema(t *testing.T) {
	s := serve(t, nil)
	s.templates["template:default/titled"] = `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"titled","title":"A title",
		"description":"Says what","ui:options":{"x":1}},"spec":{"type":"t","steps":[],"formDecorators":[{"id":"new"}],
		"EXPERIMENTAL_formDecorators":[{"id":"old"}],"parameters":{"title":"One page","ui:order":["a"],"properties":{"a":{}}}}}`
	path := func(ref string) string { return at + "/v2/templates/" + ref + "/parameter-schema" }
	for _, c := range []struct{ name, ref, want string }{
		{"pages, one without a title", "default/template/hello", `{"title":"hello","presentation":{"buttonLabels":{"reviewButtonText":"Look"}},"steps":[` +
			`{"title":"Basics","description":"First","schema":{"title":"Basics","description":"First","required":["name"],"properties":{"name":{"type":"string","minLength":2}}}},` +
			`{"title":"Please enter the following information","schema":{"backstage:permissions":{"tags":["admin"]},"properties":{"level":{"type":"integer"}}}}],` +
			`"formDecorators":[{"id":"d"}]}`},
		{"no pages", "default/template/plain", `{"title":"plain","steps":[]}`},
		{"a page that is no list", "default/template/titled", `{"title":"A title","description":"Says what","ui:options":{"x":1},` +
			`"steps":[{"title":"One page","schema":{"title":"One page","ui:order":["a"],"properties":{"a":{}}}}],"formDecorators":[{"id":"new"}]}`},
		{"in another case", "DEFAULT/Template/PLAIN", `{"title":"plain","steps":[]}`},
	} {
		r := s.Do("GET", path(c.ref), "")
		require.Equal(t, 200, r.Status, c.name)
		require.Equal(t, c.want, r.Text(), c.name)
	}
	refuses(t, s.Do("GET", path("default/Component/x"), ""), 400, "InputError", "Invalid kind, only 'Template' kind is supported")
	refuses(t, s.Do("GET", path("Default/TEMPLATE/Nope"), ""), 404, "NotFoundError", "Template template:default/nope not found")
	refuses(t, s.Do("GET", path("default/template/old"), ""), 400, "InputError", "Unsupported apiVersion field in schema entity, backstage.io/v1beta2")
	refuses(t, s.Do("GET", path("default/template/hello")+"?x=1", ""), 400, "InputError", "Unknown query parameter 'x'")
}

func TestListActions(t *testing.T) {
	s := serve(t, nil)
	r := s.Do("GET", at+"/v2/actions", "")
	require.Equal(t, 200, r.Status)
	require.NotEmpty(t, r.Header.Get("ETag"))
	require.Equal(t, 304, s.Do("GET", at+"/v2/actions", "", apitest.With("If-None-Match", r.Header.Get("ETag"))).Status)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(r.Body, &list))
	var ids []any
	for _, each := range list {
		ids = append(ids, each["id"])
		require.NotContains(t, each, "supportsDryRun")
	}
	require.Equal(t, []any{"act", "fail", "say", "wait", "write"}, ids)
	text, err := json.Marshal(list[2])
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"say","description":"Says something.","examples":[{"description":"Hello","example":"steps:\n  - action: say\n"}],
		"schema":{"input":{"type":"object","properties":{"message":{"type":"string"}},"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}}}`, string(text))
	require.NotContains(t, list[0], "description", "what is not there is left out")
	require.NotContains(t, list[0], "examples")
	refuses(t, s.Do("GET", at+"/v2/actions?x=1", ""), 400, "InputError", "Unknown query parameter 'x'")
}

func TestTemplatingExtensions(t *testing.T) {
	s := serve(t, nil)
	r := s.Do("GET", at+"/v2/templating-extensions", "")
	require.Equal(t, 200, r.Status)
	var got struct {
		Filters map[string]struct {
			Description string
			Schema      map[string]any
			Examples    []struct{ Example string }
		}
		Globals struct{ Functions, Values map[string]any }
	}
	require.NoError(t, json.Unmarshal(r.Body, &got))
	require.Len(t, got.Filters, 4)
	for _, name := range []string{"parseRepoUrl", "parseEntityRef", "pick", "projectSlug"} {
		f, there := got.Filters[name]
		require.True(t, there, name)
		require.NotEmpty(t, f.Description, name)
		require.Contains(t, f.Schema, "input", name)
		require.NotEmpty(t, f.Examples, name)
	}
	require.NotNil(t, got.Globals.Functions)
	require.NotNil(t, got.Globals.Values)
	refuses(t, s.Do("GET", at+"/v2/templating-extensions?x=1", ""), 400, "InputError", "Unknown query parameter 'x'")
}

// The document tells of every route that is checked; streams are not.
func TestOpenAPI(t *testing.T) {
	s := serve(t, nil)
	r := s.Do("GET", at+"/openapi.json", "")
	require.Equal(t, 200, r.Status)
	var got struct {
		OpenAPI string
		Info    struct{ Title string }
		Paths   map[string]map[string]struct{ OperationID string }
	}
	require.NoError(t, json.Unmarshal(r.Body, &got))
	require.Regexp(t, `^3\.`, got.OpenAPI)
	require.Equal(t, "scaffolder", got.Info.Title)
	ids := map[string]string{}
	for path, methods := range got.Paths {
		for method, o := range methods {
			ids[method+" "+path] = o.OperationID
		}
	}
	require.Equal(t, map[string]string{
		"get " + at + "/v2/templates/{namespace}/{kind}/{name}/parameter-schema": "GetTemplateParameterSchema",
		"get " + at + "/v2/actions":                             "ListActions",
		"get " + tasks:                                          "ListTasks",
		"post " + tasks:                                         "Scaffold",
		"get " + tasks + "/{taskId}":                            "GetTask",
		"post " + tasks + "/{taskId}/cancel":                    "CancelTask",
		"post " + tasks + "/{taskId}/retry":                     "Retry",
		"get " + tasks + "/{taskId}/events":                     "StreamLogsPolling",
		"post " + dryRuns:                                       "DryRun",
		"post " + at + "/v2/autocomplete/{provider}/{resource}": "Autocomplete",
		"get " + at + "/v2/templating-extensions":               "ListTemplatingExtensions",
	}, ids)
}

func TestAutocomplete(t *testing.T) {
	var asked [3]any
	s := serve(t, func(o *scaffolderapi.Options, _ *engine.Options) {
		o.Completers = map[string]scaffolderapi.Completer{"github": completer(func(resource, token string, context map[string]string) ([]scaffolderapi.Completion, error) {
			asked = [3]any{resource, token, context}
			switch resource {
			case "owners":
				return []scaffolderapi.Completion{{ID: "acme"}, {ID: "7", Title: "Seven"}}, nil
			case "nothing":
				return nil, nil
			}
			return nil, wire.InputError("Invalid resource: " + resource)
		})}
	})
	const github = at + "/v2/autocomplete/github/"
	r := s.Do("POST", github+"owners", `{"token":"the caller's token","context":{"host":"github.com"}}`)
	require.Equal(t, 200, r.Status)
	require.Equal(t, `{"results":[{"id":"acme"},{"id":"7","title":"Seven"}]}`, r.Text())
	require.Equal(t, [3]any{"owners", "the caller's token", map[string]string{"host": "github.com"}}, asked)
	require.Equal(t, `{"results":[]}`, s.Do("POST", github+"nothing", `{"token":"t","context":{}}`).Text())
	for _, c := range []struct{ name, path, body, message string }{
		{"an empty token", github + "owners", `{"token":"","context":{}}`, "Missing token query parameter"},
		{"no token", github + "owners", `{"context":{}}`, "request/body must have required property 'token'"},
		{"no context", github + "owners", `{"token":"t"}`, "request/body must have required property 'context'"},
		{"a context that is a text", github + "owners", `{"token":"t","context":"x"}`, "request/body/context must be object"},
		{"a member that is no text", github + "owners", `{"token":"t","context":{"host":1}}`, "request/body/context/host must be string"},
		{"a token that is no text", github + "owners", `{"token":1,"context":{}}`, "request/body/token must be string"},
		{"another provider", at + "/v2/autocomplete/svn/owners", `{"token":"t","context":{}}`, "Unsupported provider: svn"},
		{"another resource", github + "stars", `{"token":"t","context":{}}`, "Invalid resource: stars"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, s.Do("POST", c.path, c.body), 400, "InputError", c.message) })
	}
	require.NotContains(t, s.audits.String()+s.Log(), "the caller's token")
}
