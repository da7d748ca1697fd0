package lint

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Document is a template that was read. Placeholders are resolved; one that
// could not be is still there, and what it stands for is not judged.
type Document struct {
	Value  *jsonvalue.Object
	Places Places
	// Files are those of the repository of the template, or as much of it as
	// may be read, and Folder the folder of the template in them, "." for the
	// root. nil: skeletons are not looked at.
	Files  fs.FS
	Folder string
	// Shown is how findings call a file of Files; nil: by its name.
	Shown func(name string) string
}

// Places knows where the values of a template are written.
type Places interface {
	// Place returns where the value at a path is, or the one that is nearest
	// above it: keys, and indexes in decimal.
	Place(path []string, at Spot) Place
}

// A Spot is what of a value is meant; the zero value is its beginning.
type Spot struct {
	// Key: the key, not the value.
	Key bool
	// Line and Column are in the text that the value is, counted from 1, and
	// Text what stands there. Line 0: the whole value.
	Line, Column int
	Text         string
}

// placeholders are the keys of objects that stand for the content of a file.
var placeholders = []string{"$yaml", "$json", "$text", "$openapi", "$asyncapi", "$graphql"}

// IsPlaceholder tells whether a value stands for the content of a file.
func IsPlaceholder(v any) bool {
	o, ok := v.(*jsonvalue.Object)
	if !ok || o.Len() != 1 {
		return false
	}
	m := o.Members()[0]
	_, isText := m.Value.(string)
	return isText && slices.Contains(placeholders, m.Key)
}

// holdsPlaceholder tells whether something in a value is not known.
func holdsPlaceholder(v any) bool {
	found := false
	visit(v, nil, func(_ []string, v any) bool {
		found = found || IsPlaceholder(v)
		return !found
	})
	return found
}

// visit calls fn for a value and all in it, outer ones first, until fn returns
// false, which leaves out what is inside.
func visit(v any, path []string, fn func(path []string, v any) bool) {
	if !fn(path, v) {
		return
	}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			visit(x, join(path, strconv.Itoa(i)), fn)
		}
	case *jsonvalue.Object:
		for key, x := range v.All() {
			visit(x, join(path, key), fn)
		}
	}
}

// join returns the path of something in what a path leads to.
func join(path []string, more ...string) []string { return append(slices.Clip(path), more...) }

var escapes = strings.NewReplacer("~", "~0", "/", "~1")

// pointer writes a path as a JSON pointer.
func pointer(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString("/" + escapes.Replace(p))
	}
	return b.String()
}

// parsePointer reads a JSON pointer.
func parsePointer(s string) []string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s[1:], "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}

// at returns the value that a path leads to.
func at(v any, path []string) any {
	for _, p := range path {
		switch c := v.(type) {
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		case *jsonvalue.Object:
			v = c.Value(p)
		default:
			return nil
		}
	}
	return v
}
