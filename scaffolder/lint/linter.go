package lint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
	"github.com/greenroom-idp/greenroom/schemas"
)

// Options are what a Linter knows of the installation.
type Options struct {
	// Actions are those that are registered. Required.
	Actions *action.Registry
	// Kinds has the schema of templates. Required.
	Kinds *schemas.Set
	// Filters are added to the template language; nil: none.
	Filters map[string]nunjucks.Func
	// Skeletons renders files, as fetch:template does. Required.
	Skeletons *skeleton.Engine
	// Foreign are globs of actions that another installation has, such as
	// acme:**, and ForeignFilters names of filters; they are not reported as
	// unknown.
	Foreign, ForeignFilters []string
}

// A Linter finds faults in templates.
type Linter struct {
	Options
	env    *nunjucks.Env
	ids    []string // of all actions
	inputs map[string][]inputForm
}

// New checks the options.
func New(o Options) (*Linter, error) {
	if o.Actions == nil || o.Kinds == nil || o.Skeletons == nil {
		return nil, errors.New("a linter needs actions, kinds and an engine for skeletons")
	}
	for _, pattern := range o.Foreign {
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("%q is no glob of action ids", pattern)
		}
	}
	l := &Linter{Options: o, inputs: map[string][]inputForm{}, env: nunjucks.New(nunjucks.Options{
		Tags: nunjucks.ScaffolderTags(), Filters: o.Filters, LegacyCoercion: true})}
	for _, a := range o.Actions.Actions() {
		l.ids = append(l.ids, a.ID())
		forms, err := inputForms(a.InputSchema())
		if err != nil {
			return nil, fmt.Errorf("input schema of %s: %w", a.ID(), err)
		}
		l.inputs[a.ID()] = forms
	}
	return l, nil
}

// isForeign tells whether an action is known to be elsewhere.
func (l *Linter) isForeign(id string) bool {
	// In globs a slash separates what a colon does in ids.
	id = strings.ReplaceAll(id, ":", "/")
	return slices.ContainsFunc(l.Foreign, func(pattern string) bool {
		return doublestar.MatchUnvalidated(strings.ReplaceAll(pattern, ":", "/"), id)
	})
}

// maxFindings bounds what is said of one template.
const maxFindings = 1000

// Template returns what is wrong with a template, ordered by place. The error
// is the cause of ctx, or that of a skeleton which cannot be read.
func (l *Linter) Template(ctx context.Context, doc Document) ([]Finding, error) {
	r := &review{Linter: l, doc: doc, steps: namedSteps(doc.Value), filters: map[string]*unknownFilter{}, outputsSoFar: nunjucks.Shape{}}
	if !r.version() {
		return r.found, nil
	}
	r.entity()
	r.misspeltKeys(r.doc.Value.Object("spec"), []string{"spec"}, specKeys)
	r.pages()
	r.allSteps()
	r.outputs()
	if err := r.skeletons(ctx); err != nil {
		return nil, err
	}
	r.unknownFilters()
	return Sort(r.found), nil
}

// A review is the look at one template.
type review struct {
	*Linter
	doc   Document
	steps []step
	found []Finding

	// parameters and secrets are the names that have values; nil: any.
	parameters, secrets nunjucks.Shape
	// outputsSoFar are those of the steps before the one that is looked at, and
	// open is set once one of these is not known.
	outputsSoFar nunjucks.Shape
	open         bool
	// filters are those that are not known: the finding of the first place,
	// and how many places there are.
	filters map[string]*unknownFilter
}

// A step is one of the template, with the id that it has when it runs.
type step struct {
	*jsonvalue.Object
	id   string
	path []string
	open bool // a placeholder stands there
}

func namedSteps(template *jsonvalue.Object) []step {
	list, _ := template.Object("spec").Value("steps").([]any)
	var out []step
	for i, v := range list {
		s := step{id: fmt.Sprintf("step-%d", i+1), path: []string{"spec", "steps", fmt.Sprint(i)}}
		s.Object, _ = v.(*jsonvalue.Object)
		s.open = s.Object == nil || IsPlaceholder(v)
		if id := s.String("id"); id != "" {
			s.id = id
		}
		out = append(out, s)
	}
	return out
}

// report adds a finding about a value of the template.
func (r *review) report(level Level, code Code, path []string, spot Spot, hint, format string, args ...any) {
	r.add(Finding{Code: code, Level: level, Place: r.doc.Places.Place(path, spot), Path: pointer(path),
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

// full tells whether enough was found.
func (r *review) full() bool { return len(r.found) >= maxFindings }

func (r *review) add(f Finding) {
	if !r.full() {
		r.found = append(r.found, f)
	}
}

// version checks that this is a template that can be run at all.
func (r *review) version() bool {
	kind, _ := r.doc.Value.Value("kind").(string)
	version, _ := r.doc.Value.Value("apiVersion").(string)
	switch {
	case !scaffolder.IsTemplateKind(kind):
		r.report(Error, CodeAPIVersion, []string{"kind"}, Spot{}, "write kind: Template", "the kind is %q", kind)
	case version != scaffolder.APIVersion:
		r.report(Error, CodeAPIVersion, []string{"apiVersion"}, Spot{}, "write apiVersion: "+scaffolder.APIVersion,
			"templates of apiVersion %q are not run", version)
	default:
		return true
	}
	return false
}

// entity checks what the catalog checks.
func (r *review) entity() {
	v := r.Kinds.Kind(scaffolder.APIVersion, "Template").Check(jsonvalue.Plain(r.doc.Value), nil)
	if v != nil && !r.isOpen(parsePointer(v.Path)) {
		path := parsePointer(v.Path)
		where := "the template"
		if len(path) > 0 {
			where = strings.TrimPrefix(strings.Join(path, "."), "spec.")
		}
		r.report(Error, CodeSchema, path, Spot{}, schemaHint(v), "%s %s", where, v.Message)
		return
	}
	name := r.doc.Value.Object("metadata").Value("name")
	if err := schemas.CheckField("name", schemas.FormatName, name); err != nil {
		r.report(Error, CodeName, []string{"metadata", "name"}, Spot{}, "use letters, digits, and - _ . between them, at most 63",
			"metadata.name %q is not one that an entity may have", fmt.Sprint(name))
	}
}

// The keys that are read.
var (
	specKeys = strings.Fields("type owner lifecycle parameters steps output secrets presentation formDecorators EXPERIMENTAL_formDecorators EXPERIMENTAL_recovery")
	stepKeys = strings.Fields("id name action input if each backstage:permissions")
)

// misspeltKeys reports keys that look like one that is read. Others may be for
// other programs.
func (r *review) misspeltKeys(o *jsonvalue.Object, path, read []string) {
	for key := range o.All() {
		if slices.Contains(read, key) {
			continue
		}
		if near := spelling.Nearest(key, read); misspelt(key, near) && !o.Has(near) {
			r.report(Warning, CodeUnknownKey, join(path, key), Spot{Key: true}, "did you mean "+near+"?", "nothing reads the key %s", key)
		}
	}
}

// schemaHint says what to do about the faults that authors have most.
func schemaHint(v *schemas.Violation) string {
	switch {
	case v.Path == "/spec/steps" && v.Message == "must be array":
		return "steps are a list: begin each with a dash, as in - action: debug:log"
	case v.Message == "must be string" && strings.Contains(v.Path, "/output/"):
		return "outputs beside links and text are strings: write '${{ steps.x.output.y }}'"
	case strings.Contains(v.Message, "required property"):
		return "add it, or check the indentation of what is there"
	}
	if v.Params != "" {
		return v.Params
	}
	return ""
}

// isOpen tells whether a placeholder stands at a path or above it.
func (r *review) isOpen(path []string) bool {
	for i := range len(path) + 1 {
		if IsPlaceholder(at(r.doc.Value, path[:i])) {
			return true
		}
	}
	return false
}
