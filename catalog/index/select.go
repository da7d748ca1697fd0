package index

import (
	"cmp"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A Selection is a set of entities of one snapshot.
type Selection struct {
	s   *Snapshot
	ids *set
}

// Select returns the entities that a filter matches.
func (s *Snapshot) Select(f query.Filter) Selection { return Selection{s, s.eval(f)} }

// Len returns how many entities are selected.
func (x Selection) Len() int { return x.ids.len() }

// Has tells whether an entity is selected.
func (x Selection) Has(id ID) bool { return x.ids.has(id) }

// All yields the selected entities in order of their uids.
func (x Selection) All(yield func(ID) bool) { x.ids.each(yield) }

// Filters whose sets are kept: those that look at many terms, and, where sets
// are large, those that put sets together.
const largeCatalog = 4 * blockSize

// eval returns the set of the entities that a filter matches.
func (s *Snapshot) eval(f query.Filter) *set {
	switch x := f.(type) {
	case query.And, query.Or, query.Not:
		if s.all.len() < largeCatalog {
			return s.work(f)
		}
	case query.In:
		if len(x.Values) < manyValues {
			return s.work(f)
		}
	case query.HasPrefix, query.Matches:
	default:
		return s.work(f)
	}
	ids, _ := s.remember(cachedSet, f, "", func() (any, int) {
		ids := s.work(f)
		return ids, ids.size()
	}).(*set)
	return ids
}

// manyValues is from how many values on a set is worth keeping.
const manyValues = 32

// work works out the set of the entities that a filter matches.
func (s *Snapshot) work(f query.Filter) *set {
	switch f := f.(type) {
	case nil, query.All:
		return s.all
	case query.None:
		return nil
	case query.And:
		return s.evalAnd(f)
	case query.Or:
		sets := make([]*set, len(f))
		for i, x := range f {
			sets[i] = s.eval(x)
		}
		return union(sets)
	case query.Not:
		return s.all.minus(s.eval(f.Filter))
	case query.Exists:
		return s.withRow(s.lookup(f.Key))
	case query.In:
		return s.evalIn(f)
	case query.HasPrefix:
		return s.evalPrefix(f)
	case query.Matches:
		return s.evalMatches(f)
	}
	panic("index: unknown filter")
}

// evalAnd takes the conditions that are looked up before those that are worked
// out, stops where nothing is left, and starts from the smallest set.
func (s *Snapshot) evalAnd(f query.And) *set {
	var sets []*set
	for _, negated := range []bool{false, true} {
		for _, x := range f {
			if _, isNot := x.(query.Not); isNot != negated {
				continue
			}
			ids := s.eval(x)
			if ids == nil {
				return nil
			}
			sets = append(sets, ids)
		}
	}
	if len(sets) == 0 {
		return s.all
	}
	slices.SortStableFunc(sets, func(a, b *set) int { return cmp.Compare(a.len(), b.len()) })
	out := sets[0]
	for _, x := range sets[1:] {
		if x.n != s.all.n {
			out = out.and(x)
		}
	}
	return out
}

func (s *Snapshot) evalIn(f query.In) *set {
	x := s.lookup(f.Key)
	if x == nil {
		return nil
	}
	var space [4]uint32
	terms := space[:0]
	for _, value := range f.Values {
		terms = s.valueTerms(terms, x, value)
	}
	return s.unionOf(terms)
}

func (s *Snapshot) evalPrefix(f query.HasPrefix) *set {
	x := s.lookup(f.Key)
	switch {
	case x == nil:
		return nil
	case f.Prefix == "":
		return s.withValue(x)
	case x.values == nil:
		if x.sole != 0 && strings.HasPrefix(s.value(x.sole-1), f.Prefix) {
			return s.posting(x.sole - 1)
		}
		return nil
	}
	var terms []uint32
	c := x.values.seek(s.notBefore(f.Prefix))
	for ; c.ok && strings.HasPrefix(s.value(c.item()), f.Prefix); c.next() {
		terms = append(terms, c.item())
	}
	return s.unionOf(terms)
}

func (s *Snapshot) evalMatches(f query.Matches) *set {
	if !f.Pattern.Possible() {
		return nil
	}
	var sets []*set
	for _, key := range f.Keys {
		if x := s.lookup(key); x != nil {
			sets = append(sets, s.unionOf(s.matching(x, f.Pattern)))
		}
	}
	return union(sets)
}
