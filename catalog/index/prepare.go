package index

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Change is what became of one entity: it is new, or other than it was, or,
// with nil Rows, gone.
type Change struct {
	UID catalog.UID
	// Ref is the canonical ref. It does not change while the uid stays.
	Ref  string
	Rows []Row // as Flatten returns them
}

// Prepare makes the snapshot that follows the newest one, for Commit to show.
// Of several changes of one uid the last counts. The slices may be used again
// afterwards. The cost follows the number of rows that differ, except where a
// uid is new and not above all others: then all is built anew.
func (x *Index) Prepare(revision uint64, changes []Change) *Snapshot {
	base := x.Snapshot()
	changes = lastOfEach(changes)
	if base.outOfOrder(changes) {
		return base.rebuild(revision, changes)
	}
	e := edit{s: *base, own: new(token), fieldNumbers: map[string]uint32{}, terms: map[uint32]*delta{}, fields: map[uint32]*fieldDelta{}}
	e.touched = map[uint32]struct{}{}
	e.s.revision = revision
	e.s.edition++
	// What goes makes room before what comes: a ref may have got another uid.
	for _, c := range changes {
		if c.Rows == nil {
			e.remove(c.UID)
		}
	}
	for _, c := range changes {
		if c.Rows != nil {
			e.put(c)
		}
	}
	e.finish()
	return &e.s
}

// lastOfEach returns the last change of each uid in order of uids.
func lastOfEach(changes []Change) []Change {
	out := slices.Clone(changes)
	slices.SortStableFunc(out, func(a, b Change) int { return bytes.Compare(a.UID[:], b.UID[:]) })
	kept := out[:0]
	for i, c := range out {
		if i+1 == len(out) || out[i+1].UID != c.UID {
			kept = append(kept, c)
		}
	}
	return kept
}

// outOfOrder tells whether a uid is new and not above all others.
func (s *Snapshot) outOfOrder(changes []Change) bool {
	n := s.all.len()
	if n == 0 {
		return false
	}
	last := s.UID(s.all.nth(n - 1))
	return slices.ContainsFunc(changes, func(c Change) bool {
		if c.Rows == nil || bytes.Compare(c.UID[:], last[:]) > 0 {
			return false
		}
		_, known := s.ByUID(c.UID)
		return !known
	})
}

// An edit makes a snapshot out of the one it began with. What happens to sets
// is noted first and done at the end, once for each.
type edit struct {
	s Snapshot
	// own is allocated on its own, since what the edit makes keeps it.
	own *token
	// fieldNumbers are those of keys that were looked up.
	fieldNumbers map[string]uint32
	terms        map[uint32]*delta
	fields       map[uint32]*fieldDelta
	touched      map[uint32]struct{} // fields of the entity at hand
	gone         []uint32            // IDs of removed entities
	come         []uint32
}

// A delta is what happens to a set. An ID is in one list at most.
type delta struct {
	remove, add []uint32
	isNew       bool // the term has no posting yet
}

// A fieldDelta is what happens to the sets of a field.
type fieldDelta struct {
	has, valued delta
	terms       int // how many more terms it has
	before      *field
}

func (e *edit) remove(uid catalog.UID) {
	id, ok := e.s.ByUID(uid)
	if !ok {
		return
	}
	old := e.s.entity(id)
	e.diff(id, old.terms, nil)
	e.dropRef(id, old.ref)
	// The uid stays, since entities are found by uid while the edit lasts.
	e.s.putEntity(id, entity{uid: old.uid}, e.own)
	e.gone = append(e.gone, id)
}

// dropRef removes a ref unless it has come to name another entity.
func (e *edit) dropRef(id ID, ref string) {
	if named, ok := e.s.ByRef(ref); ok && named == id {
		e.s.refs = e.s.refs.remove(e.s.compareRef(ref), e.own)
	}
}

func (e *edit) put(c Change) {
	id, known := e.s.ByUID(c.UID)
	var old entity
	if known && !slices.Contains(e.gone, id) {
		old = *e.s.entity(id)
	} else {
		id = e.s.born
		e.s.born++
		e.come = append(e.come, id)
	}
	terms := e.termsOf(c.Rows)
	e.diff(id, old.terms, terms)
	if old.ref != c.Ref {
		if old.ref != "" {
			e.dropRef(id, old.ref)
		}
		if other, taken := e.s.ByRef(c.Ref); taken {
			e.dropRef(other, c.Ref)
		}
	}
	e.s.putEntity(id, entity{uid: c.UID, ref: c.Ref, terms: terms}, e.own)
	if old.ref != c.Ref {
		e.s.refs = e.s.refs.insert(id, e.s.compareRef(c.Ref), e.own)
	}
}

// termsOf returns the terms of rows in ascending order, and makes those that
// do not exist.
func (e *edit) termsOf(rows []Row) []uint32 {
	out := make([]uint32, 0, len(rows))
	for i := range rows {
		out = append(out, e.term(&rows[i]))
	}
	slices.SortFunc(out, e.s.compareTerms)
	return slices.Compact(out)
}

// compareTerms is the order in which entities have their terms.
func (s *Snapshot) compareTerms(a, b uint32) int {
	if a == b {
		return 0
	}
	_, t := s.term(a)
	_, u := s.term(b)
	return cmp.Or(cmp.Compare(t.field, u.field), cmp.Compare(a, b))
}

func (e *edit) term(r *Row) uint32 {
	f := e.field(r.Key)
	if r.Null {
		if f.null != 0 {
			return f.null - 1
		}
	} else if number, ok := e.s.findTerm(f, r.Value, r.Original); ok {
		return number
	}
	number := e.newTerm(f, r)
	f = e.editField(f.number)
	e.fields[f.number].terms++
	switch {
	case r.Null:
		f.null = number + 1
	case f.values == nil && f.sole == 0:
		f.sole = number + 1
	case f.values == nil:
		f.values = (*node)(nil).insert(f.sole-1, func(uint32) int { return 0 }, e.own)
		f.sole = 0
		fallthrough
	default:
		f.values = f.values.insert(number, e.s.compareTerm(r.Value, r.Original), e.own)
	}
	if !f.single() {
		f.text.add(number)
	}
	return number
}

// findTerm returns the term of a field with this value and original.
func (s *Snapshot) findTerm(f *field, value, original string) (number uint32, ok bool) {
	if f.values != nil {
		return f.values.find(s.compareTerm(value, original))
	}
	if f.sole == 0 || s.value(f.sole-1) != value || s.original(f.sole-1) != original {
		return 0, false
	}
	return f.sole - 1, true
}

func (e *edit) newTerm(f *field, r *Row) uint32 {
	number := e.s.termsBorn
	if e.s.freeTerm != 0 {
		number = e.s.freeTerm - 1
		_, t := e.s.term(number)
		e.s.freeTerm = t.one
	} else {
		e.s.termsBorn++
	}
	var original []byte
	if r.Original != r.Value {
		original = []byte(r.Original)
	}
	e.s.putTerm(number, f.number, r.Null, []byte(r.Value), original, e.own)
	e.terms[number] = &delta{isNew: true}
	return number
}

// field returns the field of a key, and makes it if it does not exist.
func (e *edit) field(key string) *field {
	if number, ok := e.fieldNumbers[key]; ok {
		return e.s.field(number)
	}
	f := e.s.lookup(key)
	if f == nil {
		f = e.newField(key)
	}
	e.fieldNumbers[f.key] = f.number
	return f
}

func (e *edit) newField(key string) *field {
	number := e.s.fieldsBorn
	if e.s.freeField != 0 {
		number = e.s.freeField - 1
		e.s.freeField = e.s.field(number).free
	} else {
		e.s.fieldsBorn++
	}
	f := &field{key: key, number: number, edition: e.s.edition}
	e.s.putField(f, e.own)
	e.s.keys = e.s.keys.insert(number, e.s.compareKey(key), e.own)
	e.fields[number] = &fieldDelta{before: &field{}}
	return f
}

// editField returns the field to be changed.
func (e *edit) editField(number uint32) *field {
	f := e.s.field(number)
	if e.fields[number] == nil {
		e.fields[number] = &fieldDelta{before: f}
		c := *f
		c.edition = e.s.edition
		if !f.single() {
			w := *f.wide
			c.wide = &w
		}
		f = &c
		e.s.putField(f, e.own)
	}
	return f
}

// diff notes that an entity had some terms and has others, both in order.
func (e *edit) diff(id ID, had, has []uint32) {
	clear(e.touched)
	for i, j := 0, 0; i < len(had) || j < len(has); {
		c := 0
		switch {
		case j == len(has):
			c = -1
		case i == len(had):
			c = 1
		default:
			c = e.s.compareTerms(had[i], has[j])
		}
		switch {
		case c < 0:
			d := e.delta(had[i])
			d.remove = append(d.remove, id)
			i++
		case c > 0:
			d := e.delta(has[j])
			d.add = append(d.add, id)
			j++
		default:
			i++
			j++
		}
	}
	for number := range e.touched {
		e.note(number, id, e.presence(had, number), e.presence(has, number))
	}
}

func (e *edit) delta(term uint32) *delta {
	d := e.terms[term]
	if d == nil {
		d = &delta{}
		e.terms[term] = d
	}
	_, t := e.s.term(term)
	e.editField(t.field)
	e.touched[t.field] = struct{}{}
	return d
}

// presence tells whether an entity has a row of a field, and one that is not
// NULL.
type presence struct{ row, value bool }

func (e *edit) presence(terms []uint32, field uint32) (p presence) {
	for i := e.s.firstTerm(terms, field); i < len(terms); i++ {
		_, t := e.s.term(terms[i])
		if t.field != field {
			break
		}
		p.row, p.value = true, p.value || !t.null
	}
	return p
}

func (e *edit) note(number uint32, id ID, was, is presence) {
	if was == is {
		return
	}
	e.editField(number)
	d := e.fields[number]
	d.has.note(id, was.row, is.row)
	d.valued.note(id, was.value, is.value)
}

func (d *delta) note(id ID, was, is bool) {
	switch {
	case was && !is:
		d.remove = append(d.remove, id)
	case is && !was:
		d.add = append(d.add, id)
	}
}
