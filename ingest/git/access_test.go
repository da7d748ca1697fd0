package git_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/git"
)

func TestCredentials(t *testing.T) {
	for why, config := range map[string]map[string]any{
		"a token": {"token": "secret"}, "a password": {"username": "bot", "password": "secret"},
	} {
		t.Run(why, func(t *testing.T) {
			b := newBench(t, config, git.Options{})
			b.AddToken("secret")
			b.AddToken("mine")
			_, err := b.Add(forgetest.Repository{FullName: "acme/shop", Visibility: forgetest.Private}, map[string]string{"a.yaml": "1"})
			require.NoError(t, err)
			data, _, _ := b.read(b.file("a.yaml"), "")
			require.Equal(t, "1", data)
			nothing := func(archive.Entry) error { return nil }
			require.NoError(t, b.reader.Tree(context.Background(), b.base+"/acme/shop.git", "mine", nothing))
			as, err := b.reader.ReadAs(context.Background(), b.file("a.yaml"), "mine")
			require.NoError(t, err)
			require.Equal(t, "1", string(as))
			_, err = b.reader.ReadAs(context.Background(), b.file("a.yaml"), "stolen")
			require.ErrorContains(t, err, "401")
			err = b.reader.Tree(context.Background(), b.base+"/acme/shop.git", "stolen", nothing)
			require.ErrorContains(t, err, "401", "even though the commit is here")
			require.NotContains(t, err.Error(), "stolen")
			b.RemoveToken("secret")
			b.cycle()
			_, _, _, err = b.reader.Read(context.Background(), b.file("a.yaml"), "")
			require.ErrorContains(t, err, "401")
			require.NotErrorIs(t, err, catalog.ErrNotFound)
			require.NotContains(t, err.Error(), "secret")
		})
	}
	b := newBench(t, nil, git.Options{})
	_, _, _, err := b.reader.Read(context.Background(), "http://ada:hush@"+b.Host()+"/acme/shop.git/blob/main/a.yaml", "")
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	require.NotContains(t, err.Error(), "hush")
}

func TestSSHTrust(t *testing.T) {
	b := newSSHBench(t)
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	key, text := sshKey(t)
	other, err := b.ServeSSH(key)
	require.NoError(t, err)
	third, err := b.ServeSSH(key)
	require.NoError(t, err)
	_, stranger := sshKey(t)
	swapped := strings.Replace(third.KnownHosts(), strings.Split(third.Host(), ":")[1], strings.Split(other.Host(), ":")[1], 1)
	for _, c := range []struct{ why, key, known, says string }{
		{"all is well", text, other.KnownHosts(), ""},
		{"another host is known", text, third.KnownHosts(), "ssh.knownHosts has no key of " + other.Host()},
		{"it has another key", text, swapped, "another key than ssh.knownHosts says"},
		{"it does not know us", stranger, other.KnownHosts(), "unable to authenticate"},
	} {
		t.Run(c.why, func(t *testing.T) {
			r, err := newReader(map[string]any{"host": other.Host(), "ssh": map[string]any{"privateKey": c.key, "knownHosts": c.known}}, git.Options{Dir: t.TempDir()})
			require.NoError(t, err)
			defer r.Close()
			data, _, _, err := r.Read(context.Background(), other.URL()+"/acme/shop/blob/main/a.yaml", "")
			if c.says == "" {
				require.NoError(t, err)
				require.Equal(t, "1", string(data))
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
	for why, config := range map[string]map[string]any{
		"no key":        {"privateKey": "hush", "knownHosts": other.KnownHosts()},
		"no host":       {"privateKey": text, "knownHosts": "hush"},
		"no passphrase": {"privateKey": locked(t), "knownHosts": other.KnownHosts()},
	} {
		_, err := newReader(map[string]any{"host": other.Host(), "ssh": config}, git.Options{})
		require.ErrorContains(t, err, "integrations.git, host "+other.Host(), why)
		require.NotContains(t, err.Error(), "hush")
	}
}

func locked(t *testing.T) string {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("x"))
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block))
}

// A server that says nothing is not waited for beyond the context.
func TestSilentServers(t *testing.T) {
	b := newSSHBench(t)
	key, text := sshKey(t)
	server, err := b.ServeSSH(key)
	require.NoError(t, err)
	server.Mute()
	r, err := newReader(map[string]any{"host": server.Host(), "ssh": map[string]any{"privateKey": text, "knownHosts": server.KnownHosts()}}, git.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer r.Close()
	because := errors.New("shutting down")
	for _, reader := range []*git.Reader{r} {
		ctx, cancel := context.WithCancelCause(context.Background())
		go cancel(because)
		_, _, _, err = reader.Read(ctx, server.URL()+"/acme/shop/blob/main/a.yaml", "")
		require.ErrorIs(t, err, because)
	}
}
