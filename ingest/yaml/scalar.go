package yaml

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// leaf reads what is written in one piece: a scalar, an alias or a flow
// collection. Further lines of it must be indented by at least indent.
func (p *parser) leaf(indent int) (node, error) {
	if c := p.src[p.pos]; c == '[' || c == '{' {
		return p.flowNode(indent, true)
	}
	return p.scalar(indent, false)
}

func (p *parser) scalar(indent int, inFlow bool) (node, error) {
	switch c := p.src[p.pos]; c {
	case '"', '\'':
		return p.quoted(indent)
	case '*':
		return p.alias()
	case '%':
		return node{}, p.failAt(p.pos, "Plain value cannot start with directive indicator character %%")
	case '@', '`':
		return node{}, p.failAt(p.pos, "Plain value cannot start with reserved character %c", c)
	case '|', '>':
		return node{}, p.failAt(p.pos, "Plain value cannot start with block scalar indicator %c", c)
	case ',':
		return node{}, p.failAt(p.pos, "Plain value cannot start with flow indicator character ,")
	case ']', '}':
		return node{}, p.unexpected()
	}
	return p.plain(indent, inFlow), nil
}

// plain reads a scalar without quotes.
func (p *parser) plain(indent int, inFlow bool) node {
	n := node{style: stylePlain, start: p.pos}
	end := p.plainLine(inFlow)
	n.end = end
	var folded []byte
	for p.pos < len(p.src) && p.lineBreak() {
		from := p.mark()
		breaks := p.breaks()
		if !p.continues(indent, inFlow) {
			p.reset(from)
			break
		}
		if folded == nil {
			folded = append(folded, p.src[n.start:n.end]...)
		}
		start := p.pos
		end = p.plainLine(inFlow)
		if end == start {
			p.reset(from)
			break
		}
		folded = appendFold(folded, breaks)
		folded = append(folded, p.src[start:end]...)
		n.end, n.broken = end, true
	}
	if n.broken {
		n.text = string(folded)
	} else {
		n.text = p.text(n.start, n.end)
	}
	return n
}

// text copies a piece of the source; short ones, which repeat, once only.
func (p *parser) text(start, end int) string { return p.names.text(p.src[start:end]) }

// plainLine reads the part of a plain scalar that is on this line and returns
// where it ends; the parser is then at the blanks, the comment, the line break
// or the indicator behind it.
func (p *parser) plainLine(inFlow bool) int {
	i, end := p.pos, p.pos
	for i < len(p.src) {
		c := p.src[i]
		switch {
		case c == '\n' || c == '\r' && i+1 < len(p.src) && p.src[i+1] == '\n':
			p.pos = end
			return end
		case c == ' ' || c == '\t':
			if i+1 < len(p.src) && p.src[i+1] == '#' {
				p.pos = end
				return end
			}
			i++
			continue
		case c == ':' && (p.blankAt(i+1) || inFlow && isFlowIndicator(p.src[i+1])):
			p.pos = end
			return end
		case inFlow && isFlowIndicator(c):
			p.pos = end
			return end
		}
		i++
		end = i
	}
	p.pos = end
	return end
}

// lineBreak tells whether nothing but blanks is left of the line.
func (p *parser) lineBreak() bool {
	i := p.pos
	for i < len(p.src) && isBlank(p.src[i]) {
		i++
	}
	return i < len(p.src) && (p.src[i] == '\n' || p.src[i] == '\r' && i+1 < len(p.src) && p.src[i+1] == '\n')
}

// breaks goes over blanks and line breaks to the next text, and returns how
// many line breaks there were.
func (p *parser) breaks() int {
	n := 0
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '\n':
			n++
			p.lineStart = p.pos + 1
		case isBlank(c) || c == '\r' && p.at(1) == '\n':
		default:
			return n
		}
		p.pos++
	}
	return n
}

// indentation returns how many spaces the current line begins with, up to pos.
func (p *parser) indentation() int {
	i := p.lineStart
	for i < p.pos && p.src[i] == ' ' {
		i++
	}
	return i - p.lineStart
}

// continues tells whether the line that the parser is at goes on with a plain
// scalar.
func (p *parser) continues(indent int, inFlow bool) bool {
	if p.pos >= len(p.src) || p.indentation() < indent {
		return false
	}
	c := p.src[p.pos]
	return c != '#' && !(inFlow && isFlowIndicator(c))
}

// appendFold appends what a number of line breaks inside a scalar stand for.
func appendFold(dst []byte, breaks int) []byte {
	if breaks == 1 {
		return append(dst, ' ')
	}
	for range breaks - 1 {
		dst = append(dst, '\n')
	}
	return dst
}

// quoted reads a scalar in single or double quotes.
func (p *parser) quoted(indent int) (node, error) {
	quote := p.src[p.pos]
	n := node{style: styleQuoted, start: p.pos}
	p.pos++
	var text []byte
	keep := 0 // how much of text is not white space that a line break may take
	for {
		start := p.pos
		for p.pos < len(p.src) && !stops(p.src[p.pos], quote) {
			p.pos++
		}
		text = append(text, p.src[start:p.pos]...)
		if p.pos >= len(p.src) {
			return n, p.missingQuote(n.start, quote)
		}
		switch c := p.src[p.pos]; {
		case c == '\n':
			text = trimBlanks(text, keep)
			breaks, err := p.quotedBreaks(n.start, indent, quote)
			if err != nil {
				return n, err
			}
			text = appendFold(text, breaks)
			keep, n.broken = len(text), true
		case c == quote && quote == '\'' && p.at(1) == '\'':
			text = append(text, '\'')
			p.pos += 2
		case c == quote:
			p.pos++
			n.text, n.end = string(text), p.pos
			return n, nil
		default:
			var err error
			if text, err = p.escape(n.start, indent, text, &n.broken); err != nil {
				return n, err
			}
			keep = len(text)
		}
	}
}

func stops(c, quote byte) bool {
	return c == quote || c == '\n' || c == '\\' && quote == '"'
}

// trimBlanks drops the blanks at the end of text, down to the length keep.
func trimBlanks(text []byte, keep int) []byte {
	if len(text) > keep && text[len(text)-1] == '\r' {
		text = text[:len(text)-1]
	}
	for len(text) > keep && isBlank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

// quotedBreaks goes over the line breaks inside quotes. A line that is not
// indented enough ends the scalar, which then has no closing quote.
func (p *parser) quotedBreaks(start, indent int, quote byte) (int, error) {
	n := 0
	for {
		end := p.pos
		p.pos++
		n++
		p.lineStart = p.pos
		for p.at(0) == ' ' {
			p.pos++
		}
		spaces := p.column()
		for isBlank(p.at(0)) || p.at(0) == '\r' && p.at(1) == '\n' {
			p.pos++
		}
		if p.at(0) == '\n' {
			continue
		}
		if spaces < indent || p.pos >= len(p.src) {
			if bytes.IndexByte(p.full[p.pos:], quote) < 0 {
				return n, p.missingQuote(start, quote)
			}
			if end > 0 && p.src[end-1] == '\r' {
				end--
			}
			return n, p.failAt(end, "Missing closing %cquote", quote)
		}
		return n, nil
	}
}

// missingQuote is the error for a quote that nothing closes. The reference
// looks for one to the end of the stream.
func (p *parser) missingQuote(start int, quote byte) error {
	if len(p.src) < len(p.full) && bytes.IndexByte(p.full[p.pos:], quote) >= 0 {
		return p.failAt(max(start, len(p.src)-1), "Missing closing %cquote", quote)
	}
	return p.failAt(len(p.full), "Missing closing %cquote", quote)
}

// escapes are those of one letter.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 'e': "\x1b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029", ' ': " ", '"': `"`, '/': "/", '\\': `\`, '\t': "\t",
}

// escape reads the escape sequence that is here and appends what it means.
func (p *parser) escape(start, indent int, text []byte, broken *bool) ([]byte, error) {
	at := p.pos
	c := p.at(1)
	p.pos += 2
	if s, ok := escapes[c]; ok && at+1 < len(p.src) {
		return append(text, s...), nil
	}
	digits := 0
	switch {
	case at+1 >= len(p.src):
		p.pos = at + 1
		return text, p.missingQuote(start, '"')
	case c == '\n' || c == '\r' && p.at(0) == '\n':
		*broken = true
		if c == '\n' {
			p.pos--
		}
		breaks, err := p.quotedBreaks(start, indent, '"')
		for range breaks - 1 {
			text = append(text, '\n')
		}
		return text, err
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	default:
		_, size := utf8.DecodeRune(p.src[at+1:])
		return text, p.failAt(at, `Invalid escape sequence \%s`, p.src[at+1:at+1+size])
	}
	end := min(p.pos+digits, len(p.src))
	r, err := strconv.ParseUint(string(p.src[p.pos:end]), 16, 32)
	if err != nil || end < p.pos+digits || r > utf8.MaxRune {
		return text, p.failAt(at, `Invalid escape sequence %s`, p.src[at:end])
	}
	p.pos = end
	return p.appendRune(text, rune(r)), nil
}

// appendRune appends r; the two halves of a surrogate pair become one.
func (p *parser) appendRune(text []byte, r rune) []byte {
	if r < 0xd800 || r > 0xdbff || p.at(0) != '\\' || p.at(1) != 'u' || p.pos+6 > len(p.src) {
		return utf8.AppendRune(text, r)
	}
	low, err := strconv.ParseUint(string(p.src[p.pos+2:p.pos+6]), 16, 32)
	if err != nil || low < 0xdc00 || low > 0xdfff {
		return utf8.AppendRune(text, r)
	}
	p.pos += 6
	return utf8.AppendRune(text, (r-0xd800)<<10+(rune(low)-0xdc00)+0x10000)
}
