package nunjucks

import (
	"math"
	"strings"
)

// arg returns argument i, undefined if it is missing.
func arg(args []Value, i int) Value {
	if i < len(args) {
		return args[i]
	}
	return undefined
}

// ofText adapts a function of the text itself.
func ofText(f func(rt *runtime, s string, args []Value) (Value, error)) func(*runtime, Value, []Value) (Value, error) {
	return func(rt *runtime, this Value, args []Value) (Value, error) { return f(rt, this.str(), args) }
}

// stringMethods are the methods of strings that take no regular expressions.
var stringMethods = []method{
	{name: "at", call: ofText(strAt)},
	{name: "charAt", call: ofText(strCharAt)},
	{name: "charCodeAt", call: ofText(strCharCodeAt)},
	{name: "codePointAt", call: ofText(strCodePointAt)},
	{name: "concat", call: ofText(strConcat)},
	{name: "endsWith", call: ofText(strEndsWith)},
	{name: "includes", call: ofText(strIncludes)},
	{name: "indexOf", call: ofText(strIndexOf)},
	{name: "lastIndexOf", call: ofText(strLastIndexOf)},
	{name: "padEnd", call: ofText(strPadEnd)},
	{name: "padStart", call: ofText(strPadStart)},
	{name: "repeat", call: ofText(strRepeat)},
	{name: "slice", call: ofText(strSlice)},
	{name: "startsWith", call: ofText(strStartsWith)},
	{name: "substr", call: ofText(strSubstr)},
	{name: "substring", call: ofText(strSubstring)},
	{name: "toLowerCase", call: ofText(strLower)},
	{name: "toUpperCase", call: ofText(strUpper)},
	{name: "toString", call: ofText(strSelf)},
	{name: "valueOf", call: ofText(strSelf)},
	{name: "trim", call: ofText(strTrim)},
	{name: "trimEnd", call: ofText(strTrimEnd)},
	{name: "trimStart", call: ofText(strTrimStart)},
	{name: "trimRight", call: ofText(strTrimEnd)},
	{name: "trimLeft", call: ofText(strTrimStart)},
}

func strSelf(_ *runtime, s string, _ []Value) (Value, error)      { return str(s), nil }
func strTrim(_ *runtime, s string, _ []Value) (Value, error)      { return str(trim(s)), nil }
func strTrimStart(_ *runtime, s string, _ []Value) (Value, error) { return str(trimStart(s)), nil }
func strTrimEnd(_ *runtime, s string, _ []Value) (Value, error)   { return str(trimEnd(s)), nil }

func strLower(rt *runtime, s string, _ []Value) (Value, error) {
	return str(toLower(s)), rt.spend(0, len(s))
}

func strUpper(rt *runtime, s string, _ []Value) (Value, error) {
	return str(toUpper(s)), rt.spend(0, len(s))
}

func strAt(rt *runtime, s string, args []Value) (Value, error) {
	n := length(s)
	i, err := rt.whole(arg(args, 0), -n-1, n)
	if i < 0 {
		i += n
	}
	return stringAt(s, i), err
}

func strCharAt(rt *runtime, s string, args []Value) (Value, error) {
	i, err := rt.whole(arg(args, 0), -1, len(s))
	if v := stringAt(s, i); v.kind == KindString {
		return v, err
	}
	return empty, err
}

func strCharCodeAt(rt *runtime, s string, args []Value) (Value, error) {
	i, err := rt.whole(arg(args, 0), -1, len(s))
	if u, ok := unitAt(s, i); ok {
		return integer(int(u)), err
	}
	return nan, err
}

func strCodePointAt(rt *runtime, s string, args []Value) (Value, error) {
	n := length(s)
	i, err := rt.whole(arg(args, 0), -1, n)
	if i < 0 || i >= n {
		return undefined, err
	}
	r, _ := decode(slice(s, i, min(i+2, n)))
	return integer(int(r)), err
}

func strConcat(rt *runtime, s string, args []Value) (Value, error) {
	v := str(s)
	for _, a := range args {
		t, err := rt.text(a)
		if err != nil {
			return undefined, err
		}
		if v, err = rt.concat(v.str(), t); err != nil {
			return undefined, err
		}
	}
	return v, nil
}

// scan pays for going through s in search of t.
func (rt *runtime) scan(s, t string) error { return rt.spend(1+(len(s)+len(t))/256, 0) }

func strIncludes(rt *runtime, s string, args []Value) (Value, error) {
	t, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	from, err := rt.whole(arg(args, 1), 0, length(s))
	if err == nil {
		err = rt.scan(s, t)
	}
	return BoolValue(indexUnits(s, t, from) >= 0), err
}

func strStartsWith(rt *runtime, s string, args []Value) (Value, error) {
	t, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	n := length(s)
	from, err := rt.whole(arg(args, 1), 0, n)
	m := length(t)
	return BoolValue(from+m <= n && slice(s, from, from+m) == t), err
}

func strEndsWith(rt *runtime, s string, args []Value) (Value, error) {
	t, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	end := length(s)
	if v := arg(args, 1); v.kind != KindUndefined {
		if end, err = rt.whole(v, 0, end); err != nil {
			return undefined, err
		}
	}
	m := length(t)
	return BoolValue(m <= end && slice(s, end-m, end) == t), nil
}

func strIndexOf(rt *runtime, s string, args []Value) (Value, error) {
	t, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	from, err := rt.whole(arg(args, 1), 0, length(s))
	if err == nil {
		err = rt.scan(s, t)
	}
	return integer(indexUnits(s, t, from)), err
}

func strLastIndexOf(rt *runtime, s string, args []Value) (Value, error) {
	t, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	n := length(s)
	from := n
	f, err := rt.number(arg(args, 1))
	if err == nil && !math.IsNaN(f) {
		from, err = rt.whole(num(f), 0, n)
	}
	if err == nil {
		err = rt.scan(s, t)
	}
	return integer(lastIndexUnits(s, t, from)), err
}

func strPadStart(rt *runtime, s string, args []Value) (Value, error) {
	fill, err := rt.padding(s, args)
	return str(concat(fill, s)), err
}

func strPadEnd(rt *runtime, s string, args []Value) (Value, error) {
	fill, err := rt.padding(s, args)
	return str(concat(s, fill)), err
}

// padding returns what makes s as long as the first argument wants, out of
// the second.
func (rt *runtime) padding(s string, args []Value) (string, error) {
	want, err := rt.whole(arg(args, 0), 0, math.MaxInt32)
	if err != nil {
		return "", err
	}
	fill := " "
	if v := arg(args, 1); v.kind != KindUndefined {
		if fill, err = rt.text(v); err != nil {
			return "", err
		}
	}
	missing := want - length(s)
	if missing <= 0 || fill == "" {
		return "", nil
	}
	times := missing/length(fill) + 1
	if err := rt.spend(1, times*len(fill)); err != nil {
		return "", err
	}
	return slice(strings.Repeat(fill, times), 0, missing), nil
}

func strRepeat(rt *runtime, s string, args []Value) (Value, error) {
	f, err := rt.number(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	n := math.Trunc(f)
	if n < 0 || math.IsInf(n, 0) {
		return undefined, throw("repeat cannot repeat %s times", formatNumber(f))
	}
	if !(n >= 1) || s == "" {
		return empty, nil
	}
	if err := rt.spend(1, int(min(n*float64(len(s)), math.MaxInt32))); err != nil {
		return undefined, err
	}
	return str(strings.Repeat(s, int(n))), nil
}

func strSlice(rt *runtime, s string, args []Value) (Value, error) {
	n := length(s)
	from, err := rt.relative(arg(args, 0), n, 0)
	if err != nil {
		return undefined, err
	}
	to, err := rt.relative(arg(args, 1), n, n)
	return str(slice(s, from, to)), err
}

func strSubstring(rt *runtime, s string, args []Value) (Value, error) {
	n := length(s)
	from, err := rt.whole(arg(args, 0), 0, n)
	if err != nil {
		return undefined, err
	}
	to := n
	if v := arg(args, 1); v.kind != KindUndefined {
		if to, err = rt.whole(v, 0, n); err != nil {
			return undefined, err
		}
	}
	return str(slice(s, min(from, to), max(from, to))), nil
}

func strSubstr(rt *runtime, s string, args []Value) (Value, error) {
	n := length(s)
	from, err := rt.relative(arg(args, 0), n, 0)
	if err != nil {
		return undefined, err
	}
	count := n
	if v := arg(args, 1); v.kind != KindUndefined {
		if count, err = rt.whole(v, 0, n); err != nil {
			return undefined, err
		}
	}
	return str(slice(s, from, min(n, from+count))), nil
}
