package query

import (
	"strings"
	"unicode/utf8"
)

// maxPatternRunes is more than any value in the index has: no longer pattern
// matches. A value has at most 200 UTF-16 units.
const maxPatternRunes = 200

// A Pattern is a lower-cased full-text term. In it % stands for any text and _
// for any one character; it matches where a part of a value does. The zero
// Pattern matches every value.
type Pattern struct{ text string }

// NewPattern returns the pattern of a term as it was asked for, and ok false
// if the term is blank, which means no condition.
func NewPattern(term string) (p Pattern, ok bool) {
	text := Lower(trim(term))
	return Pattern{text}, text != ""
}

// String returns the pattern's text.
func (p Pattern) String() string { return p.text }

// Possible tells whether there can be a value that the pattern matches.
func (p Pattern) Possible() bool {
	return utf8.RuneCountInString(p.text)-strings.Count(p.text, "%") <= maxPatternRunes
}

// Literals returns the parts of the pattern that stand for themselves. A value
// that matches contains them all, in this order.
func (p Pattern) Literals() []string {
	return strings.FieldsFunc(p.text, func(r rune) bool { return r == '%' || r == '_' })
}

// Match tells whether a part of the value, which is lower-cased, matches.
func (p Pattern) Match(value string) bool {
	if strings.IndexByte(p.text, '%') < 0 && strings.IndexByte(p.text, '_') < 0 {
		return strings.Contains(value, p.text)
	}
	return p.match(value)
}

// match takes the pattern for %text%. After each % the first place that fits
// the text up to the next % is taken; there is never a need to take a later
// one, so the work is bounded by the product of the two lengths.
func (p Pattern) match(value string) bool {
	for piece := range strings.SplitSeq(p.text, "%") {
		end, ok := findPiece(value, piece)
		if !ok {
			return false
		}
		value = value[end:]
	}
	return true
}

// findPiece looks for the first place in value where piece, whose _ stand for
// any character, fits, and returns the place behind it.
func findPiece(value, piece string) (end int, ok bool) {
	for start := 0; ; {
		if n, fits := fitsHere(value[start:], piece); fits {
			return start + n, true
		}
		if start >= len(value) {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(value[start:])
		start += size
	}
}

func fitsHere(value, piece string) (n int, ok bool) {
	for i := 0; i < len(piece); i++ {
		if n >= len(value) {
			return 0, false
		}
		if piece[i] == '_' {
			_, size := utf8.DecodeRuneInString(value[n:])
			n += size
			continue
		}
		if piece[i] != value[n] {
			return 0, false
		}
		n++
	}
	return n, true
}

// A Text is a full-text filter as it was asked for.
type Text struct {
	Term string
	// Fields are where the term is looked for: nil: the order field, or the
	// uid where there is none; empty: nowhere.
	Fields []string
}

// Filter returns the filter of the text, nil if its term is blank. The order
// is that of the result, nil for the order by uid.
func (t *Text) Filter(order *Order) Filter {
	if t == nil {
		return nil
	}
	pattern, ok := NewPattern(t.Term)
	if !ok {
		return nil
	}
	fields := t.Fields
	if fields == nil {
		fields = []string{"metadata.uid"}
		if order != nil {
			fields = []string{order.Field}
		}
	}
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = Lower(trim(f))
	}
	return Matches{keys, pattern}
}
