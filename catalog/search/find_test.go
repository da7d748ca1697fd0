package search

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/require"
)

// document makes a document of its key as title, with further fields as pairs.
func document(key string, more ...string) Document {
	body := jsonvalue.NewObject(
		jsonvalue.Member{Key: "title", Value: key},
		jsonvalue.Member{Key: "text", Value: ""},
		jsonvalue.Member{Key: "location", Value: "/catalog/default/component/" + key},
	)
	for i := 0; i < len(more); i += 2 {
		body.Set(more[i], more[i+1])
	}
	return Document{Key: key, Resource: "component:default/" + key, Body: body}
}

func scopeOf(documents ...Document) Scope {
	x := New()
	x.Replace(documents)
	return Scope{Type: "t", Snapshot: x.Snapshot()}
}

// titles returns the titles of all that is found, best first.
func titles(t testing.TB, q Query, scopes ...Scope) []string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	q.Pre, q.Post = "[", "]"
	r, err := Find(context.Background(), scopes, q)
	require.NoError(t, err)
	out := []string{}
	for _, h := range r.Hits {
		o, err := jsonvalue.ParseObject(h.Body)
		require.NoError(t, err)
		out = append(out, o.String("title"))
	}
	return out
}

func TestFind(t *testing.T) {
	scope := scopeOf(
		document("cart"), document("cart-api"), document("shop-cart-worker", "text", "Empties carts."),
		document("booking", "text", "Takes what is in the cart."), document("carton"), document("The Shop"),
		document("PaymentService"), document("zürich"), document("guest", "kind", "User", "owner", "group:default/team-a"),
		document("libraries", "text", "It is running services"),
	)
	for _, tc := range []struct {
		name, term string
		want       []string // first, in order
		not        []string
	}{
		{"the whole name comes first, then titles, then texts, then begins of words", "cart",
			[]string{"cart", "cart-api", "shop-cart-worker", "booking", "carton"}, []string{"guest", "The Shop"}},
		{"the begin of a word", "gues", []string{"guest"}, []string{"cart"}},
		{"two letters swapped are one typo", "guset", []string{"guest"}, nil},
		{"a letter left out", "gest", []string{"guest"}, nil},
		{"a letter too many", "bookiing", []string{"booking"}, nil},
		{"two typos in a long word", "pymentservise", []string{"PaymentService"}, nil},
		{"short words have no typos", "ca", []string{"cart"}, []string{"zürich"}},
		{"written apart, as one word", "cartapi", []string{"cart-api"}, nil},
		{"a part of a word in capitals", "service", []string{"PaymentService", "libraries"}, nil},
		{"an ending more or less", "library", []string{"libraries"}, nil},
		{"another ending", "services run", []string{"libraries", "PaymentService"}, nil},
		{"without its accent", "zurich", []string{"zürich"}, nil},
		{"more of the words is better", "shop worker cart", []string{"shop-cart-worker"}, nil},
		{"other fields", "team-a", []string{"guest"}, nil},
		{"a word of every text is one in a title", "the", []string{"The Shop"}, []string{"booking"}},
		{"where it lies is no text", "catalog", nil, []string{"cart"}},
		{"nothing", "xylophone", []string{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := titles(t, Query{Term: tc.term}, scope)
			require.GreaterOrEqual(t, len(got), len(tc.want), got)
			require.Equal(t, append([]string{}, tc.want...), got[:len(tc.want)], got)
			for _, title := range tc.not {
				require.NotContains(t, got, title)
			}
			if tc.want != nil && len(tc.want) == 0 {
				require.Empty(t, got)
			}
		})
	}
}

func TestFindWithoutATerm(t *testing.T) {
	a := scopeOf(document("b"), document("D"), document("a"))
	b := scopeOf(document("c"), document("a"))
	require.Equal(t, []string{"a", "a", "b", "c", "D"}, titles(t, Query{}, a, b), "by title, whatever the case")
	require.Equal(t, []string{"b", "c"}, titles(t, Query{Term: " - ", Offset: 2, Limit: 2}, a, b), "a page")
	require.Empty(t, titles(t, Query{Offset: 5}, a, b), "beyond the end")
	r, err := Find(context.Background(), []Scope{a}, Query{})
	require.NoError(t, err)
	require.Equal(t, Result{Total: 3}, r, "a limit of 0 counts")
}

func TestFilters(t *testing.T) {
	scope := scopeOf(
		document("a", "kind", "Component", "owner", "team-a"), document("b", "kind", "API", "owner", "team-b"),
		document("c", "kind", "Component", "owner", "group:default/team-a", "lifecycle", "production"),
		document("d"),
	)
	other := scopeOf(document("e", "text", "no kind here"))
	for _, tc := range []struct {
		name    string
		term    string
		filters []Filter
		want    []string
	}{
		{"case is no matter", "", []Filter{{"kind", []string{"component"}}}, []string{"a", "c"}},
		{"any of some values", "", []Filter{{"kind", []string{"API", "Component"}}}, []string{"a", "b", "c"}},
		{"any of some values, with a term: those alone", "c", []Filter{{"kind", []string{"API", "System"}}}, []string{}},
		{"all filters", "", []Filter{{"kind", []string{"Component"}}, {"lifecycle", []string{"production"}}}, []string{"c"}},
		{"all words of a value", "", []Filter{{"owner", []string{"team-a"}}}, []string{"a", "c"}},
		{"the begin of a word is not enough", "", []Filter{{"kind", []string{"Comp"}}}, []string{}},
		{"in that field alone", "", []Filter{{"lifecycle", []string{"component"}}}, []string{}},
		{"a field that a type does not have: nothing of it", "", []Filter{{"nope", []string{"x"}}}, []string{}},
		{"a value without a word is no condition", "", []Filter{{"kind", []string{""}}}, []string{"a", "b", "c", "d", "e"}},
		{"the location can be filtered by", "", []Filter{{"location", []string{"/catalog/default/component/a"}}}, []string{"a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, titles(t, Query{Term: tc.term, Filters: tc.filters}, scope, other))
		})
	}
}

func TestHighlights(t *testing.T) {
	scope := scopeOf(document("cart <b>api</b>", "text", "Keeps carts & the <script>cart</script>; CartService", "kind", "API", "owner", "x"))
	for _, tc := range []struct {
		name, term string
		want       []jsonvalue.Member
	}{
		{"whole words, in every field that has some, and the text as it is", "cart", []jsonvalue.Member{
			{Key: "title", Value: "[cart] <b>api</b>"},
			{Key: "text", Value: "Keeps [carts] & the <script>[cart]</script>; [CartService]"}}},
		{"typos and begins", "ap", []jsonvalue.Member{{Key: "title", Value: "cart <b>[api]</b>"}, {Key: "kind", Value: "[API]"}}},
		{"nothing typed", "", nil},
		{"a location is no text", "cart component", []jsonvalue.Member{
			{Key: "title", Value: "[cart] <b>api</b>"},
			{Key: "text", Value: "Keeps [carts] & the <script>[cart]</script>; [CartService]"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Find(context.Background(), []Scope{scope}, Query{Term: tc.term, Limit: 1, Pre: "[", Post: "]"})
			require.NoError(t, err)
			require.Equal(t, tc.want, r.Hits[0].Highlights)
		})
	}
	m := newMarker([]queryWord{newQueryWord("cart")}, "<m>", "</m>")
	_, any := m.mark("cart <m>not found</m>", false)
	require.False(t, any, "a text with the marks in it would show what was not found as found")
}

func TestLocationsThatNobodyShouldFollow(t *testing.T) {
	for location, safe := range map[string]bool{
		"/catalog/a": true, "docs/a:b": true, "https://x/y": true, "HTTP://x": true, "": true, "?a:b": true, "#a:b": true,
		"javascript:alert(1)": false, " java\tscript:alert(1)": false, "JavaScript:x": false, "data:text/html,x": false,
		"vbscript:x": false, "\x00javascript:x": false, "ftp://x": false, "file:///etc": false,
	} {
		require.Equal(t, safe, safeLocation(location), "%q", location)
		require.Len(t, titles(t, Query{}, scopeOf(document("a", "location", location))), map[bool]int{true: 1}[safe])
	}
}

// What the asker may see changes which results there are, and nothing else.
func TestVisible(t *testing.T) {
	all := scopeOf(documentsOf(400)...)
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		term := strings.Join([]string{pick(r, things), pick(r, roles), pick(r, verbs)}[:r.IntN(4)], " ")
		share := r.IntN(5)
		allowed := func(resource string) bool { return int(resource[len(resource)/2])%5 < share }
		some := all
		some.Visible = func(_ context.Context, resources []string) ([]bool, error) {
			out := make([]bool, len(resources))
			for i, resource := range resources {
				out[i] = allowed(resource)
			}
			return out, nil
		}
		var want []string
		everything, err := Find(context.Background(), []Scope{all}, Query{Term: term, Limit: 1000})
		require.NoError(t, err)
		for _, h := range everything.Hits {
			if allowed(resourceOf(t, h.Body)) {
				want = append(want, string(h.Body))
			}
		}
		var got []string
		for offset := 0; ; offset += 7 {
			page, err := Find(context.Background(), []Scope{some}, Query{Term: term, Offset: offset, Limit: 7})
			require.NoError(t, err)
			require.Equal(t, len(want), page.Total)
			if len(page.Hits) == 0 {
				break
			}
			for _, h := range page.Hits {
				got = append(got, string(h.Body))
			}
		}
		require.Equal(t, want, got, "%q", term)
	}
	failed := errors.New("no answer")
	all.Visible = func(context.Context, []string) ([]bool, error) { return nil, failed }
	_, err := Find(context.Background(), []Scope{all}, Query{})
	require.ErrorIs(t, err, failed, "without an answer nothing is shown")
}

func resourceOf(t *testing.T, body []byte) string {
	o, err := jsonvalue.ParseObject(body)
	require.NoError(t, err)
	segments := strings.Split(o.String("location"), "/") // "", catalog, namespace, kind, name
	return segments[3] + ":" + segments[2] + "/" + segments[4]
}

func TestFindEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Find(ctx, []Scope{scopeOf(document("a"))}, Query{Term: "a"})
	require.ErrorIs(t, err, context.Canceled)
}

// An index that was changed many times answers like one that was built of what
// is left.
func TestChangesAndRebuildsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x, model := New(), map[string]Document{}
	pool := documentsOf(300)
	for round := range 150 {
		var put []Document
		var remove []string
		for range r.IntN(12) {
			d := pool[r.IntN(len(pool))]
			if r.IntN(3) == 0 {
				d.Body = d.Body.Clone()
				d.Body.Set("text", pick(r, verbs)+" "+pick(r, things))
				d.Body.Set("extra", pick(r, fields))
			}
			if r.IntN(4) == 0 {
				remove = append(remove, d.Key)
				delete(model, d.Key)
			}
			put = append(put, d)
		}
		for _, d := range put {
			model[d.Key] = d
		}
		for range r.IntN(6) {
			key := pool[r.IntN(len(pool))].Key
			if !slices.ContainsFunc(put, func(d Document) bool { return d.Key == key }) {
				remove = append(remove, key)
				delete(model, key)
			}
		}
		x.Apply(put, remove)
		fresh := New()
		var left []Document
		for _, d := range model {
			left = append(left, d)
		}
		fresh.Replace(left)
		require.Equal(t, len(model), x.Snapshot().Len())
		require.Less(t, len(x.Snapshot().parts), 16, "parts are joined")
		for _, q := range []Query{{}, {Term: pick(r, things)}, {Term: pick(r, things)[1:] + " " + pick(r, roles)},
			{Term: pick(r, verbs), Filters: []Filter{{"kind", []string{"Component", "API"}}}}, {Filters: []Filter{{"extra", []string{pick(r, fields)}}}}} {
			q.Limit, q.Pre, q.Post = 50, "[", "]"
			want, err := Find(context.Background(), []Scope{{Snapshot: fresh.Snapshot()}}, q)
			require.NoError(t, err)
			got, err := Find(context.Background(), []Scope{{Snapshot: x.Snapshot()}}, q)
			require.NoError(t, err)
			require.Equal(t, readable(want), readable(got), "round %d, %+v", round, q)
		}
	}
}

func readable(r Result) []string {
	out := []string{fmt.Sprint(r.Total)}
	for _, h := range r.Hits {
		out = append(out, string(h.Body)+fmt.Sprint(h.Highlights))
	}
	return out
}

// The walk over the dictionary finds what comparing with every word finds.
func TestVariantsAreThoseOfAScan(t *testing.T) {
	scope := scopeOf(documentsOf(2000)...)
	s := scope.Snapshot.parts[0].segment
	r := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		text := []byte(s.words[r.IntN(len(s.words))])
		for range r.IntN(3) {
			text[r.IntN(len(text))] = byte('a' + r.IntN(26))
		}
		q := newQueryWord(string(text[:1+r.IntN(len(text))]))
		want, got := map[string]float32{}, map[string]float32{}
		for _, w := range s.words {
			if quality := q.quality(w); quality > 0 {
				want[w] = quality
			}
		}
		s.eachVariant(&q, func(v variant) { got[s.words[v.word]] = max(got[s.words[v.word]], v.quality) })
		require.Equal(t, want, got, q.text)
	}
}

func TestFromEntity(t *testing.T) {
	entity := func(json string) catalog.Entity {
		o, err := jsonvalue.ParseObject([]byte(json))
		require.NoError(t, err)
		return catalog.Entity{Object: o}
	}
	for _, tc := range []struct{ name, entity, template, want string }{
		{"a user", `{"kind":"User","metadata":{"name":"guest"},"spec":{}}`, DefaultLocation,
			`{"title":"guest","text":"","componentType":"other","type":"other","namespace":"default","kind":"User","lifecycle":"","owner":"","location":"/catalog/default/user/guest"}`},
		{"a user with a profile", `{"kind":"User","metadata":{"name":"Jane","namespace":"Staff","description":"writes"},"spec":{"profile":{"displayName":"Jane Doe","email":"j@x.org"}}}`, DefaultLocation,
			`{"title":"Jane","text":"writes : Jane Doe : j@x.org","componentType":"other","type":"other","namespace":"Staff","kind":"User","lifecycle":"","owner":"","location":"/catalog/staff/user/jane"}`},
		{"a group shows no address", `{"kind":"Group","metadata":{"name":"g"},"spec":{"type":"team","profile":{"displayName":"G","email":"g@x.org"}}}`, DefaultLocation,
			`{"title":"g","text":"G","componentType":"team","type":"team","namespace":"default","kind":"Group","lifecycle":"","owner":"","location":"/catalog/default/group/g"}`},
		{"a component", `{"kind":"Component","metadata":{"name":"a","title":"A <b>","description":"d"},"spec":{"type":"service","lifecycle":"production","owner":"team-a"}}`, "/c/:kind/:name?n=:namespace",
			`{"title":"A <b>","text":"d","componentType":"service","type":"service","namespace":"default","kind":"Component","lifecycle":"production","owner":"team-a","location":"/c/component/a?n=default"}`},
		{"values that are no texts", `{"kind":"Component","metadata":{"name":"a"},"spec":{"type":7,"lifecycle":[],"owner":{}}}`, DefaultLocation,
			`{"title":"a","text":"","componentType":"other","type":"other","namespace":"default","kind":"Component","lifecycle":"","owner":"","location":"/catalog/default/component/a"}`},
		{"a name that would leave the path", `{"kind":"a/b","metadata":{"name":"../x?y#z"}}`, DefaultLocation,
			`{"title":"../x?y#z","text":"","componentType":"other","type":"other","namespace":"default","kind":"a/b","lifecycle":"","owner":"","location":"/catalog/default/a%2fb/..%2fx%3fy%23z"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := FromEntity(entity(tc.entity), tc.template)
			require.Equal(t, tc.want, string(jsonvalue.Append(nil, d.Body)))
			require.Equal(t, entity(tc.entity).Ref().String(), d.Resource)
		})
	}
}
