package markdown

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// attributeLists applies lists such as {: .class #id width="300" }: behind an
// image, link, emphasis or code span to that, and at the end of a heading or on
// the last line of a paragraph to all of it. What is no such list stays text.
type attributeLists struct{}

var (
	attributeList = regexp.MustCompile(`^\{:?[ ]*([^{}\n]*?)[ ]*\}`)
	attributePart = regexp.MustCompile(`^(?:\.([\w-]+)|#([\w:.-]+)|([\w-]+)=(?:"([^"]*)"|'([^']*)'|([^\s"'=]+)))(?:\s+|$)`)
	atEnd         = regexp.MustCompile(`[ ]*\{:[ ]*([^{}\n]*?)[ ]*\}[ ]*$`)
)

// An attribute of an element.
type attribute struct{ name, value string }

// parseAttributes reads what is between the braces; ok is false if that is not
// a list through and through.
func parseAttributes(s string) (list []attribute, ok bool) {
	var classes []string
	for s = strings.TrimSpace(s); s != ""; {
		m := attributePart.FindStringSubmatch(s)
		if m == nil {
			return nil, false
		}
		switch {
		case m[1] != "":
			classes = append(classes, m[1])
		case m[2] != "":
			list = append(list, attribute{"id", m[2]})
		default:
			list = append(list, attribute{strings.ToLower(m[3]), m[4] + m[5] + m[6]})
		}
		s = s[len(m[0]):]
	}
	if classes != nil {
		list = append(list, attribute{"class", strings.Join(classes, " ")})
	}
	return list, list != nil
}

func setAttributes(n ast.Node, list []attribute) {
	for _, a := range list {
		n.SetAttributeString(a.name, []byte(a.value))
	}
}

func (attributeLists) Transform(doc *ast.Document, reader text.Reader, pc parser.Context) {
	source := reader.Source()
	joinTexts(doc, source)
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.(type) {
		case *ast.Link, *ast.Image, *ast.Emphasis, *ast.CodeSpan, *ast.AutoLink, *extast.Strikethrough, *pair:
			inlineAttributes(n, source)
		case *ast.Heading, *ast.Paragraph:
			blockAttributes(n, source, pc)
		}
		return ast.WalkContinue, nil
	})
}

// inlineAttributes applies a list that follows an inline.
func inlineAttributes(n ast.Node, source []byte) {
	next, ok := n.NextSibling().(*ast.Text)
	if !ok {
		return
	}
	value := next.Segment.Value(source)
	m := attributeList.FindSubmatch(value)
	if m == nil {
		return
	}
	list, ok := parseAttributes(string(m[1]))
	if !ok {
		return
	}
	setAttributes(n, list)
	next.Segment = next.Segment.WithStart(next.Segment.Start + len(m[0]))
}

// blockAttributes applies a list at the end of a block.
func blockAttributes(n ast.Node, source []byte, pc parser.Context) {
	last, ok := n.LastChild().(*ast.Text)
	if !ok {
		return
	}
	m := atEnd.FindSubmatchIndex(last.Segment.Value(source))
	if m == nil {
		return
	}
	if _, isParagraph := n.(*ast.Paragraph); isParagraph {
		before, ok := last.PreviousSibling().(*ast.Text)
		if m[0] != 0 || !ok || !before.SoftLineBreak() {
			return // in a paragraph it has a line of its own
		}
		before.SetSoftLineBreak(false)
	}
	list, ok := parseAttributes(string(last.Segment.Value(source)[m[2]:m[3]]))
	if !ok {
		return
	}
	setAttributes(n, list)
	if id, ok := n.AttributeString("id"); ok {
		pc.IDs().Put([]byte(attributeText(id)))
	}
	last.Segment = last.Segment.WithStop(last.Segment.Start + m[0])
	last.SetSoftLineBreak(false)
}

// joinTexts makes one text of those that signs such as colons have split.
func joinTexts(doc ast.Node, source []byte) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
		if !entering {
			return ast.WalkContinue, nil
		}
		for child := n.FirstChild(); child != nil; child = child.NextSibling() {
			first, ok := child.(*ast.Text)
			for next := child.NextSibling(); ok && next != nil && first.Merge(next, source); next = child.NextSibling() {
				n.RemoveChild(n, next)
			}
		}
		return ast.WalkContinue, nil
	})
}
