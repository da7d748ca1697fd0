package api_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw sends bytes to a real listener and returns the head of the answer, nil if
// the connection ended without one.
func (f *fixture) raw(request string) *http.Response {
	f.t.Helper()
	server := httptest.NewServer(f.server)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(f.t, err)
	defer conn.Close()
	require.NoError(f.t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(f.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil
	}
	_ = res.Body.Close()
	return res
}

// unreadable makes every read of the catalog a failure of the test.
func unreadable(t *testing.T, f *fixture) {
	reached := func() (catalogapi.Page, error) {
		t.Error("the catalog was read without credentials")
		return catalogapi.Page{Body: []byte(`[]`)}, nil
	}
	f.reader.entities = func(catalogapi.Listing) (catalogapi.Page, error) { return reached() }
	f.reader.byRef = func(string, *jsonvalue.Object) (catalogapi.Page, error) { return reached() }
	f.reader.byUID = f.reader.byRef
}

// However a path is written, it does not get around the barrier: what reaches a
// route of the catalog has been asked for credentials.
func TestPathsDoNotGetAroundTheBarrier(t *testing.T) {
	f := newFixture(t, nil)
	unreadable(t, f)
	for _, path := range []string{
		"/api/catalog/entities", "/API/CATALOG/ENTITIES", "/api/catalog/entities/", "/Api/Catalog/Entities/",
		"//api/catalog/entities", "/api//catalog/entities", "/api/catalog//entities", "/./api/catalog/entities", "/api/./catalog/entities",
		"/api/auth/../catalog/entities", "/api/auth/..%2fcatalog%2fentities", "/api/auth/%2e%2e/catalog/entities", "/api/auth/.%2e/catalog/entities",
		"/api/auth/..;/catalog/entities", "/api/auth;/../catalog/entities", "/api/app/../catalog/entities", "/api/signals/../catalog/entities",
		"/api/permission/health/../../catalog/entities", "/api/permission/health/..%2f..%2fcatalog/entities", "/api/events/http/../../catalog/entities",
		"/api/%63atalog/entities", "/%61pi/catalog/entities", "/api%2fcatalog%2fentities", "/api/catalog%2fentities", "/api/catalog/%65ntities", "/api/catalog/entities%2f", "/api/catalog/entities%00",
		"/api/catalog\\entities", "/api\\catalog\\entities", "/api/catalog/entities?x=/api/auth/", "/api/catalog/entities#/api/auth/", "/api/catalog;x=/auth/entities",
		"/api/catalog/.backstage/auth/v1/jwks.json/../../../../entities", "/api/catalog/.backstage/auth/v1/jwks.json/", "/.backstage/health/v1/liveness/../../../../api/catalog/entities", "/metrics/../api/catalog/entities",
		"/api/catalog/entities/by-name/a/b/c%2fd|e", "/api/catalog/entities/by-name/a/b/..%2f..", "/api/catalog/Entities/by-name/a/b/%2e%2e", "/api/catalog/entities/by-uid/%2F",
		"/api/catalog./entities", "/api/catalog%20/entities", "/api/ catalog/entities", "/api/catalog\t/entities", "/api/cataloG/entities", "/api/catalog\u212a/entities",
	} {
		for _, method := range []string{"GET", "HEAD", "get", "OPTIONS", "TRACE", "PROPFIND", "PUT"} {
			res := f.raw(method + " " + path + " HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n")
			if res == nil {
				continue
			}
			// 200 is only for what everybody may see: the key set.
			if res.StatusCode == 200 {
				assert.Contains(t, path, "jwks.json/", "%s %s", method, path)
				assert.NotContains(t, path, "..")
				continue
			}
			assert.Contains(t, []int{400, 401, 404}, res.StatusCode, "%s %s", method, path)
		}
	}
	for _, target := range []string{"http://portal/api/catalog/entities", "http://user:secret-in-url@portal/api/catalog/entities", "*", "portal:80", "?x", "api/catalog/entities"} {
		for _, method := range []string{"GET", "OPTIONS", "CONNECT"} {
			if res := f.raw(method + " " + target + " HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n"); res != nil && target != "*" {
				assert.Contains(t, []int{400, 401, 404}, res.StatusCode, "%s %s", method, target)
			}
		}
	}
	assert.NotContains(t, f.logged.String(), "panic")
}

// A known plugin asks for credentials whatever the case and method, also where
// it has no route of that method.
func TestUnknownRoutesOfPluginsNeedCredentials(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/api/catalog/x", "/API/CATALOG/x", "/api/Permission/x", "/api/PERMISSION/authorize", "/api/catalog", "/api/catalog/"} {
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "BREW"} {
			assert.Equal(t, 401, f.do(method, path, "", anonymous).status, "%s %s", method, path)
		}
	}
}

// Exceptions of the barrier do not hold for paths that could mean others to
// whoever takes dots and encoded slashes for what they stand for.
func TestExceptionsDoNotHoldForCrookedPaths(t *testing.T) {
	f := newFixture(t, nil)
	cookie := "backstage-auth=" + f.cookie()
	for _, tc := range []struct {
		plugin, path string
		admitted     bool
	}{
		{"techdocs", "/static/docs/a.html", true}, {"techdocs", "/static/docs/a..b", true}, {"techdocs", "/static/docs/...", true}, {"techdocs", "/static/docs/.hidden", true},
		{"techdocs", "/static/../sync/x", false}, {"techdocs", "/static/..", false}, {"techdocs", "/static/./x", false}, {"techdocs", "/static/%2e%2e/sync", false},
		{"techdocs", "/static/%2E./sync", false}, {"techdocs", "/static/..%2fsync", false}, {"techdocs", "/static/x%2f..%2f..%2fsync", false}, {"techdocs", "/static/..%5csync", false},
		{"techdocs", "/static/..\\sync", false}, {"techdocs", "/static%2fx", false}, {"techdocs", "/STATIC/x", false}, {"techdocs", "/staticx", false}, {"techdocs", "//static/x", false},
		{"events", "/http/github", true}, {"events", "/http/../x", false}, {"events", "/http/%2e%2e%2fx", false},
		{"permission", "/health", true}, {"permission", "/health/../authorize", false},
		{"auth", "/guest/refresh", true}, {"auth", "/../catalog/entities", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		_, err := f.auth.Admit(r, tc.plugin, tc.path)
		assert.Equal(t, tc.admitted, err == nil, "%s %s: %v", tc.plugin, tc.path, err)
	}
}

// A cookie is not a credential where scripts call, so that no other site can
// make a browser change anything.
func TestCookiesAreNoCredentialForCalls(t *testing.T) {
	f := newFixture(t, nil)
	unreadable(t, f)
	cookie := with("Cookie", "backstage-auth="+f.cookie())
	assert.Equal(t, 401, f.do("GET", "/api/catalog/entities", "", anonymous, cookie).status)
	assert.Equal(t, 401, f.do("POST", "/api/catalog/refresh", `{"entityRef":"x"}`, anonymous, cookie).status)
	assert.Equal(t, 401, f.do("DELETE", "/api/catalog/.backstage/auth/v1/cookie", "", anonymous, cookie).status)
	full := with("Cookie", "backstage-auth="+f.token)
	assert.Equal(t, 401, f.do("GET", "/api/catalog/entities", "", anonymous, full).status, "nor is a full token in one")
}

func TestTokensInOtherPlacesAreNoCredentials(t *testing.T) {
	f := newFixture(t, nil)
	unreadable(t, f)
	for _, o := range [][]requestOption{
		{with("X-Authorization", "Bearer "+f.token)}, {with("Proxy-Authorization", "Bearer "+f.token)}, {with("X-Forwarded-User", "user:default/admin")},
		{with("X-Backstage-User", "admin"), with("X-Forwarded-For", "127.0.0.1"), with("X-Original-URL", "/api/auth/x"), with("X-Rewrite-URL", "/api/auth/x"), with("X-HTTP-Method-Override", "OPTIONS")},
		{with("Authorization", "Bearer")}, {with("Authorization", "Bearer ")}, {with("Authorization", "Token "+f.token)}, {with("Authorization", f.token)},
		{with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("x:"+f.token)))},
	} {
		res := f.do("GET", "/api/catalog/entities", "", append([]requestOption{anonymous}, o...)...)
		assert.Equal(t, 401, res.status)
	}
	for _, query := range []string{"access_token", "token", "authorization"} {
		assert.Equal(t, 401, f.do("GET", "/api/catalog/entities?"+query+"="+f.token, "", anonymous).status)
	}
}

// The first of several headers counts, and no list of tokens is tried.
func TestSeveralCredentials(t *testing.T) {
	f := newFixture(t, nil)
	page(`[]`)(f.reader)
	for headers, want := range map[string]int{
		"Authorization: Bearer bad\r\nAuthorization: Bearer " + f.token:      401,
		"Authorization: Bearer " + f.token + "\r\nAuthorization: Bearer bad": 200,
		"Authorization: Bearer bad, Bearer " + f.token:                       401,
	} {
		res := f.raw("GET /api/catalog/entities HTTP/1.1\r\nHost: x\r\n" + headers + "\r\nConnection: close\r\n\r\n")
		require.NotNil(t, res)
		assert.Equal(t, want, res.StatusCode, headers)
	}
}

// Tokens that somebody else made, over HTTP: none is taken for what it says.
func TestForgedTokens(t *testing.T) {
	f := newFixture(t, nil)
	unreadable(t, f)
	keys := f.do("GET", "/api/auth/.well-known/jwks.json", "", anonymous)
	set, err := jsonvalue.ParseObject(keys.body)
	require.NoError(t, err)
	published := set.Value("keys").([]any)[0].(*jsonvalue.Object)
	claims := jwt.MapClaims{"sub": "user:default/admin", "aud": "backstage", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	mineBytes, err := mine.PublicKey.Bytes()
	require.NoError(t, err)
	mineJWK := map[string]any{"kty": "EC", "crv": "P-256", "kid": published.String("kid"),
		"x": base64.RawURLEncoding.EncodeToString(mineBytes[1:33]), "y": base64.RawURLEncoding.EncodeToString(mineBytes[33:])}
	parts := strings.Split(f.token, ".")
	for name, header := range map[string]map[string]any{
		"a key in the header": {"jwk": mineJWK}, "a key set at an address": {"jku": "http://127.0.0.1:1/keys"}, "a certificate": {"x5u": "http://127.0.0.1:1/x"},
		"a path for a key": {"kid": "../../../../dev/null"}, "a key that is no text": {"kid": 5}, "no key": {"kid": nil}, "an empty key": {"kid": ""},
	} {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		token.Header["typ"], token.Header["kid"] = "vnd.backstage.user", published.Value("kid")
		for k, v := range header {
			token.Header[k] = v
		}
		signed, err := token.SignedString(mine)
		require.NoError(t, err)
		res := f.do("GET", "/api/catalog/entities", "", bearer(signed))
		assert.Contains(t, res.text(), "Failed user token verification", name)
		assert.Equal(t, 401, res.status)
	}
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, token := range map[string]string{
		"no algorithm, no signature":            encode(`{"typ":"vnd.backstage.user","alg":"none"}`) + "." + parts[1] + ".",
		"no algorithm in another case":          encode(`{"typ":"vnd.backstage.user","alg":"nOnE"}`) + "." + parts[1] + "." + parts[2],
		"no algorithm named at all":             encode(`{"typ":"vnd.backstage.user","kid":"`+published.String("kid")+`"}`) + "." + parts[1] + "." + parts[2],
		"another curve":                         encode(`{"typ":"vnd.backstage.user","alg":"ES384","kid":"`+published.String("kid")+`"}`) + "." + parts[1] + "." + parts[2],
		"no signature":                          parts[0] + "." + parts[1] + ".",
		"a signature of zeros":                  parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		"a limited token in the name of a full": parts[0] + "." + strings.Join(strings.Split(f.cookie(), ".")[1:], "."),
		"a signature in other letters":          f.token + "=",
		"a signature with more behind it":       f.token + "AA",
		"four parts":                            f.token + "." + parts[2],
		"a token in the type twice":             encode(`{"typ":"x","typ":"vnd.backstage.user","alg":"none"}`) + "." + parts[1] + ".",
	} {
		res := f.do("GET", "/api/catalog/entities", "", bearer(token))
		assert.Equal(t, 401, res.status, name)
	}
}

// A token that was verified is not believed longer than it holds, nor as more
// than it is: the cache keeps apart what differs in a single bit.
func TestCachedTokensAreThoseThatWereVerified(t *testing.T) {
	f := newFixture(t, nil)
	page(`[]`)(f.reader)
	assert.Equal(t, 200, f.do("GET", "/api/catalog/entities", "").status)
	for i := 0; i < len(f.token); i += 7 {
		changed := []byte(f.token)
		changed[i] ^= 1
		if bytes.ContainsAny(changed[i:i+1], " \t") || bytes.Equal(changed, []byte(f.token)) {
			continue
		}
		assert.Equal(t, 401, f.do("GET", "/api/catalog/entities", "", bearer(string(changed))).status, "bit at %d", i)
	}
	limited := f.cookie()
	assert.Equal(t, 200, f.do("GET", "/api/auth/v1/userinfo", "", bearer(limited)).status)
	assert.Equal(t, 401, f.do("GET", "/api/catalog/entities", "", bearer(limited)).status, "having been verified elsewhere opens no further door")
	assert.Equal(t, 401, f.do("POST", "/api/catalog/refresh", fmt.Sprintf(`{"entityRef":"x","authorizationToken":%q}`, limited)).status)
	restricted := "scaffolder-only-token"
	assert.Equal(t, 403, f.do("POST", "/api/catalog/refresh", fmt.Sprintf(`{"entityRef":"x","authorizationToken":%q}`, restricted)).status)
}

// Whoever may only read cannot change anything, whatever route it takes.
func TestRestrictedServicesCannotWrite(t *testing.T) {
	f := newFixture(t, nil) // an engine that is called panics
	page(`{}`)(f.reader)
	assert.Equal(t, 200, f.do("GET", "/api/catalog/entities", "", bearer("read-only-token")).status)
	for _, tc := range []struct{ method, path, body string }{
		{"POST", "/refresh", `{"entityRef":"component:default/a"}`}, {"DELETE", "/entities/by-uid/6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a", ""},
		{"POST", "/locations", `{"type":"url","target":"https://x"}`}, {"POST", "/locations?dryRun=true", `{"type":"url","target":"https://x"}`},
		{"PUT", "/locations/x", `{"type":"url","target":"https://x"}`}, {"DELETE", "/locations/x", ""},
		{"POST", "/validate-entity", `{"entity":{},"location":"url:https://x"}`}, {"POST", "/analyze-location", `{"location":{"type":"url","target":"https://x/y/z"}}`},
		{"DELETE", "/entities/unprocessed/delete/6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a", ""},
	} {
		res := f.do(tc.method, "/api/catalog"+tc.path, tc.body, bearer("read-only-token"))
		assert.Equal(t, 403, res.status, "%s %s: %s", tc.method, tc.path, res.text())
	}
}

// What a client sends never becomes a header, or a line of the log, of its own.
func TestHeaderInjection(t *testing.T) {
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.AccessLog = true
		o.CORS = &api.CORS{Origins: []string{"http://*"}, Credentials: true}
	})
	const inject = "x%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0abody"
	f.reader.byRef = func(string, *jsonvalue.Object) (catalogapi.Page, error) { return catalogapi.Page{}, nil }
	f.reader.entities = func(l catalogapi.Listing) (catalogapi.Page, error) {
		return catalogapi.Page{Body: []byte(`[]`), Link: "/entities?" + l.Filters[0]}, nil // a reader that forgot to encode
	}
	for _, path := range []string{"/api/catalog/entities/by-name/a/b/" + inject, "/api/catalog/entities?limit=1&filter=" + inject, "/api/auth/" + inject, "/api/catalog/entities?" + inject + "=1"} {
		res := f.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + f.token + "\r\nConnection: close\r\n\r\n")
		require.NotNil(t, res, path)
		assert.Empty(t, res.Header.Get("Set-Cookie"), path)
		assert.NotContains(t, res.Header.Get("Link"), "\n")
	}
	for _, header := range []string{"Origin: http://a\x0bX: y", "Access-Control-Request-Headers: a\x00b"} {
		res := f.raw("OPTIONS /api/catalog/entities HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\n" + header + "\r\nConnection: close\r\n\r\n")
		require.NotNil(t, res)
		assert.Empty(t, res.Header.Get("X"))
	}
	res := f.do("GET", "/api/catalog/entities?filter=a", "", with("User-Agent", "x\nlevel=ERROR msg=forged"), with("Referer", "x\r\nlevel=ERROR msg=forged"))
	assert.Equal(t, 200, res.status)
	for line := range strings.Lines(f.logged.String()) {
		assert.False(t, strings.HasPrefix(line, "level=ERROR msg=forged"), line)
	}
}

// Answers are JSON or plain text, and say so: nothing that a client sent comes
// back as a page.
func TestNothingComesBackAsAPage(t *testing.T) {
	f := newFixture(t, nil)
	f.reader.byRef = func(string, *jsonvalue.Object) (catalogapi.Page, error) { return catalogapi.Page{}, nil }
	for _, path := range []string{"/api/catalog/entities/by-name/a/b/<script>alert(1)<%2Fscript>", "/api/catalog/entities?<script>=1", "/api/auth/<script>", "/<script>", "/api/<script>"} {
		res := f.do("GET", strings.NewReplacer("<", "%3C", ">", "%3E").Replace(path), "")
		if len(res.body) > 0 {
			assert.Equal(t, "application/json; charset=utf-8", res.header.Get("Content-Type"), path)
		}
		assert.Equal(t, "nosniff", res.header.Get("X-Content-Type-Options"), path)
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	f := newFixture(t, func(o *api.Options, _ *auth.Options) { o.AccessLog = true })
	page(`[]`)(f.reader)
	f.do("GET", "/api/catalog/entities", "")
	f.do("GET", "/api/catalog/entities", "", bearer("wrong-static-token"))
	f.do("POST", "/api/catalog/refresh", `{"entityRef":"x","authorizationToken":"wrong-body-token"}`)
	f.do("GET", "/api/catalog/.backstage/auth/v1/cookie", "")
	f.raw("GET http://user:secret-in-url@portal/api/catalog/entities HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n")
	f.reader.facets = func(catalogapi.FacetCount) (catalogapi.Page, error) { panic("kaboom") }
	f.do("GET", "/api/catalog/entity-facets?facet=kind", "")
	logged := f.logged.String()
	require.Contains(t, logged, "incomingRequest")
	for _, secret := range []string{f.token, strings.Split(f.token, ".")[2], staticToken, "wrong-static-token", "wrong-body-token", f.cookie(), "secret-in-url"} {
		assert.NotContains(t, logged, secret)
	}
}

func TestCORSWithCredentialsIsExact(t *testing.T) {
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.CORS = &api.CORS{Origins: []string{"https://portal.example.com", "https://*.apps.example.com", "*"}, Credentials: true, AllowedHeaders: []string{"Authorization"}, ExposedHeaders: []string{"Link"}}
	})
	page(`[]`)(f.reader)
	for origin, allowed := range map[string]bool{
		"https://portal.example.com": true, "https://a.apps.example.com": true,
		"http://portal.example.com": false, "https://portal.example.com.evil.com": false, "https://evilportal.example.com": false, "https://portalxexample.com": false,
		"https://portal.example.com:8443": false, "https://evil.com/.apps.example.com": false, "https://apps.example.com": false, "https://.apps.example.com": true,
		"null": false, "file://": false, "https://evil.com": false, "": false,
	} {
		for _, method := range []string{"GET", "OPTIONS"} {
			h := f.do(method, "/api/catalog/entities", "", with("Origin", origin), with("Access-Control-Request-Method", "GET"), with("Access-Control-Request-Headers", "x-evil")).header
			assert.Contains(t, strings.Join(h.Values("Vary"), ","), "Origin", "caches must keep answers apart")
			if !allowed {
				for name := range h {
					assert.False(t, strings.HasPrefix(name, "Access-Control-"), "%s for %q", name, origin)
				}
				continue
			}
			assert.Equal(t, origin, h.Get("Access-Control-Allow-Origin"), "never a star beside credentials")
			if method == "OPTIONS" {
				assert.Equal(t, "Authorization", h.Get("Access-Control-Allow-Headers"), "those of the configuration, not those asked for")
			}
		}
	}
	spelled := newFixture(t, func(o *api.Options, _ *auth.Options) { o.CORS = &api.CORS{Origins: []string{"null"}} })
	page(`[]`)(spelled.reader)
	assert.Equal(t, "null", spelled.do("GET", "/api/catalog/entities", "", with("Origin", "null")).header.Get("Access-Control-Allow-Origin"), "who wants it has to say so")
}

// Large requests cost little: they are refused before their bodies are read.
func TestLargeRequestsAreNotRead(t *testing.T) {
	f := newFixture(t, nil)
	read := 0
	for _, path := range []string{"/api/catalog/entities/by-refs", "/api/catalog/locations", "/api/catalog/validate-entity", "/api/permission/authorize",
		"/api/catalog/.well-known/backstage/permissions/apply-conditions", "/api/catalog/nothing", "/api/nope", "/nope"} {
		for _, options := range [][]requestOption{{bearer(staticToken)}, {}, {anonymous}} {
			body := &slowBody{left: 100 << 20}
			r := httptest.NewRequest("POST", path, body)
			r.ContentLength = -1
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+f.token)
			for _, o := range options {
				o(r)
			}
			w := httptest.NewRecorder()
			f.server.ServeHTTP(w, r)
			assert.GreaterOrEqual(t, w.Code, 400, path)
			assert.Less(t, w.Code, 500, path)
			read = max(read, body.read)
		}
	}
	assert.Less(t, read, 300<<10)
}

type slowBody struct{ left, read int }

func (b *slowBody) Read(p []byte) (int, error) {
	n := min(len(p), b.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range n {
		p[i] = '['
	}
	b.left, b.read = b.left-n, b.read+n
	return n, nil
}

// Request ids are ours: a client cannot choose one, and two requests never
// share one.
func TestRequestIDs(t *testing.T) {
	f := newFixture(t, nil)
	var seen []string
	f.reader.entities = func(catalogapi.Listing) (catalogapi.Page, error) {
		return catalogapi.Page{}, fmt.Errorf("fault %d", len(seen))
	}
	for i := range 20 {
		before := len(f.logged.String())
		res := f.do("GET", "/api/catalog/entities", "", with("X-Request-Id", "chosen-by-client"), with("X-Correlation-Id", "chosen-by-client"))
		assert.Equal(t, 500, res.status)
		line := f.logged.String()[before:]
		_, id, found := strings.Cut(line, "request_id=")
		require.True(t, found, line)
		id, _, _ = strings.Cut(strings.TrimSpace(id), " ")
		assert.NotContains(t, seen, id)
		seen = append(seen, id)
		assert.Len(t, seen, i+1)
	}
	assert.NotContains(t, f.logged.String(), "chosen-by-client")
}

// FuzzBarrier: no path and no header get anything out of the catalog without
// credentials.
func FuzzBarrier(f *testing.F) {
	for _, s := range []string{"/api/catalog/entities", "/API/catalog/entities/", "/api/auth/..%2fcatalog/entities", "//api/catalog/entities", "/api/catalog/entities/by-name/a/b/c|%2f", "*"} {
		f.Add("GET", s, "Bearer x")
	}
	fix := newFixture(f, nil)
	read := false
	fix.reader.entities = func(catalogapi.Listing) (catalogapi.Page, error) { read = true; return catalogapi.Page{}, nil }
	fix.reader.query = func(catalogapi.Search) (catalogapi.Page, error) { read = true; return catalogapi.Page{}, nil }
	fix.reader.byRef = func(string, *jsonvalue.Object) (catalogapi.Page, error) { read = true; return catalogapi.Page{}, nil }
	fix.reader.byUID = fix.reader.byRef
	fix.reader.ancestry = fix.reader.byRef
	fix.reader.facets = func(catalogapi.FacetCount) (catalogapi.Page, error) { read = true; return catalogapi.Page{}, nil }
	fix.engine.locations = func() ([]catalog.Location, error) { read = true; return nil, nil }
	f.Fuzz(func(t *testing.T, method, target, authorization string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.Contains(authorization, staticToken) || strings.Contains(authorization, "read-only-token") || strings.Contains(authorization, fix.token) {
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL, r.RequestURI = method, u, target
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		fix.server.ServeHTTP(w, r)
		require.False(t, read, "%s %s", method, target)
		require.Less(t, w.Code, 500)
	})
}
