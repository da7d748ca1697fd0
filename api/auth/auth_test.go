package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// world is an authority over a database in a file, and its clock.
type world struct {
	t     *testing.T
	clock *clock
	db    *bbolt.DB
	o     auth.Options
	*auth.Authority
}

func newWorld(t *testing.T, change func(*auth.Options)) *world {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "auth.db"), 0o600, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	w := &world{t: t, clock: &clock{time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)}, db: db}
	w.o = auth.Options{BaseURL: "http://localhost:7007/", Guest: &auth.Guest{Allowed: true}, Now: w.clock.now}
	if change != nil {
		change(&w.o)
	}
	w.restart()
	return w
}

func (w *world) store() *boltkeys.Store {
	store, err := boltkeys.Open(w.db)
	require.NoError(w.t, err)
	return store
}

// restart opens the store again, as a new process would.
func (w *world) restart() {
	w.o.Store = w.store()
	var err error
	w.Authority, err = auth.New(w.t.Context(), w.o)
	require.NoError(w.t, err)
}

// call runs a handler and returns its answer as it goes over the wire, and the
// headers it set.
func (w *world) call(h wire.Handler, headers ...string) (answer *jsonvalue.Object, rec *httptest.ResponseRecorder, err error) {
	rec = httptest.NewRecorder()
	c, _ := gin.CreateTestContext(rec)
	c.Request = httptest.NewRequestWithContext(w.t.Context(), "GET", "/", nil)
	for i := 0; i < len(headers); i += 2 {
		c.Request.Header.Set(headers[i], headers[i+1])
	}
	v, err := h(c)
	if err != nil {
		return nil, rec, err
	}
	data, err := wire.AppendJSON(nil, v)
	require.NoError(w.t, err)
	answer, _ = jsonvalue.ParseObject(data)
	return answer, rec, nil
}

func (w *world) signIn() string {
	session, _, err := w.call(w.GuestRefresh)
	require.NoError(w.t, err)
	return session.Object("backstageIdentity").String("token")
}

func parts(t *testing.T, token string) (header, payload string, signature []byte) {
	p := strings.Split(token, ".")
	require.Len(t, p, 3)
	h, err := base64.RawURLEncoding.DecodeString(p[0])
	require.NoError(t, err)
	b, err := base64.RawURLEncoding.DecodeString(p[1])
	require.NoError(t, err)
	s, err := base64.RawURLEncoding.DecodeString(p[2])
	require.NoError(t, err)
	return string(h), string(b), s
}

// publicKey reads a key from the published set, without any code of ours.
func (w *world) publicKey(id string) *ecdsa.PublicKey {
	set, _, err := w.call(w.JWKS)
	require.NoError(w.t, err)
	for _, k := range set.Value("keys").([]any) {
		if k := k.(*jsonvalue.Object); k.String("kid") == id {
			x, _ := base64.RawURLEncoding.DecodeString(k.String("x"))
			y, _ := base64.RawURLEncoding.DecodeString(k.String("y"))
			key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
			require.NoError(w.t, err)
			return key
		}
	}
	return nil
}

// verifies checks a raw r‖s signature.
func verifies(key *ecdsa.PublicKey, content string, sig []byte) bool {
	if key == nil || len(sig) != 64 {
		return false
	}
	sum := sha256.Sum256([]byte(content))
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

func TestUserTokenBytes(t *testing.T) {
	for _, subject := range []string{"user:development/guest", "user:default/a&b<c>", "user:default/Zoë-\u2028"} {
		t.Run(subject, func(t *testing.T) {
			w := newWorld(t, func(o *auth.Options) { o.Guest.UserEntityRef = subject })
			token := w.signIn()
			header, payload, sig := parts(t, token)
			var h struct{ Kid string }
			require.NoError(t, json.Unmarshal([]byte(header), &h))
			var c struct {
				Iat, Exp int64
				Uip      string
			}
			require.NoError(t, json.Unmarshal([]byte(payload), &c))
			issued := w.clock.t.Unix()
			assert.Equal(t, issued, c.Iat)
			assert.Equal(t, issued+3600, c.Exp)
			assert.Equal(t, `{"typ":"vnd.backstage.user","alg":"ES256","kid":"`+h.Kid+`"}`, header)
			assert.Equal(t, fmt.Sprintf(`{"iss":"http://localhost:7007/api/auth","sub":"%s","aud":"backstage","iat":%d,"exp":%d,"uip":"%s"}`,
				subject, c.Iat, c.Exp, c.Uip), payload)
			key := w.publicKey(h.Kid)
			assert.True(t, verifies(key, token[:strings.LastIndexByte(token, '.')], sig))

			// The limited token as a holder of the full one rebuilds it.
			limited := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"vnd.backstage.limited-user","alg":"ES256","kid":"`+h.Kid+`"}`)) + "." +
				base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"sub":"%s","iat":%d,"exp":%d}`, subject, c.Iat, c.Exp))
			proof, err := base64.RawURLEncoding.DecodeString(c.Uip)
			require.NoError(t, err)
			assert.True(t, verifies(key, limited, proof))

			answer, rec, err := w.call(w.IssueCookie("techdocs"), "Authorization", "Bearer "+token)
			require.NoError(t, err)
			assert.Contains(t, rec.Header().Get("Set-Cookie"), "backstage-auth="+limited+"."+c.Uip+";", "the cookie holds exactly that token")
			assert.Equal(t, "2026-01-02T04:04:05.000Z", answer.String("expiresAt"))
		})
	}
}

func TestOwnershipClaim(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) {
		o.IncludeOwnership = true
		o.Guest.Ownership = []string{"user:development/guest", "group:default/a&b"}
	})
	_, payload, _ := parts(t, w.signIn())
	assert.Contains(t, payload, `"sub":"user:development/guest","ent":["user:development/guest","group:default/a&b"],"aud"`)
}

func TestTokenTooLong(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) { o.Guest.UserEntityRef = "user:default/" + strings.Repeat("a", 30_000) })
	_, _, err := w.call(w.GuestRefresh)
	require.ErrorContains(t, err, "longer than 32768")
}

func TestTokens(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) {
		o.External = []auth.ExternalAccess{
			{Type: "static", Token: "static-token", Subject: "ci"},
			{Type: "legacy", Secret: "c2VjcmV0LXNlY3JldA==", Subject: "old-friend"},
			{Type: "legacy", Secret: "-__-", Subject: "url-friend"},
		}
	})
	token := w.signIn()
	header, payload, _ := parts(t, token)
	var h struct{ Kid string }
	require.NoError(t, json.Unmarshal([]byte(header), &h))
	public, err := w.publicKey(h.Kid).ECDH()
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(w.publicKey(h.Kid))
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := w.clock.t
	user := jwt.MapClaims{"sub": "user:default/eve", "aud": "backstage", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	sign := func(method jwt.SigningMethod, key any, header, claims map[string]any) string {
		tok := jwt.NewWithClaims(method, jwt.MapClaims(claims))
		for k, v := range header {
			tok.Header[k] = v
		}
		s, err := tok.SignedString(key)
		require.NoError(t, err)
		return s
	}
	userHeader := map[string]any{"typ": "vnd.backstage.user", "kid": h.Kid}
	legacy := jwt.MapClaims{"sub": "backstage-server"}
	segments := strings.Split(token, ".")
	for _, tc := range []struct {
		name, token, want string // want is the subject, or the error
	}{
		{"ours", token, "user:development/guest"},
		{"signature of another", segments[0] + "." + segments[1] + "." + segments[2][:80] + "AAAAAA", "Failed user token verification"},
		{"payload changed", segments[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(payload, "guest", "admin", 1))) + "." + segments[2], "Failed user token verification"},
		{"alg none", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, userHeader, user), "Failed user token verification"},
		{"our public key as a shared secret, PEM", sign(jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), userHeader, user), "Failed user token verification"},
		{"our public key as a shared secret, point", sign(jwt.SigningMethodHS256, public.Bytes(), userHeader, user), "Failed user token verification"},
		{"a key of their own under our id", sign(jwt.SigningMethodES256, other, userHeader, user), "Failed user token verification"},
		{"a key that nobody published", sign(jwt.SigningMethodES256, other, map[string]any{"typ": "vnd.backstage.user", "kid": "x"}, user), "Failed user token verification"},
		{"an old token, known by its audience", sign(jwt.SigningMethodES256, other, map[string]any{"kid": "x"}, user), "Failed user token verification"},
		{"a plugin token", sign(jwt.SigningMethodES256, other, map[string]any{"typ": "vnd.backstage.plugin", "kid": "x"}, user), "Failed plugin token verification"},
		{"a JWT of nobody", sign(jwt.SigningMethodES256, other, nil, map[string]any{"sub": "x"}), "Illegal token"},
		{"three parts that are no JWT", "a.b.c", "Illegal token"},
		{"empty parts", "..", "Illegal token"},
		{"oversized", strings.Repeat("a", 40_000), "Illegal token"},
		{"static", "static-token", "ci"},
		{"nearly static", "static-tokem", "Illegal token"},
		{"legacy", sign(jwt.SigningMethodHS256, []byte("secret-secret"), nil, legacy), "old-friend"},
		{"legacy, of a secret in the other alphabet", sign(jwt.SigningMethodHS256, []byte{0xfb, 0xff, 0xfe}, nil, legacy), "url-friend"},
		{"legacy of another secret", sign(jwt.SigningMethodHS256, []byte("wrong"), nil, legacy), "Illegal token"},
		{"legacy, expired", sign(jwt.SigningMethodHS256, []byte("secret-secret"), nil, map[string]any{"sub": "backstage-server", "exp": now.Add(-time.Second).Unix()}), "Illegal token"},
		{"legacy of another subject", sign(jwt.SigningMethodHS256, []byte("secret-secret"), nil, map[string]any{"sub": "other"}), "Illegal token"},
		{"legacy with an audience", sign(jwt.SigningMethodHS256, []byte("secret-secret"), nil, map[string]any{"sub": "backstage-server", "aud": "x"}), "Illegal token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // the second time from the cache, if it holds
				p, err := w.Authenticate(tc.token, "catalog")
				if err != nil {
					assert.Equal(t, tc.want, err.Error())
					assert.ErrorIs(t, err, &catalog.Error{Name: wire.NameAuthentication})
					assert.Zero(t, p)
					continue
				}
				assert.Equal(t, tc.want, p.Subject)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signIn()
	w.clock.t = w.clock.t.Add(time.Hour - 2*time.Second)
	_, err := w.Authenticate(token, "catalog")
	require.NoError(t, err)
	w.clock.t = w.clock.t.Add(2 * time.Second)
	_, err = w.Authenticate(token, "catalog")
	require.EqualError(t, err, "Failed user token verification", "also when it was verified before")
}

func TestLifetimeIsClamped(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{0: time.Hour, time.Minute: 10 * time.Minute, 48 * time.Hour: 24 * time.Hour, 2 * time.Hour: 2 * time.Hour} {
		w := newWorld(t, func(o *auth.Options) { o.TokenLifetime = given })
		_, payload, _ := parts(t, w.signIn())
		var c struct{ Iat, Exp int64 }
		require.NoError(t, json.Unmarshal([]byte(payload), &c))
		assert.Equal(t, want, time.Duration(c.Exp-c.Iat)*time.Second)
	}
}

func TestRotation(t *testing.T) {
	w := newWorld(t, nil)
	keys := func() int {
		set, _, err := w.call(w.JWKS)
		require.NoError(t, err)
		return len(set.Value("keys").([]any))
	}
	assert.Zero(t, keys(), "no key before the first token")
	w.signIn()
	w.signIn()
	assert.Equal(t, 1, keys(), "one key signs for a lifetime")
	w.clock.t = w.clock.t.Add(59 * time.Minute)
	late := w.signIn()
	assert.Equal(t, 1, keys())
	w.clock.t = w.clock.t.Add(2 * time.Minute)
	w.signIn()
	assert.Equal(t, 2, keys(), "then another does")
	_, err := w.Authenticate(late, "catalog")
	require.NoError(t, err, "tokens of the first still hold")

	w.restart()
	_, err = w.Authenticate(late, "catalog")
	require.NoError(t, err, "also after a restart")
	assert.Equal(t, 2, keys())
	w.signIn()
	assert.Equal(t, 3, keys(), "a new process signs with a key of its own")

	w.clock.t = w.clock.t.Add(2 * time.Hour)
	assert.Equal(t, 2, keys(), "after three lifetimes a key is not published any more")
	w.signIn()
	w.restart()
	assert.Equal(t, 3, keys(), "and it is forgotten")
}

func TestPrivateKeysAreNotStored(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn()
	require.NoError(t, w.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("auth")).Bucket([]byte("keys")).ForEach(func(_, v []byte) error {
			var k map[string]any
			require.NoError(t, json.Unmarshal(v, &k))
			assert.ElementsMatch(t, []string{"id", "point", "created", "expires"}, keysOf(k))
			return nil
		})
	}))
}

func keysOf(m map[string]any) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

type directory func(string) ([]string, error)

func (d directory) Ownership(_ context.Context, ref string) ([]string, error) { return d(ref) }

func TestGuest(t *testing.T) {
	for _, tc := range []struct {
		name      string
		guest     *auth.Guest
		directory auth.Directory
		subject   string
		owns      []any
		err       string
	}{
		{name: "default", guest: &auth.Guest{Allowed: true}, subject: "user:development/guest", owns: []any{"user:development/guest"}},
		{name: "configured", guest: &auth.Guest{Allowed: true, UserEntityRef: "user:default/g", Ownership: []string{"group:default/x"}}, subject: "user:default/g", owns: []any{"group:default/x"}},
		{name: "what the catalog says counts", guest: &auth.Guest{Allowed: true, Ownership: []string{"group:default/x"}},
			directory: directory(func(ref string) ([]string, error) { return []string{ref, "group:default/team-a"}, nil }),
			subject:   "user:development/guest", owns: []any{"user:development/guest", "group:default/team-a"}},
		{name: "but not when it cannot say", guest: &auth.Guest{Allowed: true},
			directory: directory(func(string) ([]string, error) { return nil, errors.New("down") }),
			subject:   "user:development/guest", owns: []any{"user:development/guest"}},
		{name: "outside development", guest: &auth.Guest{}, err: "NotAllowedError"},
		{name: "not configured", err: "NotFoundError"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, func(o *auth.Options) { o.Guest, o.Directory = tc.guest, tc.directory })
			session, _, err := w.call(w.GuestRefresh)
			if tc.err != "" {
				require.Equal(t, tc.err, catalog.ErrorName(err))
				return
			}
			require.NoError(t, err)
			assert.Zero(t, session.Object("profile").Len())
			assert.True(t, session.Has("profile"))
			assert.False(t, session.Has("providerInfo"))
			id := session.Object("backstageIdentity")
			assert.InDelta(t, 3600, id.Value("expiresInSeconds"), 1)
			assert.Equal(t, "user", id.Object("identity").String("type"))
			assert.Equal(t, tc.subject, id.Object("identity").String("userEntityRef"))
			assert.Equal(t, tc.owns, id.Object("identity").Value("ownershipEntityRefs"))

			info, _, err := w.call(w.UserInfo, "Authorization", "Bearer "+id.String("token"))
			require.NoError(t, err)
			assert.Equal(t, tc.subject, info.Object("claims").String("sub"))
			assert.Equal(t, tc.owns, info.Object("claims").Value("ent"), "userinfo tells the same")
		})
	}
}

func TestUserInfo(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) {
		o.External = []auth.ExternalAccess{{Type: "static", Token: "static-token", Subject: "ci"}}
	})
	token := w.signIn()
	_, rec, err := w.call(w.IssueCookie("app"), "Authorization", "Bearer "+token)
	require.NoError(t, err)
	limited, _, _ := strings.Cut(strings.TrimPrefix(rec.Header().Get("Set-Cookie"), "backstage-auth="), ";")
	info, _, err := w.call(w.UserInfo, "Authorization", "Bearer "+limited)
	require.NoError(t, err, "a limited token will do")
	assert.Equal(t, "user:development/guest", info.Object("claims").String("sub"))
	_, _, err = w.call(w.UserInfo)
	assert.Equal(t, "AuthenticationError: Missing credentials", catalog.Describe(err))
	_, _, err = w.call(w.UserInfo, "Authorization", "Bearer static-token")
	assert.Equal(t, catalog.NameInput, catalog.ErrorName(err), "services have no user info")

	require.NoError(t, w.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("auth")).Bucket([]byte("users")).Delete([]byte("user:development/guest"))
	}))
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("GET", "/", nil)
	c.Request.Header.Set("Authorization", "Bearer "+token)
	v, err := w.Authority.UserInfo(c)
	require.NoError(t, err)
	assert.Equal(t, wire.Text{Code: 404, Body: "User info not found"}, v)
}

func TestCookie(t *testing.T) {
	for base, attributes := range map[string]string{
		"http://localhost:7007":     "Domain=localhost; Path=/; Expires=Fri, 02 Jan 2026 04:04:05 GMT; HttpOnly; Priority=High; Secure; SameSite=None",
		"https://portal.corp:8443/": "Domain=portal.corp; Path=/; Expires=Fri, 02 Jan 2026 04:04:05 GMT; HttpOnly; Priority=High; Secure; SameSite=None",
		"http://10.0.0.7":           "Domain=10.0.0.7; Path=/; Expires=Fri, 02 Jan 2026 04:04:05 GMT; HttpOnly; Priority=High; SameSite=Lax",
	} {
		w := newWorld(t, func(o *auth.Options) { o.BaseURL = base })
		_, rec, err := w.call(w.IssueCookie("techdocs"), "Authorization", "Bearer "+w.signIn())
		require.NoError(t, err)
		_, got, _ := strings.Cut(rec.Header().Get("Set-Cookie"), "; ")
		assert.Equal(t, attributes, got)
		_, rec, err = w.call(func(c *gin.Context) (any, error) { return w.DropCookie(c) })
		require.NoError(t, err)
		assert.Contains(t, rec.Header().Get("Set-Cookie"), "backstage-auth=; ")
		assert.Contains(t, rec.Header().Get("Set-Cookie"), "Expires=Thu, 01 Jan 1970 00:00:00 GMT")
	}
}

func TestCookieIsKeptWhileItHolds(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) {
		o.External = []auth.ExternalAccess{{Type: "static", Token: "static-token", Subject: "ci"}}
	})
	token := w.signIn()
	issue := w.IssueCookie("techdocs")
	_, rec, err := w.call(issue, "Authorization", "Bearer "+token)
	require.NoError(t, err)
	cookie, _, _ := strings.Cut(rec.Header().Get("Set-Cookie"), ";")
	w.clock.t = w.clock.t.Add(30 * time.Minute)
	token = w.signIn()
	answer, rec, err := w.call(issue, "Authorization", "Bearer "+token, "Cookie", cookie)
	require.NoError(t, err)
	assert.Empty(t, rec.Header().Get("Set-Cookie"))
	assert.Equal(t, "2026-01-02T04:04:05.000Z", answer.String("expiresAt"))
	w.clock.t = w.clock.t.Add(26 * time.Minute)
	_, rec, err = w.call(issue, "Authorization", "Bearer "+token, "Cookie", cookie)
	require.NoError(t, err)
	assert.NotEmpty(t, rec.Header().Get("Set-Cookie"), "less than five minutes are left")
	_, rec, err = w.call(issue, "Authorization", "Bearer "+token, "Cookie", "backstage-auth=garbage")
	require.NoError(t, err)
	assert.NotEmpty(t, rec.Header().Get("Set-Cookie"), "a bad cookie is replaced")
	limited := strings.TrimPrefix(cookie, "backstage-auth=")
	_, _, err = w.call(issue, "Authorization", "Bearer "+limited)
	assert.EqualError(t, err, "Illegal limited user token")
	_, _, err = w.call(issue, "Authorization", "Bearer static-token")
	assert.Equal(t, "NotAllowedError: This endpoint does not allow 'service' credentials", catalog.Describe(err))
	_, _, err = w.call(issue)
	assert.EqualError(t, err, "Missing credentials")
}

// Cookies do on the paths that browsers load by themselves, and only there.
func TestCookiePaths(t *testing.T) {
	w := newWorld(t, nil)
	_, rec, err := w.call(w.IssueCookie("techdocs"), "Authorization", "Bearer "+w.signIn())
	require.NoError(t, err)
	cookie, _, _ := strings.Cut(rec.Header().Get("Set-Cookie"), ";")
	for _, tc := range []struct {
		plugin, path, err string
	}{
		{"techdocs", "/static/docs/x", ""},
		{"techdocs", "/static", ""},
		{"techdocs", "/statics", "Missing credentials"},
		{"techdocs", "/sync/x", "Missing credentials"},
		{"catalog", "/static/docs", "Missing credentials"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		p, err := w.Admit(r, tc.plugin, tc.path)
		if tc.err != "" {
			assert.EqualError(t, err, tc.err, tc.path)
			continue
		}
		require.NoError(t, err, tc.path)
		assert.Equal(t, "user:development/guest", p.Subject)
		assert.True(t, p.Limited)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	static := auth.ExternalAccess{Type: "static", Token: "static-token", Subject: "ci"}
	alter := func(f func(*auth.ExternalAccess)) auth.ExternalAccess {
		a := static
		f(&a)
		return a
	}
	for name, a := range map[string]auth.ExternalAccess{
		"token is too short":       alter(func(a *auth.ExternalAccess) { a.Token = "short" }),
		"token has a blank":        alter(func(a *auth.ExternalAccess) { a.Token = "static token" }),
		"no subject":               alter(func(a *auth.ExternalAccess) { a.Subject = "" }),
		"secret is not base64":     {Type: "legacy", Secret: "%%%", Subject: "x"},
		"secret is empty":          {Type: "legacy", Subject: "x"},
		"jwks without a URL":       {Type: "jwks"},
		"jwks in a file":           {Type: "jwks", URL: "file:///keys"},
		"jwks with a password":     {Type: "jwks", URL: "https://user:hunter2@idp/keys"},
		"jwks with a shared key":   {Type: "jwks", URL: "https://idp/keys", Algorithms: []string{"HS256"}},
		"jwks without signature":   {Type: "jwks", URL: "https://idp/keys", Algorithms: []string{"none"}},
		"jwks, a prefix of blanks": {Type: "jwks", URL: "https://idp/keys", SubjectPrefix: "a b"},
		"subject has a blank":      alter(func(a *auth.ExternalAccess) { a.Subject = "c i" }),
		"type is unknown":          {Type: "oidc", Subject: "x"},
		"restriction to no plugin": alter(func(a *auth.ExternalAccess) { a.Restrictions = []auth.Restriction{{}} }),
		"plugin twice":             alter(func(a *auth.ExternalAccess) { a.Restrictions = []auth.Restriction{{Plugin: "a"}, {Plugin: "a"}} }),
		"unknown action": alter(func(a *auth.ExternalAccess) {
			a.Restrictions = []auth.Restriction{{Plugin: "a", Actions: []string{"use"}}}
		}),
	} {
		w := newWorld(t, nil)
		o := w.o
		o.External = []auth.ExternalAccess{a}
		_, err := auth.New(t.Context(), o)
		require.ErrorContains(t, err, "external access 0: ", name)
		if a.Token != "" {
			assert.NotContains(t, err.Error(), a.Token, "no secret in an error")
		}
		assert.NotContains(t, err.Error(), "hunter2", "no secret in an error")
	}
	w := newWorld(t, nil)
	o := w.o
	o.BaseURL = "/relative"
	_, err := auth.New(t.Context(), o)
	require.ErrorContains(t, err, "/relative")
}

func TestDiscovery(t *testing.T) {
	w := newWorld(t, nil)
	d, _, err := w.call(w.Discovery)
	require.NoError(t, err)
	assert.Equal(t, "http://localhost:7007/api/auth", d.String("issuer"))
	assert.Equal(t, "http://localhost:7007/api/auth/v1/userinfo", d.String("userinfo_endpoint"))
	assert.Equal(t, []any{"sub", "ent"}, d.Value("claims_supported"))
	var keys []string
	for key := range d.All() {
		keys = append(keys, key)
	}
	assert.Equal(t, []string{"issuer", "token_endpoint", "userinfo_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported",
		"id_token_signing_alg_values_supported", "scopes_supported", "token_endpoint_auth_methods_supported", "claims_supported",
		"grant_types_supported", "authorization_endpoint", "code_challenge_methods_supported"}, keys)
	assert.Equal(t, []any{"code", "id_token"}, d.Value("response_types_supported"))
	assert.Equal(t, "http://localhost:7007/api/auth/v1/authorize", d.String("authorization_endpoint"))
	assert.Equal(t, "http://localhost:7007/api/auth/v1/token", d.String("token_endpoint"))
	assert.Equal(t, "http://localhost:7007/api/auth/.well-known/jwks.json", d.String("jwks_uri"))
}

// FuzzAuthenticate: whatever comes, only what was signed is believed.
func FuzzAuthenticate(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"vnd.backstage.user","alg":"ES256","kid":"x"}`)) + ".e30.AAAA")
	db, err := bbolt.Open(filepath.Join(f.TempDir(), "auth.db"), 0o600, nil)
	require.NoError(f, err)
	f.Cleanup(func() { _ = db.Close() })
	store, err := boltkeys.Open(db)
	require.NoError(f, err)
	a, err := auth.New(context.Background(), auth.Options{BaseURL: "http://localhost", Store: store,
		External: []auth.ExternalAccess{{Type: "static", Token: "only-this-one", Subject: "ci"}}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, token string) {
		p, err := a.Authenticate(token, "catalog")
		if err == nil && (token != "only-this-one" || p.Subject != "ci") {
			t.Fatalf("%q was taken for %v", token, p)
		}
	})
}
