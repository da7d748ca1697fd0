package jsonvalue

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Plain returns v with every object as a map[string]any, the form that the
// standard library and JSON Schema libraries take. Scalars are shared.
func Plain(v any) any {
	switch v := v.(type) {
	case *Object:
		out := make(map[string]any, v.Len())
		for k, x := range v.All() {
			out[k] = Plain(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Plain(v[i])
		}
		return out
	}
	return v
}

// FromPlain is the inverse of Plain; keys are put in ascending order, since a
// map has none. It accepts what encoding/json produces and Go's integers, and
// panics on other types, which only a programming error can bring here.
func FromPlain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		o := &Object{members: make([]Member, 0, len(v))}
		for _, k := range keys {
			o.Set(k, FromPlain(v[k]))
		}
		return o
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = FromPlain(v[i])
		}
		return out
	case json.Number:
		f, _ := v.Float64()
		return f
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case nil, bool, float64, string, *Object:
		return v
	}
	panic(fmt.Sprintf("jsonvalue: %T is not a plain JSON value", v))
}
