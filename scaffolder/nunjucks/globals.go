package nunjucks

func builtinGlobals() map[string]Value {
	globals := map[string]Value{}
	for _, f := range []*function{
		{name: "range", call: globalRange, length: 3},
		{name: "cycler", call: globalCycler},
		{name: "joiner", call: globalJoiner, length: 1},
	} {
		globals[f.name] = fn(f)
	}
	return globals
}

// globalRange is range(stop) or range(start, stop, step). As in the reference
// it adds with JavaScript's +, so a start that is text goes wrong; here that
// ends in an error and not in a very long list.
func globalRange(rt *runtime, args []Value) (Value, error) {
	start, stop, step := arg(args, 0), arg(args, 1), arg(args, 2)
	if stop.kind == KindUndefined {
		start, stop, step = num(0), start, num(1)
	} else if !truthy(step) {
		step = num(1)
	}
	by, err := rt.number(step)
	if err != nil {
		return undefined, err
	}
	op := tokGreater
	if by > 0 {
		op = tokLess
	}
	var out []Value
	for i := start; ; {
		more, err := rt.relate(op, i, stop)
		if err != nil {
			return undefined, err
		}
		if !more.Bool() {
			return list(out), nil
		}
		if err := rt.spend(1, 24); err != nil {
			return undefined, err
		}
		out = append(out, i)
		if i, err = rt.add(i, step); err != nil {
			return undefined, err
		}
	}
}

// globalCycler makes an object whose next() goes round its arguments.
func globalCycler(_ *runtime, args []Value) (Value, error) {
	items := append([]Value(nil), args...)
	at := -1
	c := newObject(3)
	c.set("current", null)
	c.set("reset", fn(&function{name: "reset", call: func(*runtime, []Value) (Value, error) {
		at = -1
		c.set("current", null)
		return undefined, nil
	}}))
	c.set("next", fn(&function{name: "next", call: func(*runtime, []Value) (Value, error) {
		if at++; at >= len(items) {
			at = 0
		}
		v := arg(items, at)
		c.set("current", v)
		return v, nil
	}}))
	return obj(c), nil
}

// globalJoiner makes a function that returns nothing the first time and then
// the separator.
func globalJoiner(_ *runtime, args []Value) (Value, error) {
	sep := arg(args, 0)
	if !truthy(sep) {
		sep = str(",")
	}
	first := true
	return fn(&function{name: "joiner", call: func(*runtime, []Value) (Value, error) {
		if first {
			first = false
			return empty, nil
		}
		return sep, nil
	}}), nil
}
