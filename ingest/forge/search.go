package forge

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

// A Search collects the files of an archive that match a pattern. It is for one
// goroutine.
type Search struct {
	// Target is the URL with the pattern, PatternPath the pattern as the path
	// from the root of the repository.
	Target, PatternPath string
	Pattern             *Pattern
	Limits              Limits
	// Files are those found so far.
	Files []source.HostFile

	size int64
}

// Add takes in an entry if it matches.
func (s *Search) Add(e archive.Entry) error {
	if !e.Mode.IsRegular() || !s.Pattern.Match(e.Path) {
		return nil
	}
	s.size += e.Size
	switch {
	case len(s.Files) == s.Limits.Matches:
		return s.TooMany()
	case e.Size > s.Limits.File:
		return TooLarge(e.Path+" of "+s.Target, s.Limits.File)
	case s.size > s.Limits.Search:
		return TooLarge("what "+s.Target+" names", s.Limits.Search)
	}
	at, err := FileURL(s.Target, s.PatternPath, e.Path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(e.Content)
	if err != nil {
		return err
	}
	s.Files = append(s.Files, source.HostFile{URL: at, Data: data})
	return nil
}

// Sorted returns the files in order of their URLs.
func (s *Search) Sorted() []source.HostFile {
	slices.SortFunc(s.Files, func(a, b source.HostFile) int { return strings.Compare(a.URL, b.URL) })
	return s.Files
}

// TooMany is the error for a pattern that names more files than allowed.
func (s *Search) TooMany() error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf("%s names more than %d files", s.Target, s.Limits.Matches))
}
