package templatefile

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

// A Template is one template of a file.
type Template struct {
	lint.Document
	// File is the path as it was given.
	File string
	// path is the absolute path of the file, "" for the standard input; root
	// that of its repository.
	path, root string
}

// Entity returns the template as an entity.
func (t *Template) Entity() catalog.Entity { return catalog.Entity{Object: t.Value} }

// Path returns the absolute path of the file, "" for the standard input.
func (t *Template) Path() string { return t.path }

// Root returns the absolute path of the folder that nothing outside of is read
// for the template, "" for the standard input.
func (t *Template) Root() string { return t.root }

// readFile reads the templates of a file. Where named is set the file must have
// one.
func readFile(file string, named bool) ([]*Template, []lint.Finding, error) {
	data, err := readBounded(file)
	if errors.Is(err, errTooLarge) {
		return nil, []lint.Finding{tooLarge(file)}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, nil, err
	}
	repo, err := openRepository(abs, filepath.Dir(file))
	if err != nil {
		return nil, nil, err
	}
	templates, findings := parse(&source{shown: file, data: data, folder: repo.folder}, repo, named)
	for _, t := range templates {
		t.path, t.root = abs, repo.root
		t.Files, t.Folder, t.Shown = below(repo.root), repo.folder, repo.show
	}
	return templates, findings, nil
}

// below is the files of a folder, as an fs.FS out of which no link leads.
type below string

// Open opens a file. It keeps no handle of the folder, since each of very many
// templates may have a folder of its own.
func (b below) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return os.OpenInRoot(string(b), filepath.FromSlash(name))
}

// parse takes the templates out of a stream.
func parse(s *source, repo *repository, named bool) (templates []*Template, findings []lint.Finding) {
	docs := yaml.ParseTrees(s.data, yaml.Limits{Bytes: MaxFileBytes})
	for _, d := range docs {
		if d.Err != nil {
			findings = append(findings, s.syntaxFinding(d))
			continue
		}
		o, ok := d.Value.(*jsonvalue.Object)
		if !ok || !isTemplate(o) {
			continue
		}
		g := &grafting{repo: repo, places: &places{root: graft{s, d.Tree}, grafts: map[string]graft{}}}
		v := g.resolve(o, nil, s, 0)
		g.places.value = v.(*jsonvalue.Object)
		templates = append(templates, &Template{Document: lint.Document{Value: g.places.value, Places: g.places}, File: s.shown})
		findings = append(findings, g.findings...)
	}
	if named && len(templates) == 0 && len(findings) == 0 {
		findings = append(findings, s.noTemplate(docs))
	}
	return templates, findings
}

// isTemplate tells whether a document is meant to be a template.
func isTemplate(o *jsonvalue.Object) bool {
	kind, _ := o.Value("kind").(string)
	version, _ := o.Value("apiVersion").(string)
	return scaffolder.IsTemplateKind(kind) || strings.HasPrefix(version, "scaffolder.backstage.io/")
}

func (s *source) noTemplate(docs []yaml.Document) lint.Finding {
	f := lint.Finding{Code: lint.CodeEmpty, Level: lint.Error, Place: lint.Place{File: s.shown, Line: 1, Column: 1},
		Hint: "a template begins with apiVersion: " + scaffolder.APIVersion + " and kind: Template"}
	if f.Message = "the file holds no template"; len(docs) == 0 {
		f.Message = "the file is empty"
	}
	return f
}

// syntaxHints say what is behind the errors that authors have most.
var syntaxHints = []struct{ part, hint string }{
	{"must start at the same column", "check the indentation of this line: it belongs to no list and no key above"},
	{"Nested mappings", "check the indentation, or put the value into quotes: it has a colon followed by a blank"},
	{"Implicit keys need", "check the indentation, or put the text into quotes"},
	{"Implicit map keys need to be followed", "is a colon missing, or the line indented too far or too little?"},
	{"Tabs are not allowed", "use blanks"},
	{"Sequence item without", "check the indentation: items of one list begin at the same column"},
	{"A block sequence may not be", "check the indentation of this line"},
	{"Map keys must be unique", "remove one of the two"},
	{"in block collection must be sufficiently indented", "a bracket is not closed; put the value into quotes if it is a text"},
	{"Missing closing", "the text in quotes does not end"},
}

func (s *source) syntaxFinding(d yaml.Document) lint.Finding {
	f := lint.Finding{Code: lint.CodeYAML, Level: lint.Error, Place: lint.Place{File: s.shown, Line: d.Line, Column: 1}, Message: d.Err.Error()}
	var syntax *yaml.SyntaxError
	if !errors.As(d.Err, &syntax) {
		return f
	}
	f.Line, f.Column, f.Message = syntax.Line, syntax.Column, "the file is no YAML: "+syntax.Reason
	for _, h := range syntaxHints {
		if strings.Contains(syntax.Reason, h.part) {
			f.Hint = h.hint
			break
		}
	}
	return f
}

// A repository is what may be read for a template.
type repository struct {
	root   string // absolute
	folder string // of the template, from the root with slashes
	up     string // from the working directory to the root, as it was given
}

// openRepository finds the repository of a file. Given is the folder as the user
// wrote it.
func openRepository(file, given string) (*repository, error) {
	own := filepath.Dir(file)
	root := own
	for dir := own; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			root = dir
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	rel, err := filepath.Rel(root, own)
	if err != nil {
		return nil, err
	}
	up := given
	if rel != "." {
		up = filepath.Join(given, strings.Repeat("../", strings.Count(filepath.ToSlash(rel), "/")+1))
	}
	return &repository{root: root, folder: filepath.ToSlash(rel), up: up}, nil
}

// show is how findings call a file of the repository.
func (r *repository) show(name string) string {
	return filepath.ToSlash(filepath.Join(r.up, filepath.FromSlash(path.Clean(name))))
}
