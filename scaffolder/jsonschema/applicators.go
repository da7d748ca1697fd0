package jsonschema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// label is how messages call one of several schemas. Schemas with an id are in
// angle brackets in some of them.
func label(schema any, i int, brackets bool) string {
	o, _ := schema.(*jsonvalue.Object)
	if id := idOf(o); id != "" {
		if brackets {
			return "<" + id + ">"
		}
		return id
	}
	if title := o.String("title"); title != "" {
		return quote(title)
	}
	if ref := o.String("$ref"); ref != "" {
		return "<" + ref + ">"
	}
	return "[subschema " + strconv.Itoa(i) + "]"
}

func labels(list []any, brackets bool) ([]any, string) {
	out, texts := make([]any, len(list)), make([]string, len(list))
	for i, s := range list {
		texts[i] = label(s, i, brackets)
		out[i] = texts[i]
	}
	return out, strings.Join(texts, ",")
}

// listOf returns the schemas of a keyword, and ends the walk if they are none.
func (w *walker) listOf(s *jsonvalue.Object, name string) ([]any, bool) {
	list, ok := s.Value(name).([]any)
	if !ok {
		w.err = &SchemaError{name + " must be an array"}
	}
	return list, ok
}

func (w *walker) anyOf(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	list, ok := w.listOf(s, "anyOf")
	if !ok {
		return
	}
	for _, one := range list {
		if w.passes(v, one, at) {
			return
		}
	}
	names, text := labels(list, true)
	w.fail(v, s, at, "anyOf", names, "is not any of "+text)
}

func (w *walker) oneOf(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	list, ok := w.listOf(s, "oneOf")
	if !ok {
		return
	}
	passed := 0
	for _, one := range list {
		if w.passes(v, one, at) {
			passed++
		}
	}
	if passed != 1 {
		names, text := labels(list, false)
		w.fail(v, s, at, "oneOf", names, "is not exactly one from "+text)
	}
}

func (w *walker) allOf(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	list, ok := w.listOf(s, "allOf")
	if !ok {
		return
	}
	for i, one := range list {
		if w.quiet {
			w.check(v, one, at)
			continue
		}
		inner := w.try(v, one, at)
		if len(inner) == 0 {
			continue
		}
		name := label(one, i, false)
		argument := jsonvalue.NewObject(jsonvalue.Member{Key: "id", Value: name},
			jsonvalue.Member{Key: "length", Value: float64(len(inner))})
		levels := nested(inner) + 1
		if levels <= maxNested {
			argument.Set("valid", outcome(v, one, at, inner))
		}
		w.fail(v, s, at, "allOf", argument, fmt.Sprintf("does not match allOf schema %s with %d error[s]:", name, len(inner)))
		if n := len(w.faults); n > 0 {
			w.faults[n-1].levels = levels
		}
		w.faults = append(w.faults, inner...)
	}
}

// maxNested is how deeply the faults of allOf hold those inside once more: each
// level doubles what is written.
const maxNested = 3

func nested(faults []Fault) int {
	levels := 0
	for _, f := range faults {
		levels = max(levels, f.levels)
	}
	return levels
}

// outcome is what the argument of a fault of allOf says of the schema that did
// not hold.
func outcome(v, schema any, at place, faults []Fault) *jsonvalue.Object {
	path := at.path()
	list := make([]any, len(faults))
	for i, f := range faults {
		list[i] = f.Object()
	}
	return jsonvalue.NewObject(
		jsonvalue.Member{Key: "instance", Value: v},
		jsonvalue.Member{Key: "schema", Value: schema},
		jsonvalue.Member{Key: "options", Value: jsonvalue.NewObject()},
		jsonvalue.Member{Key: "path", Value: append([]any{}, path...)},
		jsonvalue.Member{Key: "propertyPath", Value: property(path)},
		jsonvalue.Member{Key: "errors", Value: list},
		jsonvalue.Member{Key: "disableFormat", Value: false},
	)
}

func (w *walker) not(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	prohibited := s.Value("not")
	if !truthy(prohibited) {
		prohibited = s.Value("disallow")
	}
	if !truthy(prohibited) {
		return
	}
	list, ok := prohibited.([]any)
	if !ok {
		list = []any{prohibited}
	}
	for _, one := range list {
		if !w.isType(v, one, at) {
			continue
		}
		var argument any = one
		if o, ok := one.(*jsonvalue.Object); ok {
			if id := idOf(o); id != "" {
				argument = id
			}
		}
		w.fail(v, s, at, "not", argument, "is of prohibited type "+text(argument))
	}
}

func (w *walker) condition(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	branch := "else"
	if w.passes(v, s.Value("if"), at) {
		branch = "then"
	}
	if next, ok := s.Get(branch); ok {
		w.check(v, next, at)
	}
}

func (w *walker) required(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		if s.Value("required") == true { // draft 3
			w.fail(v, s, at, "required", nil, "is required")
		}
		return
	}
	o, isObject := v.(*jsonvalue.Object)
	names, isList := s.Value("required").([]any)
	if !isObject || !isList {
		return
	}
	for _, n := range names {
		if !o.Has(text(n)) {
			w.fail(v, s, at, "required", n, "requires property "+quoteValue(n))
		}
	}
}

func (w *walker) properties(v any, s *jsonvalue.Object, at place) {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return
	}
	for key, schema := range s.Object("properties").All() {
		if schema == nil {
			w.err = &SchemaError{`Unexpected null, expected schema in "properties"`}
			return
		}
		x, there := o.Get(key)
		if !there {
			x = absent{}
		}
		w.check(x, schema, at.child(key))
		if w.stopped() {
			return
		}
	}
}

func (w *walker) patternProperties(v any, s *jsonvalue.Object, at place) {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return
	}
	for key, x := range o.All() {
		matched := false
		for pattern, schema := range s.Object("patternProperties").All() {
			if schema == nil {
				w.err = &SchemaError{`Unexpected null, expected schema in "patternProperties"`}
				return
			}
			if !w.matches(pattern, key) {
				continue
			}
			matched = true
			w.check(x, schema, at.child(key))
		}
		if !matched {
			w.additional(o, s, at, key, x)
		}
		if w.stopped() {
			return
		}
	}
}

func (w *walker) additionalProperties(v any, s *jsonvalue.Object, at place) {
	o, ok := v.(*jsonvalue.Object)
	if !ok || truthy(s.Value("patternProperties")) { // then that keyword sees to it
		return
	}
	for key, x := range o.All() {
		w.additional(o, s, at, key, x)
		if w.stopped() {
			return
		}
	}
}

func (w *walker) additional(o, s *jsonvalue.Object, at place, key string, x any) {
	if s.Object("properties").Has(key) {
		return
	}
	switch more := s.Value("additionalProperties"); {
	case more == false:
		w.fail(o, s, at, "additionalProperties", key, "is not allowed to have the additional property "+quote(key))
	case truthy(more):
		w.check(x, more, at.child(key))
	}
}

func (w *walker) propertyNames(v any, s *jsonvalue.Object, at place) {
	if o, ok := v.(*jsonvalue.Object); ok {
		for key := range o.All() {
			w.check(key, s.Value("propertyNames"), at)
		}
	}
}

func (w *walker) dependencies(v any, s *jsonvalue.Object, at place) {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return
	}
	for key, dependency := range s.Object("dependencies").All() {
		if !o.Has(key) {
			continue
		}
		child := at.child(key)
		name := property(child.path())
		if one, ok := dependency.(string); ok {
			dependency = []any{one}
		}
		if list, ok := dependency.([]any); ok {
			for _, other := range list {
				if !o.Has(text(other)) {
					w.fail(v, s, at, "dependencies", name, "property "+text(other)+" not found, required by "+name)
				}
			}
			continue
		}
		if w.quiet {
			w.check(v, dependency, child)
			continue
		}
		if inner := w.try(v, dependency, child); len(inner) > 0 {
			w.fail(v, s, at, "dependencies", name, "does not meet dependency required by "+name)
			w.faults = append(w.faults, inner...)
		}
	}
}

func (w *walker) items(v any, s *jsonvalue.Object, at place) {
	list, ok := v.([]any)
	if !ok {
		return
	}
	for i, x := range list {
		schema, there := s.Get("items")
		if each, ok := schema.([]any); ok {
			if i < len(each) {
				schema = each[i]
			} else {
				schema, there = s.Get("additionalItems")
			}
		}
		if !there {
			continue
		}
		if schema == false {
			w.fail(v, s, at, "items", nil, "additionalItems not permitted")
			return
		}
		w.check(x, schema, at.child(float64(i)))
		if w.stopped() {
			return
		}
	}
}

func (w *walker) contains(v any, s *jsonvalue.Object, at place) {
	list, ok := v.([]any)
	if !ok {
		return
	}
	schema := s.Value("contains")
	for i, x := range list {
		if w.passes(x, schema, at.child(float64(i))) {
			return
		}
	}
	w.fail(v, s, at, "contains", schema, "must contain an item matching given schema")
}
