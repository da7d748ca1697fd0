package jsonschema

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Limits of one validation.
const (
	maxFaults = 1000
	maxDepth  = 2000
	maxSteps  = 5_000_000
	maxTime   = 2 * time.Second
)

// ErrTooComplex is returned where a value and a schema together would take too
// long to check, or a schema refers to itself without an end.
var ErrTooComplex = errors.New("the schema is too complex to check this value, or refers to itself without an end")

// A SchemaError says what is wrong with a schema.
type SchemaError struct{ Message string }

func (e *SchemaError) Error() string { return "the schema is not valid: " + e.Message }

// A Schema is a JSON Schema that values can be checked against.
type Schema struct {
	root     any
	ids      map[string]any
	patterns *patterns
}

// Compile prepares a schema: an object or a boolean, which must not change
// afterwards. Errors are *SchemaError.
func Compile(schema any) (*Schema, error) {
	s := &Schema{root: schema, ids: map[string]any{}, patterns: newPatterns()}
	if err := s.scan(schema, 0); err != nil {
		return nil, err
	}
	return s, nil
}

// scan collects the schemas that have an id.
func (s *Schema) scan(v any, depth int) error {
	if depth > jsonvalue.MaxDepth {
		return &SchemaError{"it is nested too deeply"}
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		if id := idOf(v); id != "" {
			if _, there := s.ids[id]; !there {
				s.ids[id] = v
			}
		}
		for k, x := range v.All() {
			if k == "enum" || k == "const" || k == "default" || k == "examples" {
				continue
			}
			if err := s.scan(x, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, x := range v {
			if err := s.scan(x, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// idOf returns the $id or id of a schema. Properties may be called id too, so
// only texts count.
func idOf(o *jsonvalue.Object) string {
	if id := o.String("$id"); id != "" {
		return id
	}
	return o.String("id")
}

// Validate returns what does not fit, in the order of the schema's keys; none
// means that the value is valid. A schema that turns out to be wrong is a
// fault, too: see Check, which tells them apart.
func (s *Schema) Validate(value any) []Fault {
	faults, err := s.Check(value)
	if err != nil {
		return append(faults, Fault{Name: "schema", Message: "cannot be checked: " + err.Error(), Property: "instance"})
	}
	return faults
}

// Check returns what does not fit. The error is a *SchemaError or
// ErrTooComplex: then nobody knows whether the value is valid.
func (s *Schema) Check(value any) ([]Fault, error) {
	w := &walker{schema: s, steps: maxSteps, until: time.Now().Add(maxTime)}
	w.check(value, s.root, place{})
	if w.err != nil {
		return nil, w.err
	}
	return w.faults, nil
}

// resolve returns the schema that a $ref names.
func (s *Schema) resolve(ref string) (any, error) {
	if ref == "#" || ref == "" {
		return s.root, nil
	}
	if found, ok := s.ids[ref]; ok {
		return found, nil
	}
	document, pointer, _ := strings.Cut(ref, "#")
	from := s.root
	if document != "" {
		found, ok := s.ids[document]
		if !ok {
			return nil, &SchemaError{fmt.Sprintf("no such schema <%s>", ref)}
		}
		from = found
	}
	found, ok := at(from, pointer)
	if !ok {
		return nil, &SchemaError{fmt.Sprintf("no such schema %s located in <%s>", "#"+pointer, document)}
	}
	return found, nil
}

// at follows a JSON pointer.
func at(v any, pointer string) (any, bool) {
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		part = unescapePointer(part)
		switch x := v.(type) {
		case *jsonvalue.Object:
			var ok bool
			if v, ok = x.Get(part); !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// A Fault is one thing that does not fit.
type Fault struct {
	// Path leads to the value: strings for keys, float64 for indexes.
	Path []any
	// Property is Path as text, beginning with "instance".
	Property string
	Message  string
	// Schema is the schema that failed, or its id.
	Schema any
	// Instance is the value; Absent is set if there was none.
	Instance any
	Absent   bool
	// Name is the keyword, Argument what it said, which may be nil for none.
	Name     string
	Argument any
	// StackText is what Stack returns; "": the property and the message.
	StackText string

	levels int // how deeply Argument holds further faults
}

// Names returns Path with indexes in decimal.
func (f Fault) Names() []string {
	var out []string
	for _, p := range f.Path {
		switch p := p.(type) {
		case string:
			out = append(out, p)
		case float64:
			out = append(out, strconv.Itoa(int(p)))
		}
	}
	return out
}

// Stack returns the property and the message as one text.
func (f Fault) Stack() string {
	if f.StackText != "" {
		return f.StackText
	}
	return f.Property + " " + f.Message
}

// Object returns the fault in its wire form.
func (f Fault) Object() *jsonvalue.Object {
	path := f.Path
	if path == nil {
		path = []any{}
	}
	o := jsonvalue.NewObject(
		jsonvalue.Member{Key: "path", Value: path},
		jsonvalue.Member{Key: "property", Value: f.Property},
		jsonvalue.Member{Key: "message", Value: f.Message},
		jsonvalue.Member{Key: "schema", Value: f.Schema},
	)
	if !f.Absent {
		o.Set("instance", f.Instance)
	}
	o.Set("name", f.Name)
	if f.Argument != nil {
		o.Set("argument", f.Argument)
	}
	o.Set("stack", f.Stack())
	return o
}
