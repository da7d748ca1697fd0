package permission_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var throughPlugin = auth.Principal{Kind: auth.User, Subject: "user:default/jane", Actor: "plugin:todo"}

// A plugin that acts for a user may ask what it may show, and gets a condition
// that it applies itself.
func TestPluginsAskForConditions(t *testing.T) {
	e := permission.NewEngine(permission.Options{Policy: under(rule("catalog-entity"))})
	e.SetApplier("catalog-entity", applier(onlyA))
	item := `{"id":"x",` + resourceItem + `},{"id":"y","resourceRef":"component:default/a",` + resourceItem + `}`
	got, err := authorize(t, e, throughPlugin, `{"items":[`+item+`]}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"items":[{"id":"x","result":"CONDITIONAL","pluginId":"catalog","resourceType":"catalog-entity",
		"conditions":{"rule":"R","resourceType":"catalog-entity"}},{"id":"y","result":"ALLOW"}]}`, got)
	_, err = authorize(t, e, jane, `{"items":[`+item+`]}`)
	assert.ErrorContains(t, err, "Direct user requests without a resourceRef are not allowed", "users in person may not")
	e = permission.NewEngine(permission.Options{Policy: fixed(permission.Deny)})
	got, err = authorize(t, e, throughPlugin, `{"items":[{"id":"x",`+resourceItem+`}]}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"items":[{"id":"x","result":"DENY"}]}`, got)
}

func TestWhoMayApplyConditions(t *testing.T) {
	body := `{"items":[{"id":"1","resourceRef":"component:default/a","resourceType":"catalog-entity","conditions":{"rule":"R","resourceType":"catalog-entity"}}]}`
	for name, tc := range map[string]struct {
		who auth.Principal
		err string
	}{
		"a service":                {service, ""},
		"a plugin for a user":      {throughPlugin, ""},
		"a user":                   {jane, catalog.NameNotAllowed},
		"nobody":                   {nobody, wire.NameAuthentication},
		"a user on a limited path": {auth.Principal{Kind: auth.User, Subject: "user:default/jane", Limited: true}, catalog.NameNotAllowed},
	} {
		r := httptest.NewRequestWithContext(auth.WithPrincipal(t.Context(), tc.who), "POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		answer, err := permission.AnswerConditions(&gin.Context{Request: r}, "catalog-entity", applier(onlyA))
		if tc.err != "" {
			assert.Equal(t, tc.err, catalog.ErrorName(err), name)
			continue
		}
		require.NoError(t, err, name)
		text, err := wire.AppendJSON(nil, answer)
		require.NoError(t, err)
		assert.JSONEq(t, `{"items":[{"id":"1","result":"ALLOW"}]}`, string(text))
	}
}
