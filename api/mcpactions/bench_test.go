package mcpactions_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/mcpactions"
)

// BenchmarkRequests is one POST, as an editor sends it, to a server with twenty
// tools.
func BenchmarkRequests(b *testing.B) {
	s := apitest.New(b, func(o *api.Options, a *auth.Options) {
		authority, err := auth.New(b.Context(), *a)
		require.NoError(b, err)
		r, err := actions.New(actions.Options{Authenticator: authority, Decider: usersMayNot{}})
		require.NoError(b, err)
		for n := range 20 {
			require.NoError(b, r.Add(action("catalog", fmt.Sprintf("get-%d", n), echo)))
		}
		o.Auth, o.AccessLog = authority, false
		o.Portal.MCP, err = mcpactions.New(mcpactions.Options{Actions: r, Servers: []mcpactions.Server{{Name: "backstage"}}})
		require.NoError(b, err)
	})
	for name, body := range map[string]string{
		"list": list,
		"call": `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"catalog.get-7","arguments":{"n":2}}}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), "POST", "/api/mcp-actions/v1", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", accept)
				r.Header.Set("Authorization", "Bearer "+s.Token)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
