package oauthserver

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPatterns(t *testing.T) {
	for _, tc := range []struct {
		pattern, url string
		want         bool
	}{
		{"*", "anything://x", true},
		{"http://localhost:*/*", "http://localhost:8080/callback", true},
		{"http://localhost:*/*", "http://localhost/callback", true},
		{"http://localhost/*", "http://localhost:8080/callback", false},
		{"http://localhost:*/*", "https://localhost:8080/callback", false},
		{"http://localhost:*/*", "http://localhost.evil.example.com:80/", false},
		{"http://[::1]:*/*", "http://[::1]:8080/x", true},
		{"cursor://*", "cursor://anysphere.cursor-retrieval/oauth", true},
		{"cursor://*", "cursors://x/", false},
		{"https://*.example.com/*", "https://a.b.example.com/x", true},
		{"https://*.example.com/*", "https://example.com/x", false},
		{"https://*.example.com/*", "https://evil.com/.example.com/x", false},
		{"https://example.com/callback", "https://EXAMPLE.com/callback", true},
		{"https://example.com/callback", "https://example.com/callback/x", false},
		{"https://example.com/a.b", "https://example.com/aXb", false},
		{"https://example.com:8443/*", "https://example.com:8443/x", true},
		{"https://example.com:8443/*", "https://example.com/x", false},
	} {
		p, err := parsePattern(tc.pattern)
		require.NoError(t, err)
		u, err := url.Parse(tc.url)
		require.NoError(t, err)
		require.Equal(t, tc.want, p.matches(u), "%s %s", tc.pattern, tc.url)
	}
	for _, bad := range []string{"", "localhost", "//localhost/*", "http:", "http://a:b:c/", "http://a/?x", "http://[::1/"} {
		_, err := parsePattern(bad)
		require.Error(t, err, bad)
	}
}

func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false, "fe80::1": false, "fd00::1": false, "64:ff9b::a00:1": false, "::": false,
	} {
		require.Equal(t, want, isPublic(netip.MustParseAddr(address)), address)
	}
}

// Whatever a client calls a place to be sent back to, a browser understands it
// as it was checked.
func FuzzRedirects(f *testing.F) {
	for _, seed := range []string{"http://localhost:1/x", "cursor://x/y?z=1", "javascript:alert(1)", `http://localhost\@evil/`, "http://a@b/", "HTTP://localhost/", "//x", "http:///x", "x:y"} {
		f.Add(seed)
	}
	list, err := parsePatterns(loopback)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		u, ok := parseRedirect(text)
		if !ok || !anyMatches(list, u) {
			return
		}
		require.Equal(t, "http", u.Scheme)
		require.Contains(t, []string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(u.Hostname()))
		again, err := url.Parse(u.String())
		require.NoError(t, err)
		require.Equal(t, u.Host, again.Host)
		require.NotContains(t, text, "\\")
	})
}
