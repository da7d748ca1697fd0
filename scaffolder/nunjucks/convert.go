package nunjucks

import (
	"math"
	"strings"
)

// A hint says what a conversion to a primitive value is for.
type hint uint8

const (
	hintDefault hint = iota
	hintString
)

// truthy is JavaScript's conversion to a boolean: empty arrays, objects and
// safe strings are true.
func truthy(v Value) bool {
	switch v.kind {
	case KindUndefined, KindNull:
		return false
	case KindBool, KindString:
		return v.bits != 0
	case KindNumber:
		f := v.num()
		return f != 0 && f == f
	}
	return true
}

// primitive converts containers, functions and safe strings to strings and
// leaves the rest alone.
func (rt *runtime) primitive(v Value, h hint) (Value, error) {
	switch v.kind {
	case KindSafe:
		return str(v.str()), nil
	case KindArray:
		s, err := rt.join(v.arr(), ",")
		return str(s), err
	case KindObject:
		return rt.objectPrimitive(v, h)
	case KindFunction:
		return str("function " + v.fn().name + "() { [native code] }"), nil
	case KindRegexp:
		return str(v.re().String()), nil
	}
	return v, nil
}

// objectPrimitive honours members called toString and valueOf, which data may
// have by accident.
func (rt *runtime) objectPrimitive(v Value, h hint) (Value, error) {
	plain := "[object Object]"
	o := v.obj()
	if o.iter != nil {
		plain = "[object " + o.iter.of + " Iterator]"
	}
	_, own := o.get("toString")
	_, ownValue := o.get("valueOf")
	if !own && !ownValue {
		return str(plain), nil
	}
	order := [...]string{"valueOf", "toString", "valueOf"}
	for _, key := range order[h : h+2] {
		f, has := o.get(key)
		switch {
		case !has && key == "toString":
			return str(plain), nil
		case !has || f.kind != KindFunction:
			continue
		}
		got, err := rt.call(f, nil)
		if err != nil || got.isPrimitive() {
			return got, err
		}
	}
	return undefined, throw("cannot convert object to primitive value")
}

// text is JavaScript's String(v).
func (rt *runtime) text(v Value) (string, error) {
	switch v.kind {
	case KindString, KindSafe:
		return v.str(), nil
	case KindUndefined:
		return "undefined", nil
	case KindNull:
		return "null", nil
	case KindBool:
		if v.bits != 0 {
			return "true", nil
		}
		return "false", nil
	case KindNumber:
		return formatNumber(v.num()), nil
	}
	p, err := rt.primitive(v, hintString)
	if err != nil {
		return "", err
	}
	return rt.text(p)
}

// number is JavaScript's Number(v).
func (rt *runtime) number(v Value) (float64, error) {
	switch v.kind {
	case KindNumber:
		return v.num(), nil
	case KindUndefined:
		return math.NaN(), nil
	case KindNull:
		return 0, nil
	case KindBool:
		return float64(v.bits), nil
	case KindString:
		return parseNumber(v.str()), nil
	}
	p, err := rt.primitive(v, hintDefault)
	if err != nil {
		return 0, err
	}
	return rt.number(p)
}

// whole converts v to a whole number between lo and hi; NaN becomes 0.
func (rt *runtime) whole(v Value, lo, hi int) (int, error) {
	f, err := rt.number(v)
	if err != nil {
		return 0, err
	}
	switch f = math.Trunc(f); {
	case math.IsNaN(f):
		return max(lo, min(0, hi)), nil
	case f <= float64(lo):
		return lo, nil
	case f >= float64(hi):
		return hi, nil
	}
	return int(f), nil
}

// relative converts v to a position in a sequence of n, where negative
// numbers count from the end; undefined becomes otherwise.
func (rt *runtime) relative(v Value, n, otherwise int) (int, error) {
	if v.IsUndefined() {
		return otherwise, nil
	}
	i, err := rt.whole(v, -n-1, n)
	if i < 0 {
		i = max(0, i+n)
	}
	return i, err
}

// join is Array.prototype.join. An array that contains itself is empty inside.
func (rt *runtime) join(a *array, sep string) (string, error) {
	switch len(a.elems) {
	case 0:
		return "", nil
	case 1:
		if v := a.elems[0]; v.kind == KindString {
			return v.str(), nil
		}
	}
	for _, outer := range rt.joining {
		if outer == a {
			return "", nil
		}
	}
	rt.joining = append(rt.joining, a)
	defer func() { rt.joining = rt.joining[:len(rt.joining)-1] }()
	if len(rt.joining) > rt.limits.Depth {
		return "", limitError("depth", "arrays are nested too deeply")
	}
	var out []byte
	for i, v := range a.elems {
		if i > 0 {
			out = appendText(out, sep)
		}
		if v.IsNullish() {
			continue
		}
		s, err := rt.text(v)
		if err != nil {
			return "", err
		}
		out = appendText(out, s)
		if err := rt.spend(1, len(s)+len(sep)); err != nil {
			return "", err
		}
	}
	return string(out), nil
}

// strictEqual is ===.
func strictEqual(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case KindUndefined, KindNull:
		return true
	case KindBool:
		return a.bits == b.bits
	case KindNumber:
		return a.num() == b.num()
	case KindString:
		return a.str() == b.str()
	case KindSafe:
		return a.ptr == b.ptr && a.bits == b.bits && a.bits != 0
	}
	return a.ptr == b.ptr
}

// looseEqual is ==.
func (rt *runtime) looseEqual(a, b Value) (bool, error) {
	switch {
	case a.kind == b.kind:
		return strictEqual(a, b), nil
	case a.IsNullish() || b.IsNullish():
		return a.IsNullish() && b.IsNullish(), nil
	case a.isPrimitive() && b.isPrimitive():
		x, _ := rt.number(a)
		y, _ := rt.number(b)
		return x == y, nil
	case !a.isPrimitive() && !b.isPrimitive():
		return false, nil
	}
	p, err := rt.primitive(a, hintDefault)
	if err != nil {
		return false, err
	}
	q, err := rt.primitive(b, hintDefault)
	if err != nil {
		return false, err
	}
	return rt.looseEqual(p, q)
}

// order compares for <, <=, > and >=: both as strings by UTF-16 units or both
// as numbers, in which case NaN makes every comparison false (ok is false).
func (rt *runtime) order(a, b Value) (cmp int, ok bool, err error) {
	if a.kind == KindNumber && b.kind == KindNumber {
		cmp, ok = orderNumbers(a.num(), b.num())
		return cmp, ok, nil
	}
	if a, err = rt.primitive(a, hintDefault); err != nil {
		return 0, false, err
	}
	if b, err = rt.primitive(b, hintDefault); err != nil {
		return 0, false, err
	}
	if a.kind == KindString && b.kind == KindString {
		return compareUnits(a.str(), b.str()), true, nil
	}
	x, _ := rt.number(a)
	y, _ := rt.number(b)
	cmp, ok = orderNumbers(x, y)
	return cmp, ok, nil
}

func orderNumbers(x, y float64) (cmp int, ok bool) {
	switch {
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, x == y
}

// add is the binary +.
func (rt *runtime) add(a, b Value) (Value, error) {
	if a.kind == KindNumber && b.kind == KindNumber {
		return num(a.num() + b.num()), nil
	}
	a, err := rt.primitive(a, hintDefault)
	if err != nil {
		return undefined, err
	}
	if b, err = rt.primitive(b, hintDefault); err != nil {
		return undefined, err
	}
	if a.kind == KindString || b.kind == KindString {
		s, _ := rt.text(a)
		t, _ := rt.text(b)
		return rt.concat(s, t)
	}
	x, _ := rt.number(a)
	y, _ := rt.number(b)
	return num(x + y), nil
}

// concat joins two strings and pays for the result.
func (rt *runtime) concat(s, t string) (Value, error) {
	if s == "" {
		return str(t), nil
	}
	if t == "" {
		return str(s), nil
	}
	if err := rt.spend(0, len(s)+len(t)); err != nil {
		return undefined, err
	}
	return str(concat(s, t)), nil
}

// propertyKey converts the value between brackets to a key.
func (rt *runtime) propertyKey(v Value) (string, error) { return rt.text(v) }

// StrictEqual tells whether a === b in JavaScript: equal primitives, or the
// same array, object or function.
func StrictEqual(a, b Value) bool { return strictEqual(a, b) }

// Truthy tells whether an if statement takes v for true: everything but
// undefined, null, false, 0, NaN and the empty string.
func (v Value) Truthy() bool { return truthy(v) }

// String formats v for people, as a template would print it, save that
// objects and arrays appear as JSON.
func (v Value) String() string {
	switch v.kind {
	case KindArray, KindObject:
		var b strings.Builder
		if b2, err := appendJSON(nil, v, ""); err == nil {
			b.Write(wellFormedBytes(b2))
		}
		return b.String()
	case KindFunction:
		return "function " + v.fn().name
	case KindRegexp:
		return v.re().String()
	}
	var rt runtime
	s, _ := rt.text(v)
	return wellFormed(s)
}
