package actions_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
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
		Input: object(`{"type":"object","properties":{"n":{"type":"integer","minimum":1},
			"deep":{"type":"object","properties":{"known":{"type":"boolean"}},"additionalProperties":false}},"required":["n"],"additionalProperties":false}`),
		Output: object(`{"type":"object"}`),
		Run: func(ctx context.Context, c actions.Call) (any, error) {
			switch c.Input.Value("n") {
			case 13.0:
				return nil, errors.New("unlucky hunter2")
			case 14.0:
				<-ctx.Done()
				return nil, ctx.Err()
			case 15.0:
				return wire.Obj("n", strings.Repeat("x", 2000)), nil
			}
			return wire.Obj("n", c.Input.Value("n"), "by", c.Subject), nil
		}}
}

// deniers denies permissions by name, to those whose subject is not "ci".
type deniers []string

func (d deniers) Decide(_ context.Context, who auth.Principal, p permission.Permission, _ string) (permission.Decision, error) {
	if slices.Contains(d, p.Name) && who.Subject != "ci" {
		return permission.Decision{Result: permission.Deny}, nil
	}
	return permission.Decision{Result: permission.Allow}, nil
}

func serve(t *testing.T, change func(*actions.Options, *auth.Options), list ...actions.Action) *apitest.Server {
	return apitest.New(t, func(o *api.Options, a *auth.Options) {
		ao := actions.Options{Decider: deniers{"secret.see"}}
		if change != nil {
			change(&ao, a)
		}
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		ao.Authenticator = authority
		r, err := actions.New(ao)
		require.NoError(t, err)
		require.NoError(t, r.Add(list...))
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
		"schema":{"input":{"type":"object","properties":{"n":{"type":"integer","minimum":1},
			"deep":{"type":"object","properties":{"known":{"type":"boolean"}},"additionalProperties":false}},"required":["n"],"additionalProperties":false},"output":{"type":"object"}}}]}`, res.Text())
	require.Contains(t, s.Do("GET", "/api/auth"+at+"/v1/actions", "").Text(), `"id":"auth:who-am-i"`)
	require.Equal(t, 401, s.Do("GET", "/api/auth"+at+"/v1/actions", "", apitest.Anonymous).Status)
	require.Equal(t, 404, s.Do("GET", "/api/permission"+at+"/v1/actions", "").Status, "a plugin without actions has no such route")

	s = serve(t, func(o *actions.Options, _ *auth.Options) { o.Sources = []string{"auth"} }, echo("catalog"), actions.WhoAmI(people{}))
	require.JSONEq(t, `{"actions":[]}`, s.Do("GET", "/api/catalog"+at+"/v1/actions", "").Text())
	require.Equal(t, 404, s.Do("POST", "/api/catalog"+at+"/v1/actions/catalog:echo/invoke", `{"n":1}`).Status)
}

func TestInvoke(t *testing.T) {
	s := serve(t, func(o *actions.Options, _ *auth.Options) { o.Timeout, o.MaxOutput = time.Millisecond, 1000 }, echo("catalog"), echo("auth"))
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
		{"input with too much, deep inside", "/v1/actions/catalog:echo/invoke", `{"n":2,"deep":{"known":true,"unknown":1}}`, 200, `"n":2`},
		{"too much output", "/v1/actions/catalog:echo/invoke", `{"n":15}`, 400, "no more than 1000 are passed on"},
		{"too long", "/v1/actions/catalog:echo/invoke", `{"n":14}`, 503, "did not end within 1ms"},
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
	_, err := actions.New(actions.Options{})
	require.Error(t, err)
	o := actions.Options{Decider: deniers{}, Authenticator: &auth.Authority{}}
	o.Filter.Exclude = []actions.Rule{{ID: "[a"}}
	_, err = actions.New(o)
	require.ErrorContains(t, err, "glob")
	o.Filter = actions.Filter{}
	r, err := actions.New(o)
	require.NoError(t, err)
	require.Error(t, r.Add(actions.Action{}))
	require.NoError(t, r.Add(echo("catalog")))
	require.ErrorContains(t, r.Add(echo("catalog")), "twice")
	bad := echo("x")
	bad.Input = wire.Obj("type", 5.0)
	require.ErrorContains(t, r.Add(bad), "input")
}

func named(plugin, name string, change func(*actions.Action)) actions.Action {
	a := echo(plugin)
	a.Name = name
	if change != nil {
		change(&a)
	}
	return a
}

func ids(t *testing.T, res apitest.Response) (out []string) {
	t.Helper()
	require.Equal(t, 200, res.Status, res.Text())
	var list struct{ Actions []struct{ ID string } }
	require.NoError(t, json.Unmarshal(res.Body, &list))
	for _, a := range list.Actions {
		out = append(out, a.ID)
	}
	return out
}

// An action that one may not see is not there.
func TestVisibility(t *testing.T) {
	s := serve(t, nil, echo("catalog"), named("catalog", "hidden", func(a *actions.Action) {
		a.Visibility = &permission.Permission{Plugin: "catalog", Name: "secret.see"}
	}))
	const invoke = "/api/catalog" + at + "/v1/actions/catalog:hidden/invoke"
	require.Equal(t, []string{"catalog:echo"}, ids(t, s.Do("GET", "/api/catalog"+at+"/v1/actions", "")))
	res := s.Do("POST", invoke, `{"n":2}`)
	require.Equal(t, 404, res.Status)
	require.Contains(t, res.Text(), `Action \"catalog:hidden\" not found`)

	ci := apitest.As(apitest.ServiceToken)
	require.Equal(t, []string{"catalog:echo", "catalog:hidden"}, ids(t, s.Do("GET", "/api/catalog"+at+"/v1/actions", "", ci)))
	require.Equal(t, 200, s.Do("POST", invoke, `{"n":2}`, ci).Status)
}

func TestFilter(t *testing.T) {
	yes := true
	all := []actions.Action{
		named("catalog", "get", func(a *actions.Action) { a.ReadOnly, a.Destructive = true, false }),
		named("catalog", "drop", nil), named("auth", "get", func(a *actions.Action) { a.Destructive = false }),
	}
	for _, tc := range []struct {
		name   string
		filter actions.Filter
		want   []string
	}{
		{"none", actions.Filter{}, []string{"catalog:get", "catalog:drop"}},
		{"by id", actions.Filter{Include: []actions.Rule{{ID: "catalog:g*"}, {ID: "auth:*"}}}, []string{"catalog:get"}},
		{"by attribute", actions.Filter{Exclude: []actions.Rule{{Destructive: &yes}}}, []string{"catalog:get"}},
		{"both must hold", actions.Filter{Exclude: []actions.Rule{{ID: "*:get", Destructive: &yes}}}, []string{"catalog:get", "catalog:drop"}},
		{"exclusion wins", actions.Filter{Include: []actions.Rule{{ID: "catalog:*"}}, Exclude: []actions.Rule{{ReadOnly: &yes}}}, []string{"catalog:drop"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(o *actions.Options, _ *auth.Options) { o.Filter = tc.filter }, all...)
			require.Equal(t, tc.want, ids(t, s.Do("GET", "/api/catalog"+at+"/v1/actions", "")))
			for _, id := range []string{"catalog:get", "catalog:drop"} {
				status := 404
				if slices.Contains(tc.want, id) {
					status = 200
				}
				require.Equal(t, status, s.Do("POST", "/api/catalog"+at+"/v1/actions/"+id+"/invoke", `{"n":2}`).Status, id)
			}
		})
	}
}

func TestStatusIsForServices(t *testing.T) {
	s := serve(t, nil, echo("catalog"))
	res := s.Do("GET", "/api/catalog"+at+"/v1/status", "", apitest.As(apitest.ServiceToken))
	require.JSONEq(t, `{"hasActions":true}`, res.Text())
	require.Equal(t, 403, s.Do("GET", "/api/catalog"+at+"/v1/status", "").Status)
}

// A token that is for one plugin sees and invokes nothing of another, whoever
// asks for it.
func TestRestrictedToken(t *testing.T) {
	const token = "a-token-for-the-catalog-alone"
	var r *actions.Registry
	s := apitest.New(t, func(o *api.Options, a *auth.Options) {
		a.External = append(a.External, auth.ExternalAccess{Type: "static", Token: token, Subject: "narrow",
			Restrictions: []auth.Restriction{{Plugin: "catalog"}}})
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		r, err = actions.New(actions.Options{Authenticator: authority, Decider: deniers{}})
		require.NoError(t, err)
		require.NoError(t, r.Add(echo("catalog"), echo("scaffolder")))
		o.Auth, o.Portal.Actions = authority, r
	})
	who, err := s.Auth.Authenticate(token, "catalog")
	require.NoError(t, err)
	list, err := r.For(t.Context(), who)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "catalog:echo", list[0].ID())
	_, err = r.Invoke(t.Context(), actions.Caller{Principal: who}, "scaffolder:echo", wire.Obj("n", 2.0))
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, err = r.Invoke(t.Context(), actions.Caller{}, "catalog:echo", wire.Obj("n", 2.0))
	require.ErrorIs(t, err, catalog.ErrNotAllowed, "nobody in particular")
}
