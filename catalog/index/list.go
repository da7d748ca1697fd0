package index

import (
	"slices"

	"github.com/greenroom-idp/greenroom/catalog/query"
)

// List returns a part of the entities that a filter matches, with the offset
// and limit, and whether there are more. It sorts by several fields, whose
// keys are taken as they are; entities without a value come last, whatever the
// direction, and an entity with several values comes once for each. Ties are in
// order of uid; without orders it sorts by ref.
func (s *Snapshot) List(f query.Filter, orders []query.Order, offset, limit int) (ids []ID, more bool) {
	in := s.eval(f)
	if in == nil || limit <= 0 {
		return nil, false
	}
	take := func(id ID) bool {
		if offset > 0 {
			offset--
			return true
		}
		if more = len(ids) == limit; more {
			return false
		}
		ids = append(ids, id)
		return true
	}
	if len(orders) == 0 {
		s.byRef(in, offset+limit, take)
		return ids, more
	}
	s.ranked(in, orders, take)
	return ids, more
}

// byRef visits entities in order of their refs, of which so many are wanted.
func (s *Snapshot) byRef(in *set, wanted int, visit func(ID) bool) {
	const sorting = 4 // what one entity costs, against looking at one
	if float64(sorting*in.len()) > float64(wanted)*float64(s.all.len())/float64(in.len()) {
		s.refs.each(func(id uint32) bool { return !in.has(id) || visit(id) })
		return
	}
	ids := slices.Clone(in.slice())
	slices.SortFunc(ids, func(a, b uint32) int {
		switch ra, rb := s.entity(a).ref, s.entity(b).ref; {
		case ra < rb:
			return -1
		case ra > rb:
			return 1
		}
		return 0
	})
	for _, id := range ids {
		if !visit(id) {
			return
		}
	}
}

// ranked visits entities in order of one field after the other.
func (s *Snapshot) ranked(in *set, orders []query.Order, visit func(ID) bool) bool {
	if len(orders) == 0 || in == nil {
		return in.each(visit)
	}
	f := s.lookup(orders[0].Field)
	if f == nil {
		return s.ranked(in, orders[1:], visit)
	}
	more := true
	s.eachGroup(f, in, orders[0].Descending, func(ids *set) bool {
		more = s.ranked(ids, orders[1:], visit)
		return more
	})
	if !more {
		return false
	}
	rest := in.minus(s.withValue(f))
	if f.null != 0 {
		rest = rest.or(in.and(s.posting(f.null - 1)))
	}
	return s.ranked(rest, orders[1:], visit)
}

// eachGroup visits the entities of each value of a field, in order of the
// values.
func (s *Snapshot) eachGroup(f *field, in *set, descending bool, visit func(*set) bool) {
	if in.len() > gatherAlways {
		w := valueWalk{s: s, field: f, in: in, descending: descending}
		w.each(nil, func(g group) bool {
			if g.many == nil {
				return visit(&set{n: 1, ids: []uint32{g.one}})
			}
			return visit(g.many)
		})
		return
	}
	hits := s.hitsOf(in, f)
	for descending && len(hits) > 0 {
		from := len(hits) - 1
		for from > 0 && s.value(hits[from-1].term) == s.value(hits[from].term) {
			from--
		}
		if !visit(idsOf(hits[from:])) {
			return
		}
		hits = hits[:from]
	}
	for len(hits) > 0 {
		to := 1
		for to < len(hits) && s.value(hits[to].term) == s.value(hits[0].term) {
			to++
		}
		if !visit(idsOf(hits[:to])) {
			return
		}
		hits = hits[to:]
	}
}

// gatherAlways is up to how many entities are sorted rather than looked for.
const gatherAlways = 64

func idsOf(hits []Hit) *set {
	ids := make([]uint32, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return newSet(ids)
}
