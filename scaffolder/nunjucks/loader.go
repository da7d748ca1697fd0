package nunjucks

import (
	"context"
	"errors"
)

// A Loader finds the templates that include, import and extends name. It may
// be called by several goroutines at once and should return quickly: what it
// takes counts as rendering time.
type Loader interface {
	// Load returns the source of a template, or an error that errors.Is
	// ErrTemplateNotFound if there is none of this name.
	Load(ctx context.Context, name string) (source string, err error)
}

// A Resolver is a Loader that gives names that are relative to the template
// they stand in a meaning of their own.
type Resolver interface {
	// Resolve returns the full name for a name that the template called from
	// refers to.
	Resolve(from, name string) string
}

// MapLoader is a Loader of templates held in memory, by name.
type MapLoader map[string]string

// Load returns the template of this name.
func (m MapLoader) Load(_ context.Context, name string) (string, error) {
	if source, ok := m[name]; ok {
		return source, nil
	}
	return "", ErrTemplateNotFound
}

// load returns the template that an expression names.
func (a *activation) load(at node, e expr) (*Template, error) {
	v, err := e.eval(a)
	if err != nil {
		return nil, err
	}
	if !v.isText() {
		return nil, a.fail(at, throw("the name of a template must be a string, not %s", withArticle(v.kind)))
	}
	t, err := a.rt.env.load(a.rt.ctx, a.unit.tmpl.name, wellFormed(v.str()))
	if err != nil {
		return nil, a.fail(at, err)
	}
	return t, nil
}

// load compiles a template by name, or takes it from the cache.
func (e *Env) load(ctx context.Context, from, name string) (*Template, error) {
	if e.loader == nil {
		err := throw("template not found: %s", name).(*Error)
		err.cause = ErrTemplateNotFound
		return nil, err.withHint("this environment has no loader, so templates cannot refer to each other")
	}
	if r, ok := e.loader.(Resolver); ok {
		name = r.Resolve(from, name)
	}
	source, err := e.loader.Load(ctx, name)
	if err != nil {
		message := "cannot load template " + name + ": " + err.Error()
		if errors.Is(err, ErrTemplateNotFound) {
			message = "template not found: " + name
		}
		return nil, &Error{Message: message, cause: err, pos: -1}
	}
	return e.Compile(name, source)
}

func (s *includeStmt) exec(a *activation) error {
	t, err := a.load(s.node, s.template)
	if err != nil {
		if s.ignoreMissing && errors.Is(err, ErrTemplateNotFound) {
			return nil
		}
		return err
	}
	u := a.unit
	inner := &unit{rt: a.rt, tmpl: t, vars: u.vars.fork(), foreign: true,
		frame: &frame{parent: u.frame, isolated: true, top: true}}
	return a.runUnit(s.node, inner)
}

// runUnit renders an included or imported template.
func (a *activation) runUnit(at node, u *unit) error {
	if err := a.rt.descend(); err != nil {
		return a.fail(at, err)
	}
	defer a.rt.ascend()
	if err := a.rt.spend(1+len(u.vars.own.list)/few, 0); err != nil {
		return a.fail(at, err)
	}
	u.blocks = &blockTable{}
	u.blocks.add(u.tmpl)
	return u.run()
}

// activate prepares the run of the unit's template itself.
func (u *unit) activate() *activation {
	u.act = activation{rt: u.rt, unit: u, locals: make([]Value, u.tmpl.locals)}
	return &u.act
}

// run renders the unit's template, and what it extends in its place.
func (u *unit) run() error {
	for {
		a := u.activate()
		mark := len(u.rt.out)
		if err := a.run(u.tmpl.body); err != nil {
			return err
		}
		if u.parent == nil {
			return nil
		}
		u.rt.out = u.rt.out[:mark] // only blocks of a child count
		if err := u.rt.spend(1, 0); err != nil {
			return a.fail(node{}, err)
		}
		if u.extended++; u.extended > u.rt.limits.Depth {
			return a.fail(node{}, limitError("depth", "templates extend each other too deeply"))
		}
		next := *u
		next.tmpl, next.parent, next.foreign = u.parent, nil, true
		u = &next
	}
}

func (s *extendsStmt) exec(a *activation) error {
	t, err := a.load(s.node, s.template)
	if err != nil {
		return err
	}
	a.unit.parent = t
	a.unit.blocks.add(t)
	return nil
}

// imported runs a template for what it exports.
func (a *activation) imported(at node, e expr, withContext bool) (*object, error) {
	t, err := a.load(at, e)
	if err != nil {
		return nil, err
	}
	inner := &unit{rt: a.rt, tmpl: t, vars: &variables{}, frame: &frame{top: true}}
	if withContext {
		inner.vars = a.unit.vars.fork()
		inner.frame.parent, inner.foreign = a.unit.frame, true
	}
	inner.vars.exporting = true
	if _, err := a.rt.capture(func() error { return a.runUnit(at, inner) }); err != nil {
		return nil, err
	}
	return inner.vars.exports(), nil
}

func (s *importStmt) exec(a *activation) error {
	exports, err := a.imported(s.node, s.template, s.withContext)
	if err != nil {
		return err
	}
	v := obj(exports)
	a.locals[s.slot] = v
	a.define(s.target, v, s.inScope)
	return nil
}

func (s *fromStmt) exec(a *activation) error {
	exports, err := a.imported(s.node, s.template, s.withContext)
	if err != nil {
		return err
	}
	for _, n := range s.names {
		v, ok := exports.get(n.name)
		if !ok {
			e := throw("cannot import %q", n.name).(*Error)
			return a.fail(s.node, e.withHint(suggest(n.name, exports.keys)))
		}
		a.locals[n.slot] = v
		a.define(n.alias, v, s.inScope)
	}
	return nil
}
