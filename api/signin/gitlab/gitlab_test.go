package gitlab_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/gitlab"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWherePeopleAgree(t *testing.T) {
	for base, want := range map[string]string{"": "https://gitlab.com/oauth/authorize?", "https://git.example.com/gitlab/": "https://git.example.com/gitlab/oauth/authorize?"} {
		text, err := gitlab.New(gitlab.Options{ClientID: "id", URL: base}).Location(t.Context(), signin.Request{})
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(text, want), text)
	}
}

func TestPeople(t *testing.T) {
	for name, tc := range map[string]struct {
		user string
		want signin.Person
		err  error
	}{
		"confirmed":            {`{"id":7,"username":"jane","name":"Jane","email":"a@b","confirmed_at":"2024-01-01T00:00:00Z","avatar_url":"https://x"}`, signin.Person{Username: "jane", ID: "7", DisplayName: "Jane", Email: "a@b", Picture: "https://x"}, nil},
		"not confirmed":        {`{"id":7,"username":"jane","name":"Jane","email":"a@b","confirmed_at":null}`, signin.Person{Username: "jane", ID: "7", DisplayName: "Jane"}, nil},
		"of an older instance": {`{"id":7,"username":"jane","email":"a@b"}`, signin.Person{Username: "jane", ID: "7", DisplayName: "jane", Email: "a@b"}, nil},
		"nobody":               {`{"id":7}`, signin.Person{}, signin.ErrNoIdentity},
		"without a number":     {`{"username":"jane"}`, signin.Person{}, signin.ErrNoIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				body := tc.user
				if r.URL.Path == "/oauth/token" {
					body = `{"access_token":"a","refresh_token":"r","expires_in":7200,"scope":"read_user"}`
				}
				_, _ = w.Write([]byte(body))
			}))
			defer s.Close()
			c := gitlab.New(gitlab.Options{ClientID: "id", ClientSecret: "s", URL: s.URL})
			for _, ask := range []func() (signin.Grant, error){
				func() (signin.Grant, error) { return c.Exchange(t.Context(), "c", signin.Proof{}) },
				func() (signin.Grant, error) { return c.Refresh(t.Context(), "r", signin.Scope{}) },
			} {
				g, err := ask()
				require.ErrorIs(t, err, tc.err)
				if err == nil {
					assert.Equal(t, signin.Grant{Person: tc.want, AccessToken: "a", RefreshToken: "r", ExpiresIn: 7200, Scope: "read_user"}, g)
				}
			}
		})
	}
}
