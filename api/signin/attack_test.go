package signin_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// all are the providers with a redirect flow.
var all = []string{signin.GitHub, signin.GitLab, signin.OIDC}

// each runs a test against each provider of one world.
func each(t *testing.T, test func(*testing.T, *world, string)) {
	w := newWorld(t, nil)
	for _, provider := range all {
		t.Run(provider, func(t *testing.T) { test(t, w, provider) })
	}
}

// setCookie plants a cookie, as who controls a sister domain can.
func (b *browser) setCookie(address, name, value string) {
	u, err := url.Parse(address)
	require.NoError(b.t, err)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: url.PathEscape(value), Path: "/"}})
}

// with returns a URL with a parameter changed.
func with(t *testing.T, address, key, value string) string {
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestForgedState(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		victim := w.browser()
		back := victim.agree(victim.start(provider), "Jane")
		st := stateOf(t, back)

		assert.Equal(t, "Auth response is missing cookie nonce", w.browser().get(back).refused(t), "a browser that did not start")
		st.Set("nonce", "AAAAAAAAAAAAAAAAAAAAAA==")
		assert.Equal(t, "Invalid nonce", victim.get(with(t, back, "state", encodeState(st))).refused(t))
		other := w.browser()
		other.start(provider)
		assert.Equal(t, "Invalid nonce", other.get(back).refused(t), "a browser that started another sign-in")
		assert.NotNil(t, victim.get(back).outcome(t).Response, "the one that started this")
	})
}

func TestStateForAnOriginThatIsNotAllowed(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		b := w.browser()
		back := b.agree(b.start(provider), "Jane")
		st := stateOf(t, back)
		st.Set("origin", "https://evil.test")
		o := b.get(with(t, back, "state", encodeState(st))).outcome(t)
		assert.Equal(t, "Origin 'https://evil.test' is not allowed", o.Error.Message)
		assert.Equal(t, w.base, o.origin, "told to the app, not to the stranger")

		st.Del("origin")
		st.Set("flow", "redirect")
		st.Set("redirectUrl", "https://evil.test/")
		a := b.get(with(t, back, "state", encodeState(st)))
		assert.Equal(t, 403, a.StatusCode, "no open redirect, not even for a failure")
		assert.Empty(t, a.Header.Get("Location"))
	})
}

func TestReplayedCallback(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		b := w.browser()
		back := b.agree(b.start(provider), "Jane")
		require.NotNil(t, b.get(back).outcome(t).Response)
		assert.Equal(t, "Auth response is missing cookie nonce", b.get(back).refused(t))
		b.setCookie(back, provider+"-nonce", stateOf(t, back).Get("nonce"))
		message := b.get(back).refused(t)
		if provider == signin.OIDC {
			assert.Equal(t, "This sign-in has ended or has taken too long: begin again", message, "the provider is not asked again")
		} else {
			assert.Regexp(t, "^Authentication failed, the provider says (bad_verification_code|invalid_grant): ", message)
		}
	})
}

// A state of one provider is of no use at another, not even for who can plant
// cookies: the proof of PKCE is that of another start.
func TestMixedUpProviders(t *testing.T) {
	w := newWorld(t, nil)
	for _, from := range all {
		for _, to := range all {
			if from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				b := w.browser()
				ours := b.agree(b.start(to), "Jane") // a real code of the provider that is asked
				foreign := stateOf(t, b.start(from))
				foreign.Set("scope", "openid")
				back := with(t, ours, "state", encodeState(foreign))
				assert.Equal(t, "Invalid nonce", b.get(back).refused(t))
				planted := w.browser()
				planted.setCookie(back, to+"-nonce", foreign.Get("nonce"))
				message := planted.get(back).refused(t)
				assert.Regexp(t, "Authentication failed, the provider says|This sign-in (has ended|began elsewhere)", message)
			})
		}
	}
}

// A start of one environment serves no callback of another.
func TestMixedUpEnvironments(t *testing.T) {
	w := newWorld(t, func(o *signin.Options) {
		for _, p := range o.Providers {
			e := p.Environments["development"]
			e.Secret = "of-another-client"
			p.Environments["production"] = e
		}
	})
	for _, provider := range all {
		b := w.browser()
		back := b.agree(b.start(provider), "Jane")
		st := stateOf(t, back)
		st.Set("env", "production")
		message := b.get(with(t, back, "state", encodeState(st))).refused(t)
		assert.Regexp(t, "Authentication failed, the provider says|This sign-in began elsewhere", message, provider)
	}
	b := w.browser()
	back := b.agree(b.start(signin.GitHub), "Jane")
	a := b.get(back + "&env=production")
	assert.Equal(t, "OAuth state is for another environment", a.message())
}

// A code that was stolen serves nobody but the browser that started: its proof
// is another.
func TestInjectedCode(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		victim, thief := w.browser(), w.browser()
		stolen, err := url.Parse(victim.agree(victim.start(provider), "Jane"))
		require.NoError(t, err)
		back := thief.agree(thief.start(provider), "mallory")
		message := thief.get(with(t, back, "code", stolen.Query().Get("code"))).refused(t)
		assert.Contains(t, message, "Authentication failed, the provider says ")
	})
}

func TestAnotherIssuer(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	back := b.agree(b.start(signin.OIDC), "Jane")
	assert.Equal(t, "The answer comes from another issuer than the one that was asked", b.get(with(t, back, "iss", "https://evil.test")).refused(t))
}

func TestRefusedAtTheProvider(t *testing.T) {
	w := newWorld(t, nil)
	for _, provider := range []string{signin.GitHub, signin.GitLab} {
		message := w.browser().signIn(provider, "").refused(t)
		assert.Equal(t, "Authentication failed, the provider says access_denied: The person has denied the application access", message)
	}
	w.environment(signin.OIDC, func(e *signin.Environment) {
		e.CallbackURL = w.base + "/elsewhere"
	})
	b := w.browser()
	st := stateOf(t, b.start(signin.OIDC))
	q := url.Values{"state": {encodeState(st)}, "error": {strings.Repeat("x", 200)}, "error_description": {"\xff"}}
	assert.Equal(t, "Authentication failed, the provider says "+strings.Repeat("x", 100)+"...: ?", b.get("/api/auth/oidc/handler/frame?"+q.Encode()).refused(t))
	b = w.browser()
	st = stateOf(t, b.start(signin.OIDC))
	assert.Equal(t, "Auth response is missing the code of the provider", b.get("/api/auth/oidc/handler/frame?state="+encodeState(st)).refused(t))
}

const noUser = "Failed to sign-in, unable to resolve user identity. "

func TestPeopleWhomTheCatalogDoesNotKnow(t *testing.T) {
	each(t, func(t *testing.T, w *world, provider string) {
		message := w.browser().signIn(provider, "mallory").refused(t)
		assert.Contains(t, message, noUser)
		b := w.browser()
		require.Contains(t, b.signIn(provider, "mallory").refused(t), noUser)
		a := b.script("GET", "/api/auth/"+provider+"/refresh?env=development")
		assert.Equal(t, "Refresh failed; caused by InputError: Missing session cookie", a.message(), "no session was kept")
	})
}

// An address that its owner has not confirmed is no proof of who that is.
func TestUnconfirmedAddress(t *testing.T) {
	w := newWorld(t, nil)
	for _, provider := range []string{signin.GitLab, signin.OIDC} {
		assert.Equal(t, "Login failed, user profile does not contain an email", w.browser().signIn(provider, "newcomer").refused(t), provider)
	}
}

// The start of a sign-in is good for ten minutes, and survives a restart.
func TestFlowsInTheStore(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	back := b.agree(b.start(signin.OIDC), "Jane")
	w.restart()
	require.NotNil(t, b.get(back).outcome(t).Response)

	back = b.agree(b.start(signin.OIDC), "Jane")
	w.clock.t = w.clock.t.Add(10*time.Minute + time.Second)
	assert.Equal(t, "This sign-in has ended or has taken too long: begin again", b.get(back).refused(t))

	back = b.agree(b.start(signin.OIDC), "Jane")
	w.options.Secret = "another secret"
	w.restart()
	assert.Equal(t, "This sign-in began elsewhere: begin again", b.get(back).refused(t), "sealed with another key")
}

// Neither the log nor the store has anything with which somebody could sign in.
func TestNothingLeaks(t *testing.T) {
	w := newWorld(t, nil)
	var secrets []string
	for _, provider := range all {
		b := w.browser()
		location := b.start(provider)
		back := b.agree(location, "Jane")
		u, err := url.Parse(back)
		require.NoError(t, err)
		secrets = append(secrets, u.Query().Get("code"), u.Query().Get("state"), stateOf(t, location).Get("nonce"))
		if provider == signin.OIDC {
			at, err := url.Parse(location)
			require.NoError(t, err)
			secrets = append(secrets, at.Query().Get("nonce"), `"Verifier"`) // of the flow, which is still kept
			file, err := os.ReadFile(w.db.Path())
			require.NoError(t, err)
			for _, s := range secrets[len(secrets)-3:] {
				assert.NotContains(t, string(file), s)
			}
		}
		o := b.get(back).outcome(t)
		require.NotNil(t, o.Response)
		s := b.script("GET", "/api/auth/"+provider+"/refresh?env=development").session(t)
		secrets = append(secrets, o.Response.ProviderInfo.AccessToken, s.BackstageIdentity.Token, s.ProviderInfo.AccessToken)
		w.browser().signIn(provider, "mallory").refused(t)
	}
	log := w.edge.Log()
	assert.Contains(t, log, `"msg":"signed in"`)
	assert.Contains(t, log, `"entity_ref":"user:default/jane"`)
	assert.Contains(t, log, `"msg":"sign-in refused"`)
	for _, s := range append(secrets, clientSecret, sessionSecret) {
		require.Greater(t, len(s), 8)
		assert.NotContains(t, log, s)
	}
}

// What a provider that is down is like is for the log, not for browsers.
func TestProviderIsDown(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	require.NotNil(t, b.signIn(signin.GitHub, "Jane").outcome(t).Response)
	back := b.agree(b.start(signin.GitHub), "Jane")
	w.environment(signin.GitHub, func(e *signin.Environment) { e.Connector = unreachable{e.Connector} })
	w.restart()
	const message = "The provider could not be asked who this is; the log of the server says why"
	assert.Equal(t, message, b.get(back).refused(t))
	a := b.script("GET", "/api/auth/github/refresh?env=development")
	assert.Equal(t, 401, a.StatusCode)
	assert.Equal(t, "Refresh failed; caused by ServiceUnavailableError: "+message, a.message())
	assert.Contains(t, w.edge.Log(), "no route to secret.internal")
}
