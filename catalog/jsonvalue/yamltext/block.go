package yamltext

import (
	"regexp"
	"strings"
)

// notBlock matches what no block scalar keeps: a last line of blanks, and
// blank lines with blanks in them alone.
var notBlock = regexp.MustCompile(`\n[\t ]+$|^\n*[\t ][\n\t ]*$`)

// indicator tells the reader how far a block is indented whose first line
// begins with blanks of its own.
const indicator = "2"

// block writes a string of several lines: literally, or folded where a line is
// too long.
func block(s string, p place) string {
	if notBlock.MatchString(s) {
		return quoted(s, p)
	}
	indent := p.lineIndent(s)
	head, body, tail := cut(s)
	header := chomping(s, tail)
	if strings.Contains(head, " ") || strings.HasPrefix(body, " ") {
		if p.indent == "" {
			// Readers do not agree on what an indicator counts from at the root.
			return doubleQuoted(s, p)
		}
		header = indicator + header
	}
	tail = indentBlank(strings.TrimSuffix(tail, "\n"), indent)
	head = breaks.ReplaceAllString(head, "$0"+indent)
	if overlong(s, lineWidth-units(indent)) {
		overflow := false
		folded := breaks.ReplaceAllString(doubleBreaks(body), "$0"+indent)
		folded = fold(head+folded+tail, indent, foldBlock, units(p.indent), &overflow)
		if !overflow {
			return ">" + header + "\n" + indent + folded
		}
	}
	body = breaks.ReplaceAllString(body, "$0"+indent)
	return "|" + header + "\n" + indent + head + body + tail
}

// cut separates what a block scalar treats apart: the empty lines before the
// text, and the blanks and line ends after it.
func cut(s string) (head, body, tail string) {
	body = strings.TrimRight(s, "\n\t ")
	tail = s[len(body):]
	blanks := len(body) - len(strings.TrimLeft(body, " \n"))
	start := strings.LastIndexByte(body[:blanks], '\n') + 1
	return body[:start], body[start:], tail
}

// chomping is the sign for which of the line ends in tail are kept: none, one,
// or all.
func chomping(s, tail string) string {
	switch first := strings.IndexByte(tail, '\n'); {
	case first < 0:
		return "-"
	case s == tail || first != len(tail)-1:
		return "+"
	}
	return ""
}

// indentBlank indents the line ends of tail that no other follows.
func indentBlank(tail, indent string) string {
	var b strings.Builder
	for i := 0; i < len(tail); i++ {
		b.WriteByte(tail[i])
		if tail[i] == '\n' && i+1 < len(tail) && tail[i+1] != '\n' {
			b.WriteString(indent)
		}
	}
	return b.String()
}

// doubleBreaks adds a line end to each run of them, since folding eats one, but
// not beside lines that begin with a blank: those are never folded.
func doubleBreaks(s string) string {
	var b strings.Builder
	inset := false // the line before begins with a blank
	for s != "" {
		line, rest, more := strings.Cut(s, "\n")
		b.WriteString(line)
		if line != "" {
			inset = line[0] == ' ' || line[0] == '\t'
		}
		if !more {
			break
		}
		text := strings.TrimLeft(rest, "\n")
		b.WriteString(strings.Repeat("\n", 1+len(rest)-len(text)))
		if nextInset := text != "" && (text[0] == ' ' || text[0] == '\t'); !inset && !nextInset {
			b.WriteByte('\n')
		}
		s = text
	}
	return b.String()
}

// overlong tells whether some line has more than limit units.
func overlong(s string, limit int) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if units(line) > limit {
			return true
		}
	}
	return false
}
