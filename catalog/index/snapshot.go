package index

import (
	"cmp"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/greenroom-idp/greenroom/catalog"
)

// An Index holds the newest snapshot.
type Index struct {
	newest atomic.Pointer[Snapshot]
}

// New returns an index of no entities at revision 0.
func New() *Index {
	x := &Index{}
	x.newest.Store(&Snapshot{cache: newCache()})
	return x
}

// Snapshot returns the newest snapshot. It never waits.
func (x *Index) Snapshot() *Snapshot { return x.newest.Load() }

// Commit makes a prepared snapshot the newest.
func (x *Index) Commit(next *Snapshot) { x.newest.Store(next) }

// Publish is Prepare and Commit in one.
func (x *Index) Publish(revision uint64, changes []Change) { x.Commit(x.Prepare(revision, changes)) }

// An ID is the number of an entity within a snapshot, and within those that
// are prepared from it, unless one is built anew in between. IDs ascend with
// the uids.
type ID = uint32

// A Snapshot is the index at one moment. It is immutable and safe for
// concurrent use.
type Snapshot struct {
	revision uint64
	// edition counts the edits that have led here. Fields and the set of all
	// entities carry that of their last change.
	edition    uint64
	allEdition uint64
	// born is how many IDs were given out; those of removed entities are not
	// used again.
	born     uint32
	all      *set
	entities table[entityPage]
	refs     *node // IDs in order of their refs

	fields     table[fieldPage]
	fieldsBorn uint32
	freeField  uint32 // 1 + the first of a list of free numbers, 0 for none
	keys       *node  // numbers of fields in order of their keys

	terms     table[termPage]
	termsBorn uint32
	freeTerm  uint32 // like freeField

	cache *cache
}

// Revision returns the revision of the catalog that the snapshot shows.
func (s *Snapshot) Revision() uint64 { return s.revision }

// Len returns the number of entities.
func (s *Snapshot) Len() int { return s.all.len() }

const (
	entityPageBits = 4
	entityPageSize = 1 << entityPageBits
)

type entityPage [entityPageSize]entity

// An entity is what the index knows of one. A removed one has no ref.
type entity struct {
	uid   catalog.UID
	ref   string
	terms []uint32 // in ascending order of their fields, and of their own numbers
}

func (s *Snapshot) entity(id ID) *entity {
	return &s.entities.page(id >> entityPageBits)[id%entityPageSize]
}

// UID returns the uid of an entity.
func (s *Snapshot) UID(id ID) catalog.UID { return s.entity(id).uid }

// Ref returns the canonical ref of an entity.
func (s *Snapshot) Ref(id ID) string { return s.entity(id).ref }

// ByRef returns the entity of a canonical ref.
func (s *Snapshot) ByRef(ref string) (id ID, ok bool) { return s.refs.find(s.compareRef(ref)) }

func (s *Snapshot) compareRef(ref string) compare {
	return func(id uint32) int { return cmp.Compare(ref, s.entity(id).ref) }
}

// ByUID returns the entity of a uid.
func (s *Snapshot) ByUID(uid catalog.UID) (id ID, ok bool) {
	i := s.uidsBelow(func(u catalog.UID) bool { return cmp.Compare(string(u[:]), string(uid[:])) < 0 })
	if i == s.all.len() {
		return 0, false
	}
	id = s.all.nth(i)
	return id, s.entity(id).uid == uid
}

// uidsBelow returns how many entities have a uid for which below is true; it
// is true for the first ones only.
func (s *Snapshot) uidsBelow(below func(catalog.UID) bool) int {
	lo, hi := 0, s.all.len()
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if below(s.entity(s.all.nth(mid)).uid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// textCompare tells for uids whether their text is below uid, or, with equal,
// not above it.
func textCompare(uid string, equal bool) func(catalog.UID) bool {
	return func(u catalog.UID) bool {
		c := strings.Compare(u.String(), uid)
		return c < 0 || equal && c == 0
	}
}

const (
	fieldPageBits = 4
	fieldPageSize = 1 << fieldPageBits
)

type fieldPage [fieldPageSize]*field

// A field is one key with the terms that are its values.
type field struct {
	key     string
	edition uint64
	number  uint32
	free    uint32 // like Snapshot.freeField, of a field that is none
	rows    uint32 // of all entities
	// values are the terms that have a value, in order of value and original;
	// sole is 1 + the only one where values is nil. null is 1 + the term of
	// the rows whose value is NULL, 0 for none.
	sole, null uint32
	values     *node
	// A field with a single term, of which there are as many as entities, has
	// no more than that.
	*wide
}

// wide is what a field knows that has, or had, several terms.
type wide struct {
	// has are the entities that have a row of the field, valued those that
	// have one that is not NULL.
	has, valued *set
	text        fieldText
}

func (s *Snapshot) field(number uint32) *field {
	return s.fields.page(number >> fieldPageBits)[number%fieldPageSize]
}

// lookup returns the field of a lower-cased key, nil if there is none.
func (s *Snapshot) lookup(key string) *field {
	number, ok := s.keys.find(s.compareKey(key))
	if !ok {
		return nil
	}
	return s.field(number)
}

func (s *Snapshot) compareKey(key string) compare {
	return func(number uint32) int { return strings.Compare(key, s.field(number).key) }
}

// single tells whether the field has one term and nothing else.
func (f *field) single() bool { return f.wide == nil }

const (
	termPageBits = 6
	termPageSize = 1 << termPageBits
)

// A termPage holds terms and their texts. Sets are there for terms that more
// than one entity has.
type termPage struct {
	terms [termPageSize]term
	sets  *[termPageSize]*set
	text  []byte
}

// A term is one value of one field, in one original casing.
type term struct {
	field uint32
	// one is the only entity that has the term, if the page has no set for it.
	// In a free term, whose used is false, it is 1 + the next free one.
	one      uint32
	at       uint32 // in the text of the page: value, and original if it differs
	value    uint16 // length; likewise
	original uint16
	null     bool
	used     bool
}

func (s *Snapshot) term(number uint32) (*termPage, *term) {
	p := s.terms.page(number >> termPageBits)
	return p, &p.terms[number%termPageSize]
}

// slice returns a part of the page's text. The text of a page only grows, so
// strings can point into it.
func (p *termPage) slice(at, n uint32) string {
	if n == 0 {
		return ""
	}
	return unsafe.String(&p.text[at], n)
}

// value returns the lower-cased value of a term.
func (s *Snapshot) value(number uint32) string {
	p, t := s.term(number)
	return p.slice(t.at, uint32(t.value))
}

// original returns the value of a term in its original casing.
func (s *Snapshot) original(number uint32) string {
	p, t := s.term(number)
	if t.original == 0 {
		return p.slice(t.at, uint32(t.value))
	}
	return p.slice(t.at+uint32(t.value), uint32(t.original))
}

// posting returns the set of the entities that have a term.
func (s *Snapshot) posting(number uint32) *set {
	p, t := s.term(number)
	if p.sets != nil && p.sets[number%termPageSize] != nil {
		return p.sets[number%termPageSize]
	}
	return &set{n: 1, ids: []uint32{t.one}}
}

// alone returns the only entity of a term, ok false if there are several.
func (s *Snapshot) alone(number uint32) (id ID, ok bool) {
	p, t := s.term(number)
	if p.sets != nil && p.sets[number%termPageSize] != nil {
		return 0, false
	}
	return t.one, true
}

// count returns how many entities have a term.
func (s *Snapshot) count(number uint32) int {
	p, _ := s.term(number)
	if p.sets != nil && p.sets[number%termPageSize] != nil {
		return p.sets[number%termPageSize].n
	}
	return 1
}

// compareTerm finds the term of a value and original.
func (s *Snapshot) compareTerm(value, original string) compare {
	return func(number uint32) int {
		if c := strings.Compare(value, s.value(number)); c != 0 {
			return c
		}
		return strings.Compare(original, s.original(number))
	}
}

// withRow returns the entities that have a row of the field.
func (s *Snapshot) withRow(f *field) *set {
	switch {
	case f == nil:
		return nil
	case !f.single():
		return f.has
	case f.null != 0:
		return s.posting(f.null - 1)
	}
	return s.posting(f.sole - 1)
}

// withValue returns the entities that have a row of the field that is not
// NULL.
func (s *Snapshot) withValue(f *field) *set {
	switch {
	case f == nil:
		return nil
	case !f.single():
		return f.valued
	case f.sole != 0:
		return s.posting(f.sole - 1)
	}
	return nil
}

// eachValue calls visit for the terms of a field that have a value, in order,
// until it returns false.
func (f *field) eachValue(visit func(term uint32) bool) bool {
	if f.values != nil {
		return f.values.each(visit)
	}
	return f.sole == 0 || visit(f.sole-1)
}

// CountRows counts the rows of all keys that begin with a prefix.
func (s *Snapshot) CountRows(prefix string) int {
	n := 0
	c := s.keys.seek(s.notBeforeKey(prefix))
	for ; c.ok; c.next() {
		f := s.field(c.item())
		if !strings.HasPrefix(f.key, prefix) {
			break
		}
		n += int(f.rows)
	}
	return n
}

// notBeforeKey finds the place of the first field whose key is not below key.
func (s *Snapshot) notBeforeKey(key string) compare {
	return func(number uint32) int {
		if key > s.field(number).key {
			return 1
		}
		return -1
	}
}
