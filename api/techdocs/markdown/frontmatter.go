package markdown

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A frontMatter is what a source says of itself before its text.
type frontMatter struct {
	Title string
	hide  []string
}

func (m frontMatter) hides(part string) bool { return slices.Contains(m.hide, part) }

// maxFrontMatter bounds it, in bytes.
const maxFrontMatter = 64 << 10

// cutFrontMatter splits off what stands between two lines of three dashes at
// the begin. What is no YAML there says nothing, but is not shown either.
func cutFrontMatter(source []byte) (frontMatter, []byte) {
	rest, ok := bytes.CutPrefix(source, []byte("---\n"))
	if !ok {
		return frontMatter{}, source
	}
	end := bytes.Index(rest, []byte("\n---"))
	if bytes.HasPrefix(rest, []byte("---\n")) {
		return frontMatter{}, rest[4:]
	}
	if end < 0 || end > maxFrontMatter {
		return frontMatter{}, source
	}
	body := rest[end+4:]
	if line, after, found := bytes.Cut(body, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
		body = after
		_ = found
	} else {
		return frontMatter{}, source
	}
	return readFrontMatter(rest[:end]), body
}

// readFrontMatter reads the keys that mean something here. Nodes are looked at
// one by one, so that aliases cannot multiply.
func readFrontMatter(data []byte) (m frontMatter) {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return m
	}
	pairs := doc.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		switch {
		case pairs[i].Value == "title" && value.Kind == yaml.ScalarNode:
			m.Title = value.Value
		case pairs[i].Value == "hide" && value.Kind == yaml.SequenceNode:
			for _, part := range value.Content {
				m.hide = append(m.hide, part.Value)
			}
		}
	}
	return m
}
