package index

import (
	"cmp"
	"slices"
	"strings"
	"unsafe"

	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A Hit is one row of a result: an entity, and where there is an order the
// value that it stands there for. An entity with several values of the order's
// field has several hits.
type Hit struct {
	ID   ID
	term uint32
}

// A Position is the place of a hit in a result, whether the hit still exists
// or not. Value is nil where there is no order.
type Position struct {
	Value *string
	UID   string
}

// PositionOf returns the position of a hit in a result with or without order.
func (s *Snapshot) PositionOf(h Hit, ordered bool) Position {
	p := Position{UID: s.UID(h.ID).String()}
	if ordered {
		value := s.value(h.term)
		p.Value = &value
	}
	return p
}

// A Search asks for one page of the entities that a filter matches.
type Search struct {
	Filter query.Filter
	// Order is by the values of a field and then by uid, in the same
	// direction; entities without a value are not part of the result. Nil is
	// the order by uid.
	Order *query.Order
	// After is the position behind which the page begins; with Backward the
	// page ends before it. Nil: the page begins with the result.
	After    *Position
	Backward bool
	Offset   int // hits that are left out, where After is nil
	Limit    int
	NoTotal  bool // Result.Total is not asked for
}

// A Result is one page.
type Result struct {
	Hits []Hit
	// More tells that there are hits beyond the page, in its direction.
	More bool
	// Total is how many entities are part of the result, on all pages.
	Total int
}

// Search returns the page that is asked for.
func (s *Snapshot) Search(q Search) Result {
	x := sequence{s: s, in: s.eval(q.Filter), all: s.all.len()}
	if q.Order != nil {
		x.ordered, x.descending = true, q.Order.Descending
		x.field = s.lookup(q.Order.Key())
		if x.field == nil {
			return Result{}
		}
	}
	x.matches = x.total()
	r := Result{Total: x.matches}
	if q.Limit <= 0 || x.matches == 0 {
		return r
	}
	r.Hits = x.page(&q)
	if r.More = len(r.Hits) > q.Limit; r.More {
		r.Hits = r.Hits[:q.Limit]
	}
	if q.Backward {
		slices.Reverse(r.Hits)
	}
	return r
}

// A sequence is the result of a search as a whole.
type sequence struct {
	s          *Snapshot
	in         *set
	all        int
	ordered    bool
	descending bool
	field      *field
	matches    int // entities
}

// total returns how many entities are in the sequence.
func (x *sequence) total() int {
	if !x.ordered {
		return x.in.len()
	}
	valued := x.s.withValue(x.field)
	switch {
	case valued.len() == x.all:
		return x.in.len()
	case x.in.len() == x.all:
		return valued.len()
	}
	return x.in.andLen(valued)
}

// page returns one hit more than the limit, if there are as many, in the
// direction of the page.
func (x *sequence) page(q *Search) []Hit {
	if q.After != nil && x.ordered && q.After.Value == nil {
		return nil // nothing stands before or behind NULL
	}
	skip := q.Offset
	if q.After != nil {
		skip = 0
	}
	if skip >= 1<<30 {
		return nil
	}
	if x.ordered {
		return x.byValue(q, skip)
	}
	return x.byUID(q, skip)
}

// byValue returns the hits of the page in a sequence with an order, in the
// cheapest way: where many entities have to be looked at, by sorting all that
// match, which is kept for the pages that follow.
func (x *sequence) byValue(q *Search, skip int) []Hit {
	const worthKeeping = 512
	descending := x.descending != q.Backward
	visited := float64(skip+q.Limit+1) * float64(x.s.withValue(x.field).len()) / float64(x.matches)
	sorting := gathering * float64(x.matches)
	if min(visited, sorting) > worthKeeping {
		hits := x.s.remember(cachedHits, q.Filter, x.field.key, func() (any, int) {
			hits := x.sorted()
			return hits, 8 * cap(hits)
		}).([]Hit)
		return x.cut(hits, q, skip, descending)
	}
	if sorting < visited {
		return x.cut(x.s.hitsOf(x.in, x.field), q, skip, descending)
	}
	hits := make([]Hit, 0, min(q.Limit, x.matches)+1)
	x.walk(q.After, descending, func(h Hit) bool {
		if skip > 0 {
			skip--
			return true
		}
		hits = append(hits, h)
		return len(hits) <= q.Limit
	})
	return hits
}

// gathering is what collecting and sorting one entity costs, where looking at
// one in the order of the field costs 1.
const gathering = 12

// sorted returns all hits in ascending order.
func (x *sequence) sorted() []Hit {
	if gathering*x.matches < x.s.withValue(x.field).len() {
		return x.s.hitsOf(x.in, x.field)
	}
	hits := make([]Hit, 0, x.matches)
	x.walk(nil, false, func(h Hit) bool { hits = append(hits, h); return true })
	return hits
}

// byUID returns the hits of the page in a sequence without order.
func (x *sequence) byUID(q *Search, skip int) []Hit {
	hits := make([]Hit, 0, min(q.Limit, x.matches)+1)
	take := func(id ID) bool {
		hits = append(hits, Hit{ID: id})
		return len(hits) <= q.Limit
	}
	switch {
	case q.After == nil && q.Backward:
	case q.After == nil:
		if skip < x.in.len() {
			x.in.from(x.in.nth(skip), take)
		}
	case q.Backward:
		if id, ok := x.s.lastBefore(q.After.UID); ok {
			x.in.downFrom(id, take)
		}
	default:
		if id, ok := x.s.firstAfter(q.After.UID); ok {
			x.in.from(id, take)
		}
	}
	return hits
}

// firstAfter returns the first entity whose uid, as text, is above uid.
func (s *Snapshot) firstAfter(uid string) (id ID, ok bool) {
	i := s.uidsBelow(textCompare(uid, true))
	if i == s.all.len() {
		return 0, false
	}
	return s.all.nth(i), true
}

// lastBefore returns the last entity whose uid, as text, is below uid.
func (s *Snapshot) lastBefore(uid string) (id ID, ok bool) {
	i := s.uidsBelow(textCompare(uid, false))
	if i == 0 {
		return 0, false
	}
	return s.all.nth(i - 1), true
}

// cut returns the part of all hits, sorted, that is the page.
func (x *sequence) cut(hits []Hit, q *Search, skip int, descending bool) []Hit {
	from, to := 0, len(hits)
	if q.After != nil {
		at, found := slices.BinarySearchFunc(hits, q.After, func(h Hit, p *Position) int {
			return cmp.Or(strings.Compare(x.s.value(h.term), *p.Value), strings.Compare(x.s.UID(h.ID).String(), p.UID))
		})
		to = at
		if from = at; found {
			from++
		}
	}
	if !descending {
		from = min(len(hits), from+skip)
		return slices.Clone(hits[from:min(len(hits), from+q.Limit+1)])
	}
	if q.After == nil {
		to = len(hits)
	}
	to = max(0, to-skip)
	page := slices.Clone(hits[max(0, to-q.Limit-1):to])
	slices.Reverse(page)
	return page
}

// hitsOf returns a hit for each value that some entities have of a field,
// sorted by value and then by uid.
func (s *Snapshot) hitsOf(in *set, f *field) []Hit {
	hits := make([]Hit, 0, in.len())
	in.each(func(id uint32) bool {
		s.eachTerm(id, f, func(term uint32) { hits = append(hits, Hit{id, term}) })
		return true
	})
	s.sortHits(hits)
	return hits
}

// eachTerm calls visit for the terms that an entity has of a field, but for
// NULL.
func (s *Snapshot) eachTerm(id ID, f *field, visit func(term uint32)) {
	terms := s.entity(id).terms
	for i := s.firstTerm(terms, f.number); i < len(terms); i++ {
		_, t := s.term(terms[i])
		if t.field != f.number {
			return
		}
		if !t.null {
			visit(terms[i])
		}
	}
}

// firstTerm returns the place of the first of an entity's terms that is of the
// field or of a later one.
func (s *Snapshot) firstTerm(terms []uint32, field uint32) int {
	lo, hi := 0, len(terms)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if _, t := s.term(terms[mid]); t.field < field {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// sortHits sorts by value and then by uid.
func (s *Snapshot) sortHits(hits []Hit) {
	type item struct {
		word uint64 // the first bytes of the value
		hit  Hit
	}
	items := make([]item, len(hits))
	for i, h := range hits {
		value := s.value(h.term)
		items[i] = item{wordAt(unsafe.Slice(unsafe.StringData(value), len(value)), 0), h}
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.word != b.word {
			return cmp.Compare(a.word, b.word)
		}
		if a.hit.term != b.hit.term {
			if c := strings.Compare(s.value(a.hit.term), s.value(b.hit.term)); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.hit.ID, b.hit.ID)
	})
	for i, x := range items {
		hits[i] = x.hit
	}
}

// walk visits the hits in the order of the field's values, from the position
// on.
func (x *sequence) walk(after *Position, descending bool, visit func(Hit) bool) {
	var start *string
	if after != nil {
		start = after.Value
	}
	w := valueWalk{s: x.s, field: x.field, in: x.in, descending: descending}
	if x.in.len() == x.all {
		w.in = nil
	}
	w.each(start, func(g group) bool {
		from, to := ID(0), ^ID(0)
		if start != nil && g.value() == *start {
			var ok bool
			if descending {
				to, ok = x.s.lastBefore(after.UID)
			} else {
				from, ok = x.s.firstAfter(after.UID)
			}
			if !ok {
				return true
			}
		}
		return g.each(from, to, descending, visit)
	})
}

// A group is all that a sequence has of one value.
type group struct {
	s     *Snapshot
	terms []uint32 // of that value, at least one
	one   ID       // the only entity, where many is nil
	many  *set
}

func (g group) value() string { return g.s.value(g.terms[0]) }

// each visits the hits of a group, by uid, within bounds.
func (g group) each(from, to ID, descending bool, visit func(Hit) bool) bool {
	if g.many == nil {
		return g.one < from || g.one > to || visit(Hit{g.one, g.terms[0]})
	}
	// Not captured with g, which would then be allocated for every group.
	term := g.terms[0]
	if descending {
		return g.many.downFrom(to, func(id uint32) bool { return id < from || visit(Hit{id, term}) })
	}
	return g.many.from(from, func(id uint32) bool { return id > to || visit(Hit{id, term}) })
}

// A valueWalk goes through the values of a field.
type valueWalk struct {
	s          *Snapshot
	field      *field
	in         *set // nil: all
	descending bool
}

// each visits the groups that are not empty, from the value start on, nil from
// the end at which the walk begins.
func (w *valueWalk) each(start *string, visit func(group) bool) {
	if w.field.values == nil {
		w.sole(start, visit)
		return
	}
	var terms []uint32
	c := w.cursor(start)
	for c.ok {
		terms = append(terms[:0], c.item())
		for w.step(&c); c.ok && w.s.sameValue(terms[0], c.item()); w.step(&c) {
			terms = append(terms, c.item())
		}
		if g, ok := w.group(terms); ok && !visit(g) {
			return
		}
	}
}

func (w *valueWalk) step(c *treeCursor) {
	if w.descending {
		c.prev()
	} else {
		c.next()
	}
}

func (w *valueWalk) sole(start *string, visit func(group) bool) {
	if w.field.sole == 0 {
		return
	}
	term := w.field.sole - 1
	if start != nil {
		if c := strings.Compare(w.s.value(term), *start); c < 0 && !w.descending || c > 0 && w.descending {
			return
		}
	}
	if g, ok := w.group([]uint32{term}); ok {
		visit(g)
	}
}

func (w *valueWalk) cursor(start *string) treeCursor {
	switch {
	case start == nil && w.descending:
		return w.field.values.last()
	case start == nil:
		return w.field.values.first()
	case w.descending:
		return w.field.values.seekBack(w.s.behind(*start))
	}
	return w.field.values.seek(w.s.notBefore(*start))
}

// behind finds the place of the first term whose value is above value.
func (s *Snapshot) behind(value string) compare {
	return func(number uint32) int {
		if strings.Compare(value, s.value(number)) >= 0 {
			return 1
		}
		return -1
	}
}

// sameValue tells whether two terms of a field differ in the original only.
func (s *Snapshot) sameValue(a, b uint32) bool {
	p, t := s.term(a)
	q, u := s.term(b)
	return (t.original != 0 || u.original != 0) && t.value == u.value &&
		p.slice(t.at, uint32(t.value)) == q.slice(u.at, uint32(u.value))
}

func (w *valueWalk) group(terms []uint32) (g group, ok bool) {
	g = group{s: w.s, terms: terms}
	if len(terms) == 1 {
		if g.one, ok = w.s.alone(terms[0]); ok {
			return g, w.in == nil || w.in.has(g.one)
		}
	}
	g.many = w.s.unionOf(terms)
	if w.in != nil {
		g.many = g.many.and(w.in)
	}
	return g, g.many != nil
}
