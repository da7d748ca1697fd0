package yamltext

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	// unprintable may only be written as escapes.
	unprintable = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{feff}]`)
	// notBare matches what a bare string may not be: a lone or leading
	// indicator, ": ", " #", blanks at either end or around a line end.
	notBare = regexp.MustCompile("^[\n\t ,\\[\\]{}#&*!|>'\"%@`]|^[?-]$|^[?-][ \t]|[\n:][ \t]|[ \t]\n|[\n\t ]#|[\n\t :]$")
	// otherType matches bare strings that YAML 1.2 reads as null, booleans
	// and numbers.
	otherType = regexp.MustCompile(`^(?:~|[Nn]ull|NULL|[Tt]rue|TRUE|[Ff]alse|FALSE|0o[0-7]+|0x[0-9a-fA-F]+` +
		`|[-+]?\.(?:inf|Inf|INF)|\.nan|\.NaN|\.NAN|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)?$`)
	// marker matches lines that some reader takes for the border of a document.
	marker = regexp.MustCompile(`(?m)^(?:%|---|\.\.\.)`)
	// aroundBreak matches blanks beside a line end, which folding would eat.
	aroundBreak = regexp.MustCompile(`[ \t]\n|\n[ \t]`)
	breaks      = regexp.MustCompile(`\n+`)
)

// text writes a string in the plainest style that keeps it.
func text(s string, p place) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	lines := strings.Contains(s, "\n")
	switch {
	case unprintable.MatchString(s):
		return doubleQuoted(s, p)
	case lines && !p.key:
		return block(s, p)
	case lines, notBare.MatchString(s), otherType.MatchString(s):
		return quoted(s, p)
	case marker.MatchString(s) && p.indent == "":
		return block(s, p)
	case marker.MatchString(s) && p.key && p.indent == step:
		return quoted(s, p)
	case p.key:
		return s
	}
	return fold(s, p.indent, foldPlain, p.start, nil)
}

// quoted writes a string in double quotes, or in single ones where that saves
// escapes.
func quoted(s string, p place) string {
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") {
		return singleQuoted(s, p)
	}
	return doubleQuoted(s, p)
}

func singleQuoted(s string, p place) string {
	if p.key && strings.Contains(s, "\n") || aroundBreak.MatchString(s) {
		return doubleQuoted(s, p)
	}
	indent := p.lineIndent(s)
	out := "'" + breaks.ReplaceAllString(strings.ReplaceAll(s, "'", "''"), "$0\n"+indent) + "'"
	if p.key {
		return out
	}
	return fold(out, indent, foldPlain, p.start, nil)
}

// lineIndent is what begins further lines of s: at the root nothing, unless a
// line would pass for the border of a document.
func (p place) lineIndent(s string) string {
	if p.indent == "" && marker.MatchString(s) {
		return step
	}
	return p.indent
}

const (
	// minLines is from how long a JSON string on a double-quoted one is
	// written with line ends instead of \n.
	minLines  = 40
	hexDigits = "0123456789abcdef"
)

func doubleQuoted(s string, p place) string {
	indent := p.lineIndent(s)
	escapeBreaks := p.key || jsonLength(s) < minLines
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\n' || escapeBreaks || i+1 == len(s) {
			i += quoteRune(&b, s[i:], strings.HasPrefix(s[i:], " \n"))
			continue
		}
		// Folding eats the first line end.
		b.WriteString("\n\n")
		for i++; i+1 < len(s) && s[i] == '\n'; i++ {
			b.WriteByte('\n')
		}
		b.WriteString(indent)
		if s[i] == ' ' {
			b.WriteString(`\ `)
			i++
		}
	}
	b.WriteByte('"')
	if p.key {
		return b.String()
	}
	return fold(b.String(), indent, foldQuoted, p.start, nil)
}

// quoteRune writes the first character of s as it stands in double quotes and
// returns its length. A blank is escaped if protect is set.
func quoteRune(b *strings.Builder, s string, protect bool) int {
	c := s[0]
	switch {
	case c == ' ' && protect:
		b.WriteString(`\ `)
	case c == '"' || c == '\\':
		b.WriteString(`\` + string(c))
	case strings.IndexByte("\x00\a\b\t\n\v\f\r\x1b", c) >= 0:
		b.WriteByte('\\')
		b.WriteByte(`0abtnvfre`[strings.IndexByte("\x00\a\b\t\n\v\f\r\x1b", c)])
	case c < 0x20 || c == 0x7f:
		b.WriteString(`\x` + string(hexDigits[c>>4]) + string(hexDigits[c&15]))
	case c < utf8.RuneSelf:
		b.WriteByte(c)
	default:
		return quoteWide(b, s)
	}
	return 1
}

// quoteWide is quoteRune beyond ASCII.
func quoteWide(b *strings.Builder, s string) int {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r < 0xa0:
		b.WriteString(`\x` + string(hexDigits[r>>4]) + string(hexDigits[r&15]))
	case r == '\uFEFF':
		b.WriteString(`\uFEFF`)
	default:
		b.WriteString(s[:size])
	}
	return size
}

// jsonLength is how many UTF-16 units s has as a JSON string.
func jsonLength(s string) int {
	n := 2
	for _, r := range s {
		switch {
		case strings.ContainsRune("\"\\\b\t\n\f\r", r):
			n += 2
		case r < 0x20:
			n += 6
		case r >= 0x10000:
			n += 2
		default:
			n++
		}
	}
	return n
}
