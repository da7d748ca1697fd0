package yaml

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A SyntaxError says where a document stops being YAML.
type SyntaxError struct {
	Reason string
	// Line and Column count from 1; columns are UTF-16 code units.
	Line, Column int
	// Excerpt shows the line with a pointer below it, and the line before when
	// the pointer is at the start; "" where there is nothing to show.
	Excerpt string
}

func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("%s at line %d, column %d", e.Reason, e.Line, e.Column)
	if e.Excerpt != "" {
		s += ":\n\n" + e.Excerpt + "\n"
	}
	return s
}

// A ReferenceError is an alias that cannot be resolved.
type ReferenceError struct{ Reason string }

func (e *ReferenceError) Error() string { return e.Reason }

// shown is how many UTF-16 code units of a line an error shows.
const shown = 80

// fail returns an error at the bytes from..to, of which those on the first
// line are pointed at.
func (p *parser) fail(from, to int, format string, args ...any) error {
	from, to = min(from, len(p.full)), min(to, len(p.full))
	start := bytes.LastIndexByte(p.full[:from], '\n') + 1
	column := utf16Len(p.full[start:from])
	width := 1
	if to > from && bytes.IndexByte(p.full[from:to], '\n') < 0 {
		width = utf16Len(p.full[from:to])
	}
	return &SyntaxError{
		Reason:  fmt.Sprintf(format, args...),
		Line:    1 + bytes.Count(p.full[:start], newline),
		Column:  1 + column,
		Excerpt: excerpt(p.full, start, from, width),
	}
}

func (p *parser) failAt(at int, format string, args ...any) error {
	return p.fail(at, at+1, format, args...)
}

// window is how many bytes around an error suffice for its excerpt, whatever
// the length of the line.
const window = 8 * shown

// excerpt shows the line that begins at start, with a pointer of that width
// below the place at.
func excerpt(full []byte, start, at, width int) string {
	first := start == 0
	if at-start > 2*window {
		start = at - window
		for !utf8.RuneStart(full[start]) {
			start++
		}
	}
	line := utf16.Encode([]rune(strings.TrimRight(lineAt(full, start, at+window), "\r\n")))
	column := utf16Len(full[start:at])
	if column >= 60 && len(line) > shown {
		cut := min(column-39, len(line)-shown+1)
		line = append([]uint16{'…'}, line[cut:]...)
		column -= cut - 1
	}
	line = shorten(line)
	text, blank := string(utf16.Decode(line)), onlySpaces(line[:min(column, len(line))])
	if !first && blank {
		text = before(full, start) + text
	}
	if strings.Trim(text, " ") == "" {
		return ""
	}
	width = max(1, min(width, shown-column))
	return text + "\n" + strings.Repeat(" ", column) + strings.Repeat("^", width)
}

func onlySpaces(line []uint16) bool {
	for _, c := range line {
		if c != ' ' {
			return false
		}
	}
	return true
}

// before returns the line that ends where start is.
func before(full []byte, start int) string {
	from := bytes.LastIndexByte(full[:start-1], '\n') + 1
	units := utf16.Encode([]rune(lineAt(full, from, from+window)))
	if len(units) > shown {
		return string(utf16.Decode(shorten(units))) + "\n"
	}
	return string(utf16.Decode(units))
}

func shorten(line []uint16) []uint16 {
	if len(line) <= shown {
		return line
	}
	return append(line[:shown-1:shown-1], '…')
}

// lineAt returns the line that begins at start with its line break, but
// nothing from limit on.
func lineAt(full []byte, start, limit int) string {
	rest := full[start:min(limit, len(full))]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i+1]
	}
	return string(rest)
}

func utf16Len(b []byte) int {
	n := 0
	for _, r := range string(b) {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// unexpected is the error for a token after the end of a node.
func (p *parser) unexpected() error {
	from, c := p.pos, p.src[p.pos]
	switch {
	case c == ']' || c == '}':
		return p.strayBracket("stream")
	case c == '[':
		return p.failAt(from, "Unexpected flow-seq-start at node end")
	case c == '{':
		return p.failAt(from, "Unexpected flow-map-start at node end")
	case c == '"':
		return p.fail(from, p.tokenEnd(), "Unexpected double-quoted-scalar at node end")
	case c == '\'':
		return p.fail(from, p.tokenEnd(), "Unexpected single-quoted-scalar at node end")
	case c == '*':
		return p.fail(from, p.tokenEnd(), "Unexpected alias at node end")
	case c == '&':
		return p.fail(from, p.tokenEnd(), "Unexpected anchor at node end")
	case c == '!':
		return p.fail(from, p.tokenEnd(), "Unexpected tag at node end")
	case c == '|' || c == '>':
		return p.failAt(from, "Unexpected block-scalar-header at node end")
	case p.indicator('-'):
		return p.failAt(from, "Unexpected seq-item-ind at node end")
	case p.indicator('?'):
		return p.failAt(from, "Unexpected explicit-key-ind at node end")
	case p.indicator(':'):
		return p.failAt(from, "Unexpected map-value-ind at node end")
	}
	return p.fail(from, p.tokenEnd(), "Unexpected scalar at node end")
}

// strayBracket is the error for a closing bracket that closes nothing.
func (p *parser) strayBracket(where string) error {
	token := "flow-seq-end"
	if p.src[p.pos] == '}' {
		token = "flow-map-end"
	}
	return p.failAt(p.pos, "Unexpected %s token in YAML %s: \"%c\"", token, where, p.src[p.pos])
}

// tokenEnd guesses where the scalar here ends, for what an error points at.
func (p *parser) tokenEnd() int {
	end := p.lineEnd()
	if c := p.src[p.pos]; c == '"' || c == '\'' {
		if i := bytes.IndexByte(p.src[p.pos+1:end], c); i >= 0 {
			return p.pos + i + 2
		}
		return end
	}
	for i := p.pos; i < end; i++ {
		if p.src[i] == ':' && p.blankAt(i+1) || isBlank(p.src[i]) && i+1 < end && p.src[i+1] == '#' {
			end = i
		}
	}
	return len(bytes.TrimRight(p.src[:end], " \t"))
}
