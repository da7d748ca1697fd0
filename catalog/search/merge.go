package search

import (
	"cmp"
	"slices"
	"strings"
)

// A part is a segment within a snapshot, with those of its documents that
// other ones have replaced. It never changes.
type part struct {
	*segment
	dead bitmap
	live int
}

// mergeParts makes one segment of what is alive in several.
func mergeParts(parts []part) *segment {
	m := &merger{parts: parts, s: &segment{}, docs: make([][]uint32, len(parts)), words: make([][]uint32, len(parts))}
	m.mergeDocs()
	m.mergeFields()
	m.mergeWords()
	m.mergeStems()
	return m.s
}

type merger struct {
	parts []part
	s     *segment
	// docs and words are, by part, where its documents and words have come to
	// be; gone for those that are dead.
	docs, words [][]uint32
	// masks are, by part, the bits that its fields have come to have.
	masks [][maxFields]uint16
}

const gone = ^uint32(0)

func (m *merger) mergeDocs() {
	type origin struct{ part, doc uint32 }
	var all []origin
	for p := range m.parts {
		m.docs[p] = make([]uint32, len(m.parts[p].docs))
		for doc := range m.parts[p].docs {
			m.docs[p][doc] = gone
			if !m.parts[p].dead.has(uint32(doc)) {
				all = append(all, origin{uint32(p), uint32(doc)})
			}
		}
	}
	at := func(o origin) *entry { return &m.parts[o.part].docs[o.doc] }
	slices.SortFunc(all, func(a, b origin) int { return compareEntries(at(a), at(b)) })
	m.s.docs = make([]entry, len(all))
	for i, o := range all {
		m.s.docs[i] = *at(o)
		m.docs[o.part][o.doc] = uint32(i)
	}
	m.s.sortKeys()
}

func (m *merger) mergeFields() {
	m.masks = make([][maxFields]uint16, len(m.parts))
	for p := range m.parts {
		for place := range firstOther {
			m.masks[p][place] = 1 << place
		}
		for i, field := range m.parts[p].fields {
			at := slices.Index(m.s.fields, field)
			if at < 0 {
				if len(m.s.fields) == maxFields-firstOther {
					continue
				}
				at = len(m.s.fields)
				m.s.fields = append(m.s.fields, field)
			}
			m.masks[p][firstOther+i] = 1 << (firstOther + at)
		}
	}
}

// mask translates the mask of a part.
func (m *merger) mask(p int, fields uint16) (out uint16) {
	for place := range maxFields {
		if fields>>place&1 != 0 {
			out |= m.masks[p][place]
		}
	}
	return out
}

// mergeWords walks the dictionaries side by side.
func (m *merger) mergeWords() {
	next := make([]int, len(m.parts))
	for p := range m.parts {
		m.words[p] = make([]uint32, len(m.parts[p].words))
	}
	m.s.starts = []uint32{0}
	for {
		w, ok := m.smallest(next)
		if !ok {
			return
		}
		begin, from := len(m.s.postings), 0
		for p := range m.parts {
			s := m.parts[p].segment
			if next[p] == len(s.words) || s.words[next[p]] != w {
				continue
			}
			m.words[p][next[p]] = uint32(len(m.s.words))
			m.copyPostings(p, s.list(next[p]))
			next[p]++
			from++
		}
		list := m.s.postings[begin:]
		if len(list) == 0 {
			m.forget(next, w)
			continue
		}
		if from > 1 {
			slices.SortFunc(list, func(a, b posting) int { return cmp.Compare(a.doc, b.doc) })
		}
		m.s.words = append(m.s.words, w)
		m.s.starts = append(m.s.starts, uint32(len(m.s.postings)))
	}
}

func (m *merger) smallest(next []int) (w string, ok bool) {
	for p := range m.parts {
		words := m.parts[p].words
		if next[p] < len(words) && (!ok || words[next[p]] < w) {
			w, ok = words[next[p]], true
		}
	}
	return w, ok
}

func (m *merger) copyPostings(p int, list []posting) {
	for _, x := range list {
		if doc := m.docs[p][x.doc]; doc != gone {
			m.s.postings = append(m.s.postings, posting{doc, m.mask(p, x.fields), x.impact})
		}
	}
}

// forget notes that no document that is alive has the word that was just
// passed.
func (m *merger) forget(next []int, w string) {
	for p := range m.parts {
		if i := next[p] - 1; i >= 0 && m.parts[p].words[i] == w {
			m.words[p][i] = gone
		}
	}
}

func (m *merger) mergeStems() {
	for p := range m.parts {
		for _, e := range m.parts[p].stems {
			if w := m.words[p][e.word]; w != gone {
				m.s.stems = append(m.s.stems, stemmed{e.stem, w})
			}
		}
	}
	slices.SortFunc(m.s.stems, func(a, b stemmed) int {
		return cmp.Or(strings.Compare(a.stem, b.stem), cmp.Compare(a.word, b.word))
	})
	m.s.stems = slices.Compact(m.s.stems)
}
