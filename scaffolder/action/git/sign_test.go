package git_test

import (
	"bytes"
	"crypto"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

// armored writes a key as gpg exports it: private with the private part, and
// public.
func armored(t *testing.T, e *openpgp.Entity, private bool) string {
	var out bytes.Buffer
	kind := openpgp.PublicKeyType
	if private {
		kind = openpgp.PrivateKeyType
	}
	w, err := armor.Encode(&out, kind, nil)
	require.NoError(t, err)
	if private {
		err = e.SerializePrivateWithoutSigning(w, nil)
	} else {
		err = e.Serialize(w)
	}
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.String()
}

func newKey(t *testing.T, c *packet.Config) *openpgp.Entity {
	c.Time = func() time.Time { return time.Now().Add(-time.Hour) }
	e, err := openpgp.NewEntity("Ada", "", "ada@example.com", c)
	require.NoError(t, err)
	return e
}

// gpg makes a folder with the keys that the git command trusts. It is short
// because of the socket in it.
func gpg(t *testing.T, public string) (home string) {
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("there is no gpg to check signatures with")
	}
	home, err := os.MkdirTemp("", "gpg-")
	require.NoError(t, err)
	t.Cleanup(func() {
		kill := exec.Command("gpgconf", "--homedir", home, "--kill", "all")
		_ = kill.Run() // an agent that never ran
		require.NoError(t, os.RemoveAll(home))
	})
	cmd := exec.Command("gpg", "--homedir", home, "--batch", "--import")
	cmd.Stdin = strings.NewReader(public)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return home
}

// verify is git verify-commit with what it says.
func verify(dir, home, commit string) (string, error) {
	cmd := exec.Command("git", "verify-commit", commit)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GNUPGHOME=" + home, "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What is pushed is signed by the key of the host or, where that has none, by
// the default one; the git command takes the signature for good.
func TestCommitsAreSigned(t *testing.T) {
	for name, c := range map[string]*packet.Config{
		"RSA":   {Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048, DefaultHash: crypto.SHA512},
		"EdDSA": {Algorithm: packet.PubKeyAlgoEdDSA},
	} {
		t.Run(name, func(t *testing.T) {
			mine, other := newKey(t, c), newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
			key, err := git.ParseSigningKey(strings.ReplaceAll(armored(t, mine, true), "\n", `\n`))
			require.NoError(t, err, "line breaks may be escaped, as in variables of the environment")
			wrong, err := git.ParseSigningKey(armored(t, other, true))
			require.NoError(t, err)
			f := forgetest.NewPlain(t)
			f.AddToken("s3cret")
			_, err = f.CreateRepository(forgetest.Repository{FullName: "acme/shop"})
			require.NoError(t, err)
			a := git.Actions(git.Options{Hosts: hosts{f.Host(): {"robot", "s3cret"}},
				Defaults: git.Defaults{Signing: git.Signing{Default: wrong, Hosts: map[string]*git.SigningKey{f.Host(): key}}}})[0]
			ctx, r := actiontest.NewContext(t)
			fill(t, ctx.Workspace, "a=1")
			require.NoError(t, r.Run(t.Context(), a, ctx, `{"remoteUrl":"`+f.URL()+`/acme/shop.git","gitAuthorEmail":"ada@example.com"}`))
			home := gpg(t, armored(t, mine, false))
			said, err := verify(f.GitDir("acme/shop"), home, "main")
			require.NoError(t, err, said)
			require.Contains(t, said, `Good signature from "Ada <ada@example.com>"`)
			command(t, f.GitDir("acme/shop"), "fsck", "--strict")
			_, err = verify(f.GitDir("acme/shop"), gpg(t, armored(t, other, false)), "main")
			require.Error(t, err, "another key does not check it")
		})
	}
}

// A step that is run again makes the same commit, signature and all.
func TestSignaturesAreRepeatable(t *testing.T) {
	key, err := git.ParseSigningKey(armored(t, newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}), true))
	require.NoError(t, err)
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	commit := git.Commit{Dir: ".", Branch: "main", Message: "m", Time: time.Now().Truncate(time.Second), Key: key}
	first, err := git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.NoError(t, c.Workspace.RemoveAll(".git"))
	second, err := git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.Equal(t, first.Hash(), second.Hash())
	require.NoError(t, c.Workspace.RemoveAll(".git"))
	commit.Key = nil
	unsigned, err := git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.NotEqual(t, first.Hash(), unsigned.Hash())
}

func TestParseSigningKey(t *testing.T) {
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}
	e := newKey(t, config)
	locked := newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	require.NoError(t, locked.EncryptPrivateKeys([]byte("sesame"), nil))
	expired := newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: 60})
	for name, c := range map[string]struct{ key, want string }{
		"no key":       {"sesame", "expected an OpenPGP private key in ASCII armor"},
		"nothing":      {"", "expected an OpenPGP private key in ASCII armor"},
		"a public key": {armored(t, e, false), "the key is a public one"},
		"a passphrase": {armored(t, locked, true), "the key needs a passphrase"},
		"expired":      {armored(t, expired, true), "the key may not sign, or is expired"},
		"too long":     {strings.Repeat("x", 1<<20+1), "the key has more than"},
		"cut off":      {armored(t, e, true)[:200], "expected an OpenPGP private key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := git.ParseSigningKey(c.key)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "sesame")
		})
	}
}

func TestSigningKeyOfHosts(t *testing.T) {
	key, err := git.ParseSigningKey(armored(t, newKey(t, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}), true))
	require.NoError(t, err)
	s := git.Signing{Hosts: map[string]*git.SigningKey{"h": key}}
	got, err := s.Required("h", true)
	require.NoError(t, err)
	require.Same(t, key, got)
	got, err = s.Required("h", false)
	require.NoError(t, err)
	require.Nil(t, got, "an action that is not asked to sign does not")
	_, err = s.Required("other", true)
	require.ErrorIs(t, err, catalog.ErrInput)
	require.EqualError(t, err, "Signing commits is enabled but no signing key is provided in the configuration")
}
