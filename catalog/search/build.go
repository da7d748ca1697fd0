package search

import (
	"slices"
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// How much a word says, by the field that it is in: title and names tell what
// a document is, the text what it is about, and other fields what it belongs
// to. The more often a word is there the more it says, up to a bound, and the
// more words a field has the less each of them says.
const (
	titleWeight = 4.0
	textWeight  = 1.6
	otherWeight = 0.6
	// partWeight is what a part of a word, or two words as one, says of it.
	partWeight = 0.6

	titleLength = 3.0 // usual number of words
	textLength  = 12.0
	lengthBias  = 0.6
	saturation  = 1.2
)

// buildSegment makes a segment of documents. Of those with equal keys the last
// one counts; those whose location no browser should follow are left out.
func buildSegment(documents []Document) *segment {
	b := &builder{s: &segment{}, words: map[string]uint32{}, places: map[string]int{}}
	documents = b.entries(documents)
	for i := range documents {
		b.add(uint32(i), &documents[i])
	}
	b.finish()
	return b.s
}

// A builder makes one segment.
type builder struct {
	s      *segment
	words  map[string]uint32
	lists  [][]posting
	places map[string]int

	// The document at hand: its words, and what each says.
	doc    uint32
	here   []said
	hereOf []uint32 // by word, 1 + its place in here, if it is there
}

type said struct {
	word   uint32
	fields uint16
	weight float32
}

// entries fills the segment with the documents in their order, and returns
// them in it.
func (b *builder) entries(documents []Document) []Document {
	last := make(map[string]int, len(documents))
	for i := range documents {
		last[documents[i].Key] = i
	}
	type pair struct {
		entry    entry
		document *Document
	}
	pairs := make([]pair, 0, len(last))
	for i := range documents {
		d := &documents[i]
		if last[d.Key] != i || !safeLocation(d.Body.String(fieldLocation)) {
			continue
		}
		pairs = append(pairs, pair{entry{
			key: d.Key, resource: d.Resource, title: strings.ToLower(d.Body.String(fieldTitle)), body: jsonvalue.Append(nil, d.Body),
		}, d})
	}
	slices.SortFunc(pairs, func(x, y pair) int { return compareEntries(&x.entry, &y.entry) })
	out := make([]Document, len(pairs))
	b.s.docs = make([]entry, len(pairs))
	for i := range pairs {
		b.s.docs[i], out[i] = pairs[i].entry, *pairs[i].document
	}
	b.s.sortKeys()
	return out
}

// add notes the words of a document.
func (b *builder) add(doc uint32, d *Document) {
	b.doc, b.here = doc, b.here[:0]
	e := &b.s.docs[doc]
	title := d.Body.String(fieldTitle)
	e.titleWords = short(b.addName(title, placeTitle))
	for i, name := range d.Names {
		if strings.EqualFold(name, title) {
			continue
		}
		if n := b.addName(name, placeNames); i == 0 {
			e.nameWords = short(n)
		}
	}
	for field, v := range d.Body.All() {
		texts(v, func(text string) { b.addField(field, text) })
	}
	b.settle()
}

func short(n int) uint8 { return uint8(min(n, 255)) }

// addName notes the words of a title or name, and returns how many they are.
// People write such words together or apart as they like, so all of them as
// one are noted too.
func (b *builder) addName(text string, place int) int {
	const joined = 4
	n, whole := 0, ""
	eachWord(text, func(w word) bool {
		if n++; n <= joined {
			whole += w.text
		}
		return n < maxFieldWords
	})
	weight := titleWeight * lengthFactor(n, titleLength)
	eachWord(text, func(w word) bool {
		b.say(w.text, place, weight)
		humps(text[w.start:w.end], func(part string) { b.say(part, place, weight*partWeight) })
		return true
	})
	if n > 1 && n <= joined {
		b.say(cut(whole), place, weight*partWeight)
	}
	return n
}

// lengthFactor is below one for fields with more words than usual.
func lengthFactor(n int, usual float64) float64 {
	return 1 / (1 - lengthBias + lengthBias*float64(max(n, 1))/usual)
}

func (b *builder) addField(field, text string) {
	switch field {
	case fieldTitle:
	case fieldText:
		b.addText(text)
	case fieldLocation, fieldPath:
		b.addWords(field, text, 0)
	default:
		b.addWords(field, text, otherWeight)
	}
}

func (b *builder) addText(text string) {
	n := 0
	eachWord(text, func(word) bool { n++; return n < maxFieldWords })
	weight := textWeight * lengthFactor(n, textLength)
	eachWord(text, func(w word) bool {
		if !isStopWord(w.text) {
			b.say(w.text, placeText, weight)
			humps(text[w.start:w.end], func(part string) { b.say(part, placeText, weight*partWeight) })
		}
		n--
		return n > 0
	})
}

func (b *builder) addWords(field, text string, weight float64) {
	place, ok := b.places[field]
	if !ok {
		if len(b.s.fields) == maxFields-firstOther {
			return
		}
		place = firstOther + len(b.s.fields)
		b.places[field] = place
		b.s.fields = append(b.s.fields, field)
	}
	n := 0
	eachWord(text, func(w word) bool {
		b.say(w.text, place, weight)
		n++
		return n < maxFieldWords
	})
}

// say notes that a field of the document has a word.
func (b *builder) say(w string, place int, weight float64) {
	number, ok := b.words[w]
	if !ok {
		number = uint32(len(b.lists))
		b.words[strings.Clone(w)] = number
		b.lists = append(b.lists, nil)
		b.hereOf = append(b.hereOf, 0)
	}
	at := b.hereOf[number]
	if at == 0 {
		b.here = append(b.here, said{word: number})
		at = uint32(len(b.here))
		b.hereOf[number] = at
	}
	h := &b.here[at-1]
	h.fields |= 1 << place
	h.weight += float32(weight)
}

// settle makes postings of what the document says.
func (b *builder) settle() {
	for _, h := range b.here {
		b.hereOf[h.word] = 0
		impact := uint16(0)
		if h.weight > 0 {
			impact = max(1, uint16(maxImpact*h.weight/(h.weight+saturation)))
		}
		b.lists[h.word] = append(b.lists[h.word], posting{b.doc, h.fields, impact})
	}
}

// finish sorts the dictionary.
func (b *builder) finish() {
	s := b.s
	s.words = make([]string, 0, len(b.words))
	total := 0
	for w, number := range b.words {
		s.words = append(s.words, w)
		total += len(b.lists[number])
	}
	slices.Sort(s.words)
	s.starts = make([]uint32, 1, len(s.words)+1)
	s.postings = make([]posting, 0, total)
	for _, w := range s.words {
		s.postings = append(s.postings, b.lists[b.words[w]]...)
		s.starts = append(s.starts, uint32(len(s.postings)))
	}
	for i, w := range s.words {
		if stem := stemOf(w); stem != w {
			s.stems = append(s.stems, stemmed{stem, uint32(i)})
		}
	}
	s.sortStems()
}

func (s *segment) sortStems() {
	slices.SortFunc(s.stems, func(a, b stemmed) int { return strings.Compare(a.stem, b.stem) })
}

// stemOf returns the stem of an English word, which for other words is
// usually the word.
func stemOf(w string) string {
	if len(w) < 3 || !isASCII(w) {
		return w
	}
	env := snowballstem.NewEnv(w)
	english.Stem(env)
	return env.Current()
}
