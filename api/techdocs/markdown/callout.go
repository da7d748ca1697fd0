package markdown

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A callout is an admonition, or a block that folds.
type callout struct {
	ast.BaseBlock
	classes     string
	folds, open bool
}

var kindCallout = ast.NewNodeKind("Callout")

func (*callout) Kind() ast.NodeKind { return kindCallout }

func (n *callout) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// A calloutTitle is the first child of a callout that has a title.
type calloutTitle struct {
	ast.BaseBlock
	of       *callout
	fallback string // what it says where there are no lines
}

var kindCalloutTitle = ast.NewNodeKind("CalloutTitle")

func (*calloutTitle) Kind() ast.NodeKind { return kindCalloutTitle }

func (n *calloutTitle) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// newTitle makes a title of a part of the source, or, where that is empty, of
// a text.
func newTitle(of *callout, segment text.Segment, fallback string) *calloutTitle {
	title := &calloutTitle{of: of, fallback: fallback}
	if !segment.IsEmpty() {
		title.Lines().Append(segment)
	}
	return title
}

// callouts parses
//
//	!!! type more-classes "Title"
//	    text, set in by four blanks
//
// and the same with ??? for one that folds, or ???+ for one that is open.
type callouts struct{}

var calloutLine = regexp.MustCompile(`^(!!!|\?\?\?\+?)[ \t]*([\w-]+(?:[ \t]+[\w-]+)*)(?:[ \t]+"(.*?)")?[ \t]*\n?$`)

func (callouts) Trigger() []byte { return []byte{'!', '?'} }

func (callouts) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	offset := pc.BlockOffset()
	if offset < 0 {
		return nil, parser.NoChildren
	}
	m := calloutLine.FindSubmatchIndex(line[offset:])
	if m == nil {
		return nil, parser.NoChildren
	}
	part := func(i int) string { return string(line[offset+m[2*i] : offset+m[2*i+1]]) }
	n := &callout{classes: strings.ToLower(collapse(part(2)))}
	n.folds, n.open = part(1) != "!!!", part(1) == "???+"
	from := segment.Start + offset - segment.Padding
	switch {
	case m[6] < 0:
		kind, _, _ := strings.Cut(n.classes, " ")
		n.AppendChild(n, newTitle(n, text.Segment{}, capital(strings.ReplaceAll(kind, "-", " "))))
	case m[6] < m[7]:
		n.AppendChild(n, newTitle(n, text.NewSegment(from+m[6], from+m[7]), ""))
	case n.folds: // there must be something to open it by
		n.AppendChild(n, newTitle(n, text.Segment{}, "Details"))
	}
	reader.Advance(len(line) - 1)
	return n, parser.HasChildren
}

func (callouts) Continue(_ ast.Node, reader text.Reader, _ parser.Context) parser.State {
	return continueIndented(reader)
}

func (callouts) Close(ast.Node, text.Reader, parser.Context) {}
func (callouts) CanInterruptParagraph() bool                 { return true }
func (callouts) CanAcceptIndentedLine() bool                 { return false }

// continueIndented takes lines that are blank or set in by four.
func continueIndented(reader text.Reader) parser.State {
	const indent = 4
	line, _ := reader.PeekLine()
	if util.IsBlank(line) {
		reader.Advance(len(line) - 1)
		return parser.Continue | parser.HasChildren
	}
	if width, _ := util.IndentWidth(line, reader.LineOffset()); width < indent {
		return parser.Close
	}
	pos, padding := util.IndentPosition(line, reader.LineOffset(), indent)
	reader.AdvanceAndSetPadding(pos, padding)
	return parser.Continue | parser.HasChildren
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// alerts turns the alerts of GitHub into callouts: a quote that begins with
// [!NOTE] or the like.
type alerts struct{}

var alertLine = regexp.MustCompile(`^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*\n?$`)

// alertClasses are what the alerts of GitHub are called here.
var alertClasses = map[string]string{"NOTE": "note", "TIP": "tip", "IMPORTANT": "info", "WARNING": "warning", "CAUTION": "danger"}

func (alerts) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var quotes []*ast.Blockquote
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
		if q, ok := n.(*ast.Blockquote); ok && entering {
			quotes = append(quotes, q)
		}
		return ast.WalkContinue, nil
	})
	for _, q := range quotes {
		first, ok := q.FirstChild().(*ast.Paragraph)
		if !ok || first.Lines().Len() == 0 {
			continue
		}
		line := first.Lines().At(0)
		m := alertLine.FindSubmatch(line.Value(reader.Source()))
		if m == nil {
			continue
		}
		dropFirstLine(first, line.Stop)
		kind := string(m[1])
		n := &callout{classes: alertClasses[kind]}
		n.AppendChild(n, newTitle(n, text.Segment{}, capital(strings.ToLower(kind))))
		if first.ChildCount() == 0 {
			q.RemoveChild(q, first)
		}
		for child := q.FirstChild(); child != nil; {
			next := child.NextSibling()
			n.AppendChild(n, child)
			child = next
		}
		q.Parent().ReplaceChild(q.Parent(), q, n)
	}
}

// dropFirstLine removes the inlines of a paragraph that end before a place.
func dropFirstLine(p *ast.Paragraph, stop int) {
	for child := p.FirstChild(); child != nil; child = p.FirstChild() {
		t, ok := child.(*ast.Text)
		if !ok || t.Segment.Start >= stop {
			return
		}
		p.RemoveChild(p, child)
	}
}
