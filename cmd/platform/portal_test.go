package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/app/bundle"
)

// portalConfig lets guests in, and serves a frontend from a folder.
func portalConfig(t *testing.T, more string) string {
	dist := t.TempDir()
	writeFile(t, dist, "index.html.tmpl", "<html><head><title><%= config.getOptionalString('app.title') ?? 'Backstage' %></title></head></html>")
	writeFile(t, dist, "static/main.js", strings.Repeat("main();\n", 500))
	return baseConfig + more + `
app: {title: Bikes, baseUrl: 'http://localhost:7007', dist: ` + dist + `}
auth: {providers: {guest: {dangerouslyAllowOutsideDevelopment: true, userEntityRef: 'user:default/guest'}}}
`
}

// fetch sends a request with a token, "" for none, and returns what came.
func (i *instance) fetch(method, path, token, body string) (*http.Response, string) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), method, i.base+path, strings.NewReader(body))
	require.NoError(i.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(i.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(i.t, err)
	return res, string(text)
}

// guestToken returns the token of a guest.
func (i *instance) guestToken() string {
	i.t.Helper()
	_, text := i.fetch("GET", "/api/auth/guest/refresh", "", "")
	var session struct {
		BackstageIdentity struct{ Token string } `json:"backstageIdentity"`
	}
	require.NoError(i.t, json.Unmarshal([]byte(text), &session), text)
	return session.BackstageIdentity.Token
}

// A day with the portal, and another one after a restart.
func TestPortalFromSignInToRestart(t *testing.T) {
	data := t.TempDir()
	configuration := portalConfig(t, "")
	i := boot(t, configuration, "--data", data)
	_, page := i.fetch("GET", "/catalog", "", "")
	require.Contains(t, page, "<title>Bikes</title>")
	require.Contains(t, page, `"auth":{"providers":{"guest":{}}}`)
	require.NotContains(t, page, testToken)

	token := i.guestToken()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, i.base+"/api/signals", &websocket.DialOptions{Subprotocols: []string{token}})
	require.NoError(t, err)
	defer ws.CloseNow()
	hear := func() string {
		_, text, err := ws.Read(ctx)
		require.NoError(t, err)
		return string(text)
	}
	for _, channel := range []string{"user-settings", "notifications"} {
		require.NoError(t, ws.Write(ctx, websocket.MessageText, []byte(`{"action":"subscribe","channel":"`+channel+`"}`)))
	}
	// Until the first frame was heard, changes pass by: change until one comes.
	heard := make(chan string, 1)
	go func() {
		_, text, err := ws.Read(ctx)
		heard <- fmt.Sprint(string(text), err)
	}()
	first := ""
	for n := 0; first == ""; n++ {
		res, text := i.fetch("PUT", "/api/user-settings/buckets/default.starredEntities/keys/entityRefs", token, fmt.Sprintf(`{"value":["component:default/%d"]}`, n))
		require.Equal(t, 200, res.StatusCode, text)
		select {
		case first = <-heard:
		case <-time.After(time.Millisecond):
		}
	}
	require.Equal(t, `{"channel":"user-settings","message":{"type":"key-changed","key":"entityRefs"}}<nil>`, first)
	res, text := i.fetch("PUT", "/api/user-settings/buckets/default.starredEntities/keys/entityRefs", token, `{"value":["component:default/cart"]}`)
	require.Equal(t, 200, res.StatusCode, text)

	status, _ := i.send("POST", "/api/notifications/notifications", map[string]any{
		"recipients": map[string]any{"type": "entity", "entityRef": "user:default/guest"}, "payload": map[string]any{"title": "Hello"}})
	require.Equal(t, 200, status)
	for text = hear(); strings.Contains(text, "user-settings"); text = hear() {
	}
	require.Contains(t, text, `{"channel":"notifications","message":{"action":"new_notification"`)

	i.stop()
	_, _, err = ws.Read(ctx)
	require.Equal(t, websocket.StatusServiceRestart, websocket.CloseStatus(err), "an open socket does not hold the end up")
	require.NoError(t, i.wait(), i.log.String())
	require.NotContains(t, i.log.String(), token, "the token of a socket is not logged")

	i = boot(t, configuration, "--data", data)
	token = i.guestToken()
	_, text = i.fetch("POST", "/api/user-settings/multiget", token, `{"items":[{"bucket":"default.starredEntities","key":"entityRefs"}]}`)
	require.JSONEq(t, `{"items":[{"value":["component:default/cart"]}]}`, text)
	_, text = i.fetch("GET", "/api/notifications/status", token, "")
	require.JSONEq(t, `{"unread":1,"read":0}`, text)
	i.end()
}

func TestNotificationsReachMembers(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "org.yaml", `apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-a}
spec: {type: team, children: [], members: [guest]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: guest}
spec: {memberOf: [team-a]}
---
`+component("cart", "x"))
	i := boot(t, portalConfig(t, "  locations: [{type: directory, target: '"+dir+"'}]\n"), "--data", t.TempDir())
	i.until("component/default/cart", served)
	i.until("group/default/team-a", served)
	i.until("user/default/guest", served)
	status, answer := i.send("POST", "/api/notifications/notifications", map[string]any{
		"recipients": map[string]any{"type": "entity", "entityRef": "component:default/cart"}, "payload": map[string]any{"title": "Hello"}})
	require.Equal(t, 200, status, answer)
	sent := answer["items"].([]any)
	require.Len(t, sent, 1, "the owner's member")
	require.Equal(t, "user:default/guest", sent[0].(map[string]any)["user"])
	require.Equal(t, "tests", sent[0].(map[string]any)["origin"])
	i.end()
}

// The route that the configuration of a user of ours has.
func TestProxyRouteOfAUser(t *testing.T) {
	labrador := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %s %s %q", r.Method, r.RequestURI, r.Host, r.Header.Get("Authorization"))
	}))
	defer labrador.Close()
	path, err := filepath.Abs("../../testdata/configs/user-portal.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "catalog"), 0o700))
	t.Chdir(dir)
	t.Setenv("APP_CONFIG_backend_listen", "127.0.0.1:0")
	t.Setenv("APP_CONFIG_backend_auth_externalAccess", `[{"type":"static","options":{"token":"`+testToken+`","subject":"tests"}}]`)
	over := writeFile(t, dir, "over.yaml", "proxy: {'/labrador': {target: '"+labrador.URL+"'}}\n")
	i := bootArgs(t, "--config", path, "--config", over, "--data", filepath.Join(dir, "data"))
	res, text := i.fetch("GET", "/api/proxy/labrador/dogs/1?bark=loud", testToken, "")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, `GET /dogs/1?bark=loud `+strings.TrimPrefix(labrador.URL, "http://")+` ""`, text, "changeOrigin, and no token of ours")
	res, _ = i.fetch("GET", "/api/proxy/labrador/dogs/1", "", "")
	require.Equal(t, 401, res.StatusCode)
	_, text = i.fetch("GET", "/", "", "")
	require.Contains(t, text, "There is no portal here yet")
	i.end()
}

func TestPortalThatCannotBeServed(t *testing.T) {
	for _, tc := range []struct {
		name, config string
		want         []string
	}{
		{"a folder that is not there", baseConfig + "app: {dist: ./gone}\n", []string{"app.dist", "build the frontend"}},
		{"a folder that is no portal", baseConfig + "app: {dist: " + t.TempDir() + "}\n", []string{"neither index.html.tmpl nor index.html"}},
		{"a proxy endpoint without a target", baseConfig + "proxy: {endpoints: {/a: 'nothing'}}\n", []string{"proxy endpoint '/a'"}},
		{"settings of another shape", baseConfig + "notifications: {defaultSettings: {channels: [{}]}}\n", []string{"notifications.defaultSettings", "'id'"}},
		{"a proxy that is nobody", strings.Replace(baseConfig, "backend:", "backend:\n  trustProxy: nobody", 1), []string{"backend.trustProxy", "uniquelocal"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := writeFile(t, t.TempDir(), "app-config.yaml", tc.config)
			_, _, err := try(t, "serve", "--config", path, "--data", t.TempDir())
			oneLine(t, err, tc.want...)
		})
	}
}

func TestBuildInTheBinary(t *testing.T) {
	dist := t.TempDir()
	writeFile(t, dist, "index.html.tmpl", "<html><head></head></html>")
	writeFile(t, dist, "static/main.js", strings.Repeat("main();\n", 500))
	var packed bytes.Buffer
	_, err := bundle.Pack(&packed, os.DirFS(dist))
	require.NoError(t, err)
	o := &portal{}
	build, from, err := o.findBuild("", packed.Bytes())
	require.NoError(t, err)
	require.Equal(t, "the binary", from)
	f, ok := build.File("static/main.js")
	require.True(t, ok)
	require.Positive(t, f.GzipSize)
	_, _, err = o.findBuild("", []byte("no bundle"))
	require.ErrorContains(t, err, "the portal in the binary")
	build, _, err = o.findBuild("", nil)
	require.NoError(t, err)
	require.Nil(t, build)
	build, from, err = o.findBuild(dist, packed.Bytes())
	require.NoError(t, err)
	require.Equal(t, dist, from, "the configuration comes first")
	require.NotNil(t, build)
	require.NoError(t, o.folder.Close())
}

func TestRateLimitOfTheConfiguration(t *testing.T) {
	i := boot(t, strings.Replace(baseConfig, "backend:", "backend:\n  trustProxy: true\n  rateLimit: {incomingRequestLimit: 2, ipAllowList: []}", 1), "--data", t.TempDir())
	for n, want := range []int{200, 200, 429} {
		res, _ := i.fetch("GET", "/.backstage/health/v1/liveness", "", "")
		require.Equal(t, want, res.StatusCode, n)
	}
	i.end()
}
