package index

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// build makes the snapshot that follows another out of what loaders hold alone.
func build(before *Snapshot, revision uint64, loaders []*loader) *Snapshot {
	s := &Snapshot{revision: revision, cache: before.cache, edition: before.edition + 1}
	s.allEdition = s.edition
	b := builder{s: s, own: new(token), loaders: loaders}
	b.numberFields()
	starts := b.groupTerms()
	b.sortTerms(starts)
	b.numberTerms(starts)
	b.placeTerms()
	b.placeEntities()
	b.placePostings()
	b.finishFields()
	return b.s
}

type builder struct {
	s *Snapshot
	// own is allocated on its own, since what the edit makes keeps it.
	own     *token
	loaders []*loader
	keys    []string   // of the snapshot's fields, in order
	fields  [][]uint32 // for each loader the field for its number
	terms   []textItem // source is the loader
	fieldOf []uint32   // for each term
	numbers [][]uint32 // for each loader the term for its number
	members []members  // for each field
}

// numberFields gives the fields numbers in the order of their keys.
func (b *builder) numberFields() {
	var items []textItem
	for i, l := range b.loaders {
		b.fields = append(b.fields, make([]uint32, l.flat.fields.len()))
		for n := range uint32(l.flat.fields.len()) {
			items = append(items, textItem{source: uint32(i), number: n})
		}
	}
	text := func(t textItem) []byte { return b.loaders[t.source].flat.fields.at(t.number) }
	sortTexts(items, text)
	var all []byte
	var ends []int
	for _, t := range items {
		if t.word != repeats {
			all = append(all, text(t)...)
			ends = append(ends, len(all))
		}
		b.fields[t.source][t.number] = uint32(len(ends) - 1)
	}
	b.keys = cutText(string(all), ends)
}

// cutText returns the parts of a text that end at some places.
func cutText(all string, ends []int) []string {
	out := make([]string, len(ends))
	start := 0
	for i, end := range ends {
		out[i], start = all[start:end], end
	}
	return out
}

// groupTerms brings the terms of all loaders in order of their fields, and
// returns where each field starts.
func (b *builder) groupTerms() (starts []int) {
	total := 0
	starts = make([]int, len(b.keys)+1)
	for i, l := range b.loaders {
		total += l.terms.len()
		for t := range uint32(l.terms.len()) {
			starts[b.fields[i][l.field(t)]+1]++
		}
	}
	for i := range b.keys {
		starts[i+1] += starts[i]
	}
	b.terms = make([]textItem, total)
	next := slices.Clone(starts)
	for i, l := range b.loaders {
		b.numbers = append(b.numbers, make([]uint32, l.terms.len()))
		for t := range uint32(l.terms.len()) {
			f := b.fields[i][l.field(t)]
			b.terms[next[f]] = textItem{source: uint32(i), number: t}
			next[f]++
		}
	}
	return starts
}

// sortTerms sorts the terms of each field by value and original, several
// fields at a time, and marks those that are like the one before.
func (b *builder) sortTerms(starts []int) {
	parts := make(chan []textItem, 64)
	var wg sync.WaitGroup
	for range b.loaders {
		wg.Go(func() {
			for part := range parts {
				sortTexts(part, b.value)
				b.sortOriginals(part)
			}
		})
	}
	for i := range b.keys {
		if starts[i+1]-starts[i] > 0 {
			parts <- b.terms[starts[i]:starts[i+1]]
		}
	}
	close(parts)
	wg.Wait()
}

func (b *builder) value(t textItem) []byte {
	v, _, _ := b.loaders[t.source].text(t.number)
	return v
}

// rank is what terms of equal value are sorted by; NULL counts as an empty
// value that comes first.
func (b *builder) rank(t textItem) (null bool, original []byte) {
	v, o, null := b.loaders[t.source].text(t.number)
	if o == nil {
		o = v
	}
	return null, o
}

// sortOriginals sorts terms, sorted by value, by the original too.
func (b *builder) sortOriginals(part []textItem) {
	for len(part) > 0 {
		n := 1
		for n < len(part) && part[n].word == repeats {
			n++
		}
		if n > 1 {
			b.sortSame(part[:n])
		}
		part = part[n:]
	}
}

// sortSame sorts terms of one value, and marks those that repeat the one
// before.
func (b *builder) sortSame(same []textItem) {
	slices.SortFunc(same, b.compareRank)
	for i := range same {
		same[i].word = isNew
		if i > 0 && b.compareRank(same[i-1], same[i]) == 0 {
			same[i].word = repeats
		}
	}
}

func (b *builder) compareRank(x, y textItem) int {
	xn, xo := b.rank(x)
	yn, yo := b.rank(y)
	switch {
	case xn == yn:
		return bytes.Compare(xo, yo)
	case xn:
		return -1
	}
	return 1
}

// numberTerms numbers the terms in their order, those that several loaders
// have once, and keeps one of each.
func (b *builder) numberTerms(starts []int) {
	kept := b.terms[:0]
	for f := range uint32(len(b.keys)) {
		first := len(kept)
		for _, t := range b.terms[starts[f]:starts[f+1]] {
			if t.word != repeats {
				kept = append(kept, t)
				b.fieldOf = append(b.fieldOf, f)
			}
			b.numbers[t.source][t.number] = uint32(len(kept) - 1)
		}
		if len(kept)-first == 1 {
			b.fieldOf[first] = f | singleTerm
		}
	}
	b.terms = kept
	b.s.termsBorn = uint32(len(kept))
}

// singleTerm marks the field of a term that is its only one.
const singleTerm = 1 << 31

// placeTerms puts the terms in pages, several at a time.
func (b *builder) placeTerms() {
	if len(b.terms) == 0 {
		return
	}
	// The branches are made before, so that the workers touch pages alone.
	last := uint32(len(b.terms)-1) >> termPageBits
	for p := range last + 1 {
		b.s.terms.edit(p, b.own, (*termPage).clone)
	}
	b.inParallel(int(last)+1, func(p int) {
		first := p << termPageBits
		b.fillPage(b.s.terms.page(uint32(p)), first, b.terms[first:min(len(b.terms), first+termPageSize)])
	})
}

// inParallel calls do for 0 to n-1, in runs of neighbours.
func (b *builder) inParallel(n int, do func(i int)) {
	const run = 64
	var next atomic.Int64
	var wg sync.WaitGroup
	for range b.loaders {
		wg.Go(func() {
			for {
				from := int(next.Add(run)) - run
				if from >= n {
					return
				}
				for i := from; i < min(n, from+run); i++ {
					do(i)
				}
			}
		})
	}
	wg.Wait()
}

func (b *builder) fillPage(p *termPage, first int, terms []textItem) {
	size := 0
	for _, t := range terms {
		value, original, _ := b.loaders[t.source].text(t.number)
		size += len(value) + len(original)
	}
	p.text = make([]byte, 0, size)
	for i, t := range terms {
		value, original, null := b.loaders[t.source].text(t.number)
		p.put(uint32(i), b.fieldOf[first+i]&^singleTerm, null, value, original)
	}
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
	slab := make([]uint32, 0, rows)
	for i, e := range all {
		start := len(slab)
		slab = append(slab, e.loader.rows[e.from:e.to]...)
		slices.Sort(slab[start:])
		slab = slab[:start+len(slices.Compact(slab[start:]))]
		b.s.putEntity(uint32(i), entity{uid: e.uid, ref: e.ref, terms: slab[start:len(slab):len(slab)]}, b.own)
	}
	b.s.born = uint32(total)
	b.placeRefs(all)
}

// placeRefs makes the set of all entities and the tree of their refs.
func (b *builder) placeRefs(all []loaded) {
	ids := make([]uint32, len(all))
	items := make([]textItem, len(all))
	for i := range all {
		ids[i], items[i].number = uint32(i), uint32(i)
	}
	b.s.all = newSet(ids)
	sortTexts(items, func(t textItem) []byte {
		ref := all[t.number].ref
		return unsafe.Slice(unsafe.StringData(ref), len(ref))
	})
	refs := make([]uint32, len(all))
	for i, t := range items {
		refs[i] = t.number
	}
	b.s.refs = newTree(refs)
}

// placePostings gives each term the set of its entities, and notes those of
// the fields that have several terms.
func (b *builder) placePostings() {
	starts := make([]uint32, b.s.termsBorn+1)
	for id := range b.s.born {
		for _, t := range b.s.entity(id).terms {
			starts[t+1]++
		}
	}
	for i := range b.s.termsBorn {
		starts[i+1] += starts[i]
	}
	slab := make([]uint32, starts[b.s.termsBorn])
	next := slices.Clone(starts)
	b.members = make([]members, len(b.keys))
	for id := range b.s.born {
		for _, t := range b.s.entity(id).terms {
			slab[next[t]] = id
			next[t]++
			if f := b.fieldOf[t]; f&singleTerm == 0 {
				_, x := b.s.term(t)
				b.members[f].add(id, x.null)
			}
		}
	}
	pages := int(b.s.termsBorn+termPageSize-1) >> termPageBits
	b.inParallel(pages, func(p int) {
		first := uint32(p) << termPageBits
		for t := first; t < min(first+termPageSize, b.s.termsBorn); t++ {
			b.s.terms.page(uint32(p)).setIDs(t%termPageSize, slab[starts[t]:starts[t+1]])
		}
	})
}

// setIDs gives a term its entities, which it copies.
func (p *termPage) setIDs(slot uint32, ids []uint32) {
	if len(ids) == 1 {
		p.terms[slot].one = ids[0]
		return
	}
	if p.sets == nil {
		p.sets = new([termPageSize]*set)
	}
	if len(ids) <= smallSet {
		ids = slices.Clone(ids)
	}
	p.sets[slot] = newSet(ids)
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
		f := &field{key: b.keys[first.field], number: first.field, edition: s.edition}
		values = values[:0]
		for ; t < s.termsBorn; t++ {
			_, x := s.term(t)
			if x.field != f.number {
				break
			}
			f.rows += uint32(s.count(t))
			if x.null {
				f.null = t + 1
			} else {
				values = append(values, t)
			}
		}
		b.fillField(f, values)
		s.putField(f, b.own)
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
	valued := newSet(m.valued)
	f.wide = &wide{has: valued, valued: valued, text: fieldText{index: &textIndex{}}}
	if m.null != nil {
		f.has = valued.or(newSet(m.null))
	}
	*m = members{}
}
