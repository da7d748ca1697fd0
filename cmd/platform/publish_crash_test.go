package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// The whole program is killed while it makes the repository, while it pushes and
// while it makes the pull request. Each time the task goes on, and in the end
// there is one of each, and the component is in the catalog.
func TestPublishingOutlivesKills(t *testing.T) {
	forge := forgetest.NewGitHub(t)
	forge.AddToken("of-github")
	forge.AddOrganization("acme", "ada")
	template, err := filepath.Abs("../../testdata/publish/template.yaml")
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "app-config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(baseConfig+strings.NewReplacer("HOST", forge.Host(), "API", forge.API(), "RAW", forge.Raw(), "TEMPLATE", template).Replace(`
  locations: [{type: file, target: 'TEMPLATE'}]
integrations:
  github: [{host: 'HOST', apiBaseUrl: 'API', rawBaseUrl: 'RAW', token: of-github}]
`)), 0o600))
	data := t.TempDir()

	var task string
	for _, route := range []string{"create repository", "git push", "pull request"} {
		reached := make(chan struct{})
		signal := sync.OnceFunc(func() { close(reached) })
		remove := forge.Inject(forgetest.Fault{Route: route, Times: 1, Hold: make(chan struct{}), When: func(*http.Request) bool { signal(); return true }})
		i, cmd := bootChild(t, nil, "--config", config, "--data", data)
		if task == "" {
			i.until("template/default/published-service", served)
			status, created := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{"templateRef": "template:default/published-service",
				"values": map[string]any{"name": "bike-shop", "owner": "guests", "repoUrl": forge.Host() + "?owner=acme&repo=bike-shop"}})
			require.Equal(t, http.StatusCreated, status, created)
			task = created["id"].(string)
		}
		select {
		case <-reached:
		case <-time.After(patience):
			t.Fatalf("nobody asked for %s\n%s", route, i.log)
		}
		require.NoError(t, cmd.Process.Kill())
		_ = i.wait() // it was killed
		remove()
	}
	i, _ := bootChild(t, nil, "--config", config, "--data", data)
	var messages []string
	i.stream(task, 0, func(e streamed) bool {
		messages = append(messages, e.Body.Message)
		return true
	})
	require.Equal(t, "Run completed with status: completed", messages[len(messages)-1], messages)
	require.Len(t, forge.Writes("create repository"), 1)
	require.Len(t, forge.Writes("pull request"), 1)
	require.Len(t, forge.Writes("protection"), 1)
	repository, _ := forge.Repository("acme/bike-shop")
	require.Equal(t, "The service bike-shop", repository.Description, "the marker is gone")
	require.FileExists(t, forge.GitDir("acme/bike-shop")+"/refs/heads/pipeline")
	i.until("component/default/bike-shop", served)
	i.end()
}
