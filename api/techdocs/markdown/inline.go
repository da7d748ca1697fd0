package markdown

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// A pair is text between two doubled signs: ==marked== or ^^inserted^^.
type pair struct {
	ast.BaseInline
	element string
}

var kindPair = ast.NewNodeKind("Pair")

func (*pair) Kind() ast.NodeKind { return kindPair }

func (n *pair) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// pairs parses pairs of a sign.
type pairs struct{ sign byte }

func (p pairs) Trigger() []byte { return []byte{p.sign} }

func (p pairs) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	node := parser.ScanDelimiter(line, before, 2, p)
	if node == nil || node.OriginalLength != 2 || before == rune(p.sign) {
		return nil
	}
	node.Segment = segment.WithStop(segment.Start + node.OriginalLength)
	block.Advance(node.OriginalLength)
	pc.PushDelimiter(node)
	return node
}

// IsDelimiter, CanOpenCloser and OnMatch implement parser.DelimiterProcessor.
func (p pairs) IsDelimiter(b byte) bool { return b == p.sign }

func (p pairs) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

func (p pairs) OnMatch(int) ast.Node {
	if p.sign == '=' {
		return &pair{element: "mark"}
	}
	return &pair{element: "ins"}
}
