package oauthserver_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/oauthserver"
	"github.com/greenroom-idp/greenroom/api/auth/oauthserver/boltgrants"
	"github.com/greenroom-idp/greenroom/api/mcpactions"
)

// A world is a backend with an OAuth server, and a clock.
type world struct {
	*apitest.Server
	t    *testing.T
	time time.Time
	dir  string
}

func (w *world) now() time.Time { return w.time }

const (
	base     = "https://backend.example.com"
	callback = "http://127.0.0.1:8080/callback"
	verifier = "a-verifier-of-the-test-that-is-long-enough-for-pkce"
)

func newWorld(t *testing.T, change func(*oauthserver.Options)) *world {
	t.Helper()
	w := &world{t: t, time: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), dir: t.TempDir()}
	db, err := bbolt.Open(filepath.Join(w.dir, "x.db"), 0o600, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, err := boltgrants.Open(db)
	require.NoError(t, err)
	w.Server = apitest.New(t, func(o *api.Options, a *auth.Options) {
		a.BaseURL, a.Now = base, w.now
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		oo := oauthserver.Options{BaseURL: base, AppURL: "https://portal.example.com/", Issuer: authority, Store: store, Now: w.now, Log: o.Logger,
			Registration: &oauthserver.Registration{}, Resources: []string{"/api/mcp-actions/v1"}}
		if change != nil {
			change(&oo)
		}
		registry, err := actions.New(actions.Options{Authenticator: authority, Decider: o.Permission})
		require.NoError(t, err)
		o.Auth = authority
		o.Portal.MCP, err = mcpactions.New(mcpactions.Options{Actions: registry, Servers: []mcpactions.Server{{Name: "x"}}})
		require.NoError(t, err)
		o.Portal.OAuth, err = oauthserver.New(oo)
		require.NoError(t, err)
	})
	return w
}

// object reads an answer.
func object(t *testing.T, res apitest.Response) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal(res.Body, &out), res.Text())
	return out
}

// register registers a client, and returns what it is told.
func (w *world) register(body string) map[string]any {
	w.t.Helper()
	res := w.Do("POST", "/api/auth/v1/register", body, apitest.Anonymous)
	require.Equal(w.t, 201, res.Status, res.Text())
	return object(w.t, res)
}

func (w *world) public() string {
	w.t.Helper()
	return w.register(`{"client_name":"Editor","redirect_uris":["` + callback + `"],"token_endpoint_auth_method":"none"}`)["client_id"].(string)
}

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asking is a request of a client that is right, with changes: a value of ""
// leaves a parameter out.
func asking(client string, changes ...string) string {
	q := url.Values{"client_id": {client}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s t&te"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"}}
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return "/api/auth/v1/authorize?" + q.Encode()
}

// ask begins, and returns the id of the session.
func (w *world) ask(client string, changes ...string) string {
	w.t.Helper()
	res := w.Do("GET", asking(client, changes...), "", apitest.Anonymous)
	require.Equal(w.t, 302, res.Status, res.Text())
	id, ok := strings.CutPrefix(res.Header.Get("Location"), "https://portal.example.com/oauth2/authorize/")
	require.True(w.t, ok, res.Header.Get("Location"))
	return id
}

// allow answers a session, and returns where the browser goes.
func (w *world) allow(session string) url.Values {
	w.t.Helper()
	res := w.Do("POST", "/api/auth/v1/sessions/"+session+"/approve", `{}`)
	require.Equal(w.t, 200, res.Status, res.Text())
	u, err := url.Parse(object(w.t, res)["redirectUrl"].(string))
	require.NoError(w.t, err)
	require.Equal(w.t, callback, u.Scheme+"://"+u.Host+u.Path)
	return u.Query()
}

// post sends a form.
func (w *world) post(path string, keysAndValues ...string) apitest.Response {
	w.t.Helper()
	q := url.Values{}
	for i := 0; i < len(keysAndValues); i += 2 {
		q.Set(keysAndValues[i], keysAndValues[i+1])
	}
	return w.Do("POST", "/api/auth/v1/"+path, q.Encode(), apitest.Anonymous, apitest.With("Content-Type", "application/x-www-form-urlencoded"))
}

func (w *world) exchange(client, code string, changes ...string) apitest.Response {
	w.t.Helper()
	return w.post("token", append([]string{"grant_type", "authorization_code", "client_id", client, "code", code,
		"redirect_uri", callback, "code_verifier", verifier}, changes...)...)
}

func TestFromRegistrationToToken(t *testing.T) {
	w := newWorld(t, nil)
	told := w.register(`{"client_name":"Editor","redirect_uris":["` + callback + `"],"token_endpoint_auth_method":"none","unknown":1}`)
	require.Equal(t, map[string]any{"client_id": told["client_id"], "client_id_issued_at": 1767268800.0, "client_name": "Editor",
		"redirect_uris": []any{callback}, "response_types": []any{"code"}, "grant_types": []any{"authorization_code"}, "token_endpoint_auth_method": "none"}, told)
	client := told["client_id"].(string)

	session := w.ask(client, "scope", "openid", "resource", base+"/api/mcp-actions/v1")
	res := w.Do("GET", "/api/auth/v1/sessions/"+session, "", apitest.Anonymous)
	require.JSONEq(t, `{"id":"`+session+`","clientId":"`+client+`","clientName":"Editor","scope":"openid","redirectUri":"`+callback+`"}`, res.Text())
	back := w.allow(session)
	require.Equal(t, "s t&te", back.Get("state"))
	require.Equal(t, base+"/api/auth", back.Get("iss"))

	res = w.exchange(client, back.Get("code"))
	require.Equal(t, 200, res.Status, res.Text())
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	token := object(t, res)
	require.Equal(t, map[string]any{"access_token": token["access_token"], "id_token": token["access_token"], "token_type": "Bearer", "expires_in": 3600.0, "scope": "openid"}, token)
	who, err := w.Auth.Authenticate(token["access_token"].(string), "catalog")
	require.NoError(t, err)
	require.Equal(t, "user:default/guest", who.Subject)
	require.NotContains(t, w.Log(), back.Get("code"))
	require.NotContains(t, w.Log(), token["access_token"])
}

func TestUserSaysNo(t *testing.T) {
	w := newWorld(t, nil)
	session := w.ask(w.public())
	res := w.Do("POST", "/api/auth/v1/sessions/"+session+"/reject", `{}`)
	require.Equal(t, 200, res.Status, res.Text())
	u, err := url.Parse(object(t, res)["redirectUrl"].(string))
	require.NoError(t, err)
	require.Equal(t, url.Values{"error": {"access_denied"}, "error_description": {"User denied the request"}, "state": {"s t&te"}, "iss": {base + "/api/auth"}}, u.Query())
	for _, answer := range []string{"approve", "reject"} {
		require.Equal(t, 400, w.Do("POST", "/api/auth/v1/sessions/"+session+"/"+answer, `{}`).Status, "it has been answered")
	}
	require.Equal(t, 400, w.Do("GET", "/api/auth/v1/sessions/"+session, "").Status)
}

// Only a user can answer, with their own token.
func TestWhoMayAnswer(t *testing.T) {
	w := newWorld(t, nil)
	session := w.ask(w.public())
	for _, answer := range []string{"approve", "reject"} {
		path := "/api/auth/v1/sessions/" + session + "/" + answer
		require.Equal(t, 401, w.Do("POST", path, `{}`, apitest.Anonymous).Status)
		cookie := w.Do("GET", "/api/catalog/.backstage/auth/v1/cookie", "").Header.Get("Set-Cookie")
		require.Equal(t, 401, w.Do("POST", path, `{}`, apitest.Anonymous, apitest.With("Cookie", cookie)).Status, "another site could send it")
		res := w.Do("POST", path, `{}`, apitest.As(apitest.ServiceToken))
		require.Equal(t, 403, res.Status)
		require.JSONEq(t, `{"error":"access_denied","error_description":"Authentication required"}`, res.Text())
	}
	w.allow(session)
}

// What is wrong before it is clear who the client is, is told to the browser;
// it is sent nowhere.
func TestRequestsOfNobodyInParticular(t *testing.T) {
	w := newWorld(t, nil)
	client := w.public()
	for _, tc := range []struct{ name, target string }{
		{"no client", asking("")},
		{"an unknown client", asking("unknown")},
		{"a document, which is not enabled", asking("https://claude.ai/client.json")},
		{"nowhere", asking(client, "redirect_uri", "")},
		{"somewhere else", asking(client, "redirect_uri", "https://evil.example.com/callback")},
		{"another path", asking(client, "redirect_uri", callback+"/more")},
		{"another name of this machine", asking(client, "redirect_uri", "http://localhost:8080/callback")},
		{"a fragment", asking(client, "redirect_uri", callback+"#x")},
		{"a script", asking(client, "redirect_uri", "javascript:alert(1)")},
		{"somebody else's name", asking(client, "redirect_uri", "http://127.0.0.1:8080@evil.example.com/callback")},
		{"a backslash", asking(client, "redirect_uri", `http://127.0.0.1:8080\@evil.example.com/callback`)},
		{"two places", asking(client) + "&redirect_uri=https%3A%2F%2Fevil.example.com"},
		{"no type", asking(client, "response_type", "")},
		{"a query that is none", "/api/auth/v1/authorize?%zz"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := w.Do("GET", tc.target, "", apitest.Anonymous)
			require.Equal(t, 400, res.Status, res.Text())
			require.Equal(t, "invalid_request", object(t, res)["error"])
			require.Empty(t, res.Header.Get("Location"))
		})
	}
	// A program on this machine listens on whatever port is free.
	w.ask(client, "redirect_uri", "http://127.0.0.1:55555/callback")
}

// What a known client does wrong is told to it.
func TestRequestsThatMakeNoSense(t *testing.T) {
	w := newWorld(t, nil)
	client := w.public()
	for _, tc := range []struct {
		name, key, value, want string
	}{
		{"the implicit flow", "response_type", "token", "unsupported_response_type"},
		{"no PKCE", "code_challenge", "", "invalid_request"},
		{"PKCE that hides nothing", "code_challenge_method", "plain", "invalid_request"},
		{"PKCE of no method", "code_challenge_method", "", "invalid_request"},
		{"no hash", "code_challenge", "short", "invalid_request"},
		{"a hash in another alphabet", "code_challenge", strings.Repeat("+", 43), "invalid_request"},
		{"another scope", "scope", "openid admin", "invalid_scope"},
		{"a long state", "state", strings.Repeat("x", 5000), "invalid_request"},
		{"another resource", "resource", "https://other.example.com/api", "invalid_target"},
		{"a resource that only begins the same", "resource", base + ".evil.example.com", "invalid_target"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := w.Do("GET", asking(client, tc.key, tc.value), "", apitest.Anonymous)
			require.Equal(t, 302, res.Status, res.Text())
			u, err := url.Parse(res.Header.Get("Location"))
			require.NoError(t, err)
			require.Equal(t, "127.0.0.1:8080", u.Host)
			require.Equal(t, tc.want, u.Query().Get("error"))
			require.NotEmpty(t, u.Query().Get("state"))
		})
	}
}

func TestCodes(t *testing.T) {
	w := newWorld(t, nil)
	client, other := w.public(), w.public()
	refused := func(res apitest.Response, status int, want string) {
		t.Helper()
		require.Equal(t, status, res.Status, res.Text())
		require.Equal(t, want, object(t, res)["error"], res.Text())
	}
	for name, changes := range map[string][]string{
		"another verifier": {"code_verifier", "x"},
		"no verifier":      {"code_verifier", ""},
		"another client":   {"client_id", other},
		"another place":    {"redirect_uri", "http://127.0.0.1:9999/callback"},
	} {
		t.Run(name, func(t *testing.T) {
			code := w.allow(w.ask(client)).Get("code")
			refused(w.exchange(client, code, changes...), 400, "invalid_grant")
			refused(w.exchange(client, code), 400, "invalid_grant")
		})
	}
	code := w.allow(w.ask(client)).Get("code")
	require.Equal(t, 200, w.exchange(client, code).Status)
	refused(w.exchange(client, code), 400, "invalid_grant")

	code = w.allow(w.ask(client)).Get("code")
	w.time = w.time.Add(11 * time.Minute)
	refused(w.exchange(client, code), 400, "invalid_grant")

	refused(w.exchange("", code), 401, "invalid_client")
	refused(w.exchange("unknown", code), 401, "invalid_client")
	refused(w.exchange(client, ""), 400, "invalid_request")
	refused(w.exchange(client, code, "grant_type", "password"), 400, "unsupported_grant_type")
	refused(w.exchange(client, code, "grant_type", ""), 400, "invalid_request")
	refused(w.exchange(client, code, "grant_type", "refresh_token"), 400, "unsupported_grant_type")
	refused(w.Do("POST", "/api/auth/v1/token", "code=1&code=2", apitest.With("Content-Type", "application/x-www-form-urlencoded")), 400, "invalid_request")
	large := w.exchange(client, strings.Repeat("x", 65<<10))
	refused(large, 400, "invalid_request")

	session := w.ask(client)
	w.Token = object(t, w.Do("GET", "/api/auth/guest/refresh", ""))["backstageIdentity"].(map[string]any)["token"].(string)
	w.time = w.time.Add(61 * time.Minute)
	w.Token = object(t, w.Do("GET", "/api/auth/guest/refresh", ""))["backstageIdentity"].(map[string]any)["token"].(string)
	refused(w.Do("POST", "/api/auth/v1/sessions/"+session+"/approve", `{}`), 400, "invalid_request")
}

// A client with a secret proves that it is the one, in either way.
func TestClientsWithASecret(t *testing.T) {
	w := newWorld(t, nil)
	told := w.register(`{"redirect_uris":["` + callback + `"]}`)
	client, password := told["client_id"].(string), told["client_secret"].(string)
	require.Equal(t, "client_secret_basic", told["token_endpoint_auth_method"])
	require.Equal(t, 0.0, told["client_secret_expires_at"])
	require.Equal(t, "Unnamed client", told["client_name"])
	require.Equal(t, 401, w.exchange(client, "x").Status)
	require.Equal(t, 401, w.exchange(client, "x", "client_secret", "wrong").Status)
	require.Equal(t, 200, w.exchange(client, w.allow(w.ask(client)).Get("code"), "client_secret", password).Status)
	body, err := json.Marshal(map[string]string{"grant_type": "authorization_code", "code": w.allow(w.ask(client)).Get("code"),
		"redirect_uri": callback, "code_verifier": verifier})
	require.NoError(t, err)
	basic := func(secret string) apitest.RequestOption {
		return func(r *http.Request) { r.SetBasicAuth(client, secret) }
	}
	require.Equal(t, 401, w.Do("POST", "/api/auth/v1/token", string(body), basic("wrong")).Status)
	res := w.Do("POST", "/api/auth/v1/token", string(body), basic(password))
	require.Equal(t, 200, res.Status, res.Text())
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	for name, body := range map[string]string{
		"nowhere":              `{}`,
		"an empty list":        `{"redirect_uris":[]}`,
		"another type":         `{"redirect_uris":[5]}`,
		"another host":         `{"redirect_uris":["https://evil.example.com/cb"]}`,
		"one of two":           `{"redirect_uris":["` + callback + `","https://evil.example.com/cb"]}`,
		"a script":             `{"redirect_uris":["javascript://localhost/%0aalert(1)"]}`,
		"this machine, almost": `{"redirect_uris":["http://localhost.evil.example.com/cb"]}`,
		"another method":       `{"redirect_uris":["` + callback + `"],"token_endpoint_auth_method":"private_key_jwt"}`,
		"too many":             `{"redirect_uris":[` + strings.Repeat(`"`+callback+`",`, 20) + `"` + callback + `"]}`,
		"no JSON":              `{`,
		"too large":            `{"client_name":"` + strings.Repeat("x", 65<<10) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			res := w.Do("POST", "/api/auth/v1/register", body, apitest.Anonymous)
			require.Contains(t, []int{400, 413}, res.Status, res.Text())
		})
	}
	require.Equal(t, 400, w.post("register", "redirect_uris", callback).Status, "a form")
	told := w.register(`{"client_name":"a\u202eb\n` + strings.Repeat("x", 500) + `","redirect_uris":["cursor://anysphere.cursor/oauth"]}`)
	require.Equal(t, "ab"+strings.Repeat("x", 198), told["client_name"])

	w = newWorld(t, func(o *oauthserver.Options) { o.Registration.Redirects = []string{} })
	require.Equal(t, 400, w.Do("POST", "/api/auth/v1/register", `{"redirect_uris":["`+callback+`"]}`).Status, "an empty list allows nothing")
}

// Whoever registers and asks without end pushes out what nobody uses.
func TestWhatIsStoredIsBounded(t *testing.T) {
	w := newWorld(t, func(o *oauthserver.Options) { o.MaxClients, o.MaxSessions = 3, 3 })
	used := w.public()
	w.allow(w.ask(used))
	var clients, sessions []string
	for range 5 {
		w.time = w.time.Add(time.Second)
		clients = append(clients, w.public())
		sessions = append(sessions, w.ask(used))
	}
	for i, client := range clients {
		require.Equal(t, i >= 2, w.Do("GET", asking(client), "").Status == 302, "client %d", i)
	}
	w.ask(used)
	found := 0
	for _, id := range sessions {
		if w.Do("GET", "/api/auth/v1/sessions/"+id, "").Status == 200 {
			found++
		}
	}
	require.LessOrEqual(t, found, 3)
	w.time = w.time.Add(8 * 24 * time.Hour)
	require.Equal(t, 400, w.Do("GET", asking(clients[4]), "").Status, "nobody has used it")
	require.Equal(t, 302, w.Do("GET", asking(used), "").Status)
}

func TestRefresh(t *testing.T) {
	w := newWorld(t, func(o *oauthserver.Options) { o.Refresh = &oauthserver.Refresh{GoneUsers: true, PerUser: 2} })
	client, other := w.public(), w.public()
	first := func() string {
		t.Helper()
		token, _ := object(t, w.exchange(client, w.allow(w.ask(client, "scope", "openid offline_access")).Get("code")))["refresh_token"].(string)
		require.NotEmpty(t, token)
		w.time = w.time.Add(time.Second)
		return token
	}
	refresh := func(token, client string) (int, string) {
		t.Helper()
		res := w.post("token", "grant_type", "refresh_token", "refresh_token", token, "client_id", client)
		next, _ := object(t, res)["refresh_token"].(string)
		return res.Status, next
	}
	require.NotContains(t, object(t, w.exchange(client, w.allow(w.ask(client)).Get("code"))), "refresh_token", "nobody asked for it")

	one := first()
	status, _ := refresh(one, other)
	require.Equal(t, 400, status, "another client")
	status, two := refresh(one, client)
	require.Equal(t, 200, status)
	status, three := refresh(two, client)
	require.Equal(t, 200, status)
	status, _ = refresh(two, client)
	require.Equal(t, 400, status, "it was replaced")
	status, _ = refresh(three, client)
	require.Equal(t, 400, status, "somebody else had it, so all is over")

	a, b := first(), first()
	c := first()
	status, _ = refresh(a, client)
	require.Equal(t, 400, status, "two are enough, and it was the oldest")
	status, b = refresh(b, client)
	require.Equal(t, 200, status)
	require.Equal(t, 200, w.post("revoke", "token", c, "client_id", other).Status)
	status, c = refresh(c, client)
	require.Equal(t, 200, status, "others cannot revoke it")
	require.Equal(t, 200, w.post("revoke", "token", c, "client_id", client).Status)
	status, _ = refresh(c, client)
	require.Equal(t, 400, status)
	require.Equal(t, 200, w.post("revoke", "token", "unknown", "client_id", client).Status)
	require.Equal(t, 401, w.post("revoke", "token", b).Status)
	require.Equal(t, 400, w.post("revoke", "client_id", client).Status)

	w.time = w.time.Add(31 * 24 * time.Hour)
	status, _ = refresh(b, client)
	require.Equal(t, 400, status, "too old")
	for _, bad := range []string{"", ".", "x", "x.y", strings.Repeat("x", 40000)} {
		status, _ = refresh(bad, client)
		require.Equal(t, 400, status)
	}
}

// A chain of refresh tokens has an end, however often it goes on.
func TestRefreshEnds(t *testing.T) {
	w := newWorld(t, func(o *oauthserver.Options) {
		o.Refresh = &oauthserver.Refresh{GoneUsers: true, Lifetime: time.Hour, MaxLifetime: 150 * time.Minute}
	})
	client := w.public()
	token := object(t, w.exchange(client, w.allow(w.ask(client, "scope", "offline_access")).Get("code")))["refresh_token"].(string)
	for _, want := range []int{200, 200, 200, 400} {
		w.time = w.time.Add(45 * time.Minute)
		res := w.post("token", "grant_type", "refresh_token", "refresh_token", token, "client_id", client)
		require.Equal(t, want, res.Status, res.Text())
		token, _ = object(t, res)["refresh_token"].(string)
	}
}

// A user who has left the company gets nothing new.
func TestRefreshOfAUserWhoHasGone(t *testing.T) {
	w := newWorld(t, func(o *oauthserver.Options) { o.Refresh = &oauthserver.Refresh{} })
	client := w.public()
	token := object(t, w.exchange(client, w.allow(w.ask(client, "scope", "offline_access")).Get("code")))["refresh_token"].(string)
	res := w.post("token", "grant_type", "refresh_token", "refresh_token", token, "client_id", client)
	require.Equal(t, 400, res.Status)
	require.Equal(t, "invalid_grant", object(t, res)["error"])
}

func TestDiscovery(t *testing.T) {
	w := newWorld(t, func(o *oauthserver.Options) {
		o.Documents, o.Refresh = &oauthserver.Documents{}, &oauthserver.Refresh{}
	})
	var first string
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/api/auth",
		"/.well-known/openid-configuration/api/auth", "/api/auth/.well-known/openid-configuration"} {
		res := w.Do("GET", path, "", apitest.Anonymous)
		require.Equal(t, 200, res.Status, path)
		if first == "" {
			first = res.Text()
		}
		require.Equal(t, first, res.Text())
	}
	require.JSONEq(t, `{"issuer":"https://backend.example.com/api/auth","token_endpoint":"https://backend.example.com/api/auth/v1/token",
		"userinfo_endpoint":"https://backend.example.com/api/auth/v1/userinfo","jwks_uri":"https://backend.example.com/api/auth/.well-known/jwks.json",
		"authorization_endpoint":"https://backend.example.com/api/auth/v1/authorize","response_types_supported":["code","id_token"],
		"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256"],"scopes_supported":["openid","offline_access"],
		"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"claims_supported":["sub","ent"],
		"grant_types_supported":["authorization_code","refresh_token"],"code_challenge_methods_supported":["S256"],
		"revocation_endpoint":"https://backend.example.com/api/auth/v1/revoke","registration_endpoint":"https://backend.example.com/api/auth/v1/register",
		"authorization_response_iss_parameter_supported":true,"client_id_metadata_document_supported":true}`, first)

	res := w.Do("GET", "/.well-known/oauth-protected-resource/api/mcp-actions/v1", "", apitest.Anonymous)
	require.JSONEq(t, `{"resource":"https://backend.example.com/api/mcp-actions/v1","authorization_servers":["https://backend.example.com/api/auth"],
		"scopes_supported":["openid","offline_access"],"bearer_methods_supported":["header"]}`, res.Text())
	for _, path := range []string{"", "/", "/api/catalog", "/api/mcp-actions/v1/other"} {
		require.Equal(t, 404, w.Do("GET", "/.well-known/oauth-protected-resource"+path, "", apitest.Anonymous).Status, path)
	}
	for _, as := range []apitest.RequestOption{apitest.Anonymous, apitest.As("x")} {
		res = w.Do("POST", "/api/mcp-actions/v1", `{}`, as)
		require.Equal(t, 401, res.Status)
		require.Equal(t, `Bearer resource_metadata="https://backend.example.com/.well-known/oauth-protected-resource/api/mcp-actions/v1"`, res.Header.Get("WWW-Authenticate"))
	}
	require.Empty(t, w.Do("GET", "/api/catalog/entities", "", apitest.Anonymous).Header.Get("WWW-Authenticate"))
}

// Where nobody has enabled it, it is not there.
func TestOffByDefault(t *testing.T) {
	s := apitest.New(t, nil)
	for _, target := range []string{"GET /api/auth/v1/authorize", "GET /api/auth/v1/sessions/x", "POST /api/auth/v1/sessions/x/approve",
		"POST /api/auth/v1/token", "POST /api/auth/v1/register", "POST /api/auth/v1/revoke"} {
		method, path, _ := strings.Cut(target, " ")
		require.Equal(t, 404, s.Do(method, path, "").Status, target)
	}
	require.NotContains(t, s.Do("GET", "/api/auth/.well-known/openid-configuration", "").Text(), "registration_endpoint")
	w := newWorld(t, func(o *oauthserver.Options) { o.Registration, o.Documents = nil, &oauthserver.Documents{} })
	require.Equal(t, 404, w.Do("POST", "/api/auth/v1/register", `{}`).Status)
}

// A client can be known by a document at the URL that is its id.
func TestDocuments(t *testing.T) {
	document := ""
	host := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			rw.WriteHeader(404)
		default:
			fmt.Fprint(rw, document)
		}
	}))
	t.Cleanup(host.Close)
	w := newWorld(t, func(o *oauthserver.Options) {
		o.Registration = nil
		o.Documents = &oauthserver.Documents{Clients: []string{host.URL + "/*"}, HTTP: host.Client()}
	})
	id := host.URL + "/client.json"
	good := `{"client_id":"` + id + `","client_name":"Assistant","redirect_uris":["` + callback + `"],"token_endpoint_auth_method":"none"}`
	document = good
	session := w.ask(id)
	require.Contains(t, w.Do("GET", "/api/auth/v1/sessions/"+session, "").Text(), `"clientName":"Assistant"`)
	res := w.exchange(id, w.allow(session).Get("code"))
	require.Equal(t, 200, res.Status, res.Text())

	for name, tc := range map[string]struct{ id, document string }{
		"of somebody else":           {id, strings.Replace(good, "client.json", "other.json", 1)},
		"with a secret":              {id, strings.Replace(good, `"client_name"`, `"client_secret":"x","client_name"`, 1)},
		"that wants to have one":     {id, strings.Replace(good, `"none"`, `"client_secret_post"`, 1)},
		"that leads nowhere":         {id, strings.Replace(good, `"`+callback+`"`, "", 1)},
		"that leads elsewhere":       {id, strings.Replace(good, callback, "https://evil.example.com/", 1)},
		"that is too large":          {id, good + strings.Repeat(" ", 65<<10)},
		"that is no JSON":            {id, "hello"},
		"that is not there":          {host.URL + "/missing", good},
		"of a host that may not":     {"https://other.example.com/client.json", good},
		"without TLS":                {"http://localhost/client.json", good},
		"at the root of a host":      {host.URL + "/", good},
		"with dots":                  {host.URL + "/a/../client.json", good},
		"with a password":            {strings.Replace(id, "https://", "https://a:b@", 1), good},
		"with a query":               {id + "?x=1", good},
		"with a path that is a trap": {host.URL + "/./client.json", good},
	} {
		t.Run(name, func(t *testing.T) {
			document = tc.document
			res := w.Do("GET", asking(tc.id), "", apitest.Anonymous)
			require.Equal(t, 400, res.Status, res.Header.Get("Location"))
			require.Equal(t, "invalid_request", object(t, res)["error"])
		})
	}
}

// The command line of Backstage is known without a document elsewhere.
func TestTheCommandLine(t *testing.T) {
	w := newWorld(t, func(o *oauthserver.Options) { o.Documents = &oauthserver.Documents{Clients: []string{}} })
	document := object(t, w.Do("GET", "/api/auth/.well-known/oauth-client/cli.json", "", apitest.Anonymous))
	id, place := document["client_id"].(string), document["redirect_uris"].([]any)[0].(string)
	require.Equal(t, base+"/api/auth/.well-known/oauth-client/cli.json", id)
	session := w.ask(id, "redirect_uri", place)
	require.Contains(t, w.Do("GET", "/api/auth/v1/sessions/"+session, "").Text(), "Backstage CLI")
	require.Equal(t, 400, w.Do("GET", asking(id, "redirect_uri", "http://127.0.0.1:8055/other"), "").Status)

	w = newWorld(t, nil)
	require.Equal(t, 404, w.Do("GET", "/api/auth/.well-known/oauth-client/cli.json", "", apitest.Anonymous).Status)
	require.Equal(t, 400, w.Do("GET", asking(id, "redirect_uri", place), "").Status)
}

// A document is not read from the inside of the network, whatever its URL.
func TestDocumentsOfTheInside(t *testing.T) {
	asked := false
	host := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(host.Close)
	w := newWorld(t, func(o *oauthserver.Options) {
		o.Documents = &oauthserver.Documents{Clients: []string{"https://127.0.0.1:*/*"}}
	})
	res := w.Do("GET", asking(host.URL+"/client.json"), "", apitest.Anonymous)
	require.Equal(t, 400, res.Status)
	require.Contains(t, res.Text(), "not a public one")
	require.False(t, asked)
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	good := func() oauthserver.Options {
		db, err := bbolt.Open(filepath.Join(t.TempDir(), "x.db"), 0o600, nil)
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		store, err := boltgrants.Open(db)
		require.NoError(t, err)
		return oauthserver.Options{BaseURL: base, AppURL: base, Issuer: &auth.Authority{}, Store: store, Registration: &oauthserver.Registration{}}
	}
	_, err := oauthserver.New(good())
	require.NoError(t, err)
	for name, change := range map[string]func(*oauthserver.Options){
		"no URL":            func(o *oauthserver.Options) { o.BaseURL = "x" },
		"no portal":         func(o *oauthserver.Options) { o.AppURL = "" },
		"no clients":        func(o *oauthserver.Options) { o.Registration = nil },
		"no scheme":         func(o *oauthserver.Options) { o.Registration.Redirects = []string{"localhost/*"} },
		"a stray port":      func(o *oauthserver.Options) { o.Registration.Redirects = []string{"http://localhost:x/*"} },
		"ids without hosts": func(o *oauthserver.Options) { o.Documents = &oauthserver.Documents{Clients: []string{"claude.ai"}} },
		"places":            func(o *oauthserver.Options) { o.Documents = &oauthserver.Documents{Redirects: []string{"/x"}} },
	} {
		o := good()
		change(&o)
		_, err := oauthserver.New(o)
		require.Error(t, err, name)
	}
}
