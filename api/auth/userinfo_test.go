package auth_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/discovery"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// switching answers userinfo as a test says, and leaves the rest to another.
type switching struct {
	http.RoundTripper
	asked    int
	userinfo func(*http.Request) (*http.Response, error)
}

func (s *switching) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/v1/userinfo") {
		s.asked++
		if s.userinfo != nil {
			return s.userinfo(r)
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

// abroad returns a world that signs users in, and one that leaves that to it.
func abroad(t *testing.T, log io.Writer) (home, other *world, transport *switching) {
	home = newWorld(t, func(o *auth.Options) {
		o.Guest.UserEntityRef, o.Guest.Ownership = "user:default/jane", []string{"user:default/jane", "group:default/a"}
	})
	transport = &switching{RoundTripper: linked{home}}
	other = newWorld(t, func(o *auth.Options) {
		d, err := discovery.New([]discovery.Endpoint{{Target: "http://home/api/{{pluginId}}", Plugins: []string{"auth"}}}, nil, nil)
		require.NoError(t, err)
		o.Peers, o.Transport, o.Now, o.Logger = d, transport, home.clock.now, slog.New(slog.NewTextHandler(log, nil))
	})
	return home, other, transport
}

func TestOwnershipOfForeignUsers(t *testing.T) {
	home, other, transport := abroad(t, io.Discard)
	token := home.signIn()
	jane, err := other.Authenticate(token, "catalog")
	require.NoError(t, err)
	ctx := auth.WithPrincipal(t.Context(), jane)
	for range 3 {
		owns, ok, err := other.ForeignOwnership(ctx, "user:default/jane")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, []string{"user:default/jane", "group:default/a"}, owns)
	}
	assert.Equal(t, 1, transport.asked, "an answer holds for five seconds")
	home.clock.t = home.clock.t.Add(5 * time.Second)
	_, _, err = other.ForeignOwnership(ctx, "user:default/jane")
	require.NoError(t, err)
	assert.Equal(t, 2, transport.asked)
	answer, _, err := other.call(other.WhoAmI, "Authorization", "Bearer "+token)
	require.NoError(t, err)
	assert.Equal(t, []any{"user:default/jane", "group:default/a"}, answer.Value("ownershipEntityRefs"))

	// Of others, and for those whom we have signed in, nobody is asked.
	guest, err := other.Authenticate(other.signIn(), "catalog")
	require.NoError(t, err)
	for who, user := range map[*auth.Principal]string{&jane: "user:default/other", &guest: guest.Subject, {}: "user:default/jane",
		{Kind: auth.User, Subject: "user:default/jane"}: "user:default/jane"} {
		_, ok, err := other.ForeignOwnership(auth.WithPrincipal(t.Context(), *who), user)
		require.NoError(t, err)
		assert.False(t, ok)
	}
	assert.Equal(t, 2, transport.asked)
}

func TestOwnershipThatCannotBeAsked(t *testing.T) {
	var log bytes.Buffer
	home, other, transport := abroad(t, &log)
	jane, err := other.Authenticate(home.signIn(), "catalog")
	require.NoError(t, err)
	ctx := auth.WithPrincipal(t.Context(), jane)
	say := func(status int, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			assert.Equal(t, "http://home/api/auth/v1/userinfo", r.URL.String())
			assert.Len(t, strings.Split(r.Header.Get("Authorization"), "."), 3)
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	}
	for name, tc := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		says   string
	}{
		"down":            {func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }, "down"},
		"refused":         {say(401, ""), "Unauthorized"},
		"redirected":      {say(302, ""), "Found"},
		"no JSON":         {say(200, "<html>"), "is no user info"},
		"another user":    {say(200, `{"claims":{"sub":"user:default/admin","ent":["group:default/admins"]}}`), "another user"},
		"nobody":          {say(200, `{}`), "another user"},
		"without an end":  {say(200, `{"claims":{"sub":"user:default/jane","ent":["`+strings.Repeat("x", 1<<20)+`"]}}`), "more than"},
		"of another type": {say(200, `{"claims":{"sub":"user:default/jane","ent":"group:default/admins"}}`), "is no user info"},
	} {
		transport.userinfo = tc.answer
		owns, ok, err := other.ForeignOwnership(ctx, "user:default/jane")
		assert.ErrorIs(t, err, &catalog.Error{Name: catalog.NameUnavailable}, name)
		assert.Contains(t, log.String(), tc.says, name)
		assert.NotContains(t, err.Error(), tc.says, "that is not for callers to know")
		log.Reset()
		assert.False(t, ok, name)
		assert.Empty(t, owns, name)
	}
	transport.userinfo = say(404, "User info not found")
	owns, ok, err := other.ForeignOwnership(ctx, "user:default/jane")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, []string{"user:default/jane"}, owns, "who has no record owns nothing but the own name")
}
