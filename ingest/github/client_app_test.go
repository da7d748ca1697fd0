package github_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

func appKey(t testing.TB) (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func TestApps(t *testing.T) {
	key, text := appKey(t)
	b := newBench(t, map[string]any{"token": "pat", "apps": []any{map[string]any{
		"appId": 7, "privateKey": text, "allowedInstallationOwners": []any{"acme", "suspended"},
	}}}, github.ReaderOptions{})
	b.AddApp(forgetest.App{ID: 7, Key: &key.PublicKey, Installations: []forgetest.Installation{
		{ID: 1, Account: "Acme"}, {ID: 2, Account: "other"}, {ID: 3, Account: "suspended", Suspended: true},
	}})
	for _, owner := range []string{"acme", "other", "suspended"} {
		_, err := b.Add(forgetest.Repository{FullName: owner + "/shop", Visibility: forgetest.Private}, map[string]string{"a.yaml": owner})
		require.NoError(t, err)
	}
	read := func(owner string) error {
		data, _, _, err := b.reader.Read(context.Background(), b.URL()+"/"+owner+"/shop/blob/main/a.yaml", "")
		if err == nil && string(data) != owner {
			err = fmt.Errorf("read %q", data)
		}
		return err
	}
	require.NoError(t, read("acme"))
	require.ErrorContains(t, read("other"), "401", "the app is not allowed for it, and the token is not known")
	b.AddToken("pat")
	require.NoError(t, read("other"))
	require.NoError(t, read("suspended"), "with the token")
	require.Equal(t, 1, b.Requests()["installations"].Total, "the list is kept")
	require.Equal(t, 1, b.Requests()["installation token"].Total)
	names := []string{}
	for _, s := range b.client.Budgets() {
		names = append(names, s.Credential)
	}
	require.Equal(t, []string{"app 7 Acme", "token"}, names)

	b.clock.pass(49 * time.Minute)
	require.NoError(t, read("acme"))
	require.Equal(t, 1, b.Requests()["installation token"].Total, "more than ten minutes are left")
	require.Equal(t, 2, b.Requests()["installations"].Total, "older than ten minutes")
	b.clock.pass(2 * time.Minute)
	require.NoError(t, read("acme"))
	require.Equal(t, 2, b.Requests()["installation token"].Total, "less than ten minutes were left")

	b.RemoveToken("ghs_1_2")
	b.clock.pass(2 * time.Minute)
	require.NoError(t, read("acme"), "a token that was revoked is replaced")
	require.Equal(t, 3, b.Requests()["installation token"].Total)
	require.NotContains(t, b.log.String(), "ghs_")
}

func TestAppFailures(t *testing.T) {
	key, text := appKey(t)
	b := newBench(t, map[string]any{"token": "pat", "apps": []any{map[string]any{"appId": 7, "privateKey": text}}}, github.ReaderOptions{})
	b.AddToken("pat")
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	_, _, _, err := b.reader.Read(context.Background(), b.file("a.yaml"), "")
	require.ErrorContains(t, err, "list the installations of app 7: 401", "the app is not known")
	require.NotErrorIs(t, err, catalog.ErrNotFound)

	_, _, _, err = b.reader.Read(context.Background(), b.file("a.yaml"), "")
	require.ErrorContains(t, err, "list the installations of app 7: 401")
	require.Equal(t, 1, b.Requests()["installations"].Total, "a failure is believed for a moment")
	b.clock.pass(time.Minute)
	b.AddApp(forgetest.App{ID: 7, Key: &key.PublicKey})
	data, _, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data, "with the token, since it is installed nowhere")
	b.clock.pass(time.Hour)
	b.Inject(forgetest.Fault{Route: "installations", Status: 404})
	b.read(b.file("a.yaml"), "") // with what was known
	clients := clientsOf(t, b)
	_, err = clients.Installations(context.Background(), b.Host(), 8)
	require.ErrorContains(t, err, "there is no app 8")
	_, err = clients.Installations(context.Background(), "elsewhere", 7)
	require.ErrorContains(t, err, "no entry in integrations.github")
}

func clientsOf(t testing.TB, b *bench) *github.Clients {
	_, text := appKey(t)
	set, _, err := integration.Parse(map[string]any{"github": []any{map[string]any{
		"host": b.Host(), "apiBaseUrl": b.API(), "token": "pat", "apps": []any{map[string]any{"appId": 7, "privateKey": text}},
	}}})
	require.NoError(t, err)
	clients, err := github.NewClients(set, github.ClientOptions{Sleep: b.clock.sleep})
	require.NoError(t, err)
	return clients
}

func TestPublicAccessApp(t *testing.T) {
	key, text := appKey(t)
	b := newBench(t, map[string]any{"apps": []any{map[string]any{"appId": 7, "privateKey": text, "publicAccess": true}}}, github.ReaderOptions{})
	b.AddApp(forgetest.App{ID: 7, Key: &key.PublicKey, Installations: []forgetest.Installation{{ID: 1, Account: "other"}}})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	data, _, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data)
	require.Equal(t, "app 7 other", b.client.Budgets()[0].Credential)
}
