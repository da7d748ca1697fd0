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

// Facets counts for each key, among the entities that a filter matches, those
// that have each original value, in order of the values. It leaves out values
// that none of them has, and NULL. The lists must not be changed.
func (s *Snapshot) Facets(f query.Filter, keys []string) [][]FacetValue {
	in := s.eval(f)
	out := make([][]FacetValue, len(keys))
	for i, key := range keys {
		out[i] = s.facetOf(f, in, query.Lower(key))
	}
	return out
}

func (s *Snapshot) facetOf(f query.Filter, in *set, key string) []FacetValue {
	const worthKeeping = 256 // entities
	x := s.lookup(key)
	if x == nil || in == nil {
		return nil
	}
	if s.withValue(x).len() < worthKeeping {
		return s.countValues(x, in)
	}
	counts, _ := s.remember(cachedFacet, f, key, func() (any, int) {
		counts := s.countValues(x, in)
		return counts, 24 * cap(counts)
	}).([]FacetValue)
	return counts
}

// countValues counts from the side where there is less to look at.
func (s *Snapshot) countValues(f *field, in *set) []FacetValue {
	const gathering = 8 // what an entity costs, where an entity of a term costs 1
	var out []FacetValue
	if gathering*in.len() < s.withValue(f).len() {
		out = s.countHits(f, in)
	} else {
		out = s.countTerms(f, in)
	}
	byValue := func(a, b FacetValue) int { return cmp.Compare(a.Value, b.Value) }
	if !slices.IsSortedFunc(out, byValue) {
		slices.SortFunc(out, byValue)
	}
	return out
}

func (s *Snapshot) countHits(f *field, in *set) []FacetValue {
	hits := s.hitsOf(in, f)
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Compare(a.term, b.term) })
	var out []FacetValue
	for i, h := range hits {
		if i == 0 || hits[i-1].term != h.term {
			out = append(out, FacetValue{Value: s.original(h.term)})
		}
		out[len(out)-1].Count++
	}
	return out
}

func (s *Snapshot) countTerms(f *field, in *set) []FacetValue {
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
	return out
}
