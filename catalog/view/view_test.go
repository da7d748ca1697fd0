package view_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/view"
)

// A moment is the stored catalog at one revision, as values.
type moment struct {
	revision  uint64
	documents map[catalog.UID][]byte
	parents   map[string][]string
}

func (m *moment) Revision() uint64              { return m.revision }
func (m *moment) Document(u catalog.UID) []byte { return m.documents[u] }
func (m *moment) Parents(ref string) []string   { return m.parents[ref] }

type documents struct {
	view func(fn func(view.Moment) error) error
}

func (d *documents) View(fn func(view.Moment) error) error { return d.view(fn) }

func uid(n int) (u catalog.UID) {
	u[0], u[5], u[6], u[7] = 1, byte(n>>16), byte(n>>8), byte(n)
	return u
}

// A fixture is a catalog whose documents and index are moved together.
type fixture struct {
	t     testing.TB
	now   atomic.Pointer[moment]
	index *index.Index
	*view.View
}

func newFixture(t testing.TB, entities ...string) *fixture {
	f := &fixture{t: t, index: index.New()}
	m := &moment{documents: map[catalog.UID][]byte{}, parents: map[string][]string{}}
	for i, e := range entities {
		m.documents[uid(i+1)] = document(t, uid(i+1), e)
	}
	f.now.Store(m)
	require.NoError(t, f.index.Load(0, func(yield func(index.Document) bool) {
		for i := range entities {
			if !yield(index.Document{UID: uid(i + 1), JSON: m.documents[uid(i+1)]}) {
				return
			}
		}
	}))
	f.View = view.New(f.index, &documents{func(fn func(view.Moment) error) error { return fn(f.now.Load()) }})
	return f
}

// document makes an entity of kind:namespace/name and what follows it, spec
// and further members of the metadata as JSON.
func document(t testing.TB, u catalog.UID, short string) []byte {
	name, rest, _ := strings.Cut(short, " ")
	ref, err := catalog.ParseEntityRef(name, "", "")
	require.NoError(t, err)
	spec, meta, _ := strings.Cut(rest, " | ")
	if spec == "" {
		spec = "{}"
	}
	if meta != "" {
		meta = "," + meta
	}
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"%s","metadata":{"namespace":"%s","name":"%s","uid":"%s"%s},"spec":%s,"relations":[]}`,
		ref.Kind, ref.Namespace, ref.Name, u, meta, spec)
	require.True(t, json.Valid([]byte(text)), text)
	return []byte(text)
}

var shop = []string{
	`Component:default/cart {"type":"service"} | "tags":["go","java"]`,
	`Component:default/Web {"type":"website"} | "tags":["go"]`,
	`Component:team-a/admin {"type":"Service"}`,
	`API:default/cart-http {"type":"openapi"}`,
	`User:default/ada {}`,
	`Location:default/all {}`,
	`Location:default/generated {}`,
	`Component:default/zeta {"type":null}`,
}

type answer struct {
	Items []struct {
		Metadata struct{ Name string }
	}
	TotalItems float64
	PageInfo   map[string]string
}

func names(a answer) []string {
	out := []string{}
	for _, e := range a.Items {
		out = append(out, e.Metadata.Name)
	}
	return out
}

func (f *fixture) query(s view.Search) answer {
	page, err := f.Query(context.Background(), s)
	require.NoError(f.t, err)
	var a answer
	require.NoError(f.t, json.Unmarshal(page.Body, &a), "%s", page.Body)
	page.Release()
	return a
}

func object(t testing.TB, text string) *jsonvalue.Object {
	if text == "" {
		return nil
	}
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func pointer[T any](v T) *T { return &v }

func TestQuery(t *testing.T) {
	f := newFixture(t, shop...)
	type search = view.Search
	selection := func(filters ...string) view.Selection { return view.Selection{Filters: filters} }
	for _, tt := range []struct {
		name   string
		search search
		want   []string
		total  float64
	}{
		{"everything, by uid", search{}, []string{"cart", "Web", "admin", "cart-http", "ada", "all", "generated", "zeta"}, 8},
		{"filter", search{Selection: selection("kind=API", "metadata.name=ada")}, []string{"cart-http", "ada"}, 2},
		{"predicate", search{Selection: view.Selection{Query: object(t, `{"$not":{"kind":"component"}}`)}}, []string{"cart-http", "ada", "all", "generated"}, 4},
		{"filter and predicate", search{Selection: view.Selection{Filters: []string{"kind=component"}, Query: object(t, `{"metadata.tags":"go"}`)}}, []string{"cart", "Web"}, 2},
		{"permission", search{Selection: view.Selection{Only: object(t, `{"kind":{"$in":["api","user"]}}`)}}, []string{"cart-http", "ada"}, 2},
		{"order", search{Selection: selection("kind=component"), OrderField: "metadata.name", Order: "asc"}, []string{"admin", "cart", "Web", "zeta"}, 4},
		{"order without a direction", search{Selection: selection("kind=component"), OrderField: "Metadata.Name"}, []string{"admin", "cart", "Web", "zeta"}, 4},
		{"order downwards, uid too", search{OrderField: "spec.type", Order: "desc"}, []string{"Web", "admin", "cart", "cart-http"}, 4},
		{"several values, one entity", search{OrderField: "metadata.tags"}, []string{"cart", "Web", "cart"}, 2},
		{"order by nothing", search{Order: "asc"}, []string{}, 0},
		{"limit", search{Limit: pointer(2)}, []string{"cart", "Web"}, 8},
		{"offset", search{Limit: pointer(2), Offset: pointer(6)}, []string{"generated", "zeta"}, 8},
		{"offset behind the end", search{Offset: pointer(1 << 40)}, []string{}, 8},
		{"nothing but the count", search{Limit: pointer(0)}, []string{}, 8},
		{"no count", search{Limit: pointer(1), NoTotal: true}, []string{"cart"}, 0},
		{"term without fields", search{Term: "cart", HasTerm: true}, []string{}, 0},
		{"term in the order field", search{Term: " CART ", HasTerm: true, OrderField: "metadata.name"}, []string{"cart", "cart-http"}, 2},
		{"term in fields", search{Term: "serv", HasTerm: true, TermFields: []string{"spec.type", "x"}}, []string{"cart", "admin"}, 2},
		{"term in no fields", search{Term: "serv", HasTerm: true, TermFields: []string{}}, []string{}, 0},
		{"blank term", search{Term: " ", HasTerm: true, TermFields: []string{}}, []string{"cart", "Web", "admin", "cart-http", "ada", "all", "generated", "zeta"}, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := f.query(tt.search)
			require.Equal(t, tt.want, names(a))
			require.Equal(t, tt.total, a.TotalItems)
		})
	}
}

func TestQueryBody(t *testing.T) {
	f := newFixture(t, shop...)
	page, err := f.Query(t.Context(), view.Search{Fields: []string{"kind,metadata.tags"}, Limit: pointer(3), Selection: view.Selection{Filters: []string{"kind=component"}}})
	require.NoError(t, err)
	body := string(page.Body)
	require.True(t, strings.HasPrefix(body, `{"items":[{"kind":"Component","metadata":{"tags":["go","java"]}},{"kind":"Component","metadata":{"tags":["go"]}},{"kind":"Component"}],"totalItems":4,"pageInfo":{"nextCursor":"`), body)
	page, err = f.Query(t.Context(), view.Search{Limit: pointer(1), Selection: view.Selection{Filters: []string{"kind=api"}}})
	require.NoError(t, err)
	require.Equal(t, `{"items":[`+string(f.now.Load().documents[uid(4)])+`],"totalItems":1,"pageInfo":{}}`, string(page.Body), "documents are served as they are stored")
}

func TestQueryRefuses(t *testing.T) {
	f := newFixture(t)
	for _, s := range []view.Search{
		{Selection: view.Selection{Filters: []string{"=a"}}},
		{Selection: view.Selection{Query: object(t, `{"$bogus":1}`)}},
		{Fields: []string{"a[0]"}},
		{OrderField: "a", Order: "up"},
		{Cursor: "e30="},
		{Cursor: base64.StdEncoding.EncodeToString([]byte(`{"orderFields":[],"orderFieldValues":[],"isPrevious":false,"query":{"$bogus":1}}`))},
	} {
		_, err := f.Query(t.Context(), s)
		require.ErrorIs(t, err, catalog.ErrInput)
	}
}

func TestCursorsGoForwardAndBack(t *testing.T) {
	f := newFixture(t, shop...)
	for _, order := range []view.Search{
		{}, {OrderField: "metadata.name"}, {OrderField: "metadata.name", Order: "desc"}, {OrderField: "metadata.tags"}, {OrderField: "spec.type", Order: "desc"},
		{Selection: view.Selection{Filters: []string{"kind=component", "kind=api"}}, HasTerm: true},
		{Selection: view.Selection{Filters: []string{"kind=component,$odd", "kind"}}},
		{Selection: view.Selection{Query: object(t, `{"$not":{"kind":"user"}}`)}, OrderField: "metadata.name"},
	} {
		all := f.query(order)
		for limit := 1; limit <= 4; limit++ {
			s := order
			s.Limit = &limit
			f.walk(s, names(all), all.TotalItems, limit)
		}
	}
}

func (f *fixture) walk(s view.Search, all []string, total float64, limit int) {
	page := f.query(s)
	var cursors []string
	for at := 0; ; at += limit {
		end := min(at+limit, len(all))
		require.Equal(f.t, all[at:end], names(page))
		require.Equal(f.t, total, page.TotalItems)
		require.Equal(f.t, at > 0, page.PageInfo["prevCursor"] != "", "page at %d", at)
		require.Equal(f.t, end < len(all), page.PageInfo["nextCursor"] != "")
		if at > 0 {
			f.back(s, page.PageInfo["prevCursor"], all, at, limit)
		}
		if end == len(all) {
			return
		}
		cursors = append(cursors, page.PageInfo["nextCursor"])
		// Nothing but the length of the page counts beside a cursor.
		page = f.query(view.Search{Cursor: cursors[len(cursors)-1], Limit: s.Limit, OrderField: "x", Term: "y", HasTerm: true, Offset: pointer(3), NoTotal: true})
	}
}

func (f *fixture) back(s view.Search, cursor string, all []string, at, limit int) {
	page := f.query(view.Search{Cursor: cursor, Limit: s.Limit})
	from := max(0, at-limit)
	require.Equal(f.t, all[from:at], names(page))
	require.NotEmpty(f.t, page.PageInfo["nextCursor"], "a page before another has one behind it")
	require.Equal(f.t, from > 0, page.PageInfo["prevCursor"] != "")
	again := f.query(view.Search{Cursor: page.PageInfo["nextCursor"], Limit: s.Limit})
	require.Equal(f.t, all[at:min(at+limit, len(all))], names(again))
}

// Clients send a cursor that has a key "query" by POST.
func TestCursorsHoldTheFilter(t *testing.T) {
	f := newFixture(t, shop...)
	for _, tt := range []struct {
		name string
		in   view.Search
		want string
	}{
		{"no filter", view.Search{HasTerm: true}, `{"orderFields":[],"isPrevious":false,"fullTextFilter":{"term":""},"orderFieldValues":["@1"],"firstSortFieldValues":["@1"],"totalItems":8}`},
		{"filter", view.Search{Selection: view.Selection{Filters: []string{"kind=Component"}}, HasTerm: true, OrderField: "metadata.name", Order: "asc"},
			`{"orderFields":[{"field":"metadata.name","order":"asc"}],"isPrevious":false,"query":{"kind":"Component"},"fullTextFilter":{"term":""},"orderFieldValues":["admin","@3"],"firstSortFieldValues":["admin","@3"],"totalItems":4}`},
		{"predicate, and a permission that is nowhere", view.Search{Selection: view.Selection{Query: object(t, `{"Kind":{"$in":["component"]}}`), Only: object(t, `{"metadata.name":{"$exists":true}}`)}, NoTotal: true},
			`{"orderFields":[],"isPrevious":false,"query":{"Kind":{"$in":["component"]}},"orderFieldValues":["@1"],"firstSortFieldValues":["@1"],"totalItems":0}`},
		{"both", view.Search{Selection: view.Selection{Filters: []string{"kind=component"}, Query: object(t, `{"$all":[]}`)}},
			`{"orderFields":[],"isPrevious":false,"query":{"$all":[{"kind":"component"},{"$all":[]}]},"orderFieldValues":["@1"],"firstSortFieldValues":["@1"],"totalItems":4}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.Limit = pointer(1)
			data, err := base64.StdEncoding.DecodeString(f.query(tt.in).PageInfo["nextCursor"])
			require.NoError(t, err)
			want := strings.NewReplacer(`@1`, uid(1).String(), `@3`, uid(3).String()).Replace(tt.want)
			require.JSONEq(t, want, string(data))
		})
	}
}

func TestPermissionsAreAppliedToCursors(t *testing.T) {
	f := newFixture(t, shop...)
	first := f.query(view.Search{Limit: pointer(1)})
	page := f.query(view.Search{Cursor: first.PageInfo["nextCursor"], Selection: view.Selection{Only: object(t, `{"kind":"user"}`), Filters: []string{"kind=api"}}})
	require.Equal(t, []string{"ada"}, names(page))
	require.Equal(t, 8.0, page.TotalItems, "the count of the first page stays")
}

// Cursors that nobody gave out end in a page or in an error, and the total
// they claim is theirs.
func TestMadeUpCursors(t *testing.T) {
	f := newFixture(t, shop...)
	for _, tt := range []struct {
		cursor string
		want   []string
		total  float64
	}{
		{`{"orderFields":[],"orderFieldValues":[],"isPrevious":false}`, []string{"cart", "Web", "admin", "cart-http", "ada", "all", "generated", "zeta"}, 8},
		{`{"orderFields":[],"orderFieldValues":["zzz"],"isPrevious":false,"totalItems":77}`, []string{}, 77},
		{`{"orderFields":[],"orderFieldValues":["zzz"],"isPrevious":true,"filter":{"key":"kind","values":["API"]}}`, []string{"cart-http"}, 1},
		{`{"orderFields":[{"field":"metadata.name","order":"asc"}],"orderFieldValues":["d"],"isPrevious":false}`, []string{"generated", "Web", "zeta"}, 8},
		{`{"orderFields":[{"field":"metadata.name","order":"desc"}],"orderFieldValues":["d","zz",null],"isPrevious":false}`, []string{"cart-http", "cart", "all", "admin", "ada"}, 8},
		{`{"orderFields":[{"field":"metadata.name","order":"asc"}],"orderFieldValues":[null,"x"],"isPrevious":false}`, []string{}, 8},
		{`{"orderFields":[{"field":"no.such","order":"asc"}],"orderFieldValues":["a","b"],"isPrevious":true}`, []string{}, 0},
		{`{"orderFields":[],"orderFieldValues":[null],"isPrevious":true,"fullTextFilter":{"term":"x"}}`, []string{}, 0},
	} {
		page := f.query(view.Search{Cursor: base64.StdEncoding.EncodeToString([]byte(tt.cursor))})
		require.Equal(t, tt.want, names(page), tt.cursor)
		require.Equal(t, tt.total, page.TotalItems, tt.cursor)
	}
}

func TestEntities(t *testing.T) {
	f := newFixture(t, shop...)
	const only = "metadata.name"
	for _, tt := range []struct {
		name    string
		listing view.Listing
		want    []string
		link    string
	}{
		{"all by uid", view.Listing{}, []string{"cart", "Web", "admin", "cart-http", "ada", "all", "generated", "zeta"}, ""},
		{"all by a field, those without it left out", view.Listing{Order: []string{"asc:Spec.Type", "desc:metadata.name"}}, []string{"cart-http", "cart", "admin", "Web"}, ""},
		{"all, downwards", view.Listing{Order: []string{"desc:spec.type"}}, []string{"Web", "admin", "cart", "cart-http"}, ""},
		{"page by ref", view.Listing{Limit: pointer(3), RawQuery: "limit=3"}, []string{"cart-http", "cart", "Web"}, "/entities?limit=3&after=eyJsaW1pdCI6Mywib2Zmc2V0IjozfQ%3D%3D"},
		{"page by two fields, those without the first last", view.Listing{Offset: pointer(0), Order: []string{"desc:spec.type", "asc:metadata.name"}}, []string{"Web", "admin", "cart", "cart-http", "ada", "all", "generated", "zeta"}, ""},
		{"page by a field whose case is wrong", view.Listing{Limit: pointer(2), Order: []string{"desc:Metadata.Name"}, RawQuery: "order=desc%3AMetadata.Name&limit=2&x=a+b*~"}, []string{"cart", "Web"}, "/entities?order=desc%3AMetadata.Name&limit=2&x=a+b*%7E&after=eyJsaW1pdCI6Miwib2Zmc2V0IjoyfQ%3D%3D"},
		{"several values", view.Listing{Limit: pointer(4), Order: []string{"asc:metadata.tags"}, RawQuery: "offset=0&limit=4"}, []string{"cart", "Web", "cart", "admin"}, "/entities?limit=4&after=eyJsaW1pdCI6NCwib2Zmc2V0Ijo0fQ%3D%3D"},
		{"token over parameters", view.Listing{Limit: pointer(1), Offset: pointer(9), After: "eyJsaW1pdCI6Miwib2Zmc2V0Ijo2fQ=="}, []string{"generated", "ada"}, ""},
		{"empty token", view.Listing{After: "e30="}, []string{"cart-http", "cart", "Web", "zeta", "admin", "all", "generated", "ada"}, ""},
		{"offset behind the end", view.Listing{Offset: pointer(99)}, []string{}, ""},
		{"permission", view.Listing{Limit: pointer(9), Selection: view.Selection{Only: object(t, `{"kind":"api"}`)}}, []string{"cart-http"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.listing.Fields = []string{only}
			page, err := f.Entities(t.Context(), tt.listing)
			require.NoError(t, err)
			require.Equal(t, tt.want, names(array(t, page.Body)))
			require.Equal(t, tt.link, page.Link)
			page.Release()
		})
	}
	for _, l := range []view.Listing{{Order: []string{"up:a"}}, {After: "xyz"}, {Fields: []string{"["}}, {Selection: view.Selection{Filters: []string{"=x"}}}} {
		_, err := f.Entities(t.Context(), l)
		require.ErrorIs(t, err, catalog.ErrInput)
	}
}

func array(t testing.TB, body []byte) (a answer) {
	require.NoError(t, json.Unmarshal(body, &a.Items), "%s", body)
	return a
}

// A stream outlives changes: what is gone is left out, and the array stays
// one.
func TestListWhileTheCatalogChanges(t *testing.T) {
	var entities []string
	for i := range 1200 {
		entities = append(entities, fmt.Sprintf("Component:default/c%d", i))
	}
	f := newFixture(t, entities...)
	old := f.now.Load()
	w := &hook{write: func([]byte) {
		f.now.Store(&moment{revision: 7, documents: map[catalog.UID][]byte{uid(1200): old.documents[uid(1200)]}})
	}}
	page, err := f.Entities(t.Context(), view.Listing{})
	require.NoError(t, err)
	require.Nil(t, page.Body, "so many are not held as a whole")
	require.NoError(t, page.Stream(t.Context(), w))
	a := array(t, w.data)
	require.Equal(t, []string{"c1199"}, names(a), "the catalog had changed before the first batch was read")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, page.Stream(ctx, w), context.Canceled)
	w.err = errors.New("gone")
	require.ErrorIs(t, page.Stream(t.Context(), w), w.err)
}

type hook struct {
	write func([]byte)
	data  []byte
	err   error
}

func (h *hook) Write(p []byte) (int, error) {
	h.write(p)
	h.data = append(h.data, p...)
	return len(p), h.err
}

func TestByRefs(t *testing.T) {
	f := newFixture(t, shop...)
	refs := []string{"component:default/web", "component:default/none", "component:default/web", "Component:default/Web", "web", "", "api:default/cart-http"}
	for _, tt := range []struct {
		name   string
		lookup view.Lookup
		want   string
	}{
		{"as they are", view.Lookup{Refs: refs, Fields: []string{"metadata.name"}}, `{"items":[{"metadata":{"name":"Web"}},null,{"metadata":{"name":"Web"}},null,null,null,{"metadata":{"name":"cart-http"}}]}`},
		{"filtered", view.Lookup{Refs: refs, Fields: []string{"kind"}, Selection: view.Selection{Filters: []string{"kind=api"}, Query: object(t, `{"spec.type":"openapi"}`)}}, `{"items":[null,null,null,null,null,null,{"kind":"API"}]}`},
		{"permitted", view.Lookup{Refs: refs[:1], Selection: view.Selection{Only: object(t, `{"kind":"api"}`)}}, `{"items":[null]}`},
		{"none", view.Lookup{}, `{"items":[]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page, err := f.ByRefs(t.Context(), tt.lookup)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(page.Body))
		})
	}
	_, err := f.ByRefs(t.Context(), view.Lookup{Fields: []string{"a["}})
	require.ErrorIs(t, err, catalog.ErrInput)
}

func TestOneEntity(t *testing.T) {
	f := newFixture(t, shop...)
	stored := string(f.now.Load().documents[uid(2)])
	api := object(t, `{"kind":"api"}`)
	page, err := f.ByRef(t.Context(), "component:default/web", nil)
	require.NoError(t, err)
	require.Equal(t, stored, string(page.Body))
	page, err = f.ByUID(t.Context(), strings.ToUpper(uid(2).String()), object(t, `{"kind":"component"}`))
	require.NoError(t, err)
	require.Equal(t, stored, string(page.Body))
	for _, missing := range []func() (view.Page, error){
		func() (view.Page, error) { return f.ByRef(t.Context(), "component:default/none", nil) },
		func() (view.Page, error) { return f.ByRef(t.Context(), "component:default/web", api) },
		func() (view.Page, error) { return f.ByUID(t.Context(), uid(2).String(), api) },
		func() (view.Page, error) { return f.ByUID(t.Context(), uid(99).String(), nil) },
		func() (view.Page, error) { return f.ByUID(t.Context(), "abc", nil) },
	} {
		page, err := missing()
		require.NoError(t, err)
		require.Nil(t, page.Body)
		require.Nil(t, page.Release)
	}
	met, err := f.Matching(t.Context(), []string{"api:default/cart-http", "component:default/web", "api:default/none"}, object(t, `{"$not":{"kind":"component"}}`))
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, false}, met, "what does not exist matches nothing, not even a not")
}

func TestFacets(t *testing.T) {
	f := newFixture(t, shop...)
	for _, tt := range []struct {
		name string
		in   view.FacetCount
		want string
	}{
		{"original casing, in order of bytes", view.FacetCount{Facets: []string{"Spec.Type"}}, `{"facets":{"Spec.Type":[{"value":"Service","count":1},{"value":"openapi","count":1},{"value":"service","count":1},{"value":"website","count":1}]}}`},
		{"several, and one that nobody has", view.FacetCount{Facets: []string{"metadata.tags", "no\"ne", "", "metadata.tags"}}, `{"facets":{"metadata.tags":[{"value":"go","count":2},{"value":"java","count":1}],"no\"ne":[]}}`},
		{"filter", view.FacetCount{Facets: []string{"kind"}, Selection: view.Selection{Filters: []string{"kind=api"}}}, `{"facets":{"kind":[{"value":"API","count":1}]}}`},
		{"predicate and permission", view.FacetCount{Facets: []string{"kind"}, Selection: view.Selection{Query: object(t, `{"$not":{"kind":"api"}}`), Only: object(t, `{"metadata.namespace":"team-a"}`)}}, `{"facets":{"kind":[{"value":"Component","count":1}]}}`},
		{"true of a list", view.FacetCount{Facets: []string{"metadata.tags.java"}}, `{"facets":{"metadata.tags.java":[{"value":"true","count":1}]}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page, err := f.Facets(t.Context(), tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(page.Body))
		})
	}
	for _, q := range []view.FacetCount{{}, {Facets: []string{""}}} {
		_, err := f.Facets(t.Context(), q)
		require.EqualError(t, err, "Missing or empty facets parameter")
	}
	counts := f.Counts()
	require.Equal(t, []index.FacetValue{{Value: "API", Count: 1}, {Value: "Component", Count: 4}, {Value: "Location", Count: 2}, {Value: "User", Count: 1}}, counts.Kinds)
	require.Zero(t, counts.Relations)
}

func TestAncestry(t *testing.T) {
	f := newFixture(t, shop...)
	m := f.now.Load()
	m.parents = map[string][]string{
		"api:default/cart-http":      {"location:default/all", "location:default/unprocessed"},
		"location:default/all":       {"location:default/generated", "api:default/cart-http"},
		"location:default/generated": nil,
	}
	type item struct {
		Entity           struct{ Metadata struct{ Name string } }
		ParentEntityRefs []string
	}
	ask := func(only string) (root string, items []item, err error) {
		page, err := f.Ancestry(t.Context(), "api:default/cart-http", object(t, only))
		if err != nil {
			return "", nil, err
		}
		var a struct {
			RootEntityRef string
			Items         []item
		}
		require.NoError(t, json.Unmarshal(page.Body, &a), "%s", page.Body)
		return a.RootEntityRef, a.Items, nil
	}
	root, items, err := ask("")
	require.NoError(t, err)
	require.Equal(t, "api:default/cart-http", root)
	require.Len(t, items, 3)
	require.Equal(t, "cart-http", items[0].Entity.Metadata.Name)
	require.Equal(t, []string{"location:default/all"}, items[0].ParentEntityRefs, "a parent that is not served is not named")
	require.Equal(t, []string{"location:default/generated", "api:default/cart-http"}, items[1].ParentEntityRefs, "a ring ends")
	require.Equal(t, []string{}, items[2].ParentEntityRefs)

	_, items, err = ask(`{"$not":{"metadata.name":"all"}}`)
	require.NoError(t, err)
	require.Len(t, items, 1, "what is reached through a hidden ancestor alone is hidden too")

	_, _, err = ask(`{"kind":"location"}`)
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	_, err = f.Ancestry(t.Context(), "api:default/none", nil)
	require.ErrorIs(t, err, catalog.ErrNotFound)
	require.EqualError(t, err, "No such entity api:default/none")
}

// Between a commit and its publishing the two are apart; a view waits for
// them to meet, and not for ever.
func TestViewWaitsForOneMoment(t *testing.T) {
	f := newFixture(t, shop...)
	m := f.now.Load()
	opened := 0
	v := view.New(f.index, &documents{func(fn func(view.Moment) error) error {
		opened++
		if opened < 70 {
			return fn(&moment{revision: 1})
		}
		return fn(m)
	}})
	page, err := v.ByRef(t.Context(), "user:default/ada", nil)
	require.NoError(t, err)
	require.Equal(t, string(m.documents[uid(5)]), string(page.Body))

	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	v = view.New(f.index, &documents{func(fn func(view.Moment) error) error {
		cancel(reason)
		return fn(&moment{revision: 1})
	}})
	_, err = v.ByRef(ctx, "user:default/ada", nil)
	require.ErrorIs(t, err, reason)
}

func TestErrorsOfDocuments(t *testing.T) {
	f := newFixture(t, shop...)
	broken := errors.New("broken")
	v := view.New(f.index, &documents{func(func(view.Moment) error) error { return broken }})
	_, err := v.Query(t.Context(), view.Search{})
	require.ErrorIs(t, err, broken)
	v = view.New(f.index, &documents{func(fn func(view.Moment) error) error { return fn(&moment{}) }})
	_, err = v.Query(t.Context(), view.Search{})
	require.ErrorContains(t, err, "is indexed but not stored")
}

// Every entity says the revision that all of them got together: a reader that
// sees two has seen two moments.
func TestReadersSeeOneMoment(t *testing.T) {
	const entities, revisions = 50, 200
	make := func(revision int) (*moment, []index.Change) {
		m := &moment{revision: uint64(revision), documents: map[catalog.UID][]byte{}}
		var changes []index.Change
		for i := range entities {
			// The last ones come and go.
			if i >= entities-3 && revision%2 == 0 {
				changes = append(changes, index.Change{UID: uid(i + 1)})
				continue
			}
			doc := document(t, uid(i+1), fmt.Sprintf(`Component:default/c%d {"at":"r%d","odd":%t}`, i, revision, revision%2 == 1))
			rows, err := index.FlattenJSON(doc)
			require.NoError(t, err)
			m.documents[uid(i+1)] = doc
			changes = append(changes, index.Change{UID: uid(i + 1), Ref: fmt.Sprintf("component:default/c%d", i), Rows: rows})
		}
		return m, changes
	}
	f := newFixture(t)
	publish := func(revision int) {
		m, changes := make(revision)
		next := f.index.Prepare(uint64(revision), changes)
		f.now.Store(m)
		f.index.Commit(next)
	}
	publish(1)
	var done atomic.Bool
	var wg sync.WaitGroup
	for r := range 4 {
		wg.Go(func() {
			for !done.Load() {
				f.oneMoment(r)
			}
		})
	}
	for revision := 2; revision <= revisions; revision++ {
		publish(revision)
	}
	done.Store(true)
	wg.Wait()
}

func (f *fixture) oneMoment(r int) {
	s := view.Search{Limit: pointer(100), Fields: []string{"spec"}}
	if r%2 == 0 {
		s.OrderField = "metadata.name"
		s.Term, s.HasTerm, s.TermFields = "r", true, []string{"spec.at"}
	}
	page, err := f.Query(context.Background(), s)
	if err != nil {
		f.t.Error(err)
		return
	}
	var a struct {
		Items      []struct{ Spec struct{ At string } }
		TotalItems int
	}
	if err := json.Unmarshal(page.Body, &a); err != nil {
		f.t.Error(err)
		return
	}
	page.Release()
	at := a.Items[0].Spec.At
	for _, e := range a.Items {
		if e.Spec.At != at {
			f.t.Errorf("one page has %s and %s", at, e.Spec.At)
			return
		}
	}
	want := 50
	if slices.Contains([]string{"0", "2", "4", "6", "8"}, at[len(at)-1:]) {
		want = 47
	}
	if a.TotalItems != want || len(a.Items) != want {
		f.t.Errorf("%d of %d entities at %s, want %d", len(a.Items), a.TotalItems, at, want)
	}
}
