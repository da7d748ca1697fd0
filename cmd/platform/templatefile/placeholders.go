package templatefile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

const (
	// maxNesting is how deep files may name files.
	maxNesting = 10
	// maxParts is how many files a template may be made of.
	maxParts = 500
)

// A grafting puts what placeholders stand for into a template.
type grafting struct {
	repo     *repository // nil where nothing can be read
	places   *places
	findings []lint.Finding
	parts    int
}

var hasScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

// resolve returns a value with the contents of files in place of placeholders.
// What cannot be read stays as it is, with a finding if it should be there.
func (g *grafting) resolve(v any, path []string, from *source, depth int) any {
	if lint.IsPlaceholder(v) {
		return g.replace(v.(*jsonvalue.Object), path, from, depth)
	}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			v[i] = g.resolve(x, append(path[:len(path):len(path)], strconv.Itoa(i)), from, depth)
		}
	case *jsonvalue.Object:
		for _, m := range v.Members() {
			v.Set(m.Key, g.resolve(m.Value, append(path[:len(path):len(path)], m.Key), from, depth))
		}
	}
	return v
}

func (g *grafting) replace(o *jsonvalue.Object, at []string, from *source, depth int) any {
	m := o.Members()[0]
	target := m.Value.(string)
	if g.repo == nil || hasScheme.MatchString(target) || (m.Key != "$yaml" && m.Key != "$json" && m.Key != "$text") {
		return o
	}
	part, err := g.read(target, from, depth)
	if err != nil {
		g.wrong(at, from, m.Key, "%s %s: %s", m.Key, target, err)
		return o
	}
	if m.Key == "$text" {
		g.places.grafts[key(at)] = graft{part, nil}
		return string(part.data)
	}
	docs := yaml.ParseTrees(part.data, yaml.Limits{Bytes: MaxFileBytes})
	switch {
	case len(docs) > 0 && docs[0].Err != nil:
		g.findings = append(g.findings, part.syntaxFinding(docs[0]))
		return o
	case len(docs) != 1:
		g.wrong(at, from, m.Key, "%s %s: the file must hold one document, and has %d", m.Key, target, len(docs))
		return o
	}
	g.places.grafts[key(at)] = graft{part, docs[0].Tree}
	return g.resolve(docs[0].Value, at, part, depth+1)
}

func (g *grafting) wrong(at []string, from *source, name, format string, args ...any) {
	g.findings = append(g.findings, lint.Finding{Code: lint.CodePlaceholder, Level: lint.Error,
		Place: g.places.Place(append(at[:len(at):len(at)], name), lint.Spot{}), Message: fmt.Sprintf(format, args...),
		Hint: "paths are relative to the file that has the placeholder"})
}

// read reads the file that a placeholder in a file names.
func (g *grafting) read(target string, from *source, depth int) (*source, error) {
	if g.parts++; depth >= maxNesting || g.parts > maxParts {
		return nil, fmt.Errorf("the template is made of too many files, or of files that name each other: %d, %d deep, are allowed", maxParts, maxNesting)
	}
	name := path.Join(from.folder, target)
	if strings.HasPrefix(target, "/") {
		name = path.Clean(strings.TrimLeft(target, "/"))
	}
	if !fs.ValidPath(name) {
		return nil, errors.New("the file is outside of the repository")
	}
	data, err := readBounded(filepath.Join(g.repo.root, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s", g.repo.show(name))
	}
	return &source{shown: g.repo.show(name), folder: path.Dir(name), data: data}, err
}
