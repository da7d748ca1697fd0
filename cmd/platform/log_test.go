package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func TestLog(t *testing.T) {
	cases := []struct {
		name, format string
		env          map[string]string
		level        string
		json, debug  bool
		err          string
	}{
		{"text on a laptop", "", nil, "", false, false, ""},
		{"JSON in production", "", map[string]string{"NODE_ENV": "production"}, "", true, false, ""},
		{"text in production, for who asks", "text", map[string]string{"NODE_ENV": "production"}, "", false, false, ""},
		{"JSON for who asks", "json", nil, "", true, false, ""},
		{"a level of the configuration", "", nil, "debug", false, true, ""},
		{"the variable comes before the configuration", "", map[string]string{"LOG_LEVEL": "WARN"}, "debug", false, false, ""},
		{"a level that is none", "", map[string]string{"LOG_LEVEL": "loud"}, "", false, false, `"loud"`},
		{"a format that is none", "xml", nil, "", false, false, `"xml"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := newLogger(&out, c.format, config.Log{Level: c.level, Meta: map[string]string{"site": "berlin"}},
				[]string{"hush-hush"}, func(name string) string { return c.env[name] })
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			log.Debug("details")
			require.Equal(t, c.debug, out.Len() > 0)
			out.Reset()
			log.Warn("look", "token", "hush-hush")
			require.Contains(t, out.String(), "***")
			require.NotContains(t, out.String(), "hush-hush")
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); c.json {
				require.NoError(t, err)
				require.Equal(t, "look", line["message"])
				require.Equal(t, "warn", line["level"])
				require.Equal(t, "berlin", line["site"])
			} else {
				require.Error(t, err)
			}
		})
	}
}

// The access log has the fields that collectors of Backstage's logs know.
func TestAccessLogAsJSON(t *testing.T) {
	i := boot(t, baseConfig, "--data", t.TempDir())
	i.send("GET", "/api/catalog/entities?limit=1&token=hush-hush", nil)
	i.send("GET", "/.backstage/health/v1/liveness", nil)
	i.end()
	lines, _ := i.log.find(func(line map[string]any) bool { return line["type"] == "incomingRequest" })
	require.Len(t, lines, 1, "health is not in it")
	require.Equal(t, "/api/catalog/entities?limit=1&token=***", lines[0]["url"])
	require.Equal(t, "1.1", lines[0]["httpVersion"])
	require.Contains(t, lines[0]["userAgent"], "Go-http-client")
	for _, key := range []string{"date", "method", "status", "referrer", "contentLength"} {
		require.Contains(t, lines[0], key)
	}
	require.NotContains(t, i.log.String(), testToken)
}

// Whatever way a secret takes through the program, it is neither in the log nor
// in the audit log, not even at level debug.
func TestNoSecretIsLogged(t *testing.T) {
	t.Setenv("LOG_LEVEL", "debug")
	audit := filepath.Join(t.TempDir(), "audit.log")
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	config := strings.Replace(baseConfig, "backend:\n", "backend:\n  auditor: {file: '"+audit+"'}\n", 1) + `
auth: {providers: {guest: {dangerouslyAllowOutsideDevelopment: true}}}
integrations: {github: [{host: github.com, token: hush-integration}]}
proxy: {endpoints: {/far: {target: '` + target.URL + `', headers: {Authorization: 'Basic hush-proxy'}}}}
events: {modules: {github: {webhookSecret: hush-webhook}}}
`
	i := boot(t, config, "--data", t.TempDir())
	_, session := i.send("GET", "/api/auth/guest/refresh", nil)
	user := session["backstageIdentity"].(map[string]any)["token"].(string)
	secrets := []string{user, testToken, "hush-integration", "hush-proxy", "hush-webhook", "hush-query", "hush-location", "hush-referrer",
		"hush-bearer-0123456789", "hush-cookie", "hush-task", "hush-signature"}
	ask := func(method, path, body string, headers ...string) {
		r, err := http.NewRequestWithContext(t.Context(), method, i.base+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+user)
		r.Header.Set("Content-Type", "application/json")
		for n := 0; n < len(headers); n += 2 {
			r.Header.Set(headers[n], headers[n+1])
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	ask("GET", "/api/catalog/entities?token=hush-query", "")
	ask("GET", "/api/catalog/entities?filter="+user, "")
	ask("GET", "/api/catalog/entities/by-name/component/default/"+user, "")
	ask("GET", "/api/catalog/entities", "", "Authorization", "Bearer hush-bearer-0123456789")
	ask("GET", "/api/catalog/entities", "", "Cookie", "backstage-auth=hush-cookie", "Referer", "http://localhost/?code=hush-referrer")
	ask("GET", "/api/catalog/entities", "", "User-Agent", "agent with "+user)
	ask("POST", "/api/catalog/locations", `{"type":"url","target":"https://jane:hush-location@127.0.0.1/x.yaml"}`)
	ask("POST", "/api/catalog/locations?dryRun=true", `{"type":"url","target":"https://jane:hush-location@127.0.0.1:1/x.yaml"}`)
	ask("POST", "/api/scaffolder/v2/tasks", `{"templateRef":"template:default/no","values":{},"secrets":{"key":"hush-task"}}`)
	ask("GET", "/api/proxy/far/x?api_key=hush-query", "")
	ask("POST", "/api/events/http/github", `{}`, "X-Hub-Signature-256", "sha256=hush-signature")
	ask("GET", "/api/signals?token="+user, "")
	ask("POST", "/api/catalog/refresh", `{"entityRef":"component:default/x","authorizationToken":"hush-bearer-0123456789"}`)
	i.end()
	events, err := os.ReadFile(audit)
	require.NoError(t, err)
	require.Contains(t, string(events), "/api/catalog/entities?filter=***", "a token is hidden wherever it stands")
	for _, secret := range secrets {
		require.NotContains(t, i.log.String(), secret)
		require.NotContains(t, string(events), secret)
	}
}

// Lines that match an override have a level of their own, higher or lower; of
// several, the first counts.
func TestLogOverrides(t *testing.T) {
	config := strings.Replace(baseConfig, "backend:\n", `backend:
  logger:
    level: info
    meta: {site: berlin}
    overrides:
      - {matchers: {type: incomingRequest, url: '/^.METRICS/i'}, level: error}
      - {matchers: {type: incomingRequest, status: [404, 403]}, level: warn}
      - {matchers: {eventId: entity-fetch, site: berlin}, level: debug}
      - {matchers: {message: 'stopping'}, level: error}
`, 1)
	i := boot(t, config, "--data", t.TempDir())
	i.send("GET", "/metrics", nil)
	i.send("GET", "/api/catalog/no-such-route", nil)
	i.send("GET", "/api/catalog/entities?limit=3", nil)
	i.send("GET", "/api/catalog/entity-facets?facet=kind", nil)
	i.end()
	text := i.log.String()
	require.NotContains(t, text, "/metrics")
	require.NotContains(t, text, "no-such-route")
	require.NotContains(t, text, "stopping")
	require.Contains(t, text, "/api/catalog/entities?limit=3")
	fetched, _ := i.log.find(says("catalog.entity-fetch"))
	require.Len(t, fetched, 2, "at level debug, which others are not")
	require.NotContains(t, text, "catalog.entity-facets")
}
