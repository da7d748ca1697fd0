package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published reads the key set as somebody else would.
func (w *world) published() jose.JSONWebKeySet {
	set, _, err := w.call(w.JWKS)
	require.NoError(w.t, err)
	data, err := json.Marshal(set)
	require.NoError(w.t, err)
	var out jose.JSONWebKeySet
	require.NoError(w.t, json.Unmarshal(data, &out))
	return out
}

// checkWith verifies a token with the published keys, without code of ours.
func (w *world) checkWith(token, algorithm string) {
	w.t.Helper()
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	require.NoError(w.t, err)
	set := w.published()
	keys := set.Key(parsed.Signatures[0].Header.KeyID)
	require.Len(w.t, keys, 1)
	require.Equal(w.t, algorithm, keys[0].Algorithm)
	_, err = parsed.Verify(keys[0])
	require.NoError(w.t, err)
}

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			w := newWorld(t, func(o *auth.Options) { o.Algorithm = algorithm })
			token := w.signIn()
			header, _, _ := parts(t, token)
			assert.True(t, strings.HasPrefix(header, `{"typ":"vnd.backstage.user","alg":"`+algorithm+`","kid":"`), header)
			w.checkWith(token, algorithm)
			w.checkWith(w.limitedOf(token), algorithm)
			w.restart()
			_, err := w.Authenticate(token, "catalog")
			require.NoError(t, err, "its public key is kept")
			_, err = w.Authenticate(token[:len(token)-8]+"AAAAAAAA", "catalog")
			require.Error(t, err)
		})
	}
	w := newWorld(t, nil)
	for _, algorithm := range []string{"HS256", "none", "es256"} {
		o := w.o
		o.Algorithm = algorithm
		_, err := auth.New(t.Context(), o)
		require.ErrorContains(t, err, `"`+algorithm+`" for tokens is not one of ES256`)
	}
}

// Whoever changes the algorithm leaves the tokens from before as they are.
func TestAnotherAlgorithm(t *testing.T) {
	w := newWorld(t, nil)
	before := w.signIn()
	w.o.Algorithm = "EdDSA"
	w.restart()
	after := w.signIn()
	for _, token := range []string{before, after} {
		_, err := w.Authenticate(token, "catalog")
		require.NoError(t, err)
	}
	// The key of one algorithm is none for another, whatever the header says.
	segments := strings.Split(before, ".")
	for _, alg := range []string{"EdDSA", "ES384", "RS256", "PS256", "HS256", "none"} {
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"vnd.backstage.user","alg":"` + alg + `","kid":"` + kid(t, before) + `"}`))
		_, err := w.Authenticate(header+"."+segments[1]+"."+segments[2], "catalog")
		require.EqualError(t, err, "Failed user token verification", alg)
	}
}

func TestKeysInMemory(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) { o.Keys = auth.MemoryKeys() })
	token := w.signIn()
	_, err := w.Authenticate(token, "catalog")
	require.NoError(t, err)
	stored, err := w.store().Keys(t.Context())
	require.NoError(t, err)
	assert.Empty(t, stored)
	w.clock.t = w.clock.t.Add(4 * time.Hour)
	w.signIn()
	assert.Len(t, w.published().Keys, 1, "expired ones are forgotten")
	w.o.Keys = auth.MemoryKeys() // another process
	w.restart()
	_, err = w.Authenticate(token, "catalog")
	require.Error(t, err)
}

// writeKey writes both halves of a key as openssl does.
func writeKey(t *testing.T, name string, key crypto.Signer) auth.KeyFile {
	dir := t.TempDir()
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	f := auth.KeyFile{ID: name, Public: filepath.Join(dir, "pub.pem"), Private: filepath.Join(dir, "key.pem")}
	writePEM(t, f.Public, "PUBLIC KEY", public)
	writePEM(t, f.Private, "PRIVATE KEY", private)
	return f
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func TestKeyFiles(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	first, second := writeKey(t, "first", p256), writeKey(t, "second", ed)
	second.Algorithm, second.Private = "EdDSA", ""
	w := newWorld(t, func(o *auth.Options) {
		o.KeyFiles, o.PluginKeyFiles = []auth.KeyFile{first, second}, []auth.KeyFile{first}
	})
	token := w.signIn()
	assert.Equal(t, "first", kid(t, token))
	w.checkWith(token, "ES256")
	set := w.published()
	require.Len(t, set.Keys, 2)
	for _, k := range set.Keys {
		assert.Equal(t, "sig", k.Use)
	}
	w.clock.t = w.clock.t.Add(1000 * time.Hour)
	assert.Len(t, w.published().Keys, 2, "they stay")
	assert.Equal(t, "first", kid(t, w.signIn()))
	// What was signed with the second one elsewhere holds here.
	now := w.clock.t
	_, err = w.Authenticate(sign(t, jwt.SigningMethodEdDSA, ed, map[string]any{"typ": "vnd.backstage.user", "kid": "second"},
		map[string]any{"sub": "user:default/x", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}), "catalog")
	require.NoError(t, err)

	plugin, err := w.PluginToken(t.Context(), "catalog", "todo", auth.OwnService("catalog"))
	require.NoError(t, err)
	assert.Equal(t, "first", kid(t, plugin))
	keys, _, err := w.call(w.PluginJWKS("search"))
	require.NoError(t, err)
	assert.Len(t, keys.Value("keys"), 1, "all plugins sign with them")
	stored, err := w.store().Keys(t.Context())
	require.NoError(t, err)
	assert.Empty(t, stored)
}

// A key signs with its own algorithm, though another would fit it.
func TestKeysHaveOneAlgorithm(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	f := writeKey(t, "rsa", key)
	f.Algorithm = "RS256"
	w := newWorld(t, func(o *auth.Options) { o.KeyFiles = []auth.KeyFile{f} })
	now := w.clock.t
	for method, ok := range map[jwt.SigningMethod]bool{jwt.SigningMethodRS256: true, jwt.SigningMethodRS512: false, jwt.SigningMethodPS256: false} {
		_, err := w.Authenticate(sign(t, method, key, map[string]any{"typ": "vnd.backstage.user", "kid": "rsa"},
			map[string]any{"sub": "user:default/x", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}), "catalog")
		assert.Equal(t, ok, err == nil, method.Alg())
	}
}

func TestKeyFilesInOlderForms(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	f := writeKey(t, "ec", p256)
	der, err := x509.MarshalECPrivateKey(p256)
	require.NoError(t, err)
	// As openssl ecparam -genkey writes it: the curve before the key.
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...)
	require.NoError(t, os.WriteFile(f.Private, text, 0o600))
	w := newWorld(t, func(o *auth.Options) { o.KeyFiles = []auth.KeyFile{f} })
	w.checkWith(w.signIn(), "ES256")

	r, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	f = writeKey(t, "rsa", r)
	f.Algorithm = "PS256"
	writePEM(t, f.Private, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r))
	w = newWorld(t, func(o *auth.Options) { o.KeyFiles = []auth.KeyFile{f} })
	w.checkWith(w.signIn(), "PS256")
}

func TestKeyFilesAreChecked(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	good, stranger, small := writeKey(t, "k", p256), writeKey(t, "k", other), writeKey(t, "k", weak)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("hello"), 0o600))
	huge := filepath.Join(t.TempDir(), "huge.pem")
	require.NoError(t, os.WriteFile(huge, make([]byte, 65<<10), 0o600))
	alter := func(f func(*auth.KeyFile)) []auth.KeyFile { k := good; f(&k); return []auth.KeyFile{k} }
	w := newWorld(t, nil)
	for name, tc := range map[string]struct {
		files []auth.KeyFile
		says  string
	}{
		"none":                      {[]auth.KeyFile{}, "one key at least"},
		"no id":                     {alter(func(k *auth.KeyFile) { k.ID = "" }), "no id"},
		"an id twice":               {[]auth.KeyFile{good, good}, "twice"},
		"an algorithm that is none": {alter(func(k *auth.KeyFile) { k.Algorithm = "HS256" }), `"HS256" is not one of`},
		"a key of another sort":     {alter(func(k *auth.KeyFile) { k.Algorithm = "RS256" }), "holds no key for RS256"},
		"a key that is too small":   {[]auth.KeyFile{{ID: "k", Algorithm: "RS256", Public: small.Public, Private: small.Private}}, "holds no key for RS256"},
		"nothing to sign with":      {alter(func(k *auth.KeyFile) { k.Private = "" }), "needs a private key"},
		"halves of two":             {alter(func(k *auth.KeyFile) { k.Private = stranger.Private }), "not halves of one key"},
		"no file":                   {alter(func(k *auth.KeyFile) { k.Public += "x" }), "no such file"},
		"no private file":           {alter(func(k *auth.KeyFile) { k.Private += "x" }), "no such file"},
		"no PEM":                    {alter(func(k *auth.KeyFile) { k.Public = empty }), "holds no key in PEM"},
		"a large file":              {alter(func(k *auth.KeyFile) { k.Public = huge }), "larger than"},
		"the private for public":    {alter(func(k *auth.KeyFile) { k.Public = good.Private }), "holds no public key"},
		"the public for private":    {alter(func(k *auth.KeyFile) { k.Private = good.Public }), "holds no private key"},
	} {
		o := w.o
		o.KeyFiles = tc.files
		_, err := auth.New(t.Context(), o)
		assert.ErrorContains(t, err, tc.says, name)
		o.KeyFiles, o.PluginKeyFiles = nil, tc.files
		_, err = auth.New(t.Context(), o)
		assert.ErrorContains(t, err, tc.says, name)
	}
}

// A key that is not published any more verifies nothing, whatever end a token
// has.
func TestForgottenKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	w := newWorld(t, nil)
	now := w.clock.t
	require.NoError(t, w.store().PutKey(t.Context(), auth.PublicKey{ID: "old", Point: point, Created: now.Add(-2 * time.Hour), Expires: now.Add(time.Hour)}, now))
	w.restart()
	token := func(jti string) string { // told apart, so that the cache knows none
		return sign(t, jwt.SigningMethodES256, key, map[string]any{"typ": "vnd.backstage.user", "kid": "old"},
			map[string]any{"sub": "user:default/x", "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(), "jti": jti})
	}
	_, err = w.Authenticate(token("1"), "catalog")
	require.NoError(t, err)
	w.clock.t = now.Add(time.Hour)
	_, err = w.Authenticate(token("2"), "catalog")
	require.EqualError(t, err, "Failed user token verification")
}
