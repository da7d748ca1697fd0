package site

import (
	"bytes"
	"html"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
)

// maxContents bounds the table of contents of one page.
const maxContents = 500

// A shell writes one page of a site.
type shell struct {
	bytes.Buffer
	site    *Site
	page    *page
	toggles int
}

func (w *shell) text(parts ...string) {
	for _, s := range parts {
		w.WriteString(s)
	}
}

// html returns a page as a document.
func (s *Site) html(p *page) []byte {
	w := &shell{site: s, page: p}
	w.Grow(len(p.rendered.HTML) + 4096 + 256*len(s.sequence))
	language := s.language
	if language == "" {
		language = "en"
	}
	title := s.Name
	if p.address != "" {
		title = p.title() + " - " + s.Name
	}
	w.text(`<!doctype html>
<html lang="`, html.EscapeString(language), `" class="no-js">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="description" content="`, html.EscapeString(s.Description), `">
<title>`, html.EscapeString(title), `</title>
<link rel="stylesheet" href="`, relative(p.address, styleName), `">
</head>
<body dir="ltr">
<input class="md-toggle" data-md-toggle="drawer" type="checkbox" id="__drawer" autocomplete="off">
<label class="md-overlay" for="__drawer"></label>
<header class="md-header" data-md-component="header"><nav class="md-header__inner md-grid" aria-label="Header"><label class="md-header__button md-icon" for="__drawer"></label></nav></header>
<div class="md-container" data-md-component="container">
<main class="md-main" data-md-component="main">
<div class="md-main__inner md-grid">
`)
	w.navigation()
	w.contents()
	w.text(`<div class="md-content" data-md-component="content">
<article class="md-content__inner md-typeset">
`)
	w.edit()
	w.article()
	w.text("</article>\n</div>\n</div>\n</main>\n")
	w.footer()
	w.text("</div>\n</body>\n</html>\n")
	return w.Bytes()
}

// article writes the text, under a heading of its own if it has none.
func (w *shell) article() {
	hasTitle := false
	for _, h := range w.page.rendered.Headings {
		hasTitle = hasTitle || h.Level == 1
	}
	if !hasTitle && !bytes.Contains(w.page.rendered.HTML, []byte("<h1")) {
		w.text("<h1>", html.EscapeString(w.page.title()), "</h1>\n")
	}
	w.Write(w.page.rendered.HTML)
}

// edit writes the link by which the page is edited.
func (w *shell) edit() {
	if w.page.editURL == "" {
		return
	}
	w.text(`<a href="`, html.EscapeString(w.page.editURL), `" title="Edit this page" class="md-content__button md-icon">`,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M4 20v-4L15 5l4 4L8 20zM16 4l1-1 4 4-1 1z"/></svg></a>`, "\n")
}

// navigation writes the sidebar with all pages.
func (w *shell) navigation() {
	hidden := ""
	if w.page.rendered.HideNav {
		hidden = " hidden"
	}
	w.text(`<div class="md-sidebar md-sidebar--primary" data-md-component="sidebar" data-md-type="navigation"`, hidden,
		`><div class="md-sidebar__scrollwrap"><div class="md-sidebar__inner">
<nav class="md-nav md-nav--primary" aria-label="Navigation" data-md-level="0">
<label class="md-nav__title" for="__drawer">`, html.EscapeString(w.site.Name), "</label>\n")
	w.items(w.site.nav, 0)
	w.text("</nav>\n</div></div></div>\n")
}

func (w *shell) items(items []*navItem, level int) {
	w.text(`<ul class="md-nav__list" data-md-scrollfix>`, "\n")
	for _, item := range items {
		switch {
		case item.children != nil:
			w.section(item, level)
		case item.page == w.page:
			w.text(`<li class="md-nav__item md-nav__item--active"><a href="./" class="md-nav__link md-nav__link--active"><span class="md-ellipsis">`,
				html.EscapeString(item.title), "</span></a></li>\n")
		default:
			href := item.address
			if item.page != nil {
				href = relative(w.page.address, item.page.address)
			}
			w.text(`<li class="md-nav__item"><a href="`, html.EscapeString(href), `" class="md-nav__link"><span class="md-ellipsis">`,
				html.EscapeString(item.title), "</span></a></li>\n")
		}
	}
	w.text("</ul>\n")
}

// section writes entries that fold; those that the page is in are open.
func (w *shell) section(item *navItem, level int) {
	w.toggles++
	id, active, checked := "__nav_"+strconv.Itoa(w.toggles), "", ""
	if holds(item, w.page) {
		active, checked = " md-nav__item--active", " checked"
	}
	next := strconv.Itoa(level + 1)
	title := html.EscapeString(item.title)
	w.text(`<li class="md-nav__item md-nav__item--nested`, active, `"><input class="md-nav__toggle md-toggle" type="checkbox" id="`, id, `"`, checked, `>`,
		`<label class="md-nav__link" for="`, id, `" id="`, id, `_label" tabindex="0"><span class="md-ellipsis">`, title,
		`</span><span class="md-nav__icon md-icon"></span></label>`, "\n",
		`<nav class="md-nav" data-md-level="`, next, `" aria-labelledby="`, id, `_label"><label class="md-nav__title" for="`, id,
		`"><span class="md-nav__icon md-icon"></span>`, title, "</label>\n")
	w.items(item.children, level+1)
	w.text("</nav></li>\n")
}

func holds(item *navItem, p *page) bool {
	for _, c := range item.children {
		if c.page == p || holds(c, p) {
			return true
		}
	}
	return false
}

// contents writes the sidebar with the headings of the page.
func (w *shell) contents() {
	hidden := ""
	if w.page.rendered.HideContents {
		hidden = " hidden"
	}
	w.text(`<div class="md-sidebar md-sidebar--secondary" data-md-component="sidebar" data-md-type="toc"`, hidden,
		`><div class="md-sidebar__scrollwrap"><div class="md-sidebar__inner">
<nav class="md-nav md-nav--secondary" aria-label="Table of contents">
`)
	headings := w.page.rendered.Headings
	if len(headings) > 0 && headings[0].Level == 1 {
		headings = headings[1:]
	}
	if len(headings) > 0 {
		w.text(`<label class="md-nav__title" for="__toc"><span class="md-nav__icon md-icon"></span>Table of contents</label>`, "\n")
		w.headings(headings[:min(len(headings), maxContents)], true)
	}
	w.text("</nav>\n</div></div></div>\n")
}

// headings writes a list of headings, and below each those that are deeper.
func (w *shell) headings(list []markdown.Heading, outermost bool) {
	if outermost {
		w.text(`<ul class="md-nav__list" data-md-component="toc" data-md-scrollfix>`, "\n")
	} else {
		w.text(`<nav class="md-nav"><ul class="md-nav__list">`, "\n")
	}
	for i := 0; i < len(list); {
		h, end := list[i], i+1
		for end < len(list) && list[end].Level > h.Level {
			end++
		}
		w.text(`<li class="md-nav__item"><a href="#`, html.EscapeString(h.ID), `" class="md-nav__link"><span class="md-ellipsis">`,
			html.EscapeString(h.Text), "</span></a>\n")
		if end > i+1 {
			w.headings(list[i+1:end], false)
		}
		w.text("</li>\n")
		i = end
	}
	w.text("</ul>\n")
	if !outermost {
		w.text("</nav>\n")
	}
}

// footer writes the ways to the pages before and after.
func (w *shell) footer() {
	var before, after *navItem
	for i, item := range w.site.sequence {
		if item.page == w.page {
			if i > 0 {
				before = w.site.sequence[i-1]
			}
			if i+1 < len(w.site.sequence) {
				after = w.site.sequence[i+1]
			}
			break
		}
	}
	if before == nil && after == nil {
		return
	}
	w.text(`<footer class="md-footer"><nav class="md-footer__inner md-grid" aria-label="Footer">`, "\n")
	w.step(before, "prev", "Previous")
	w.step(after, "next", "Next")
	w.text("</nav></footer>\n")
}

func (w *shell) step(item *navItem, class, word string) {
	if item == nil {
		return
	}
	title := html.EscapeString(item.title)
	w.text(`<a href="`, relative(w.page.address, item.page.address), `" class="md-footer__link md-footer__link--`, class, `" aria-label="`, word, `: `, title,
		`" rel="`, class, `"><div class="md-footer__title"><span class="md-footer__direction">`, word, `</span><div class="md-ellipsis">`,
		title, "</div></div></a>\n")
}

// address returns the address of a page with an id, as in a search index.
func address(p *page, id string) string {
	if id == "" {
		return p.address
	}
	return strings.TrimSuffix(p.address, "#") + "#" + id
}
