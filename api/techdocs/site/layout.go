package site

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A layout says which files of a tree are pages, which go with them, and where
// each is in the site.
type layout struct {
	config *config
	// mounts are folders of documents: that of the site, and those of sites
	// that it includes.
	mounts []mount
	// places are where files of the tree are in the site: of pages the address
	// with a slash at its end, or "", of others the path.
	places map[string]string
	pages  []string // paths of the pages, in the order of navigation without one
	// indexes are pages that stand for their folder.
	indexes  map[string]bool
	hasIndex map[string]bool // by folder of the tree
}

// A mount is a folder of the tree at a place in the site.
type mount struct {
	folder string // in the tree, "." for all of it
	prefix string // in the site, "" or with a slash at its end
	config *config
}

// A Source is what Needed looks at: a folder whose files may be many.
type Source interface {
	// Exists tells whether there is a regular file.
	Exists(path string) bool
	// Read reads a file of at most so many bytes.
	Read(path string, limit int64) ([]byte, error)
}

// readConfigs reads the configuration, and that of the sites that it includes.
// Name is what a site without a configuration is called.
func readConfigs(src Source, name string) (mounts []mount, err error) {
	first := &config{name: name, docs: "docs"}
	for _, file := range configNames {
		if src.Exists(file) {
			if first, err = readConfig(src, file); err != nil {
				return nil, err
			}
			break
		}
	}
	if first.name == "" {
		first.name = name
	}
	mounts = []mount{{folder: first.docs, config: first}}
	seen := map[string]bool{first.file: true}
	for i := 0; i < len(mounts); i++ {
		for _, file := range includes(mounts[i].config.nav) {
			file = path.Join(path.Dir(mounts[i].config.file), file)
			if seen[file] {
				continue
			}
			seen[file] = true
			if len(mounts) > maxInclude {
				return nil, fmt.Errorf("%w: more than %d sites are included", ErrLimit, maxInclude)
			}
			if !fs.ValidPath(file) {
				return nil, fmt.Errorf("%w: !include %s leads out of the folder", ErrConfig, file)
			}
			c, err := readConfig(src, file)
			if err != nil {
				return nil, fmt.Errorf("!include %s: %w", file, err)
			}
			folder := path.Join(path.Dir(file), c.docs)
			mounts = append(mounts, mount{folder: folder, prefix: aliasOf(c, file) + "/", config: c})
		}
	}
	return mounts, nil
}

func readConfig(src Source, file string) (*config, error) {
	data, err := src.Read(file, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return parseConfig(file, data)
}

func includes(entries []entry) (out []string) {
	for _, e := range entries {
		if e.include != "" {
			out = append(out, e.include)
		}
		out = append(out, includes(e.children)...)
	}
	return out
}

// aliasOf is where an included site is mounted: at its name.
func aliasOf(c *config, file string) string {
	alias := strings.Trim(path.Clean("/"+strings.ReplaceAll(strings.ToLower(c.name), " ", "-")), "/")
	if alias == "" || !fs.ValidPath(alias) {
		return path.Base(path.Dir(file))
	}
	return alias
}

// indexNames stand for their folder, the first that is there.
var indexNames = []string{"index.md", "README.md", "readme.md", "Readme.md"}

// Needed returns which files of a folder make the site: the configuration,
// those that keep tells to be below the folders of documents, and a README
// where there is no page for the root. Name is what the site is called if
// nothing says otherwise.
func Needed(src Source, name string) (configs []string, folders []string, fallback string, err error) {
	mounts, err := readConfigs(src, name)
	if err != nil {
		return nil, nil, "", err
	}
	for _, m := range mounts {
		if m.config.file != "" {
			configs = append(configs, m.config.file)
		}
		folders = append(folders, m.folder)
	}
	for _, index := range indexNames {
		if src.Exists(path.Join(folders[0], index)) {
			return configs, folders, "", nil
		}
	}
	for _, index := range indexNames[1:] {
		if src.Exists(index) {
			return configs, folders, index, nil
		}
	}
	return configs, folders, "", nil
}

// treeSource is a Tree as a Source.
type treeSource struct {
	tree  Tree
	files map[string]File
}

func (s treeSource) Exists(path string) bool { _, ok := s.files[path]; return ok }

func (s treeSource) Read(path string, limit int64) ([]byte, error) {
	return readFile(s.tree, path, limit)
}

// newLayout finds the place of each file.
func newLayout(t Tree, files map[string]File, name string) (*layout, error) {
	mounts, err := readConfigs(treeSource{t, files}, name)
	if err != nil {
		return nil, err
	}
	l := &layout{config: mounts[0].config, mounts: mounts, places: map[string]string{}, indexes: map[string]bool{}, hasIndex: map[string]bool{}}
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.SortFunc(paths, byFolder)
	for _, p := range paths {
		if m, inside, ok := l.mountOf(p); ok && !hidden(inside) {
			l.place(p, m.prefix, inside)
		}
	}
	if _, ok := l.pageAt(""); !ok {
		l.fallback(files)
	}
	switch {
	case len(l.pages) == 0:
		return nil, fmt.Errorf("%w: there is no Markdown in the folder %s: write %s", ErrNoPages, l.config.docs, path.Join(l.config.docs, "index.md"))
	case len(l.pages) > MaxPages:
		return nil, fmt.Errorf("%w: there are %d pages, of %d at most", ErrLimit, len(l.pages), MaxPages)
	}
	return l, nil
}

// mountOf returns the innermost mount that a file is in, and its path there.
func (l *layout) mountOf(p string) (m mount, inside string, ok bool) {
	for _, candidate := range l.mounts {
		rest, below := strings.CutPrefix(p, candidate.folder+"/")
		if candidate.folder == "." {
			rest, below = p, true
		}
		if below && (!ok || len(candidate.folder) > len(m.folder)) {
			m, inside, ok = candidate, rest, true
		}
	}
	return m, inside, ok
}

// bases are the folders that the snippets of a page are relative to: that of
// the configuration, and that of the documents.
func (l *layout) bases(source string) []string {
	m, _, ok := l.mountOf(source)
	if !ok {
		m = l.mounts[0]
	}
	return []string{path.Dir(m.config.file), m.folder}
}

// hidden tells whether a part of a path begins with a dot.
func hidden(p string) bool { return strings.HasPrefix(p, ".") || strings.Contains(p, "/.") }

// place notes where a file is in the site.
func (l *layout) place(p, prefix, inside string) {
	if !isMarkdown(inside) {
		l.places[p] = prefix + inside
		return
	}
	folder, base := path.Split(inside)
	if !isIndex(base) {
		l.places[p] = prefix + strings.TrimSuffix(inside, path.Ext(inside)) + "/"
		l.pages = append(l.pages, p)
		return
	}
	if dir := path.Dir(p); !l.hasIndex[dir] { // the order of paths has the one that counts first
		l.hasIndex[dir], l.indexes[p], l.places[p] = true, true, prefix+folder
		l.pages = append(l.pages, p)
	}
}

func isIndex(base string) bool { return slices.Contains(indexNames, base) }

func isMarkdown(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".md", ".markdown", ".mdown", ".mkd":
		return true
	}
	return false
}

// fallback makes a README beside the folder of documents the page of the root.
func (l *layout) fallback(files map[string]File) {
	for _, name := range indexNames[1:] {
		if _, ok := files[name]; !ok {
			continue
		}
		if _, taken := l.places[name]; taken {
			continue
		}
		l.indexes[name], l.places[name] = true, ""
		l.pages = append([]string{name}, l.pages...)
		return
	}
}

// pageAt returns the page at an address.
func (l *layout) pageAt(address string) (string, bool) {
	for _, p := range l.pages {
		if l.places[p] == address {
			return p, true
		}
	}
	return "", false
}

// byFolder orders paths as navigation does that nobody has written: index
// first, then files, then folders.
func byFolder(a, b string) int {
	for {
		x, restA, deeperA := strings.Cut(a, "/")
		y, restB, deeperB := strings.Cut(b, "/")
		switch {
		case deeperA != deeperB:
			if deeperA {
				return 1
			}
			return -1
		case x != y && !deeperA && (isIndex(x) || isIndex(y)):
			if i, j := slices.Index(indexNames, x), slices.Index(indexNames, y); i >= 0 && (j < 0 || i < j) {
				return -1
			}
			return 1
		case x != y:
			return strings.Compare(x, y)
		case !deeperA:
			return 0
		}
		a, b = restA, restB
	}
}

// IsConfigured tells whether an error is the author's to mend.
func IsConfigured(err error) bool {
	return errors.Is(err, ErrConfig) || errors.Is(err, ErrNoPages) || errors.Is(err, ErrLimit)
}
