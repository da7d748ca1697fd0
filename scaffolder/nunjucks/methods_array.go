package nunjucks

import (
	"math"
	"slices"
)

// ofArray adapts a function of the array itself.
func ofArray(f func(rt *runtime, a *array, args []Value) (Value, error)) func(*runtime, Value, []Value) (Value, error) {
	return func(rt *runtime, this Value, args []Value) (Value, error) {
		if err := rt.spend(len(this.arr().elems)/8, 0); err != nil {
			return undefined, err
		}
		return f(rt, this.arr(), args)
	}
}

// arrayMethods leave their array as it is.
var arrayMethods = []method{
	{name: "at", call: ofArray(arrAt)},
	{name: "concat", call: ofArray(arrConcat)},
	{name: "entries", call: ofArray(arrEntries)},
	{name: "flat", call: ofArray(arrFlat)},
	{name: "includes", call: ofArray(arrIncludes)},
	{name: "indexOf", call: ofArray(arrIndexOf)},
	{name: "join", call: ofArray(arrJoin)},
	{name: "keys", call: ofArray(arrKeys)},
	{name: "lastIndexOf", call: ofArray(arrLastIndexOf)},
	{name: "slice", call: ofArray(arrSlice)},
	{name: "toReversed", call: ofArray(arrToReversed)},
	{name: "toString", call: ofArray(arrToString)},
	{name: "values", call: ofArray(arrValues)},
}

// arrayChanges change their array.
var arrayChanges = []method{
	{name: "copyWithin", call: ofArray(arrCopyWithin), mutates: true},
	{name: "fill", call: ofArray(arrFill), mutates: true},
	{name: "pop", call: ofArray(arrPop), mutates: true},
	{name: "push", call: ofArray(arrPush), mutates: true},
	{name: "reverse", call: ofArray(arrReverse), mutates: true},
	{name: "shift", call: ofArray(arrShift), mutates: true},
	{name: "sort", call: ofArray(arrSort), mutates: true},
	{name: "splice", call: ofArray(arrSplice), mutates: true},
	{name: "unshift", call: ofArray(arrUnshift), mutates: true},
}

// newArray returns an array of elems and pays for it.
func (rt *runtime) newArray(elems []Value) (Value, error) {
	return list(elems), rt.spend(1+len(elems)/8, 24*len(elems))
}

func arrAt(rt *runtime, a *array, args []Value) (Value, error) {
	n := len(a.elems)
	i, err := rt.whole(arg(args, 0), -n-1, n)
	if i < 0 {
		i += n
	}
	return arr(a).Index(i), err
}

func arrConcat(rt *runtime, a *array, args []Value) (Value, error) {
	out := slices.Clone(a.elems)
	for _, v := range args {
		if v.kind != KindArray {
			out = append(out, v)
			continue
		}
		out = append(out, v.arr().elems...)
		if err := rt.spend(1, 24*len(v.arr().elems)); err != nil {
			return undefined, err
		}
	}
	return rt.newArray(out)
}

func arrFlat(rt *runtime, a *array, args []Value) (Value, error) {
	depth := 1
	if v := arg(args, 0); v.kind != KindUndefined {
		var err error
		if depth, err = rt.whole(v, 0, maxJSONDepth); err != nil {
			return undefined, err
		}
	}
	out, err := rt.flatten(nil, a, depth)
	if err != nil {
		return undefined, err
	}
	return rt.newArray(out)
}

func (rt *runtime) flatten(out []Value, a *array, depth int) ([]Value, error) {
	for _, v := range a.elems {
		if err := rt.spend(1, 24); err != nil {
			return nil, err
		}
		if v.kind != KindArray || depth < 1 {
			out = append(out, v)
			continue
		}
		var err error
		if out, err = rt.flatten(out, v.arr(), depth-1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func arrIncludes(rt *runtime, a *array, args []Value) (Value, error) {
	from, err := rt.relative(arg(args, 1), len(a.elems), 0)
	if err != nil {
		return undefined, err
	}
	want := arg(args, 0)
	return BoolValue(slices.ContainsFunc(a.elems[from:], func(v Value) bool {
		return strictEqual(v, want) || v.isNumber() && want.isNumber() && math.IsNaN(v.num()) && math.IsNaN(want.num())
	})), nil
}

func arrIndexOf(rt *runtime, a *array, args []Value) (Value, error) {
	from, err := rt.relative(arg(args, 1), len(a.elems), 0)
	if err != nil {
		return undefined, err
	}
	for i := from; i < len(a.elems); i++ {
		if strictEqual(a.elems[i], arg(args, 0)) {
			return integer(i), nil
		}
	}
	return integer(-1), nil
}

func arrLastIndexOf(rt *runtime, a *array, args []Value) (Value, error) {
	n := len(a.elems)
	from := n - 1
	if len(args) > 1 {
		i, err := rt.whole(args[1], -n-1, n-1)
		if err != nil {
			return undefined, err
		}
		if from = i; i < 0 {
			from = i + n
		}
	}
	for i := from; i >= 0; i-- {
		if strictEqual(a.elems[i], arg(args, 0)) {
			return integer(i), nil
		}
	}
	return integer(-1), nil
}

func arrJoin(rt *runtime, a *array, args []Value) (Value, error) {
	sep := ","
	if v := arg(args, 0); v.kind != KindUndefined {
		var err error
		if sep, err = rt.text(v); err != nil {
			return undefined, err
		}
	}
	s, err := rt.join(a, sep)
	return str(s), err
}

func arrToString(rt *runtime, a *array, _ []Value) (Value, error) {
	s, err := rt.join(a, ",")
	return str(s), err
}

func arrSlice(rt *runtime, a *array, args []Value) (Value, error) {
	n := len(a.elems)
	from, err := rt.relative(arg(args, 0), n, 0)
	if err != nil {
		return undefined, err
	}
	to, err := rt.relative(arg(args, 1), n, n)
	if err != nil || from >= to {
		return list(nil), err
	}
	return rt.newArray(slices.Clone(a.elems[from:to]))
}

func arrToReversed(rt *runtime, a *array, _ []Value) (Value, error) {
	out := slices.Clone(a.elems)
	slices.Reverse(out)
	return rt.newArray(out)
}

func arrEntries(rt *runtime, a *array, _ []Value) (Value, error) {
	out := make([]Value, len(a.elems))
	for i, v := range a.elems {
		out[i] = list([]Value{integer(i), v})
	}
	return rt.newIterator("Array", out)
}

func arrKeys(rt *runtime, a *array, _ []Value) (Value, error) {
	out := make([]Value, len(a.elems))
	for i := range out {
		out[i] = integer(i)
	}
	return rt.newIterator("Array", out)
}

func arrValues(rt *runtime, a *array, _ []Value) (Value, error) {
	return rt.newIterator("Array", slices.Clone(a.elems))
}

func arrPush(rt *runtime, a *array, args []Value) (Value, error) {
	a.elems = append(a.elems, args...)
	return integer(len(a.elems)), rt.spend(1, 24*len(args))
}

func arrPop(_ *runtime, a *array, _ []Value) (Value, error) {
	n := len(a.elems)
	if n == 0 {
		return undefined, nil
	}
	v := a.elems[n-1]
	a.elems = a.elems[:n-1]
	return v, nil
}

func arrShift(_ *runtime, a *array, _ []Value) (Value, error) {
	if len(a.elems) == 0 {
		return undefined, nil
	}
	v := a.elems[0]
	a.elems = a.elems[1:]
	return v, nil
}

func arrUnshift(rt *runtime, a *array, args []Value) (Value, error) {
	a.elems = slices.Insert(a.elems, 0, args...)
	return integer(len(a.elems)), rt.spend(1, 24*len(args))
}

func arrReverse(_ *runtime, a *array, _ []Value) (Value, error) {
	slices.Reverse(a.elems)
	return arr(a), nil
}

func arrFill(rt *runtime, a *array, args []Value) (Value, error) {
	n := len(a.elems)
	from, err := rt.relative(arg(args, 1), n, 0)
	if err != nil {
		return undefined, err
	}
	to, err := rt.relative(arg(args, 2), n, n)
	for i := from; i < to; i++ {
		a.elems[i] = arg(args, 0)
	}
	return arr(a), err
}

func arrCopyWithin(rt *runtime, a *array, args []Value) (Value, error) {
	n := len(a.elems)
	target, err := rt.relative(arg(args, 0), n, 0)
	if err != nil {
		return undefined, err
	}
	from, err := rt.relative(arg(args, 1), n, 0)
	if err != nil {
		return undefined, err
	}
	to, err := rt.relative(arg(args, 2), n, n)
	if err == nil && from < to {
		copy(a.elems[target:], a.elems[from:to])
	}
	return arr(a), err
}

func arrSplice(rt *runtime, a *array, args []Value) (Value, error) {
	n := len(a.elems)
	if len(args) == 0 {
		return list(nil), nil
	}
	from, err := rt.relative(args[0], n, 0)
	if err != nil {
		return undefined, err
	}
	count := n - from
	if len(args) > 1 {
		if count, err = rt.whole(args[1], 0, n-from); err != nil {
			return undefined, err
		}
	}
	removed := slices.Clone(a.elems[from : from+count])
	var added []Value
	if len(args) > 2 {
		added = args[2:]
	}
	a.elems = slices.Replace(a.elems, from, from+count, added...)
	return rt.newArray(removed)
}

// arrSort sorts by text, or by a comparing function.
func arrSort(rt *runtime, a *array, args []Value) (Value, error) {
	by := arg(args, 0)
	if by.kind == KindFunction {
		return arr(a), rt.sortValues(a.elems, func(x, y Value) (int, error) {
			v, err := rt.call(by, []Value{x, y})
			if err != nil {
				return 0, err
			}
			f, err := rt.number(v)
			cmp, _ := orderNumbers(f, 0)
			return cmp, err
		})
	}
	if by.kind != KindUndefined {
		return undefined, throw("sort needs a function to compare with")
	}
	return arr(a), rt.sortValues(a.elems, func(x, y Value) (int, error) {
		s, err := rt.text(x)
		if err != nil {
			return 0, err
		}
		t, err := rt.text(y)
		return compareUnits(s, t), err
	})
}
