package catalogapi_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func count(n int) *int { return &n }

func TestEntitiesQuery(t *testing.T) {
	for _, tc := range []struct {
		name, query string
		want        catalogapi.Listing
	}{
		{"nothing", "", catalogapi.Listing{}},
		{"all of it", "filter=kind%3Dcomponent,spec.type=x&fields=kind,metadata.name&limit=20&offset=5&after=abc&order=asc:metadata.name",
			catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"kind=component,spec.type=x"}}, Fields: []string{"kind,metadata.name"},
				Limit: count(20), Offset: count(5), After: "abc", Order: []string{"asc:metadata.name"}}},
		{"repeated", "filter=a&filter=b&order=asc:a&order=desc:b", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"a", "b"}}, Order: []string{"asc:a", "desc:b"}}},
		{"brackets", "filter[]=a&filter[]=b", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"a", "b"}}}},
		{"indexes put in order", "filter[2]=c&filter[0]=a&filter[1]=b", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"a", "b", "c"}}}},
		{"an empty one among several is kept", "filter=kind&filter=", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"kind", ""}}}},
		{"a plus is a blank", "filter=a+b%2Bc", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"a b+c"}}}},
		{"only the first equals sign divides", "filter=a=b=c", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"a=b=c"}}}},
		{"what cannot be decoded stands as it is", "filter=%zz+%", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"%zz %"}}}},
		{"numbers as JavaScript reads them", "limit=1e1&offset=0x10", catalogapi.Listing{Limit: count(10), Offset: count(16)}},
		{"numbers with blanks and fractions of nothing", "limit=+7+&offset=3.0", catalogapi.Listing{Limit: count(7), Offset: count(3)}},
		{"numbers beyond all bounds", "limit=1e300&offset=99999999999999999999", catalogapi.Listing{Limit: count(1 << 31), Offset: count(1 << 31)}},
		{"empty parts of the query", "&&filter=a&&", catalogapi.Listing{Selection: catalogapi.Selection{Filters: []string{"a"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got catalogapi.Listing
			f := &fake{entities: func(l catalogapi.Listing) (catalogapi.Page, error) {
				got = l
				return catalogapi.Page{Body: []byte("[]")}, nil
			}}
			assert.Equal(t, "[]", ok(t, newAPI(t, f).Entities, get("/entities?"+tc.query)))
			tc.want.RawQuery = tc.query
			assert.Equal(t, tc.want, got)
		})
	}
	fails(t, newAPI(t, &fake{}).Entities, get("/entities?limit=0"), "InputError", "Invalid limit, must be greater than zero")
}

// The rest of a query string beyond a thousand parameters is not read.
func TestManyParameters(t *testing.T) {
	var got catalogapi.Listing
	f := &fake{entities: func(l catalogapi.Listing) (catalogapi.Page, error) {
		got = l
		return catalogapi.Page{Body: []byte("[]")}, nil
	}}
	ok(t, newAPI(t, f).Entities, get("/entities?"+strings.Repeat("filter=a&", 20_000)))
	assert.Len(t, got.Filters, 1000)
}

// FuzzQueryString: what is written into a query string comes out of it again.
func FuzzQueryString(f *testing.F) {
	f.Add("kind=component", "a,b", "")
	f.Add("ä+%&=#[]", "\x00\xff", "filter[0]")
	f.Fuzz(func(t *testing.T, a, b, raw string) {
		var got catalogapi.Listing
		fake := &fake{entities: func(l catalogapi.Listing) (catalogapi.Page, error) {
			got = l
			return catalogapi.Page{}, nil
		}}
		api := newAPI(t, fake)
		for _, query := range []string{url.Values{"filter": {a, b}}.Encode(), url.Values{"filter[]": {a, b}}.Encode(), url.Values{"filter[0]": {a}, "filter[1]": {b}}.Encode()} {
			_, err := call(t, api.Entities, request{target: "/entities?" + query})
			require.NoError(t, err)
			require.Equal(t, []string{a, b}, got.Filters, "%s", query)
		}
		// Any other text is read, or refused in known words.
		r := get("/entities")
		if _, err := url.Parse("/entities?" + raw); err != nil || strings.ContainsAny(raw, " \x7f#") || strings.ContainsFunc(raw, func(r rune) bool { return r < 0x20 }) {
			return
		}
		r.target += "?" + raw
		if _, err := call(t, api.Entities, r); err != nil {
			require.Equal(t, "InputError", catalog.ErrorName(err))
		}
	})
}

func TestQueryEntities(t *testing.T) {
	for _, tc := range []struct {
		name, query string
		want        catalogapi.Search
	}{
		{"nothing", "", catalogapi.Search{HasTerm: true}},
		{"all of it", "filter=kind=api&fields=kind&limit=0&offset=3&orderField=metadata.name,desc&totalItems=exclude&fullTextFilterTerm=foo&fullTextFilterFields=metadata.name,metadata.title",
			catalogapi.Search{Selection: catalogapi.Selection{Filters: []string{"kind=api"}}, Fields: []string{"kind"}, Limit: count(0), Offset: count(3),
				OrderField: "metadata.name", Order: "desc", NoTotal: true, Term: "foo", HasTerm: true, TermFields: []string{"metadata.name", "metadata.title"}}},
		{"the first order counts, and has a direction or not", "orderField=a&orderField=b,desc", catalogapi.Search{OrderField: "a", HasTerm: true}},
		{"with a cursor the order is not even looked at", "cursor=abc&orderField=a,sideways", catalogapi.Search{Cursor: "abc", HasTerm: true}},
		{"counted, and said so", "totalItems=include", catalogapi.Search{HasTerm: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got catalogapi.Search
			f := &fake{query: func(s catalogapi.Search) (catalogapi.Page, error) {
				got = s
				return catalogapi.Page{Body: []byte(`{"items":[]}`)}, nil
			}}
			assert.JSONEq(t, `{"items":[]}`, ok(t, newAPI(t, f).QueryEntities, get("/entities/by-query?"+tc.query)))
			assert.Equal(t, tc.want, got)
		})
	}
	fails(t, newAPI(t, &fake{}).QueryEntities, get("/?orderField=a,sideways"), "InputError", "Invalid order field order, must be asc or desc")
}

func TestQueryEntitiesByPredicate(t *testing.T) {
	query := object(t, `{"$all":[{"kind":"api"}]}`)
	for _, tc := range []struct {
		name, body string
		want       catalogapi.Search
	}{
		{"an empty body", `{}`, catalogapi.Search{}},
		{"all of it", `{"query":{"$all":[{"kind":"api"}]},"limit":5,"offset":2,"orderBy":[{"field":"a","order":"desc"},{"field":"b","order":"asc"}],"fields":["a","b,c"],"totalItems":"exclude","fullTextFilter":{"term":"x","fields":["f"]}}`,
			catalogapi.Search{Selection: catalogapi.Selection{Query: query}, Limit: count(5), Offset: count(2), OrderField: "a", Order: "desc", Fields: []string{"a", "b,c"}, NoTotal: true, Term: "x", HasTerm: true, TermFields: []string{"f"}}},
		{"empty lists are no order and no projection", `{"orderBy":[],"fields":[]}`, catalogapi.Search{}},
		{"no fields to look into match nothing", `{"fullTextFilter":{"term":"x","fields":[]}}`, catalogapi.Search{Term: "x", HasTerm: true, TermFields: []string{}}},
		{"a blank term", `{"fullTextFilter":{}}`, catalogapi.Search{HasTerm: true}},
		{"a cursor", `{"cursor":"abc","limit":1}`, catalogapi.Search{Cursor: "abc", Limit: count(1)}},
		{"unknown keys are ignored, a filter among them", `{"filter":{"kind":"x"},"nope":1}`, catalogapi.Search{}},
		{"a limit beyond all bounds", `{"limit":1e300}`, catalogapi.Search{Limit: count(1 << 31)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got catalogapi.Search
			f := &fake{query: func(s catalogapi.Search) (catalogapi.Page, error) {
				got = s
				return catalogapi.Page{Body: []byte(`{"items":[]}`)}, nil
			}}
			ok(t, newAPI(t, f).QueryEntitiesByPredicate, post(tc.body))
			assert.Equal(t, tc.want, got)
		})
	}
	got := 0
	f := &fake{query: func(catalogapi.Search) (catalogapi.Page, error) { got++; return catalogapi.Page{}, nil }}
	ok(t, newAPI(t, f).QueryEntitiesByPredicate, request{method: "POST", contentType: "-"})
	assert.Equal(t, 1, got, "no body and no type is an empty body")

	for body, message := range map[string]string{
		`{"cursor":""}`: "Cursor cannot be empty",
		`{"limit":-1}`:  "request/body/limit must be an integer >= 0", `{"limit":1.5}`: "request/body/limit must be an integer >= 0",
		`{"offset":-1}`: "request/body/offset must be an integer >= 0",
	} {
		fails(t, newAPI(t, &fake{}).QueryEntitiesByPredicate, post(body), "InputError", message)
	}
}

func TestEntitiesByRefs(t *testing.T) {
	var got catalogapi.Lookup
	f := &fake{byRefs: func(l catalogapi.Lookup) (catalogapi.Page, error) {
		got = l
		return catalogapi.Page{Body: []byte(`{"items":[null]}`)}, nil
	}}
	a := newAPI(t, f)
	r := post(`{"entityRefs":["component:default/a","garbage",""],"fields":["kind"],"query":{"kind":"x"}}`)
	r.target = "/entities/by-refs?filter=a&filter=b"
	assert.JSONEq(t, `{"items":[null]}`, ok(t, a.EntitiesByRefs, r))
	assert.Equal(t, catalogapi.Lookup{Selection: catalogapi.Selection{Filters: []string{"a", "b"}, Query: object(t, `{"kind":"x"}`)},
		Refs: []string{"component:default/a", "garbage", ""}, Fields: []string{"kind"}}, got, "refs are taken as they are")
	ok(t, a.EntitiesByRefs, post(`{"entityRefs":[]}`))
	assert.Equal(t, catalogapi.Lookup{Refs: []string{}}, got)
	fails(t, a.EntitiesByRefs, request{method: "POST", contentType: "-"}, "InputError",
		`Malformed request body (did you remember to specify an application/json content type?), Validation error: Required at "entityRefs"`)

	f.decide = deny
	assert.JSONEq(t, `{"items":[null,null]}`, ok(t, a.EntitiesByRefs, post(`{"entityRefs":["a","b"]}`)), "denied: nothing is there")
}

func TestFacets(t *testing.T) {
	var got catalogapi.FacetCount
	f := &fake{facets: func(c catalogapi.FacetCount) (catalogapi.Page, error) {
		got = c
		return catalogapi.Page{Body: []byte(`{"facets":{}}`)}, nil
	}}
	a := newAPI(t, f)
	ok(t, a.Facets, get("/entity-facets?facet=kind,spec.type&facet=metadata.tags&filter=kind"))
	assert.Equal(t, catalogapi.FacetCount{Selection: catalogapi.Selection{Filters: []string{"kind"}}, Facets: []string{"kind,spec.type", "metadata.tags"}}, got, "commas do not divide facets")
	ok(t, a.FacetsByPredicate, post(`{"facets":["","kind"],"query":{}}`))
	assert.Equal(t, catalogapi.FacetCount{Selection: catalogapi.Selection{Query: object(t, `{}`)}, Facets: []string{"kind"}}, got, "empty names are left out")
	for _, body := range []string{`{"facets":[]}`, `{"facets":["",""]}`} {
		fails(t, a.FacetsByPredicate, post(body), "InputError", "Missing or empty facets parameter")
	}
	f.decide = deny
	assert.JSONEq(t, `{"facets":{"kind":[],"KIND":[]}}`, ok(t, a.FacetsByPredicate, post(`{"facets":["kind","KIND"]}`)))
}

func TestOneEntity(t *testing.T) {
	inPath := request{params: map[string]string{"kind": "Component", "namespace": "Default", "name": "Cart%20API%2Fx"}}
	f := &fake{byRef: func(ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
		assert.Equal(t, "component:default/cart api/x", ref, "decoded once, and in lower case")
		assert.Nil(t, only)
		return catalogapi.Page{}, nil
	}, byUID: func(uid string, only *jsonvalue.Object) (catalogapi.Page, error) {
		assert.Equal(t, "A b", uid)
		return catalogapi.Page{}, nil
	}}
	a := newAPI(t, f)
	const noName = "No entity named 'Cart API/x' found, with kind 'Component' in namespace 'Default'"
	fails(t, a.EntityByName, inPath, "NotFoundError", noName)
	byUID := request{params: map[string]string{"uid": "A%20b"}}
	fails(t, a.EntityByUID, byUID, "NotFoundError", "No entity with uid A b")

	f.decide = deny
	fails(t, a.EntityByName, inPath, "NotFoundError", noName)
	fails(t, a.EntityByUID, byUID, "NotFoundError", "No entity with uid A b")

	f.decide = nil
	f.byRef = func(string, *jsonvalue.Object) (catalogapi.Page, error) {
		return catalogapi.Page{Body: []byte(`{"kind":"X"}`)}, nil
	}
	f.byUID = f.byRef
	assert.JSONEq(t, `{"kind":"X"}`, ok(t, a.EntityByName, inPath))
	assert.JSONEq(t, `{"kind":"X"}`, ok(t, a.EntityByUID, byUID))
}

func TestAncestry(t *testing.T) {
	r := request{params: map[string]string{"kind": "A", "namespace": "b", "name": "C"}}
	f := &fake{}
	a := newAPI(t, f)
	result := func(p catalogapi.Page, err error) {
		f.ancestry = func(ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
			assert.Equal(t, "a:b/c", ref)
			return p, err
		}
	}
	result(catalogapi.Page{Body: []byte(`{"items":[]}`)}, nil)
	assert.JSONEq(t, `{"items":[]}`, ok(t, a.Ancestry, r))
	result(catalogapi.Page{}, catalog.NewError(catalog.NameNotFound, "whatever the domain says"))
	fails(t, a.Ancestry, r, "NotFoundError", "No such entity a:b/c")
	result(catalogapi.Page{}, catalog.NewError(catalog.NameNotAllowed, "whatever"))
	fails(t, a.Ancestry, r, "NotAllowedError", "")
	result(catalogapi.Page{}, errors.New("disk"))
	fails(t, a.Ancestry, r, "Error", "disk")
	f.decide = deny
	fails(t, a.Ancestry, r, "NotAllowedError", "")
}

// Every read asks for the same permission, passes its condition on where the
// data is, and shows nothing to whoever is denied it.
func TestReadsUnderACondition(t *testing.T) {
	var only *jsonvalue.Object
	page := catalogapi.Page{Body: []byte(`{}`)}
	f := &fake{
		decide:   ownedByTeam,
		entities: func(l catalogapi.Listing) (catalogapi.Page, error) { only = l.Only; return page, nil },
		query:    func(s catalogapi.Search) (catalogapi.Page, error) { only = s.Only; return page, nil },
		byRefs:   func(l catalogapi.Lookup) (catalogapi.Page, error) { only = l.Only; return page, nil },
		facets:   func(c catalogapi.FacetCount) (catalogapi.Page, error) { only = c.Only; return page, nil },
		byRef:    func(_ string, o *jsonvalue.Object) (catalogapi.Page, error) { only = o; return page, nil },
		byUID:    func(_ string, o *jsonvalue.Object) (catalogapi.Page, error) { only = o; return page, nil },
		ancestry: func(_ string, o *jsonvalue.Object) (catalogapi.Page, error) { only = o; return page, nil },
	}
	a := newAPI(t, f)
	for name, read := range map[string]struct {
		h wire.Handler
		r request
	}{
		"entities": {a.Entities, get("/entities")}, "by-query": {a.QueryEntities, get("/entities/by-query")},
		"by-query with a cursor": {a.QueryEntities, get("/entities/by-query?cursor=abc")},
		"by predicate":           {a.QueryEntitiesByPredicate, post(`{}`)}, "by-refs": {a.EntitiesByRefs, post(`{"entityRefs":["a"]}`)},
		"facets": {a.Facets, get("/entity-facets?facet=kind")}, "facets by predicate": {a.FacetsByPredicate, post(`{"facets":["kind"]}`)},
		"by-name": {a.EntityByName, get("/")}, "by-uid": {a.EntityByUID, get("/")}, "ancestry": {a.Ancestry, get("/")},
	} {
		only, f.asked = nil, nil
		ok(t, read.h, read.r)
		require.NotNil(t, only, name)
		assert.JSONEq(t, ownedByTeamPredicate, string(jsonvalue.Append(nil, only)), name)
		assert.Equal(t, []string{"user:default/jane catalog.entity.read"}, f.asked, name)

		f.decide = func(permission.Permission, string) (permission.Decision, error) {
			return permission.Decision{}, errors.New("policy is broken")
		}
		_, err := call(t, read.h, read.r)
		assert.EqualError(t, err, "policy is broken", "%s: nothing is read without a decision", name)

		f.decide = func(permission.Permission, string) (permission.Decision, error) {
			return conditional("NO_SUCH_RULE", nil), nil
		}
		_, err = call(t, read.h, read.r)
		assert.EqualError(t, err, "Permission rule 'NO_SUCH_RULE' does not exist for resource type 'catalog-entity'", "%s: nor under one that is not understood", name)
		f.decide = ownedByTeam
	}
}

func TestDeniedListsAreEmpty(t *testing.T) {
	a := newAPI(t, &fake{decide: deny})
	assert.Equal(t, `[]`, ok(t, a.Entities, get("/entities")))
	for _, h := range []wire.Handler{a.QueryEntities} {
		assert.JSONEq(t, `{"items":[],"totalItems":0,"pageInfo":{}}`, ok(t, h, get("/entities/by-query")))
	}
	assert.JSONEq(t, `{"items":[],"totalItems":0,"pageInfo":{}}`, ok(t, a.QueryEntitiesByPredicate, post(`{}`)))
}

// What came straight out of the store has no ETag, what was projected has one;
// the next page is linked, and whoever lent the bytes hears of their end.
func TestFormsOfAnswers(t *testing.T) {
	released := 0
	p := catalogapi.Page{Body: []byte(`[]`), Link: "/entities?limit=1&after=x", Release: func() { released++ }}
	a := newAPI(t, &fake{
		entities: func(catalogapi.Listing) (catalogapi.Page, error) { return p, nil },
		query:    func(catalogapi.Search) (catalogapi.Page, error) { return p, nil },
	})
	for target, projected := range map[string]bool{"/?": false, "/?limit=1": false, "/?fields=kind": false, "/?fields=kind&limit=1": true, "/?fields=kind&offset=0": true, "/?fields=kind&after=x": true} {
		answer, err := call(t, a.Entities, get(target))
		require.NoError(t, err)
		const link = `</entities?limit=1&after=x>; rel="next"`
		if projected {
			require.IsType(t, wire.Linked{}, answer, target)
			assert.Equal(t, link, answer.(wire.Linked).Link)
			answer.(wire.Linked).Release()
			continue
		}
		require.IsType(t, wire.Raw{}, answer, target)
		assert.Equal(t, link, answer.(wire.Raw).Link)
		answer.(wire.Raw).Release()
	}
	assert.Equal(t, 6, released)
	answer, err := call(t, a.QueryEntities, get("/?fields=kind"))
	require.NoError(t, err)
	assert.IsType(t, wire.Linked{}, answer)
}

func TestErrorsOfReadersArePassedOn(t *testing.T) {
	wrong := fmt.Errorf("layer: %w", catalog.NewError(catalog.NameInput, "Malformed cursor"))
	a := newAPI(t, &fake{
		entities: func(catalogapi.Listing) (catalogapi.Page, error) { return catalogapi.Page{}, wrong },
		query:    func(catalogapi.Search) (catalogapi.Page, error) { return catalogapi.Page{}, wrong },
		byRefs:   func(catalogapi.Lookup) (catalogapi.Page, error) { return catalogapi.Page{}, wrong },
		facets:   func(catalogapi.FacetCount) (catalogapi.Page, error) { return catalogapi.Page{}, wrong },
		byRef:    func(string, *jsonvalue.Object) (catalogapi.Page, error) { return catalogapi.Page{}, wrong },
		byUID:    func(string, *jsonvalue.Object) (catalogapi.Page, error) { return catalogapi.Page{}, wrong },
	})
	for _, read := range []struct {
		h wire.Handler
		r request
	}{
		{a.Entities, get("/")}, {a.QueryEntities, get("/")}, {a.QueryEntitiesByPredicate, post(`{}`)}, {a.EntitiesByRefs, post(`{"entityRefs":[]}`)},
		{a.Facets, get("/?facet=a")}, {a.EntityByName, get("/")}, {a.EntityByUID, get("/")},
	} {
		_, err := call(t, read.h, read.r)
		assert.ErrorIs(t, err, catalog.ErrInput)
	}
}
