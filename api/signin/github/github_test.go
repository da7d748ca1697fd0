package github_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/github"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWherePeopleAgree(t *testing.T) {
	for base, want := range map[string]string{
		"": "https://github.com/login/oauth/authorize", "https://ghe.example.com/": "https://ghe.example.com/login/oauth/authorize",
	} {
		c := github.New(github.Options{ClientID: "id", ClientSecret: "s", CallbackURL: "https://portal/back", URL: base})
		text, err := c.Location(t.Context(), signin.Request{Scope: "read:user repo", State: "st", Proof: signin.Proof{Verifier: "v"}})
		require.NoError(t, err)
		u, err := url.Parse(text)
		require.NoError(t, err)
		q := u.Query()
		u.RawQuery = ""
		assert.Equal(t, want, u.String())
		q.Del("code_challenge")
		assert.Equal(t, url.Values{
			"client_id": {"id"}, "response_type": {"code"}, "redirect_uri": {"https://portal/back"}, "scope": {"read:user repo"}, "state": {"st"},
			"code_challenge_method": {"S256"},
		}, q)
	}
}

// answers is an instance that says what a test wants it to say.
func answers(t *testing.T, token, user string) *github.Connector {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := user
		if r.URL.Path == "/login/oauth/access_token" {
			body = token
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return github.New(github.Options{ClientID: "id", ClientSecret: "s", CallbackURL: "https://portal/back", URL: s.URL})
}

func TestKindsOfApps(t *testing.T) {
	const user = `{"login":"jane","id":5,"node_id":"U_1","name":null,"email":null,"avatar_url":"https://a/b"}`
	person := signin.Person{DisplayName: "jane", Username: "jane", ID: "U_1", Picture: "https://a/b"}
	oauthApp := answers(t, `{"access_token":"gho_1","token_type":"bearer","scope":"read:user,repo"}`, user)
	g, err := oauthApp.Exchange(t.Context(), "c", signin.Proof{})
	require.NoError(t, err)
	assert.Equal(t, signin.Grant{Person: person, AccessToken: "gho_1", RefreshToken: "access-token-v2.gho_1", Scope: "read:user repo"}, g)
	g, err = oauthApp.Refresh(t.Context(), g.RefreshToken, signin.Scope{Granted: true})
	require.NoError(t, err)
	assert.Equal(t, signin.Grant{Person: person, AccessToken: "gho_1", RefreshToken: "access-token-v2.gho_1"}, g)
	_, err = oauthApp.Refresh(t.Context(), g.RefreshToken, signin.Scope{})
	assert.Error(t, err)

	githubApp := answers(t, `{"access_token":"ghu_1","token_type":"bearer","scope":"","expires_in":28800,"refresh_token":"ghr_1"}`, user)
	want := signin.Grant{Person: person, AccessToken: "ghu_1", RefreshToken: "ghr_1", ExpiresIn: 28800}
	g, err = githubApp.Exchange(t.Context(), "c", signin.Proof{})
	require.NoError(t, err)
	assert.Equal(t, want, g)
	g, err = githubApp.Refresh(t.Context(), "ghr_0", signin.Scope{})
	require.NoError(t, err)
	assert.Equal(t, want, g)
}

func TestAnswersOfNoUse(t *testing.T) {
	for token, user := range map[string]string{
		`{"error":"bad_verification_code"}`:              `{}`,
		`{"token_type":"bearer"}`:                        `{"login":"jane"}`,
		`not JSON`:                                       `{"login":"jane"}`,
		`{"access_token":"a"}`:                           `{"name":"nobody"}`,
		`{"access_token":"b"}`:                           `[`,
		`{"access_token":"c"}`:                           `{"login":5}`,
		`{"access_token":"` + long(40_000) + `"}`:        `{"login":"jane"}`,
		`{"access_token":"d","x":"` + long(2<<20) + `"}`: `{"login":"jane"}`,
		`{"access_token":"e"}`:                           `{"login":"jane","x":"` + long(2<<20) + `"}`,
	} {
		_, err := answers(t, token, user).Exchange(t.Context(), "c", signin.Proof{})
		assert.Error(t, err, token[:min(40, len(token))])
		assert.Less(t, len(catalog.Describe(err)), 400)
	}
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}
