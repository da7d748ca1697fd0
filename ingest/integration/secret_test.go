package integration_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/integration"
)

func pemKey(t *testing.T) (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// TestSecretsAreNotShown prints, logs and encodes everything that holds a
// credential, in every way that our code or a library could.
func TestSecretsAreNotShown(t *testing.T) {
	key, text := pemKey(t)
	s, _, err := integration.Parse(map[string]any{
		"github": []any{map[string]any{"token": "hush-1", "apps": []any{map[string]any{
			"appId": 7, "clientId": "shown", "clientSecret": "hush-2", "webhookSecret": "hush-3", "privateKey": text,
		}}}},
		"gitlab": []any{map[string]any{"token": "hush-4"}},
		"git": []any{map[string]any{"host": "h", "password": "hush-5", "ssh": map[string]any{
			"privateKey": "hush-6", "passphrase": "hush-7", "knownHosts": "h ssh-ed25519 AAAA",
		}}},
	})
	require.NoError(t, err)
	hidden := struct{ inner any }{s}
	var out bytes.Buffer
	for _, v := range []any{s, *s, s.Hosts(), hidden, &hidden, s.Hosts()[1].Token, &s.Hosts()[1].Apps[0], s.Hosts()[0].Git} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		data, err := json.Marshal(v)
		require.NoError(t, err)
		out.Write(data)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	shown := out.String()
	require.Contains(t, shown, "shown", "the rest is printed")
	for _, secret := range []string{"hush", fmt.Sprintf("%x", "hush"), fmt.Sprintf("%X", "hush"), key.D.String()[:20], fmt.Sprintf("%x", key.D)[:20], text[40:60]} {
		require.NotContains(t, shown, secret)
	}
	require.Equal(t, "hush-1", s.Hosts()[1].Token.Value())
}

func TestParseApps(t *testing.T) {
	key, text := pemKey(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	s, _, err := integration.Parse(map[string]any{"github": []any{map[string]any{"apps": []any{
		map[string]any{"appId": float64(7), "privateKey": strings.ReplaceAll(text, "\n", `\n`), "allowedInstallationOwners": []any{"Acme"}},
		map[string]any{"appId": "8", "privateKey": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), "publicAccess": true},
	}}}})
	require.NoError(t, err)
	apps := s.Hosts()[0].Apps
	require.Len(t, apps, 2)
	require.True(t, key.Equal(apps[0].PrivateKey()), "line breaks written as \\n")
	require.True(t, key.Equal(apps[1].PrivateKey()), "PKCS #8")
	require.Equal(t, []int64{7, 8}, []int64{apps[0].ID, apps[1].ID})
	require.True(t, apps[0].Allows("ACME"))
	require.False(t, apps[0].Allows("other"))
	require.True(t, apps[1].Allows("other"))
	require.True(t, apps[1].PublicAccess)
}

func TestParseGitAndRetry(t *testing.T) {
	s, _, err := integration.Parse(map[string]any{
		"git":    []any{map[string]any{"host": "Git.acme.com:8443", "username": "bot", "password": " x\n"}},
		"gitlab": []any{map[string]any{"retry": map[string]any{"maxRetries": 3, "retryStatusCodes": []any{429, 503}, "maxApiRequestsPerMinute": -1}}},
	})
	require.NoError(t, err)
	h, ok := s.ByURL("https://git.acme.com:8443/a.git/blob/main/x")
	require.True(t, ok)
	require.Equal(t, "bot", h.Git.Username)
	require.Equal(t, "x", h.Git.Password.Value())
	require.Equal(t, "git", h.Git.SSH.User)
	edit, folder, ok := s.SourceURLs("https://git.acme.com:8443/a.git/blob/main/d/x")
	require.True(t, ok)
	require.Empty(t, edit, "a plain server has no page that edits")
	require.Equal(t, "https://git.acme.com:8443/a.git/blob/main/d/", folder)
	root, err := s.Resolve("/y.yaml", "https://git.acme.com:8443/a.git/blob/main/d/x")
	require.NoError(t, err)
	require.Equal(t, "https://git.acme.com:8443/a.git/blob/main/y.yaml", root)
	h, _ = s.ByURL("https://gitlab.com")
	require.Equal(t, integration.Retry{MaxRetries: 3, StatusCodes: []int{429, 503}, MaxAPIRequestsPerMinute: -1}, h.Retry)
}
