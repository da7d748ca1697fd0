package lint

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/glob"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// A fetching is a step that reads what lies in the repository of the template.
type fetching struct {
	step   step
	input  *jsonvalue.Object
	name   string // of the file or folder among Files
	file   bool   // the step reads a single file
	render bool
}

// local returns the fetching that a step does, false if it reads elsewhere.
func (d Document) local(s step) (fetching, bool) {
	f := fetching{step: s, input: s.Object.Object("input")}
	switch s.String("action") {
	case "fetch:template":
		f.render = true
	case "fetch:template:file":
		f.render, f.file = true, true
	case "fetch:plain":
	case "fetch:plain:file":
		f.file = true
	default:
		return f, false
	}
	url, _ := f.input.Value("url").(string)
	if d.Files == nil || url == "" || holdsExpression(url) || isAbsoluteURL(url) {
		return f, false
	}
	f.name = path.Join(d.Folder, url)
	if strings.HasPrefix(url, "/") {
		f.name = path.Clean(strings.TrimLeft(url, "/"))
	}
	return f, true
}

func isAbsoluteURL(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && scheme != "" && !strings.ContainsAny(scheme, "/.")
}

// Skeletons returns the folders and files among Files that steps of the
// template read.
func (d Document) Skeletons() []string {
	var out []string
	for _, s := range namedSteps(d.Value) {
		if s.open {
			continue
		}
		if f, ok := d.local(s); ok && fs.ValidPath(f.name) && f.name != "." {
			out = append(out, f.name)
		}
	}
	return out
}

// skeletons checks the files that steps render.
func (r *review) skeletons(ctx context.Context) error {
	for _, s := range r.steps {
		if s.open {
			continue
		}
		f, ok := r.doc.local(s)
		if !ok {
			continue
		}
		if err := r.skeleton(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *review) skeleton(ctx context.Context, f fetching) error {
	at := join(f.step.path, "input", "url")
	if !fs.ValidPath(f.name) {
		return nil // it is outside of what may be read
	}
	info, err := fs.Stat(r.doc.Files, f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.report(Error, CodeMissingFile, at, Spot{}, "paths are relative to the file of the template; /path begins at the root of the repository",
			"there is no %s", r.shown(f.name))
		return nil
	case err != nil:
		r.report(Error, CodeMissingFile, at, Spot{}, "", "%s cannot be read: %s", r.shown(f.name), err)
		return nil
	case info.IsDir() == f.file:
		what, hint := "a file", "fetch:plain:file and fetch:template:file read files"
		if f.file {
			what, hint = "a folder", "fetch:plain and fetch:template read folders"
		}
		r.report(Error, CodeMissingFile, at, Spot{}, hint, "%s is %s", r.shown(f.name), what)
		return nil
	case !f.render:
		return nil
	}
	o, ok := r.lintOptions(f)
	if !ok {
		return nil
	}
	root := f.name
	if f.file {
		root = path.Dir(f.name)
	}
	source, err := fs.Sub(r.doc.Files, root)
	if err != nil {
		return err
	}
	tree, err := skeleton.Read(ctx, source, skeleton.Limits{})
	if err == nil {
		var faults []skeleton.Fault
		if faults, err = tree.Lint(ctx, r.Skeletons, o); err == nil {
			r.skeletonFaults(root, faults, o)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		r.report(Error, CodeMissingFile, at, Spot{}, "", "%s cannot be read: %s", r.shown(root), err)
	}
	return nil
}

func (r *review) shown(name string) string {
	if r.doc.Shown == nil {
		return name
	}
	return r.doc.Shown(name)
}

// lintOptions returns how the step renders; false where only a run can tell.
func (r *review) lintOptions(f fetching) (skeleton.LintOptions, bool) {
	var o skeleton.LintOptions
	flags := map[string]*bool{"cookiecutterCompat": &o.Dialect.Compatible, "trimBlocks": &o.Dialect.TrimBlocks, "lstripBlocks": &o.Dialect.LstripBlocks}
	for name, flag := range flags {
		v, there := f.input.Get(name)
		is, ok := v.(bool)
		if there && !ok {
			return o, false
		}
		*flag = is
	}
	switch ext := f.input.Value("templateFileExtension").(type) {
	case bool:
		if ext {
			o.Extension = ".njk"
		}
	case string:
		if holdsExpression(ext) {
			return o, false
		}
		if ext != "" {
			o.Extension = "." + strings.TrimPrefix(ext, ".")
		}
	}
	raw, ok := globs(f.input.Value("copyWithoutTemplating"))
	untouched, okToo := globs(f.input.Value("copyWithoutRender"))
	if !ok || !okToo {
		return o, false
	}
	o.Raw = func(e skeleton.Entry) bool { return raw.Match(e.Name, e.IsFolder()) }
	o.Untouched = func(e skeleton.Entry) bool {
		return untouched.Match(e.Name, e.IsFolder()) || e.IsFolder() && untouched.Holds(e.Name)
	}
	if f.file {
		o.Untouched = func(e skeleton.Entry) bool { return e.Name != path.Base(f.name) }
		o.Raw, o.Extension = nil, ""
	}
	o.Values = valueShape(f.input)
	return o, true
}

// globs reads a list of patterns; false where only a run can tell.
func globs(v any) (*glob.Set, bool) {
	list, isList := v.([]any)
	if v != nil && !isList {
		return nil, false
	}
	var patterns []string
	for _, x := range list {
		s, ok := x.(string)
		if !ok || holdsExpression(s) {
			return nil, false
		}
		patterns = append(patterns, s)
	}
	set, err := glob.Compile(patterns)
	return set, err == nil
}

// valueShape returns the values that a step gives; nil where only a run can
// tell.
func valueShape(input *jsonvalue.Object) nunjucks.Shape {
	v, there := input.Get("values")
	o, isObject := v.(*jsonvalue.Object)
	if there && !isObject || IsPlaceholder(v) {
		return nil
	}
	out := nunjucks.Shape{}
	for name := range o.All() {
		out[name] = nil
	}
	return out
}

// skeletonFaults reports what is wrong with files. What is said of a name in a
// file is said once.
func (r *review) skeletonFaults(root string, faults []skeleton.Fault, o skeleton.LintOptions) {
	first, count := map[string]int{}, map[string]int{}
	for _, f := range faults {
		key := ""
		if f.Rule == nunjucks.UndefinedVariable {
			key = f.Entry + "\x00" + strings.Join(f.Path[:min(2, len(f.Path))], ".")
			if f.Path[0] != "values" && f.Path[0] != "cookiecutter" {
				key = f.Entry + "\x00" + f.Path[0]
			}
			if _, seen := first[key]; seen {
				count[key]++
				continue
			}
			first[key] = len(r.found)
		}
		r.skeletonFault(root, f, o)
	}
	for key, more := range count {
		if i := first[key]; i < len(r.found) {
			r.found[i].Message += " (and " + strconv.Itoa(more) + " more in this file)"
		}
	}
}

func (r *review) skeletonFault(root string, f skeleton.Fault, o skeleton.LintOptions) {
	place := Place{File: r.shown(path.Join(root, f.Entry)), Line: f.Line, Column: f.Column}
	message := f.Message
	if f.InName {
		place.Line, place.Column = 0, 0
		message += " in the name"
	}
	code, level := codeOf(f.Rule)
	hint := f.Hint
	switch {
	case f.Rule == "":
		hint = orElse(hint, "the step fails; list the file in copyWithoutTemplating if it is no template")
	case f.Rule == nunjucks.UndefinedVariable:
		code, level, hint = r.unknownValue(f, o)
	case f.Rule == nunjucks.UnknownFilter:
		r.unknownFilter(f.Issue, Finding{Place: place}, "the step fails when it gets there")
		return
	case level == Error:
		hint = orElse(hint, "the step fails when it gets there")
	}
	r.add(Finding{Code: code, Level: level, Place: place, Message: message, Hint: hint})
}

// unknownValue says what is wrong with a name in a skeleton.
func (r *review) unknownValue(f skeleton.Fault, o skeleton.LintOptions) (Code, Level, string) {
	root := "values"
	if o.Dialect.Compatible {
		root = "cookiecutter"
	}
	if f.Path[0] == root {
		hint := "it is empty; add it to the values of the step"
		if near := spelling.Nearest(f.Path[1], slices.Sorted(maps.Keys(o.Values))); near != "" {
			hint = "did you mean " + access(root, near) + "?"
		}
		return CodeUnknownValue, Warning, hint
	}
	switch f.Path[0] {
	case "secrets":
		return CodeSecret, Error, "skeletons see nothing but values, and a secret that is handed to one ends in a file"
	case "parameters", "steps", "user", "each", "environment":
		return CodeUnknownVariable, Error, "skeletons see nothing but " + root + "; hand it on: values: {name: '${{ " + f.Path[0] + ".… }}'}"
	case "values", "cookiecutter":
		return CodeUnknownVariable, Error, "the names here are below " + root + ", as cookiecutterCompat says"
	}
	return CodeUnknownVariable, Warning, "it is empty in the result; if it is for another program, write {% raw %}…{% endraw %} or list the file in copyWithoutTemplating"
}
