package catalogapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A schema describes a JSON value of a request body: the few words of JSON
// Schema that the operations need.
type schema struct {
	typ        string // object, array, string, number; "" is anything
	properties []property
	required   []string
	closed     bool // no properties but those that are named
	items      *schema
	enum       []string
}

type property struct {
	name   string
	schema *schema
}

// check returns what is wrong with v, "" if nothing is. Only the first fault is
// reported, and faults are looked for in the order of the reference: the type,
// missing properties, surplus ones, then what is inside.
func (s *schema) check(v any, path string) string {
	if s.typ != "" && s.typ != typeOf(v) {
		return path + " must be " + s.typ
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		return s.checkObject(v, path)
	case []any:
		for i, item := range v {
			if s.items == nil {
				break
			}
			if fault := s.items.check(item, path+"/"+strconv.Itoa(i)); fault != "" {
				return fault
			}
		}
	case string:
		if s.enum != nil && !slices.Contains(s.enum, v) {
			return path + " must be equal to one of the allowed values: " + strings.Join(s.enum, ", ")
		}
	}
	return ""
}

func (s *schema) checkObject(o *jsonvalue.Object, path string) string {
	for _, name := range s.required {
		if !o.Has(name) {
			return path + " must have required property '" + name + "'"
		}
	}
	for key := range o.All() {
		if s.closed && !slices.ContainsFunc(s.properties, func(p property) bool { return p.name == key }) {
			return path + " must NOT have additional properties"
		}
	}
	for _, p := range s.properties {
		if v, ok := o.Get(p.name); ok {
			if fault := p.schema.check(v, path+"/"+p.name); fault != "" {
				return fault
			}
		}
	}
	return ""
}

func typeOf(v any) string {
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
