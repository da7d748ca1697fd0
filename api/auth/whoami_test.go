package auth_test

import (
	"testing"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhoAmI(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) {
		o.Guest.Ownership = []string{"user:development/guest", "group:default/a"}
		o.External = []auth.ExternalAccess{
			{Type: "static", Token: "static-token", Subject: "ci"},
			{Type: "static", Token: "narrow-token", Subject: "cron", Restrictions: []auth.Restriction{{Plugin: "search", Permissions: []string{"a.b"}, Actions: []string{"read"}}}},
		}
	})
	user := w.signIn()
	jane, err := w.Authenticate(user, "catalog")
	require.NoError(t, err)
	through, err := w.PluginToken(t.Context(), "search", "catalog", jane)
	require.NoError(t, err)
	itself, err := w.PluginToken(t.Context(), "search", "catalog", auth.OwnService("search"))
	require.NoError(t, err)
	const (
		person = `"type":"user","userEntityRef":"user:development/guest","ownershipEntityRefs":["user:development/guest","group:default/a"]`
		end    = `"expiresAt":"2026-01-02T04:04:05Z"`
	)
	for token, want := range map[string]string{
		user:               `{` + person + `,` + end + `}`,
		w.limitedOf(user):  `{` + person + `,"limited":true,` + end + `}`,
		through:            `{` + person + `,"actor":"plugin:search","audience":["catalog"],` + end + `}`,
		itself:             `{"type":"service","subject":"plugin:search","audience":["catalog"],` + end + `}`,
		"static-token":     `{"type":"service","subject":"ci"}`,
		"narrow-token":     `{"type":"service","subject":"cron","accessRestrictions":[{"plugin":"search","permission":["a.b"],"permissionAttribute":{"action":["read"]}}]}`,
		"not-a-token":      "Illegal token",
		"":                 "Missing credentials",
		user[:len(user)-9]: "Failed user token verification",
	} {
		answer, _, err := w.call(w.WhoAmI, "Authorization", "Bearer "+token)
		if want[0] != '{' {
			assert.Equal(t, "AuthenticationError: "+want, catalog.Describe(err))
			continue
		}
		require.NoError(t, err)
		assert.JSONEq(t, want, string(jsonvalue.Append(nil, answer)))
	}
}

// A user who never signed in here owns what the catalog says.
func TestWhoAmIWithoutARecord(t *testing.T) {
	for name, tc := range map[string]struct {
		directory auth.Directory
		owns      []any
		err       string
	}{
		"in the catalog": {directory(func(ref string) ([]string, error) { return []string{ref, "group:default/b"}, nil }), []any{"user:default/task", "group:default/b"}, ""},
		"in no catalog":  {directory(func(string) ([]string, error) { return nil, catalog.ErrNotFound }), []any{"user:default/task"}, ""},
		"no catalog":     {nil, []any{"user:default/task"}, ""},
		"broken":         {directory(func(string) ([]string, error) { return nil, assert.AnError }), nil, assert.AnError.Error()},
	} {
		w := newWorld(t, func(o *auth.Options) { o.Directory = tc.directory })
		token, err := w.PluginToken(t.Context(), "search", "catalog", auth.Principal{Kind: auth.User, Subject: "user:default/task"})
		require.NoError(t, err)
		answer, _, err := w.call(w.WhoAmI, "Authorization", "Bearer "+token)
		if tc.err != "" {
			require.ErrorContains(t, err, tc.err, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, tc.owns, answer.Value("ownershipEntityRefs"), name)
	}
}
