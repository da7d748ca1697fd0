package nunjucks

import (
	"math"
	"slices"
)

// The cookiecutter-compatible mode adds what templates written for Python
// expect: its literals and the methods of its lists and dicts.

func pythonLiteral(name string) Value {
	switch name {
	case "True":
		return yes
	case "False":
		return no
	case "None":
		return null
	}
	return undefined
}

var pythonArrayMethods = []method{
	{name: "append", call: ofArray(func(rt *runtime, a *array, args []Value) (Value, error) {
		return arrPush(rt, a, []Value{arg(args, 0)})
	}), mutates: true},
	{name: "count", call: ofArray(func(_ *runtime, a *array, args []Value) (Value, error) {
		n := 0
		for _, v := range a.elems {
			if strictEqual(v, arg(args, 0)) {
				n++
			}
		}
		return integer(n), nil
	})},
	{name: "find", call: ofArray(arrIndexOf)},
	{name: "index", call: ofArray(pyIndex)},
	{name: "insert", call: ofArray(func(rt *runtime, a *array, args []Value) (Value, error) {
		return arrSplice(rt, a, []Value{arg(args, 0), integer(0), arg(args, 1)})
	}), mutates: true},
	{name: "pop", call: ofArray(pyPop), mutates: true},
	{name: "remove", call: ofArray(pyRemove), mutates: true},
}

func pyIndex(rt *runtime, a *array, args []Value) (Value, error) {
	v, err := arrIndexOf(rt, a, args[:min(1, len(args))])
	if err == nil && v.num() < 0 {
		err = throw("ValueError: the list has no such element")
	}
	return v, err
}

// pyPop without an index returns the last element, with one an array of the
// element there.
func pyPop(rt *runtime, a *array, args []Value) (Value, error) {
	v := arg(args, 0)
	if v.kind == KindUndefined {
		return arrPop(rt, a, nil)
	}
	f, err := rt.number(v)
	if err != nil {
		return undefined, err
	}
	if f >= float64(len(a.elems)) || f < 0 {
		return undefined, throw("KeyError: the list has no element %s", formatNumber(f))
	}
	return arrSplice(rt, a, []Value{v, integer(1)})
}

func pyRemove(_ *runtime, a *array, args []Value) (Value, error) {
	for i, v := range a.elems {
		if strictEqual(v, arg(args, 0)) {
			a.elems = slices.Delete(a.elems, i, i+1)
			return list([]Value{v}), nil
		}
	}
	return undefined, throw("ValueError: the list has no such element")
}

// ofObject adapts a function of the object itself. Safe strings are objects
// to the reference; to these methods they are empty ones.
func ofObject(f func(rt *runtime, o *object, args []Value) (Value, error)) func(*runtime, Value, []Value) (Value, error) {
	return func(rt *runtime, this Value, args []Value) (Value, error) {
		if this.kind != KindObject {
			return f(rt, newObject(0), args)
		}
		if err := rt.spend(1+len(this.obj().keys)/8, 0); err != nil {
			return undefined, err
		}
		return f(rt, this.obj(), args)
	}
}

var pythonObjectMethods = []method{
	{name: "get", call: ofObject(pyGet)},
	{name: "has_key", call: ofObject(func(rt *runtime, o *object, args []Value) (Value, error) {
		key, err := rt.propertyKey(arg(args, 0))
		return BoolValue(o.find(key) >= 0), err
	})},
	{name: "items", call: ofObject(pyItems)},
	{name: "iteritems", call: ofObject(pyItems)},
	{name: "keys", call: ofObject(pyKeys)},
	{name: "iterkeys", call: ofObject(pyKeys)},
	{name: "values", call: ofObject(pyValues)},
	{name: "itervalues", call: ofObject(pyValues)},
	{name: "pop", call: ofObject(pyObjectPop), mutates: true},
	{name: "popitem", call: ofObject(pyPopItem), mutates: true},
	{name: "setdefault", call: ofObject(pySetDefault), mutates: true},
	{name: "update", call: ofObject(pyUpdate), mutates: true},
}

func pyGet(rt *runtime, o *object, args []Value) (Value, error) {
	key, err := rt.propertyKey(arg(args, 0))
	if v, ok := o.get(key); ok && v.kind != KindUndefined {
		return v, err
	}
	return arg(args, 1), err
}

func pyItems(rt *runtime, o *object, _ []Value) (Value, error) {
	keys, vals := o.members()
	out := make([]Value, len(keys))
	for i, k := range keys {
		out[i] = pair(k, vals[i])
	}
	return rt.newArray(out)
}

func pyKeys(rt *runtime, o *object, _ []Value) (Value, error) {
	keys, _ := o.members()
	out := make([]Value, len(keys))
	for i, k := range keys {
		out[i] = str(k)
	}
	return rt.newArray(out)
}

func pyValues(rt *runtime, o *object, _ []Value) (Value, error) {
	_, vals := o.members()
	return rt.newArray(slices.Clone(vals))
}

func pyObjectPop(rt *runtime, o *object, args []Value) (Value, error) {
	key, err := rt.propertyKey(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	if v, _ := o.get(key); v.kind != KindUndefined {
		o.delete(key)
		return v, nil
	}
	if v := arg(args, 1); v.kind != KindUndefined {
		return v, nil
	}
	return undefined, throw("KeyError: the dict has no key %q", key)
}

func pyPopItem(_ *runtime, o *object, _ []Value) (Value, error) {
	keys, vals := o.members()
	if len(keys) == 0 {
		return undefined, throw("KeyError: the dict is empty")
	}
	item := pair(keys[0], vals[0])
	o.delete(keys[0])
	return item, nil
}

func pySetDefault(rt *runtime, o *object, args []Value) (Value, error) {
	key, err := rt.propertyKey(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	if v, ok := o.get(key); ok {
		return v, nil
	}
	v := arg(args, 1)
	if v.kind == KindUndefined {
		v = null
	}
	o.set(key, v)
	return v, rt.spend(1, 48)
}

// pyUpdate takes over the members of an object, and the elements of an array
// or string by their index.
func pyUpdate(rt *runtime, o *object, args []Value) (Value, error) {
	from := arg(args, 0)
	if from.kind == KindObject {
		keys, vals := from.obj().members()
		for i, k := range keys {
			o.set(k, vals[i])
		}
		return null, rt.spend(1+len(keys), 48*len(keys))
	}
	elems, err := rt.mapped(from)
	if err != nil || from.kind == KindSafe {
		return null, err
	}
	for i, v := range elems {
		o.set(formatNumber(float64(i)), v)
	}
	return null, rt.spend(1+len(elems), 48*len(elems))
}

// eval takes a slice, in every mode. As in the reference a slice of a string
// is an array of its characters.
func (e *sliceExpr) eval(a *activation) (Value, error) {
	target, err := e.target.eval(a)
	if err != nil {
		return undefined, err
	}
	var parts [3]Value
	for i, x := range [...]expr{e.start, e.stop, e.step} {
		parts[i] = null
		if x == nil {
			continue
		}
		if parts[i], err = x.eval(a); err != nil {
			return undefined, err
		}
	}
	v, err := a.rt.sliced(target, parts)
	if err != nil {
		return undefined, a.fail(e.node, err)
	}
	return v, nil
}

// sliced collects elements from start to before stop.
func (rt *runtime) sliced(target Value, parts [3]Value) (Value, error) {
	n, err := rt.sliceLength(&target)
	if err != nil {
		return undefined, err
	}
	start, stop, step, err := rt.sliceBounds(parts, n)
	if err != nil {
		return undefined, err
	}
	if step == 0 || math.IsNaN(step) || math.IsNaN(start) || step > 0 && math.IsNaN(n) && math.IsNaN(stop) {
		return undefined, throw("a slice that never ends")
	}
	var out []Value
	for i := start; !(i < 0 || i > n || step > 0 && i >= stop || step < 0 && i <= stop); i += step {
		if err := rt.spend(1, 24); err != nil {
			return undefined, err
		}
		v, _, err := rt.index(target, num(i)) // one past the end is undefined
		if err != nil {
			return undefined, err
		}
		out = append(out, v)
	}
	return list(out), nil
}

// sliceLength returns the length of what a slice is taken of, NaN if it has
// none. A string becomes an array, in which every element is found at once.
func (rt *runtime) sliceLength(target *Value) (float64, error) {
	switch {
	case !truthy(*target):
		*target = list(nil)
	case target.isText():
		elems, err := rt.splitText(target.str(), "")
		if err != nil {
			return 0, err
		}
		*target = list(elems)
	}
	return rt.lengthOf(*target)
}

// sliceBounds reads the bounds of a slice of n elements.
func (rt *runtime) sliceBounds(parts [3]Value, n float64) (start, stop, step float64, err error) {
	var bounds [3]float64
	for i, v := range parts {
		if bounds[i], err = rt.number(v); err != nil {
			return 0, 0, 0, err
		}
	}
	start, stop, step = bounds[0], bounds[1], bounds[2]
	if parts[2].kind == KindNull {
		step = 1
	}
	switch {
	case parts[1].kind == KindNull && step < 0:
		stop = -1
	case parts[1].kind == KindNull:
		stop = n
	case stop < 0:
		stop += n
	}
	if parts[0].kind == KindNull {
		start = 0
		if step < 0 {
			start = n - 1
		}
	}
	if start < 0 {
		start += n
	}
	return start, stop, step, nil
}
