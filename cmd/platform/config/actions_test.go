package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func TestActions(t *testing.T) {
	s, err := config.Read(load(t, `
backend:
  baseUrl: http://localhost:7007
  actions:
    pluginSources: [catalog]
    filter: {exclude: [{id: 'catalog:unregister-*'}, {attributes: {destructive: true, readOnly: false}}]}
mcpActions:
  description: Bikes
  namespacedToolNames: false
  simpleToolNames: true
  servers:
    read-only: {name: To read, instructions: Be kind., filter: {include: [{attributes: {readOnly: true, idempotent: true}}]}}
    all: {name: All}
`, nil))
	require.NoError(t, err)
	yes, no := true, false
	require.Equal(t, config.Actions{
		Sources: []string{"catalog"},
		Filter:  config.ActionFilter{Exclude: []config.ActionRule{{ID: "catalog:unregister-*"}, {Destructive: &yes, ReadOnly: &no}}},
		Default: config.MCPServer{Name: "backstage", Description: "Bikes"},
		Servers: []config.MCPServer{
			{Key: "read-only", Name: "To read", Instructions: "Be kind.", Filter: config.ActionFilter{Include: []config.ActionRule{{ReadOnly: &yes, Idempotent: &yes}}}},
			{Key: "all", Name: "All"},
		},
		PlainToolNames: true, SimpleToolNames: true,
	}, s.Portal.Actions)

	s, err = config.Read(load(t, "backend: {baseUrl: 'http://localhost:7007'}", nil))
	require.NoError(t, err)
	require.Equal(t, config.Actions{Default: config.MCPServer{Name: "backstage"}}, s.Portal.Actions)
	require.Equal(t, config.OAuth{}, s.Portal.OAuth, "off, if nothing is said")
}

func TestOAuth(t *testing.T) {
	s, err := config.Read(load(t, `
app: {baseUrl: http://localhost:3000}
backend: {baseUrl: http://localhost:7007}
auth:
  experimentalDynamicClientRegistration: {enabled: true, allowedRedirectUriPatterns: ['cursor://*']}
  experimentalClientIdMetadataDocuments: {enabled: true, allowedClientIdPatterns: []}
  experimentalRefreshToken: {enabled: true, tokenLifetime: {days: 1}, maxRotationLifetime: P7D, maxTokensPerUser: 3}
`, nil))
	require.NoError(t, err)
	require.Equal(t, config.OAuth{
		Registration: &config.OAuthClients{Redirects: []string{"cursor://*"}},
		Documents:    &config.OAuthClients{IDs: []string{}},
		Refresh:      &config.OAuthRefresh{Lifetime: 24 * time.Hour, MaxLifetime: 7 * 24 * time.Hour, PerUser: 3},
	}, s.Portal.OAuth)
}

func TestActionsAndOAuthThatMakeNoSense(t *testing.T) {
	_, err := config.Read(load(t, `
backend:
  baseUrl: http://localhost:7007
  actions: {filter: {include: [{id: '${NOT_SET}'}]}}
mcpActions: {servers: {Upper: {name: x}, nameless: {}, broken: {name: x, filter: {exclude: [{attributes: {readOnly: perhaps}}]}}}}
auth:
  experimentalDynamicClientRegistration: {enabled: true}
  experimentalRefreshToken: {enabled: true, tokenLifetime: {days: 8}, maxRotationLifetime: {days: 7}, maxTokensPerUser: 0}
`, nil))
	lines := config.Lines(err)
	for _, want := range []string{
		"backend.actions.filter.include", "mcpActions.servers.Upper", "mcpActions.servers.nameless.name", "readOnly",
		"maxTokensPerUser", "maxRotationLifetime", "set app.baseUrl",
	} {
		found := false
		for _, line := range lines {
			found = found || strings.Contains(line, want)
		}
		require.True(t, found, "%s: %v", want, lines)
	}
	require.Len(t, lines, 7)
}
