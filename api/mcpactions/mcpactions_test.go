package mcpactions_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/mcpactions"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// usersMayNot denies a permission to users, and not to services.
type usersMayNot struct{ name string }

func (d usersMayNot) Decide(_ context.Context, who auth.Principal, p permission.Permission, _ string) (permission.Decision, error) {
	if p.Name == "broken.policy" {
		return permission.Decision{}, errors.New("the policy is broken")
	}
	if p.Name == d.name && who.Kind == auth.User {
		return permission.Decision{}, nil
	}
	return permission.Decision{Result: permission.Allow}, nil
}

func action(plugin, name string, run func(context.Context, actions.Call) (any, error)) actions.Action {
	return actions.Action{
		Plugin: plugin, Name: name, Title: "Title of " + name, Description: "About " + name, Run: run,
		Input:  actions.Schema(`{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object"}`),
	}
}

func echo(_ context.Context, c actions.Call) (any, error) {
	return wire.Obj("n", c.Input.Value("n"), "by", c.Subject, "token", c.Token != ""), nil
}

// offered are the actions of the tests.
func offered() []actions.Action {
	fails := func(err error) func(context.Context, actions.Call) (any, error) {
		return func(context.Context, actions.Call) (any, error) { return nil, err }
	}
	get := action("catalog", "get-it", echo)
	get.ReadOnly, get.Idempotent = true, true
	drop := action("catalog", "drop-it", fails(wire.NotAllowed("")))
	drop.Destructive = true
	hidden := action("catalog", "hidden", echo)
	hidden.Visibility = &permission.Permission{Plugin: "catalog", Name: "secret.see"}
	return []actions.Action{
		get, drop, hidden,
		action("other", "missing", fails(wire.NotFound("It is not there"))),
		action("other", "broken", fails(errors.New("the password is hunter2"))),
		action("other", "slow", func(ctx context.Context, _ actions.Call) (any, error) { <-ctx.Done(); return nil, ctx.Err() }),
		action("other", "large", func(context.Context, actions.Call) (any, error) {
			return wire.Obj("text", strings.Repeat("x", 5000)), nil
		}),
	}
}

func serve(t *testing.T, change func(*mcpactions.Options), list ...actions.Action) (*apitest.Server, *httptest.Server) {
	t.Helper()
	s := apitest.New(t, func(o *api.Options, a *auth.Options) {
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		r, err := actions.New(actions.Options{Authenticator: authority, Decider: usersMayNot{"secret.see"}, Timeout: 50 * time.Millisecond, MaxOutput: 4000})
		require.NoError(t, err)
		require.NoError(t, r.Add(list...))
		o.Registry = prometheus.NewRegistry()
		mo := mcpactions.Options{Actions: r, Servers: []mcpactions.Server{{Name: "backstage", Instructions: "Be kind."}},
			Origins: []string{"https://portal.example.com", "https://*.example.org"}, Version: "1.2.3", Log: o.Logger, Auditor: audit.New(audit.Options{Log: o.Logger}), Registerer: o.Registry}
		if change != nil {
			change(&mo)
		}
		o.Auth, o.Portal.Actions = authority, r
		o.Portal.MCP, err = mcpactions.New(mo)
		require.NoError(t, err)
	})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h
}

// bearer adds a token to requests.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func connect(t *testing.T, h *httptest.Server, path, token string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: h.URL + "/api/mcp-actions" + path, HTTPClient: &http.Client{Transport: bearer(token)}, DisableStandaloneSSE: true,
	}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session
}

func tools(t *testing.T, s *mcp.ClientSession) (names []string) {
	t.Helper()
	res, err := s.ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, tool := range res.Tools {
		names = append(names, tool.Name)
	}
	return names
}

func call(t *testing.T, s *mcp.ClientSession, name, arguments string) (text string, isError bool) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(arguments)})
	require.NoError(t, err)
	require.Len(t, res.Content, 1)
	text = res.Content[0].(*mcp.TextContent).Text
	if !res.IsError {
		structured, err := json.Marshal(res.StructuredContent)
		require.NoError(t, err)
		require.JSONEq(t, text, string(structured))
	}
	return text, res.IsError
}

func TestClient(t *testing.T) {
	s, h := serve(t, nil, offered()...)
	session := connect(t, h, "/v1", s.Token)
	about := session.InitializeResult()
	require.Equal(t, "backstage", about.ServerInfo.Name)
	require.Equal(t, "1.2.3", about.ServerInfo.Version)
	require.Equal(t, "Be kind.", about.Instructions)
	capabilities, err := json.Marshal(about.Capabilities)
	require.NoError(t, err)
	require.JSONEq(t, `{"tools":{}}`, string(capabilities))

	res, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	i := slices.IndexFunc(res.Tools, func(tool *mcp.Tool) bool { return tool.Name == "catalog.get-it" })
	require.GreaterOrEqual(t, i, 0)
	tool, err := json.Marshal(res.Tools[i])
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"catalog.get-it","description":"About get-it",
		"annotations":{"title":"Title of get-it","readOnlyHint":true,"idempotentHint":true,"destructiveHint":false,"openWorldHint":false},
		"inputSchema":{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"n":{"type":"integer","minimum":1}},"additionalProperties":false}}`, string(tool))
	require.NotContains(t, tools(t, session), "catalog.hidden")
	require.Contains(t, tools(t, connect(t, h, "/v1", apitest.ServiceToken)), "catalog.hidden")
}

func TestCalls(t *testing.T) {
	s, h := serve(t, nil, offered()...)
	session := connect(t, h, "/v1", s.Token)
	for _, tc := range []struct {
		name, tool, arguments string
		isError               bool
		says                  string
	}{
		{"one that works", "catalog.get-it", `{"n":2}`, false, `{"n":2,"by":"user:default/guest","token":true}`},
		{"in a spelling without dots", "catalog_get_it", `{"n":2}`, false, `"n":2`},
		{"without arguments", "catalog.get-it", `null`, false, `"by"`},
		{"input that does not fit", "catalog.get-it", `{"n":0}`, true, `InputError: Invalid input to action "catalog:get-it"; caused by Error: /n must be >= 1`},
		{"input that is no object", "catalog.get-it", `[1]`, true, "InputError: Invalid input"},
		{"what is not allowed", "catalog.drop-it", `{}`, true, "NotAllowedError: a permission that this needs is not given to you"},
		{"what may not be seen", "catalog.hidden", `{}`, true, `NotFoundError: Action "catalog.hidden" not found`},
		{"what nobody knows", "catalog.invented", `{}`, true, `NotFoundError: Action "catalog.invented" not found`},
		{"something missing", "other.missing", `{}`, true, "NotFoundError: It is not there"},
		{"a fault of ours", "other.broken", `{}`, true, "Error: An internal error occurred logId="},
		{"too slow", "other.slow", `{}`, true, "ServiceUnavailableError: Action \"other:slow\" did not end within 50ms"},
		{"too large", "other.large", `{}`, true, "no more than 4000 are passed on"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, isError := call(t, session, tc.tool, tc.arguments)
			require.Equal(t, tc.isError, isError, text)
			require.Contains(t, text, tc.says)
			require.NotContains(t, text, "hunter2")
		})
	}
	require.Contains(t, s.Log(), "hunter2", "the log knows")
	metrics := s.Do("GET", "/metrics", "").Text()
	require.Contains(t, metrics, `mcp_server_operation_duration_seconds_count{error_type="",gen_ai_tool_name="catalog.get-it",mcp_method_name="tools/call"} 3`)
	require.NotContains(t, metrics, "invented", "clients do not make up labels")
}

func TestServers(t *testing.T) {
	no, yes := false, true
	s, h := serve(t, func(o *mcpactions.Options) {
		o.PlainNames = true
		o.Servers = append(o.Servers, mcpactions.Server{Key: "read", Name: "Reads", Filter: actions.Filter{
			Include: []actions.Rule{{ID: "catalog:*"}}, Exclude: []actions.Rule{{Destructive: &yes}}}},
			mcpactions.Server{Key: "write", Name: "Writes", Filter: actions.Filter{Include: []actions.Rule{{ReadOnly: &no, ID: "catalog:*"}}}})
	}, offered()...)
	require.Contains(t, tools(t, connect(t, h, "/v1", s.Token)), "missing", "the default one has everything")
	read := connect(t, h, "/v1/read", s.Token)
	require.Equal(t, "Reads", read.InitializeResult().ServerInfo.Name)
	require.Equal(t, []string{"get-it"}, tools(t, read))
	require.Equal(t, []string{"drop-it"}, tools(t, connect(t, h, "/v1/write", s.Token)))
	text, isError := call(t, read, "drop-it", `{}`)
	require.True(t, isError)
	require.Contains(t, text, "not found", "what a server has not cannot be called there")
	require.Equal(t, 404, s.Do("POST", "/api/mcp-actions/v1/none", `{}`).Status)
	require.Equal(t, 404, s.Do("GET", "/api/mcp-actions/v1/sse", "").Status)
}

// For clients whose models take letters, digits and underscores alone.
func TestSimpleNames(t *testing.T) {
	s, h := serve(t, func(o *mcpactions.Options) { o.SimpleNames = true }, offered()...)
	session := connect(t, h, "/v1", s.Token)
	require.Equal(t, []string{"catalog_drop_it", "catalog_get_it", "other_broken", "other_large", "other_missing", "other_slow"}, tools(t, session))
	for _, name := range []string{"catalog_get_it", "catalog.get-it"} {
		text, isError := call(t, session, name, `{"n":2}`)
		require.False(t, isError, text)
	}
}

// Where nobody can say what a caller sees, nothing is shown, and why is not
// told.
func TestPermissionsThatCannotBeAsked(t *testing.T) {
	s, _ := serve(t, nil, append(offered(), named("broken.policy"))...)
	res := s.Do("POST", "/api/mcp-actions/v1", list, apitest.With("Accept", accept))
	require.Equal(t, 500, res.Status)
	require.JSONEq(t, `{"jsonrpc":"2.0","error":{"code":-32000,"message":"Internal server error"},"id":null}`, res.Text())
	require.Contains(t, s.Log(), "the policy is broken")
}

// named is an action that needs a permission to be seen.
func named(permissionName string) actions.Action {
	a := action("other", "guarded", echo)
	a.Visibility = &permission.Permission{Plugin: "other", Name: permissionName}
	return a
}

// Whatever is sent, the answer is one of HTTP and JSON-RPC, and soon.
func FuzzMessages(f *testing.F) {
	authority := &auth.Authority{}
	r, err := actions.New(actions.Options{Authenticator: authority, Decider: usersMayNot{}})
	require.NoError(f, err)
	require.NoError(f, r.Add(action("catalog", "get-it", echo)))
	m, err := mcpactions.New(mcpactions.Options{Actions: r, Servers: []mcpactions.Server{{Name: "x"}}})
	require.NoError(f, err)
	for _, seed := range []string{list, "[" + list + "]", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"catalog.get-it","arguments":{"n":1}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":null,"result":{}}`, `{"method":5}`, "[]", "null", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		ctx := auth.WithPrincipal(t.Context(), auth.Principal{Kind: auth.User, Subject: "user:default/jane"})
		c.Request = httptest.NewRequestWithContext(ctx, "POST", "/", strings.NewReader(body))
		c.Request.Header.Set("Content-Type", "application/json")
		c.Request.Header.Set("Accept", accept)
		m.Serve("")(c)
		require.Contains(t, []int{200, 202, 400, 413}, w.Code, w.Body)
	})
}

const (
	list   = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	accept = "application/json, text/event-stream"
)

func TestRequests(t *testing.T) {
	s, _ := serve(t, nil, offered()...)
	const path = "/api/mcp-actions/v1"
	with := apitest.With("Accept", accept)
	origin := func(o string) apitest.RequestOption { return apitest.With("Origin", o) }
	for _, tc := range []struct {
		name, method, body string
		options            []apitest.RequestOption
		status             int
		says               string
	}{
		{"a list", "POST", list, nil, 200, `"catalog.get-it"`},
		{"from the portal", "POST", list, []apitest.RequestOption{origin("https://portal.example.com")}, 200, "get-it"},
		{"from a page that may", "POST", list, []apitest.RequestOption{origin("https://A.example.org")}, 200, "get-it"},
		{"from a page that may not", "POST", list, []apitest.RequestOption{origin("https://evil.example.net")}, 403, "backend.cors.origin"},
		{"from a page of a rebound name", "POST", list, []apitest.RequestOption{origin("http://evil.example.net:7007"), func(r *http.Request) { r.Host = "evil.example.net:7007" }}, 403, "NotAllowedError"},
		{"from no page in particular", "POST", list, []apitest.RequestOption{origin("null")}, 403, "NotAllowedError"},
		{"behind a proxy", "POST", list, []apitest.RequestOption{func(r *http.Request) { r.Host = "portal.example.com" }}, 200, "get-it"},
		{"of nobody", "POST", list, []apitest.RequestOption{apitest.Anonymous}, 401, "Missing credentials"},
		{"with a wrong token", "POST", list, []apitest.RequestOption{apitest.As("x")}, 401, "Illegal token"},
		{"GET", "GET", "", nil, 405, `{"error":{"code":-32000,"message":"Method not allowed."},"id":null,"jsonrpc":"2.0"}`},
		{"DELETE", "DELETE", "", nil, 405, "Method not allowed."},
		{"no JSON", "POST", `{"jsonrpc"`, nil, 400, `"code":-32700`},
		{"no message", "POST", `{"hello":"world"}`, nil, 400, ""},
		{"two messages", "POST", "[" + list + "," + strings.Replace(list, ":1,", ":2,", 1) + "]", nil, 200, `"id":2`},
		{"too many messages", "POST", "[" + strings.Repeat(list+",", 20) + list + "]", nil, 400, "more than 20"},
		{"too deep", "POST", strings.Repeat("[", 600_000), nil, 400, "Parse error"},
		{"too large", "POST", `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "1 MiB"},
		{"another type", "POST", list, []apitest.RequestOption{apitest.With("Content-Type", "text/plain")}, 415, "application/json"},
		{"not to be answered", "POST", list, []apitest.RequestOption{apitest.With("Accept", "text/html")}, 400, ""},
		{"a method of nobody", "POST", `{"jsonrpc":"2.0","id":1,"method":"tools/eat"}`, nil, 400, "unsupported"},
		{"a method of what is not there", "POST", `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, nil, 200, `"resources":[]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := s.Do(tc.method, path, tc.body, append([]apitest.RequestOption{with}, tc.options...)...)
			require.Equal(t, tc.status, res.Status, res.Text())
			require.Contains(t, res.Text(), tc.says)
		})
	}
}

// Where the default policy is switched off, tools still have to know for whom
// they act.
func TestNobodyIsNoCallerWhateverThePolicy(t *testing.T) {
	s := apitest.New(t, func(o *api.Options, a *auth.Options) {
		a.DisableDefaultPolicy = true
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		r, err := actions.New(actions.Options{Authenticator: authority, Decider: usersMayNot{}})
		require.NoError(t, err)
		o.Auth = authority
		o.Portal.MCP, err = mcpactions.New(mcpactions.Options{Actions: r, Servers: []mcpactions.Server{{Name: "x"}}})
		require.NoError(t, err)
	})
	res := s.Do("POST", "/api/mcp-actions/v1", list, apitest.Anonymous, apitest.With("Accept", accept))
	require.Equal(t, 401, res.Status)
	require.Equal(t, 200, s.Do("POST", "/api/mcp-actions/v1", list, apitest.With("Accept", accept)).Status)
}

// What is done and by whom is in the log; what tools were told is not.
func TestAudit(t *testing.T) {
	s, h := serve(t, nil, offered()...)
	session := connect(t, h, "/v1", s.Token)
	call(t, session, "catalog.get-it", `{"n":4711}`)
	call(t, session, "catalog.drop-it", `{}`)
	call(t, session, strings.Repeat("long", 1000), `{}`)
	var found []string
	lines := bufio.NewScanner(strings.NewReader(s.Log()))
	for lines.Scan() {
		var l struct {
			Msg    string
			Status any // a number in the access log
			Actor  struct{ ActorID string }
			Meta   struct{ ToolName string }
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
		if l.Msg == "mcp-actions.tool-execution" && l.Status != "initiated" {
			found = append(found, l.Meta.ToolName[:min(20, len(l.Meta.ToolName))]+" "+l.Actor.ActorID+" "+fmt.Sprint(l.Status))
			require.LessOrEqual(t, len(l.Meta.ToolName), 200)
		}
	}
	require.Equal(t, []string{
		"catalog.get-it user:default/guest succeeded",
		"catalog.drop-it user:default/guest failed",
		"longlonglonglonglong user:default/guest failed",
	}, found)
	require.NotContains(t, s.Log(), "4711")
}

// A call ends when its client has gone.
func TestCallEndsWithItsClient(t *testing.T) {
	ended := make(chan struct{})
	started := make(chan struct{})
	s, h := serve(t, nil, action("other", "waits", func(ctx context.Context, _ actions.Call) (any, error) {
		close(started)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", h.URL+"/api/mcp-actions/v1",
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"other.waits","arguments":{}}}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if res, err := http.DefaultClient.Do(r); err == nil {
			res.Body.Close()
		}
	}()
	<-started
	cancel()
	<-ended
	<-done
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	_, err := mcpactions.New(mcpactions.Options{})
	require.Error(t, err)
	r, err := actions.New(actions.Options{Authenticator: &auth.Authority{}, Decider: usersMayNot{}})
	require.NoError(t, err)
	for _, o := range []mcpactions.Options{
		{Actions: r}, {Actions: r, Servers: []mcpactions.Server{{}}},
		{Actions: r, Servers: []mcpactions.Server{{Name: "a"}, {Name: "b"}}},
		{Actions: r, Servers: []mcpactions.Server{{Name: "a"}}, Origins: []string{"["}},
	} {
		_, err := mcpactions.New(o)
		require.Error(t, err)
	}
}
