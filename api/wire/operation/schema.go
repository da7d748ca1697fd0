package operation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Schema describes a JSON value of a request body: the few words of JSON
// Schema that the operations need.
type Schema struct {
	Type       string // object, array, string, number, boolean; "" is anything
	Properties []Property
	Required   []string
	Closed     bool    // no properties but those that are named
	Values     *Schema // of properties that are not named; nil: anything
	Items      *Schema
	Enum       []string
}

// A Property is a named member of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// check returns what is wrong with v, "" if nothing is. Only the first fault is
// reported, and faults are looked for in the order of the reference: the type,
// missing properties, surplus ones, then what is inside.
func (s *Schema) check(v any, path string) string {
	if s.Type != "" && s.Type != TypeOf(v) {
		return path + " must be " + s.Type
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		return s.checkObject(v, path)
	case []any:
		for i, item := range v {
			if s.Items == nil {
				break
			}
			if fault := s.Items.check(item, path+"/"+strconv.Itoa(i)); fault != "" {
				return fault
			}
		}
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			return path + " must be equal to one of the allowed values: " + strings.Join(s.Enum, ", ")
		}
	}
	return ""
}

func (s *Schema) checkObject(o *jsonvalue.Object, path string) string {
	for _, name := range s.Required {
		if !o.Has(name) {
			return path + " must have required property '" + name + "'"
		}
	}
	for key, v := range o.All() {
		if slices.ContainsFunc(s.Properties, func(p Property) bool { return p.Name == key }) {
			continue
		}
		if s.Closed {
			return path + " must NOT have additional properties"
		}
		if s.Values != nil {
			if fault := s.Values.check(v, path+"/"+key); fault != "" {
				return fault
			}
		}
	}
	for _, p := range s.Properties {
		if v, ok := o.Get(p.Name); ok {
			if fault := p.Schema.check(v, path+"/"+p.Name); fault != "" {
				return fault
			}
		}
	}
	return ""
}

// TypeOf returns the name that JSON Schema has for the type of a value.
func TypeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}
