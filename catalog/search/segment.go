package search

import (
	"cmp"
	"slices"
	"strings"
)

// A segment is some documents and the words in them. It never changes.
type segment struct {
	// docs are in the order that breaks ties: by title, then by key.
	docs []entry
	// byKey are the places of docs in order of their keys.
	byKey []uint32
	// fields are the names of the places in masks from firstOther on.
	fields []string

	// words are the dictionary, sorted; the postings of words[i] are
	// postings[starts[i]:starts[i+1]], in order of docs.
	words    []string
	starts   []uint32
	postings []posting
	// stems are the words that differ from their stem, sorted by stem.
	stems []stemmed
}

// An entry is a document in a segment.
type entry struct {
	key, resource string
	title         string // folded, to sort by
	body          []byte // JSON
	// titleWords and nameWords are how many words title and first name have,
	// 255 standing for all beyond.
	titleWords, nameWords uint8
}

func compareEntries(a, b *entry) int {
	return cmp.Or(strings.Compare(a.title, b.title), strings.Compare(a.key, b.key))
}

// A posting says that a document has a word.
type posting struct {
	doc uint32
	// fields is the mask of the fields that have it.
	fields uint16
	// impact is how much the word says of the document, 0 to maxImpact; 0 for
	// words that only filters find.
	impact uint16
}

const maxImpact = 1<<16 - 1

type stemmed struct {
	stem string
	word uint32
}

// word returns the place of a word in the dictionary.
func (s *segment) word(w string) (int, bool) { return slices.BinarySearch(s.words, w) }

func (s *segment) list(word int) []posting { return s.postings[s.starts[word]:s.starts[word+1]] }

// byStem yields the words that have a stem and are not equal to it.
func (s *segment) byStem(stem string, yield func(word int)) {
	i, _ := slices.BinarySearchFunc(s.stems, stem, func(e stemmed, stem string) int { return strings.Compare(e.stem, stem) })
	for ; i < len(s.stems) && s.stems[i].stem == stem; i++ {
		yield(int(s.stems[i].word))
	}
}

// find returns the place of the document with a key.
func (s *segment) find(key string) (doc uint32, ok bool) {
	i, ok := slices.BinarySearchFunc(s.byKey, key, func(doc uint32, key string) int { return strings.Compare(s.docs[doc].key, key) })
	if !ok {
		return 0, false
	}
	return s.byKey[i], true
}

// place returns the bit of a field in masks, 0 if no document has the field.
func (s *segment) place(field string) uint16 {
	switch field {
	case fieldTitle:
		return 1 << placeTitle
	case fieldText:
		return 1 << placeText
	}
	if i := slices.Index(s.fields, field); i >= 0 {
		return 1 << (firstOther + i)
	}
	return 0
}

// sortKeys makes byKey.
func (s *segment) sortKeys() {
	s.byKey = make([]uint32, len(s.docs))
	for i := range s.byKey {
		s.byKey[i] = uint32(i)
	}
	slices.SortFunc(s.byKey, func(a, b uint32) int { return strings.Compare(s.docs[a].key, s.docs[b].key) })
}

// A bitmap is a set of places of documents; nil is empty.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(i uint32) bool { return b != nil && b[i>>6]>>(i&63)&1 != 0 }
func (b bitmap) set(i uint32)      { b[i>>6] |= 1 << (i & 63) }
