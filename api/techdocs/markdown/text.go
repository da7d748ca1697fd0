package markdown

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"

	emojiast "github.com/yuin/goldmark-emoji/ast"
)

// plainText appends what a node says to readers, and says how to walk on.
func plainText(b *strings.Builder, n ast.Node, source []byte, entering bool) ast.WalkStatus {
	if !entering {
		if n.Type() == ast.TypeBlock || n.Kind() == extast.KindTableCell {
			b.WriteByte('\n')
		}
		return ast.WalkContinue
	}
	switch n := n.(type) {
	case *ast.Text:
		value := n.Segment.Value(source)
		if _, code := n.Parent().(*ast.CodeSpan); !code && !n.IsRaw() {
			b.WriteString(unescape(value))
		} else {
			b.Write(value)
		}
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.WriteByte(' ')
		}
	case *calloutTitle:
		b.WriteString(n.fallback)
	case *ast.String:
		b.Write(n.Value)
	case *ast.AutoLink:
		b.Write(n.Label(source))
	case *emojiast.Emoji:
		if n.Value.IsUnicode() {
			b.WriteString(string(n.Value.Unicode))
		}
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		lines := n.Lines()
		for i := range lines.Len() {
			segment := lines.At(i)
			b.Write(segment.Value(source))
		}
	case *ast.HTMLBlock, *ast.RawHTML, *extast.FootnoteLink, *extast.FootnoteBacklink:
		return ast.WalkSkipChildren
	}
	return ast.WalkContinue
}

// unescape resolves backslashes and entities.
func unescape(value []byte) string {
	return html.UnescapeString(string(util.UnescapePunctuations(value)))
}

// textOf returns what is below a node as plain text.
func textOf(n ast.Node, source []byte) string {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		_ = ast.Walk(child, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
			return plainText(&b, n, source, entering), nil
		})
	}
	return collapse(b.String())
}

// collapse makes one blank of any number of them.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// attributeText returns the value of an attribute as a text.
func attributeText(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	}
	return ""
}
