package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// nodeClient installs the TypeScript SDK of MCP, which most editors have
// inside.
func nodeClient(ctx context.Context) error {
	const dir = "nodeclient"
	if _, err := os.Stat(dir + "/node_modules/@modelcontextprotocol/sdk/package.json"); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in cmd/platform/%s: %w\n%s", dir, err, out)
	}
	return nil
}

// A client that nobody here has written, of the SDK that editors use, finds
// the same tools and gets the same answers.
func TestTheTypeScriptSDKAsAClient(t *testing.T) {
	if err := nodeClient(t.Context()); err != nil {
		t.Skipf("SKIPPED, nothing was called: the client is not installed (%v)", err)
	}
	configuration, _ := mcpConfig(t, guestProvider)
	i := boot(t, configuration, "--data", t.TempDir())
	i.awaitShop()
	token := i.guestToken()
	a := i.assist("/v1", token)
	calls := []struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}{
		{"auth.who-am-i", json.RawMessage(`{}`)},
		{"catalog.get-catalog-model-description", json.RawMessage(`{}`)},
		{"catalog.get-catalog-entity", json.RawMessage(`{"name":"cart"}`)},
		{"catalog.query-catalog-entities", json.RawMessage(`{"query":{"kind":"Group"}}`)},
		{"catalog.validate-entity", json.RawMessage(asJSON(t, map[string]string{"entity": component("new", "x")}))},
		{"scaffolder.list-scaffolder-templates", json.RawMessage(`{}`)},
		{"scaffolder.list-scaffolder-actions", json.RawMessage(`{}`)},
		{"scaffolder.list-scaffolder-tasks", json.RawMessage(`{"owned":true}`)},
		{"catalog.get-catalog-entity", json.RawMessage(`{"name":"nothing"}`)},
	}

	node := exec.CommandContext(t.Context(), "node", "client.mjs", i.base+"/api/mcp-actions/v1", token)
	node.Dir, node.Stdin = "nodeclient", strings.NewReader(asJSON(t, calls))
	out, err := node.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		require.NoError(t, err, string(failed.Stderr))
	}
	require.NoError(t, err)
	var got struct {
		Server struct{ Name string }
		Tools  []struct {
			Name        string
			Annotations map[string]any
		}
		Results []struct {
			IsError           bool
			StructuredContent map[string]any
			Content           []struct{ Text string }
		}
	}
	require.NoError(t, json.Unmarshal(out, &got))
	require.Equal(t, "backstage", got.Server.Name)
	var names []string
	for _, tool := range got.Tools {
		names = append(names, tool.Name)
		require.Len(t, tool.Annotations, 5, tool.Name)
	}
	require.Equal(t, a.tools(), names)
	require.Len(t, got.Results, len(calls))
	for n, c := range calls {
		want, fault := a.call(c.Name, string(c.Arguments))
		require.Equal(t, fault != "", got.Results[n].IsError, "%s: %v", c.Name, got.Results[n])
		require.Equal(t, want, got.Results[n].StructuredContent, c.Name)
		if fault != "" {
			require.Equal(t, fault, got.Results[n].Content[0].Text)
		}
	}
	require.True(t, got.Results[len(calls)-1].IsError)
}
