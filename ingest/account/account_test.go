package account_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/account"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// A host notes what it is asked with.
type host struct {
	*httptest.Server
	asked []string
	do    func(w http.ResponseWriter, r *http.Request)
}

func newHost(t *testing.T) *host {
	h := &host{do: func(http.ResponseWriter, *http.Request) {}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked = append(h.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		h.do(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *host) name() string { return strings.TrimPrefix(h.URL, "http://") }

func accounts(t *testing.T, kind string, h *host, fields map[string]any) *account.Accounts {
	entry := map[string]any{"host": h.name(), "baseUrl": h.URL, "apiBaseUrl": h.URL + "/2.0"}
	for key, value := range fields {
		entry[key] = value
	}
	set, _, err := integration.Parse(map[string]any{kind: []any{entry}})
	require.NoError(t, err)
	all, err := account.New(set, account.Options{Sleep: func(context.Context, time.Duration) error { return nil }})
	require.NoError(t, err)
	return all
}

func ask(t *testing.T, a account.Account, method, path string) int {
	req, err := http.NewRequestWithContext(t.Context(), method, a.API+path, strings.NewReader("{}"))
	require.NoError(t, err)
	res, err := a.HTTP.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func TestCredentials(t *testing.T) {
	for _, c := range []struct {
		kind          string
		fields        map[string]any
		token         string
		authorization string
		user          string
	}{
		{"gitea", map[string]any{"username": "u", "password": "p"}, "", "Basic dTpw", "u"},
		{"gitea", map[string]any{"password": "p"}, "", "token p", "git"},
		{"gitea", nil, "", "", "git"},
		{"bitbucketCloud", map[string]any{"username": "u", "appPassword": "p"}, "", "Basic dTpw", "u"},
		{"bitbucketCloud", map[string]any{"username": "u", "token": "p"}, "", "Basic dTpw", "x-bitbucket-api-token-auth"},
		{"bitbucketCloud", map[string]any{"token": "t"}, "", "Bearer t", "x-token-auth"},
		{"bitbucketCloud", map[string]any{"token": "t"}, "mine", "Bearer mine", "x-token-auth"},
	} {
		h := newHost(t)
		a, ok := accounts(t, c.kind, h, c.fields).Account(c.kind, h.name(), c.token)
		require.True(t, ok)
		require.Equal(t, http.StatusOK, ask(t, a, "GET", "/x"))
		require.True(t, strings.HasSuffix(h.asked[0], "/x "+c.authorization), "%s %v: %s", c.kind, c.fields, h.asked[0])
		require.Equal(t, c.user, a.User)
	}
}

func TestOtherHosts(t *testing.T) {
	h := newHost(t)
	all := accounts(t, "gitea", h, nil)
	for kind, name := range map[string]string{"bitbucketCloud": h.name(), "gitea": "git.example.com", "github": "github.com"} {
		_, ok := all.Account(kind, name, "")
		require.False(t, ok, "%s %s", kind, name)
	}
	_, ok := all.Account("bitbucketCloud", "bitbucket.org", "")
	require.True(t, ok, "it needs no entry")
}

// A redirect, wherever to, gets no credentials but on the API itself.
func TestCredentialsStayAtTheAPI(t *testing.T) {
	h, other := newHost(t), newHost(t)
	h.do = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/away":
			http.Redirect(w, r, other.URL+"/api/v1/x", http.StatusFound)
		case "/api/v1/page":
			http.Redirect(w, r, h.URL+"/page", http.StatusFound)
		}
	}
	a, _ := accounts(t, "gitea", h, map[string]any{"password": "p"}).Account("gitea", h.name(), "")
	ask(t, a, "GET", "/away")
	ask(t, a, "GET", "/page")
	require.Equal(t, []string{"GET /api/v1/x "}, other.asked)
	require.Equal(t, []string{"GET /api/v1/away token p", "GET /api/v1/page token p", "GET /page "}, h.asked)
}

// What can be done twice is sent again after a failure of the host.
func TestRetries(t *testing.T) {
	for method, times := range map[string]int{"GET": 3, "PUT": 3, "PATCH": 3, "DELETE": 3, "POST": 1} {
		h := newHost(t)
		h.do = func(w http.ResponseWriter, _ *http.Request) {
			if len(h.asked) < 3 {
				w.WriteHeader(http.StatusBadGateway)
			}
		}
		a, _ := accounts(t, "gitea", h, nil).Account("gitea", h.name(), "")
		ask(t, a, method, "/x")
		require.Len(t, h.asked, times, method)
	}
}
