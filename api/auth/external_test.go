package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeySetAccess(t *testing.T) {
	idp := newPeer(t)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	w := newWorld(t, func(o *auth.Options) {
		o.Transport = idp
		o.External = []auth.ExternalAccess{
			{Type: "jwks", URL: "http://idp/keys", Issuers: []string{"https://idp", "https://idp2"}, Audiences: []string{"portal", "greenroom"},
				Algorithms: []string{"ES256"}, SubjectPrefix: "idp", Restrictions: []auth.Restriction{{Plugin: "catalog", Actions: []string{"read"}}}},
			{Type: "jwks", URL: "http://idp/keys", Issuers: []string{"https://other"}},
			{Type: "static", Token: "static-token", Subject: "ci"},
		}
	})
	now := w.clock.t
	end := now.Truncate(time.Second).Add(time.Hour)
	header := map[string]any{"kid": "peer-key"}
	claims := func(kv ...any) map[string]any {
		c := map[string]any{"sub": "robot", "iss": "https://idp", "aud": "portal", "exp": end.Unix()}
		for i := 0; i < len(kv); i += 2 {
			if c[kv[i].(string)] = kv[i+1]; kv[i+1] == nil {
				delete(c, kv[i].(string))
			}
		}
		return c
	}
	es := func(claims map[string]any) string { return sign(t, jwt.SigningMethodES256, idp.key, header, claims) }
	for _, tc := range []struct {
		name, token string
		want        string // the subject, "" for none
		expires     time.Time
	}{
		{"all that is asked for", es(claims()), "external:idp:robot", end},
		{"the other issuer and audience", es(claims("iss", "https://idp2", "aud", []string{"x", "greenroom"})), "external:idp:robot", end},
		{"no prefix, no audience, no end", es(claims("iss", "https://other", "aud", nil, "exp", nil)), "external:robot", time.Time{}},
		{"no key id, and there is only one key", sign(t, jwt.SigningMethodES256, idp.key, nil, claims()), "external:idp:robot", end},
		{name: "no subject", token: es(claims("sub", nil))},
		{name: "no issuer", token: es(claims("iss", nil))},
		{name: "another issuer", token: es(claims("iss", "https://evil"))},
		{name: "another audience", token: es(claims("aud", "elsewhere"))},
		{name: "no audience", token: es(claims("aud", nil))},
		{name: "expired", token: es(claims("exp", now.Unix()-1))},
		{name: "not yet", token: es(claims("nbf", now.Add(time.Minute).Unix()))},
		{name: "signed by another", token: sign(t, jwt.SigningMethodES256, stranger, header, claims())},
		{name: "alg none", token: sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, claims())},
		{name: "a shared secret", token: sign(t, jwt.SigningMethodHS256, []byte("x"), header, claims())},
		{name: "a key id that is a URL", token: sign(t, jwt.SigningMethodES256, stranger, map[string]any{"kid": "http://evil/keys", "jku": "http://evil/keys"}, claims())},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 {
				p, err := w.Authenticate(tc.token, "catalog")
				if tc.want == "" {
					require.EqualError(t, err, "Illegal token")
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, auth.Service, p.Kind)
				assert.Equal(t, tc.want, p.Subject)
				assert.True(t, tc.expires.Equal(p.Expires))
			}
		})
	}
	_, err = w.Authenticate(es(claims()), "search")
	assert.Equal(t, "NotAllowedError: This token's access is restricted to plugin(s) 'catalog'", catalog.Describe(err))
	p, err := w.Authenticate("static-token", "search")
	require.NoError(t, err, "the methods behind are still asked")
	assert.Equal(t, "ci", p.Subject)
	for _, path := range idp.paths {
		assert.Equal(t, "http://idp/keys", path)
	}
}

// Tokens that are not for an access cause no request to its key set.
func TestKeySetsAreNotAskedInVain(t *testing.T) {
	idp := newPeer(t)
	w := newWorld(t, func(o *auth.Options) {
		o.Transport = idp
		o.External = []auth.ExternalAccess{{Type: "jwks", URL: "http://idp/keys", Issuers: []string{"https://idp"}}}
	})
	for _, token := range []string{"x", "a.b.c", sign(t, jwt.SigningMethodES256, idp.key, nil, map[string]any{"sub": "x", "iss": "https://other"}),
		sign(t, jwt.SigningMethodHS256, []byte("x"), nil, map[string]any{"sub": "x", "iss": "https://idp"})} {
		_, err := w.Authenticate(token, "catalog")
		require.Error(t, err)
	}
	assert.Zero(t, idp.asked.Load())
	idp.down = true
	_, err := w.Authenticate(sign(t, jwt.SigningMethodES256, idp.key, nil, map[string]any{"sub": "x", "iss": "https://idp"}), "catalog")
	require.EqualError(t, err, "Illegal token", "a key set that is down is not the caller's to hear of")
	assert.EqualValues(t, 1, idp.asked.Load())
}

// Where others share the issuer, the subject tells whose token it is.
func TestSubjectsOfAKeySet(t *testing.T) {
	idp := newPeer(t)
	w := newWorld(t, func(o *auth.Options) {
		o.Transport = idp
		o.External = []auth.ExternalAccess{{Type: "jwks", URL: "http://idp/keys", Subjects: []string{"repo:acme/*:ref:refs/heads/main", "robot", "a*b*c"}}}
	})
	for subject, ok := range map[string]bool{
		"repo:acme/portal:ref:refs/heads/main": true, "repo:acme/:ref:refs/heads/main": true, "robot": true, "abc": true, "aXbYbZc": true, "abcbc": true,
		"repo:evil/portal:ref:refs/heads/main": false, "repo:acme/portal:ref:refs/heads/main2": false, "xrepo:acme/a:ref:refs/heads/main": false,
		"repo:acme/portal:ref:refs/heads/dev": false, "robots": false, "Robot": false, "ac": false, "abcd": false, "acb": false, "": false,
	} {
		_, err := w.Authenticate(sign(t, jwt.SigningMethodES256, idp.key, nil, map[string]any{"sub": subject}), "catalog")
		if ok {
			assert.NoError(t, err, subject)
			continue
		}
		assert.EqualError(t, err, "Illegal token", subject)
	}
}
