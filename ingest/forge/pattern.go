package forge

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Pattern names files of a tree: * and ? within a segment, ** for any number
// of segments, {a,b} and [abc]. As usual, a wildcard does not stand for the dot
// that hides a file or folder.
type Pattern struct {
	text   string
	hidden []string // segments of the pattern that begin with a dot
}

// ParsePattern checks a pattern: a path from the root of a tree.
func ParsePattern(text string) (*Pattern, error) {
	text = strings.Trim(text, "/")
	if !doublestar.ValidatePattern(text) || len(text) > 1000 {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("%.100q is not a valid pattern", text))
	}
	p := &Pattern{text: text}
	for _, segment := range strings.Split(text, "/") {
		if strings.HasPrefix(segment, ".") {
			p.hidden = append(p.hidden, segment)
		}
	}
	return p, nil
}

// Folder is the deepest folder that holds all that can match; "" is the root.
func (p *Pattern) Folder() string {
	base, _ := doublestar.SplitPattern(p.text)
	if base == "." {
		return ""
	}
	return base
}

// Match tells whether a path from the root of the tree is meant.
func (p *Pattern) Match(name string) bool {
	return doublestar.MatchUnvalidated(p.text, name) && p.showsHidden(name)
}

// showsHidden tells whether each segment of a path that begins with a dot is
// asked for by one of the pattern that does too.
func (p *Pattern) showsHidden(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if !strings.HasPrefix(segment, ".") {
			continue
		}
		asked := false
		for _, h := range p.hidden {
			asked = asked || doublestar.MatchUnvalidated(h, segment)
		}
		if !asked {
			return false
		}
	}
	return true
}

// FileURL returns the URL of a file that a pattern has found: like the URL of
// the pattern up to the ref, followed by the path of the file. PatternPath is
// the path of the pattern in its repository.
func FileURL(patternURL, patternPath, file string) (string, error) {
	u, err := url.Parse(patternURL)
	if err != nil {
		return "", catalog.NewError(catalog.NameTypeError, "Invalid URL: "+patternURL)
	}
	segments := strings.Split(strings.TrimRight(u.EscapedPath(), "/"), "/")
	keep := len(segments)
	for n := strings.Count(patternPath, "/") + 1; n > 0 && keep > 0; keep-- {
		if segments[keep-1] != "" {
			n--
		}
	}
	escaped := (&url.URL{Path: path.Join("/", file)}).EscapedPath()
	u.RawPath = strings.TrimRight(strings.Join(segments[:keep], "/"), "/") + escaped
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return "", catalog.NewError(catalog.NameTypeError, "Invalid URL: "+patternURL)
	}
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	return u.String(), nil
}
