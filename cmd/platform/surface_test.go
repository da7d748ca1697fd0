package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// whole opens everything that the program serves.
func whole(t *testing.T) *platform {
	t.Helper()
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig+`
events: {http: {topics: [orders]}, modules: {github: {webhookSecret: hush-webhook}}}
auth: {providers: {guest: {dangerouslyAllowOutsideDevelopment: true}}}
`)
	conf, settings, err := loadConfig([]string{config})
	require.NoError(t, err)
	observed, err := observe(t.Context(), conf, settings, "json", io.Discard)
	require.NoError(t, err)
	p, err := open(context.WithoutCancel(t.Context()), settings, t.TempDir(), observed)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.api.Stopping()
		require.NoError(t, p.Close())
		require.NoError(t, observed.Close())
	})
	return p
}

// open to everybody are these, with the reason for each.
var openRoutes = map[string]string{
	"/":                                             "the portal itself",
	"/metrics":                                      "numbers without names of people",
	"/.backstage/health/v1/liveness":                "for those who watch the process",
	"/.backstage/health/v1/readiness":               "for those who watch the process",
	"/api/permission/health":                        "says that it is there",
	"/api/signals/health":                           "says that it is there",
	"/api/signals":                                  "takes its token as a sub-protocol",
	"/api/events/http/:topic":                       "deliveries prove themselves, or only go to subscribers",
	"/api/auth/.well-known/jwks.json":               "public keys",
	"/api/auth/.well-known/openid-configuration":    "where things are",
	"/.well-known/oauth-authorization-server":       "where programs sign in, if they may",
	"/.well-known/oauth-authorization-server/*path": "where programs sign in, if they may",
	"/.well-known/oauth-protected-resource":         "which server to sign in at, if there is one",
	"/.well-known/oauth-protected-resource/*path":   "which server to sign in at, if there is one",
}

var pathParameter = regexp.MustCompile(`[:*][a-zA-Z_]+`)

// However the program is put together, a route of it is closed unless the list
// above, or what signing in needs, opens it.
func TestEveryRouteOfTheProgramIsClosed(t *testing.T) {
	p := whole(t)
	closed := 0
	for _, r := range p.api.Routes() {
		switch {
		case openRoutes[r.Path] != "", strings.HasSuffix(r.Path, "/.backstage/auth/v1/jwks.json"):
			continue
		case strings.HasPrefix(r.Path, "/api/auth/") && !strings.Contains(r.Path, "/.backstage/") && r.Path != "/api/auth/v1/userinfo":
			continue // signs in and out
		case r.Method == http.MethodDelete && strings.HasSuffix(r.Path, "/.backstage/auth/v1/cookie"):
			continue // takes the caller's own cookie away, and nothing else
		}
		w := httptest.NewRecorder()
		path := pathParameter.ReplaceAllString(r.Path, "x")
		p.api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), r.Method, path, strings.NewReader("{}")))
		require.Equal(t, 401, w.Code, "%s %s", r.Method, r.Path)
		require.Empty(t, w.Header().Get("Set-Cookie"))
		closed++
	}
	require.Greater(t, closed, 100)
}
