package nunjucks

import "math"

// fail completes an error with its place in the template.
func (a *activation) fail(at node, err error) error {
	if e, ok := err.(*Error); ok && e.placed {
		return err
	}
	return place(err, a.unit.tmpl.name, a.unit.tmpl.src, at)
}

func (e *literalExpr) eval(*activation) (Value, error) { return e.value, nil }

func (e *regexpExpr) eval(*activation) (Value, error) {
	return regex(&regexpObject{pattern: e.source}), nil
}

func (e *nameExpr) eval(a *activation) (Value, error) {
	switch {
	case e.where.kind != inSlot:
		v := a.lookup(e.name, e.where.kind)
		if v.kind == KindUndefined && reserved(e.name) {
			return undefined, a.fail(e.node, errReserved(e.name))
		}
		return v, nil
	case e.where.hops == 0:
		return a.locals[e.where.slot], nil
	}
	return *a.slot(e.where), nil
}

// reserved names lead behind the values in JavaScript. Release 4.2.0 refuses
// them; here a template may use them for members and variables of its own.
func reserved(name string) bool {
	return name == "constructor" || name == "prototype" || name == "__proto__"
}

func errReserved(name string) error {
	return throw("%s is a reserved name", name).(*Error).withHint("templates cannot reach what is behind their values")
}

func (e *superExpr) eval(a *activation) (Value, error) {
	if e.where.kind != inSlot {
		return undefined, nil
	}
	return *a.slot(e.where), nil
}

func (e *groupExpr) eval(a *activation) (v Value, err error) {
	for _, item := range e.items {
		if v, err = item.eval(a); err != nil {
			return undefined, err
		}
	}
	return v, nil
}

func (e *arrayExpr) eval(a *activation) (Value, error) {
	if err := a.rt.spend(1, 24*len(e.items)); err != nil {
		return undefined, a.fail(e.node, err)
	}
	elems := make([]Value, len(e.items))
	for i, item := range e.items {
		v, err := item.eval(a)
		if err != nil {
			return undefined, err
		}
		elems[i] = v
	}
	return list(elems), nil
}

func (e *dictExpr) eval(a *activation) (Value, error) {
	if err := a.rt.spend(1, 48*len(e.keys)); err != nil {
		return undefined, a.fail(e.node, err)
	}
	o := newObject(len(e.keys) + 1)
	for i, item := range e.vals {
		v, err := item.eval(a)
		if err != nil {
			return undefined, err
		}
		if e.keys[i] != "__proto__" { // in JavaScript this is no member
			o.set(e.keys[i], v)
		}
	}
	if e.keywords {
		o.set(keywordMark, yes)
	}
	return obj(o), nil
}

func (e *memberExpr) eval(a *activation) (Value, error) {
	target, err := e.target.eval(a)
	if err != nil {
		return undefined, err
	}
	v, m, err := e.find(a, target)
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	if m != nil {
		return m.bind(target), nil
	}
	return v, nil
}

// find looks the member up: a value, or a method of the target.
func (e *memberExpr) find(a *activation, target Value) (Value, *method, error) {
	if a.rt.env.compat && !truthy(target) && e.static != nil && e.static.pythonObject != nil {
		return undefined, e.static.pythonObject, nil // as of an empty dict
	}
	if target.IsNullish() {
		if e.name != "" {
			return undefined, nil, nil
		}
		_, err := e.key.eval(a)
		return undefined, nil, err
	}
	if e.name != "" {
		v, m := a.rt.member(target, e.name, e.static)
		if m == nil && v.kind == KindUndefined && e.dotted && reserved(e.name) {
			return undefined, nil, errReserved(e.name)
		}
		return v, m, nil
	}
	key, err := e.key.eval(a)
	if err != nil {
		return undefined, nil, err
	}
	return a.rt.index(target, key)
}

func (e *callExpr) eval(a *activation) (Value, error) {
	rt := a.rt
	var this, callee Value
	var m *method
	var err error
	if me, ok := e.callee.(*memberExpr); ok {
		if this, err = me.target.eval(a); err == nil {
			callee, m, err = me.find(a, this)
		}
	} else {
		callee, err = e.callee.eval(a)
	}
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	mark := len(rt.args)
	args, err := a.arguments(e.args)
	if err != nil {
		return undefined, err
	}
	v, err := a.invoke(e, this, callee, m, args)
	rt.args = rt.args[:mark]
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	return v, nil
}

// invoke calls a method or function with evaluated arguments.
func (a *activation) invoke(e *callExpr, this, callee Value, m *method, args []Value) (Value, error) {
	if m != nil {
		if err := a.rt.spend(1, 0); err != nil {
			return undefined, err
		}
		return m.invoke(a.rt, this, args)
	}
	if callee.kind == KindFunction {
		return a.rt.call(callee, args)
	}
	name := describe(e.callee)
	if truthy(callee) {
		return undefined, throw("unable to call %s, which is a %s and not a function", name, callee.kind)
	}
	err := throw("unable to call %s, which is undefined or falsy", name).(*Error)
	if me, ok := e.callee.(*memberExpr); ok && me.name != "" {
		err.Hint = methodHint(this, me.name)
	} else if n, ok := e.callee.(*nameExpr); ok {
		err.Hint = a.functionHint(n.name)
	}
	return undefined, err
}

// arguments evaluates onto the argument stack. The caller takes them off.
func (a *activation) arguments(list []expr) ([]Value, error) {
	rt := a.rt
	mark := len(rt.args)
	for _, e := range list {
		v, err := e.eval(a)
		if err != nil {
			rt.args = rt.args[:mark]
			return nil, err
		}
		rt.args = append(rt.args, v)
	}
	return rt.args[mark:len(rt.args):len(rt.args)], nil
}

func (e *filterExpr) eval(a *activation) (Value, error) {
	rt := a.rt
	if e.filter == nil {
		err := throw("unknown filter %q", e.name).(*Error)
		return undefined, a.fail(e.node, err.withHint(a.unit.tmpl.env.filterHint(e.name)))
	}
	mark := len(rt.args)
	args, err := a.arguments(e.args)
	if err != nil {
		return undefined, err
	}
	v, err := undefined, rt.spend(1, 0)
	if err == nil {
		v, err = e.filter.call(rt, args)
	}
	rt.args = rt.args[:mark]
	if err != nil {
		return undefined, a.fail(e.node, filterError(e.name, err))
	}
	return v, nil
}

func (e *testExpr) eval(a *activation) (Value, error) {
	if e.test == nil {
		err := throw("unknown test %q", e.name).(*Error)
		return undefined, a.fail(e.node, err.withHint(suggest(e.name, a.unit.tmpl.env.testNames())))
	}
	mark := len(a.rt.args)
	defer func() { a.rt.args = a.rt.args[:mark] }()
	v, err := e.subject.eval(a)
	if err != nil {
		return undefined, err
	}
	a.rt.args = append(a.rt.args, v)
	if _, err = a.arguments(e.args); err != nil {
		return undefined, err
	}
	v, err = e.test.call(a.rt, a.rt.args[mark:])
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	return BoolValue(v.Bool()), nil
}

func (e *chainExpr) eval(a *activation) (Value, error) {
	v, err := e.first.eval(a)
	if err != nil {
		return undefined, err
	}
	for i := range e.rest {
		w, err := e.rest[i].operand.eval(a)
		if err != nil {
			return undefined, err
		}
		if v, err = a.rt.operate(e.rest[i].op, v, w); err != nil {
			return undefined, a.fail(e.node, err)
		}
	}
	return v, nil
}

// operate applies one binary operator.
func (rt *runtime) operate(op tokenKind, v, w Value) (Value, error) {
	switch op {
	case tokPlus:
		return rt.add(v, w)
	case tokTilde:
		s, err := rt.add(v, empty)
		if err != nil {
			return undefined, err
		}
		return rt.add(s, w)
	case tokEqual, tokNotEqual:
		eq, err := rt.looseEqual(v, w)
		return BoolValue(eq == (op == tokEqual)), err
	case tokStrictEqual, tokStrictNotEqual:
		return BoolValue(strictEqual(v, w) == (op == tokStrictEqual)), nil
	case tokLess, tokLessEqual, tokGreater, tokGreaterEqual:
		return rt.relate(op, v, w)
	}
	x, err := rt.number(v)
	if err != nil {
		return undefined, err
	}
	y, err := rt.number(w)
	if err != nil {
		return undefined, err
	}
	switch op {
	case tokMinus:
		return num(x - y), nil
	case tokStar:
		return num(x * y), nil
	case tokSlash:
		return num(x / y), nil
	}
	return num(remainder(x, y)), nil
}

func (rt *runtime) relate(op tokenKind, v, w Value) (Value, error) {
	cmp, ok, err := rt.order(v, w)
	if err != nil || !ok {
		return no, err
	}
	switch op {
	case tokLess:
		return BoolValue(cmp < 0), nil
	case tokLessEqual:
		return BoolValue(cmp <= 0), nil
	case tokGreater:
		return BoolValue(cmp > 0), nil
	}
	return BoolValue(cmp >= 0), nil
}

// remainder is JavaScript's %, which has the sign of the dividend.
func remainder(x, y float64) float64 {
	if x == math.Trunc(x) && y == math.Trunc(y) && x >= 0 && x < 1<<53 && y > 0 && y < 1<<53 {
		return float64(int64(x) % int64(y))
	}
	return math.Mod(x, y)
}

func (e *logicExpr) eval(a *activation) (v Value, err error) {
	for _, item := range e.items {
		if v, err = item.eval(a); err != nil || truthy(v) == e.or {
			return v, err
		}
	}
	return v, nil
}

func (e *notExpr) eval(a *activation) (Value, error) {
	v, err := e.operand.eval(a)
	return BoolValue(!truthy(v)), err
}

func (e *signExpr) eval(a *activation) (Value, error) {
	v, err := e.operand.eval(a)
	if err != nil {
		return undefined, err
	}
	f, err := a.rt.number(v)
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	if e.minus {
		f = -f
	}
	return num(f), nil
}

func (e *stepExpr) eval(a *activation) (Value, error) {
	name, ok := e.operand.(*nameExpr)
	if !ok || name.where.kind != inSlot {
		err := throw("two equal signs in a row need a loop variable or parameter").(*Error)
		return undefined, a.fail(e.node, err.withHint("write 0 - (-x)"))
	}
	at := a.slot(name.where)
	f, err := a.rt.number(*at)
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	*at = num(f + e.by)
	return *at, nil
}

func (e *powerExpr) eval(a *activation) (Value, error) {
	x, err := a.numeric(e.base)
	if err != nil {
		return undefined, err
	}
	y, err := a.numeric(e.exponent)
	return num(power(x, y)), err
}

func (e *floorExpr) eval(a *activation) (Value, error) {
	f, err := a.numeric(e.quotient)
	return num(math.Floor(f)), err
}

func (a *activation) numeric(e expr) (float64, error) {
	v, err := e.eval(a)
	if err != nil {
		return 0, err
	}
	f, err := a.rt.number(v)
	if err != nil {
		return 0, a.fail(e.span(), err)
	}
	return f, nil
}

func (e *inExpr) eval(a *activation) (Value, error) {
	item, err := e.item.eval(a)
	if err != nil {
		return undefined, err
	}
	coll, err := e.collection.eval(a)
	if err != nil {
		return undefined, err
	}
	found, err := a.rt.contains(coll, item)
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	return BoolValue(found), nil
}

// contains is the operator in: an element of an array, a part of a string or
// a key of an object.
func (rt *runtime) contains(coll, item Value) (bool, error) {
	switch {
	case coll.isIterator():
	case coll.kind == KindArray:
		for _, v := range coll.arr().elems {
			if strictEqual(v, item) {
				return true, nil
			}
		}
		return false, rt.spend(len(coll.arr().elems)/16, 0)
	case coll.kind == KindString:
		s, err := rt.text(item)
		if err == nil {
			err = rt.scan(coll.str(), s)
		}
		return indexUnits(coll.str(), s, 0) >= 0, err
	case coll.kind == KindObject || coll.kind == KindSafe:
		key, err := rt.propertyKey(item)
		if err != nil {
			return false, err
		}
		v, m := rt.member(coll, key, membersNamed(key))
		return m != nil || v.kind != KindUndefined || coll.Has(key), nil
	}
	return false, throw(`cannot look for something in %s`, coll.kind)
}

func (e *condExpr) eval(a *activation) (Value, error) {
	c, err := e.cond.eval(a)
	switch {
	case err != nil:
		return undefined, err
	case truthy(c):
		return e.then.eval(a)
	case e.otherwise != nil:
		return e.otherwise.eval(a)
	}
	return empty, nil
}

func (e *captureExpr) eval(a *activation) (Value, error) {
	s, err := a.rt.capture(func() error { return a.run(e.body) })
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	return str(s), nil
}

func (e *callerExpr) eval(a *activation) (Value, error) {
	return a.closure(e.macro), nil
}
