package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/oidc"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	nonce  = "the-nonce"
	keyID  = "key"
	secret = "the secret: of the client"
)

// A provider says what a test wants it to say.
type provider struct {
	t      *testing.T
	url    string
	key    *rsa.PrivateKey
	tokens map[string]any // what the token endpoint returns
	user   map[string]any
	paths  map[string]http.HandlerFunc // in place of what is below
	asked  atomic.Int32                // how often for the document
	form   url.Values                  // of the last request with one
	login  string                      // its user and password
}

func newProvider(t *testing.T) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := &provider{t: t, key: key, paths: map[string]http.HandlerFunc{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	p.user = map[string]any{"sub": "u1", "email": "jane@example.com", "email_verified": true, "name": "Jane", "picture": "https://x/y.png", "preferred_username": "jane"}
	p.tokens = map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 300, "refresh_token": "refresh", "scope": "openid", "id_token": p.sign(p.claims())}
	return p
}

func (p *provider) document() map[string]any {
	return map[string]any{
		"issuer": p.url, "authorization_endpoint": p.url + "/authorize?tenant=1", "token_endpoint": p.url + "/token",
		"userinfo_endpoint": p.url + "/userinfo", "jwks_uri": p.url + "/keys", "revocation_endpoint": p.url + "/revoke",
	}
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := p.paths[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	if r.Method == http.MethodPost {
		_ = r.ParseForm()
		user, password, _ := r.BasicAuth()
		p.form, p.login = r.PostForm, user+":"+password
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		p.asked.Add(1)
		answer(w, p.document())
	case "/keys":
		answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": keyID, "alg": "RS256", "use": "sig",
			"n": base64.RawURLEncoding.EncodeToString(p.key.N.Bytes()), "e": "AQAB",
		}}})
	case "/token":
		answer(w, p.tokens)
	case "/userinfo":
		if r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		answer(w, p.user)
	case "/revoke":
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (p *provider) claims() jwt.MapClaims {
	now := time.Now().Unix()
	return jwt.MapClaims{"iss": p.url, "sub": "u1", "aud": "client", "iat": now, "exp": now + 300, "nonce": nonce}
}

func (p *provider) sign(c jwt.MapClaims) string { return signAs(p.t, jwt.SigningMethodRS256, p.key, c) }

func signAs(t *testing.T, method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = keyID
	text, err := token.SignedString(key)
	require.NoError(t, err)
	return text
}

func (p *provider) connector(change func(*oidc.Options)) *oidc.Connector {
	o := oidc.Options{ClientID: "client", ClientSecret: secret, CallbackURL: "http://localhost/back", MetadataURL: p.url}
	if change != nil {
		change(&o)
	}
	return oidc.New(o)
}

func (p *provider) exchange() (signin.Grant, error) {
	return p.connector(nil).Exchange(p.t.Context(), "code", signin.Proof{Verifier: "verifier", Nonce: nonce})
}

func shown(t *testing.T, err error) *catalog.Error {
	var named *catalog.Error
	require.ErrorAs(t, err, &named)
	return named
}

func TestExchange(t *testing.T) {
	p := newProvider(t)
	g, err := p.exchange()
	require.NoError(t, err)
	assert.Equal(t, signin.Grant{
		Person:      signin.Person{Email: "jane@example.com", DisplayName: "Jane", Picture: "https://x/y.png", Username: "jane", ID: "u1"},
		AccessToken: "access", IDToken: p.tokens["id_token"].(string), RefreshToken: "refresh", Scope: "openid", ExpiresIn: 300,
	}, g)
	assert.Equal(t, url.QueryEscape("client")+":"+url.QueryEscape(secret), p.login)
	assert.Equal(t, url.Values{"grant_type": {"authorization_code"}, "code": {"code"}, "code_verifier": {"verifier"}, "redirect_uri": {"http://localhost/back"}}, p.form)
}

// Whatever is wrong with an id token, nobody is signed in with it, and what is
// wrong is told to the operator alone.
func TestIDTokens(t *testing.T) {
	p := newProvider(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&p.key.PublicKey)
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	with := func(key string, value any) jwt.MapClaims {
		c := maps.Clone(p.claims())
		c[key] = value
		return c
	}
	without := func(key string) jwt.MapClaims {
		c := maps.Clone(p.claims())
		delete(c, key)
		return c
	}
	good := strings.Split(p.sign(p.claims()), ".")
	changed := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(decode(t, good[1]), `"u1"`, `"u2"`, 1)))
	now := time.Now().Unix()
	sum := sha256.Sum256([]byte("another access token"))
	for name, token := range map[string]any{
		"none at all":                                nil,
		"empty":                                      "",
		"no JWT":                                     "abc",
		"expired":                                    p.sign(with("exp", now-1)),
		"without an end":                             p.sign(without("exp")),
		"not valid yet":                              p.sign(with("nbf", now+3600)),
		"of another issuer":                          p.sign(with("iss", "https://evil.test")),
		"for another client":                         p.sign(with("aud", "somebody")),
		"for others too":                             p.sign(with("aud", []string{"client", "somebody"})),
		"issued to another party":                    p.sign(with("azp", "somebody")),
		"for nobody":                                 p.sign(without("aud")),
		"about nobody":                               p.sign(without("sub")),
		"of another start":                           p.sign(with("nonce", "another")),
		"without a nonce":                            p.sign(without("nonce")),
		"beside another access token":                p.sign(with("at_hash", base64.RawURLEncoding.EncodeToString(sum[:16]))),
		"signed with another key":                    signAs(t, jwt.SigningMethodRS256, other, p.claims()),
		"signed anew after a change":                 signAs(t, jwt.SigningMethodRS256, other, with("sub", "u2")),
		"changed":                                    good[0] + "." + changed + "." + good[2],
		"alg none":                                   signAs(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, p.claims()),
		"alg none with a signature":                  base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"key"}`)) + "." + good[1] + "." + good[2],
		"without a signature":                        good[0] + "." + good[1] + ".",
		"HS256 with the public key as PEM":           signAs(t, jwt.SigningMethodHS256, publicPEM, p.claims()),
		"HS256 with the public key as DER":           signAs(t, jwt.SigningMethodHS256, public, p.claims()),
		"HS256 with the modulus":                     signAs(t, jwt.SigningMethodHS256, p.key.N.Bytes(), p.claims()),
		"HS256 with the secret of the client":        signAs(t, jwt.SigningMethodHS256, []byte(secret), p.claims()),
		"RS512 with the right key":                   signAs(t, jwt.SigningMethodRS512, p.key, p.claims()),
		"PS256 with the right key":                   signAs(t, jwt.SigningMethodPS256, p.key, p.claims()),
		"ES256 with a key of its own":                signAs(t, jwt.SigningMethodES256, curve, p.claims()),
		"with a key that it brings along":            withOwnKey(t, other, p.claims()),
		"too long":                                   p.sign(with("padding", strings.Repeat("x", 40_000))),
		"a number":                                   5,
		"claims that are no object":                  good[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + "." + good[2],
		"with more after it":                         strings.Join(good, ".") + ".more",
		"in a JSON serialisation":                    `{"payload":"` + good[1] + `","protected":"` + good[0] + `","signature":"` + good[2] + `"}`,
		"in a JSON serialisation with two signers":   `{"payload":"` + good[1] + `","signatures":[{"protected":"` + good[0] + `","signature":"` + good[2] + `"},{"protected":"` + good[0] + `","signature":"AAAA"}]}`,
		"in a JSON serialisation that shadows it":    `{"payload":"` + changed + `","protected":"` + good[0] + `","signature":"` + good[2] + `"}`,
		"of a person that the userinfo is not about": p.sign(with("sub", "u2")),
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			p.tokens["id_token"] = token
			_, err := p.exchange()
			why := shown(t, err)
			assert.Contains(t, []string{"AuthenticationError", "NotAllowedError"}, why.Name)
			if s, ok := token.(string); ok && len(s) > 10 {
				assert.NotContains(t, err.Error(), s)
			}
		})
	}
	p.t = t
	p.tokens["id_token"] = p.sign(p.claims())
	_, err = p.exchange()
	require.NoError(t, err, "nothing but the token was the cause")
	full := sha256.Sum256([]byte("access"))
	p.tokens["id_token"] = p.sign(with("at_hash", base64.RawURLEncoding.EncodeToString(full[:16])))
	_, err = p.exchange()
	require.NoError(t, err)
	p.tokens["id_token"] = p.sign(with("azp", "client"))
	_, err = p.exchange()
	require.NoError(t, err)
}

func decode(t *testing.T, part string) string {
	data, err := base64.RawURLEncoding.DecodeString(part)
	require.NoError(t, err)
	return string(data)
}

// withOwnKey signs with a key that is in the header.
func withOwnKey(t *testing.T, key *rsa.PrivateKey, c jwt.MapClaims) string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
	token.Header["kid"] = keyID
	token.Header["jwk"] = map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": "AQAB"}
	text, err := token.SignedString(crypto.PrivateKey(key))
	require.NoError(t, err)
	return text
}

func TestUserInfo(t *testing.T) {
	p := newProvider(t)
	for name, tc := range map[string]struct {
		user  map[string]any
		email string
		fails bool
	}{
		"verified":               {map[string]any{"sub": "u1", "email": "a@b", "email_verified": true}, "a@b", false},
		"verified as a text":     {map[string]any{"sub": "u1", "email": "a@b", "email_verified": "true"}, "a@b", false},
		"not verified":           {map[string]any{"sub": "u1", "email": "a@b", "email_verified": false}, "", false},
		"not said":               {map[string]any{"sub": "u1", "email": "a@b"}, "", false},
		"about somebody else":    {map[string]any{"sub": "u2", "email": "a@b", "email_verified": true}, "", true},
		"about nobody":           {map[string]any{"email": "a@b", "email_verified": true}, "", true},
		"of a name that is none": {map[string]any{"sub": "u1", "name": []int{1}}, "", true},
	} {
		p.user = tc.user
		g, err := p.exchange()
		assert.Equal(t, tc.fails, err != nil, name)
		assert.Equal(t, tc.email, g.Email, name)
	}
	p.paths["/userinfo"] = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret of the provider", 500) }
	_, err := p.exchange()
	var named *catalog.Error
	assert.False(t, errors.As(err, &named), "for the log")
}

func TestRefresh(t *testing.T) {
	p := newProvider(t)
	c := p.connector(func(o *oidc.Options) { o.AuthMethod = oidc.Post })
	delete(p.tokens, "id_token")
	g, err := c.Refresh(t.Context(), "old", signin.Scope{Wanted: "openid"})
	require.NoError(t, err)
	assert.Equal(t, "jane@example.com", g.Email)
	assert.Equal(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"old"}, "client_id": {"client"}, "client_secret": {secret}}, p.form)
	claims := p.claims()
	delete(claims, "nonce")
	p.tokens["id_token"] = p.sign(claims)
	_, err = c.Refresh(t.Context(), "old", signin.Scope{})
	require.NoError(t, err, "there is no nonce at a refresh")
	claims["sub"] = "u2"
	p.tokens["id_token"] = p.sign(claims)
	_, err = c.Refresh(t.Context(), "old", signin.Scope{})
	assert.Equal(t, "NotAllowedError", shown(t, err).Name)

	p.paths["/token"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		answer(w, map[string]any{"error": "invalid_grant", "error_description": strings.Repeat("é", 500)})
	}
	_, err = c.Refresh(t.Context(), "old", signin.Scope{})
	assert.Equal(t, "Authentication failed, the provider says invalid_grant: "+strings.Repeat("é", 200)+"...", shown(t, err).Message)
}

func TestLocation(t *testing.T) {
	p := newProvider(t)
	c := p.connector(func(o *oidc.Options) { o.StartParameters = map[string]string{"audience": "https://api"} })
	text, err := c.Location(t.Context(), signin.Request{Scope: "openid email", State: "st", Proof: signin.Proof{Verifier: "v", Nonce: "n"}})
	require.NoError(t, err)
	u, err := url.Parse(text)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte("v"))
	assert.Equal(t, url.Values{
		"tenant": {"1"}, "client_id": {"client"}, "response_type": {"code"}, "redirect_uri": {"http://localhost/back"}, "scope": {"openid email"},
		"state": {"st"}, "nonce": {"n"}, "prompt": {"none"}, "audience": {"https://api"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}, u.Query())
	for prompt, want := range map[string]string{"auto": "", "login": "login", "": "none"} {
		text, err = p.connector(func(o *oidc.Options) { o.Prompt = prompt }).Location(t.Context(), signin.Request{})
		require.NoError(t, err)
		u, err = url.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, u.Query().Get("prompt"))
	}
}

// A provider that is down is asked again, and one that answered is not.
func TestDiscovery(t *testing.T) {
	p := newProvider(t)
	const path = "/.well-known/openid-configuration"
	c := p.connector(nil)
	good := func(w http.ResponseWriter, _ *http.Request) { p.asked.Add(1); answer(w, p.document()) }
	for name, h := range map[string]http.HandlerFunc{
		"down":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"elsewhere":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, p.url+"/keys", http.StatusFound) },
		"no JSON":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"without end": func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"no issuer":   func(w http.ResponseWriter, _ *http.Request) { d := p.document(); delete(d, "issuer"); answer(w, d) },
		"no keys":     func(w http.ResponseWriter, _ *http.Request) { d := p.document(); delete(d, "jwks_uri"); answer(w, d) },
		"no userinfo": func(w http.ResponseWriter, _ *http.Request) {
			d := p.document()
			delete(d, "userinfo_endpoint")
			answer(w, d)
		},
		"another way": func(w http.ResponseWriter, _ *http.Request) {
			d := p.document()
			d["token_endpoint"] = "file:///x"
			answer(w, d)
		},
		"cut off early": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		},
	} {
		p.paths[path] = h
		_, err := c.Location(t.Context(), signin.Request{})
		assert.Error(t, err, name)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Location(cancelled, signin.Request{})
	assert.ErrorIs(t, err, context.Canceled)
	p.paths[path] = good
	for range 3 {
		_, err := c.Location(t.Context(), signin.Request{})
		require.NoError(t, err)
	}
	assert.Equal(t, int32(1), p.asked.Load())
	_, err = p.connector(func(o *oidc.Options) { o.MetadataURL = p.url + path }).Location(t.Context(), signin.Request{})
	require.NoError(t, err)
}

func endless(w http.ResponseWriter) {
	fmt.Fprint(w, `{"issuer":"`)
	chunk := []byte(strings.Repeat("x", 64<<10))
	for range 10_000 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// By RFC 9207 a provider names itself in the callback, and one that says that it
// does must.
func TestIssuerOfACallback(t *testing.T) {
	p := newProvider(t)
	d := p.document()
	d["authorization_response_iss_parameter_supported"] = true
	p.paths["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, d) }
	_, err := p.exchange()
	assert.Equal(t, "NotAllowedError", shown(t, err).Name)
}

func TestRevoke(t *testing.T) {
	p := newProvider(t)
	require.NoError(t, p.connector(nil).Revoke(t.Context(), "r"))
	assert.Equal(t, url.Values{"token": {"r"}, "token_type_hint": {"refresh_token"}}, p.form)
	assert.Equal(t, url.QueryEscape("client")+":"+url.QueryEscape(secret), p.login)
	require.NoError(t, p.connector(func(o *oidc.Options) { o.AuthMethod = oidc.Post }).Revoke(t.Context(), "r"))
	assert.Equal(t, url.Values{"token": {"r"}, "token_type_hint": {"refresh_token"}, "client_id": {"client"}, "client_secret": {secret}}, p.form)
	p.paths["/revoke"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
	assert.Error(t, p.connector(nil).Revoke(t.Context(), "r"))
	d := p.document()
	delete(d, "revocation_endpoint")
	p.paths["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) { answer(w, d) }
	assert.NoError(t, p.connector(nil).Revoke(t.Context(), "r"), "where that cannot be done")
}
