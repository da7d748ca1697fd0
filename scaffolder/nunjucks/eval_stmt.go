package nunjucks

// run executes statements in order.
func (a *activation) run(body []stmt) error {
	for _, s := range body {
		if err := s.exec(a); err != nil {
			return err
		}
	}
	return nil
}

func (s *textStmt) exec(a *activation) error {
	if err := a.rt.print(s.text); err != nil {
		return a.fail(s.node, err)
	}
	return nil
}

func (s *outputStmt) exec(a *activation) error {
	v, err := s.value.eval(a)
	if err != nil {
		return err
	}
	err = a.rt.spend(1, 0)
	if err == nil && a.rt.asJSON && !s.tag {
		v, err = a.rt.stringify(v, "")
	}
	if err == nil {
		err = a.rt.printValue(v)
	}
	if err != nil {
		return a.fail(s.node, err)
	}
	return nil
}

// printValue prints a value as an interpolation does: nothing for undefined
// and null, other values as the text they are when added to a string.
func (rt *runtime) printValue(v Value) error {
	switch v.kind {
	case KindUndefined, KindNull:
		return nil
	case KindSafe:
		return rt.print(v.str())
	case KindNumber:
		if len(rt.out)+32 < rt.limits.Output {
			rt.out = appendNumber(rt.out, v.num())
			return nil
		}
	}
	p := v
	var err error
	if !rt.env.autoescape {
		p, err = rt.primitive(v, hintDefault)
	}
	if err != nil {
		return err
	}
	s, err := rt.text(p)
	if err != nil {
		return err
	}
	if rt.env.autoescape {
		s = escapeHTML(s)
	}
	return rt.print(s)
}

func (s *ifStmt) exec(a *activation) error {
	for i := range s.branches {
		v, err := s.branches[i].cond.eval(a)
		if err != nil {
			return err
		}
		if truthy(v) {
			return a.run(s.branches[i].body)
		}
	}
	return a.run(s.otherwise)
}

func (s *switchStmt) exec(a *activation) error {
	subject, err := s.subject.eval(a)
	if err != nil {
		return err
	}
	matched := false
	for i := range s.cases {
		if !matched {
			v, err := s.cases[i].cond.eval(a)
			if err != nil {
				return err
			}
			if matched = strictEqual(subject, v); !matched {
				continue
			}
		}
		if len(s.cases[i].body) > 0 { // an empty case falls through
			return a.run(s.cases[i].body)
		}
	}
	return a.run(s.otherwise)
}

func (s *setStmt) exec(a *activation) error {
	v, err := s.value.eval(a)
	if err != nil {
		return err
	}
	if err := a.rt.spend(1, 0); err != nil {
		return a.fail(s.node, err)
	}
	u := a.unit
	for i, name := range s.targets {
		if s.where[i].kind == inSlot {
			*a.slot(s.where[i]) = v
		}
		u.frame.assign(name, v)
		if u.frame.top {
			u.vars.set(name, v)
			u.vars.export(name)
		}
	}
	return nil
}

func (s *macroStmt) exec(a *activation) error {
	if err := a.rt.spend(1, 0); err != nil {
		return a.fail(s.node, err)
	}
	f := a.closure(s.macro)
	a.locals[s.slot] = f
	a.define(s.macro.name, f, s.inScope)
	if !s.inScope {
		a.unit.vars.export(s.macro.name)
	}
	return nil
}

// define sets a macro or import: a variable of the context, or of the loop
// around it.
func (a *activation) define(name string, v Value, inScope bool) {
	if inScope {
		a.unit.frame.set(name, v)
	} else {
		a.unit.vars.set(name, v)
	}
}

func (s *blockStmt) exec(a *activation) error {
	u := a.unit
	if u.parent != nil && !s.nested {
		// The parent renders it. What is printed instead is dropped with all the
		// child prints, save in what macros, calls and captures make of it.
		return (&textStmt{s.node, "undefined"}).exec(a)
	}
	b := u.blocks.named(s.block.name)
	if b == nil {
		return a.fail(s.node, throw("unknown block %q", s.block.name))
	}
	return a.runBlock(b)
}

// runBlock renders one version of a block.
func (a *activation) runBlock(b *blockVersion) error {
	u := a.unit
	if err := a.rt.descend(); err != nil {
		return a.fail(b.block.node, err)
	}
	defer a.rt.ascend()
	inner := &unit{rt: u.rt, tmpl: b.tmpl, vars: u.vars, blocks: u.blocks,
		frame:   &frame{parent: u.frame, isolated: true},
		foreign: u.foreign || b.tmpl != u.tmpl}
	act := &activation{rt: a.rt, unit: inner, locals: make([]Value, b.block.locals)}
	if b.block.super {
		if b.overridden == nil {
			return act.fail(b.block.node, throw("no super block available for %q", b.block.name))
		}
		s, err := a.rt.capture(func() error { return act.runBlock(b.overridden) })
		if err != nil {
			return err
		}
		act.locals[b.block.superSlot] = safe(s)
	}
	return act.run(b.block.body)
}

// A blockTable holds the versions of each block, those of the outermost
// child first.
type blockTable struct{ byName map[string]*blockVersion }

// A blockVersion is a block as one template defines it.
type blockVersion struct {
	block      *block
	tmpl       *Template
	overridden *blockVersion
}

// add appends a template's blocks after those of the templates extending it.
func (t *blockTable) add(tmpl *Template) {
	if len(tmpl.blocks) > 0 && t.byName == nil {
		t.byName = map[string]*blockVersion{}
	}
	for _, b := range tmpl.blocks {
		v := &blockVersion{block: b, tmpl: tmpl}
		last := t.byName[b.name]
		if last == nil {
			t.byName[b.name] = v
			continue
		}
		for last.overridden != nil {
			last = last.overridden
		}
		last.overridden = v
	}
}

func (t *blockTable) named(name string) *blockVersion { return t.byName[name] }
