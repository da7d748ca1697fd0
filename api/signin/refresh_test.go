package signin_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unreachable is a connector to a provider that is down.
type unreachable struct{ signin.Connector }

var errDown = errors.New("no route to secret.internal")

func (unreachable) Exchange(context.Context, string, signin.Proof) (signin.Grant, error) {
	return signin.Grant{}, errDown
}

func (unreachable) Refresh(context.Context, string, signin.Scope) (signin.Grant, error) {
	return signin.Grant{}, errDown
}

// A session goes on after its token has expired, and after a restart.
func TestRefresh(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		path := "/api/auth/" + provider + "/refresh?optional&env=development"
		b := w.browser()
		first := b.signIn(provider, "Jane").outcome(t).Response.BackstageIdentity.Token
		assert.Equal(t, 200, b.get("/api/auth/v1/userinfo", "Authorization", "Bearer "+first).StatusCode)
		w.clock.t = w.clock.t.Add(2 * time.Hour)
		assert.Equal(t, 401, b.get("/api/auth/v1/userinfo", "Authorization", "Bearer "+first).StatusCode, "expired")
		w.restart()
		s := b.script("GET", path).session(t)
		assert.Equal(t, "user:default/jane", s.BackstageIdentity.Identity.UserEntityRef)
		assert.Equal(t, []string{"user:default/jane", "group:default/team"}, s.BackstageIdentity.Identity.OwnershipEntityRefs)
		assert.Equal(t, 200, b.get("/api/auth/v1/userinfo", "Authorization", "Bearer "+s.BackstageIdentity.Token).StatusCode)
		assert.NotNil(t, b.script("POST", path).session(t).BackstageIdentity, "as a POST too")

		a := b.get(path)
		assert.Equal(t, 401, a.StatusCode)
		assert.Equal(t, "Invalid X-Requested-With header", a.message(), "what another site can make a browser send")
	})
}

func TestRefreshOfAScopeThatWasNotGranted(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	b.signIn(signin.GitHub, "Jane").outcome(t)
	a := b.script("GET", "/api/auth/github/refresh?env=development&scope=repo%20read:user")
	assert.Equal(t, 401, a.StatusCode)
	assert.Equal(t, "Refresh failed; caused by AuthenticationError: The session has not been granted the requested scope", a.message())

	more := b.get("/api/auth/github/start?env=development&scope=repo")
	o := b.get(b.agree(more.Header.Get("Location"), "Jane")).outcome(t)
	assert.Equal(t, "repo read:user", o.Response.ProviderInfo.Scope)
	assert.Equal(t, "repo read:user", b.script("GET", "/api/auth/github/refresh?env=development&scope=repo").session(t).ProviderInfo.Scope)
	again := stateOf(t, b.start(signin.GitHub))
	assert.Equal(t, "repo read:user", again.Get("scope"), "what was granted is asked for again")
}

func TestRefreshAfterAccessWasRevoked(t *testing.T) {
	w := newWorld(t, nil)
	for provider, why := range map[string]string{signin.GitHub: "Invalid access token", signin.GitLab: "invalid_grant"} {
		b := w.browser()
		b.signIn(provider, "Jane").outcome(t)
		w.github.RevokeAll()
		w.gitlab.RevokeAll()
		a := b.script("GET", "/api/auth/"+provider+"/refresh?env=development")
		assert.Equal(t, 401, a.StatusCode, provider)
		assert.Contains(t, a.message(), "Refresh failed; caused by AuthenticationError: ")
		assert.Contains(t, a.message(), why)
	}
}

// GitLab gives a new refresh token each time, and takes the old one no more.
func TestRotatedRefreshToken(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	b.signIn(signin.GitLab, "Jane").outcome(t)
	path := "/api/auth/gitlab/refresh?env=development"
	u, _ := url.Parse(w.base + path)
	stolen := b.Jar.Cookies(u)
	for range 3 {
		b.script("GET", path).session(t)
	}
	thief := w.browser()
	thief.Jar.SetCookies(u, stolen)
	w.clock.t = w.clock.t.Add(11 * time.Second)
	assert.Equal(t, 401, thief.script("GET", path).StatusCode)
}

// counted counts how often a provider is asked.
type counted struct {
	signin.Connector
	asked *atomic.Int32
}

func (c counted) Refresh(ctx context.Context, token string, s signin.Scope) (signin.Grant, error) {
	c.asked.Add(1)
	return c.Connector.Refresh(ctx, token, s)
}

// A browser that opens all its tabs again is signed in in each of them, though
// the provider takes the refresh token once.
func TestManyTabs(t *testing.T) {
	var asked atomic.Int32
	w := newWorld(t, nil)
	w.environment(signin.GitLab, func(e *signin.Environment) { e.Connector = counted{e.Connector, &asked} })
	w.restart()
	b := w.browser()
	b.signIn(signin.GitLab, "Jane").outcome(t)
	path := "/api/auth/gitlab/refresh?env=development"
	u, _ := url.Parse(w.base + path)
	kept := b.Jar.Cookies(u)
	var wait sync.WaitGroup
	fresh := make([]string, 8)
	for i := range fresh {
		wait.Go(func() {
			tab := w.browser()
			tab.Jar.SetCookies(u, kept)
			assert.NotNil(t, tab.script("GET", path).session(t).BackstageIdentity)
			fresh[i] = tab.Jar.Cookies(u)[0].Value
		})
	}
	wait.Wait()
	assert.Equal(t, int32(1), asked.Load())
	assert.Len(t, slices.Compact(fresh), 1, "all have the new one")
	w.clock.t = w.clock.t.Add(time.Hour)
	tab := w.browser()
	tab.Jar.SetCookies(u, []*http.Cookie{{Name: "gitlab-refresh-token", Value: fresh[0]}})
	tab.script("GET", path).session(t)

	w.gitlab.RevokeAll()
	for range 2 {
		assert.Equal(t, 401, tab.script("GET", path).StatusCode)
	}
	assert.Equal(t, int32(4), asked.Load(), "what has failed is tried again")
}

// People who leave lose access with the next refresh.
func TestRefreshAfterTheUserHasGone(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	b.signIn(signin.GitHub, "Jane").outcome(t)
	w.options.Directory = directory{}
	w.restart()
	a := b.script("GET", "/api/auth/github/refresh?env=development")
	assert.Equal(t, 401, a.StatusCode)
	assert.Contains(t, a.message(), noUser)
}

func TestLogout(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		path := "/api/auth/" + provider + "/logout?env=development"
		b := w.browser()
		b.signIn(provider, "Jane").outcome(t)
		refresh, _ := url.Parse(w.base + "/api/auth/" + provider + "/refresh")
		kept := b.Jar.Cookies(refresh)
		require.NotEmpty(t, kept)

		assert.Equal(t, 401, b.do("POST", path, nil).StatusCode)
		a := b.do("POST", path, nil, "X-Requested-With", "XMLHttpRequest", "Origin", "https://evil.test")
		assert.Equal(t, 403, a.StatusCode)
		assert.Equal(t, "Origin 'https://evil.test' is not allowed", a.message())
		assert.Equal(t, kept, b.Jar.Cookies(refresh))

		a = b.script("POST", path)
		assert.Equal(t, 200, a.StatusCode)
		assert.Empty(t, a.body)
		assert.Empty(t, b.Jar.Cookies(refresh))
		if provider == signin.OIDC {
			b.Jar.SetCookies(refresh, kept)
			assert.Equal(t, 401, b.script("GET", refresh.Path+"?env=development").StatusCode, "the session was ended at the provider too")
		}
	})
}

func TestRedirectFlow(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		app := w.base + "/catalog?x=1"
		start := "/api/auth/" + provider + "/start?env=development&flow=redirect&origin=" + url.QueryEscape(w.base) + "&redirectUrl=" + url.QueryEscape(app)
		b := w.browser()
		a := b.get(b.agree(b.get(start).Header.Get("Location"), "Jane"))
		assert.Equal(t, 302, a.StatusCode)
		assert.Equal(t, app, a.Header.Get("Location"))
		assert.Empty(t, a.body)
		assert.NotNil(t, b.script("GET", "/api/auth/"+provider+"/refresh?env=development").session(t).BackstageIdentity, "the app asks for the session itself")

		b = w.browser()
		a = b.get(b.agree(b.get(start).Header.Get("Location"), "mallory"))
		assert.Equal(t, 302, a.StatusCode)
		to, err := url.Parse(a.Header.Get("Location"))
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(to.String(), w.base+"/catalog?"))
		assert.Equal(t, "1", to.Query().Get("x"))
		assert.Contains(t, to.Query().Get("error"), noUser)
	})
}

// Some providers send people back with a form.
func TestCallbackAsAForm(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	back, err := url.Parse(b.agree(b.start(signin.OIDC), "Jane"))
	require.NoError(t, err)
	form := back.Query()
	back.RawQuery = ""
	assert.NotNil(t, b.do("POST", back.String(), form).outcome(t).Response)
	form.Set("code", strings.Repeat("x", 100_000))
	assert.Equal(t, 400, b.do("POST", back.String(), form).StatusCode)
}

// Origins that the configuration allows get sessions as the app does.
func TestExtraOrigins(t *testing.T) {
	w := newWorld(t, func(o *signin.Options) {
		o.AppURL, o.ExtraOrigins = "https://Portal.example.com:443/backstage", []string{"https://*.preview.example.com", "http://localhost:3000"}
	})
	for origin, allowed := range map[string]bool{
		"https://portal.example.com": true, "https://portal.example.com/any/page": true, "https://pr-1.preview.example.com": true, "http://localhost:3000": true,
		"http://portal.example.com": false, "https://preview.example.com": false, "https://evil.test/.preview.example.com": false, "http://localhost:3001": false,
		"https://portal.example.com.evil.test": false, "https://portal.example.com@evil.test": false, "null": false, w.base: false,
		"javascript://portal.example.com": false, "https://portal.example.com\\@evil.test": false, "https://portal.example.com\t.evil.test": false,
		"https://evil.test#.preview.example.com": false, "https://evil.test?.preview.example.com": false, "//portal.example.com": false,
	} {
		a := w.browser().get("/api/auth/github/start?env=development&origin=" + url.QueryEscape(origin))
		assert.Equal(t, allowed, a.StatusCode == 302, "%s: %s", origin, a.body)
	}
	b := w.browser()
	back := b.agree(b.get("/api/auth/github/start?env=development&origin="+url.QueryEscape("http://localhost:3000")).Header.Get("Location"), "Jane")
	assert.Equal(t, "http://localhost:3000", b.get(back).outcome(t).origin)
	back = b.agree(b.get("/api/auth/github/start?env=development").Header.Get("Location"), "Jane")
	assert.Equal(t, "https://portal.example.com", b.get(back).outcome(t).origin, "who names no origin is the app")
}
