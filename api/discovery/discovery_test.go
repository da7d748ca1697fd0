package discovery_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/discovery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type resolver func(name string) ([]*net.SRV, error)

func (r resolver) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "" || proto != "" {
		return "", nil, errors.New("the name is looked up as it stands")
	}
	list, err := r(name)
	return name, list, err
}

func TestBase(t *testing.T) {
	d, err := discovery.New([]discovery.Endpoint{
		{Target: "http://old:1/api/{{pluginId}}", Plugins: []string{"search"}},
		{Target: "http://node:7007/api/{{pluginId}}/", Plugins: []string{"search", "todo"}},
		{Target: "https://{{ pluginId }}.internal/x/{{pluginId}}", Plugins: []string{"*"}},
		{Target: "https://perm.internal", Plugins: []string{"permission"}},
		{Target: "http+srv://tech.docs/api/{{pluginId}}", Plugins: []string{"techdocs"}},
		{Target: "https+srv://gone.docs/", Plugins: []string{"gone", "none"}},
	}, []string{"catalog", "search", "permission"}, resolver(func(name string) ([]*net.SRV, error) {
		switch name {
		case "tech.docs":
			return []*net.SRV{{Target: "a1.docs.", Port: 8080}, {Target: "a2.docs.", Port: 8081}}, nil
		}
		return nil, nil
	}))
	require.NoError(t, err)
	for plugin, want := range map[string]string{
		"search":     "http://node:7007/api/search", // named, though this process has it; the last entry counts
		"todo":       "http://node:7007/api/todo",
		"permission": "https://perm.internal",
		"linguist":   "https://linguist.internal/x/linguist",
		"techdocs":   "http://a1.docs:8080/api/techdocs",
	} {
		got, err := d.Base(t.Context(), plugin)
		require.NoError(t, err, plugin)
		assert.Equal(t, want, got)
		assert.True(t, d.Elsewhere(plugin), plugin)
	}
	for _, plugin := range []string{"catalog", "", "a.b", "a/b", "x@evil.example", strings.Repeat("a", 101), "a:1", "{{pluginId}}"} {
		_, err := d.Base(t.Context(), plugin)
		assert.ErrorIs(t, err, discovery.ErrHere, plugin)
		assert.False(t, d.Elsewhere(plugin), plugin)
	}
	_, err = d.Base(t.Context(), "gone")
	assert.ErrorContains(t, err, "gone.docs has no SRV records")
}

func TestLookUpThatFails(t *testing.T) {
	d, err := discovery.New([]discovery.Endpoint{{Target: "http+srv://x", Plugins: []string{"a"}}}, nil,
		resolver(func(string) ([]*net.SRV, error) { return nil, errors.New("no DNS") }))
	require.NoError(t, err)
	_, err = d.Base(t.Context(), "a")
	assert.ErrorContains(t, err, "where plugin a lives: no DNS")
}

func TestEndpointsAreChecked(t *testing.T) {
	for target, says := range map[string]string{
		"":                            "not an absolute URL",
		"/api/{{pluginId}}":           "not an absolute URL",
		"node:7007":                   "not an absolute URL",
		"ftp://x/":                    "neither http nor https",
		"http+srv://x:80/":            "must have no port",
		"http://user:hunter2@x/":      "must have no user",
		"http://x/?a={{pluginId}}":    "query",
		"http://x/#{{pluginId}}":      "fragment",
		"http://x:port/{{pluginId}}":  "not an absolute URL",
		"file:///etc/{{pluginId}}":    "not an absolute URL",
		"gopher+srv://x/{{pluginId}}": "neither http nor https",
	} {
		_, err := discovery.New([]discovery.Endpoint{{Target: target, Plugins: []string{"a"}}}, nil, nil)
		assert.ErrorContains(t, err, says, target)
		if err != nil {
			assert.NotContains(t, err.Error(), "hunter2", "no secret in an error")
		}
	}
	_, err := discovery.New([]discovery.Endpoint{{Target: "http://x", Plugins: []string{"a/b"}}}, nil, nil)
	assert.ErrorContains(t, err, "'a/b' is not the id of a plugin")
}
