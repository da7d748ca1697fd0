package yaml

import "bytes"

// A header is the first line of a block scalar.
type header struct {
	folded bool
	chomp  byte // '+', '-' or 0
	indent int  // that the author gave, 0 for none
}

// blockScalar reads a literal or folded scalar in a collection at the column
// parent.
func (p *parser) blockScalar(parent int) (node, error) {
	n := node{style: styleQuoted, start: p.pos, broken: true}
	h, err := p.blockHeader()
	if err != nil {
		return n, err
	}
	lines, err := p.blockLines(h, parent)
	if err != nil {
		return n, err
	}
	content := len(lines)
	for content > 0 && len(lines[content-1]) == 0 {
		content--
	}
	var text []byte
	if h.folded {
		text = foldLines(lines[:content])
	} else {
		text = bytes.Join(lines[:content], newline)
	}
	switch {
	case h.chomp == '+':
		for range len(lines) - content {
			text = append(text, '\n')
		}
		if content > 0 {
			text = append(text, '\n')
		}
	case h.chomp != '-' && content > 0:
		text = append(text, '\n')
	}
	n.text, n.end = string(text), p.pos
	return n, nil
}

// blockHeader reads the indicators and goes to the next line.
func (p *parser) blockHeader() (header, error) {
	start := p.pos
	h := header{folded: p.src[p.pos] == '>'}
	p.pos++
	for {
		c := p.at(0)
		switch {
		case (c == '+' || c == '-') && h.chomp == 0:
			h.chomp = c
		case c >= '1' && c <= '9' && h.indent == 0:
			h.indent = int(c - '0')
		case !p.blankAt(p.pos) && c != '#':
			end := p.pos
			for !p.blankAt(end) {
				end++
			}
			return h, p.failAt(p.pos, "Block scalar header includes extra characters: %s", p.src[start:end])
		default:
			return h, p.blockHeaderEnd()
		}
		p.pos++
	}
}

// blockHeaderEnd goes over blanks and a comment to the next line.
func (p *parser) blockHeaderEnd() error {
	at := p.pos
	for isBlank(p.at(0)) {
		p.pos++
	}
	end := p.lineEnd()
	if p.at(0) == '#' && p.pos == at {
		return p.fail(p.pos, end, "Comments must be separated from other tokens by white space characters")
	}
	if c := p.at(0); c != '#' && p.pos < end {
		return p.fail(p.pos, end, "Unexpected scalar at node end")
	}
	p.pos = end
	p.nextLine()
	return nil
}

// nextLine goes over the line break that is here, if any.
func (p *parser) nextLine() {
	if p.at(0) == '\r' {
		p.pos++
	}
	if p.at(0) == '\n' {
		p.pos++
		p.lineStart = p.pos
	}
}

// blockLines reads the lines of the scalar without their indentation and line
// breaks. Blank lines at the end are among them.
func (p *parser) blockLines(h header, parent int) ([][]byte, error) {
	indent, err := p.blockIndent(h, parent)
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	for p.pos < len(p.src) {
		end := p.lineEnd()
		line := p.src[p.pos:end]
		spaces := leadingSpaces(line)
		switch {
		case spaces == len(line) && spaces <= indent:
			line = nil
		case spaces < indent:
			return lines, p.blockTab(line, spaces)
		default:
			line = line[indent:]
		}
		if end == len(p.src) && len(line) == 0 && p.pos == end {
			break
		}
		lines = append(lines, line)
		p.pos = end
		p.nextLine()
	}
	return lines, nil
}

// blockTab is the error for a line that ends a block scalar where a tab stands
// for its indentation.
func (p *parser) blockTab(line []byte, spaces int) error {
	if line[spaces] == '\t' {
		return p.failAt(p.pos, "Block scalar lines must not be less indented than their first line")
	}
	return nil
}

// blockIndent returns the indentation of the scalar: the author's, or that of
// the first line that is not blank.
func (p *parser) blockIndent(h header, parent int) (int, error) {
	if h.indent > 0 {
		return max(parent, 0) + h.indent, nil
	}
	longest := 0
	for at := p.pos; at < len(p.src); {
		end := len(p.src)
		next := end
		if i := bytes.IndexByte(p.src[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		line := bytes.TrimSuffix(p.src[at:end], []byte{'\r'})
		spaces := leadingSpaces(line)
		if spaces == len(line) {
			longest = max(longest, spaces)
			at = next
			continue
		}
		switch {
		case spaces <= parent && line[spaces] == '\t' && parent >= 0:
			return 0, p.failAt(at, "Block scalar values in collections must be indented")
		case spaces <= parent:
			return max(longest, parent+1), nil
		case longest > spaces:
			return 0, p.failAt(at+spaces, "Block scalars with more-indented leading empty lines must use an explicit indentation indicator")
		}
		return spaces, nil
	}
	return max(longest, parent+1), nil
}

func leadingSpaces(line []byte) int {
	i := 0
	for i < len(line) && line[i] == ' ' {
		i++
	}
	return i
}

// foldLines joins lines by blanks. Line breaks stay around lines that begin
// with white space; of several in a row one is dropped.
func foldLines(lines [][]byte) []byte {
	var out []byte
	breaks, apart := 0, true // apart: the last text line keeps its line break
	for i, line := range lines {
		if len(line) == 0 {
			breaks++
			continue
		}
		indented := isBlank(line[0])
		switch {
		case i == breaks: // only blank lines so far
		case apart || indented:
			breaks++
		case breaks == 0:
			out = append(out, ' ')
		}
		for range breaks {
			out = append(out, '\n')
		}
		out = append(out, line...)
		breaks, apart = 0, indented
	}
	return out
}
