package markdown

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	emoji "github.com/yuin/goldmark-emoji"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// MaxSource is the largest source that is rendered, in bytes.
const MaxSource = 1 << 20

// maxOutput bounds the HTML of one page, in bytes.
const maxOutput = 32 << 20

var (
	// ErrTooLarge is returned for sources beyond MaxSource, and for those that
	// become more HTML than anybody reads.
	ErrTooLarge = errors.New("the page is too large")
	// ErrTooDeep is returned for sources whose blocks are nested too deep, and
	// for those with more brackets and stars in one paragraph than make sense.
	ErrTooDeep = errors.New("the page is nested too deep")
)

// A Page is a rendered source.
type Page struct {
	// Title is that of the front matter, or the text of the first heading of
	// level 1, or "".
	Title string
	// HideNav and HideContents are what the front matter says under hide.
	HideNav, HideContents bool
	// HTML is the article, sanitised.
	HTML []byte
	// Headings in order.
	Headings []Heading
	// Sections are the text in pieces: one before the first heading below level
	// 1, with an empty ID, and one for each heading from there on.
	Sections []Section
}

// A Heading of a page. Text is plain, not HTML.
type Heading struct {
	Level    int
	ID, Text string
}

// A Section is the plain text below a heading.
type Section struct{ ID, Title, Text string }

// A Target is where a link leads. Download says that it is a file to keep, not a
// page to show.
type Target struct {
	URL      string
	Download bool
}

// A Resolver says where a link or image of the page leads. It gets the
// destination as written, and whether it is that of an image.
type Resolver func(destination string, image bool) Target

// Links are the resolvers for links in Markdown, and for those in HTML that an
// author has written. Where one is nil destinations stay as they are.
type Links struct{ Markdown, HTML Resolver }

// Options of a Renderer; the zero value of a field means what is said beside
// it.
type Options struct {
	// FrameHosts are hosts whose pages may be shown in frames; nil: none.
	FrameHosts []string
}

// A Renderer renders.
type Renderer struct {
	parser   parser.Parser
	renderer renderer.Renderer
	policy   *bluemonday.Policy
}

// New makes a Renderer.
func New(o Options) *Renderer {
	policy := newPolicy(o.FrameHosts)
	md := goldmark.New(
		goldmark.WithExtensions(
			extension.Table, extension.Linkify, extension.Strikethrough, extension.TaskList,
			extension.Footnote, extension.DefinitionList, emoji.Emoji,
		),
		goldmark.WithParserOptions(
			parser.WithAutoHeadingID(), parser.WithHeadingAttribute(),
			parser.WithBlockParsers(util.Prioritized(callouts{}, 50), util.Prioritized(tabs{}, 50)),
			parser.WithInlineParsers(util.Prioritized(pairs{'='}, 450), util.Prioritized(pairs{'^'}, 450)),
			parser.WithASTTransformers(
				util.Prioritized(attributeLists{}, 100), util.Prioritized(tabSets{}, 200), util.Prioritized(alerts{}, 300)),
		),
		goldmark.WithRendererOptions(
			html.WithUnsafe(), // the policy sees all of it afterwards
			renderer.WithNodeRenderers(util.Prioritized(nodes{policy}, 100)),
			extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute),
		),
	)
	return &Renderer{parser: md.Parser(), renderer: md.Renderer(), policy: policy}
}

// Render renders a source.
func (r *Renderer) Render(source []byte, links Links) (*Page, error) {
	if len(source) > MaxSource {
		return nil, fmt.Errorf("%w: it has %d bytes, of %d at most", ErrTooLarge, len(source), MaxSource)
	}
	source = normalise(source)
	matter, body := cutFrontMatter(source)
	if err := checkNesting(body); err != nil {
		return nil, err
	}
	ids := newIDs()
	doc := r.parser.Parse(text.NewReader(body), parser.WithContext(parser.NewContext(parser.WithIDs(ids))))
	if err := checkDepth(doc); err != nil {
		return nil, err
	}
	if links.Markdown != nil {
		resolveLinks(doc, links.Markdown)
	}
	p := &Page{Title: matter.Title, HideNav: matter.hides("navigation"), HideContents: matter.hides("toc")}
	outline(p, doc, body)
	out := &bounded{}
	err := r.renderer.Render(out, body, doc)
	if err != nil {
		return nil, err
	}
	p.HTML = r.policy.SanitizeBytes(out.Bytes())
	if hasHTML(doc) {
		p.HTML, err = balance(p.HTML, links.HTML)
	}
	return p, err
}

// hasHTML tells whether an author has written HTML.
func hasHTML(doc ast.Node) (found bool) {
	_ = ast.Walk(doc, func(n ast.Node, _ bool) (ast.WalkStatus, error) { // the function has no error
		if n.Kind() == ast.KindHTMLBlock || n.Kind() == ast.KindRawHTML {
			found = true
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	return found
}

// balance closes what is open and leaves out ends of what is not, so that an
// article cannot reach out of its place in the page. On the way it asks where
// links lead.
func balance(article []byte, resolve Resolver) ([]byte, error) {
	list, err := nethtml.ParseFragment(bytes.NewReader(article), &nethtml.Node{Type: nethtml.ElementNode, Data: "article", DataAtom: atom.Article})
	if err != nil {
		return nil, fmt.Errorf("%w: its HTML: %w", ErrTooDeep, err)
	}
	out := &bounded{}
	for _, n := range list {
		if resolve != nil {
			resolveHTML(n, resolve)
		}
		if err := nethtml.Render(out, n); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// bounded is a buffer with a bound.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("%w: it becomes more than %d bytes of HTML", ErrTooLarge, maxOutput)
	}
	return b.Buffer.Write(p)
}

// normalise brings line ends and encoding into the one form that is parsed.
func normalise(source []byte) []byte {
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	if bytes.IndexByte(source, '\r') >= 0 {
		source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
		source = bytes.ReplaceAll(source, []byte("\r"), []byte("\n"))
	}
	return bytes.ToValidUTF8(source, []byte("\uFFFD"))
}

const (
	// maxDepth bounds how deep blocks and inlines may be nested.
	maxDepth = 100
	// maxSigns bounds the signs that may open something in lines without a
	// blank one between them.
	maxSigns = 20_000
)

// checkNesting refuses lines that open more blocks than maxDepth, and
// paragraphs with more signs than maxSigns: the time to parse grows with the
// square of their number.
func checkNesting(source []byte) error {
	signs := 0
	for line := range bytes.Lines(source) {
		if len(bytes.TrimSpace(line)) == 0 {
			signs = 0
		}
		for _, c := range line {
			if c == '[' || c == '*' || c == '_' {
				signs++
			}
		}
		if signs > maxSigns {
			return fmt.Errorf("%w: a paragraph has more than %d brackets and stars", ErrTooDeep, maxSigns)
		}
		n := 0
		for word := range bytes.FieldsSeq(line) {
			opened := opens(word)
			if n += opened; n > maxDepth {
				return ErrTooDeep
			}
			if opened == 0 {
				break
			}
		}
	}
	return nil
}

// opens returns how many blocks a word at the begin of a line opens.
func opens(word []byte) int {
	if quotes := len(word) - len(bytes.TrimLeft(word, ">")); quotes > 0 {
		return quotes
	}
	switch last := word[len(word)-1]; {
	case len(word) == 1 && bytes.IndexByte([]byte("-+*"), last) >= 0,
		len(word) > 1 && (last == '.' || last == ')') && len(bytes.Trim(word[:len(word)-1], "0123456789")) == 0:
		return 1
	}
	return 0
}

func checkDepth(doc ast.Node) error {
	depth := 0
	return ast.Walk(doc, func(_ ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		if depth++; depth > maxDepth {
			return ast.WalkStop, ErrTooDeep
		}
		return ast.WalkContinue, nil
	})
}

// resolveLinks asks where links and images lead.
func resolveLinks(doc ast.Node, resolve Resolver) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
		if entering {
			switch n := n.(type) {
			case *ast.Link:
				target := resolve(string(n.Destination), false)
				n.Destination = []byte(target.URL)
				if target.Download {
					n.SetAttributeString("download", []byte{})
				}
			case *ast.Image:
				n.Destination = []byte(resolve(string(n.Destination), true).URL)
			}
		}
		return ast.WalkContinue, nil
	})
}

// resolveHTML asks where the links and images of HTML lead.
func resolveHTML(n *nethtml.Node, resolve Resolver) {
	for i, a := range n.Attr {
		switch {
		case a.Key == "href" && n.Data == "a":
			n.Attr[i].Val = resolve(a.Val, false).URL
		case a.Key == "src" && n.Data != "iframe":
			n.Attr[i].Val = resolve(a.Val, true).URL
		}
	}
	for child := range n.ChildNodes() {
		resolveHTML(child, resolve)
	}
}

// outline notes headings and sections.
func outline(p *Page, doc ast.Node, source []byte) {
	section := Section{}
	var b strings.Builder
	finish := func() {
		section.Text = collapse(b.String())
		b.Reset()
		p.Sections = append(p.Sections, section)
	}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function has no error
		h, ok := n.(*ast.Heading)
		if !ok {
			return plainText(&b, n, source, entering), nil
		}
		if !entering {
			return ast.WalkContinue, nil
		}
		heading := Heading{Level: h.Level, Text: textOf(h, source)}
		if id, ok := h.AttributeString("id"); ok {
			heading.ID = attributeText(id)
		}
		if h.Level == 1 && p.Title == "" {
			p.Title = heading.Text
		}
		p.Headings = append(p.Headings, heading)
		if h.Level > 1 || len(p.Headings) > 1 {
			finish()
			section = Section{ID: heading.ID, Title: heading.Text}
		}
		return ast.WalkSkipChildren, nil
	})
	finish()
}
