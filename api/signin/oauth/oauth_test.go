package oauth_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/oauth"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// The client goes where it was sent, waits no longer than it may, and reads no
// more.
func TestTheClientIsBounded(t *testing.T) {
	held := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, "/much", http.StatusFound)
		case "/slow":
			<-held
		case "/much":
			chunk := make([]byte, 1<<20)
			for range 3 {
				_, _ = w.Write(chunk)
			}
		}
	})
	defer close(held)
	res, err := oauth.NewClient(0).Get(url + "/elsewhere")
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, http.StatusFound, res.StatusCode)
	res, err = oauth.NewClient(0).Get(url + "/much")
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	require.NoError(t, err)
	assert.Equal(t, int64(1<<20), n)
	_, err = oauth.NewClient(20 * time.Millisecond).Get(url + "/slow")
	assert.Error(t, err)
}

// What a token endpoint says in the form of OAuth is for people, all else for
// the log.
func TestErrorsOfTheTokenEndpoint(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_grant"}`:                          "Authentication failed, the provider says invalid_grant",
		`{"error":"invalid_grant","error_description":"x"}`:  "Authentication failed, the provider says invalid_grant: x",
		`<html>the database password is hunter2</html>`:      "",
		`{"message":"the database password is hunter2"}`:     "",
		`{"error":{"code":"the database password: hunter2"}`: "",
	} {
		c := oauth.Client{HTTP: oauth.NewClient(0), Config: oauth2.Config{Endpoint: oauth2.Endpoint{AuthStyle: oauth2.AuthStyleInParams, TokenURL: serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(500)
			_, _ = w.Write([]byte(body))
		})}}}
		_, err := c.Exchange(t.Context(), "c", signin.Proof{})
		require.Error(t, err)
		var named *catalog.Error
		if assert.Equal(t, want != "", errors.As(err, &named), body); want != "" {
			assert.Equal(t, want, named.Message)
		}
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
