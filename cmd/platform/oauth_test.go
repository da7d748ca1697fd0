package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/stretchr/testify/require"
)

// at replaces the port of the configuration by one that is free, so that the
// program knows its own URL.
func at(t *testing.T, configuration string) (string, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	configuration = strings.Replace(configuration, "http://localhost:7007", base, 1)
	return strings.Replace(configuration, "port: 0", fmt.Sprintf("port: %d", port), 1) + "app: {baseUrl: '" + base + "'}\n", base
}

// signInAs is the browser of a user who allows what is asked.
func (i *instance) signInAs(token string) auth.AuthorizationCodeFetcher {
	return func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
		asked, err := url.Parse(args.URL)
		require.NoError(i.t, err)
		res, _ := i.fetch("GET", asked.RequestURI(), "", "")
		require.Equal(i.t, http.StatusFound, res.StatusCode)
		page, err := url.Parse(res.Header.Get("Location"))
		require.NoError(i.t, err)
		id, ok := strings.CutPrefix(page.Path, "/oauth2/authorize/")
		require.True(i.t, ok, page)
		_, text := i.fetch("GET", "/api/auth/v1/sessions/"+id, "", "")
		require.Contains(i.t, text, `"clientName":"An editor"`)
		_, text = i.fetch("POST", "/api/auth/v1/sessions/"+id+"/approve", token, "{}")
		var answer struct{ RedirectURL string }
		require.NoError(i.t, json.Unmarshal([]byte(text), &answer), text)
		back, err := url.Parse(answer.RedirectURL)
		require.NoError(i.t, err)
		require.Equal(i.t, "127.0.0.1:9", back.Host)
		q := back.Query()
		return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
	}
}

// A client that knows nothing but the URL finds out where to register and whom
// to ask, is allowed by the user, and acts for the user, also after a restart.
func TestAnMCPClientSignsInByOAuth(t *testing.T) {
	configuration, _ := mcpConfig(t, "\n")
	configuration, base := at(t, configuration+strings.Replace(guestProvider, "auth: {", `auth: {
  experimentalDynamicClientRegistration: {enabled: true}, experimentalRefreshToken: {enabled: true},`, 1))
	data := t.TempDir()
	i := boot(t, configuration, "--data", data)
	i.awaitShop()
	require.Equal(t, base, i.base)
	const callback = "http://127.0.0.1:9/callback"
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "An editor", RedirectURIs: []string{callback}, GrantTypes: []string{"authorization_code", "refresh_token"}, TokenEndpointAuthMethod: "none"}},
		RedirectURL: callback, RequestRefreshToken: true, AuthorizationCodeFetcher: i.signInAs(i.guestToken()),
	})
	require.NoError(t, err)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	connect := func() *mcp.ClientSession {
		session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: base + "/api/mcp-actions/v1",
			OAuthHandler: handler, DisableStandaloneSSE: true}, nil)
		require.NoError(t, err)
		return session
	}
	session := connect()
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "auth.who-am-i", Arguments: map[string]any{}})
	require.NoError(t, err)
	require.Contains(t, res.Content[0].(*mcp.TextContent).Text, `"userEntityRef":"user:default/jane"`)
	require.NoError(t, session.Close())
	source, err := handler.TokenSource(t.Context())
	require.NoError(t, err)
	token, err := source.Token()
	require.NoError(t, err)
	require.NotEmpty(t, token.RefreshToken)
	i.end()
	require.NotContains(t, i.log.String(), token.AccessToken)
	require.NotContains(t, i.log.String(), token.RefreshToken)

	i = boot(t, configuration, "--data", data)
	require.Equal(t, base, i.base)
	session = connect()
	defer session.Close()
	_, err = session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 401, i.refreshed("someone-else", token.RefreshToken))
}

// refreshed tries to refresh a token as a client, and returns the status.
func (i *instance) refreshed(client, token string) int {
	i.t.Helper()
	res, err := http.PostForm(i.base+"/api/auth/v1/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {client}})
	require.NoError(i.t, err)
	require.NoError(i.t, res.Body.Close())
	return res.StatusCode
}
