package signin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"testing"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each answer of each provider has the shape that clients expect.
func TestShapes(t *testing.T) {
	w := newWorld(t, nil)
	for _, provider := range []string{signin.GitHub, signin.GitLab, signin.OIDC} {
		t.Run(provider, func(t *testing.T) {
			b := w.browser()
			a := b.get("/api/auth/" + provider + "/start?scope=extra&origin=" + url.QueryEscape(w.base) + "&flow=popup&env=development")
			golden(t, provider+"-start", w.shape(a))

			page := b.get(b.agree(b.start(provider), "Jane"))
			golden(t, provider+"-callback", w.shape(page))
			o := page.outcome(t)
			assert.Equal(t, w.base, o.origin)
			assert.Equal(t, "user:default/jane", o.Response.BackstageIdentity.Identity.UserEntityRef)

			golden(t, provider+"-refresh", w.shape(b.script("GET", "/api/auth/"+provider+"/refresh?optional&env=development")))
			golden(t, provider+"-logout", w.shape(b.script("POST", "/api/auth/"+provider+"/logout?env=development")))
			golden(t, provider+"-refresh-after-logout", w.shape(b.script("GET", "/api/auth/"+provider+"/refresh?optional&env=development")))
		})
	}
}

var script = regexp.MustCompile(`(?s)<script>(.*)</script>`)

// The page runs its script under its own policy, and nothing that a provider
// says can get out of it.
func TestPage(t *testing.T) {
	w := newWorld(t, func(o *signin.Options) {
		e := o.Providers[signin.GitHub].Environments["development"]
		e.Resolvers = nil
		o.Providers[signin.GitHub].Environments["development"] = e
	})
	a := w.browser().signIn(signin.GitHub, "mallory")
	found := script.FindAllStringSubmatch(a.body, -1)
	require.Len(t, found, 1)
	hash := sha256.Sum256([]byte(found[0][1]))
	assert.Equal(t, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'", a.Header.Get("Content-Security-Policy"))
	assert.Equal(t, []string{"sameorigin"}, a.Header.Values("X-Frame-Options"))
	assert.Empty(t, a.Header.Values("Cross-Origin-Opener-Policy"))
	assert.NotContains(t, found[0][1], "alert('", "no quote of the provider stands in the script")
	assert.Regexp(t, `^[\x20-\x7e\n]*$`, a.body, "ASCII alone, whatever encoding is assumed")
	o := a.outcome(t)
	assert.Equal(t, people[1].Name, o.Response.Profile.DisplayName)
	assert.Nil(t, o.Response.BackstageIdentity, "without a resolver nobody is signed in")
	assert.NotEmpty(t, o.Response.ProviderInfo.AccessToken)
}

// What comes before the state is known is an error like any other.
func TestErrorsAsJSON(t *testing.T) {
	w := newWorld(t, nil)
	for path, want := range map[string]struct {
		status  int
		message string
	}{
		"/api/auth/github/start":                                                               {400, "Must specify 'env' query to select environment"},
		"/api/auth/github/start?env=production":                                                {404, "No configuration available for the 'production' environment of this provider."},
		"/api/auth/github/start?env=development&origin=https://evil.test":                      {403, "Origin 'https://evil.test' is not allowed"},
		"/api/auth/github/start?env=development&origin=evil":                                   {400, "App origin is invalid, failed to parse"},
		"/api/auth/github/start?env=development&origin=":                                       {400, "App origin is invalid, failed to parse"},
		"/api/auth/github/start?env=development&flow=redirect":                                 {400, "No redirectUrl provided in request query parameters"},
		"/api/auth/github/start?env=development&flow=redirect&redirectUrl=https://evil.test/x": {403, "Origin 'https://evil.test' is not allowed"},
		"/api/auth/github/start?env=development&flow=redirect&redirectUrl=//evil.test/x":       {400, "App origin is invalid, failed to parse"},
		"/api/auth/github/handler/frame":                                                       {400, "Must specify 'env' query to select environment"},
		"/api/auth/github/handler/frame?state=zz":                                              {400, "OAuth state is invalid, it is not hexadecimal"},
		"/api/auth/github/handler/frame?state=61":                                              {403, "OAuth state is invalid, missing env"},
		"/api/auth/github/handler/frame?state=656e763d78":                                      {403, "OAuth state is invalid, missing nonce"},
		"/api/auth/github/handler/frame?env=development":                                       {403, "OAuth state is invalid, missing env"},
		"/api/auth/github/handler/frame?env=a&env=b":                                           {400, "parameter 'env' is too long, or there more than once"},
		"/api/auth/github/refresh?env=development":                                             {401, "Invalid X-Requested-With header"},
		"/api/auth/github/refresh":                                                             {400, "Must specify 'env' query to select environment"},
		"/api/auth/github/nothing":                                                             {404, "Unknown auth provider 'github'"},
		"/api/auth/google/start":                                                               {404, "Unknown auth provider 'google'"},
		"/api/auth/guest/logout":                                                               {404, "Unknown auth provider 'guest'"},
		"/api/auth/oauth2Proxy/refresh":                                                        {404, "No auth provider registered for 'oauth2Proxy'"},
		"/api/auth/oauth2Proxy/start":                                                          {404, "No auth provider registered for 'oauth2Proxy'"},
		"/api/auth/github/start?env=development&scope=" + long(5000):                           {400, "parameter 'scope' is too long, or there more than once"},
	} {
		a := w.browser().get(path)
		assert.Equal(t, want.status, a.StatusCode, path)
		assert.Equal(t, want.message, a.message(), path)
		assert.Empty(t, a.Header.Values("Set-Cookie"), path)
	}
	a := w.browser().script("GET", "/api/auth/github/refresh?env=development")
	assert.Equal(t, 401, a.StatusCode)
	assert.Equal(t, "Refresh failed; caused by InputError: Missing session cookie", a.message())
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}
