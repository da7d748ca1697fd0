package glob

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// What Compile accepts at most.
const (
	maxPatterns     = 1000
	maxLength       = 4096
	maxAlternatives = 1000
	maxStars        = 64
)

// A Set is a compiled list of patterns. The zero value matches nothing.
type Set struct{ rules []rule }

// A rule is one pattern of the list.
type rule struct {
	negative bool
	// literal is the pattern as a name.
	literal string
	// base is the folder that the pattern looks in, its leading parts without
	// signs; it does not match itself.
	base string
	// foldersOnly: the pattern ends in a slash.
	foldersOnly bool
	// One of include matches unless one of exclude does; these are for !(…).
	include, exclude []string
}

// Compile reads a list of patterns. An error names the pattern that is wrong.
func Compile(patterns []string) (*Set, error) {
	if len(patterns) > maxPatterns {
		return nil, fmt.Errorf("there are more than %d patterns", maxPatterns)
	}
	s := &Set{}
	for _, p := range patterns {
		r, err := compile(p)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", shortened(p), err)
		}
		s.rules = append(s.rules, r)
	}
	return s, nil
}

// CompileOne is Compile for a single pattern in which a leading ! has no
// meaning unless a group follows.
func CompileOne(pattern string) (*Set, error) {
	r, err := compilePositive(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", shortened(pattern), err)
	}
	return &Set{rules: []rule{r}}, nil
}

func shortened(pattern string) string {
	if len(pattern) > 100 {
		return strings.ToValidUTF8(pattern[:100], "") + "…"
	}
	return pattern
}

func compile(pattern string) (rule, error) {
	rest, negative := strings.CutPrefix(pattern, "!")
	if negative && strings.HasPrefix(rest, "(") {
		rest = "@" + rest
	}
	r, err := compilePositive(rest)
	r.negative = negative
	return r, err
}

func compilePositive(pattern string) (rule, error) {
	if len(pattern) > maxLength {
		return rule{}, fmt.Errorf("longer than %d bytes", maxLength)
	}
	if strings.Count(pattern, "*") > maxStars {
		return rule{}, fmt.Errorf("more than %d stars", maxStars)
	}
	r := rule{foldersOnly: strings.HasSuffix(pattern, "/")}
	// Cleaning leaves signs alone, since ** and {a,b} are names to it too.
	clean := path.Clean(pattern)
	r.literal, r.base = clean, base(clean)
	if strings.HasPrefix(clean, "/") || clean == ".." || strings.HasPrefix(clean, "../") || pattern == "" {
		r.literal = "/" // matches nothing: names do not begin with a slash
	}
	text, err := plainer(clean)
	if err != nil {
		return r, err
	}
	include, exclude, err := groups(text)
	if err != nil {
		return r, err
	}
	if r.include, err = expand(include); err != nil {
		return r, err
	}
	if exclude != "" {
		r.exclude, err = expand(exclude)
	}
	return r, err
}

// base returns the parts of a pattern before the first that has signs.
func base(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[]{}()!@+\`); i >= 0 {
		pattern = pattern[:i]
	}
	return pattern[:max(strings.LastIndexByte(pattern, '/'), 0)]
}

// Match tells whether the set matches a name with slashes from the root of a
// tree. All names match that lie below a folder which a pattern names, but not
// the folder itself; see Holds.
func (s *Set) Match(name string, isFolder bool) bool {
	if s == nil {
		return false
	}
	for i, r := range s.rules {
		if !r.negative && r.match(name, isFolder) && !s.taken(name, isFolder, i) {
			return true
		}
	}
	return false
}

// taken tells whether a negative pattern after i matches.
func (s *Set) taken(name string, isFolder bool, i int) bool {
	for _, r := range s.rules[i+1:] {
		if r.negative && r.match(name, isFolder) {
			return true
		}
	}
	return false
}

// Holds tells whether a pattern names this folder, so that the set matches all
// below it.
func (s *Set) Holds(folder string) bool {
	if s == nil {
		return false
	}
	for i, r := range s.rules {
		if !r.negative && r.literal == folder && !s.taken(folder, true, i) {
			return true
		}
	}
	return false
}

func (r rule) match(name string, isFolder bool) bool {
	switch {
	case r.literal == ".", strings.HasPrefix(name, r.literal+"/"):
		return true
	case r.foldersOnly && !isFolder:
		return false
	case name == r.literal:
		return !isFolder || r.negative
	case name == r.base && !r.negative:
		return false
	case r.literal == "/":
		return false
	}
	return globAny(r.include, name, isFolder) && !globAny(r.exclude, name, isFolder)
}

func globAny(patterns []string, name string, isFolder bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, name, isFolder) })
}

// glob matches one pattern. One that is none, such as "[", is only a name.
func glob(pattern, name string, isFolder bool) bool {
	if above, ok := strings.CutSuffix(pattern, "/**"); ok {
		if isFolder && glob(above, name, true) {
			return true
		}
		pattern += "/*" // files do not match by being nothing below themselves
	}
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}
