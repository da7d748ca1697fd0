package cookiecutter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// The files and keys that the tool gives a meaning.
const (
	contextFile = "cookiecutter.json"
	hooksFolder = "hooks"

	keyCopy       = "_copy_without_render"
	keyExtensions = "_extensions"
	keyJinja      = "_jinja2_env_vars"
)

// maxVariables is how many variables a template may have.
const maxVariables = 1000

// A Template is a template of cookiecutter.
type Template struct {
	defaults *jsonvalue.Object
	// folder is the one whose content is rendered.
	folder *skeleton.Tree
	// Hooks tells whether the template has programs that the tool would run.
	Hooks bool
}

// Read takes a tree for a template of cookiecutter.
func Read(tree *skeleton.Tree) (*Template, error) {
	data, err := tree.ReadFile(contextFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault("the template has no %s in its root folder", contextFile)
	}
	if err != nil {
		return nil, err
	}
	t := &Template{}
	if t.defaults, err = jsonvalue.ParseObject(data); err != nil {
		return nil, fault("%s: %s", contextFile, err)
	}
	for _, e := range tree.Entries() {
		switch {
		case isHook(e):
			t.Hooks = true
		case t.folder == nil && e.IsFolder() && isTemplateName(e.Name):
			if t.folder, err = tree.Sub(e.Name); err != nil {
				return nil, err
			}
		}
	}
	if t.folder == nil {
		return nil, fault("the template has no folder with a name like {{cookiecutter.name}} in its root folder")
	}
	return t, nil
}

func isHook(e skeleton.Entry) bool {
	base := path.Base(e.Name)
	return !e.IsFolder() && path.Dir(e.Name) == hooksFolder && (strings.HasPrefix(base, "pre_") || strings.HasPrefix(base, "post_"))
}

func isTemplateName(name string) bool {
	return !strings.Contains(name, "/") && strings.Contains(name, "cookiecutter") &&
		strings.Contains(name, "{{") && strings.Contains(name, "}}")
}

// Extensions returns the Python modules that the template, with these values,
// asks for beyond those that every template has.
func (t *Template) Extensions(values *jsonvalue.Object) []string {
	return slices.DeleteFunc(texts(t.merged(values).Value(keyExtensions)), func(name string) bool {
		return strings.HasPrefix(name, "cookiecutter.extensions.")
	})
}

// merged returns the defaults with the values over them.
func (t *Template) merged(values *jsonvalue.Object) *jsonvalue.Object {
	m := t.defaults.Clone()
	for key, v := range values.All() {
		m.Set(key, v)
	}
	return m
}

// Dialect returns how the files of the template are written.
func (t *Template) Dialect() skeleton.Dialect {
	o := t.defaults.Object(keyJinja)
	return skeleton.Dialect{Compatible: true, TrimBlocks: o.Value("trim_blocks") == true, LstripBlocks: o.Value("lstrip_blocks") == true}
}

// Context returns the variables that files are rendered with: of each default
// its value or what it renders to with the variables before it, of a list its
// first element. Keys that begin with one underscore are left as they are.
func (t *Template) Context(ctx context.Context, e *skeleton.Engine, values *jsonvalue.Object) (*jsonvalue.Object, error) {
	merged, out := t.merged(values), jsonvalue.NewObject()
	if merged.Len() > maxVariables {
		return nil, fault("the template has more than %d variables", maxVariables)
	}
	for key, raw := range merged.All() {
		if strings.HasPrefix(key, "_") && !strings.HasPrefix(key, "__") {
			out.Set(key, raw)
			continue
		}
		if list, isChoice := raw.([]any); isChoice {
			if len(list) == 0 {
				return nil, fault("%s: the variable %s has no choices", contextFile, key)
			}
			raw = list[0]
		}
		r, err := e.Renderer(t.Dialect(), out)
		if err != nil {
			return nil, err
		}
		v, err := render(ctx, r, key, raw)
		if err != nil {
			return nil, err
		}
		out.Set(key, v)
	}
	return out, nil
}

// render renders the texts in v. Numbers become texts, as in the tool.
func render(ctx context.Context, r *skeleton.Renderer, key string, v any) (any, error) {
	switch v := v.(type) {
	case float64:
		return jsonvalue.FormatNumber(v), nil
	case string:
		return r.Text(ctx, "the variable "+key, v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = render(ctx, r, key, v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *jsonvalue.Object:
		out := jsonvalue.NewObject()
		for k, x := range v.All() {
			rendered, err := render(ctx, r, key, x)
			if err != nil {
				return nil, err
			}
			name, err := r.Text(ctx, "the variable "+key, k)
			if err != nil {
				return nil, err
			}
			out.Set(name, rendered)
		}
		return out, nil
	}
	return v, nil
}

// Folder returns what is rendered, and Raw which of it is only copied, with
// these variables.
func (t *Template) Folder() *skeleton.Tree { return t.folder }

// Raw returns the test for what is only copied: what a pattern of the variable
// _copy_without_render matches, and all below a folder that one matches.
func Raw(variables *jsonvalue.Object) (func(skeleton.Entry) bool, error) {
	patterns, err := compile(texts(variables.Value(keyCopy)))
	if err != nil {
		return nil, fault("%s: %s", keyCopy, err)
	}
	return func(e skeleton.Entry) bool {
		for name := e.Name; name != "." && name != "/"; name = path.Dir(name) {
			if patterns.match(name) {
				return true
			}
		}
		return false
	}, nil
}

// texts returns the texts in a list.
func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func fault(format string, args ...any) error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf(format, args...))
}
