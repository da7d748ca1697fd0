package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/signintest"
)

// portalURL is where the portal is for browsers. The test's goes to where it
// listens.
const portalURL = "http://localhost:7007"

const peopleDescriptors = `apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata:
  name: jane
  annotations: {github.com/user-id: U_jane, localhost/user-id: '11'}
spec: {profile: {email: Jane@example.com}, memberOf: [team]}
`

func newAccounts(t *testing.T, provider string, make func(issuer string, app signintest.ClientApp, a ...signintest.Account) http.Handler) string {
	var h http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	issuer := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	h = make(issuer, signintest.ClientApp{ID: "id", Secret: "the-secret-of-the-client", CallbackURL: signin.CallbackURL(portalURL, provider)},
		signintest.Account{Login: "jdoe", Name: "Jane", Email: "jane@example.com", NodeID: "U_jane", Number: 11},
		signintest.Account{Login: "mallory", Email: "mallory@example.com", NodeID: "U_JANE", Number: 111})
	return issuer
}

// Somebody signs in with each provider, over the catalog and the store of a
// real program, and goes on after a restart of it.
func TestSignIn(t *testing.T) {
	github := newAccounts(t, signin.GitHub, func(_ string, app signintest.ClientApp, a ...signintest.Account) http.Handler {
		return signintest.NewGitHub(app, a...)
	})
	gitlab := newAccounts(t, signin.GitLab, func(_ string, app signintest.ClientApp, a ...signintest.Account) http.Handler {
		return signintest.NewGitLab(app, a...)
	})
	oidc := newAccounts(t, signin.OIDC, signintest.NewOIDC)
	dir := t.TempDir()
	people := writeFile(t, dir, "people.yaml", peopleDescriptors)
	client := "clientId: id, clientSecret: the-secret-of-the-client"
	configuration := fmt.Sprintf(`%s
  locations: [{type: file, target: %s}]
auth:
  session: {secret: the-secret-of-the-sessions}
  providers:
    github: {development: {%s, enterpriseInstanceUrl: %s, signIn: {resolvers: [{resolver: userIdMatchingUserEntityAnnotation}]}}}
    gitlab: {development: {%s, audience: %s, signIn: {resolvers: [{resolver: userIdMatchingUserEntityAnnotation}]}}}
    oidc: {development: {%s, metadataUrl: %s, prompt: auto, additionalScopes: offline_access, signIn: {resolvers: [{resolver: emailMatchingUserEntityProfileEmail}]}}}
    oauth2Proxy: {trustedProxies: 127.0.0.1, signIn: {resolvers: [{resolver: forwardedUserMatchingUserEntityName}]}}
`, strings.TrimSpace(baseConfig), people, client, github, client, gitlab, client, oidc)
	data := t.TempDir()
	i := boot(t, configuration, "--data", data)
	i.until("user/default/jane", func(status int, e map[string]any) bool { return status == 200 && e["relations"] != nil })

	browsers := map[string]*visitor{}
	for _, provider := range []string{signin.GitHub, signin.GitLab, signin.OIDC} {
		v := newVisitor(t, i)
		browsers[provider] = v
		page := v.signIn(provider, "jdoe")
		assert.Contains(t, page, `"userEntityRef":"user:default/jane","ownershipEntityRefs":["user:default/jane","group:default/team"]`, provider)
		page = newVisitor(t, i).signIn(provider, "mallory")
		assert.Contains(t, page, "Failed to sign-in, unable to resolve user identity.", provider)
	}
	assert.Contains(t, newVisitor(t, i).refresh(signin.OAuth2Proxy, "X-Forwarded-User", "jane"), `"userEntityRef":"user:default/jane"`)
	assert.NotContains(t, i.log.String(), "the-secret-of")

	i.end()
	i = boot(t, configuration, "--data", data)
	for provider, v := range browsers {
		v.i = i
		assert.Contains(t, v.refresh(provider), `"userEntityRef":"user:default/jane"`, provider)
	}
}

// A visitor is a browser for which the portal is at portalURL.
type visitor struct {
	t *testing.T
	i *instance
	http.Client
}

func newVisitor(t *testing.T, i *instance) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	v := &visitor{t: t, i: i, Client: http.Client{Jar: jar}}
	v.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "localhost:7007" {
			r = r.Clone(r.Context())
			r.URL.Host = strings.TrimPrefix(v.i.base, "http://")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	return v
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (v *visitor) read(res *http.Response, err error) (*url.URL, string) {
	require.NoError(v.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	return res.Request.URL, string(body)
}

// signIn goes through the pages of a provider, and returns what the page at the
// end hands over.
func (v *visitor) signIn(provider, login string) string {
	at, page := v.read(v.Get(portalURL + "/api/auth/" + provider + "/start?env=development"))
	form := url.Values{"login": {login}, "username": {login}, "password": {signintest.Password}}
	if id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page); id != nil {
		form.Set("id", id[1])
	}
	_, page = v.read(v.PostForm(at.String(), form))
	found := regexp.MustCompile(`decodeURIComponent\('([^']*)'\)\)`).FindStringSubmatch(page)
	require.NotNil(v.t, found, page)
	text, err := url.PathUnescape(found[1])
	require.NoError(v.t, err)
	require.True(v.t, json.Valid([]byte(text)))
	return text
}

func (v *visitor) refresh(provider string, headers ...string) string {
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, portalURL+"/api/auth/"+provider+"/refresh?env=development", nil)
	require.NoError(v.t, err)
	req.Header.Set("X-Requested-With", "XMLHttpRequest")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	_, body := v.read(v.Do(req))
	return body
}

// What cannot work is said at the start, not to the first who signs in.
func TestSignInThatCannotWork(t *testing.T) {
	for text, want := range map[string]string{
		"auth: {providers: {oauth2Proxy: {signIn: {resolvers: [{resolver: forwardedUserMatchingUserEntityName}]}}}}": "set trustedProxies, sharedSecret, or both",
		"auth: {providers: {oauth2Proxy: {trustedProxies: 127.0.0.1}}}":                                              "set signIn.resolvers",
		"auth: {experimentalExtraAllowedOrigins: ['[']}":                                                             `origin "[" is not a pattern`,
		"auth: {providers: {oidc: {d: {clientId: a, clientSecret: b, metadataUrl: 'https://x'}}}}":                   "auth.session.secret",
	} {
		path := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig+text+"\n")
		err := run(t.Context(), []string{"serve", "--config", path, "--data", t.TempDir()}, io.Discard, io.Discard)
		require.ErrorContains(t, err, want, text)
	}
}
