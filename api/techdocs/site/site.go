package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
)

// Options say how a site is made; the zero value of a field means what is said
// beside it.
type Options struct {
	// Name is what the site is called if mkdocs.yml has no name. Required.
	Name string
	// Renderer renders pages. Required.
	Renderer *markdown.Renderer
	// EditURL returns where a file of the tree is edited, "" if nowhere; nil:
	// nothing can be edited.
	EditURL func(path string) string
	// ViewURL returns where a file beside the documents is shown, "" if nowhere;
	// nil: nowhere.
	ViewURL func(path string) string
	// Context tells apart sites whose EditURL or ViewURL differ.
	Context string
	// Parallel is how many pages are rendered at once; 0: 1.
	Parallel int
}

// A Site is a documentation site.
type Site struct {
	// Name and Description are what the site is called.
	Name, Description string
	// Digest differs for sites that differ.
	Digest string
	// Problems are what authors should mend: links that lead nowhere, pages of
	// the navigation that are not there, pages that cannot be rendered.
	Problems []string
	// Reused is how many pages were taken over from an earlier site.
	Reused int

	tree      Tree
	language  string
	context   string
	pages     []*page          // in the order of navigation without one
	byAddress map[string]*page // "" or with a slash at its end
	bySource  map[string]*page
	assets    map[string]string // path in the tree by that in the site
	nav       []*navItem
	sequence  []*navItem // the pages of the navigation, in order
	sizes     map[string]int64
}

// A page of a site.
type page struct {
	source, address string
	key             [sha256.Size]byte // of all that rendering depends on
	rendered        *markdown.Page
	problems        []string
	editURL         string
	isIndex         bool
	includes        bool // other files, which may change by themselves
}

// Build makes the site of a tree. Pages that are as in an earlier site, which
// may be nil, are taken over. The error is ErrConfig, ErrNoPages or ErrLimit
// where the author can mend it.
func Build(ctx context.Context, t Tree, earlier *Site, o Options) (*Site, error) {
	files, err := checkFiles(t)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(t, files, o.Name)
	if err != nil {
		return nil, err
	}
	s := &Site{
		Name: l.config.name, Description: l.config.description, language: l.config.language, tree: t,
		byAddress: map[string]*page{}, bySource: map[string]*page{}, assets: map[string]string{}, sizes: map[string]int64{},
	}
	s.context = contextOf(l, o.Context)
	for p, place := range l.places {
		if !isMarkdown(p) {
			s.assets[place], s.sizes[place] = p, files[p].Size
		}
	}
	for _, source := range l.pages {
		p := &page{source: source, address: l.places[source], isIndex: l.indexes[source], key: s.keyOf(files[source], source)}
		s.pages = append(s.pages, p)
		s.byAddress[p.address], s.bySource[source] = p, p
	}
	if err := s.render(ctx, l, earlier, o); err != nil {
		return nil, err
	}
	s.navigate(l)
	for _, p := range s.pages {
		s.Problems = append(s.Problems, p.problems...)
	}
	s.Digest = s.digest(files)
	return s, nil
}

// checkFiles holds a tree against the limits.
func checkFiles(t Tree) (map[string]File, error) {
	list := t.Files()
	if len(list) > MaxFiles {
		return nil, fmt.Errorf("%w: there are %d files, of %d at most", ErrLimit, len(list), MaxFiles)
	}
	files, total := make(map[string]File, len(list)), int64(0)
	for _, f := range list {
		if f.Size > MaxFile {
			return nil, fmt.Errorf("%w: %s has %d bytes, of %d at most", ErrLimit, f.Path, f.Size, int64(MaxFile))
		}
		if !fs.ValidPath(f.Path) {
			return nil, fmt.Errorf("%w: %q is not a path", ErrLimit, f.Path)
		}
		total += f.Size
		files[f.Path] = f
	}
	if total > MaxBytes {
		return nil, fmt.Errorf("%w: its files have %d bytes, of %d at most", ErrLimit, total, int64(MaxBytes))
	}
	return files, nil
}

// contextOf sums up what the HTML of all pages depends on: which files there
// are, and where they are.
func contextOf(l *layout, more string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", more)
	paths := make([]string, 0, len(l.places))
	for p := range l.places {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		fmt.Fprintf(sum, "%q %q\n", p, l.places[p])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (s *Site) keyOf(f File, source string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%x %s %s", f.Digest, s.context, source))
}

// render renders the pages, or takes them over.
func (s *Site) render(ctx context.Context, l *layout, earlier *Site, o Options) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(max(1, o.Parallel))
	for _, p := range s.pages {
		if earlier != nil {
			if old := earlier.bySource[p.source]; old != nil && old.key == p.key && old.address == p.address && !old.includes {
				p.rendered, p.problems, p.editURL = old.rendered, old.problems, old.editURL
				s.Reused++
				continue
			}
		}
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			if inner.Err() != nil {
				return context.Cause(inner)
			}
			return s.renderPage(p, l, o)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// renderPage renders one page. What is wrong with it is shown in its place.
func (s *Site) renderPage(p *page, l *layout, o Options) error {
	if o.EditURL != nil {
		p.editURL = o.EditURL(p.source)
	}
	source, err := readFile(s.tree, p.source, markdown.MaxSource)
	if err == nil {
		r := &resolver{site: s, page: p, layout: l, viewURL: o.ViewURL}
		p.includes = len(SnippetFiles(source)) > 0
		source = (&includer{site: s, bases: l.bases(p.source), tell: r.problem}).expand(source, 0)
		p.rendered, err = o.Renderer.Render(source, markdown.Links{Markdown: r.resolve, HTML: r.resolveHTML})
		p.problems = r.problems
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	p.problems = append(p.problems, p.source+" is not shown: "+err.Error())
	notice := "# " + fileTitle(p) + "\n\n!!! failure \"This page cannot be shown\"\n    The server says why: " +
		strings.NewReplacer("\n", " ", "`", "'").Replace(err.Error()) + "\n"
	p.rendered, err = o.Renderer.Render([]byte(notice), markdown.Links{})
	return err
}

func (s *Site) digest(files map[string]File) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q %q %q\n%s\n", styleName, s.Name, s.Description, s.language, s.context)
	for _, f := range s.tree.Files() {
		fmt.Fprintf(sum, "%q %x\n", f.Path, files[f.Path].Digest)
	}
	return hex.EncodeToString(sum.Sum(nil)[:20])
}

// title of a page: what it says itself, or what its file is called.
func (p *page) title() string {
	if p.rendered != nil && p.rendered.Title != "" {
		return p.rendered.Title
	}
	return fileTitle(p)
}

func fileTitle(p *page) string {
	switch {
	case p.address == "":
		return "Home"
	case p.isIndex:
		return nameTitle(path.Base(strings.TrimSuffix(p.address, "/")))
	}
	return nameTitle(strings.TrimSuffix(path.Base(p.source), path.Ext(p.source)))
}

// nameTitle makes a title of the name of a file or folder.
func nameTitle(name string) string {
	title := strings.NewReplacer("-", " ", "_", " ").Replace(name)
	if title == strings.ToLower(title) && title != "" {
		return strings.ToUpper(title[:1]) + title[1:]
	}
	return title
}

// Files are the paths of all files of the site, in order.
func (s *Site) Files() []string {
	out := []string{styleName, metadataName, searchName}
	for p := range s.assets {
		out = append(out, p)
	}
	for _, p := range s.pages {
		out = append(out, p.address+"index.html")
	}
	slices.Sort(out)
	return out
}

// Cost estimates how many bytes of memory the site takes.
func (s *Site) Cost() int64 {
	cost := int64(64<<10 + 256*len(s.assets))
	for _, p := range s.pages {
		cost += int64(1024 + 2*len(p.rendered.HTML))
		for _, section := range p.rendered.Sections {
			cost += int64(len(section.Text) + 128)
		}
	}
	return cost
}

// Names of files that every site has.
const (
	metadataName = "techdocs_metadata.json"
	searchName   = "search/search_index.json"
)

// Metadata is techdocs_metadata.json, with the etag of the source and the time
// of the build.
func (s *Site) Metadata(etag string, built time.Time) ([]byte, error) {
	return json.Marshal(struct {
		Name        string   `json:"site_name"`
		Description string   `json:"site_description"`
		ETag        string   `json:"etag"`
		Built       int64    `json:"build_timestamp"`
		Files       []string `json:"files"`
	}{s.Name, s.Description, etag, built.UnixMilli(), s.Files()})
}
