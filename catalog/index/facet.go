package index

import (
	"cmp"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A FacetValue is an original value of a field and how many entities have it.
type FacetValue struct {
	Value string
	Count int
}

// Facet counts, among the entities that a filter matches, those that have each
// original value of a key, in order of the values. It leaves out values that
// none of them has, and NULL.
func (s *Snapshot) Facet(f query.Filter, key string) []FacetValue {
	return s.facetOf(s.eval(f), query.Lower(key))
}

// Facets is Facet for several keys.
func (s *Snapshot) Facets(f query.Filter, keys []string) [][]FacetValue {
	in := s.eval(f)
	out := make([][]FacetValue, len(keys))
	for i, key := range keys {
		out[i] = s.facetOf(in, query.Lower(key))
	}
	return out
}

func (s *Snapshot) facetOf(in *set, key string) []FacetValue {
	f := s.lookup(key)
	if f == nil || in == nil {
		return nil
	}
	var out []FacetValue
	all := in.len() == s.all.len()
	f.eachValue(func(number uint32) bool {
		n := 0
		switch id, alone := s.alone(number); {
		case all:
			n = s.count(number)
		case !alone:
			n = s.posting(number).andLen(in)
		case in.has(id):
			n = 1
		}
		if n > 0 {
			out = append(out, FacetValue{s.original(number), n})
		}
		return true
	})
	byValue := func(a, b FacetValue) int { return cmp.Compare(a.Value, b.Value) }
	if !slices.IsSortedFunc(out, byValue) {
		slices.SortFunc(out, byValue)
	}
	return out
}
