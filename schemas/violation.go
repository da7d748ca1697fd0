package schemas

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A Violation says where and how a value breaks a schema.
type Violation struct {
	// Path is a JSON pointer to the offending value, "" for the root.
	Path string
	// Message says what is wrong, such as "must be string".
	Message string
	// Params are the parameters of the keyword that was broken, such as
	// "type: string"; "" where it has none.
	Params string
}

// Error returns the path, the message and the parameters. The dash is there
// with nothing behind it too, as in the reference.
func (v *Violation) Error() string { return v.Short() + " - " + v.Params }

// Short returns the path and the message.
func (v *Violation) Short() string {
	if v.Path == "" {
		return "<root> " + v.Message
	}
	return v.Path + " " + v.Message
}

// A KeyOrder returns the keys, in the order in which they are written, of the
// object that path leads to: keys, and indexes of arrays in decimal. It decides
// which of several violations comes first, and is only asked when there is
// one. Where it is nil, or returns another number of keys than the object has,
// keys count as ascending.
type KeyOrder func(path []string) []string

// check returns the first violation in the order of ajv, nil if there is none.
func (s *schema) check(value any, order KeyOrder) *Violation {
	if !isFinite(value) { // the library would panic
		value = finite(value)
	}
	err := s.Validate(value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		// The schema is recursive without end, or the value is not JSON.
		return &Violation{Message: "cannot be checked", Params: err.Error()}
	}
	f := &finder{broken: map[place]bool{}, properties: s.order, keys: order}
	f.note(invalid)
	if v := f.first(spot{schema: s.Schema, value: value}); v != nil {
		return v
	}
	return deepest(invalid)
}

// isFinite tells whether JSON can hold all numbers of a value.
func isFinite(value any) bool {
	switch v := value.(type) {
	case float64:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	case []any:
		return !slices.ContainsFunc(v, func(part any) bool { return !isFinite(part) })
	case map[string]any:
		for _, part := range v {
			if !isFinite(part) {
				return false
			}
		}
	}
	return true
}

// finite returns a copy of the value with null in place of the numbers that
// JSON cannot hold, as JavaScript writes them.
func finite(value any) any {
	switch v := value.(type) {
	case float64:
		if !isFinite(v) {
			return nil
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = finite(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, part := range v {
			out[key] = finite(part)
		}
		return out
	}
	return value
}

// deepest returns the violation in the library's own words, for keywords that
// the finder does not know.
func deepest(e *jsonschema.ValidationError) *Violation {
	for len(e.Causes) > 0 {
		e = slices.MinFunc(e.Causes, func(a, b *jsonschema.ValidationError) int {
			return strings.Compare(a.KeywordLocation+a.InstanceLocation, b.KeywordLocation+b.InstanceLocation)
		})
	}
	return &Violation{Path: e.InstanceLocation, Message: "is not valid", Params: e.Message}
}

// A place is a keyword that was applied to a part of the value, both as the
// library names them.
type place struct{ keyword, instance string }

// A finder finds the first violation. The library says which keywords are
// broken where, in no order; ajv goes through keywords and properties in a
// fixed order, which first follows until it meets one that is broken.
type finder struct {
	broken     map[place]bool
	properties map[string][]string
	keys       KeyOrder
}

func (f *finder) note(e *jsonschema.ValidationError) {
	f.broken[place{e.KeywordLocation, e.InstanceLocation}] = true
	for _, cause := range e.Causes {
		f.note(cause)
	}
}

// A spot is a schema applied to a value.
type spot struct {
	schema   *jsonschema.Schema
	keyword  string // location of the schema
	value    any
	instance string   // location of the value
	path     []string // the same as keys and indexes
}

// under returns the spot of a subschema that applies to the same value.
func (s spot) under(sub *jsonschema.Schema, keyword string) spot {
	s.schema, s.keyword = sub, s.keyword+"/"+keyword
	return s
}

// at returns the spot of a subschema that applies to a part of the value.
func (s spot) at(sub *jsonschema.Schema, keyword, key string, value any) spot {
	part := spot{
		schema: sub, keyword: s.keyword + "/" + keyword, value: value,
		instance: s.instance, path: append(slices.Clip(s.path), key),
	}
	if key != "" { // the library gives the part under the empty key the location of the whole
		part.instance += "/" + escape(key)
	}
	return part
}

// fails tells whether the keyword is broken at the spot.
func (f *finder) fails(s spot, keyword string) bool {
	return f.broken[place{s.keyword + "/" + keyword, s.instance}]
}

// violation returns one at the spot, with the parameters as "name: value".
func (s spot) violation(message string, params ...string) *Violation {
	var path strings.Builder
	for _, key := range s.path {
		path.WriteString("/" + escapePointer(key))
	}
	return &Violation{Path: path.String(), Message: message, Params: strings.Join(params, ", ")}
}

// orderedKeys returns the keys of the object at the spot as they are written.
func (f *finder) orderedKeys(s spot, object map[string]any) []string {
	if f.keys != nil {
		if keys := f.keys(s.path); len(keys) == len(object) {
			return keys
		}
	}
	return sortedKeys(object)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
