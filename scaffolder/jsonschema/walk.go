package jsonschema

import (
	"net/url"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// absent stands for a property that is not there.
type absent struct{}

// A place is where in the value the walk is.
type place struct {
	up   *place
	key  any // string or float64; nil at the root
	deep int
}

func (p place) child(key any) place { return place{up: &p, key: key, deep: p.deep + 1} }

func (p place) path() []any {
	if p.up == nil {
		return nil
	}
	return append(p.up.path(), p.key)
}

func property(path []any) string {
	var b strings.Builder
	b.WriteString("instance")
	for _, key := range path {
		b.WriteString(suffix(key))
	}
	return b.String()
}

// A walker checks one value against one schema.
type walker struct {
	schema *Schema
	faults []Fault
	err    error
	steps  int
	depth  int // of schemas, which may be deeper than the value
	until  time.Time
	// quiet: only whether something does not fit is wanted, not what; broken is
	// set when it does not.
	quiet, broken bool
}

// stopped tells whether to go on at all.
func (w *walker) stopped() bool {
	return w.err != nil || len(w.faults) >= maxFaults || w.quiet && w.broken
}

// clockEvery is how many steps are taken between looks at the clock.
const clockEvery = 1 << 12

// check adds what does not fit to the faults.
func (w *walker) check(v, schema any, at place) {
	if w.stopped() {
		return
	}
	w.steps--
	if w.steps < 0 || w.depth > maxDepth || w.steps%clockEvery == 0 && time.Now().After(w.until) {
		w.err = ErrTooComplex
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	switch s := schema.(type) {
	case nil:
		w.err = &SchemaError{"a schema is null"}
	case bool:
		if !s {
			w.typeOf(v, jsonvalue.NewObject(jsonvalue.Member{Key: "type", Value: []any{}}), at)
		}
	case *jsonvalue.Object:
		w.object(v, s, at)
	}
}

func (w *walker) object(v any, s *jsonvalue.Object, at place) {
	if ref, ok := s.Value("$ref").(string); ok {
		target, err := w.schema.resolve(ref)
		if err != nil {
			w.err = err
			return
		}
		w.check(v, target, at)
		return
	}
	for key := range s.All() {
		if check := keyword(key); check != nil {
			check(w, v, s, at)
		}
		if w.stopped() {
			return
		}
	}
}

// passes tells whether a value meets a schema, without adding faults.
func (w *walker) passes(v, schema any, at place) bool {
	quiet, broken := w.quiet, w.broken
	w.quiet, w.broken = true, false
	w.check(v, schema, at)
	passed := !w.broken
	w.quiet, w.broken = quiet, broken
	return passed
}

// try returns the faults of a value, without adding them. It is not for when
// they are not wanted.
func (w *walker) try(v, schema any, at place) []Fault {
	before := w.faults
	w.faults = nil
	w.check(v, schema, at)
	found := w.faults
	w.faults = before
	return found
}

// fail adds a fault.
func (w *walker) fail(v any, s *jsonvalue.Object, at place, name string, argument any, message string) {
	if w.stopped() {
		return
	}
	if w.quiet {
		w.broken = true
		return
	}
	f := Fault{Path: at.path(), Message: message, Schema: s, Name: name, Argument: argument}
	f.Property = property(f.Path)
	if id := idOf(s); id != "" {
		f.Schema = id
	}
	if _, f.Absent = v.(absent); !f.Absent {
		f.Instance = v
	}
	w.faults = append(w.faults, f)
}

// keyword returns the check of a keyword, nil for keys that check nothing. It
// is a function since the checks call each other through it.
func keyword(name string) func(w *walker, v any, s *jsonvalue.Object, at place) {
	switch name {
	case "type":
		return (*walker).typeOf
	case "enum":
		return (*walker).enum
	case "const":
		return (*walker).constant
	case "required":
		return (*walker).required
	case "properties":
		return (*walker).properties
	case "patternProperties":
		return (*walker).patternProperties
	case "additionalProperties":
		return (*walker).additionalProperties
	case "propertyNames":
		return (*walker).propertyNames
	case "minProperties", "maxProperties":
		return propertyCount(name)
	case "dependencies":
		return (*walker).dependencies
	case "items":
		return (*walker).items
	case "contains":
		return (*walker).contains
	case "minItems", "maxItems":
		return itemCount(name)
	case "uniqueItems":
		return (*walker).uniqueItems
	case "anyOf":
		return (*walker).anyOf
	case "oneOf":
		return (*walker).oneOf
	case "allOf":
		return (*walker).allOf
	case "not", "disallow":
		return (*walker).not
	case "if":
		return (*walker).condition
	}
	return scalarKeyword(name)
}

func scalarKeyword(name string) func(w *walker, v any, s *jsonvalue.Object, at place) {
	switch name {
	case "minimum", "maximum":
		return bound(name)
	case "exclusiveMinimum", "exclusiveMaximum":
		return strictBound(name)
	case "multipleOf", "divisibleBy":
		return multiple(name)
	case "minLength", "maxLength":
		return textLength(name)
	case "pattern":
		return (*walker).pattern
	case "format":
		return (*walker).format
	}
	return nil
}

func unescapePointer(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}
