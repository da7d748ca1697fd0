package templatefile

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

// A source is a file that values come from.
type source struct {
	shown  string
	folder string // from the root of the repository, with slashes
	data   []byte
}

// A graft is a value with where it is written.
type graft struct {
	source *source
	tree   *yaml.Tree // nil for the whole file
}

// places knows where the values of a template are, in the file itself and in
// those that placeholders name.
type places struct {
	value  *jsonvalue.Object
	root   graft
	grafts map[string]graft // by their paths, joined by NUL
}

var _ lint.Places = (*places)(nil)

func key(path []string) string { return strings.Join(path, "\x00") }

// Place implements lint.Places.
func (p *places) Place(path []string, at lint.Spot) lint.Place {
	here, offset := p.root, start(p.root.tree)
	for i, name := range path {
		if here.tree == nil {
			break
		}
		next := (*yaml.Tree)(nil)
		if m, ok := here.tree.Member(name); ok {
			next = m.Tree
			if at.Key && i == len(path)-1 {
				return here.source.place(m.KeyStart)
			}
		} else if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(here.tree.Items) {
			next = here.tree.Items[n]
		}
		if next == nil {
			return here.source.place(offset)
		}
		here = graft{here.source, next}
		if g, ok := p.grafts[key(path[:i+1])]; ok {
			here = g
		}
		offset = start(here.tree)
	}
	if at.Line > 0 {
		if text, ok := valueAt(p.value, path).(string); ok {
			offset = here.source.find(offset, text, at)
		}
	}
	return here.source.place(offset)
}

func start(t *yaml.Tree) int {
	if t == nil {
		return 0
	}
	return t.Start
}

func (s *source) place(offset int) lint.Place {
	line, column := yaml.Position(s.data, offset)
	return lint.Place{File: s.shown, Line: line, Column: column}
}

// find returns where a part of a text is written that begins at an offset. The
// text of the file has quotes, indentation and line ends that the value has not,
// so the part is looked for as often as it occurs in the value before it.
func (s *source) find(offset int, text string, at lint.Spot) int {
	part := strings.TrimSuffix(at.Text, "…")
	before := textBefore(text, at.Line, at.Column)
	raw := bytes.TrimPrefix(s.data, []byte("\xef\xbb\xbf"))
	if part == "" || offset > len(raw) {
		return offset
	}
	raw = raw[offset:]
	found := 0
	for range strings.Count(before, part) + 1 {
		i := bytes.Index(raw[found:], []byte(part))
		if i < 0 || found+i > 2*len(text)+1000 {
			return offset
		}
		found += i + len(part)
	}
	return offset + found - len(part)
}

// textBefore returns what of a text is before a line and column, which count
// code points from 1.
func textBefore(text string, line, column int) string {
	rest := text
	for ; line > 1; line-- {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	for i := range rest {
		if column--; column == 0 {
			rest = rest[i:]
			break
		}
	}
	return text[:len(text)-len(rest)]
}

func valueAt(v any, path []string) any {
	for _, p := range path {
		switch c := v.(type) {
		case *jsonvalue.Object:
			v = c.Value(p)
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}
