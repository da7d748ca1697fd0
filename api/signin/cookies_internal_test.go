package signin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func at(year int) func() time.Time {
	return func() time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
}

func jarOf(t *testing.T, callback string, session time.Duration) jar {
	u, err := url.Parse(callback)
	require.NoError(t, err)
	return newJar("github", u, session, at(2026))
}

func TestCookieAttributes(t *testing.T) {
	const ours = "https://api.example.com/api/auth/github/handler/frame"
	for _, tc := range []struct {
		name, callback, origin string
		session                time.Duration
		nonce, refresh         string
	}{
		{
			"plain HTTP", "http://localhost:7007/api/auth/github/handler/frame", "http://localhost:3000", 0,
			"github-nonce=a%2Bb%2Fc%3D%3D; Max-Age=600; Path=/api/auth/github/handler; Expires=Thu, 01 Jan 2026 00:10:00 GMT; HttpOnly; SameSite=Lax",
			"github-refresh-token=x; Max-Age=86400000; Path=/api/auth/github; Expires=Wed, 27 Sep 2028 00:00:00 GMT; HttpOnly; SameSite=Lax",
		},
		{
			"the app on the same host", ours, "https://api.example.com:8443", time.Hour,
			"github-nonce=a%2Bb%2Fc%3D%3D; Max-Age=600; Path=/api/auth/github/handler; Expires=Thu, 01 Jan 2026 00:10:00 GMT; HttpOnly; Secure; SameSite=Lax",
			"github-refresh-token=x; Max-Age=3600; Path=/api/auth/github; Expires=Thu, 01 Jan 2026 01:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"the app on another host", ours, "https://app.example.com", time.Hour,
			"github-nonce=a%2Bb%2Fc%3D%3D; Max-Age=600; Path=/api/auth/github/handler; Expires=Thu, 01 Jan 2026 00:10:00 GMT; HttpOnly; Secure; SameSite=None",
			"github-refresh-token=x; Max-Age=3600; Path=/api/auth/github; Expires=Thu, 01 Jan 2026 01:00:00 GMT; HttpOnly; Secure; SameSite=None",
		},
		{
			"a callback elsewhere", "https://api.example.com/oauth/back", "", time.Hour,
			"github-nonce=a%2Bb%2Fc%3D%3D; Max-Age=600; Path=/oauth/back/github/handler; Expires=Thu, 01 Jan 2026 00:10:00 GMT; HttpOnly; Secure; SameSite=Lax",
			"github-refresh-token=x; Max-Age=3600; Path=/oauth/back/github; Expires=Thu, 01 Jan 2026 01:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j, h := jarOf(t, tc.callback, tc.session), http.Header{}
			j.setNonce(h, "a+b/c==", tc.origin)
			require.NoError(t, j.set(h, httptest.NewRequest("GET", "/", nil), j.refreshName(), "x", tc.origin))
			assert.Equal(t, []string{tc.nonce, tc.refresh}, h.Values("Set-Cookie"))
		})
	}
}

// apply sends a browser's cookies with the next request.
func apply(cookies map[string]string, h http.Header) *http.Request {
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.MaxAge < 0 {
			delete(cookies, c.Name)
			continue
		}
		cookies[c.Name] = c.Value
	}
	r := httptest.NewRequest("GET", "/", nil)
	for name, value := range cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// A value comes back as it was set, however long it and the one before were.
func TestLongCookies(t *testing.T) {
	j := jarOf(t, "https://api.example.com/api/auth/github/handler/frame", 0)
	cookies := map[string]string{}
	r := apply(cookies, http.Header{})
	for _, n := range []int{1, 4000, 4001, 31_999, 32_000, 12_001, 3, 8001, 8000, 4000, 1} {
		h := http.Header{}
		value := strings.Repeat("ab+/=;é\" ", n)[:n]
		require.NoError(t, j.set(h, r, j.refreshName(), value, ""))
		r = apply(cookies, h)
		require.Equal(t, value, j.get(r, j.refreshName()), n)
		require.Len(t, cookies, max(1, (n+3999)/4000), "no cookie of the value before is left")
	}
	h := http.Header{}
	assert.Error(t, j.set(h, r, j.refreshName(), strings.Repeat("x", 32_001), ""))
	assert.Empty(t, h)
	h = http.Header{}
	j.drop(h, r, j.refreshName(), "")
	apply(cookies, h)
	assert.Empty(t, cookies)
}

func FuzzState(f *testing.F) {
	f.Add("656e763d78266e6f6e63653d79")
	f.Add("zz")
	f.Add("")
	f.Add(state{Nonce: "a+b==", Env: "development", Origin: "https://x", Scope: "a b", Flow: "popup", RedirectURL: "https://x/?a=b&c"}.encode())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := decodeState(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, s.Env)
		require.NotEmpty(t, s.Nonce)
		again, err := decodeState(s.encode())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

func FuzzEncodeComponent(f *testing.F) {
	for _, s := range []string{"", "a b", "</script>'\"\\", "é\u2028", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out := encodeComponent(text)
		require.NotContains(t, out, "'")
		require.NotContains(t, out, "<")
		require.NotContains(t, out, `\`)
		back, err := url.PathUnescape(out)
		require.NoError(t, err)
		require.Equal(t, text, back)
	})
}
