package api_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page answers every read with one body.
func page(body string) func(*fakeReader) {
	return func(r *fakeReader) {
		p := catalogapi.Page{Body: []byte(body)}
		r.entities = func(catalogapi.Listing) (catalogapi.Page, error) { return p, nil }
		r.query = func(catalogapi.Search) (catalogapi.Page, error) { return p, nil }
		r.byRefs = func(catalogapi.Lookup) (catalogapi.Page, error) { return p, nil }
		r.facets = func(catalogapi.FacetCount) (catalogapi.Page, error) { return p, nil }
		r.byRef = func(string, *jsonvalue.Object) (catalogapi.Page, error) { return p, nil }
		r.byUID = func(string, *jsonvalue.Object) (catalogapi.Page, error) { return p, nil }
		r.ancestry = func(string, *jsonvalue.Object) (catalogapi.Page, error) { return p, nil }
	}
}

func TestPaths(t *testing.T) {
	f := newFixture(t, nil)
	page(`{"kind":"Component"}`)(f.reader)
	var asked string
	f.reader.byRef = func(ref string, _ *jsonvalue.Object) (catalogapi.Page, error) {
		asked = ref
		return catalogapi.Page{Body: []byte(`{}`)}, nil
	}
	for _, tc := range []struct {
		name, method, path string
		options            []requestOption
		status             int
		body, ref          string
	}{
		{name: "literal segments match in any case", method: "GET", path: "/API/Catalog/ENTITIES", status: 200},
		{name: "one trailing slash is tolerated", method: "GET", path: "/api/catalog/entities/", status: 200},
		{name: "two are not", method: "GET", path: "/api/catalog/entities//", status: 404},
		{name: "parameters are decoded once", method: "GET", path: "/api/catalog/entities/by-name/component/default/a%2520b", status: 200, ref: "component:default/a%20b"},
		{name: "a plus is a plus in a path", method: "GET", path: "/api/catalog/entities/by-name/component/default/a+b", status: 200, ref: "component:default/a+b"},
		{name: "an encoded slash belongs to the parameter", method: "GET", path: "/api/catalog/Entities/by-name/Component/default/a%2Fb", status: 200, ref: "component:default/a/b"},
		{name: "what is no UTF-8 cannot be decoded", method: "GET", path: "/api/catalog/entities/by-name/component/default/%FF", status: 400,
			body: envelope(t, "InputError", "malformed uri'", "GET", "/entities/by-name/component/default/%FF", 400)},
		{name: "HEAD works where GET does", method: "HEAD", path: "/api/catalog/entities", status: 200},
		{name: "unknown method: empty 404", method: "DELETE", path: "/api/catalog/entities", status: 404},
		{name: "unknown path in a known plugin: empty 404", method: "GET", path: "/api/catalog/no-such-route", status: 404},
		{name: "unknown plugin needs no credentials: empty 404", method: "GET", path: "/api/nope", status: 404, options: []requestOption{anonymous}},
		{name: "no plugin at all", method: "GET", path: "/api/", status: 404, options: []requestOption{anonymous}},
		{name: "unknown path outside of /api", method: "GET", path: "/nope", status: 404, options: []requestOption{anonymous}},
		{name: "home", method: "GET", path: "/", status: 200, options: []requestOption{anonymous}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked = ""
			res := f.do(tc.method, tc.path, "", tc.options...)
			assert.Equal(t, tc.status, res.status, res.text())
			switch {
			case tc.body != "":
				assert.JSONEq(t, tc.body, res.text())
			case tc.status == 404 || tc.method == "HEAD":
				assert.Empty(t, res.text())
			}
			if tc.status == 404 {
				assert.Empty(t, res.header.Get("Content-Type"))
			}
			if tc.ref != "" {
				assert.Equal(t, tc.ref, asked)
			}
		})
	}
}

func TestBarrier(t *testing.T) {
	f := newFixture(t, nil)
	page(`[]`)(f.reader)
	limited := f.cookie()
	for _, tc := range []struct {
		name, path  string
		credentials string
		status      int
		err, msg    string
	}{
		{"none", "/entities", "", 401, "AuthenticationError", "Missing credentials"},
		{"unknown paths are behind the barrier too", "/no-such-route", "", 401, "AuthenticationError", "Missing credentials"},
		{"another scheme is no credential", "/entities", "Basic Zm9vOmJhcg==", 401, "AuthenticationError", "Missing credentials"},
		{"a blank in the token is no credential", "/entities", "Bearer a b", 401, "AuthenticationError", "Missing credentials"},
		{"a tab is no separator", "/entities", "Bearer\tx", 401, "AuthenticationError", "Missing credentials"},
		{"unknown token", "/entities", "Bearer not-a-token", 401, "AuthenticationError", "Illegal token"},
		{"a token beyond all bounds", "/entities", "Bearer " + strings.Repeat("a", 40_000), 401, "AuthenticationError", "Illegal token"},
		{"limited token", "/entities", "Bearer " + limited, 401, "AuthenticationError", "Illegal limited user token"},
		{"service of another plugin", "/entities", "Bearer scaffolder-only-token", 403, "NotAllowedError", "This token's access is restricted to plugin(s) 'scaffolder'"},
		{"user", "/entities", "Bearer " + f.token, 200, "", ""},
		{"the scheme in any case, with more blanks", "/entities", "bEARER   " + f.token, 200, "", ""},
		{"service", "/entities", "Bearer " + staticToken, 200, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.do("GET", "/api/catalog"+tc.path, "", with("Authorization", tc.credentials))
			assert.Equal(t, tc.status, res.status)
			if tc.err != "" {
				assert.JSONEq(t, envelope(t, tc.err, tc.msg, "GET", tc.path, tc.status), res.text())
				assert.Empty(t, res.header.Get("WWW-Authenticate"))
				assert.Equal(t, "application/json; charset=utf-8", res.header.Get("Content-Type"))
			}
		})
	}
}

// cookie signs in with the cookie route and returns what the cookie holds.
func (f *fixture) cookie() string {
	res := f.do("GET", "/api/catalog/.backstage/auth/v1/cookie", "")
	require.Equal(f.t, 200, res.status, res.text())
	value, _, _ := strings.Cut(strings.TrimPrefix(res.header.Get("Set-Cookie"), "backstage-auth="), ";")
	return value
}

func TestBarrierExceptions(t *testing.T) {
	f := newFixture(t, nil)
	for path, status := range map[string]int{
		"/api/permission/health":                                  200,
		"/api/permission/healthy":                                 401, // prefixes end at segments
		"/api/permission/authorize":                               401,
		"/api/auth/.well-known/jwks.json":                         200,
		"/api/auth/.well-known/openid-configuration":              200,
		"/api/app/anything":                                       404,
		"/api/catalog/.backstage/auth/v1/jwks.json":               200,
		"/api/catalog/.backstage/auth/v1/cookie":                  401,
		"/api/app/.backstage/auth/v1/cookie":                      401,
		"/.backstage/health/v1/liveness":                          200,
		"/metrics":                                                200,
		"/api/catalog/.well-known/backstage/permissions/metadata": 401,
	} {
		assert.Equal(t, status, f.do("GET", path, "", anonymous).status, path)
	}
}

func TestOpenPolicy(t *testing.T) {
	f := newFixture(t, func(_ *api.Options, o *auth.Options) { o.DisableDefaultPolicy = true })
	page(`[]`)(f.reader)
	assert.Equal(t, 200, f.do("GET", "/api/catalog/entities", "", anonymous).status)
	assert.Equal(t, 401, f.do("GET", "/api/catalog/entities", "", bearer("bad")).status, "a bad token is still bad")
	assert.Equal(t, 401, f.do("GET", "/api/catalog/.backstage/auth/v1/cookie", "", anonymous).status, "the route insists on a user")
	assert.Equal(t, 401, f.do("POST", "/api/catalog/.well-known/backstage/permissions/apply-conditions", `{"items":[]}`, anonymous).status)
}

func TestErrors(t *testing.T) {
	f := newFixture(t, nil)
	secret := errors.New("dial tcp 10.0.0.1: password hunter2")
	for _, tc := range []struct {
		name    string
		err     error
		status  int
		errName string
		message string
	}{
		{"input", catalog.NewError(catalog.NameInput, "bad"), 400, "InputError", "bad"},
		{"layers around a named error stay out of sight", fmt.Errorf("transaction: %w", catalog.NewError(catalog.NameNotFound, "gone")), 404, "NotFoundError", "gone"},
		{"conflict", catalog.NewError(catalog.NameConflict, "there"), 409, "ConflictError", "there"},
		{"unavailable", catalog.NewError(catalog.NameUnavailable, "later"), 503, "ServiceUnavailableError", "later"},
		{"a name without a status is shown as 500", catalog.NewError(catalog.NameTypeError, "odd"), 500, "TypeError", "odd"},
		{"an error without a name is masked", secret, 500, "Error", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f.reader.facets = func(catalogapi.FacetCount) (catalogapi.Page, error) { return catalogapi.Page{}, tc.err }
			res := f.do("GET", "/api/catalog/entity-facets?facet=kind", "")
			assert.Equal(t, tc.status, res.status)
			if tc.message != "" {
				assert.JSONEq(t, envelope(t, tc.errName, tc.message, "GET", "/entity-facets?facet=kind", tc.status), res.text())
				assert.Contains(t, res.header.Get("ETag"), `W/"`)
				return
			}
			assert.NotContains(t, res.text(), "hunter2")
			assert.Regexp(t, `An internal error occurred logId=[0-9a-f]{20}"`, res.text())
			id := res.text()[strings.Index(res.text(), "logId=")+6:][:20]
			assert.Contains(t, f.logged.String(), id)
			assert.Contains(t, f.logged.String(), "hunter2")
			assert.Contains(t, f.logged.String(), "request_id=")
		})
	}
}

func TestCauseIsShown(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.refresh = func(string) error {
		return catalog.WrapError(catalog.NameInput, "outer", catalog.NewError(catalog.NameTypeError, "inner"))
	}
	res := f.do("POST", "/api/catalog/refresh", `{"entityRef":"x"}`)
	assert.Contains(t, res.text(), `{"name":"InputError","message":"outer; caused by TypeError: inner","cause":{"name":"TypeError","message":"inner"}}`)
}

func TestPanicIsAnswered(t *testing.T) {
	f := newFixture(t, nil)
	f.reader.facets = func(catalogapi.FacetCount) (catalogapi.Page, error) { panic("kaboom") }
	res := f.do("GET", "/api/catalog/entity-facets?facet=kind", "")
	assert.Equal(t, 500, res.status)
	assert.NotContains(t, res.text(), "kaboom")
	assert.Contains(t, f.logged.String(), "kaboom")
	assert.Equal(t, 200, f.do("GET", "/.backstage/health/v1/liveness", "").status, "and the server goes on")
}

func TestETag(t *testing.T) {
	f := newFixture(t, nil)
	page(`{"facets":{}}`)(f.reader)
	tag := f.do("GET", "/api/catalog/entity-facets?facet=kind", "").header.Get("ETag")
	require.Regexp(t, `^W/"[^"]+"$`, tag)
	for _, tc := range []struct {
		name    string
		method  string
		path    string
		options []requestOption
		status  int
		tagged  bool
	}{
		{"same", "GET", "/entity-facets?facet=kind", []requestOption{with("If-None-Match", tag)}, 304, true},
		{"same without W/", "GET", "/entity-facets?facet=kind", []requestOption{with("If-None-Match", strings.TrimPrefix(tag, "W/"))}, 304, true},
		{"one of several", "HEAD", "/entity-facets?facet=kind", []requestOption{with("If-None-Match", `"a", `+tag)}, 304, true},
		{"any", "GET", "/entity-facets?facet=kind", []requestOption{with("If-None-Match", "*")}, 304, true},
		{"other", "GET", "/entity-facets?facet=kind", []requestOption{with("If-None-Match", `W/"x"`)}, 200, true},
		{"the client wants it anew", "GET", "/entity-facets?facet=kind", []requestOption{with("If-None-Match", tag), with("Cache-Control", "no-cache")}, 200, true},
		{"a list from storage has none", "GET", "/entities", []requestOption{with("If-None-Match", "*")}, 200, false},
		{"a paged list without fields has none", "GET", "/entities?limit=1", nil, 200, false},
		{"a paged list with fields has one", "GET", "/entities?limit=1&fields=kind", nil, 200, true},
		{"a stream with fields has none", "GET", "/entities?fields=kind", nil, 200, false},
		{"by-query without fields has none", "GET", "/entities/by-query", nil, 200, false},
		{"by-query with fields has one", "GET", "/entities/by-query?fields=kind", nil, 200, true},
		{"by-name has none", "GET", "/entities/by-name/a/b/c", nil, 200, false},
		{"ancestry has one", "GET", "/entities/by-name/a/b/c/ancestry", nil, 200, true},
		{"errors have one and are never 304", "GET", "/entities?limit=0", []requestOption{with("If-None-Match", "*")}, 400, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.do(tc.method, "/api/catalog"+tc.path, "", tc.options...)
			assert.Equal(t, tc.status, res.status, res.text())
			assert.Equal(t, tc.tagged, res.header.Get("ETag") != "")
			if tc.status == 304 {
				assert.Empty(t, res.text())
			}
		})
	}
}

func TestCompression(t *testing.T) {
	f := newFixture(t, nil)
	large := `["` + strings.Repeat("greenroom ", 1000) + `"]`
	for _, tc := range []struct {
		name, body, accept string
		compressed         bool
	}{
		{"large and accepted", large, "gzip, deflate, br", true},
		{"not accepted", large, "", false},
		{"refused", large, "gzip;q=0", false},
		{"too small to be worth it", `["small"]`, "gzip", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			page(tc.body)(f.reader)
			res := f.do("GET", "/api/catalog/entities", "", with("Accept-Encoding", tc.accept))
			require.Equal(t, 200, res.status)
			assert.Contains(t, res.header.Values("Vary"), "Accept-Encoding")
			if !tc.compressed {
				assert.Empty(t, res.header.Get("Content-Encoding"))
				assert.Equal(t, tc.body, res.text())
				return
			}
			assert.Equal(t, "gzip", res.header.Get("Content-Encoding"))
			assert.Less(t, len(res.body), len(tc.body)/10)
			z, err := gzip.NewReader(strings.NewReader(res.text()))
			require.NoError(t, err)
			plain, err := io.ReadAll(z)
			require.NoError(t, err)
			assert.Equal(t, tc.body, string(plain))
		})
	}
}

func TestBodyLimits(t *testing.T) {
	f := newFixture(t, nil)
	page(`{"items":[]}`)(f.reader)
	refs := func(size int) string {
		const frame = `{"entityRefs":[""]}`
		return `{"entityRefs":["` + strings.Repeat("a", size-len(frame)) + `"]}`
	}
	assert.Equal(t, 200, f.do("POST", "/api/catalog/entities/by-refs", refs(100<<10)).status, "the limit itself")
	res := f.do("POST", "/api/catalog/entities/by-refs", refs(100<<10+1))
	assert.JSONEq(t, envelope(t, "InputError", "request entity too large", "POST", "/entities/by-refs", 400), res.text())
	res = f.do("POST", "/api/catalog/entities/by-refs", refs(100<<10+1), func(r *http.Request) { r.ContentLength = -1 })
	assert.Equal(t, 400, res.status, "also when its length is not announced")
	res = f.do("POST", "/api/permission/authorize", refs(100<<10+1))
	assert.Equal(t, 413, res.status)
	assert.Contains(t, res.text(), "PayloadTooLargeError")
	res = f.do("POST", "/api/permission/authorize", "{broken")
	assert.Equal(t, 400, res.status)
	assert.Contains(t, res.text(), `"name":"SyntaxError"`)
	assert.Contains(t, res.text(), `"type":"entity.parse.failed"`)
}

func TestSecurityHeaders(t *testing.T) {
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.CSP = map[string][]string{"upgrade-insecure-requests": nil, "connect-src": {"'self'", "https:"}, "img-src": {"*"}}
	})
	for _, path := range []string{"/", "/api/nope", "/api/catalog/entities"} {
		h := f.do("GET", path, "", anonymous).header
		assert.Equal(t, "SAMEORIGIN", h.Get("X-Frame-Options"), path)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		csp := h.Get("Content-Security-Policy")
		assert.Contains(t, csp, "default-src 'self';base-uri 'self'")
		assert.Contains(t, csp, "img-src *;", "a directive is replaced")
		assert.Contains(t, csp, "connect-src 'self' https:", "one is added")
		assert.NotContains(t, csp, "upgrade-insecure-requests", "and one is dropped")
	}
}

func TestCORS(t *testing.T) {
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.CORS = &api.CORS{Origins: []string{"http://localhost:3000", "https://*.Example.com", "https://**.deep.io"}, Credentials: true}
	})
	page(`[]`)(f.reader)
	for _, tc := range []struct {
		name, origin string
		allowed      bool
	}{
		{"exact", "http://localhost:3000", true},
		{"glob, in any case", "https://PORTAL.example.com", true},
		{"a star crosses no slash", "https://evil.com/.example.com", false},
		{"two stars are one", "https://a.deep.io", true},
		{"and cross no slash either", "https://evil.com/x.deep.io", false},
		{"other", "https://example.org", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pre := f.do("OPTIONS", "/api/auth/guest/refresh", "", anonymous, with("Origin", tc.origin),
				with("Access-Control-Request-Method", "GET"), with("Access-Control-Request-Headers", "x-requested-with"))
			get := f.do("GET", "/api/catalog/entities", "", with("Origin", tc.origin))
			assert.Equal(t, 200, get.status, "simple requests are served all the same")
			assert.Contains(t, get.header.Values("Vary"), "Origin")
			if !tc.allowed {
				assert.NotEqual(t, 204, pre.status)
				assert.Empty(t, pre.header.Get("Access-Control-Allow-Origin"))
				assert.Empty(t, get.header.Get("Access-Control-Allow-Origin"))
				return
			}
			assert.Equal(t, 204, pre.status)
			assert.Equal(t, "x-requested-with", pre.header.Get("Access-Control-Allow-Headers"))
			assert.Contains(t, pre.header.Get("Access-Control-Allow-Methods"), "GET")
			for _, h := range []http.Header{pre.header, get.header} {
				assert.Equal(t, tc.origin, h.Get("Access-Control-Allow-Origin"))
				assert.Equal(t, "true", h.Get("Access-Control-Allow-Credentials"))
			}
		})
	}
	res := f.do("OPTIONS", "/api/catalog/entities", "", anonymous, with("Origin", "https://example.org"))
	assert.Equal(t, 401, res.status, "a preflight of a stranger goes on to the barrier")
	res = f.do("OPTIONS", "/api/catalog/entities", "", anonymous, with("Origin", "http://localhost:3000"))
	assert.Equal(t, 204, res.status, "a preflight needs no credentials")
	none := newFixture(t, nil)
	assert.Empty(t, none.do("GET", "/", "", with("Origin", "http://localhost:3000")).header.Get("Access-Control-Allow-Origin"))
}

func TestBadCORSPattern(t *testing.T) {
	o := newFixture(t, nil).options
	o.CORS = &api.CORS{Origins: []string{"https://[x"}}
	_, err := api.New(o)
	require.ErrorContains(t, err, "https://[x")
}

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		page(`[]`)(f.reader)
		f.server = f.unstarted()
		assert.Equal(t, 503, f.do("GET", "/.backstage/health/v1/readiness", "").status)
		assert.Equal(t, 200, f.do("GET", "/.backstage/health/v1/liveness", "").status)
		begin := time.Now()
		res := f.do("GET", "/api/catalog/entities", "")
		assert.JSONEq(t, envelope(t, "ServiceUnavailableError", "Service has not started up yet", "GET", "/entities", 503), res.text())
		assert.Equal(t, 5*time.Second, time.Since(begin), "requests wait for the start")

		done := make(chan int)
		go func() { done <- f.do("GET", "/api/catalog/entities", "").status }()
		synctest.Wait()
		f.server.Started()
		assert.Equal(t, 200, <-done, "a request that waits goes on when the start ends")
		assert.JSONEq(t, `{"status":"ok"}`, f.do("GET", "/.backstage/health/v1/readiness", "").text())

		f.server.Leaving()
		assert.Equal(t, 200, f.do("GET", "/api/catalog/entities", "").status, "requests are still answered")
		res = f.do("GET", "/.backstage/health/v1/readiness", "")
		assert.Equal(t, 503, res.status)
		assert.JSONEq(t, `{"message":"Backend is shutting down","status":"error"}`, res.text())
		f.server.Stopping()
		f.server.Stopping() // a second signal changes nothing
		assert.Contains(t, f.do("GET", "/api/catalog/entities", "").text(), "Service is shutting down")
		res = f.do("GET", "/.backstage/health/v1/readiness", "")
		assert.Equal(t, 503, res.status)
		assert.JSONEq(t, `{"message":"Backend is shutting down","status":"error"}`, res.text())
		assert.Equal(t, 200, f.do("GET", "/.backstage/health/v1/liveness", "").status)
	})
}

func TestMetricsAndAccessLog(t *testing.T) {
	kinds := map[string]int{"component": 7, "api": 1}
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.AccessLog = true
		o.CatalogStats = func() api.CatalogStats {
			return api.CatalogStats{EntitiesByKind: kinds, Locations: 3, Relations: 11}
		}
	})
	page(`[]`)(f.reader)
	f.do("GET", "/api/catalog/entities", "", with("User-Agent", "probe/1"))
	f.do("BREW", "/api/catalog/entities", "")
	res := f.do("GET", "/metrics", "", anonymous)
	for _, line := range []string{
		`catalog_entities_count{kind="component"} 7`, `catalog_registered_locations_count 3`, `catalog_relations_count 11`,
		`http_requests_total{method="GET",route="/api/catalog/entities",status="200"} 1`,
		`http_requests_total{method="other",route="",status="404"} 1`,
	} {
		assert.Contains(t, res.text(), line)
	}
	kinds = map[string]int{"component": 8}
	assert.Contains(t, f.do("GET", "/metrics", "", anonymous).text(), `catalog_entities_count{kind="api"} 0`, "a kind that has gone is 0 once")
	assert.NotContains(t, f.do("GET", "/metrics", "", anonymous).text(), `kind="api"`)
	assert.Contains(t, f.logged.String(), "user_agent=probe/1")
	assert.Contains(t, f.logged.String(), "url=/api/catalog/entities status=200")
	assert.NotContains(t, f.logged.String(), f.token)
}

// Whether the program is well is asked for all day long.
func TestHealthIsNotInTheAccessLog(t *testing.T) {
	for _, logged := range []bool{false, true} {
		f := newFixture(t, func(o *api.Options, _ *auth.Options) {
			o.AccessLog, o.LogHealth = true, logged
		})
		page(`[]`)(f.reader)
		for _, path := range []string{"/.backstage/health/v1/liveness", "/.backstage/health/v1/readiness", "/.Backstage/Health/v1/liveness/"} {
			assert.Equal(t, 200, f.do("GET", path, "", anonymous).status)
		}
		assert.Equal(t, 200, f.do("GET", "/api/catalog/entities", "").status)
		found := strings.Count(strings.ToLower(f.logged.String()), "/.backstage/health")
		assert.Equal(t, map[bool]int{true: 3, false: 0}[logged], found, "at level info")
		assert.Contains(t, f.logged.String(), "url=/api/catalog/entities status=200")
	}
}
