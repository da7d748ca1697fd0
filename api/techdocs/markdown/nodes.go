package markdown

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// nodes renders the nodes of this package, code, headings, and HTML as far as
// the policy lets it through.
type nodes struct{ policy *bluemonday.Policy }

func (x nodes) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(kindCallout, renderCallout)
	r.Register(kindCalloutTitle, renderCalloutTitle)
	r.Register(kindTabSet, renderTabSet)
	r.Register(kindTab, renderTab)
	r.Register(kindTabLabel, renderNothing)
	r.Register(kindPair, renderPair)
	r.Register(ast.KindHeading, renderHeading)
	r.Register(ast.KindFencedCodeBlock, renderFenced)
	r.Register(ast.KindCodeBlock, renderIndented)
	r.Register(ast.KindHTMLBlock, x.renderHTMLBlock)
	r.Register(ast.KindRawHTML, x.renderRawHTML)
}

func renderNothing(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
	return ast.WalkSkipChildren, nil
}

func renderCallout(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*callout)
	switch {
	case n.folds && entering:
		writeAll(w, `<details class="`, escape(n.classes), `"`)
		if n.open {
			writeAll(w, " open")
		}
		writeAll(w, ">\n")
	case n.folds:
		writeAll(w, "</details>\n")
	case entering:
		writeAll(w, `<div class="admonition `, escape(n.classes), "\">\n")
	default:
		writeAll(w, "</div>\n")
	}
	return ast.WalkContinue, nil
}

func renderCalloutTitle(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*calloutTitle)
	switch folds := n.of.folds; {
	case folds && entering:
		writeAll(w, "<summary>", escape(n.fallback))
	case folds:
		writeAll(w, "</summary>\n")
	case entering:
		writeAll(w, `<p class="admonition-title">`, escape(n.fallback))
	default:
		writeAll(w, "</p>\n")
	}
	return ast.WalkContinue, nil
}

// renderTabSet writes buttons and labels before the tabs: of the buttons, the
// style sheet sees which one is chosen.
func renderTabSet(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*tabSet)
	if !entering {
		writeAll(w, "</div>\n</div>\n")
		return ast.WalkContinue, nil
	}
	group := "__tabbed_" + strconv.Itoa(n.number)
	chosen := n.FirstChild()
	for t := n.FirstChild(); t != nil; t = t.NextSibling() {
		if t.(*tab).chosen {
			chosen = t
		}
	}
	fmt.Fprintf(w, "<div class=\"tabbed-set tabbed-alternate\" data-tabs=\"%d:%d\">", n.number, n.ChildCount())
	i := 0
	for t := n.FirstChild(); t != nil; t = t.NextSibling() {
		i++
		fmt.Fprintf(w, `<input id="%s_%d" name="%s" type="radio"`, group, i, group)
		if t == chosen {
			writeAll(w, " checked")
		}
		writeAll(w, ">")
	}
	writeAll(w, `<div class="tabbed-labels">`)
	i = 0
	for t := n.FirstChild(); t != nil; t = t.NextSibling() {
		i++
		fmt.Fprintf(w, `<label for="%s_%d">%s</label>`, group, i, escape(textOf(t.FirstChild(), source)))
	}
	writeAll(w, "</div>\n<div class=\"tabbed-content\">\n")
	return ast.WalkContinue, nil
}

func renderTab(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		writeAll(w, "<div class=\"tabbed-block\">\n")
	} else {
		writeAll(w, "</div>\n")
	}
	return ast.WalkContinue, nil
}

func renderPair(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		writeAll(w, "<", node.(*pair).element)
		html.RenderAttributes(w, node, html.GlobalAttributeFilter)
		writeAll(w, ">")
	} else {
		writeAll(w, "</", node.(*pair).element, ">")
	}
	return ast.WalkContinue, nil
}

// renderHeading writes a heading with a link to itself.
func renderHeading(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Heading)
	level := strconv.Itoa(n.Level)
	if entering {
		writeAll(w, "<h", level)
		html.RenderAttributes(w, node, html.HeadingAttributeFilter)
		writeAll(w, ">")
		return ast.WalkContinue, nil
	}
	if id, ok := n.AttributeString("id"); ok {
		writeAll(w, `<a class="headerlink" href="#`, escape(attributeText(id)), `" title="Permanent link">¶</a>`)
	}
	writeAll(w, "</h", level, ">\n")
	return ast.WalkContinue, nil
}

func renderFenced(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		info := ""
		if n := node.(*ast.FencedCodeBlock); n.Info != nil {
			info = string(n.Info.Segment.Value(source))
		}
		writeCode(w, info, linesOf(node, source))
	}
	return ast.WalkSkipChildren, nil
}

func renderIndented(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		writeCode(w, "", linesOf(node, source))
	}
	return ast.WalkSkipChildren, nil
}

func linesOf(node ast.Node, source []byte) []byte {
	var b bytes.Buffer
	lines := node.Lines()
	for i := range lines.Len() {
		segment := lines.At(i)
		b.Write(segment.Value(source))
	}
	return b.Bytes()
}

// renderHTMLBlock sanitises each block by itself, so that one that does not end
// takes nothing else with it.
func (x nodes) renderHTMLBlock(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		block := linesOf(node, source)
		if n := node.(*ast.HTMLBlock); n.HasClosure() {
			block = append(block, n.ClosureLine.Value(source)...)
		}
		_, _ = w.Write(x.policy.SanitizeBytes(block)) // as writeAll
	}
	return ast.WalkSkipChildren, nil
}

// swallowing matches tags of elements whose content is no HTML.
var swallowing = regexp.MustCompile(`(?i)^</?(script|style|textarea|title|iframe|noembed|noframes|noscript|xmp|plaintext|template|svg|math|object|select)\b`)

// renderRawHTML leaves out tags that would swallow the text behind them.
func (x nodes) renderRawHTML(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	var b bytes.Buffer
	segments := node.(*ast.RawHTML).Segments
	for i := range segments.Len() {
		segment := segments.At(i)
		b.Write(segment.Value(source))
	}
	if !swallowing.Match(b.Bytes()) {
		_, _ = w.Write(x.policy.SanitizeBytes(b.Bytes())) // as writeAll
	}
	return ast.WalkContinue, nil
}
