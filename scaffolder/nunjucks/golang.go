package nunjucks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Ordered is what types implement that hold an object's members in order.
// ValueOf takes it for an object.
type Ordered interface {
	Len() int
	All() iter.Seq2[string, any]
}

// ValueOf converts a Go value made of nil, booleans, strings, numbers, slices
// of any or string, maps from string to any or string, Ordered objects and
// Values. The keys of maps come in alphabetical order. nil is null.
func ValueOf(v any) (Value, error) { return valueOf(v, 0) }

func valueOf(v any, depth int) (Value, error) {
	if depth > maxJSONDepth {
		return undefined, errors.New("value is nested too deeply")
	}
	switch v := v.(type) {
	case nil:
		return null, nil
	case Value:
		return freeze(v), nil
	case string:
		return StringValue(v), nil
	case bool:
		return BoolValue(v), nil
	case []any:
		return arrayOf(v, depth)
	case []string:
		return arrayOf(v, depth)
	case map[string]any:
		return objectOf(len(v), inOrder(v), depth)
	case map[string]string:
		return objectOf(len(v), inOrder(v), depth)
	case Ordered:
		return objectOf(v.Len(), v.All(), depth)
	}
	if f, ok := toFloat(v); ok {
		return num(f), nil
	}
	return undefined, fmt.Errorf("no template value can be made of a %T", v)
}

// toFloat converts Go's numbers.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	case json.Number:
		return parseNumber(string(v)), true
	}
	return 0, false
}

func arrayOf[E any](s []E, depth int) (Value, error) {
	a := &array{elems: make([]Value, len(s)), frozen: true}
	for i, e := range s {
		v, err := valueOf(e, depth+1)
		if err != nil {
			return undefined, err
		}
		a.elems[i] = v
	}
	return arr(a), nil
}

// inOrder yields a map's members by key.
func inOrder[E any](m map[string]E) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func objectOf(size int, members iter.Seq2[string, any], depth int) (Value, error) {
	o := newObject(size)
	for k, e := range members {
		v, err := valueOf(e, depth+1)
		if err != nil {
			return undefined, err
		}
		o.set(toWellFormed(k), v)
	}
	return obj(o.freeze()), nil
}

// Plain converts v to nil, bool, float64, string, []any and map[string]any.
// What JSON cannot say is nil.
func (v Value) Plain() any {
	return v.Export(func(size int) (any, func(string, any)) {
		m := make(map[string]any, size)
		return m, func(k string, e any) { m[k] = e }
	})
}

// Export converts v like Plain, with objects of the caller's making: object
// returns a new one for so many members and the function that sets them, which
// is called in order.
func (v Value) Export(object func(size int) (result any, set func(key string, value any))) any {
	switch v.kind {
	case KindBool:
		return v.Bool()
	case KindNumber:
		return v.num()
	case KindString, KindSafe:
		return wellFormed(v.str())
	case KindArray:
		out := make([]any, len(v.arr().elems))
		for i, e := range v.arr().elems {
			out[i] = e.Export(object)
		}
		return out
	case KindObject:
		result, set := object(v.Len())
		for k, e := range v.Members() {
			if inJSON(e) {
				set(k, e.Export(object))
			}
		}
		return result
	}
	return nil
}

// MarshalJSON writes v as JSON.stringify would, undefined as null.
func (v Value) MarshalJSON() ([]byte, error) {
	out, err := appendJSON(nil, v, "")
	return wellFormedBytes(out), err
}

// ParseJSON reads one JSON value. Objects keep the order of their keys.
func ParseJSON(data []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeJSON(d, 0)
	if err != nil {
		return undefined, err
	}
	if _, err := d.Token(); err != io.EOF {
		return undefined, errors.New("something follows the JSON value")
	}
	return v, nil
}

func decodeJSON(d *json.Decoder, depth int) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return undefined, err
	}
	if depth > maxJSONDepth {
		return undefined, errors.New("JSON is nested too deeply")
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return decodeArray(d, depth)
		}
		return decodeObject(d, depth)
	case json.Number:
		return num(parseNumber(strings.TrimSpace(string(t)))), nil
	}
	return valueOf(t, depth)
}

func decodeArray(d *json.Decoder, depth int) (Value, error) {
	a := &array{frozen: true}
	for d.More() {
		v, err := decodeJSON(d, depth+1)
		if err != nil {
			return undefined, err
		}
		a.elems = append(a.elems, v)
	}
	_, err := d.Token()
	return arr(a), err
}

func decodeObject(d *json.Decoder, depth int) (Value, error) {
	o := newObject(4)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return undefined, err
		}
		v, err := decodeJSON(d, depth+1)
		if err != nil {
			return undefined, err
		}
		o.set(key.(string), v)
	}
	_, err := d.Token()
	return obj(o.freeze()), err
}
