package index

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/greenroom-idp/greenroom/catalog/query"
)

// Which terms of a field a pattern matches is found by their grams: each byte
// of a value with the two behind it, zeros behind its end. They are kept in
// layers, made when somebody first looks for a part of a value; terms that
// come later are noted in a log and gathered into layers by and by. A layer
// may hold terms that are gone: what it suggests is looked at.

// fieldText is what a version of a field knows of its grams.
type fieldText struct {
	index *textIndex
	added uint32   // how many terms the field was given since index was made
	log   []uint32 // the last of them
}

// A textIndex holds the grams of a field. All versions of it share one.
type textIndex struct {
	// wanted tells that somebody asked: new terms are to be logged.
	wanted atomic.Bool
	newest atomic.Pointer[gramLayers]
	making sync.Mutex // one reader at a time makes layers
}

// gramLayers cover the terms of a version that had been given so many, and no
// later ones.
type gramLayers struct {
	layers []*gramLayer
	added  uint32
}

const (
	// maxLog is how many terms are logged before grams are given up.
	maxLog = 1 << 16
	// layerFrom is how many logged terms make a layer.
	layerFrom = 512
)

// add notes a term that the field was given.
func (t *fieldText) add(term uint32) {
	t.added++
	if !t.index.wanted.Load() {
		t.log = nil
		return
	}
	if t.log = append(t.log, term); len(t.log) < maxLog {
		return
	}
	if ls := t.index.newest.Load(); ls.covers(t) {
		t.log = slices.Clone(t.tail(ls))
	}
	if len(t.log) >= maxLog/2 {
		t.index.wanted.Store(false)
		t.log = nil
	}
}

// covers tells whether the layers and the log hold all terms of the field.
func (ls *gramLayers) covers(t *fieldText) bool {
	return ls != nil && ls.added <= t.added && t.added-ls.added <= uint32(len(t.log))
}

// tail returns the logged terms that the layers do not cover.
func (t *fieldText) tail(ls *gramLayers) []uint32 {
	return t.log[len(t.log)-int(t.added-ls.added):]
}

// matching returns the terms of a field that a pattern matches.
func (s *Snapshot) matching(f *field, p query.Pattern) []uint32 {
	var out []uint32
	look := func(number uint32) bool {
		if p.Match(s.value(number)) {
			out = append(out, number)
		}
		return true
	}
	if f.values == nil || f.values.kids == nil || len(p.Literals()) == 0 {
		f.eachValue(look)
		return out
	}
	layers := s.gramsOf(f)
	if layers == nil {
		f.eachValue(look)
		return out
	}
	check := func(number uint32) {
		if _, t := s.term(number); number < s.termsBorn && t.used && t.field == f.number && !t.null {
			look(number)
		}
	}
	for _, l := range layers.layers {
		l.suggest(p, check)
	}
	for _, number := range f.text.tail(layers) {
		check(number)
	}
	return sorted(out)
}

// gramsOf returns layers that cover the field, with its log; nil if there are
// only those of a later version.
func (s *Snapshot) gramsOf(f *field) *gramLayers {
	t := &f.text
	if ls := t.index.newest.Load(); ls.covers(t) && len(t.tail(ls)) < layerFrom {
		return ls
	}
	t.index.making.Lock()
	defer t.index.making.Unlock()
	t.index.wanted.Store(true)
	ls := t.index.newest.Load()
	switch {
	case ls != nil && ls.added > t.added:
		return nil
	case !ls.covers(t):
		ls = &gramLayers{layers: []*gramLayer{s.newLayer(s.termsOf(f))}, added: t.added}
	case len(t.tail(ls)) >= layerFrom:
		ls = s.extend(f, ls)
	default:
		return ls
	}
	t.index.newest.Store(ls)
	return ls
}

func (s *Snapshot) termsOf(f *field) []uint32 {
	var terms []uint32
	f.eachValue(func(number uint32) bool { terms = append(terms, number); return true })
	return terms
}

// extend makes a layer of the tail of the log, together with the layers before
// it that are not larger: so there are few, and no term is gathered often.
func (s *Snapshot) extend(f *field, ls *gramLayers) *gramLayers {
	terms := slices.Clone(f.text.tail(ls))
	n := len(ls.layers)
	for n > 0 && len(ls.layers[n-1].terms) <= 2*len(terms) {
		n--
		terms = append(terms, ls.layers[n].terms...)
	}
	terms = slices.DeleteFunc(terms, func(number uint32) bool {
		_, t := s.term(number)
		return !t.used || t.field != f.number || t.null
	})
	layers := append(slices.Clone(ls.layers[:n]), s.newLayer(sorted(terms)))
	return &gramLayers{layers: layers, added: f.text.added}
}

// A gramLayer holds the grams of some terms.
type gramLayer struct {
	terms []uint32
	grams []uint32 // in order
	ends  []uint32 // in data, for each gram
	// data lists for each gram the places in terms where it occurs: the first,
	// and then the distances, as varints.
	data []byte
}

// A gramTable counts, or fills in, the lists of a layer.
type gramTable struct {
	rows [1 << 16]*[256]gramList
}

type gramList struct {
	last uint32 // 1 + the last place
	at   uint32 // size of the list, then where it goes on in the data
}

func (t *gramTable) list(gram uint32) *gramList {
	row := t.rows[gram>>8]
	if row == nil {
		row = new([256]gramList)
		t.rows[gram>>8] = row
	}
	return &row[gram&255]
}

// eachGram calls visit for the gram at each byte of a value.
func eachGram(value string, visit func(gram uint32)) {
	gram := uint32(0)
	for i := range len(value) + 2 {
		gram <<= 8
		if i < len(value) {
			gram |= uint32(value[i])
		}
		if gram &= 1<<24 - 1; i >= 2 {
			visit(gram)
		}
	}
}

func (s *Snapshot) newLayer(terms []uint32) *gramLayer {
	l := &gramLayer{terms: terms}
	t := &gramTable{}
	total := uint32(0)
	for place, number := range terms {
		eachGram(s.value(number), func(gram uint32) {
			list := t.list(gram)
			if list.last == uint32(place)+1 {
				return
			}
			n := varintLen(uint32(place) + 1 - list.last)
			list.at += n
			total += n
			list.last = uint32(place) + 1
		})
	}
	l.layOut(t, total)
	for place, number := range terms {
		eachGram(s.value(number), func(gram uint32) {
			list := t.list(gram)
			if list.last == uint32(place)+1 {
				return
			}
			list.at += uint32(binary.PutUvarint(l.data[list.at:], uint64(uint32(place)+1-list.last)))
			list.last = uint32(place) + 1
		})
	}
	return l
}

// layOut gives each list its part of the data.
func (l *gramLayer) layOut(t *gramTable, total uint32) {
	l.data = make([]byte, total)
	end := uint32(0)
	for high, row := range t.rows {
		if row == nil {
			continue
		}
		for low := range row {
			list := &row[low]
			if list.last == 0 {
				continue
			}
			l.grams = append(l.grams, uint32(high<<8|low))
			end += list.at
			l.ends = append(l.ends, end)
			list.at, list.last = end-list.at, 0
		}
	}
	l.grams, l.ends = slices.Clip(l.grams), slices.Clip(l.ends)
}

func varintLen(x uint32) uint32 {
	n := uint32(1)
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}

// list returns the data of gram i.
func (l *gramLayer) list(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.data[start:l.ends[i]]
}

// suggest calls check for terms that may match a pattern which has literals;
// no others do.
func (l *gramLayer) suggest(p query.Pattern, check func(term uint32)) {
	var lists [][]byte
	short := ""
	for _, text := range p.Literals() {
		if len(text) < 3 {
			if len(text) > len(short) {
				short = text
			}
			continue
		}
		for i := range len(text) - 2 {
			gram := uint32(text[i])<<16 | uint32(text[i+1])<<8 | uint32(text[i+2])
			at, found := slices.BinarySearch(l.grams, gram)
			if !found {
				return
			}
			lists = append(lists, l.list(at))
		}
	}
	if lists == nil {
		l.suggestShort(short, check)
		return
	}
	slices.SortFunc(lists, func(a, b []byte) int { return len(a) - len(b) })
	places := decode(lists[0])
	// A look at a term costs more than a step in a list, but lists are long.
	for _, list := range lists[1:] {
		if len(list) > 16*len(places) {
			break
		}
		places = intersectPlaces(places, list)
	}
	for _, place := range places {
		check(l.terms[place])
	}
}

// suggestShort suggests the terms that have a text of one or two bytes: the
// beginning of a gram.
func (l *gramLayer) suggestShort(text string, check func(term uint32)) {
	low, width := uint32(text[0])<<16, uint32(1<<16)
	if len(text) == 2 {
		low, width = low|uint32(text[1])<<8, 1<<8
	}
	from, _ := slices.BinarySearch(l.grams, low)
	to, _ := slices.BinarySearch(l.grams, low+width)
	hit := make([]bool, len(l.terms))
	for i := from; i < to; i++ {
		for _, place := range decode(l.list(i)) {
			hit[place] = true
		}
	}
	for place, ok := range hit {
		if ok {
			check(l.terms[place])
		}
	}
}

// decode returns the places of a list.
func decode(list []byte) []uint32 {
	out := make([]uint32, 0, len(list))
	next := uint32(0)
	for len(list) > 0 {
		step, n := binary.Uvarint(list)
		next += uint32(step)
		out = append(out, next-1)
		list = list[n:]
	}
	return out
}

// intersectPlaces keeps the places that are also in a list.
func intersectPlaces(places []uint32, list []byte) []uint32 {
	out := places[:0]
	next := uint32(0) // 1 + the place read last
	for _, place := range places {
		for next < place+1 && len(list) > 0 {
			step, n := binary.Uvarint(list)
			next += uint32(step)
			list = list[n:]
		}
		if next == place+1 {
			out = append(out, place)
		}
	}
	return out
}
