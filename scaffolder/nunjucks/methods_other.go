package nunjucks

import "math"

var numberMethods = []method{
	{name: "toFixed", call: numToFixed},
	{name: "toPrecision", call: numToPrecision},
	{name: "toExponential", call: numToExponential},
	{name: "toString", call: numToString},
	{name: "toLocaleString", call: numToLocaleString},
	{name: "valueOf", call: self},
}

var boolMethods = []method{
	{name: "toString", call: toText},
	{name: "valueOf", call: self},
}

var functionMethods = []method{
	{name: "toString", call: toText},
	{name: "call", call: funcCall},
	{name: "apply", call: funcApply},
}

var objectMethods = []method{
	{name: "hasOwnProperty", call: objHasOwn},
	{name: "propertyIsEnumerable", call: objHasOwn},
	{name: "isPrototypeOf", call: func(*runtime, Value, []Value) (Value, error) { return no, nil }},
	{name: "toString", call: func(*runtime, Value, []Value) (Value, error) { return str("[object Object]"), nil }},
	{name: "toLocaleString", call: func(*runtime, Value, []Value) (Value, error) { return str("[object Object]"), nil }},
	{name: "valueOf", call: self},
}

func self(_ *runtime, this Value, _ []Value) (Value, error) { return this, nil }

func toText(rt *runtime, this Value, _ []Value) (Value, error) {
	s, err := rt.text(this)
	return str(s), err
}

// digitsArg reads a number of digits between lo and hi.
func (rt *runtime) digitsArg(v Value, method string, lo, hi int) (int, error) {
	n, err := rt.whole(v, lo-1, hi+1)
	if err == nil && (n < lo || n > hi) {
		err = throw("%s takes %d to %d digits", method, lo, hi)
	}
	return n, err
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func numToFixed(rt *runtime, this Value, args []Value) (Value, error) {
	n, err := rt.digitsArg(arg(args, 0), "toFixed", 0, 100)
	if err != nil {
		return undefined, err
	}
	f := this.num()
	if !finite(f) || math.Abs(f) >= 1e21 {
		return str(formatNumber(f)), nil
	}
	return str(toFixed(f, n)), nil
}

func numToPrecision(rt *runtime, this Value, args []Value) (Value, error) {
	f, v := this.num(), arg(args, 0)
	if v.kind == KindUndefined || !finite(f) {
		return str(formatNumber(f)), nil
	}
	n, err := rt.digitsArg(v, "toPrecision", 1, 100)
	if err != nil {
		return undefined, err
	}
	return str(toPrecision(f, n)), nil
}

func numToExponential(rt *runtime, this Value, args []Value) (Value, error) {
	f, v := this.num(), arg(args, 0)
	if !finite(f) {
		return str(formatNumber(f)), nil
	}
	if v.kind == KindUndefined {
		return str(toExponential(f, -1)), nil
	}
	n, err := rt.digitsArg(v, "toExponential", 0, 100)
	if err != nil {
		return undefined, err
	}
	return str(toExponential(f, n)), nil
}

func numToString(rt *runtime, this Value, args []Value) (Value, error) {
	f, v := this.num(), arg(args, 0)
	if v.kind == KindUndefined {
		return str(formatNumber(f)), nil
	}
	base, err := rt.whole(v, 1, 37)
	switch {
	case err != nil:
		return undefined, err
	case base < 2 || base > 36:
		return undefined, throw("toString takes a radix from 2 to 36")
	case base == 10 || !finite(f):
		return str(formatNumber(f)), nil
	}
	return str(toRadix(f, base)), nil
}

func objHasOwn(rt *runtime, this Value, args []Value) (Value, error) {
	key, err := rt.propertyKey(arg(args, 0))
	return BoolValue(this.Has(key)), err
}

func funcCall(rt *runtime, this Value, args []Value) (Value, error) {
	return rt.call(this, args[min(1, len(args)):])
}

func funcApply(rt *runtime, this Value, args []Value) (Value, error) {
	if v := arg(args, 1); v.kind == KindArray {
		return rt.call(this, v.arr().elems)
	}
	return rt.call(this, nil)
}

// arrayCallbacks take a function, which in a template is a macro, a global or
// a method.
var arrayCallbacks = []method{
	{name: "every", call: arrEvery},
	{name: "filter", call: arrFilter},
	{name: "find", call: arrFind},
	{name: "findIndex", call: arrFindIndex},
	{name: "findLast", call: arrFindLast},
	{name: "flatMap", call: arrFlatMap},
	{name: "forEach", call: arrForEach},
	{name: "map", call: arrMap},
	{name: "reduce", call: arrReduce},
	{name: "some", call: arrSome},
}

// each calls the function for every element until visit has seen enough.
func (rt *runtime) each(this Value, args []Value, visit func(i int, elem, result Value) bool) error {
	f := arg(args, 0)
	if f.kind != KindFunction {
		return throw("a %s is not a function to call for each element", f.kind)
	}
	a := this.arr()
	for i := 0; i < len(a.elems); i++ {
		elem := a.elems[i]
		v, err := rt.call(f, []Value{elem, integer(i), this})
		if err != nil {
			return err
		}
		if !visit(i, elem, v) {
			return nil
		}
	}
	return nil
}

func arrMap(rt *runtime, this Value, args []Value) (Value, error) {
	var out []Value
	err := rt.each(this, args, func(_ int, _, v Value) bool { out = append(out, v); return true })
	return list(out), err
}

func arrForEach(rt *runtime, this Value, args []Value) (Value, error) {
	return undefined, rt.each(this, args, func(int, Value, Value) bool { return true })
}

func arrFilter(rt *runtime, this Value, args []Value) (Value, error) {
	var out []Value
	err := rt.each(this, args, func(_ int, elem, v Value) bool {
		if truthy(v) {
			out = append(out, elem)
		}
		return true
	})
	return list(out), err
}

func arrFlatMap(rt *runtime, this Value, args []Value) (Value, error) {
	var out []Value
	err := rt.each(this, args, func(_ int, _, v Value) bool {
		if v.kind == KindArray {
			out = append(out, v.arr().elems...)
		} else {
			out = append(out, v)
		}
		return true
	})
	if err != nil {
		return undefined, err
	}
	return rt.newArray(out)
}

func arrFind(rt *runtime, this Value, args []Value) (found Value, err error) {
	err = rt.each(this, args, func(_ int, elem, v Value) bool {
		if truthy(v) {
			found = elem
		}
		return !truthy(v)
	})
	return found, err
}

func arrFindLast(rt *runtime, this Value, args []Value) (found Value, err error) {
	err = rt.each(this, args, func(_ int, elem, v Value) bool {
		if truthy(v) {
			found = elem
		}
		return true
	})
	return found, err
}

func arrFindIndex(rt *runtime, this Value, args []Value) (Value, error) {
	at := -1
	err := rt.each(this, args, func(i int, _, v Value) bool {
		if truthy(v) {
			at = i
		}
		return at < 0
	})
	return integer(at), err
}

func arrSome(rt *runtime, this Value, args []Value) (Value, error) {
	v, err := arrFindIndex(rt, this, args)
	return BoolValue(v.num() >= 0), err
}

func arrEvery(rt *runtime, this Value, args []Value) (Value, error) {
	all := true
	err := rt.each(this, args, func(_ int, _, v Value) bool { all = truthy(v); return all })
	return BoolValue(all), err
}

func arrReduce(rt *runtime, this Value, args []Value) (Value, error) {
	f, elems, start := arg(args, 0), this.arr().elems, 0
	if f.kind != KindFunction {
		return undefined, throw("a %s is not a function to reduce with", f.kind)
	}
	acc := arg(args, 1)
	if len(args) < 2 {
		if len(elems) == 0 {
			return undefined, throw("reduce of an empty array needs an initial value")
		}
		acc, start = elems[0], 1
	}
	for i := start; i < len(elems); i++ {
		var err error
		if acc, err = rt.call(f, []Value{acc, elems[i], integer(i), this}); err != nil {
			return undefined, err
		}
	}
	return acc, nil
}
