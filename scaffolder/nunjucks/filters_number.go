package nunjucks

import "math"

func filterAbs(rt *runtime, args []Value) (Value, error) {
	f, err := rt.number(arg(args, 0))
	return num(math.Abs(f)), err
}

func filterFloat(rt *runtime, args []Value) (Value, error) {
	s, err := rt.text(arg(args, 0))
	if f := parseFloat(s); !math.IsNaN(f) {
		return num(f), err
	}
	return arg(args, 1), err
}

func filterInt(rt *runtime, args []Value) (Value, error) {
	args = named(args, "value", "default", "base")
	s, err := rt.text(args[0])
	if err != nil {
		return undefined, err
	}
	base := 10
	if args[2].kind != KindUndefined {
		f, err := rt.number(args[2])
		if err != nil {
			return undefined, err
		}
		base = int(int32(toUint32(f)))
	}
	if f := parseInt(s, base); !math.IsNaN(f) {
		return num(f), nil
	}
	return args[1], nil
}

func filterRound(rt *runtime, args []Value) (Value, error) {
	f, err := rt.number(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	precision := 0.0
	if v := arg(args, 1); truthy(v) {
		if precision, err = rt.number(v); err != nil {
			return undefined, err
		}
	}
	factor := power(10, precision)
	round := roundHalfUp
	if m := arg(args, 2); m.kind == KindString {
		switch m.str() {
		case "ceil":
			round = math.Ceil
		case "floor":
			round = math.Floor
		}
	}
	return num(round(f*factor) / factor), nil
}

func filterSum(rt *runtime, args []Value) (Value, error) {
	v, attr, start := arg(args, 0), arg(args, 1), arg(args, 2)
	if start.kind == KindUndefined {
		start = num(0)
	}
	elems, err := rt.attributes(v, attr)
	if err != nil {
		return undefined, err
	}
	total := num(0)
	for _, e := range elems {
		if total, err = rt.add(total, e); err != nil {
			return undefined, err
		}
	}
	return rt.add(start, total)
}

// attributes returns an array's elements, or this attribute of each.
func (rt *runtime) attributes(v, attr Value) ([]Value, error) {
	if !truthy(attr) {
		if v.kind != KindArray {
			return nil, throw("needs an array, not %s", withArticle(v.kind))
		}
		return v.arr().elems, nil
	}
	elems, err := rt.mapped(v)
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(elems))
	for i, e := range elems {
		if e.IsNullish() {
			return nil, throw("%s has no attributes", e.kind)
		}
		if out[i], err = rt.attribute(e, attr); err != nil {
			return nil, err
		}
	}
	return out, rt.spend(len(out), 24*len(out))
}

// attribute is e[attr], methods included.
func (rt *runtime) attribute(e, attr Value) (Value, error) {
	v, m, err := rt.index(e, attr)
	if m != nil {
		v = m.bind(e)
	}
	return v, err
}

// mapped returns the elements of what the reference can go over: arrays, and
// objects that have a length. Nothing has none.
func (rt *runtime) mapped(v Value) ([]Value, error) {
	switch v.kind {
	case KindArray:
		return v.arr().elems, nil
	case KindString:
		return rt.splitText(v.str(), "")
	case KindObject, KindSafe, KindFunction:
		n, err := rt.lengthOf(v)
		if err != nil || !(n >= 1) {
			return nil, err
		}
		if err := rt.spend(int(min(n, 1<<30)), 0); err != nil {
			return nil, err
		}
		out := make([]Value, int(n))
		for i := range out {
			out[i], _ = rt.plainIndex(v, i)
		}
		return out, nil
	}
	return nil, nil
}
