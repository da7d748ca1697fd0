package found_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/found"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

func entity(t *testing.T, text string) catalog.Entity {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return catalog.Entity{Object: o}
}

func find(t *testing.T, x *search.Index, term string, filters ...search.Filter) (bodies []string) {
	t.Helper()
	r, err := search.Find(t.Context(), []search.Scope{{Type: found.Type, Snapshot: x.Snapshot()}}, search.Query{Term: term, Filters: filters, Limit: 100})
	require.NoError(t, err)
	for _, h := range r.Hits {
		bodies = append(bodies, string(h.Body))
	}
	return bodies
}

func TestDocuments(t *testing.T) {
	x := search.New()
	d := found.New(x, "")
	e := entity(t, `{"kind":"Component","metadata":{"name":"Booking","title":"The booking","annotations":{"a/b":"c"}},
		"spec":{"type":"service","lifecycle":"production","owner":"x"},"relations":[{"type":"ownedBy","targetRef":"group:default/rentals"}]}`)
	d.Put(e, slices.Values([]site.Section{
		{Path: "guide/#first steps", Title: "Steps", Text: "how to pedal"}, {Path: "", Title: "Start", Text: "welcome"}, {Path: "", Title: "Twice", Text: "x"},
	}))
	require.Equal(t, []string{`{"title":"Steps","text":"how to pedal","path":"guide/#first steps","location":"/docs/default/component/booking/guide/#first%20steps",` +
		`"namespace":"default","kind":"component","name":"booking","entityTitle":"The booking","componentType":"service","type":"service",` +
		`"lifecycle":"production","owner":"rentals","annotations":{"a/b":"c"}}`}, find(t, x, "pedal"))
	require.Len(t, find(t, x, ""), 2, "of two sections at one place there is one")
	require.True(t, d.Has("component:default/booking"))

	d.Put(e, slices.Values([]site.Section{{Path: "", Title: "Start", Text: "goodbye"}}))
	require.Empty(t, find(t, x, "pedal"))
	require.Len(t, find(t, x, "goodbye"), 1)

	other := entity(t, `{"kind":"API","metadata":{"name":"other","namespace":"shop"}}`)
	d.Put(other, slices.Values([]site.Section{{Path: "a/", Title: "A", Text: "goodbye"}}))
	require.Len(t, find(t, x, "goodbye"), 2)
	d.Remove("component:default/booking")
	d.Remove("component:default/nobody")
	require.Contains(t, find(t, x, "goodbye")[0], `"location":"/docs/shop/api/other/a/"`)
	require.Len(t, find(t, x, ""), 1)
}
