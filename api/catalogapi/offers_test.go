package catalogapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// offer runs an action of the catalog as jane, through the registry.
func offer(t *testing.T, f *fake, name, input string, change ...func(*catalogapi.Options)) (string, error) {
	t.Helper()
	r, err := actions.New(actions.Options{Authenticator: &auth.Authority{}, Decider: f})
	require.NoError(t, err)
	require.NoError(t, r.Add(newAPI(t, f, change...).Offers()...))
	out, err := r.Invoke(t.Context(), actions.Caller{Principal: jane}, "catalog:"+name, object(t, input))
	return string(out), err
}

// found answers queries with entities of these refs, and notes what was asked.
func found(asked *catalogapi.Search, refs ...string) func(catalogapi.Search) (catalogapi.Page, error) {
	return func(s catalogapi.Search) (catalogapi.Page, error) {
		*asked = s
		items := make([]any, len(refs))
		for i, text := range refs {
			ref, err := catalog.ParseEntityRef(text, "", "")
			if err != nil {
				return catalogapi.Page{}, err
			}
			items[i] = wire.Obj("kind", ref.Kind, "metadata", wire.Obj("name", ref.Name, "namespace", ref.Namespace))
		}
		return catalogapi.Page{Body: jsonvalue.Append(nil, wire.Obj("items", items, "totalItems", float64(len(refs)), "pageInfo", wire.Obj()))}, nil
	}
}

func TestOfferedNames(t *testing.T) {
	for _, tc := range []struct{ input, predicate string }{
		{`{"name":"cart"}`, `{"metadata.name":"cart"}`},
		{`{"name":" cart ","kind":"API"}`, `{"metadata.name":"cart","kind":"API"}`},
		{`{"name":"cart","namespace":"shop"}`, `{"metadata.name":"cart","metadata.namespace":"shop"}`},
		{`{"name":"component:shop/cart"}`, `{"metadata.name":"cart","kind":"component","metadata.namespace":"shop"}`},
		{`{"name":"component:cart"}`, `{"metadata.name":"cart","kind":"component","metadata.namespace":"default"}`},
		{`{"name":"shop/cart","kind":"Component"}`, `{"metadata.name":"cart","kind":"Component","metadata.namespace":"shop"}`},
		{`{"name":":cart"}`, `{"metadata.name":":cart"}`},
	} {
		var asked catalogapi.Search
		_, err := offer(t, &fake{query: found(&asked, "component:default/cart")}, "get-catalog-entity", tc.input)
		require.NoError(t, err)
		require.JSONEq(t, tc.predicate, string(jsonvalue.Append(nil, asked.Query)), tc.input)
	}
	var asked catalogapi.Search
	_, err := offer(t, &fake{query: found(&asked, "component:default/cart", "api:shop/cart")}, "get-catalog-entity", `{"name":"cart"}`)
	require.ErrorIs(t, err, catalog.ErrConflict)
	require.ErrorContains(t, err, `Entities found: "component:default/cart", "api:shop/cart"`)
	_, err = offer(t, &fake{query: found(&asked, "component:default/cart"), decide: ownedByTeam}, "get-catalog-entity", `{"name":"cart"}`)
	require.NoError(t, err)
	require.JSONEq(t, ownedByTeamPredicate, string(jsonvalue.Append(nil, asked.Only)), "what may not be read is not found")
	_, err = offer(t, &fake{decide: deny}, "get-catalog-entity", `{"name":"cart"}`)
	require.ErrorIs(t, err, catalog.ErrInput)
}

func TestOfferedQueries(t *testing.T) {
	ask := func(input string) (s catalogapi.Search) {
		t.Helper()
		_, err := offer(t, &fake{query: found(&s)}, "query-catalog-entities", input)
		require.NoError(t, err)
		return s
	}
	s := ask(`{"query":{"kind":"API"},"fields":["kind"],"limit":5000,"offset":7,"orderFields":[{"field":"kind","order":"desc"},{"field":"x","order":"asc"}],"fullTextFilter":{"term":"a"}}`)
	require.JSONEq(t, `{"kind":"API"}`, string(jsonvalue.Append(nil, s.Query)))
	require.Equal(t, []string{"kind"}, s.Fields)
	require.Equal(t, 1000, *s.Limit, "no more at once")
	require.Equal(t, 7, *s.Offset)
	require.Equal(t, "kind desc a", s.OrderField+" "+s.Order+" "+s.Term)
	require.Nil(t, s.TermFields)
	s = ask(`{"cursor":"x","offset":7,"orderFields":{"field":"kind","order":"desc"}}`)
	require.Nil(t, s.Offset, "the cursor knows")
	require.Empty(t, s.OrderField)
	for _, bad := range []string{`{"limit":0}`, `{"limit":1.5}`, `{"offset":-1}`, `{"query":"x"}`, `{"orderFields":{"field":"a","order":"up"}}`, `{"cursor":""}`, `{"fields":"kind"}`} {
		_, err := offer(t, &fake{}, "query-catalog-entities", bad)
		require.ErrorIs(t, err, catalog.ErrInput, bad)
	}
	out, err := offer(t, &fake{decide: deny}, "query-catalog-entities", `{}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"items":[],"totalItems":0,"hasMoreEntities":false}`, out)
}

func TestOfferedValidation(t *testing.T) {
	var at string
	f := &fake{validate: func(e catalog.Entity, location string) []error {
		at = location
		if e.Kind() == "Bad" {
			return []error{catalog.NewError(catalog.NameInput, "it is bad"), catalog.NewError(catalog.NameError, "very")}
		}
		return nil
	}}
	for _, tc := range []struct{ entity, want string }{
		{"kind: Good", `{"isValid":true,"isValidYaml":true,"errors":[],"entity":{"kind":"Good"}}`},
		{"kind: Bad", `{"isValid":false,"isValidYaml":true,"errors":["it is bad","very"]}`},
		{"kind: Good\n---\nkind: Good", `{"isValid":false,"isValidYaml":false,"errors":["an entity is one YAML document that is an object: check one at a time"]}`},
		{"", `{"isValid":false,"isValidYaml":true,"errors":["an entity is one YAML document that is an object: check one at a time"]}`},
		{"- a", `{"isValid":false,"isValidYaml":true,"errors":["an entity is one YAML document that is an object: check one at a time"]}`},
	} {
		out, err := offer(t, f, "validate-entity", toJSON(t, map[string]string{"entity": tc.entity}))
		require.NoError(t, err)
		require.JSONEq(t, tc.want, out, tc.entity)
	}
	require.Equal(t, "url:https://localhost/entity-validator", at)
	for given, want := range map[string]string{"https://a.example/x": "url:https://a.example/x", "url:https://a.example/x": "url:https://a.example/x"} {
		_, err := offer(t, f, "validate-entity", toJSON(t, map[string]string{"entity": "kind: Good", "location": given}))
		require.NoError(t, err)
		require.Equal(t, want, at)
	}
	out, err := offer(t, f, "validate-entity", toJSON(t, map[string]string{"entity": strings.Repeat("[", 10_000)}))
	require.NoError(t, err)
	require.Contains(t, out, `"isValidYaml":false`, "within the limits of YAML")
}

func TestOfferedLocations(t *testing.T) {
	var removed []string
	f := &fake{
		register: func(l catalog.LocationRef, onConflict string) (catalog.Location, error) {
			require.Equal(t, "refresh", onConflict)
			return catalog.Location{ID: "id of " + l.Target}, nil
		},
		locations: func() ([]catalog.Location, error) {
			return []catalog.Location{{ID: "1", Type: "url", Target: "https://a/X"}, {ID: "2", Type: "url", Target: "https://b"}, {ID: "3", Type: "file", Target: "HTTPS://A/x"}}, nil
		},
		deleteLocation: func(id string) error {
			if id == "gone" {
				return catalog.ErrNotFound
			}
			removed = append(removed, id)
			return nil
		},
	}
	refreshing := func(o *catalogapi.Options) { o.OnConflict = "refresh" }
	readonly := func(o *catalogapi.Options) { o.Readonly = true }
	out, err := offer(t, f, "register-entity", `{"locationUrl":"https://a/x"}`, refreshing)
	require.NoError(t, err)
	require.JSONEq(t, `{"locationId":"id of https://a/x"}`, out)
	for _, bad := range []string{"", "a", "javascript:alert(1)", "//a/b"} {
		_, err = offer(t, f, "register-entity", toJSON(t, map[string]string{"locationUrl": bad}), refreshing)
		require.ErrorIs(t, err, catalog.ErrInput, bad)
	}
	_, err = offer(t, f, "register-entity", `{"locationUrl":"https://a/x"}`, readonly)
	require.ErrorIs(t, err, catalog.ErrNotAllowed)

	_, err = offer(t, f, "unregister-entity", `{"type":{"locationUrl":"https://A/x"}}`)
	require.NoError(t, err)
	_, err = offer(t, f, "unregister-entity", `{"type":{"locationId":"9"}}`)
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3", "9"}, removed)
	for _, input := range []string{`{"type":{"locationId":"gone"}}`, `{"type":{"locationUrl":"https://c"}}`} {
		_, err = offer(t, f, "unregister-entity", input)
		require.ErrorIs(t, err, catalog.ErrNotFound)
	}
	_, err = offer(t, f, "unregister-entity", `{"type":{"locationId":"9"}}`, readonly)
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	for _, input := range []string{`{}`, `{"type":"9"}`, `{"type":{}}`, `{"type":{"locationId":""}}`} {
		_, err = offer(t, f, "unregister-entity", input)
		require.ErrorIs(t, err, catalog.ErrInput, input)
	}
	require.Len(t, removed, 3)
}
