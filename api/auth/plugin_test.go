package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/discovery"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A peer is a backend elsewhere that signs for its plugins, reached without a
// network.
type peer struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	id    string
	asked atomic.Int32
	paths []string
	down  bool
}

func newPeer(t *testing.T) *peer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &peer{t: t, key: key, id: "peer-key"}
}

// RoundTrip publishes the key for plugins todo and badges.
func (p *peer) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	p.paths = append(p.paths, r.URL.String())
	if p.down {
		return nil, errors.New("connection refused")
	}
	rec := httptest.NewRecorder()
	switch r.URL.String() {
	case "http://node/api/todo/.backstage/auth/v1/jwks.json", "http://node/api/badges/.backstage/auth/v1/jwks.json", "http://idp/keys":
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: p.id, Algorithm: "ES256"}}}
		assert.NoError(p.t, json.NewEncoder(rec).Encode(set))
	default:
		rec.WriteHeader(404)
	}
	return rec.Result(), nil
}

// peers is where plugins live: todo and badges are named, others are anywhere.
func peers(t *testing.T) auth.Peers {
	d, err := discovery.New([]discovery.Endpoint{
		{Target: "http://node/api/{{pluginId}}", Plugins: []string{"todo", "badges"}},
		{Target: "http://anywhere/api/{{pluginId}}", Plugins: []string{"*"}},
	}, []string{"auth", "catalog", "search", "permission"}, nil)
	require.NoError(t, err)
	return d
}

// sign makes a token with whatever header and claims.
func sign(t *testing.T, method jwt.SigningMethod, key any, header, claims map[string]any) string {
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	maps.Copy(token.Header, header)
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

// limitedOf returns the limited token of a user, as a holder makes it.
func (w *world) limitedOf(token string) string {
	_, rec, err := w.call(w.IssueCookie("app"), "Authorization", "Bearer "+token)
	require.NoError(w.t, err)
	limited, _, _ := strings.Cut(strings.TrimPrefix(rec.Header().Get("Set-Cookie"), "backstage-auth="), ";")
	return limited
}

func TestPluginTokens(t *testing.T) {
	p := newPeer(t)
	w := newWorld(t, func(o *auth.Options) { o.Peers, o.Transport = peers(t), p })
	user := w.signIn()
	limited := w.limitedOf(user)
	now := w.clock.t
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	header := map[string]any{"typ": "vnd.backstage.plugin", "kid": "peer-key"}
	claims := func(change map[string]any) map[string]any {
		out := map[string]any{"sub": "todo", "aud": "catalog", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
		for k, v := range change {
			if out[k] = v; v == nil {
				delete(out, k)
			}
		}
		return out
	}
	es := func(header, claims map[string]any) string {
		return sign(t, jwt.SigningMethodES256, p.key, header, claims)
	}
	with := func(k string, v any) map[string]any { h := maps.Clone(header); h[k] = v; return h }
	const refused, refusedUser = "Failed plugin token verification", "Failed user token verification"
	publicPoint, err := p.key.PublicKey.Bytes()
	require.NoError(t, err)
	good := es(header, claims(nil))
	ownService := map[string]any{"sub": "backstage-server"}
	for _, tc := range []struct {
		name, token string
		want        auth.Principal
		err         string
	}{
		{name: "a service", token: good, want: auth.Principal{Kind: auth.Service, Subject: "plugin:todo", Expires: now.Truncate(time.Second).Add(time.Hour)}},
		{name: "another plugin of the same backend", token: es(header, claims(map[string]any{"sub": "badges"})), want: auth.Principal{Kind: auth.Service, Subject: "plugin:badges", Expires: now.Truncate(time.Second).Add(time.Hour)}},
		{name: "for several plugins", token: es(header, claims(map[string]any{"aud": []string{"search", "catalog"}})), want: auth.Principal{Kind: auth.Service, Subject: "plugin:todo", Expires: now.Truncate(time.Second).Add(time.Hour)}},
		{name: "for a user", token: es(header, claims(map[string]any{"obo": limited})), want: auth.Principal{Kind: auth.User, Subject: "user:development/guest", Actor: "plugin:todo", Expires: now.Truncate(time.Second).Add(time.Hour)}},
		{name: "for a user, for less time", token: es(header, claims(map[string]any{"obo": limited, "exp": now.Add(time.Minute).Unix()})), want: auth.Principal{Kind: auth.User, Subject: "user:development/guest", Actor: "plugin:todo", Expires: now.Truncate(time.Second).Add(time.Minute)}},
		{name: "with the full token of a user", token: es(header, claims(map[string]any{"obo": user})), want: auth.Principal{Kind: auth.User, Subject: "user:development/guest", Actor: "plugin:todo", Expires: now.Truncate(time.Second).Add(time.Hour)}},

		{name: "for another plugin", token: es(header, claims(map[string]any{"aud": "search"})), err: refused},
		{name: "for nobody", token: es(header, claims(map[string]any{"aud": nil})), err: refused},
		{name: "for an empty list", token: es(header, claims(map[string]any{"aud": []string{}})), err: refused},
		{name: "for users", token: es(header, claims(map[string]any{"aud": "backstage"})), err: refused},
		{name: "expired", token: es(header, claims(map[string]any{"exp": now.Unix() - 1})), err: refused},
		{name: "without an end", token: es(header, claims(map[string]any{"exp": nil})), err: refused},
		{name: "without a beginning", token: es(header, claims(map[string]any{"iat": nil})), err: refused},
		{name: "not yet", token: es(header, claims(map[string]any{"nbf": now.Add(time.Hour).Unix()})), err: refused},
		{name: "without a subject", token: es(header, claims(map[string]any{"sub": nil})), err: refused},
		{name: "a subject that leads elsewhere", token: es(header, claims(map[string]any{"sub": "../../evil"})), err: refused},
		{name: "a subject that is a host", token: es(header, claims(map[string]any{"sub": "x@evil.example:80"})), err: refused},
		{name: "a subject with a newline", token: es(header, claims(map[string]any{"sub": "todo\n"})), err: refused},
		{name: "a subject without end", token: es(header, claims(map[string]any{"sub": strings.Repeat("a", 101)})), err: refused},
		{name: "one of our plugins", token: es(header, claims(map[string]any{"sub": "search"})), err: refused},
		{name: "a plugin that has no keys", token: es(header, claims(map[string]any{"sub": "nowhere"})), err: refused},
		{name: "signed by another", token: sign(t, jwt.SigningMethodES256, stranger, header, claims(nil)), err: refused},
		{name: "signature cut", token: good[:len(good)-4], err: refused},
		{name: "signature of another token", token: good[:strings.LastIndexByte(good, '.')] + limited[strings.LastIndexByte(limited, '.'):], err: refused},
		{name: "alg none", token: sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, claims(nil)), err: refused},
		{name: "its public key as a secret", token: sign(t, jwt.SigningMethodHS256, publicPoint, header, claims(nil)), err: refused},
		{name: "another algorithm in the header", token: es(with("alg", "ES384"), claims(nil)), err: refused},
		{name: "a key id that nobody has", token: es(with("kid", "other"), claims(nil)), err: refused},
		{name: "a key id that is a URL", token: sign(t, jwt.SigningMethodES256, stranger, with("kid", "http://evil.example/keys"), claims(nil)), err: refused},
		{name: "keys in the header", token: sign(t, jwt.SigningMethodES256, stranger, with("jku", "http://evil.example/keys"), claims(nil)), err: refused},
		{name: "a key in the header", token: sign(t, jwt.SigningMethodES256, stranger, with("jwk", jose.JSONWebKey{Key: stranger.Public(), KeyID: "peer-key"}), claims(nil)), err: refused},
		{name: "typ in another case", token: es(with("typ", "VND.Backstage.Plugin"), claims(nil)), err: "Illegal token"},
		{name: "no typ", token: es(map[string]any{"kid": "peer-key", "typ": ""}, claims(nil)), err: "Illegal token"},
		{name: "typ of a user", token: es(with("typ", "vnd.backstage.user"), claims(nil)), err: refusedUser},
		{name: "for a user who is none", token: es(header, claims(map[string]any{"obo": "x"})), err: refused},
		{name: "for itself twice", token: es(header, claims(map[string]any{"obo": good})), err: refused},
		{name: "for a service", token: es(header, claims(map[string]any{"obo": es(nil, ownService)})), err: refused},
		{name: "for a user whom it made up", token: es(header, claims(map[string]any{"obo": es(map[string]any{"typ": "vnd.backstage.limited-user", "kid": "peer-key"}, claims(map[string]any{"sub": "user:default/admin"}))})), err: refusedUser},
		{name: "for a user, changed", token: es(header, claims(map[string]any{"obo": limited[:len(limited)-6] + "AAAAAA"})), err: refusedUser},
		{name: "oversized", token: es(header, claims(map[string]any{"more": strings.Repeat("x", 32768)})), err: "Illegal token"},
		{name: "obo of another type", token: es(header, claims(map[string]any{"obo": 5})), err: refused},
		{name: "aud of another type", token: es(header, claims(map[string]any{"aud": 5})), err: refused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for range 2 { // the second time from the cache, if it holds
				got, err := w.Authenticate(tc.token, "catalog")
				if tc.err != "" {
					require.EqualError(t, err, tc.err)
					require.ErrorIs(t, err, &catalog.Error{Name: wire.NameAuthentication})
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, [4]any{tc.want.Kind, tc.want.Subject, tc.want.Actor, got.Limited}, [4]any{got.Kind, got.Subject, got.Actor, false})
				assert.True(t, tc.want.Expires.Equal(got.Expires), "%s, not %s", got.Expires, tc.want.Expires)
				assert.False(t, got.IsLocal())
				_, err = w.Authenticate(tc.token, "permission")
				require.EqualError(t, err, refused, "also when it was verified for another plugin before")
			}
		})
	}
	for _, path := range p.paths {
		assert.True(t, strings.HasPrefix(path, "http://node/api/") || path == "http://anywhere/api/nowhere/.backstage/auth/v1/jwks.json", path)
	}
}

// Tokens of ours go out in the form that those of the reference have.
func TestPluginTokenBytes(t *testing.T) {
	w := newWorld(t, nil)
	token, err := w.PluginToken(t.Context(), "catalog", "permission", auth.OwnService("catalog"))
	require.NoError(t, err)
	header, payload, _ := parts(t, token)
	now := w.clock.t.Unix()
	var h struct{ Kid string }
	require.NoError(t, json.Unmarshal([]byte(header), &h))
	assert.Equal(t, `{"typ":"vnd.backstage.plugin","alg":"ES256","kid":"`+h.Kid+`"}`, header)
	assert.Equal(t, fmt.Sprintf(`{"sub":"catalog","aud":"permission","iat":%d,"exp":%d}`, now, now+3600), payload)

	user := w.signIn()
	jane, err := w.Authenticate(user, "catalog")
	require.NoError(t, err)
	token, err = w.PluginToken(t.Context(), "catalog", "permission", jane)
	require.NoError(t, err)
	_, payload, _ = parts(t, token)
	assert.Equal(t, fmt.Sprintf(`{"sub":"catalog","aud":"permission","iat":%d,"exp":%d,"obo":"%s"}`, now, now+3600, w.limitedOf(user)), payload)
	w.clock.t = w.clock.t.Add(30 * time.Minute)
	token, err = w.PluginToken(t.Context(), "catalog", "permission", jane)
	require.NoError(t, err)
	_, payload, _ = parts(t, token)
	assert.Contains(t, payload, fmt.Sprintf(`"iat":%d,"exp":%d,`, now+1800, now+3600), "it ends with the token of the user")
}

// linked makes what one authority publishes readable for another.
type linked struct{ from *world }

func (l linked) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := l.from.JWKS
	if plugin, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/"), "/.backstage/auth/v1/jwks.json"); ok {
		handler = l.from.PluginJWKS(plugin)
	}
	var headers []string
	if strings.HasSuffix(r.URL.Path, "/v1/userinfo") {
		handler, headers = l.from.UserInfo, []string{"Authorization", r.Header.Get("Authorization")}
	}
	set, _, err := l.from.call(handler, headers...)
	if err != nil {
		return nil, err
	}
	data, err := wire.AppendJSON(nil, set)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(data)))}, err
}

// Two servers of ours verify each other's tokens, over rotations and restarts.
func TestTwoServers(t *testing.T) {
	a := newWorld(t, func(o *auth.Options) { o.Guest.UserEntityRef = "user:default/jane" })
	a.o.PluginKeys = a.store().Plugin
	a.restart()
	verifier := func(own ...string) *world {
		return newWorld(t, func(o *auth.Options) {
			d, err := discovery.New([]discovery.Endpoint{{Target: "http://a/api/{{pluginId}}", Plugins: []string{"auth", "catalog"}}}, own, nil)
			require.NoError(t, err)
			o.Peers, o.Transport, o.Now = d, linked{a}, a.clock.now
		})
	}
	b, c := verifier("search"), verifier()
	issue := func() string {
		token, err := a.PluginToken(t.Context(), "catalog", "search", auth.OwnService("catalog"))
		require.NoError(t, err)
		return token
	}
	verify := func(token string, want string) {
		for _, w := range []*world{b, c} {
			p, err := w.Authenticate(token, "search")
			if want == "" {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, p.Subject)
		}
	}
	first := issue()
	verify(first, "plugin:catalog")
	a.clock.t = a.clock.t.Add(59 * time.Minute)
	late := issue()
	a.clock.t = a.clock.t.Add(2 * time.Minute)
	verify(first, "")
	next := issue()
	assert.NotEqual(t, kid(t, late), kid(t, next), "a key signs for an hour")
	verify(next, "plugin:catalog")
	verify(late, "plugin:catalog")
	a.restart()
	verify(late, "plugin:catalog")
	again := issue()
	assert.NotEqual(t, kid(t, next), kid(t, again), "a new process signs with a key of its own")
	verify(again, "plugin:catalog")

	user := a.signIn()
	verify(user, "user:default/jane")
	jane, err := a.Authenticate(user, "catalog")
	require.NoError(t, err)
	token, err := a.PluginToken(t.Context(), "catalog", "search", jane)
	require.NoError(t, err)
	p, err := b.Authenticate(token, "search")
	require.NoError(t, err)
	assert.Equal(t, "user:default/jane plugin:catalog", p.Subject+" "+p.Actor)

	// B hands on for jane what A has told it.
	onward, err := b.PluginToken(t.Context(), "search", "catalog", p)
	require.NoError(t, err)
	_, payload, _ := parts(t, onward)
	assert.Contains(t, payload, `"obo":"`+a.limitedOf(user)+`"`)

	keys := func() int {
		set, _, err := a.call(a.PluginJWKS("catalog"))
		require.NoError(t, err)
		return len(set.Value("keys").([]any))
	}
	assert.Equal(t, 3, keys())
	a.clock.t = a.clock.t.Add(3 * time.Hour)
	assert.Zero(t, keys(), "three hours after it was made a key is not published any more")
	verify(again, "")
	set, _, err := a.call(a.PluginJWKS("search"))
	require.NoError(t, err)
	assert.Empty(t, set.Value("keys"), "each plugin has its own keys")
}

func kid(t *testing.T, token string) string {
	header, _, _ := parts(t, token)
	var h struct{ Kid string }
	require.NoError(t, json.Unmarshal([]byte(header), &h))
	return h.Kid
}

// A key that is withdrawn ends what it signed within ten minutes, though the
// token was verified before.
func TestWithdrawnKeys(t *testing.T) {
	p := newPeer(t)
	w := newWorld(t, func(o *auth.Options) { o.Peers, o.Transport = peers(t), p })
	now := w.clock.t
	token := sign(t, jwt.SigningMethodES256, p.key, map[string]any{"typ": "vnd.backstage.plugin", "kid": "peer-key"},
		map[string]any{"sub": "todo", "aud": "catalog", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()})
	_, err := w.Authenticate(token, "catalog")
	require.NoError(t, err)
	p.id = "another"
	w.clock.t = now.Add(10 * time.Minute)
	_, err = w.Authenticate(token, "catalog")
	require.EqualError(t, err, "Failed plugin token verification")
}

func TestUnreachableKeys(t *testing.T) {
	p := newPeer(t)
	p.down = true
	w := newWorld(t, func(o *auth.Options) { o.Peers, o.Transport = peers(t), p })
	now := w.clock.t
	token := func(plugin string) string {
		return sign(t, jwt.SigningMethodES256, p.key, map[string]any{"typ": "vnd.backstage.plugin", "kid": "peer-key"},
			map[string]any{"sub": plugin, "aud": "catalog", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()})
	}
	for range 50 {
		_, err := w.Authenticate(token("todo"), "catalog")
		require.EqualError(t, err, "Failed plugin token verification")
	}
	assert.EqualValues(t, 11, p.asked.Load(), "one request, and ten forced ones")

	// Names that are made up lead to few requests, and displace nobody.
	p.down = false
	_, err := w.Authenticate(token("badges"), "catalog")
	require.NoError(t, err)
	before := p.asked.Load()
	for i := range 1000 {
		_, err := w.Authenticate(token(fmt.Sprintf("made-up-%d", i)), "catalog")
		require.EqualError(t, err, "Failed plugin token verification")
		if i%200 == 199 {
			w.clock.t = w.clock.t.Add(time.Minute)
		}
	}
	assert.LessOrEqual(t, p.asked.Load()-before, int32(5*60), "sixty a minute")
	w.clock.t = now.Add(9 * time.Minute)
	asked := p.asked.Load()
	fresh := sign(t, jwt.SigningMethodES256, p.key, map[string]any{"typ": "vnd.backstage.plugin", "kid": "peer-key"},
		map[string]any{"sub": "badges", "aud": "catalog", "iat": w.clock.t.Unix(), "exp": now.Add(time.Hour).Unix()})
	_, err = w.Authenticate(fresh, "catalog")
	require.NoError(t, err)
	assert.Equal(t, asked, p.asked.Load(), "its keys were still known")
}

func TestPluginTokensOnlyForWhoMayHaveThem(t *testing.T) {
	w := newWorld(t, nil)
	restricted := func(list ...auth.Restriction) auth.Principal {
		return auth.Principal{Kind: auth.Service, Subject: "ci", Restrictions: list}
	}
	for name, tc := range map[string]struct {
		who  auth.Principal
		says string
	}{
		"nobody":           {auth.Principal{}, "AuthenticationError: Refused to issue service token for credential type 'none'"},
		"restricted away":  {restricted(auth.Restriction{Plugin: "catalog"}), "NotAllowedError: Access to target plugin 'todo' is not included in token's access restrictions"},
		"restricted there": {restricted(auth.Restriction{Plugin: "todo", Permissions: []string{"todo.read"}}), "NotAllowedError: Access to target plugin 'todo' is restricted and cannot be delegated"},
		"one action there": {restricted(auth.Restriction{Plugin: "todo", Actions: []string{"read"}}), "NotAllowedError: Access to target plugin 'todo' is restricted and cannot be delegated"},
		"all of it":        {restricted(auth.Restriction{Plugin: "todo"}), ""},
		"no restriction":   {restricted(), ""},
	} {
		if name == "no restriction" {
			tc.who.Restrictions = nil
		}
		token, err := w.PluginToken(context.Background(), "catalog", "todo", tc.who)
		if tc.says == "" {
			assert.NoError(t, err, name)
			assert.NotEmpty(t, token, name)
			continue
		}
		assert.Equal(t, tc.says, catalog.Describe(err), name)
		assert.Empty(t, token, name)
	}
	// The user of a task has no token any more.
	later := auth.Principal{Kind: auth.User, Subject: "user:default/x"}
	token, err := w.PluginToken(t.Context(), "scaffolder", "permission", later)
	require.NoError(t, err)
	p, err := w.Authenticate(token, "permission")
	require.NoError(t, err)
	assert.Equal(t, "user:default/x plugin:scaffolder", p.Subject+" "+p.Actor)
	remote := newWorld(t, func(o *auth.Options) {
		o.Peers, err = discovery.New([]discovery.Endpoint{{Target: "http://a/{{pluginId}}", Plugins: []string{"auth"}}}, nil, nil)
		require.NoError(t, err)
	})
	_, err = remote.PluginToken(t.Context(), "scaffolder", "permission", later)
	require.ErrorContains(t, err, "no proof from which a limited token could be made", "where others sign users in, only they can speak for them")

	open := newWorld(t, func(o *auth.Options) { o.DisableDefaultPolicy = true })
	token, err = open.PluginToken(t.Context(), "catalog", "todo", auth.Principal{})
	require.NoError(t, err)
	assert.Empty(t, token, "where nobody needs a credential, nobody sends one")
}

// What this process has signed itself is told apart.
func TestCallsToOurselves(t *testing.T) {
	w := newWorld(t, nil)
	token, err := w.PluginToken(t.Context(), "catalog", "permission", auth.OwnService("catalog"))
	require.NoError(t, err)
	p, err := w.Authenticate(token, "permission")
	require.NoError(t, err)
	assert.True(t, p.IsLocal())
	assert.Equal(t, "plugin:catalog", p.Subject)
	other, err := w.PluginToken(t.Context(), "search", "permission", auth.OwnService("search"))
	require.NoError(t, err)
	head, _, _ := strings.Cut(other, ".")
	_, rest, _ := strings.Cut(token, ".")
	_, err = w.Authenticate(head+"."+rest, "permission")
	require.EqualError(t, err, "Failed plugin token verification", "the key of another plugin")
}

// anywhere believes in every plugin.
type anywhere struct{}

func (anywhere) Elsewhere(string) bool { return true }
func (anywhere) Base(_ context.Context, plugin string) (string, error) {
	return "http://node/api/" + plugin, nil
}

// What a token says of its sender never leads a request elsewhere, whatever
// knows where plugins live.
func TestSubjectsStayInTheirPlace(t *testing.T) {
	p := newPeer(t)
	w := newWorld(t, func(o *auth.Options) { o.Peers, o.Transport = anywhere{}, p })
	p.asked.Store(0)
	for _, subject := range []string{"../x", "a/b", "a?b", "a#b", "a%2fb", "a.b", "a:b", "a@b", "", " ", "ä", strings.Repeat("a", 101)} {
		token := sign(t, jwt.SigningMethodES256, p.key, map[string]any{"typ": "vnd.backstage.plugin", "kid": "peer-key"},
			map[string]any{"sub": subject, "aud": "catalog", "iat": w.clock.t.Unix(), "exp": w.clock.t.Add(time.Hour).Unix()})
		_, err := w.Authenticate(token, "catalog")
		require.EqualError(t, err, "Failed plugin token verification", subject)
	}
	assert.Zero(t, p.asked.Load())
}
