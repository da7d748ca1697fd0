package index

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Document is an entity as it is stored.
type Document struct {
	UID catalog.UID
	// JSON must stay unchanged until the call that it is given to returns.
	JSON []byte
}

// loadBatch is how many documents a worker takes at a time.
const loadBatch = 256

// Load makes the index one of these documents and nothing else, at a revision.
// The error, by the ref of the first such document, tells that it cannot be
// indexed; the index is then as it was.
func (x *Index) Load(revision uint64, documents iter.Seq[Document]) error {
	workers := make([]*loader, min(runtime.GOMAXPROCS(0), 8))
	batches := make(chan batch, len(workers))
	var g errgroup.Group
	for i := range workers {
		l := newLoader()
		workers[i] = l
		g.Go(func() error {
			for b := range batches {
				l.add(b)
			}
			return l.failed
		})
	}
	feed(documents, batches)
	if err := g.Wait(); err != nil {
		return err
	}
	x.Commit(build(revision, workers, x.Snapshot().cache))
	return nil
}

type batch struct {
	number    int
	documents []Document
}

func feed(documents iter.Seq[Document], to chan<- batch) {
	defer close(to)
	b := batch{}
	for d := range documents {
		if b.documents = append(b.documents, d); len(b.documents) == loadBatch {
			to <- b
			b = batch{number: b.number + 1}
		}
	}
	to <- b
}

// A loader flattens its share of the documents, with numbers of its own for
// fields and terms.
type loader struct {
	flat  *flattener
	terms *dict // of field, and value with original, see appendTerm
	// fieldOf and valueLen are those of each term; the length is null for
	// NULL.
	entities []loaded
	rows     []uint32 // the terms of the entities, one entity after the other
	scratch  []byte
	failed   error
}

type loaded struct {
	batch, place int
	uid          catalog.UID
	ref          string
	from, to     int // in rows
	loader       *loader
}

func newLoader() *loader { return &loader{flat: newFlattener(), terms: newDict(1024)} }

func (l *loader) add(b batch) {
	for i, d := range b.documents {
		if l.failed != nil {
			return
		}
		if err := l.flat.flatten(d.JSON); err != nil {
			l.failed = fmt.Errorf("index document %s: %w", d.UID, err)
			return
		}
		e := loaded{batch: b.number, place: i, uid: d.UID, ref: l.flat.ref(), from: len(l.rows), loader: l}
		for _, r := range l.flat.rows {
			l.rows = append(l.rows, l.term(r))
		}
		e.to = len(l.rows)
		l.entities = append(l.entities, e)
	}
}

// term numbers the term of a row. The key in the dict is the field in four
// bytes, the length of the value in two, 1 more than it is and 0 for NULL, the
// value, and the original where it differs.
func (l *loader) term(r flatRow) uint32 {
	n := r.value + 1
	if r.null {
		n = 0
	}
	key := append(l.scratch[:0], byte(r.field>>24), byte(r.field>>16), byte(r.field>>8), byte(r.field), byte(n>>8), byte(n))
	key = append(key, l.flat.text[r.at:r.at+r.value+r.original]...)
	l.scratch = key
	i, _ := l.terms.number(key)
	return i
}

// A rawTerm is a term of a loader.
type rawTerm struct {
	field    uint32 // of the snapshot
	null     bool
	value    []byte
	original []byte // nil if it equals the value
	prefix   uint64 // of the value behind what all values of the field share
	loader   int32
	number   uint32 // of the loader
}

func (l *loader) rawTerm(i uint32, fields []uint32) rawTerm {
	key := l.terms.at(i)
	field := uint32(key[0])<<24 | uint32(key[1])<<16 | uint32(key[2])<<8 | uint32(key[3])
	n := int(key[4])<<8 | int(key[5])
	t := rawTerm{field: fields[field], number: i, null: n == 0}
	if !t.null {
		t.value = key[6 : 6+n-1]
		if len(key) > 6+n-1 {
			t.original = key[6+n-1:]
		}
	}
	return t
}

func (t *rawTerm) text() []byte {
	if t.original == nil {
		return t.value
	}
	return t.original
}

// compareRaw sorts by value and original, NULL last.
func compareRaw(a, b rawTerm) int {
	switch {
	case a.null != b.null:
		if a.null {
			return 1
		}
		return -1
	case a.prefix != b.prefix:
		return cmp.Compare(a.prefix, b.prefix)
	}
	if c := bytes.Compare(a.value, b.value); c != 0 {
		return c
	}
	return bytes.Compare(a.text(), b.text())
}

// build makes a snapshot of what the loaders hold.
func build(revision uint64, loaders []*loader, c *cache) *Snapshot {
	b := builder{s: &Snapshot{revision: revision, cache: c}, loaders: loaders}
	b.numberFields()
	b.sortTerms()
	b.placeTerms()
	b.placeEntities()
	b.placePostings()
	b.finishFields()
	return b.s
}

type builder struct {
	s       *Snapshot
	own     token
	loaders []*loader
	keys    []string   // of the snapshot's fields, in order
	fields  [][]uint32 // for each loader the field for its number
	terms   []rawTerm
	numbers [][]uint32 // for each loader the term for its number
	counts  []uint32   // for each term the number of its entities
	members []members  // for each field
}

// numberFields gives the fields numbers in the order of their keys.
func (b *builder) numberFields() {
	for _, l := range b.loaders {
		for i := range uint32(l.flat.fields.len()) {
			b.keys = append(b.keys, string(l.flat.fields.at(i)))
		}
	}
	slices.Sort(b.keys)
	b.keys = slices.Compact(b.keys)
	numbers := make(map[string]uint32, len(b.keys))
	for i, k := range b.keys {
		numbers[k] = uint32(i)
	}
	for _, l := range b.loaders {
		fields := make([]uint32, l.flat.fields.len())
		for i := range fields {
			fields[i] = numbers[string(l.flat.fields.at(uint32(i)))]
		}
		b.fields = append(b.fields, fields)
	}
}

// sortTerms brings the terms of all loaders in order of field, value and
// original.
func (b *builder) sortTerms() {
	total := 0
	starts := make([]int, len(b.keys)+1)
	for i, l := range b.loaders {
		total += l.terms.len()
		b.numbers = append(b.numbers, make([]uint32, l.terms.len()))
		for t := range uint32(l.terms.len()) {
			starts[l.rawTerm(t, b.fields[i]).field+1]++
		}
	}
	for i := range b.keys {
		starts[i+1] += starts[i]
	}
	b.terms = make([]rawTerm, total)
	next := slices.Clone(starts)
	for i, l := range b.loaders {
		for t := range uint32(l.terms.len()) {
			raw := l.rawTerm(t, b.fields[i])
			raw.loader = int32(i)
			b.terms[next[raw.field]] = raw
			next[raw.field]++
		}
	}
	b.sortFields(starts)
}

// sortFields sorts the terms of each field, several fields at a time.
func (b *builder) sortFields(starts []int) {
	var wg sync.WaitGroup
	parts := make(chan []rawTerm, 64)
	for range b.loaders {
		wg.Go(func() {
			for part := range parts {
				setPrefixes(part)
				slices.SortFunc(part, compareRaw)
			}
		})
	}
	for i := range b.keys {
		if starts[i+1]-starts[i] > 1 {
			parts <- b.terms[starts[i]:starts[i+1]]
		}
	}
	close(parts)
	wg.Wait()
}

// setPrefixes gives each term the eight bytes behind what all values have in
// common; most comparisons end there.
func setPrefixes(part []rawTerm) {
	var common []byte
	first := true
	for _, t := range part {
		switch {
		case t.null:
		case first:
			common, first = t.value, false
		default:
			n := 0
			for n < len(common) && n < len(t.value) && common[n] == t.value[n] {
				n++
			}
			common = common[:n]
		}
	}
	for i := range part {
		if part[i].null {
			continue
		}
		for j, c := range part[i].value[len(common):] {
			if j == 8 {
				break
			}
			part[i].prefix |= uint64(c) << (56 - 8*j)
		}
	}
}

// placeTerms numbers the terms in their order, those that several loaders have
// once, and puts them in pages.
func (b *builder) placeTerms() {
	var last *rawTerm
	for i := range b.terms {
		t := &b.terms[i]
		if last == nil || last.field != t.field || compareRaw(*last, *t) != 0 {
			b.s.putTerm(b.s.termsBorn, t.field, t.null, t.value, t.original, &b.own)
			b.s.termsBorn++
			last = t
		}
		b.numbers[t.loader][t.number] = b.s.termsBorn - 1
	}
	b.terms = nil
}

// placeEntities puts the entities in order of their uids.
func (b *builder) placeEntities() {
	total, rows := 0, 0
	for _, l := range b.loaders {
		total += len(l.entities)
		rows += len(l.rows)
	}
	all := make([]loaded, 0, total)
	for i, l := range b.loaders {
		for at, t := range l.rows {
			l.rows[at] = b.numbers[i][t]
		}
		all = append(all, l.entities...)
	}
	slices.SortFunc(all, func(a, b loaded) int {
		return cmp.Or(cmp.Compare(a.batch, b.batch), cmp.Compare(a.place, b.place))
	})
	byUID := func(a, b loaded) int { return bytes.Compare(a.uid[:], b.uid[:]) }
	if !slices.IsSortedFunc(all, byUID) {
		slices.SortStableFunc(all, byUID)
	}
	b.counts = make([]uint32, b.s.termsBorn+1)
	slab := make([]uint32, 0, rows)
	for i, e := range all {
		start := len(slab)
		slab = append(slab, e.loader.rows[e.from:e.to]...)
		slices.Sort(slab[start:])
		slab = slab[:start+len(slices.Compact(slab[start:]))]
		terms := slab[start:len(slab):len(slab)]
		for _, t := range terms {
			b.counts[t]++
		}
		b.s.putEntity(uint32(i), entity{uid: e.uid, ref: e.ref, terms: terms}, &b.own)
	}
	b.s.born = uint32(total)
	ids := make([]uint32, total)
	for i := range ids {
		ids[i] = uint32(i)
	}
	b.s.all = newSet(slices.Clone(ids))
	slices.SortFunc(ids, func(x, y uint32) int { return cmp.Compare(all[x].ref, all[y].ref) })
	b.s.refs = newTree(ids)
}

// placePostings gives each term the set of its entities, and notes those of
// each field.
func (b *builder) placePostings() {
	starts := make([]uint32, len(b.counts)+1)
	for i, n := range b.counts {
		starts[i+1] = starts[i] + n
	}
	slab := make([]uint32, starts[len(b.counts)])
	next := slices.Clone(starts)
	b.members = make([]members, len(b.keys))
	for id := range b.s.born {
		for _, t := range b.s.entity(id).terms {
			slab[next[t]] = id
			next[t]++
			_, x := b.s.term(t)
			b.members[x.field].add(id, x.null)
		}
	}
	for t := range b.s.termsBorn {
		ids := slab[starts[t]:starts[t+1]]
		switch {
		case len(ids) == 1:
			b.s.setOne(t, ids[0], &b.own)
		case len(ids) <= smallSet:
			// A slice of its own lets the slab go.
			b.s.setPosting(t, newSet(slices.Clone(ids)), &b.own)
		default:
			b.s.setPosting(t, newSet(ids), &b.own)
		}
	}
}

// members are the entities that have a row of a field: with a value, and
// without.
type members struct{ valued, null []uint32 }

func (m *members) add(id ID, null bool) {
	list := &m.valued
	if null {
		list = &m.null
	}
	if n := len(*list); n == 0 || (*list)[n-1] != id {
		*list = append(*list, id)
	}
}

// finishFields makes the fields and their trees.
func (b *builder) finishFields() {
	s := b.s
	present := make([]uint32, 0, len(b.keys))
	var values []uint32
	for t := uint32(0); t < s.termsBorn; {
		_, first := s.term(t)
		f := &field{key: b.keys[first.field], number: first.field}
		values = values[:0]
		for ; t < s.termsBorn; t++ {
			_, x := s.term(t)
			if x.field != f.number {
				break
			}
			if x.null {
				f.null = t + 1
			} else {
				values = append(values, t)
			}
		}
		b.fillField(f, values)
		s.putField(f, &b.own)
		present = append(present, f.number)
	}
	s.fieldsBorn = uint32(len(b.keys))
	s.keys = newTree(present)
}

// fillField gives a field its terms, and where there are several its tree and
// sets.
func (b *builder) fillField(f *field, values []uint32) {
	switch {
	case len(values) == 0:
		return
	case len(values) == 1 && f.null == 0:
		f.sole = values[0] + 1
		return
	}
	m := &b.members[f.number]
	f.values = newTree(values)
	f.valued = newSet(m.valued)
	f.has = f.valued
	if m.null != nil {
		f.has = f.valued.or(newSet(m.null))
	}
	f.text.index = &textIndex{}
	*m = members{}
}
