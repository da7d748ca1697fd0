package app

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// A page is what starts the portal, with the configuration in it.
type page struct {
	tag         string // of the file that it was made of
	plain, gzip []byte
	// ignored says that the template had expressions that were left out.
	ignored bool
}

const (
	templateName = "index.html.tmpl"
	indexName    = "index.html"
	// maxPage bounds the template, in bytes.
	maxPage = 4 << 20
)

// startFile returns the file that the page is made of.
func startFile(b Build) (name string, f File, err error) {
	for _, name := range []string{templateName, indexName} {
		if f, ok := b.File(name); ok {
			return name, f, nil
		}
	}
	return "", File{}, fmt.Errorf("there is neither %s nor %s in it: it is no built portal", templateName, indexName)
}

// makePage makes the page for a configuration.
func makePage(name string, f File, o *Options) (*page, error) {
	if f.Size > maxPage {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxPage)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	source, err := io.ReadAll(io.LimitReader(r, maxPage+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	p := &page{tag: f.Tag}
	text := string(source)
	if name == templateName {
		text, p.ignored = fill(text, o)
	}
	if text, err = inject(text, o.Config); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.plain = []byte(text)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(p.plain); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	p.gzip = b.Bytes()
	return p, nil
}

var (
	pathHole  = regexp.MustCompile(`<%=\s*publicPath\s*%>`)
	titleHole = regexp.MustCompile(`<%=\s*config\.getOptionalString\('app\.title'\)\s*\?\?\s*'[^']*'\s*%>`)
	block     = regexp.MustCompile(`(?s)<%[^=%][^%]*\{\s*%>.*?<%\s*\}\s*%>`)
	otherHole = regexp.MustCompile(`(?s)<%.*?%>`)
)

// fill fills the holes of the template. Templates of older apps have others,
// for services that count visitors; those are left out.
func fill(text string, o *Options) (filled string, ignored bool) {
	title := o.Title
	if title == "" {
		title = "Backstage"
	}
	text = pathHole.ReplaceAllLiteralString(text, html.EscapeString(o.PublicPath))
	text = titleHole.ReplaceAllLiteralString(text, html.EscapeString(title))
	rest := otherHole.ReplaceAllLiteralString(block.ReplaceAllLiteralString(text, ""), "")
	return rest, rest != text
}

const configOpening = `<script type="backstage.io/config">`

// built is the configuration that a page without a template got when it was
// built.
var built = regexp.MustCompile(`(?s)<script type="?backstage\.io/config"?>.*?</script>`)

// inject puts the configuration before the end of the head. In JSON a "<" can
// only be in a string, where it may be written as an escape; without one in
// it, nothing can end the element.
func inject(text string, config []byte) (string, error) {
	text = built.ReplaceAllLiteralString(text, "")
	i := strings.Index(text, "</head>")
	if i < 0 {
		return "", errors.New("it has no </head>, before which the configuration belongs")
	}
	element := configOpening + "\n" + strings.ReplaceAll(string(config), "<", `\u003c`) + "\n</script>\n"
	return text[:i] + element + text[i:], nil
}
