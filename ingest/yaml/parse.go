package yaml

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Limits bound what Parse reads. A zero field means its default.
type Limits struct {
	Bytes     int // of the whole stream; default 10 MiB
	Documents int // that are not empty; default 50,000
	Nodes     int // scalars, arrays and objects of the stream, aliases expanded; default 500,000
	Depth     int // of arrays and objects in each other; default 256
}

func (l Limits) withDefaults() Limits {
	or := func(v, def int) int {
		if v <= 0 {
			return def
		}
		return v
	}
	return Limits{
		Bytes:     or(l.Bytes, 10<<20),
		Documents: or(l.Documents, 50_000),
		Nodes:     or(l.Nodes, 500_000),
		Depth:     or(l.Depth, 256),
	}
}

// A Document is one document of a stream: a value, or the error that says why
// it has none.
type Document struct {
	// Value is nil, bool, float64, string, []any or *jsonvalue.Object. Infinity
	// and NaN, which JSON has not, are nil.
	Value any
	// Err is a *SyntaxError or a *LimitError.
	Err error
	// Line is where the content of the document starts, from 1.
	Line int
	// Tree says where the values are written. Parse leaves it nil.
	Tree *Tree
}

// A LimitError says which limit a stream exceeds.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

// Parse reads all documents of a stream, in order. Documents without content
// are left out. A stream that is too large or not UTF-8 gives one document
// with that error; so do the documents from the one on that exceeds a limit.
func Parse(data []byte, limits Limits) []Document { return parseAll(data, limits, false) }

// ParseTrees is Parse for those who have to say where something is written.
func ParseTrees(data []byte, limits Limits) []Document { return parseAll(data, limits, true) }

func parseAll(data []byte, limits Limits, trees bool) []Document {
	limits = limits.withDefaults()
	if len(data) > limits.Bytes {
		return []Document{{Line: 1, Err: &LimitError{fmt.Sprintf("document of %d bytes is larger than the allowed %d bytes", len(data), limits.Bytes)}}}
	}
	if !utf8.Valid(data) {
		return []Document{invalidUTF8(data)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	budget, names := limits.Nodes, interned{}
	var documents []Document
	for s := range spans(data) {
		p := parser{full: data, src: data[:s.end], pos: s.start, lineStart: s.start, nodes: budget, depth: limits.Depth, limits: limits, names: names, trees: trees}
		d := p.document(s)
		budget = p.nodes
		if d.Value == nil && d.Err == nil {
			continue
		}
		d.Line += bytes.Count(data[:s.start], newline)
		if len(documents) == limits.Documents {
			d = Document{Line: d.Line, Err: &LimitError{fmt.Sprintf("more than the allowed %d documents", limits.Documents)}}
			return append(documents, d)
		}
		documents = append(documents, d)
		if _, tooMuch := d.Err.(*LimitError); tooMuch && budget < 0 {
			return documents
		}
	}
	return documents
}

var newline = []byte{'\n'}

func invalidUTF8(data []byte) Document {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	line := 1 + bytes.Count(data[:at], newline)
	return Document{Line: line, Err: &SyntaxError{Reason: "Invalid UTF-8 byte", Line: line, Column: at - bytes.LastIndexByte(data[:at], '\n')}}
}

// interned holds the keys of a stream, of which most occur in every document.
type interned map[string]string

const maxInterned = 1000

func (n interned) text(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(n) < maxInterned && len(b) <= 64 {
		n[s] = s
	}
	return s
}

// A parser reads one document: src from pos to its end.
type parser struct {
	full      []byte // the whole stream, for what errors show of it
	src       []byte // full up to the end of the document
	pos       int
	lineStart int // where the line that pos is in starts
	nodes     int // how many may still be made
	depth     int // how deep nodes may still be nested
	limits    Limits
	anchors   map[string]anchored
	unmarked  error             // of directives that no marker follows
	unknown   error             // of the first alias that nothing was anchored for
	handles   map[string]string // of %TAG
	version11 bool
	emptyAt   int // where the last value that is not written stands
	names     interned
	trees     bool // wanted
}

type anchored struct {
	value any
	nodes int // of which value consists
}

// document reads the document; Line counts from its start.
func (p *parser) document(s span) Document {
	marked, err := p.prologue()
	if err != nil {
		return Document{Err: err, Line: p.lineFrom(s.start)}
	}
	start := p.mark()
	if _, err := p.skip(); err != nil {
		return Document{Err: err, Line: p.lineFrom(s.start)}
	}
	d := Document{Line: p.lineFrom(s.start)}
	p.reset(start)
	var n node
	n, d.Err = p.root(marked)
	d.Value, d.Tree = n.value, n.tree
	if d.Err == nil {
		d.Err = p.unmarked
	}
	if d.Err == nil {
		d.Err = p.epilogue(s)
	}
	if d.Err == nil {
		d.Err = p.unknown
	}
	if d.Err != nil {
		d.Value, d.Tree = nil, nil
	}
	return d
}

func (p *parser) lineFrom(start int) int { return 1 + bytes.Count(p.full[start:p.pos], newline) }

func (p *parser) root(marked bool) (node, error) {
	at := atRoot
	if marked {
		at = afterMarker
	}
	if err := p.strayStart(); err != nil {
		return node{}, err
	}
	n, err := p.blockNode(-1, at)
	if err != nil {
		return node{}, err
	}
	if _, err := p.skip(); err != nil {
		return node{}, err
	}
	if p.pos < len(p.src) {
		return node{}, p.unexpected()
	}
	return n, nil
}

// strayStart is the error for a document that starts with a closing bracket.
func (p *parser) strayStart() error {
	from := p.mark()
	if _, err := p.skip(); err != nil {
		return err
	}
	if c := p.at(0); c == ']' || c == '}' {
		return p.strayBracket("document")
	}
	p.reset(from)
	return nil
}

// epilogue reads what follows the marker "..." on its line.
func (p *parser) epilogue(s span) error {
	if s.tail == s.end {
		return nil
	}
	p.src = p.full[:s.tail]
	p.pos, p.lineStart = s.end+len("..."), s.end
	if _, err := p.skip(); err != nil {
		return err
	}
	if p.pos < len(p.src) {
		return p.unexpected()
	}
	return nil
}

// A mark is a place to come back to.
type mark struct{ pos, lineStart int }

func (p *parser) mark() mark   { return mark{p.pos, p.lineStart} }
func (p *parser) reset(m mark) { p.pos, p.lineStart = m.pos, m.lineStart }
func (p *parser) column() int  { return p.pos - p.lineStart }

// A gap is what lies between two tokens.
type gap struct {
	from    mark
	newline bool // the next token is on another line than the last one
	second  int  // where the line after the last token starts
	tab     int  // the first tab of the white space before the next token, or -1
}

// skip goes over white space, line breaks and comments.
func (p *parser) skip() (gap, error) {
	g := gap{from: p.mark(), tab: -1, newline: p.pos == p.lineStart, second: p.pos}
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '\n':
			p.pos++
			p.lineStart = p.pos
			if !g.newline {
				g.newline, g.second = true, p.pos
			}
			g.tab = -1
			continue
		case c == '\t':
			if g.tab < 0 {
				g.tab = p.pos
			}
		case c == ' ' || c == '\r' && p.at(1) == '\n':
		case c == '#':
			if p.pos > p.lineStart && !isBlank(p.src[p.pos-1]) {
				return g, p.fail(p.pos, p.lineEnd(), "Comments must be separated from other tokens by white space characters")
			}
			p.pos = p.lineEnd()
			continue
		default:
			return g, nil
		}
		p.pos++
	}
	return g, nil
}

// at returns the byte that is n after the current one, 0 beyond the end.
func (p *parser) at(n int) byte {
	if p.pos+n < len(p.src) {
		return p.src[p.pos+n]
	}
	return 0
}

// lineEnd returns where the current line ends, before its line break.
func (p *parser) lineEnd() int {
	i := bytes.IndexByte(p.src[p.pos:], '\n')
	if i < 0 {
		return len(p.src)
	}
	if i += p.pos; i > p.pos && p.src[i-1] == '\r' {
		i--
	}
	return i
}

// blankAt tells whether i is at white space, a line break or the end.
func (p *parser) blankAt(i int) bool {
	if i >= len(p.src) {
		return true
	}
	c := p.src[i]
	return c == ' ' || c == '\n' || c == '\t' || c == '\r'
}

// indicator tells whether c stands here as a token of its own.
func (p *parser) indicator(c byte) bool {
	return p.pos < len(p.src) && p.src[p.pos] == c && p.blankAt(p.pos+1)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isFlowIndicator(c byte) bool {
	return c == ',' || c == '[' || c == ']' || c == '{' || c == '}'
}

// bytesPerNode is how much text counts as one more node, so that aliases of
// long text are as bounded as aliases of large collections.
const bytesPerNode = 64

// spend takes n nodes from the budget.
func (p *parser) spend(n int) error {
	if p.nodes -= n; p.nodes < 0 {
		return &LimitError{fmt.Sprintf("more than the allowed %d nodes, counted with aliases expanded", p.limits.Nodes)}
	}
	return nil
}

// enter goes one level deeper; leave comes back.
func (p *parser) enter() error {
	if p.depth--; p.depth < 0 {
		return &LimitError{fmt.Sprintf("nested deeper than the allowed %d levels", p.limits.Depth)}
	}
	return nil
}

func (p *parser) leave() { p.depth++ }

// clone copies what an alias stands for, so that a change of one place is
// none of another.
func (p *parser) clone(a anchored) (any, error) {
	if err := p.spend(a.nodes); err != nil {
		return nil, err
	}
	return jsonvalue.Clone(a.value), nil
}
