package nunjucks

import (
	"math"
	"strings"
)

func filterBatch(rt *runtime, args []Value) (Value, error) {
	v, fill := arg(args, 0), arg(args, 2)
	if v.IsNullish() {
		return undefined, throw("%s has no elements", v.kind)
	}
	elems, err := rt.mapped(v)
	if err != nil {
		return undefined, err
	}
	size, err := rt.number(arg(args, 1))
	if err != nil {
		return undefined, err
	}
	var rows, row []Value
	for i, e := range elems {
		if remainder(float64(i), size) == 0 && len(row) > 0 {
			rows = append(rows, list(row))
			row = nil
		}
		row = append(row, e)
	}
	if len(row) > 0 {
		if truthy(fill) {
			if err := rt.spend(int(min(max(size, 0), 1<<30)), 0); err != nil {
				return undefined, err
			}
			for float64(len(row)) < size {
				row = append(row, fill)
			}
		}
		rows = append(rows, list(row))
	}
	return list(rows), rt.spend(1+len(elems)/8, 24*len(elems))
}

// filterSlice splits into columns.
func filterSlice(rt *runtime, args []Value) (Value, error) {
	v, fill := arg(args, 0), arg(args, 2)
	if v.IsNullish() {
		return undefined, throw("%s has no elements", v.kind)
	}
	slices, err := rt.number(arg(args, 1))
	if err != nil || !(slices > 0) {
		return list(nil), err
	}
	if v.kind != KindArray && !v.isText() {
		return undefined, throw("needs an array, not %s", withArticle(v.kind))
	}
	total, err := rt.lengthOf(v)
	if err != nil {
		return undefined, err
	}
	size, extra := int(math.Floor(total/slices)), remainder(total, slices)
	if err := rt.spend(int(min(slices, 1<<30)), int(min(24*slices, 1<<40))); err != nil {
		return undefined, err
	}
	var out []Value
	offset := 0
	for i := 0; float64(i) < slices; i++ {
		start := offset + i*size
		if float64(i) < extra {
			offset++
		}
		end := offset + (i+1)*size
		column, err := rt.column(v, start, end, truthy(fill) && float64(i) >= extra, fill)
		if err != nil {
			return undefined, err
		}
		out = append(out, column)
	}
	return list(out), rt.spend(1, 24*int(total))
}

func (rt *runtime) column(v Value, start, end int, pad bool, fill Value) (Value, error) {
	if v.isText() {
		if pad {
			return undefined, throw("a string cannot be padded")
		}
		n := length(v.str())
		return str(slice(v.str(), min(start, n), min(end, n))), nil
	}
	all := v.arr().elems
	elems := append([]Value(nil), all[min(start, len(all)):min(end, len(all))]...)
	if pad {
		elems = append(elems, fill)
	}
	return list(elems), nil
}

func filterDictsort(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	if v.kind != KindObject || v.isIterator() {
		return undefined, throw("needs an object, not %s", withArticle(v.kind))
	}
	by := 0
	if b := arg(args, 2); b.kind != KindUndefined {
		if b.kind != KindString || b.str() != "key" && b.str() != "value" {
			return undefined, throw("can only sort by key or value")
		}
		if b.str() == "value" {
			by = 1
		}
	}
	keys, vals := v.obj().members()
	pairs := make([]Value, len(keys))
	for i, k := range keys {
		pairs[i] = pair(k, vals[i])
	}
	fold := !truthy(arg(args, 1))
	err := rt.sortValues(pairs, func(x, y Value) (int, error) {
		a, b := x.Index(by), y.Index(by)
		if fold {
			a, b = uppered(a), uppered(b)
		}
		cmp, ok, err := rt.order(a, b)
		switch {
		case err != nil:
			return 0, err
		case ok && cmp > 0:
			return 1, nil
		case strictEqual(a, b):
			return 0, nil
		}
		return -1, nil
	})
	if err != nil {
		return undefined, err
	}
	return rt.newArray(pairs)
}

func uppered(v Value) Value {
	if v.kind == KindString {
		return str(toUpper(v.str()))
	}
	return v
}

func filterGroupby(rt *runtime, args []Value) (Value, error) {
	v, attr := arg(args, 0), arg(args, 1)
	if v.IsNullish() {
		return undefined, throw("%s has no elements", v.kind)
	}
	elems, err := rt.mapped(v)
	if err != nil {
		return undefined, err
	}
	groups := newObject(4)
	for i, e := range elems {
		var by Value
		if attr.kind == KindFunction {
			by, err = rt.call(attr, []Value{e, integer(i)})
		} else {
			by, err = rt.path(e, attr)
		}
		if err != nil {
			return undefined, err
		}
		key, err := rt.propertyKey(by)
		if err != nil {
			return undefined, err
		}
		g, ok := groups.get(key)
		if !ok {
			g = list(nil)
			groups.set(key, g)
		}
		g.arr().elems = append(g.arr().elems, e)
	}
	return obj(groups), rt.spend(1+len(elems), 48*len(elems))
}

// path follows the dots of attr through members that values have themselves.
func (rt *runtime) path(v, attr Value) (Value, error) {
	if !truthy(attr) {
		return v, nil
	}
	key, err := rt.propertyKey(attr)
	if err != nil {
		return undefined, err
	}
	parts := []string{key}
	if attr.kind == KindString {
		parts = strings.Split(key, ".")
	}
	for _, p := range parts {
		if v.IsNullish() {
			return undefined, throw("%s has no attribute %q", v.kind, p)
		}
		v, _ = rt.member(v, p, nil)
		if v.kind == KindUndefined {
			return undefined, nil
		}
	}
	return v, nil
}

func filterJoin(rt *runtime, args []Value) (Value, error) {
	sep, attr := arg(args, 1), arg(args, 2)
	elems, err := rt.attributes(arg(args, 0), attr)
	if err != nil {
		return undefined, err
	}
	if !truthy(sep) {
		sep = empty
	}
	t, err := rt.text(sep)
	if err != nil {
		return undefined, err
	}
	s, err := rt.join(&array{elems: elems}, t)
	return str(s), err
}

func filterList(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	switch {
	case v.kind == KindString:
		elems, err := rt.splitText(v.str(), "")
		return list(elems), err
	case v.kind == KindArray:
		return v, nil
	case v.isIterator(): // which the reference does not take for iterable
	case v.kind == KindObject || v.kind == KindSafe:
		keys, vals := asObject(v).members()
		out := make([]Value, len(keys))
		for i, k := range keys {
			entry := newObject(2)
			entry.set("key", str(k))
			entry.set("value", vals[i])
			out[i] = obj(entry)
		}
		return list(out), rt.spend(1+len(out), 120*len(out))
	}
	return undefined, throw("cannot make a list of %s", withArticle(v.kind))
}

// asObject returns an object, or a safe string as the object that it is in
// the reference.
func asObject(v Value) *object {
	if v.kind == KindObject {
		return v.obj()
	}
	o := newObject(2)
	o.set("val", str(v.str()))
	o.set("length", integer(length(v.str())))
	return o
}

func filterSelect(rt *runtime, args []Value) (Value, error) { return rt.selectBy(args, true) }
func filterReject(rt *runtime, args []Value) (Value, error) { return rt.selectBy(args, false) }

// selectBy keeps the elements for which a test has this result.
func (rt *runtime) selectBy(args []Value, want bool) (Value, error) {
	name := arg(args, 1)
	if name.kind == KindUndefined {
		name = str("truthy")
	}
	s, err := rt.text(name)
	if err != nil {
		return undefined, err
	}
	test := rt.env.tests[s]
	if test == nil {
		e := throw("unknown test %q", s).(*Error)
		return undefined, e.withHint(suggest(s, rt.env.testNames()))
	}
	v, with := arg(args, 0), arg(args, 2)
	if v.IsNullish() {
		return undefined, throw("%s has no elements", v.kind)
	}
	elems, err := rt.mapped(v)
	if err != nil {
		return undefined, err
	}
	if v.kind == KindSafe {
		elems = nil // it has a length but no elements
	}
	var out []Value
	for _, e := range elems {
		result, err := test.call(rt, []Value{e, with})
		if err != nil {
			return undefined, err
		}
		if result.Bool() == want {
			out = append(out, e)
		}
	}
	return list(out), rt.spend(1+len(elems), 24*len(out))
}

func filterSelectattr(rt *runtime, args []Value) (Value, error) { return rt.selectAttr(args, true) }
func filterRejectattr(rt *runtime, args []Value) (Value, error) { return rt.selectAttr(args, false) }

// selectAttr keeps the elements whose attribute is truthy or not.
func (rt *runtime) selectAttr(args []Value, want bool) (Value, error) {
	v := arg(args, 0)
	if v.kind != KindArray {
		return undefined, throw("needs an array, not %s", withArticle(v.kind))
	}
	var out []Value
	for _, e := range v.arr().elems {
		if e.IsNullish() {
			return undefined, throw("%s has no attributes", e.kind)
		}
		got, err := rt.attribute(e, arg(args, 1))
		if err != nil {
			return undefined, err
		}
		if truthy(got) == want {
			out = append(out, e)
		}
	}
	return list(out), rt.spend(1+len(v.arr().elems)/4, 24*len(out))
}

func filterSort(rt *runtime, args []Value) (Value, error) {
	args = named(args, "value", "reverse", "case_sensitive", "attribute")
	elems, err := rt.mapped(args[0])
	if err != nil {
		return undefined, err
	}
	reversed, exact, attr := truthy(args[1]), truthy(args[2]), args[3]
	out := append([]Value(nil), elems...)
	err = rt.sortValues(out, func(x, y Value) (int, error) {
		var err error
		if x, err = rt.path(x, attr); err != nil {
			return 0, err
		}
		if y, err = rt.path(y, attr); err != nil {
			return 0, err
		}
		if !exact && x.kind == KindString && y.kind == KindString {
			x, y = str(toLower(x.str())), str(toLower(y.str()))
		}
		cmp, ok, err := rt.order(x, y)
		switch {
		case err != nil || !ok:
			return 0, err
		case reversed:
			return -cmp, nil
		}
		return cmp, nil
	})
	if err != nil {
		return undefined, err
	}
	return rt.newArray(out)
}
