package nunjucks

import (
	"context"
	"errors"
	"math"
	"strconv"
)

// RenderNative renders the template like a value in a scaffolder step: if it
// consists of one interpolation the result keeps its type, else it is text.
// The result is a JSON value; NaN and infinities are null in it, and undefined
// means that there is no value. A function is no result.
func (t *Template) RenderNative(ctx context.Context, vars any) (Value, error) {
	given, err := variablesOf(vars)
	if err != nil {
		return undefined, err
	}
	if t.sole == nil && t.env.coercion {
		return t.coerced(ctx, given)
	}
	if t.sole == nil {
		s, err := t.Render(ctx, given)
		return str(s), err
	}
	var out Value
	err = t.session(ctx, given, func(s *session) error {
		a := s.unit.activate()
		v, err := t.sole.eval(a)
		if err == nil && v.kind == KindFunction {
			err = a.fail(t.sole.span(), throw("a function is no value of a template"))
		}
		if err == nil {
			out, err = jsonValue(v, 0)
		}
		return err
	})
	return out, err
}

// coerced renders block tags the way old releases did: what is interpolated
// appears as JSON, and if all of the output is JSON that is the value.
func (t *Template) coerced(ctx context.Context, given Value) (Value, error) {
	text, err := t.Render(ctx, given)
	if err != nil || len(t.body) != 1 || isText(t.body[0]) {
		return orNothing(text), err
	}
	var out string
	err = t.session(ctx, given, func(s *session) error {
		s.rt.asJSON = true
		err := s.unit.run()
		out = string(wellFormedOutput(s.rt.out))
		return err
	})
	if err != nil {
		return undefined, err
	}
	if out == "" {
		return undefined, nil
	}
	if v, err := ParseJSON([]byte(out)); err == nil {
		return v, nil
	}
	return orNothing(text), nil
}

func orNothing(text string) Value {
	if text == "" {
		return undefined
	}
	return str(text)
}

func isText(s stmt) bool {
	_, ok := s.(*textStmt)
	return ok
}

// soleInterpolation returns the expression of a body that is one
// interpolation; comments and text that dashes removed do not count.
func soleInterpolation(body []stmt) expr {
	var sole expr
	for _, s := range body {
		switch s := s.(type) {
		case *textStmt:
			if s.text != "" {
				return nil
			}
		case *outputStmt:
			if sole != nil || s.tag {
				return nil
			}
			sole = s.value
		default:
			return nil
		}
	}
	return sole
}

// jsonValue copies v as JSON would carry it, but keeps undefined at the top.
func jsonValue(v Value, depth int) (Value, error) {
	if depth > maxJSONDepth {
		return undefined, throw("value is nested too deeply, or contains itself")
	}
	switch v.kind {
	case KindNumber:
		if f := v.num(); math.IsNaN(f) || math.IsInf(f, 0) {
			return null, nil
		}
	case KindString, KindSafe:
		return str(wellFormed(v.str())), nil
	case KindRegexp:
		return str(v.re().String()), nil
	case KindArray:
		return jsonArray(v.arr(), depth)
	case KindObject:
		return jsonObject(v.obj(), depth)
	}
	return v, nil
}

func jsonArray(a *array, depth int) (Value, error) {
	c := &array{elems: make([]Value, len(a.elems)), frozen: true}
	for i, e := range a.elems {
		v, err := jsonValue(e, depth+1)
		if err != nil {
			return undefined, err
		}
		if !inJSON(v) {
			v = null
		}
		c.elems[i] = v
	}
	return arr(c), nil
}

func jsonObject(o *object, depth int) (Value, error) {
	keys, vals := o.members()
	c := newObject(len(keys))
	for i, k := range keys {
		v, err := jsonValue(vals[i], depth+1)
		if err != nil {
			return undefined, err
		}
		if inJSON(v) {
			c.set(wellFormed(k), v)
		}
	}
	return obj(c.freeze()), nil
}

// A Fault is a string that could not be rendered and was left as it is.
type Fault struct {
	Path string // like steps[0].input.name
	Err  error
}

// RenderValue renders every string within a JSON value, keys excepted, as
// RenderNative does. Members without a value are dropped, elements without
// one are null. A string that is in error stays as it is and is reported as a
// fault; an error is returned only for input and variables that are no JSON
// values, and when ctx is done.
func (e *Env) RenderValue(ctx context.Context, input, vars any) (Value, []Fault, error) {
	given, err := variablesOf(vars)
	if err != nil {
		return undefined, nil, err
	}
	v, ok := input.(Value)
	if !ok {
		if v, err = ValueOf(input); err != nil {
			return undefined, nil, err
		}
	}
	w := valueRenderer{env: e, vars: given}
	out, err := w.value(ctx, v, "", 0)
	return out, w.faults, err
}

type valueRenderer struct {
	env    *Env
	vars   Value
	faults []Fault
}

func (w *valueRenderer) value(ctx context.Context, v Value, path string, depth int) (Value, error) {
	if depth > maxJSONDepth {
		return undefined, errors.New("value is nested too deeply")
	}
	switch v.kind {
	case KindString, KindSafe:
		return w.text(ctx, v, path)
	case KindArray:
		c := &array{elems: make([]Value, len(v.arr().elems)), frozen: true}
		for i, e := range v.arr().elems {
			r, err := w.value(ctx, e, path+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return undefined, err
			}
			if r.kind == KindUndefined {
				r = null
			}
			c.elems[i] = r
		}
		return arr(c), nil
	case KindObject:
		keys, vals := v.obj().members()
		c := newObject(len(keys))
		for i, k := range keys {
			at := k
			if path != "" {
				at = path + "." + k
			}
			r, err := w.value(ctx, vals[i], at, depth+1)
			if err != nil {
				return undefined, err
			}
			if r.kind != KindUndefined {
				c.set(k, r)
			}
		}
		return obj(c.freeze()), nil
	}
	return jsonValue(v, 0)
}

// text renders one string.
func (w *valueRenderer) text(ctx context.Context, v Value, path string) (Value, error) {
	source := wellFormed(v.str())
	if !w.env.mayBeTemplate(source) && !(source == "" && w.env.coercion) {
		return str(source), nil
	}
	t, err := w.env.Compile(path, source)
	if err == nil {
		var out Value
		if out, err = t.RenderNative(ctx, w.vars); err == nil {
			return out, nil
		}
	}
	if ctx.Err() != nil {
		return undefined, err
	}
	w.faults = append(w.faults, Fault{path, err})
	return str(source), nil
}
