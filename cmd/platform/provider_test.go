package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProviderVerb(t *testing.T) {
	const id = "github-provider:default"
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			w.WriteHeader(http.StatusUnauthorized)
			w.Write([]byte(`{"error":{"name":"AuthenticationError","message":"Illegal token"}}`))
			return
		}
		switch r.URL.Path {
		case "/api/catalog/providers":
			w.Write([]byte(`{"providers":[{"id":"github-provider:default","running":false,"schedule":"every 3h0m0s","failures":2,
				"lastError":{"at":"2026-03-14T15:00:00Z","message":"the host is down"},
				"lastRun":{"startedAt":"2026-03-14T15:00:00Z","durationMs":1500,"result":"held","listed":3,"added":0,"removed":0,"entities":100},
				"held":{"since":"2026-03-14T15:00:00Z","seen":"2026-03-14T15:00:00Z","before":100,"listed":3,"removals":["location:default/a","location:default/b"]}}]}`))
		case "/api/catalog/providers/" + id + "/release", "/api/catalog/providers/" + id + "/discard":
			w.Write([]byte(`{"id":"github-provider:default","decision":"released","held":{"removals":["location:default/a"]}}`))
		case "/api/catalog/.backstage/scheduler/v1/tasks/" + id + ":refresh/trigger":
		default:
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"error":{"name":"NotFoundError","message":"There is no provider nobody"}}`))
		}
	}))
	defer server.Close()
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig)
	cases := []struct {
		name string
		args []string
		says []string
		err  string
		path string
	}{
		{"list", []string{"list"}, []string{id, "every 3h0m0s", "held (3 listed, 0 added, 0 removed)", "failed 2 times", "the host is down",
			"would remove 2 of 100", "location:default/a", "platform provider release " + id}, "", "GET /api/catalog/providers"},
		{"nothing said is list", nil, []string{id}, "", "GET /api/catalog/providers"},
		{"release", []string{"release", id}, []string{"1 entities of " + id + " were removed"}, "", "POST /api/catalog/providers/" + id + "/release"},
		{"discard", []string{"discard", id}, []string{"1 entities of " + id + " stay"}, "", "POST /api/catalog/providers/" + id + "/discard"},
		{"run", []string{"run", id}, []string{"is being polled"}, "", "POST /api/catalog/.backstage/scheduler/v1/tasks/" + id + ":refresh/trigger"},
		{"nobody", []string{"release", "nobody"}, nil, "404: There is no provider nobody", "POST /api/catalog/providers/nobody/release"},
		{"no ID", []string{"release"}, nil, "the ID of one provider", ""},
		{"no such command", []string{"explode", id}, nil, "list, release ID", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			asked = nil
			stdout, _, err := try(t, append([]string{"provider", "--config", config, "--url", server.URL}, c.args...)...)
			if c.err != "" {
				oneLine(t, err, c.err)
			} else {
				require.NoError(t, err)
			}
			for _, part := range c.says {
				require.Contains(t, stdout, part)
			}
			if c.path != "" {
				require.Equal(t, []string{c.path}, asked)
			} else {
				require.Empty(t, asked)
			}
		})
	}
	_, _, err := try(t, "provider", "--url", server.URL, "--token", "wrong", "list")
	oneLine(t, err, "401", "--token")
	require.NotContains(t, err.Error(), "wrong")
	server.Close()
	_, _, err = try(t, "provider", "--config", config, "--url", server.URL, "list")
	oneLine(t, err, "--url")
}
