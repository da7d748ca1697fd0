package auth_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// BenchmarkAdmit is what a request of a plugin costs at the barrier: with a
// token that was verified before, and with a new one.
func BenchmarkAdmit(b *testing.B) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "auth.db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(b, err)
	defer db.Close()
	store, err := boltkeys.Open(db)
	require.NoError(b, err)
	now := time.Now()
	a, err := auth.New(b.Context(), auth.Options{BaseURL: "http://localhost", Store: store, Now: func() time.Time { return now },
		External: []auth.ExternalAccess{{Type: "static", Token: "static-token", Subject: "ci"}}})
	require.NoError(b, err)
	request := func(token string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	admit := func(b *testing.B, r *http.Request) {
		if _, err := a.Admit(r, "catalog", "/entities"); err != nil {
			b.Fatal(err)
		}
	}
	plugin, err := a.PluginToken(b.Context(), "search", "catalog", auth.Principal{Kind: auth.User, Subject: "user:default/jane"})
	require.NoError(b, err)
	for name, token := range map[string]string{"static": "static-token", "plugin for a user": plugin} {
		b.Run(name+", again", func(b *testing.B) {
			r := request(token)
			b.ReportAllocs()
			for b.Loop() {
				admit(b, r)
			}
		})
	}
	b.Run("plugin for a user, new", func(b *testing.B) {
		tokens := make([]*http.Request, 20_000) // more than are remembered
		for i := range tokens {
			token, err := a.PluginToken(b.Context(), "search", "catalog", auth.Principal{Kind: auth.User, Subject: "user:default/u" + strconv.Itoa(i)})
			require.NoError(b, err)
			tokens[i] = request(token)
		}
		b.ReportAllocs()
		b.ResetTimer()
		for i := 0; b.Loop(); i++ {
			admit(b, tokens[i%len(tokens)])
		}
	})
}
