package skeleton

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	// scanned is how much of a file tells whether it is binary; headSize is a
	// little more, so that no character is cut.
	scanned  = 512
	headSize = scanned + 3
	// suspectPercent is how many of the scanned bytes may be neither printable
	// nor UTF-8 in a text, and decideFrom from where on that is looked at.
	suspectPercent = 10
	decideFrom     = 32
)

// isBinary tells from its first bytes whether a file is copied as it is.
//
// The measure is that of the reference (a NUL, the start of a PDF, or a tenth
// of bytes that belong in no text) but for texts in UTF-16, UTF-32 and
// GB 18030, which rendering as UTF-8 would destroy.
func isBinary(head []byte) bool {
	switch {
	case len(head) == 0 || bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return false
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return true
	}
	for _, mark := range []string{"\xfe\xff", "\xff\xfe", "\x00\x00\xfe\xff", "\x84\x31\x95\x33"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return true
		}
	}
	return looksBinary(head)
}

func looksBinary(head []byte) bool {
	size := min(len(head), scanned)
	suspect := 0
	for i := 0; i < size; i++ {
		switch c := head[i]; {
		case c == 0:
			return true
		case c >= 7 && c <= 14 || c >= 32 && c <= 127:
			continue
		}
		n, ok := sequence(head[i:])
		i += n - 1
		if ok {
			continue
		}
		suspect++
		if i >= decideFrom && suspect*100 > suspectPercent*size {
			return true
		}
	}
	return suspect*100 > suspectPercent*size || suspect > 1 && isMessage(head[:size])
}

// sequence returns how many bytes the character at the start of s takes up,
// and whether they are one of UTF-8. A broken one takes up its second byte
// too.
func sequence(s []byte) (n int, ok bool) {
	want := 0
	switch c := s[0]; {
	case c >= 0xc0 && c <= 0xdf:
		want = 2
	case c >= 0xe0 && c <= 0xef:
		want = 3
	case c >= 0xf0 && c <= 0xf7:
		want = 4
	}
	if want == 0 || len(s) < want {
		return 1, false
	}
	for _, c := range s[1:want] {
		if c < 0x80 || c > 0xbf {
			return 2, false
		}
	}
	return want, true
}

// isMessage tells whether s begins with fields of a Protocol Buffers message
// and has nothing else in it.
func isMessage(s []byte) bool {
	fields := 0
	for {
		key, rest, ok := varint(s)
		if !ok {
			return fields > 0
		}
		skip := uint64(0)
		switch key & 7 {
		case 0:
			_, rest, ok = varint(rest)
		case 1:
			skip = 8
		case 2:
			skip, rest, ok = varint(rest)
		case 5:
			skip = 4
		default:
			return false
		}
		if !ok || skip > uint64(len(rest)) {
			return fields > 0
		}
		s = rest[skip:]
		fields++
	}
}

func varint(s []byte) (v uint64, rest []byte, ok bool) {
	for i, c := range s {
		if i == 10 {
			return 0, nil, false
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, s[i+1:], true
		}
	}
	return 0, nil, false
}

// Decode returns bytes as a text. Each longest piece that is the beginning
// of a character, and each byte that is none, becomes U+FFFD, as browsers do
// it.
func Decode(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			size = beginning(b)
		}
		out.WriteRune(r)
		b = b[size:]
	}
	return out.String()
}

// beginning returns how many bytes of a broken character begin one.
func beginning(b []byte) int {
	for n := min(3, len(b)); n > 1; n-- {
		if utf8.RuneStart(b[0]) && !utf8.FullRune(b[:n]) {
			return n
		}
	}
	return 1
}
