package actions_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/require"
)

type people struct{ entity json.RawMessage }

func (p people) Entity(context.Context, string) (json.RawMessage, error) { return p.entity, nil }
func (p people) Ownership(_ context.Context, ref string) ([]string, error) {
	return []string{ref, "group:default/team"}, nil
}

func echo(plugin string) actions.Action {
	object := func(s string) *jsonvalue.Object {
		o, err := jsonvalue.ParseObject([]byte(s))
		if err != nil {
			panic(err)
		}
		return o
	}
	return actions.Action{Plugin: plugin, Name: "echo", Title: "Echo", Destructive: true,
		Input:  object(`{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"],"additionalProperties":false}`),
		Output: object(`{"type":"object"}`),
		Run: func(_ context.Context, who auth.Principal, input *jsonvalue.Object) (any, error) {
			if input.Value("n") == 13.0 {
				return nil, errors.New("unlucky hunter2")
			}
			return wire.Obj("n", input.Value("n"), "by", who.Subject), nil
		}}
}

func serve(t *testing.T, sources []string, list ...actions.Action) *apitest.Server {
	return apitest.New(t, func(o *api.Options, a *auth.Options) {
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		r := actions.New(authority, sources)
		for _, action := range list {
			require.NoError(t, r.Add(action))
		}
		o.Auth, o.Portal.Actions = authority, r
	})
}

const at = "/.backstage/actions"

func TestWhoAmI(t *testing.T) {
	s := serve(t, nil, actions.WhoAmI(people{json.RawMessage(`{"kind":"User","metadata":{"name":"guest"}}`)}))
	want := `{"output":{"entity":{"kind":"User","metadata":{"name":"guest"}},
		"userInfo":{"userEntityRef":"user:default/guest","ownershipEntityRefs":["user:default/guest","group:default/team"]}}}`
	for path, body := range map[string]string{
		"/v1/actions/auth:who-am-i/invoke":   `{}`,
		"/v1/actions/auth%3Awho-am-i/invoke": ``,
		"/v2/actions/auth:who-am-i/invoke":   `{"input":{"unknown":"is passed over"}}`,
	} {
		res := s.Do("POST", "/api/auth"+at+path, body)
		require.Equal(t, 200, res.Status, res.Text())
		require.JSONEq(t, want, res.Text())
		require.Equal(t, 403, s.Do("POST", "/api/auth"+at+path, body, apitest.As(apitest.ServiceToken)).Status)
		require.Equal(t, 401, s.Do("POST", "/api/auth"+at+path, body, apitest.Anonymous).Status, "though other paths of auth are open")
	}
	s = serve(t, nil, actions.WhoAmI(people{}))
	require.Equal(t, 404, s.Do("POST", "/api/auth"+at+"/v1/actions/auth:who-am-i/invoke", `{}`).Status, "the guest is in no catalog")
}

func TestList(t *testing.T) {
	s := serve(t, nil, echo("catalog"), actions.WhoAmI(people{}))
	res := s.Do("GET", "/api/catalog"+at+"/v1/actions", "", apitest.As(apitest.ServiceToken))
	require.JSONEq(t, `{"actions":[{"id":"catalog:echo","name":"echo","title":"Echo","description":"","pluginId":"catalog",
		"attributes":{"destructive":true,"idempotent":false,"readOnly":false},
		"schema":{"input":{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"],"additionalProperties":false},"output":{"type":"object"}}}]}`, res.Text())
	require.Contains(t, s.Do("GET", "/api/auth"+at+"/v1/actions", "").Text(), `"id":"auth:who-am-i"`)
	require.Equal(t, 401, s.Do("GET", "/api/auth"+at+"/v1/actions", "", apitest.Anonymous).Status)
	require.Equal(t, 404, s.Do("GET", "/api/permission"+at+"/v1/actions", "").Status, "a plugin without actions has no such route")

	s = serve(t, []string{"auth"}, echo("catalog"), actions.WhoAmI(people{}))
	require.JSONEq(t, `{"actions":[]}`, s.Do("GET", "/api/catalog"+at+"/v1/actions", "").Text())
	require.Equal(t, 404, s.Do("POST", "/api/catalog"+at+"/v1/actions/catalog:echo/invoke", `{"n":1}`).Status)
}

func TestInvoke(t *testing.T) {
	s := serve(t, nil, echo("catalog"), echo("auth"))
	for _, tc := range []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"input", "/v1/actions/catalog:echo/invoke", `{"n":2}`, 200, `{"output":{"n":2,"by":"user:default/guest"}}`},
		{"input in a wrapping", "/v2/actions/catalog:echo/invoke", `{"input":{"n":2}}`, 200, `"n":2`},
		{"of another plugin", "/v1/actions/auth:echo/invoke", `{"n":2}`, 404, `Action \"auth:echo\" not found`},
		{"of nobody", "/v1/actions/x/invoke", `{"n":2}`, 404, "not found"},
		{"an id that is no UTF-8", "/v1/actions/%FF/invoke", `{"n":2}`, 400, ""},
		{"nothing", "/v1/actions/catalog:echo/invoke", ``, 400, "Invalid input to action"},
		{"too small", "/v1/actions/catalog:echo/invoke", `{"n":0}`, 400, "/n must be"},
		{"a list", "/v1/actions/catalog:echo/invoke", `[1]`, 400, "Invalid input"},
		{"nothing in a wrapping", "/v2/actions/catalog:echo/invoke", `{}`, 400, "Invalid input"},
		{"secrets", "/v2/actions/catalog:echo/invoke", `{"input":{"n":2},"secrets":{"a":"b"}}`, 400, "does not accept secrets"},
		{"no JSON", "/v1/actions/catalog:echo/invoke", `{`, 400, ""},
		{"too large", "/v1/actions/catalog:echo/invoke", `{"n":"` + strings.Repeat("x", 101<<10) + `"}`, 413, ""},
		{"one that fails", "/v1/actions/catalog:echo/invoke", `{"n":13}`, 500, "logId"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := s.Do("POST", "/api/catalog"+at+tc.path, tc.body)
			require.Equal(t, tc.status, res.Status, res.Text())
			require.Contains(t, res.Text(), tc.says)
			require.NotContains(t, res.Text(), "hunter2")
		})
	}
}

func TestActionsThatMakeNoSense(t *testing.T) {
	r := actions.New(nil, nil)
	require.Error(t, r.Add(actions.Action{}))
	require.NoError(t, r.Add(echo("catalog")))
	require.ErrorContains(t, r.Add(echo("catalog")), "twice")
	bad := echo("x")
	bad.Input = wire.Obj("type", 5.0)
	require.ErrorContains(t, r.Add(bad), "input")
}
