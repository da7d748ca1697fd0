package jsregexp

import (
	"slices"
	"unicode"
)

// A span is a range of units, both ends included.
type span struct{ lo, hi uint16 }

// A set is a set of units.
type set struct {
	spans    []span // sorted, apart
	negative bool
	ascii    [2]uint64 // the spans below 128
}

// has tells whether c is in the set.
func (s *set) has(c uint16) bool { return s.listed(c) != s.negative }

func (s *set) listed(c uint16) bool {
	if c < 128 {
		return s.ascii[c>>6]&(1<<(c&63)) != 0
	}
	lo, hi := 0, len(s.spans)
	for lo < hi {
		switch m := (lo + hi) / 2; {
		case c < s.spans[m].lo:
			hi = m
		case c > s.spans[m].hi:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// hasFolded is has without regard to case.
func (s *set) hasFolded(c uint16) bool {
	want := canonical(c)
	found := s.listed(c)
	for r := unicode.SimpleFold(rune(c)); !found && r != rune(c); r = unicode.SimpleFold(r) {
		found = r <= 0xFFFF && canonical(uint16(r)) == want && s.listed(uint16(r))
	}
	return found != s.negative
}

// canonical is how a unit is compared without regard to case: its upper case
// form, unless that is several characters or becomes ASCII.
func canonical(c uint16) uint16 {
	if c < 128 {
		if c >= 'a' && c <= 'z' {
			return c - 32
		}
		return c
	}
	u := unicode.ToUpper(rune(c))
	if u < 128 || u > 0xFFFF {
		return c
	}
	return uint16(u)
}

type setBuilder struct{ spans []span }

// add adds a range, or all of s if it is not nil.
func (b *setBuilder) add(lo, hi uint16, s *set) {
	switch {
	case s == nil:
		b.spans = append(b.spans, span{lo, hi})
	case !s.negative:
		b.spans = append(b.spans, s.spans...)
	default:
		next := 0
		for _, sp := range s.spans {
			if int(sp.lo) > next {
				b.spans = append(b.spans, span{uint16(next), sp.lo - 1})
			}
			next = int(sp.hi) + 1
		}
		if next <= 0xFFFF {
			b.spans = append(b.spans, span{uint16(next), 0xFFFF})
		}
	}
}

func (b *setBuilder) build(negative bool) *set {
	slices.SortFunc(b.spans, func(x, y span) int { return int(x.lo) - int(y.lo) })
	s := &set{negative: negative}
	for _, sp := range b.spans {
		if n := len(s.spans); n > 0 && int(sp.lo) <= int(s.spans[n-1].hi)+1 {
			s.spans[n-1].hi = max(s.spans[n-1].hi, sp.hi)
			continue
		}
		s.spans = append(s.spans, sp)
	}
	for _, sp := range s.spans {
		for c := sp.lo; c <= sp.hi && c < 128; c++ {
			s.ascii[c>>6] |= 1 << (c & 63)
		}
	}
	return s
}

func newSet(negative bool, spans ...span) *set {
	return (&setBuilder{spans: spans}).build(negative)
}

var (
	digitSpans = []span{{'0', '9'}}
	wordSpans  = []span{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	spaceSpans = []span{{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A},
		{0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}}

	digitSet    = newSet(false, digitSpans...)
	notDigitSet = newSet(true, digitSpans...)
	wordSet     = newSet(false, wordSpans...)
	notWordSet  = newSet(true, wordSpans...)
	spaceSet    = newSet(false, spaceSpans...)
	notSpaceSet = newSet(true, spaceSpans...)
	dotSet      = newSet(true, span{'\n', '\n'}, span{'\r', '\r'}, span{0x2028, 0x2029})
)

// escapedSet returns the set that a letter after a backslash stands for.
func escapedSet(c uint16) *set {
	switch c {
	case 'd':
		return digitSet
	case 'D':
		return notDigitSet
	case 'w':
		return wordSet
	case 'W':
		return notWordSet
	case 's':
		return spaceSet
	case 'S':
		return notSpaceSet
	}
	return nil
}

func isLineEnd(c uint16) bool { return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 }
