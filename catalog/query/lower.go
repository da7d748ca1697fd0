package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lower lower-cases s as JavaScript does, which is what the index compares:
// by rune, but for the dotted capital I, which becomes two, and for the sigma
// at the end of a word, which has a form of its own.
func Lower(s string) string {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return lowerUnicode(s)
		}
		if 'A' <= c && c <= 'Z' {
			return lowerFrom(s, i)
		}
	}
	return s
}

// lowerFrom lower-cases s, whose first capital stands at i.
func lowerFrom(s string, i int) string {
	b := make([]byte, len(s))
	copy(b, s[:i])
	for ; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return lowerUnicode(s)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	return string(b)
}

const (
	dottedI   = 'İ'
	sigma     = 'Σ'
	lastSigma = 'ς'
)

func lowerUnicode(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == dottedI:
			b.WriteString("i\u0307")
		case r == sigma && endsWord(s[:i], s[i+utf8.RuneLen(sigma):]):
			b.WriteRune(lastSigma)
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord tells whether a letter comes before and none after, looking past
// marks and apostrophes.
func endsWord(before, after string) bool {
	ignorable := func(r rune) bool { return unicode.Is(unicode.Mn, r) || strings.ContainsRune("'.:·\u00ad\u2019", r) }
	first, _ := utf8.DecodeLastRuneInString(strings.TrimRightFunc(before, ignorable))
	last, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(after, ignorable))
	return cased(first) && !cased(last)
}

func cased(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }

// trim removes what JavaScript takes for white space from both ends.
func trim(s string) string { return strings.TrimFunc(s, isSpace) }

func isSpace(r rune) bool {
	const byteOrderMark, nextLine = '\uFEFF', '\u0085'
	return r == byteOrderMark || r != nextLine && unicode.IsSpace(r)
}
