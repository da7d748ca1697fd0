package site

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
)

// maxProblems bounds what is said of one page.
const maxProblems = 20

// A resolver says where the links of one page lead.
type resolver struct {
	site     *Site
	page     *page
	layout   *layout
	viewURL  func(path string) string
	problems []string
}

func (r *resolver) problem(format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, r.page.source+": "+fmt.Sprintf(format, args...))
	}
}

// resolve turns a link to a file of the tree into one to where that is in the
// site. What is no such link stays as it is.
func (r *resolver) resolve(destination string, image bool) markdown.Target {
	asIs := markdown.Target{URL: destination}
	u, err := url.Parse(destination)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return asIs
	}
	name, ok := r.find(u.Path)
	switch {
	case ok && r.site.bySource[name] != nil:
		u.Path, u.RawPath = relative(r.page.address, r.site.bySource[name].address), ""
		return markdown.Target{URL: u.String()}
	case ok:
		u.Path, u.RawPath = relative(r.page.address, r.layout.places[name]), ""
		return markdown.Target{URL: u.String(), Download: !image}
	}
	if !image && r.viewURL != nil && !strings.HasPrefix(u.Path, "/") {
		beside := path.Join(path.Dir(r.page.source), u.Path)
		if _, _, inside := r.layout.mountOf(beside); !inside && beside != ".." && !strings.HasPrefix(beside, "../") {
			if view := r.viewURL(beside); view != "" {
				return markdown.Target{URL: view + fragment(u)}
			}
		}
	}
	if image || isMarkdown(u.Path) {
		r.problem("%s is not there", destination)
	}
	return asIs
}

// resolveHTML is resolve for links in HTML, which MkDocs leaves as they are:
// relative to the address of the page. Those that lead nowhere so, but to
// something relative to the file, as it is shown at Git hosts, lead there.
func (r *resolver) resolveHTML(destination string, image bool) markdown.Target {
	asIs := markdown.Target{URL: destination}
	u, err := url.Parse(destination)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return asIs
	}
	there := path.Join("/", r.page.address, u.Path)[1:]
	if r.site.assets[there] != "" || r.site.byAddress[there+"/"] != nil || there == "" {
		return asIs
	}
	if _, ok := r.find(u.Path); !ok {
		return asIs
	}
	return r.resolve(destination, image)
}

func fragment(u *url.URL) string {
	if u.Fragment == "" {
		return ""
	}
	return "#" + u.EscapedFragment()
}

// find returns the file of the tree that a path means: relative to the file
// that has the link, or, with a slash before it, to the folder of documents. A
// folder stands for its index.
func (r *resolver) find(p string) (string, bool) {
	p = strings.ReplaceAll(p, `\`, "/")
	base := path.Dir(r.page.source)
	if strings.HasPrefix(p, "/") {
		m, _, _ := r.layout.mountOf(r.page.source)
		base = m.folder
		if base == "" {
			base = r.layout.mounts[0].folder
		}
	}
	if name, ok := r.at(path.Join(base, p)); ok || !strings.HasPrefix(p, "/") {
		return name, ok
	}
	return r.at(strings.TrimPrefix(path.Clean(p), "/")) // as Git hosts read it
}

// at returns the file at a path of the tree, or the index of a folder.
func (r *resolver) at(name string) (string, bool) {
	if _, ok := r.layout.places[name]; ok {
		return name, true
	}
	for _, index := range indexNames {
		if candidate := path.Join(name, index); r.site.bySource[candidate] != nil {
			return candidate, true
		}
	}
	return "", false
}

// relative returns the way from a page to a place of the site.
func relative(from, to string) string {
	common := 0
	for i := 0; i < len(from) && i < len(to) && from[i] == to[i]; i++ {
		if from[i] == '/' {
			common = i + 1
		}
	}
	way := strings.Repeat("../", strings.Count(from[common:], "/")) + to[common:]
	if way == "" {
		return "./"
	}
	if first, _, _ := strings.Cut(way, "/"); strings.Contains(first, ":") {
		return "./" + way // or it would look like a scheme
	}
	return way
}

// navigate makes the navigation, as it is written or from the tree.
func (s *Site) navigate(l *layout) {
	if l.config.hasNav {
		s.nav = s.written(l, l.mounts[0], l.config.nav, map[string]bool{l.config.file: true}, 0)
	}
	if len(s.nav) == 0 {
		s.nav = s.grown(l)
	}
	s.sequence = nil
	s.number(s.nav)
}

// number notes the pages in the order in which they are read.
func (s *Site) number(items []*navItem) {
	for _, item := range items {
		if item.page != nil {
			item.place = len(s.sequence)
			s.sequence = append(s.sequence, item)
		}
		s.number(item.children)
	}
}

// A navItem is an entry of the navigation: a page, an address, or a section.
type navItem struct {
	title    string
	page     *page
	address  string
	folder   string // of a section that stands for one, in its mount
	children []*navItem
	place    int // of a page in the sequence
}

// written makes the navigation that a configuration has.
func (s *Site) written(l *layout, m mount, entries []entry, seen map[string]bool, depth int) (out []*navItem) {
	for _, e := range entries {
		switch {
		case e.include != "":
			out = append(out, s.included(l, m, e, seen, depth)...)
		case e.section:
			if children := s.written(l, m, e.children, seen, depth+1); len(children) > 0 {
				out = append(out, &navItem{title: e.title, children: children})
			}
		case isAddress(e.target):
			title := e.title
			if title == "" {
				title = e.target
			}
			out = append(out, &navItem{title: title, address: e.target})
		default:
			file := path.Join(m.folder, strings.ReplaceAll(e.target, `\`, "/"))
			p := s.bySource[file]
			if p == nil {
				if children := s.folder(l, m, file); len(children) > 0 {
					out = append(out, titled(e.title, path.Base(file), children)...)
					continue
				}
				s.Problems = append(s.Problems, fmt.Sprintf("%s: nav: %s is not there", m.config.file, e.target))
				continue
			}
			title := e.title
			if title == "" {
				title = p.title()
			}
			out = append(out, &navItem{title: title, page: p})
		}
	}
	return out
}

// folder makes the navigation of a folder that is named in the place of a page.
func (s *Site) folder(l *layout, m mount, folder string) []*navItem {
	for _, item := range s.grownIn(l, m) {
		if found := s.below(item, m, folder); found != nil {
			return found.children
		}
	}
	return nil
}

// below returns the section of a folder at or below an entry.
func (s *Site) below(item *navItem, m mount, folder string) *navItem {
	if item.page == nil && path.Join(m.folder, item.folder) == folder {
		return item
	}
	for _, c := range item.children {
		if found := s.below(c, m, folder); found != nil {
			return found
		}
	}
	return nil
}

// titled puts entries under a title.
func titled(title, otherwise string, children []*navItem) []*navItem {
	if title == "" {
		title = nameTitle(otherwise)
	}
	return []*navItem{{title: title, children: children}}
}

// included makes the navigation of a site that is included.
func (s *Site) included(l *layout, m mount, e entry, seen map[string]bool, depth int) []*navItem {
	file := path.Join(path.Dir(m.config.file), e.include)
	if seen[file] || depth > maxDeep {
		return nil
	}
	seen[file] = true
	for _, other := range l.mounts {
		if other.config.file != file {
			continue
		}
		children := s.written(l, other, other.config.nav, seen, depth+1)
		if len(children) == 0 {
			children = s.grownIn(l, other)
		}
		title := e.title
		if title == "" {
			title = other.config.name
		}
		return []*navItem{{title: title, children: children}}
	}
	return nil
}

// grown makes the navigation of a site that has written none.
func (s *Site) grown(l *layout) []*navItem { return s.grownIn(l, l.mounts[0]) }

func (s *Site) grownIn(l *layout, m mount) []*navItem {
	root := &navItem{}
	sections := map[string]*navItem{"": root}
	for _, p := range s.pages {
		owner, inside, ok := l.mountOf(p.source)
		if ok && owner.prefix != m.prefix || !ok && m.prefix != "" {
			continue
		}
		dir := ""
		if ok {
			dir = strings.Trim(path.Dir(inside), ".")
		}
		section := sectionOf(sections, dir, 0)
		section.children = append(section.children, &navItem{title: p.title(), page: p})
	}
	return root.children
}

// sectionOf returns the section of a folder, made where it is missing.
func sectionOf(sections map[string]*navItem, dir string, depth int) *navItem {
	if section := sections[dir]; section != nil {
		return section
	}
	parent := ""
	if i := strings.LastIndexByte(dir, '/'); i >= 0 && depth < maxDeep {
		parent = dir[:i]
	}
	section := &navItem{title: nameTitle(path.Base(dir)), folder: dir}
	above := sectionOf(sections, parent, depth+1)
	above.children = append(above.children, section)
	sections[dir] = section
	return section
}
