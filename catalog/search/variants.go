package search

import (
	"strings"
	"unicode/utf8"
)

// How good it is to find another word than the one that was asked for.
const (
	sameWord   = 1.0
	sameStem   = 0.9
	longerWord = 0.45 // plus completion by the share of letters that were typed
	completion = 0.4
	oneTypo    = 0.35
	twoTypos   = 0.2
)

// A variant is a word of a segment that a word of a query may mean.
type variant struct {
	word    int
	quality float32
}

// A queryWord is a word of a query, made ready to look for.
type queryWord struct {
	text  string
	stem  string
	runes []rune
	typos int // how many are forgiven
	// spelling is made when quality needs it.
	spelling *spelling
}

func newQueryWord(text string) queryWord {
	q := queryWord{text: text, stem: stemOf(text), runes: []rune(text)}
	switch n := len(q.runes); {
	case n >= 6:
		q.typos = 2
	case n >= 3:
		q.typos = 1
	}
	return q
}

// quality returns how well a word answers a word of a query, 0 for not at all.
// It is what eachVariant finds out for all words of a segment at once.
func (q *queryWord) quality(w string) float32 {
	switch {
	case w == q.text:
		return sameWord
	case w == q.stem || w[0] == q.stem[0] && stemOf(w) == q.stem: // a stem begins as its word does
		return sameStem
	case strings.HasPrefix(w, q.text):
		return q.begun(w)
	}
	if q.spelling == nil {
		q.spelling = newSpelling(q)
	}
	if d := q.spelling.distance(w); d <= q.typos {
		return typoQuality(d)
	}
	return 0
}

// begun is the quality of a word that begins with the query's.
func (q *queryWord) begun(w string) float32 {
	return longerWord + completion*float32(len(q.text))/float32(len(w))
}

func typoQuality(distance int) float32 {
	switch distance {
	case 0:
		return sameWord
	case 1:
		return oneTypo
	case 2:
		return twoTypos
	}
	return 0
}

// eachVariant yields the words of a segment that may be meant. A word may come
// more than once; its best quality counts.
func (s *segment) eachVariant(q *queryWord, yield func(variant)) {
	at, ok := s.word(q.text)
	if ok {
		yield(variant{at, sameWord})
		at++
	}
	for ; at < len(s.words) && strings.HasPrefix(s.words[at], q.text); at++ {
		yield(variant{at, q.begun(s.words[at])})
	}
	if i, ok := s.word(q.stem); ok && q.stem != q.text {
		yield(variant{i, sameStem})
	}
	s.byStem(q.stem, func(word int) { yield(variant{word, sameStem}) })
	if q.typos > 0 {
		s.eachTypo(q, yield)
	}
}

// eachTypo yields the words that differ by as many typos as are forgiven. The
// dictionary is sorted, so that what was worked out for the letters that a word
// shares with the one before is used again, and words that go wrong at some
// letter are passed over together.
func (s *segment) eachTypo(q *queryWord, yield func(variant)) {
	sp := newSpelling(q)
	for i := 0; i < len(s.words); {
		w := s.words[i]
		wrong := sp.read(w)
		if wrong == 0 {
			if d := sp.last(); d > 0 && d <= q.typos {
				yield(variant{i, typoQuality(d)})
			}
			i++
			continue
		}
		i = s.skip(i, w[:wrong])
	}
}

// skip returns the place of the first word from i on that does not begin with
// prefix.
func (s *segment) skip(i int, prefix string) int {
	step := 1
	for i+step < len(s.words) && strings.HasPrefix(s.words[i+step], prefix) {
		i += step
		step *= 2
	}
	for step > 0 {
		if i+step < len(s.words) && strings.HasPrefix(s.words[i+step], prefix) {
			i += step
		}
		step /= 2
	}
	return i + 1
}

// A spelling compares words with one of a query, letter by letter: how many
// letters were added, left out, changed, or swapped with their neighbour.
type spelling struct {
	want  []rune
	typos int
	// read so far, and after each letter the distances to the begins of want.
	letters []rune
	ends    []int // in bytes
	text    string
	rows    [][]int
}

func newSpelling(q *queryWord) *spelling {
	s := &spelling{want: q.runes, typos: q.typos}
	first := make([]int, len(s.want)+1)
	for i := range first {
		first[i] = i
	}
	s.rows = append(s.rows, first)
	return s
}

// distance returns the distance of a word, and more than the typos that are
// forgiven where it is more.
func (s *spelling) distance(w string) int {
	if s.read(w) > 0 {
		return s.typos + 1
	}
	return s.last()
}

// last returns the distance of the word that was read.
func (s *spelling) last() int { return s.rows[len(s.letters)][len(s.want)] }

// read reads a word. If its first n bytes are so far from the query's that no
// word with them can do, it returns n.
func (s *spelling) read(w string) (wrong int) {
	common := 0
	for common < len(w) && common < len(s.text) && w[common] == s.text[common] {
		common++
	}
	shared := 0
	for shared < len(s.ends) && s.ends[shared] <= common {
		shared++
	}
	s.letters, s.ends, s.text = s.letters[:shared], s.ends[:shared], w
	at := 0
	if shared > 0 {
		at = s.ends[shared-1]
	}
	for at < len(w) {
		r, size := utf8.DecodeRuneInString(w[at:])
		at += size
		s.letters, s.ends = append(s.letters, r), append(s.ends, at)
		if s.step() > s.typos {
			return at
		}
	}
	return 0
}

// step works out the row of the letter that was read last, and returns the
// least distance in it.
func (s *spelling) step() (least int) {
	n := len(s.letters)
	if len(s.rows) == n {
		s.rows = append(s.rows, make([]int, len(s.want)+1))
	}
	row, above := s.rows[n], s.rows[n-1]
	r := s.letters[n-1]
	row[0], least = n, n
	for i, want := range s.want {
		cost := 1
		if r == want {
			cost = 0
		}
		d := min(above[i]+cost, above[i+1]+1, row[i]+1)
		if n > 1 && i > 0 && r == s.want[i-1] && s.letters[n-2] == want {
			d = min(d, s.rows[n-2][i-1]+1)
		}
		row[i+1] = d
		least = min(least, d)
	}
	return least
}
