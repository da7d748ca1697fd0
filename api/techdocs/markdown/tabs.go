package markdown

import (
	"regexp"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// A tab is one of several blocks of which one is shown. Its first child is its
// label.
type tab struct {
	ast.BaseBlock
	first, chosen bool
}

var kindTab = ast.NewNodeKind("Tab")

func (*tab) Kind() ast.NodeKind { return kindTab }

func (n *tab) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// A tabLabel is what is clicked.
type tabLabel struct{ ast.BaseBlock }

var kindTabLabel = ast.NewNodeKind("TabLabel")

func (*tabLabel) Kind() ast.NodeKind { return kindTabLabel }

func (n *tabLabel) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// A tabSet holds tabs that follow each other.
type tabSet struct {
	ast.BaseBlock
	number int // on the page, from 1 on
}

var kindTabSet = ast.NewNodeKind("TabSet")

func (*tabSet) Kind() ast.NodeKind { return kindTabSet }

func (n *tabSet) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// tabs parses
//
//	=== "Label"
//	    text, set in by four blanks
//
// where ! behind the signs begins a new set, and + chooses the tab.
type tabs struct{}

var tabLine = regexp.MustCompile(`^===(!)?(\+)?[ \t]+(?:"(.*?)"|'(.*?)')[ \t]*\n?$`)

func (tabs) Trigger() []byte { return []byte{'='} }

func (tabs) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	offset := pc.BlockOffset()
	if offset < 0 {
		return nil, parser.NoChildren
	}
	m := tabLine.FindSubmatchIndex(line[offset:])
	if m == nil {
		return nil, parser.NoChildren
	}
	n := &tab{first: m[2] >= 0, chosen: m[4] >= 0}
	label := &tabLabel{}
	from := segment.Start + offset - segment.Padding
	for _, group := range []int{6, 8} {
		if m[group] >= 0 && m[group] < m[group+1] {
			label.Lines().Append(text.NewSegment(from+m[group], from+m[group+1]))
		}
	}
	n.AppendChild(n, label)
	reader.Advance(len(line) - 1)
	return n, parser.HasChildren
}

func (tabs) Continue(_ ast.Node, reader text.Reader, _ parser.Context) parser.State {
	return continueIndented(reader)
}

func (tabs) Close(ast.Node, text.Reader, parser.Context) {}
func (tabs) CanInterruptParagraph() bool                 { return true }
func (tabs) CanAcceptIndentedLine() bool                 { return false }

// tabSets gathers tabs that follow each other.
type tabSets struct{}

func (tabSets) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	var all []*tab
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
		if t, ok := n.(*tab); ok && entering {
			all = append(all, t)
		}
		return ast.WalkContinue, nil
	})
	sets := 0
	for _, t := range all {
		if set, ok := t.PreviousSibling().(*tabSet); ok && !t.first {
			set.AppendChild(set, t)
			continue
		}
		sets++
		set := &tabSet{number: sets}
		t.Parent().ReplaceChild(t.Parent(), t, set)
		set.AppendChild(set, t)
	}
}
