package signin_test

import (
	"net/netip"
	"testing"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const proxySecret = "a-secret-of-the-proxy"

func behind(t *testing.T, change func(*signin.Proxy)) *world {
	return newWorld(t, func(o *signin.Options) {
		o.Proxy = &signin.Proxy{Resolvers: resolvers(signin.ByForwardedUser)}
		change(o.Proxy)
	})
}

const proxyPath = "/api/auth/oauth2Proxy/refresh"

func TestProxyShapes(t *testing.T) {
	w := behind(t, func(p *signin.Proxy) { p.SecretHeader, p.Secret = "X-Secret", proxySecret })
	b := w.browser()
	golden(t, "proxy-refresh", w.shape(b.get(proxyPath, "X-Secret", proxySecret, "X-Forwarded-User", "Jane", "X-Forwarded-Email", "jane@example.com",
		"X-Forwarded-Preferred-Username", "Jane Doe", "X-OAUTH2-PROXY-ID-TOKEN", "Bearer abc.def.ghi")))
	golden(t, "proxy-refresh-refused", w.shape(b.get(proxyPath, "X-Forwarded-User", "jane")))
	golden(t, "proxy-start", w.shape(b.get("/api/auth/oauth2Proxy/start?env=development")))
	assert.Equal(t, 501, b.do("POST", "/api/auth/oauth2Proxy/handler/frame", nil).StatusCode)
	assert.Equal(t, "Unknown auth provider 'oauth2Proxy'", b.do("POST", "/api/auth/oauth2Proxy/logout", nil).message())
	assert.Equal(t, 200, b.do("POST", "/api/auth/OAUTH2PROXY/refresh", nil, "X-Secret", proxySecret, "X-Forwarded-User", "jane").StatusCode)
}

// Headers count only if the request proves where it comes from.
func TestProxyTrust(t *testing.T) {
	here, elsewhere := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")
	for _, tc := range []struct {
		name    string
		proxy   signin.Proxy
		headers []string
		status  int
	}{
		{"an address that is trusted", signin.Proxy{Addresses: []netip.Prefix{elsewhere, here}}, nil, 200},
		{"an address that is not", signin.Proxy{Addresses: []netip.Prefix{elsewhere}}, nil, 401},
		{"an address that headers claim", signin.Proxy{Addresses: []netip.Prefix{elsewhere}}, []string{"X-Forwarded-For", "10.0.0.1", "X-Real-IP", "10.0.0.1", "Forwarded", "for=10.0.0.1"}, 401},
		{"the secret", signin.Proxy{SecretHeader: "X-Secret", Secret: proxySecret}, []string{"X-Secret", proxySecret}, 200},
		{"no secret", signin.Proxy{SecretHeader: "X-Secret", Secret: proxySecret}, nil, 401},
		{"another secret", signin.Proxy{SecretHeader: "X-Secret", Secret: proxySecret}, []string{"X-Secret", proxySecret + "x"}, 401},
		{"an empty secret", signin.Proxy{SecretHeader: "X-Secret", Secret: proxySecret}, []string{"X-Secret", ""}, 401},
		{"the secret and another", signin.Proxy{SecretHeader: "X-Secret", Secret: proxySecret}, []string{"X-Secret", proxySecret, "X-Secret", "x"}, 401},
		{"the secret from an address that is not trusted", signin.Proxy{Addresses: []netip.Prefix{elsewhere}, SecretHeader: "X-Secret", Secret: proxySecret}, []string{"X-Secret", proxySecret}, 401},
		{"both", signin.Proxy{Addresses: []netip.Prefix{here}, SecretHeader: "X-Secret", Secret: proxySecret}, []string{"X-Secret", proxySecret}, 200},
		{"an address that is trusted, without the secret", signin.Proxy{Addresses: []netip.Prefix{here}, SecretHeader: "X-Secret", Secret: proxySecret}, nil, 401},
		{"a user that was smuggled in beside that of the proxy", signin.Proxy{Addresses: []netip.Prefix{here}}, []string{"X-Forwarded-User", "mallory"}, 401},
		{"a header that is too long", signin.Proxy{Addresses: []netip.Prefix{here}}, []string{"X-Forwarded-Email", long(40_000)}, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := behind(t, func(p *signin.Proxy) {
				tc.proxy.Resolvers = p.Resolvers
				*p = tc.proxy
			})
			a := w.browser().get(proxyPath, append([]string{"X-Forwarded-User", "jane"}, tc.headers...)...)
			assert.Equal(t, tc.status, a.StatusCode, a.body)
			assert.Equal(t, tc.status == 200, len(a.body) > 0 && a.message() == "")
		})
	}
}

func TestProxyPeople(t *testing.T) {
	w := behind(t, func(p *signin.Proxy) {
		p.Addresses = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		p.Resolvers = resolvers(signin.ByForwardedUsername)
	})
	b := w.browser()
	assert.Equal(t, "user:default/jane", b.get(proxyPath, "X-Forwarded-Preferred-Username", "jane", "X-Forwarded-User", "0815").session(t).BackstageIdentity.Identity.UserEntityRef)
	a := b.get(proxyPath, "X-Forwarded-Preferred-Username", "mallory")
	assert.Equal(t, 403, a.StatusCode)
	assert.Contains(t, a.message(), noUser)
	a = b.get(proxyPath)
	assert.Equal(t, 401, a.StatusCode)
	assert.Contains(t, a.message(), "The proxy says nothing about who signed in")
}

func TestProxyMustBeConfigured(t *testing.T) {
	for _, p := range []signin.Proxy{
		{Resolvers: resolvers(signin.ByEmail)},
		{Resolvers: resolvers(signin.ByEmail), SecretHeader: "X-Secret", Secret: "short"},
		{Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
	} {
		_, err := signin.New(signin.Options{BaseURL: "http://localhost:7007", Proxy: &p})
		require.Error(t, err)
		assert.Contains(t, err.Error(), "oauth2Proxy")
	}
}
