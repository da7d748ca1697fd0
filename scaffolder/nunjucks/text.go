package nunjucks

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JavaScript strings are sequences of UTF-16 units. Here they are Go strings
// in UTF-8, in which half of a surrogate pair that stands alone is kept as the
// three bytes that UTF-8 would give it if it were allowed to. Lengths and
// positions count units; for ASCII, which nearly all text is, they are those
// of the bytes.

const (
	surrLow  = 0xDC00
	surrHigh = 0xD800
	surrEnd  = 0xE000
	replaced = "\uFFFD"
)

// isASCII tells whether units and bytes are the same.
func isASCII(s string) bool {
	for len(s) >= 8 {
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&0x80 != 0 {
			return false
		}
		s = s[8:]
	}
	for i := 0; i < len(s); i++ {
		if s[i]&0x80 != 0 {
			return false
		}
	}
	return true
}

// decode returns the first code point of s, a lone half included, and its
// number of bytes.
func decode(s string) (rune, int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	if len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 {
		return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return utf8.DecodeRuneInString(s)
}

// appendUnit appends one unit, and joins it with a high half before it.
func appendUnit(dst []byte, u uint16) []byte {
	switch {
	case u < surrHigh || u >= surrEnd:
		return utf8.AppendRune(dst, rune(u))
	case u >= surrLow:
		if high, ok := trailingHigh(dst); ok {
			return utf8.AppendRune(dst[:len(dst)-3], utf16.DecodeRune(high, rune(u)))
		}
	}
	return append(dst, 0xED, 0x80|byte(u>>6)&0x3F, 0x80|byte(u)&0x3F)
}

// trailingHigh returns the high half that dst ends with, if it does.
func trailingHigh(dst []byte) (rune, bool) {
	n := len(dst)
	if n < 3 || dst[n-3] != 0xED || dst[n-2] < 0xA0 || dst[n-2] >= 0xB0 {
		return 0, false
	}
	return 0xD000 | rune(dst[n-2]&0x3F)<<6 | rune(dst[n-1]&0x3F), true
}

// startsLow tells whether s begins with a low half.
func startsLow(s string) bool { return len(s) >= 3 && s[0] == 0xED && s[1] >= 0xB0 }

// appendText appends s to dst, joining halves where they meet.
func appendText(dst []byte, s string) []byte {
	if startsLow(s) {
		r, n := decode(s)
		dst = appendUnit(dst, uint16(r))
		s = s[n:]
	}
	return append(dst, s...)
}

// concat returns a followed by b.
func concat(a, b string) string {
	if startsLow(b) {
		return string(appendText([]byte(a), b))
	}
	return a + b
}

// units returns s as UTF-16.
func units(s string) []uint16 {
	out := make([]uint16, 0, len(s))
	if isASCII(s) {
		for i := 0; i < len(s); i++ {
			out = append(out, uint16(s[i]))
		}
		return out
	}
	for len(s) > 0 {
		r, n := decode(s)
		out = utf16AppendRune(out, r)
		s = s[n:]
	}
	return out
}

// utf16AppendRune is utf16.AppendRune, but keeps halves.
func utf16AppendRune(out []uint16, r rune) []uint16 {
	if r >= surrHigh && r < surrEnd {
		return append(out, uint16(r))
	}
	return utf16.AppendRune(out, r)
}

// fromUnits is the inverse of units.
func fromUnits(u []uint16) string {
	out := make([]byte, 0, len(u))
	for _, c := range u {
		if c < utf8.RuneSelf {
			out = append(out, byte(c))
			continue
		}
		out = appendUnit(out, c)
	}
	return string(out)
}

// length returns the number of units of s.
func length(s string) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for len(s) > 0 {
		r, size := decode(s)
		if r > 0xFFFF {
			n++
		}
		n++
		s = s[size:]
	}
	return n
}

// unitAt returns unit i of s, and whether there is one.
func unitAt(s string, i int) (uint16, bool) {
	if i < 0 || i >= len(s) {
		return 0, false
	}
	if isASCII(s) {
		return uint16(s[i]), true
	}
	for len(s) > 0 {
		r, size := decode(s)
		if i == 0 || (i == 1 && r > 0xFFFF) {
			if r <= 0xFFFF {
				return uint16(r), true
			}
			high, low := utf16.EncodeRune(r)
			return uint16([2]rune{high, low}[i]), true
		}
		if r > 0xFFFF {
			i--
		}
		i--
		s = s[size:]
	}
	return 0, false
}

// slice returns units from..to of s. The caller has brought both into range.
func slice(s string, from, to int) string {
	if from >= to {
		return ""
	}
	if isASCII(s) {
		return s[from:to]
	}
	at, start := 0, -1
	var out []byte
	for i := 0; i < len(s) && at < to; {
		r, size := decode(s[i:])
		if r > 0xFFFF {
			high, low := utf16.EncodeRune(r)
			if at >= from && at+2 <= to {
				out = append(out, s[i:i+size]...)
			} else if at >= from {
				out = appendUnit(out, uint16(high))
			} else if at+1 >= from && at+2 <= to {
				out = appendUnit(out, uint16(low))
			}
			at++
		} else if at >= from {
			if start < 0 {
				start = i
			}
			out = append(out, s[i:i+size]...)
		}
		at++
		i += size
	}
	return string(out)
}

// wellFormed replaces halves that stand alone, so that s is UTF-8.
func wellFormed(s string) string {
	if strings.IndexByte(s, 0xED) < 0 || utf8.ValidString(s) {
		return s
	}
	return string(wellFormedBytes([]byte(s)))
}

func wellFormedBytes(b []byte) []byte {
	for i := 0; i+2 < len(b); i++ {
		if b[i] == 0xED && b[i+1] >= 0xA0 {
			copy(b[i:], replaced)
		}
	}
	return b
}

// toWellFormed replaces each byte that is not part of UTF-8 by U+FFFD.
func toWellFormed(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// compareUnits orders strings as JavaScript does: by UTF-16 units. UTF-8
// orders alike but for code points beyond the BMP.
func compareUnits(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i < len(a) && i < len(b) && a[i] >= 0xEE && b[i] >= 0xEE && (a[i] >= 0xF0) != (b[i] >= 0xF0) {
		return strings.Compare(b[i:], a[i:])
	}
	return strings.Compare(a, b)
}

// isSpace tells whether JavaScript trims r and lets \s match it.
func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

func trimStart(s string) string { return strings.TrimLeftFunc(s, isSpace) }
func trimEnd(s string) string   { return strings.TrimRightFunc(s, isSpace) }
func trim(s string) string      { return trimEnd(trimStart(s)) }

// singles are the one-unit strings of ASCII, which need no allocation.
const singles = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" +
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"

// unitString returns the string of one unit.
func unitString(u uint16) string {
	if u < utf8.RuneSelf {
		return singles[u : u+1]
	}
	return string(appendUnit(nil, u))
}
