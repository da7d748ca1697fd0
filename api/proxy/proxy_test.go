package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/proxy"
	"github.com/stretchr/testify/require"
)

// A target remembers what it was asked, and answers with what a test says.
type target struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []*http.Request
	bodies []string
	answer func(http.ResponseWriter, *http.Request)
}

func newTarget(t *testing.T) *target {
	x := &target{answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		x.mu.Lock()
		x.asked, x.bodies = append(x.asked, r), append(x.bodies, string(body))
		answer := x.answer
		x.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(x.Close)
	return x
}

// say sets what is answered from now on.
func (x *target) say(answer func(http.ResponseWriter, *http.Request)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = answer
}

// last returns the last request, and how many there were.
func (x *target) last() (*http.Request, int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.asked) == 0 {
		return nil, 0
	}
	return x.asked[len(x.asked)-1], len(x.asked)
}

// serve starts the edge with endpoints; a real listener, since recorders know
// nothing of trailers and protocols.
func serve(t *testing.T, endpoints ...proxy.Endpoint) (*apitest.Server, *httptest.Server) {
	p, err := proxy.New(proxy.Options{Endpoints: endpoints})
	require.NoError(t, err)
	s := apitest.New(t, func(o *api.Options, _ *auth.Options) { o.Portal.Proxy = p })
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, web
}

func get(t *testing.T, s *apitest.Server, web *httptest.Server, method, path string, change func(*http.Request)) *http.Response {
	r, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	if change != nil {
		change(r)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func text(t *testing.T, res *http.Response) string {
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(b)
}

func TestPathsAndQueries(t *testing.T) {
	x := newTarget(t)
	s, web := serve(t,
		proxy.Endpoint{Route: "/test", Target: x.URL + "/base"},
		proxy.Endpoint{Route: "/larger/v1", Target: x.URL + "/svc.v1/"},
		proxy.Endpoint{Route: "bare", Target: x.URL},
		proxy.Endpoint{Route: "/keyed", Target: x.URL + "/k?key=1"},
		proxy.Endpoint{Route: "/rewritten", Target: x.URL, Rewrites: []proxy.Rewrite{
			{Pattern: "^/api/proxy/rewritten/old/(\\w+)", Replacement: "/new/$1"}, {Pattern: "^/api/proxy/rewritten", Replacement: "/all"}}},
		proxy.Endpoint{Route: "/kept", Target: x.URL, Rewrites: []proxy.Rewrite{}},
	)
	for path, want := range map[string]string{
		"/test":                         "/base/",
		"/test/":                        "/base/",
		"/test/foo?x=1&y=a%20b":         "/base/foo?x=1&y=a%20b",
		"/test/foo/?x":                  "/base/foo/?x",
		"/TEST/Foo":                     "/base/Foo",
		"/test?x=1":                     "/base/?x=1",
		"/test/a%2Fb/%C3%BC":            "/base/a%2Fb/%C3%BC",
		"/test//foo///bar":              "/base/foo/bar",
		"/test//evil.example.com":       "/base/evil.example.com",
		"/test/@evil.example.com":       "/base/@evil.example.com",
		"/test/http://evil.example.com": "/base/http:/evil.example.com",
		"/larger/v1/x":                  "/svc.v1/x",
		"/bare/x":                       "/x",
		"/keyed/x?y=2":                  "/k/x?key=1&y=2",
		"/keyed":                        "/k/?key=1",
		"/rewritten/old/thing?x=1":      "/new/thing?x=1",
		"/rewritten/x?/old/":            "/all/x?/old/",
		"/kept/x":                       "/api/proxy/kept/x",
	} {
		t.Run(path, func(t *testing.T) {
			res := get(t, s, web, "GET", "/api/proxy"+path, nil)
			require.Equal(t, 200, res.StatusCode)
			r, _ := x.last()
			require.Equal(t, want, r.RequestURI)
			require.Equal(t, strings.TrimPrefix(x.URL, "http://"), r.Host, "the target sees its own name")
		})
	}
	_, before := x.last()
	for _, path := range []string{"/testing", "/te", "/", "", "/larger", "/larger/v11"} {
		require.Equal(t, 404, get(t, s, web, "GET", "/api/proxy"+path, nil).StatusCode, path)
	}
	_, after := x.last()
	require.Equal(t, before, after, "no target was asked")
}

func TestPathTricks(t *testing.T) {
	x := newTarget(t)
	s, web := serve(t, proxy.Endpoint{Route: "/test", Target: x.URL + "/base"},
		proxy.Endpoint{Route: "/open", Target: x.URL + "/open", Credentials: proxy.AllowUnauthenticated})
	for _, path := range []string{
		"/test/../x", "/test/..", "/test/%2e%2e/x", "/test/.%2E/x", "/test/%2e./x", "/test/a/..%2fx", "/test/..%2f..%2fx",
		"/test/..%5cx", `/test/..\x`, "/test/a%00b", "/open/../test/x", "/open/%2e%2e/test", "/open/..%2ftest",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
		require.NoError(t, err)
		fmt.Fprintf(conn, "GET /api/proxy%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", path, s.Token)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, 400, res.StatusCode, path)
		require.NoError(t, conn.Close())
	}
	_, n := x.last()
	require.Zero(t, n, "the target was not asked")
	require.Equal(t, 200, get(t, s, web, "GET", "/api/proxy/test/a..b/...", nil).StatusCode, "dots are no crime")
}

// A request line that names another server changes nothing.
func TestTargetIsThatOfTheConfiguration(t *testing.T) {
	x, evil := newTarget(t), newTarget(t)
	s, web := serve(t, proxy.Endpoint{Route: "/test", Target: x.URL})
	conn, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s/api/proxy/test/x HTTP/1.1\r\nHost: %s\r\nX-Forwarded-Host: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n",
		evil.URL, strings.TrimPrefix(evil.URL, "http://"), evil.URL, s.Token)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	_, n := evil.last()
	require.Zero(t, n)
	r, _ := x.last()
	require.Equal(t, "/x", r.RequestURI)

	x.say(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, evil.URL, http.StatusFound) })
	redirect := get(t, s, web, "GET", "/api/proxy/test/x", nil)
	require.Equal(t, 302, redirect.StatusCode, "a redirect is not followed")
	require.Empty(t, redirect.Header.Get("Location"))
	_, n = evil.last()
	require.Zero(t, n)
}

func TestHeadersOfRequests(t *testing.T) {
	x := newTarget(t)
	s, web := serve(t,
		proxy.Endpoint{Route: "/plain", Target: x.URL},
		proxy.Endpoint{Route: "/more", Target: x.URL, AllowedHeaders: []string{"x-custom"}, Headers: map[string]string{"authorization": "Basic c2VjcmV0", "X-Key": "k"}},
		proxy.Endpoint{Route: "/forward", Target: x.URL, Credentials: proxy.Forward},
		proxy.Endpoint{Route: "/host", Target: x.URL, KeepHost: true},
	)
	send := func(path string) http.Header {
		res := get(t, s, web, "GET", "/api/proxy"+path, func(r *http.Request) {
			for name, value := range map[string]string{
				"Accept": "application/json", "Accept-Language": "de", "Cache-Control": "no-cache", "Content-Type": "text/x", "Pragma": "p", "User-Agent": "browser",
				"Cookie": "backstage-auth=secret", "X-Custom": "c", "X-Key": "of the client", "X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4",
				"X-Requested-With": "x", "Origin": "http://a", "Referer": "http://a/secret", "Accept-Encoding": "gzip", "If-None-Match": "x",
				"Connection": "X-Custom, Content-Type", "Te": "trailers", "Proxy-Authorization": "Basic x", "X-Real-Ip": "1.1.1.1",
			} {
				r.Header.Set(name, value)
			}
		})
		require.Equal(t, 200, res.StatusCode)
		r, _ := x.last()
		return r.Header
	}
	require.Equal(t, http.Header{"Accept": {"application/json"}, "Accept-Language": {"de"}, "Cache-Control": {"no-cache"},
		"Pragma": {"p"}, "User-Agent": {"browser"}}, send("/plain/x"), "what the connection names is taken away even if it is allowed")
	more := send("/more/x")
	require.Equal(t, []string{"Basic c2VjcmV0"}, more["Authorization"], "that of the configuration, not the caller's token")
	require.Equal(t, []string{"k"}, more["X-Key"])
	require.Empty(t, more["X-Custom"], "the connection named it")
	require.Equal(t, "Bearer "+s.Token, send("/forward/x").Get("Authorization"))
	send("/host/x")
	r, _ := x.last()
	require.Equal(t, strings.TrimPrefix(web.URL, "http://"), r.Host)

	res := get(t, s, web, "GET", "/api/proxy/more/x", func(r *http.Request) { r.Header.Set("X-Custom", "c"); r.Header["User-Agent"] = nil })
	require.Equal(t, 200, res.StatusCode)
	r, _ = x.last()
	require.Equal(t, "c", r.Header.Get("X-Custom"))
	require.Empty(t, r.UserAgent(), "and none that we made up")
}

func TestHeadersOfAnswers(t *testing.T) {
	x := newTarget(t)
	x.say(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Link", "</x>; rel=preload")
		h.Set("Set-Cookie", "early=1")
		w.WriteHeader(http.StatusEarlyHints)
		for name, value := range map[string]string{
			"Content-Type": "text/x", "Expires": "0", "Set-Cookie": "a=b", "Etag": `"x"`, "X-Custom": "c", "Location": "http://evil",
			"Content-Security-Policy": "none", "Access-Control-Allow-Origin": "*", "Clear-Site-Data": "*", "Trailer": "X-Late, Set-Cookie",
			"Server": "x", "X-Frame-Options": "ALLOWALL", "Strict-Transport-Security": "max-age=0",
		} {
			h.Set(name, value)
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "body")
		h.Set("X-Late", "late")
		h.Set("Set-Cookie", "late=1")
	})
	s, web := serve(t, proxy.Endpoint{Route: "/plain", Target: x.URL}, proxy.Endpoint{Route: "/more", Target: x.URL, AllowedHeaders: []string{"X-Custom", "etag", "x-frame-options"}})
	res := get(t, s, web, "GET", "/api/proxy/plain/x", nil)
	require.Equal(t, http.StatusTeapot, res.StatusCode)
	require.Equal(t, "body", text(t, res))
	require.Equal(t, "text/x", res.Header.Get("Content-Type"))
	for _, name := range []string{"Set-Cookie", "Etag", "X-Custom", "Location", "Access-Control-Allow-Origin", "Clear-Site-Data", "Server", "Link", "Trailer"} {
		require.Empty(t, res.Header.Get(name), name)
	}
	require.Empty(t, res.Trailer)
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src", "the headers of this server stay, also after early hints")
	require.Equal(t, "SAMEORIGIN", res.Header.Get("X-Frame-Options"))
	require.Equal(t, "max-age=15552000; includeSubDomains", res.Header.Get("Strict-Transport-Security"))

	res = get(t, s, web, "GET", "/api/proxy/more/x", nil)
	require.Equal(t, "c", res.Header.Get("X-Custom"))
	require.Equal(t, `"x"`, res.Header.Get("Etag"))
	require.Equal(t, []string{"ALLOWALL"}, res.Header["X-Frame-Options"], "in place of ours where the operator says so")
}

// early collects what comes before an answer.
func TestEarlyHintsStop(t *testing.T) {
	x := newTarget(t)
	x.say(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "early=1")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	s, web := serve(t, proxy.Endpoint{Route: "/plain", Target: x.URL})
	conn, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/proxy/plain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", s.Token)
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(all), "HTTP/1.1 200 "), string(all))
	require.NotContains(t, string(all), "early=1")
}

func TestBodies(t *testing.T) {
	x := newTarget(t)
	s, web := serve(t, proxy.Endpoint{Route: "/plain", Target: x.URL})
	large := strings.Repeat("x", 300<<10)
	for _, announced := range []bool{true, false} {
		res := get(t, s, web, "POST", "/api/proxy/plain", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(large))
			r.ContentLength = -1
			if announced {
				r.ContentLength = int64(len(large))
			}
			r.Trailer = http.Header{"X-Late": {"smuggled"}}
		})
		require.Equal(t, 200, res.StatusCode)
		r, n := x.last()
		require.Equal(t, large, x.bodies[n-1], "bodies pass as they are, also those beyond the limit of our own routes")
		require.Empty(t, r.Trailer)
	}
}

func TestMethods(t *testing.T) {
	x := newTarget(t)
	s, web := serve(t, proxy.Endpoint{Route: "/some", Target: x.URL, Methods: []string{"GET", "PURGE"}},
		proxy.Endpoint{Route: "/all", Target: x.URL})
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/some", 200}, {"PURGE", "/some", 200}, {"POST", "/some", 404}, {"HEAD", "/some", 404},
		{"DELETE", "/all", 200}, {"OPTIONS", "/all", 200}, {"HEAD", "/all", 200}, {"PATCH", "/all/x", 200},
	} {
		require.Equal(t, tc.status, get(t, s, web, tc.method, "/api/proxy"+tc.path, nil).StatusCode, tc)
		r, _ := x.last()
		require.Equal(t, tc.status == 200, r.Method == tc.method, tc)
	}
}

func TestCredentials(t *testing.T) {
	x := newTarget(t)
	endpoints := []proxy.Endpoint{
		{Route: "/closed", Target: x.URL}, {Route: "/forward", Target: x.URL, Credentials: proxy.Forward},
		{Route: "/open", Target: x.URL, Credentials: proxy.AllowUnauthenticated},
		{Route: "/open/closed", Target: x.URL + "/never"},
	}
	s, web := serve(t, endpoints...)
	for _, tc := range []struct {
		name, path, token string
		status            int
	}{
		{"a user", "/closed", "Bearer " + s.Token, 200},
		{"a service", "/closed", "Bearer " + apitest.ServiceToken, 200},
		{"nobody", "/closed", "", 401},
		{"a bad token", "/closed", "Bearer forged", 401},
		{"nobody, where tokens are passed on", "/forward", "", 401},
		{"nobody, where all may", "/open/x", "", 200},
		{"a bad token, where none is looked at", "/open/x", "Bearer forged", 200},
		{"nobody, at an unknown route", "/openness", "", 401},
		{"nobody, at a route in another case", "/OPEN/x", "", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, before := x.last()
			res := get(t, s, web, "GET", "/api/proxy"+tc.path, func(r *http.Request) {
				r.Header.Set("Authorization", tc.token)
				if tc.token == "" {
					r.Header.Del("Authorization")
				}
			})
			require.Equal(t, tc.status, res.StatusCode)
			r, after := x.last()
			require.Equal(t, tc.status == 200, after == before+1)
			if tc.status == 200 {
				require.Empty(t, r.Header.Get("Authorization"))
			}
		})
	}
	p, err := proxy.New(proxy.Options{Endpoints: endpoints, OpenPolicy: true})
	require.NoError(t, err)
	open := apitest.New(t, func(o *api.Options, a *auth.Options) { o.Portal.Proxy = p; a.DisableDefaultPolicy = true })
	require.Equal(t, 200, open.Do("GET", "/api/proxy/closed", "", apitest.Anonymous).Status, "the operator disabled the policy")
}

func TestNoOtherProtocol(t *testing.T) {
	x := newTarget(t)
	s, web := serve(t, proxy.Endpoint{Route: "/plain", Target: x.URL, AllowedHeaders: []string{"Sec-WebSocket-Key"}})
	upgrade := func(r *http.Request) {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-WebSocket-Key", "x")
	}
	require.Equal(t, 200, get(t, s, web, "GET", "/api/proxy/plain", upgrade).StatusCode)
	r, _ := x.last()
	require.Empty(t, r.Header.Get("Upgrade"))
	require.NotContains(t, strings.ToLower(r.Header.Get("Connection")), "upgrade")

	x.say(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			conn.Close()
		}
	})
	require.Equal(t, 502, get(t, s, web, "GET", "/api/proxy/plain", upgrade).StatusCode)
}

func TestTargetsThatFail(t *testing.T) {
	x := newTarget(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	s, web := serve(t, proxy.Endpoint{Route: "/gone", Target: gone.URL + "/secret-path"},
		proxy.Endpoint{Route: "/slow", Target: x.URL, Timeout: 20 * time.Millisecond},
		proxy.Endpoint{Route: "/broken", Target: x.URL})
	res := get(t, s, web, "GET", "/api/proxy/gone/x?token=hunter2", nil)
	require.Equal(t, 504, res.StatusCode)
	body := text(t, res)
	require.Contains(t, body, "Error occurred while trying to proxy")
	require.NotContains(t, body, strings.TrimPrefix(gone.URL, "http://"), "where it goes is not the caller's business")

	release := make(chan struct{})
	x.say(func(http.ResponseWriter, *http.Request) { <-release })
	require.Equal(t, 504, get(t, s, web, "GET", "/api/proxy/slow", nil).StatusCode)
	close(release)
	x.say(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "HTTP/1.1 what\r\n\r\n")
			conn.Close()
		}
	})
	require.Equal(t, 502, get(t, s, web, "GET", "/api/proxy/broken", nil).StatusCode)
	x.say(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		fmt.Fprint(w, strings.Repeat("half", 10_000))
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/api/proxy/broken", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	res, err = http.DefaultTransport.RoundTrip(r)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	require.Error(t, err, "half an answer does not look like a whole one")
}

func TestCertificates(t *testing.T) {
	x := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	x.Config.ErrorLog = nil
	x.StartTLS()
	defer x.Close()
	s, web := serve(t, proxy.Endpoint{Route: "/checked", Target: x.URL}, proxy.Endpoint{Route: "/unchecked", Target: x.URL, SkipVerify: true})
	require.Equal(t, 502, get(t, s, web, "GET", "/api/proxy/checked", nil).StatusCode)
	require.Equal(t, 200, get(t, s, web, "GET", "/api/proxy/unchecked", nil).StatusCode)
}

func TestEndpointsThatMakeNoSense(t *testing.T) {
	for _, tc := range []struct {
		name string
		e    proxy.Endpoint
		says string
	}{
		{"no target", proxy.Endpoint{}, "not an http or https URL"},
		{"a target without a host", proxy.Endpoint{Target: "/x"}, "not an http or https URL"},
		{"a file", proxy.Endpoint{Target: "file:///etc/passwd"}, "not an http or https URL"},
		{"an unknown policy", proxy.Endpoint{Target: "http://x", Credentials: "maybe"}, "is not one of"},
		{"a pattern that is none", proxy.Endpoint{Target: "http://x", Rewrites: []proxy.Rewrite{{Pattern: "("}}}, "pathRewrite"},
		{"a header about the connection", proxy.Endpoint{Target: "http://x", AllowedHeaders: []string{"transfer-encoding"}}, "cannot be passed on"},
		{"a name that is none", proxy.Endpoint{Target: "http://x", AllowedHeaders: []string{"a b"}}, "cannot be passed on"},
		{"a line break", proxy.Endpoint{Target: "http://x", Headers: map[string]string{"X-A": "a\r\nX-B: b"}}, "line break"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.e.Route = "/bad"
			_, err := proxy.New(proxy.Options{Endpoints: []proxy.Endpoint{tc.e}})
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "/bad")
			p, err := proxy.New(proxy.Options{Endpoints: []proxy.Endpoint{tc.e}, SkipInvalid: true})
			require.NoError(t, err)
			require.False(t, p.Public("/bad"))
		})
	}
	_, err := proxy.New(proxy.Options{Endpoints: []proxy.Endpoint{{Route: "/x", Target: "ftp://jane:hunter2@host"}}})
	require.NotContains(t, err.Error(), "hunter2")
}

func TestRewritesLikeJavaScript(t *testing.T) {
	for _, tc := range []struct{ name, pattern, replacement, want string }{
		{"a group", `/(\w+)/(\w+)$`, "/$2/$1", "/api/proxy/b/a"},
		{"the whole", `a/b$`, "[$&]", "/api/proxy/[a/b]"},
		{"a dollar", `a/b$`, "$$1", "/api/proxy/$1"},
		{"no such group", `a/b$`, "$1", "/api/proxy/$1"},
		{"two digits where there are not so many", `(a)/b$`, "$11", "/api/proxy/a1"},
		{"a group that took no part", `(x)?a/b$`, "<$1>", "/api/proxy/<>"},
		{"a look ahead", `a(?=/)`, "c", "/api/proxy/c/b"},
		{"no match", `z`, "c", "/api/proxy/a/b"},
		{"only the first", `a|b`, "c", "/cpi/proxy/a/b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := proxy.Destination(proxy.Endpoint{Route: "/a", Target: "http://x", Rewrites: []proxy.Rewrite{{Pattern: tc.pattern, Replacement: tc.replacement}}}, "/a/b")
			require.NoError(t, err)
			u, err := url.Parse(got)
			require.NoError(t, err)
			require.Equal(t, tc.want, u.Path)
		})
	}
	_, err := proxy.Destination(proxy.Endpoint{Route: "/a", Target: "http://x", Rewrites: []proxy.Rewrite{{Pattern: `(a+)+c`}}}, "/"+strings.Repeat("a", 5000))
	require.Error(t, err, "a pattern that takes for ever is given up")
}

func FuzzDestination(f *testing.F) {
	for _, s := range []string{"/test/x?y=1", "/test//evil.com", "/test/%2e%2e", "/test/@x", "/test/\\x", "/TEST", "/test?x#y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		path, _, _ := strings.Cut(uri, "?")
		if !strings.HasPrefix(strings.ToLower(path), "/test") || len(path) > 5 && path[5] != '/' || proxy.Climbs(path) {
			return
		}
		got, err := proxy.Destination(proxy.Endpoint{Route: "/test", Target: "https://host.example.com/base"}, uri)
		if err != nil {
			return
		}
		r, err := http.NewRequest(http.MethodGet, got, nil)
		if err != nil {
			return // the transport would refuse it as well
		}
		require.Equal(t, "host.example.com", r.URL.Host)
		require.Equal(t, "https", r.URL.Scheme)
		require.Nil(t, r.URL.User)
		require.True(t, strings.HasPrefix(r.URL.Path, "/base/"), r.URL.Path)
	})
}
