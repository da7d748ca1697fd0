package site

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the style sheet is part of the program
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
)

//go:embed reader.css
var style []byte

// styleName has the form that the reader of the portal lets through, and
// another value for every other content.
var styleName = func() string {
	sum := sha256.Sum256(style)
	return stylePrefix + hex.EncodeToString(sum[:4]) + styleSuffix
}()

const (
	stylePrefix = "assets/stylesheets/main."
	styleSuffix = ".min.css"
)

// A Content is an open file of a site, with what HTTP asks for.
type Content struct {
	io.ReadSeekCloser
	// ETag differs for files of one path that differ; Modified is when the file
	// or its site was made.
	ETag     string
	Modified time.Time
}

// Open opens a file of the site by its path, which is valid for io/fs. The
// metadata, which the site does not know all of, is not among them. The error
// of one that is not there is fs.ErrNotExist. The caller closes what it gets.
func (s *Site) Open(path string) (io.ReadSeekCloser, error) {
	if name, ok := s.assets[path]; ok {
		return s.tree.Open(name)
	}
	switch {
	case path == searchName:
		return inMemory{bytes.NewReader(s.searchIndex())}, nil
	case strings.HasPrefix(path, stylePrefix) && strings.HasSuffix(path, styleSuffix): // pages of an earlier release name an earlier one
		return inMemory{bytes.NewReader(style)}, nil
	}
	if address, ok := strings.CutSuffix(path, "index.html"); ok && (address == "" || address[len(address)-1] == '/') {
		if p := s.byAddress[address]; p != nil {
			return inMemory{bytes.NewReader(s.html(p))}, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// IsFolder tells whether there is a page at a path with a slash behind it.
func (s *Site) IsFolder(path string) bool { return s.byAddress[path+"/"] != nil }

// A Section is a part of a page that can be found.
type Section struct {
	// Path is the address of the page below the site, with the id of the
	// heading.
	Path        string
	Title, Text string
}

// Sections yields all sections of all pages.
func (s *Site) Sections() iter.Seq[Section] {
	return func(yield func(Section) bool) {
		for _, p := range s.pages {
			for _, part := range p.rendered.Sections {
				title := part.Title
				if title == "" {
					title = p.title()
				}
				if !yield(Section{Path: address(p, part.ID), Title: title, Text: part.Text}) {
					return
				}
			}
		}
	}
}

// searchIndex is the file in which MkDocs has what can be found.
func (s *Site) searchIndex() []byte {
	type document struct {
		Location string `json:"location"`
		Title    string `json:"title"`
		Text     string `json:"text"`
	}
	type settings struct {
		Languages []string `json:"lang"`
		Separator string   `json:"separator"`
		Pipeline  []string `json:"pipeline"`
	}
	out := struct {
		Config settings   `json:"config"`
		Docs   []document `json:"docs"`
	}{Config: settings{[]string{"en"}, `[\s\-]+`, []string{"stopWordFilter"}}}
	for section := range s.Sections() {
		out.Docs = append(out.Docs, document{section.Path, section.Title, section.Text})
	}
	data, err := json.Marshal(out) // <, > and & are escaped in it
	if err != nil {
		panic(err) // strings can always be written
	}
	return data
}
