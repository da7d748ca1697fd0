package nunjucks

// keywordMark is the member by which the reference tells keyword arguments
// from objects. It shows where they end up in something else than a macro.
const keywordMark = "__keywords"

// A closure is a macro with what it sees of its surroundings.
type closure struct {
	macro *macro
	unit  *unit
	// outer is set for call bodies, which see the variables around them.
	outer *activation
}

// closure makes a macro a function value.
func (a *activation) closure(m *macro) Value {
	c := &closure{macro: m, unit: a.unit}
	if m.caller {
		c.outer = a
	}
	return fn(&function{name: "macro", call: c.call, macro: c})
}

// keywords returns the keyword arguments, which come last, and the others.
func keywords(args []Value) (positional []Value, kw *object) {
	if n := len(args); n > 0 && args[n-1].kind == KindObject {
		if o := args[n-1].obj(); o.find(keywordMark) >= 0 {
			return args[:n-1], o
		}
	}
	return args, nil
}

// call runs the macro and returns what it prints.
func (c *closure) call(rt *runtime, args []Value) (Value, error) {
	u := c.unit
	a := &activation{rt: rt, unit: u, outer: c.outer, locals: make([]Value, c.macro.locals)}
	saved := u.frame
	u.frame = &frame{}
	if c.macro.caller {
		u.frame.parent, u.frame.isolated = saved, true
	}
	defer func() { u.frame = saved }()
	if err := c.bind(a, args); err != nil {
		return undefined, err
	}
	s, err := rt.capture(func() error { return a.run(c.macro.body) })
	return safe(s), err
}

// bind gives parameters their values. Positional arguments beyond the
// parameters without defaults go to those with; parameters without defaults
// can be given by keyword.
func (c *closure) bind(a *activation, args []Value) error {
	m, f := c.macro, a.unit.frame
	positional, kw := keywords(args)
	if v, ok := kw.lookup("caller"); ok {
		f.set("caller", v)
	}
	for i, slot := range m.slots {
		var v Value
		if i < len(positional) {
			v = positional[i]
		} else {
			v, _ = kw.lookup(m.params[i])
		}
		a.locals[slot] = v
		if m.byName[i] {
			f.set(m.params[i], v)
		}
	}
	for i, name := range m.keywords {
		v, ok := kw.lookup(name)
		if k := len(m.params) + i; k < len(positional) {
			v, ok = positional[k], true
		}
		if !ok {
			var err error
			if v, err = m.defaults[i].eval(a); err != nil {
				return err
			}
		}
		f.set(name, v)
	}
	return nil
}

// lookup is get for objects that may be nil.
func (o *object) lookup(key string) (Value, bool) {
	if o == nil {
		return undefined, false
	}
	return o.get(key)
}
