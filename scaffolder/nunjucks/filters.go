package nunjucks

import "strings"

// builtinFilters are the filters of every environment. The first argument is
// the value left of the pipe.
func builtinFilters() map[string]*function {
	filters := map[string]*function{}
	for name, call := range map[string]native{
		"abs": filterAbs, "batch": filterBatch, "capitalize": filterCapitalize, "center": filterCenter,
		"d": filterDefault, "default": filterDefault, "dictsort": filterDictsort, "dump": filterDump,
		"e": filterEscape, "escape": filterEscape, "first": filterFirst, "float": filterFloat,
		"forceescape": filterForceEscape, "groupby": filterGroupby, "indent": filterIndent, "int": filterInt,
		"join": filterJoin, "last": filterLast, "length": filterLength, "list": filterList, "lower": filterLower,
		"nl2br": filterNl2br, "random": filterRandom, "reject": filterReject, "rejectattr": filterRejectattr,
		"replace": filterReplace, "reverse": filterReverse, "round": filterRound, "safe": filterSafe,
		"select": filterSelect, "selectattr": filterSelectattr, "slice": filterSlice, "sort": filterSort,
		"string": filterString, "striptags": filterStriptags, "sum": filterSum, "title": filterTitle,
		"trim": filterTrim, "truncate": filterTruncate, "upper": filterUpper, "urlencode": filterUrlencode,
		"urlize": filterUrlize, "wordcount": filterWordcount,
	} {
		filters[name] = &function{name: name, call: call}
	}
	return filters
}

// blank replaces what text filters take for no text.
func blank(v Value) Value {
	if v.IsNullish() || v.kind == KindBool && !v.Bool() {
		return empty
	}
	return v
}

// wantText returns the text of a string, as filters that call a method of
// strings need it. Of other values the reference says that there is no such
// method.
func wantText(v Value) (string, error) {
	if v.isText() {
		return v.str(), nil
	}
	err := throw("needs a string, not %s", withArticle(v.kind)).(*Error)
	switch v.kind {
	case KindNumber, KindArray, KindBool:
		err.Hint = "put | string before it"
	case KindUndefined:
		err.Hint = `put | default("") before it if the value is optional`
	}
	return "", err
}

func withArticle(k Kind) string {
	switch k {
	case KindUndefined, KindNull:
		return k.String()
	case KindArray, KindObject:
		return "an " + k.String()
	}
	return "a " + k.String()
}

// filterError names the filter that an error is from.
func filterError(name string, err error) error {
	if e, ok := err.(*Error); ok && !e.placed && e.cause == nil {
		e.Message = "filter " + name + ": " + e.Message
	}
	return err
}

// like returns text that is safe if the original is.
func like(original Value, s string) Value {
	if original.kind == KindSafe {
		return newSafe(s)
	}
	return str(s)
}

// newSafe returns a safe string that is not identical to any other: to ===
// they are objects.
func newSafe(s string) Value { return safe(strings.Clone(s)) }

// named reads arguments that a filter takes by position or by name.
func named(args []Value, names ...string) []Value {
	positional, kw := keywords(args)
	out := make([]Value, len(names))
	copy(out, positional)
	for i := len(positional); i < len(names); i++ {
		out[i], _ = kw.lookup(names[i])
	}
	return out
}

func filterDefault(_ *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	if truthy(arg(args, 2)) {
		if truthy(v) {
			return v, nil
		}
		return arg(args, 1), nil
	}
	if v.kind == KindUndefined {
		return arg(args, 1), nil
	}
	return v, nil
}

func filterDump(rt *runtime, args []Value) (Value, error) {
	return rt.stringify(arg(args, 0), jsonGap(arg(args, 1)))
}

func filterString(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	if v.IsNullish() {
		return undefined, throw("%s has no text", v.kind)
	}
	if v.kind == KindSafe {
		return v, nil
	}
	s, err := rt.text(v)
	return str(s), err
}

func filterFirst(rt *runtime, args []Value) (Value, error) { return rt.element(arg(args, 0), false) }
func filterLast(rt *runtime, args []Value) (Value, error)  { return rt.element(arg(args, 0), true) }

// element returns the first or last element of what has some.
func (rt *runtime) element(v Value, last bool) (Value, error) {
	if v.IsNullish() {
		return undefined, throw("%s has no elements", v.kind)
	}
	i := 0
	if last {
		n, err := rt.lengthOf(v)
		if err != nil || !finite(n) {
			return undefined, err
		}
		if i = int(n) - 1; i < 0 {
			return undefined, nil
		}
	}
	got, _ := rt.plainIndex(v, i)
	return got, nil
}

// lengthOf is v.length as a number, NaN if there is none.
func (rt *runtime) lengthOf(v Value) (float64, error) {
	switch v.kind {
	case KindArray:
		return float64(len(v.arr().elems)), nil
	case KindString, KindSafe:
		return float64(length(v.str())), nil
	case KindObject:
		return rt.number(v.Get("length"))
	case KindFunction:
		return float64(v.fn().length), nil
	case KindUndefined, KindNull:
		return 0, throw("%s has no length", v.kind)
	}
	return rt.number(undefined)
}

func filterLength(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	switch {
	case v.isIterator():
		return undefined, nil
	case v.kind == KindObject:
		return integer(len(v.obj().keys)), nil
	case v.kind == KindArray || v.isText() || v.kind == KindFunction:
		n, err := rt.lengthOf(v)
		return num(n), err
	}
	return undefined, nil
}

func filterRandom(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	n, err := rt.lengthOf(v)
	if err != nil || !(n >= 1) {
		return undefined, err
	}
	got, _ := rt.plainIndex(v, rt.env.random(int(n)))
	return got, nil
}
