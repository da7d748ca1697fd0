package catalogapi_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func status(t testing.TB, h wire.Handler, r request) (code int, text string) {
	t.Helper()
	answer, err := call(t, h, r)
	require.NoError(t, err)
	require.IsType(t, wire.Status{}, answer)
	return answer.(wire.Status).Code, body(t, answer)
}

func TestRefresh(t *testing.T) {
	var refreshed []string
	f := &fake{refresh: func(ref string) error { refreshed = append(refreshed, ref); return nil }}
	a := newAPI(t, f)
	code, text := status(t, a.Refresh, post(`{"entityRef":"Component:Default/Web"}`))
	assert.Equal(t, 200, code)
	assert.Empty(t, text, "200 with nothing in it")
	assert.Equal(t, []string{"component:default/web"}, refreshed, "in lower case, otherwise as it is")
	assert.Equal(t, []string{"user:default/jane catalog.entity.refresh component:default/web"}, f.asked)

	f.refresh = func(ref string) error {
		return catalog.NewError(catalog.NameNotFound, "Entity "+ref+" not found")
	}
	fails(t, a.Refresh, post(`{"entityRef":"cart-api"}`), "NotFoundError", "Entity cart-api not found")

	f.decide, f.refresh = deny, nil
	fails(t, a.Refresh, post(`{"entityRef":"x"}`), "NotAllowedError", "")
}

func TestRefreshAsSomebodyElse(t *testing.T) {
	f := &fake{refresh: func(string) error { return nil }}
	f.authenticate = func(token, plugin string) (auth.Principal, error) {
		assert.Equal(t, "token-of-bob", token)
		assert.Equal(t, "catalog", plugin)
		return auth.Principal{Kind: auth.User, Subject: "user:default/bob"}, nil
	}
	a := newAPI(t, f)
	ok(t, a.Refresh, post(`{"entityRef":"x","authorizationToken":"token-of-bob"}`))
	assert.Equal(t, []string{"user:default/bob catalog.entity.refresh x"}, f.asked, "the token decides, not who sent it")

	f.asked, f.refresh = nil, nil
	f.authenticate = func(string, string) (auth.Principal, error) {
		return auth.Principal{}, wire.Unauthenticated("Illegal token")
	}
	fails(t, a.Refresh, post(`{"entityRef":"x","authorizationToken":"bad"}`), "AuthenticationError", "Illegal token")
	assert.Empty(t, f.asked)
}

func TestDeleteEntity(t *testing.T) {
	const uid = "6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a"
	var deleted []string
	f := &fake{deleteEntity: func(u catalog.UID) error { deleted = append(deleted, u.String()); return nil }}
	a := newAPI(t, f)
	r := func(uid string) request {
		return request{method: "DELETE", params: map[string]string{"uid": uid}}
	}
	for _, text := range []string{uid, strings.ToUpper(uid), "not-a-uid", "%20"} {
		code, _ := status(t, a.DeleteEntity, r(text))
		assert.Equal(t, 204, code, "that nothing has the uid is no error")
	}
	assert.Equal(t, []string{uid, uid}, deleted)

	deleted = nil
	f.decide = deny
	fails(t, a.DeleteEntity, r(uid), "NotAllowedError", "")
	f.decide = ownedByTeam
	f.byUID = func(got string, only *jsonvalue.Object) (catalogapi.Page, error) {
		assert.Equal(t, uid, got)
		assert.JSONEq(t, ownedByTeamPredicate, string(jsonvalue.Append(nil, only)))
		return catalogapi.Page{}, nil
	}
	fails(t, a.DeleteEntity, r(uid), "NotAllowedError", "")
	assert.Empty(t, deleted)
	released := false
	f.byUID = func(string, *jsonvalue.Object) (catalogapi.Page, error) {
		return catalogapi.Page{Body: []byte(`{}`), Release: func() { released = true }}, nil
	}
	status(t, a.DeleteEntity, r(uid))
	assert.Equal(t, []string{uid}, deleted)
	assert.True(t, released)
	f.decide = nil
	f.deleteEntity = func(catalog.UID) error { return errors.New("disk") }
	fails(t, a.DeleteEntity, r(uid), "Error", "disk")
}

func TestValidateEntity(t *testing.T) {
	f := &fake{validate: func(e catalog.Entity, location string) []error {
		assert.Equal(t, "url:https://x/y.yaml", location)
		assert.Equal(t, "Component", e.Kind())
		return nil
	}}
	a := newAPI(t, f)
	code, text := status(t, a.ValidateEntity, post(`{"entity":{"kind":"Component"},"location":"url:https://x/y.yaml"}`))
	assert.Equal(t, 200, code)
	assert.Empty(t, text)
	assert.Equal(t, []string{"user:default/jane catalog.entity.validate"}, f.asked)

	f.validate = func(catalog.Entity, string) []error {
		return []error{catalog.WrapError(catalog.NameInput, "Policy check failed", errors.New("bad name")), errors.New("second")}
	}
	code, text = status(t, a.ValidateEntity, post(`{"entity":{},"location":"url:https://x"}`))
	assert.Equal(t, 400, code)
	assert.JSONEq(t, `{"errors":[{"name":"InputError","message":"Policy check failed; caused by Error: bad name","cause":{"name":"Error","message":"bad name"}},
		{"name":"Error","message":"second"}]}`, text, "not the envelope of other errors")

	f.validate = nil
	for location, message := range map[string]string{
		"nope":             "Unable to parse location ref 'nope', expected '<type>:<target>', e.g. 'url:https://host/path'",
		"file:/x":          "Invalid location ref file:/x, only 'url:<target>' is supported, e.g. url:https://host/path",
		"https://x/y":      "Invalid location ref 'https://x/y', please prefix it with 'url:', e.g. 'url:https://x/y'",
		"url:javascript:x": "Invalid location ref 'url:javascript:x', target is a javascript: URL",
	} {
		code, text = status(t, a.ValidateEntity, post(toJSON(t, map[string]any{"entity": map[string]any{}, "location": location})))
		assert.Equal(t, 400, code)
		assert.JSONEq(t, toJSON(t, map[string]any{"errors": []any{map[string]any{"name": "TypeError", "message": message}}}), text)
	}
	f.decide = deny
	fails(t, a.ValidateEntity, post(`{"entity":{},"location":"url:https://x"}`), "NotAllowedError", "")
}

func TestAnalyzeLocation(t *testing.T) {
	f := &fake{}
	a := newAPI(t, f, func(o *catalogapi.Options) { o.HostType = githubHost })
	for _, tc := range []struct{ target, name, slug string }{
		{"https://github.com/acme/shop", "shop", `{"github.com/project-slug":"acme/shop"}`},
		{"https://github.com/acme/shop.git/", "shop", `{"github.com/project-slug":"acme/shop"}`},
		{"https://github.com/acme/shop/blob/main/a/b.yaml", "shop", `{"github.com/project-slug":"acme/shop"}`},
		{"https://ghe.example.com/acme/shop", "shop", `{"github.com/project-slug":"acme/shop"}`},
		{"https://gitlab.com/group/sub/shop/-/tree/main/x", "shop", `{"gitlab.com/project-slug":"group/sub/shop"}`},
		{"https://dev.azure.com/org/project/_git/shop", "shop", `{"dev.azure.com/project-slug":"org/project/shop"}`},
		{"https://git.example.com/acme/shop", "shop", ``},
		{"https://github.com", "", `{"github.com/project-slug":"/"}`},
		{"https://github.com/_git/x", "x", `{"github.com/project-slug":"/x"}`},
	} {
		want := `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"` + tc.name + `"`
		if tc.slug != "" {
			want += `,"annotations":` + tc.slug
		}
		want += `},"spec":{"type":"other","lifecycle":"unknown"}}`
		got := ok(t, a.AnalyzeLocation, post(toJSON(t, map[string]any{"location": map[string]any{"type": "url", "target": tc.target}, "catalogFilename": "x.yaml"})))
		assert.JSONEq(t, `{"existingEntityFiles":[],"generateEntities":[{"entity":`+want+`,"fields":[]}]}`, got, tc.target)
	}
	assert.Equal(t, "user:default/jane catalog.location.analyze", f.asked[0])
	for _, target := range []string{"", "x", "/path", "://x", "http://%zz", "https:", "\x00"} {
		fails(t, a.AnalyzeLocation, post(toJSON(t, map[string]any{"location": map[string]any{"type": "url", "target": target}})),
			"InputError", "The given location.target is not a URL")
	}
	f.decide = deny
	fails(t, a.AnalyzeLocation, post(`{"location":{"type":"url","target":"https://x/y/z"}}`), "NotAllowedError", "")
}

// FuzzAnalyzeLocation: whatever URL comes in, an answer that is JSON goes out.
func FuzzAnalyzeLocation(f *testing.F) {
	for _, s := range []string{"https://github.com/acme/shop", "https://x", "https://dev.azure.com/_git/", "https://x//-//", "https://x/_git"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		a := newAPI(t, &fake{}, func(o *catalogapi.Options) { o.HostType = func(*url.URL) string { return "github" } })
		answer, err := call(t, a.AnalyzeLocation, post(`{"location":{"type":"url","target":`+string(jsonvalue.AppendString(nil, target))+`}}`))
		if err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
			return
		}
		object(t, body(t, answer))
	})
}

func TestUnprocessed(t *testing.T) {
	uid, err := catalog.ParseUID("6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a")
	require.NoError(t, err)
	at := time.Date(2026, 1, 2, 4, 4, 5, 678_900_000, time.FixedZone("", 3600))
	f := &fake{unprocessed: func(state, owner string) ([]engine.Unprocessed, error) {
		assert.Equal(t, "team a", owner)
		return []engine.Unprocessed{
			{EntityID: uid, EntityRef: "component:default/a", UnprocessedEntity: object(t, `{"kind":"Component"}`), UnprocessedHash: "ab", NextUpdateAt: at, LastDiscoveryAt: at},
			{EntityID: uid, EntityRef: "component:default/b", UnprocessedEntity: object(t, `{}`), ProcessedEntity: object(t, `{"kind":"X"}`), ResultHash: "cd",
				Errors: []any{wire.Obj("name", "Error")}, NextUpdateAt: at, LastDiscoveryAt: at, LocationKey: "", HasLocationKey: true},
		}, nil
	}}
	a := newAPI(t, f)
	rows := `[{"entity_id":"6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a","entity_ref":"component:default/a","unprocessed_entity":{"kind":"Component"},"unprocessed_hash":"ab","result_hash":null,
			"next_update_at":"2026-01-02T03:04:05.678Z","last_discovery_at":"2026-01-02T03:04:05.678Z","location_key":null},
		{"entity_id":"6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a","entity_ref":"component:default/b","unprocessed_entity":{},"unprocessed_hash":"","processed_entity":{"kind":"X"},"result_hash":"cd","errors":[{"name":"Error"}],
			"next_update_at":"2026-01-02T03:04:05.678Z","last_discovery_at":"2026-01-02T03:04:05.678Z","location_key":""}]`
	assert.JSONEq(t, `{"type":"failed","entities":`+rows+`}`, ok(t, a.UnprocessedFailed, get("/?owner=team+a&unknown=passes")))
	assert.JSONEq(t, `{"type":"pending","entities":`+rows+`}`, ok(t, a.UnprocessedPending, get("/?owner=team%20a")))
	assert.Equal(t, "user:default/jane catalog.entities.unprocessed.read", f.asked[0])

	var deleted []catalog.UID
	f.deleteUnprocessed = func(u catalog.UID) error { deleted = append(deleted, u); return nil }
	for _, id := range []string{uid.String(), "nope"} {
		code, _ := status(t, a.DeleteUnprocessed, request{method: "DELETE", params: map[string]string{"entity_id": id}})
		assert.Equal(t, 204, code)
	}
	assert.Equal(t, []catalog.UID{uid}, deleted)
	fails(t, a.DeleteUnprocessed, request{params: map[string]string{"entity_id": "%ff"}}, "InputError", "malformed uri'")
	assert.Equal(t, "user:default/jane catalog.entities.unprocessed.delete", f.asked[2])

	for _, outcome := range []func(permission.Permission, string) (permission.Decision, error){deny, ownedByTeam} {
		f.decide = outcome
		fails(t, a.UnprocessedFailed, get("/"), "NotAllowedError", "Unauthorized")
		fails(t, a.DeleteUnprocessed, request{params: map[string]string{"entity_id": uid.String()}}, "NotAllowedError", "Unauthorized")
	}
}
