package skeleton

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// NameTemplateError is the name of errors in templates.
const NameTemplateError = "TemplateRenderError"

// A Dialect is how the templates of a skeleton are written.
type Dialect struct {
	// Compatible: variables stand in {{ }}, below the root name cookiecutter,
	// and what is Python's is understood.
	Compatible bool
	// TrimBlocks and LstripBlocks drop white space around block tags.
	TrimBlocks, LstripBlocks bool
}

// EngineOptions say what templates may use.
type EngineOptions struct {
	// Filters and Globals are there in every dialect, Compatible only in the
	// compatible one.
	Filters, Compatible map[string]nunjucks.Func
	Globals             map[string]nunjucks.Value
	// StringMethods are methods of strings beyond the built-in ones; nil: none.
	StringMethods map[string]nunjucks.Func
	// Limits bound each template; see their defaults.
	Limits nunjucks.Limits
}

// An Engine compiles the templates of all dialects.
type Engine struct {
	options EngineOptions

	mu   sync.Mutex
	envs map[Dialect]*nunjucks.Env
}

// NewEngine returns an engine.
func NewEngine(o EngineOptions) *Engine {
	return &Engine{options: o, envs: map[Dialect]*nunjucks.Env{}}
}

// env returns the environment of a dialect, which is made when it is first
// needed.
func (e *Engine) env(d Dialect) *nunjucks.Env {
	e.mu.Lock()
	defer e.mu.Unlock()
	if env := e.envs[d]; env != nil {
		return env
	}
	filters := map[string]nunjucks.Func{}
	for name, f := range e.options.Filters {
		filters[name] = f
	}
	o := nunjucks.Options{Tags: nunjucks.ScaffolderTags(), TrimBlocks: d.TrimBlocks, LstripBlocks: d.LstripBlocks,
		Filters: filters, Globals: e.options.Globals, StringMethods: e.options.StringMethods, Limits: e.options.Limits}
	if d.Compatible {
		o.Tags, o.Compat = nunjucks.Tags{}, true
		for name, f := range e.options.Compatible {
			filters[name] = f
		}
	}
	env := nunjucks.New(o)
	e.envs[d] = env
	return env
}

// A Renderer renders texts of one dialect with the same values.
type Renderer struct {
	env  *nunjucks.Env
	vars nunjucks.Value
	// openers are what every template has that is more than text.
	openers []string
}

// Renderer returns a renderer. Values may be nil, which leaves the root name
// undefined, or what nunjucks.ValueOf makes an object of.
func (e *Engine) Renderer(d Dialect, values any) (*Renderer, error) {
	r := &Renderer{env: e.env(d), openers: []string{"{%", "{#", "#}", "${{"}}
	root := "values"
	if d.Compatible {
		root, r.openers[3] = "cookiecutter", "{{"
	}
	var members []nunjucks.Member
	if values != nil {
		v, err := nunjucks.ValueOf(values)
		if err != nil {
			return nil, fmt.Errorf("the values of the template: %w", err)
		}
		members = append(members, nunjucks.Member{Key: root, Value: v})
	}
	r.vars = nunjucks.ObjectValue(members...)
	return r, nil
}

// Text renders the content of a file. An error says where in it the fault is,
// and is named TemplateRenderError.
func (r *Renderer) Text(ctx context.Context, file, source string) (string, error) {
	return r.render(ctx, file, file, source)
}

// Name renders the name of a file.
func (r *Renderer) Name(ctx context.Context, name string) (string, error) {
	return r.render(ctx, "the name of "+name, "", name)
}

func (r *Renderer) render(ctx context.Context, what, key, source string) (string, error) {
	if r.isText(source) {
		return source, nil
	}
	t, err := r.env.Compile(key, source)
	if err != nil {
		return "", templateError(what, err)
	}
	out, err := t.Render(ctx, r.vars)
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return "", templateError(what, err)
}

// isText tells whether source renders to itself: most files of most skeletons
// do, and they may be larger than a template.
func (r *Renderer) isText(source string) bool {
	for _, opener := range r.openers {
		if strings.Contains(source, opener) {
			return false
		}
	}
	return true
}

func templateError(what string, err error) error {
	var e *nunjucks.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", what, err)
	}
	message := "Template error in " + what
	if e.Line > 0 {
		message += fmt.Sprintf(" at line %d, column %d", e.Line, e.Column)
	}
	message += ": " + e.Message
	if e.Hint != "" {
		message += "; " + e.Hint
	}
	return &catalog.Error{Name: NameTemplateError, Message: message}
}
