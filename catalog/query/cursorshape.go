package query

import (
	"bytes"
	"encoding/json"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxIssues bounds how much is said of a cursor that is wrong all over.
const maxIssues = 20

// A shape reads the parts of a cursor and notes what has the wrong form.
type shape struct{ issues []any }

func (s *shape) note(o *jsonvalue.Object) {
	if len(s.issues) < maxIssues {
		s.issues = append(s.issues, o)
	}
}

// wrongType notes that there should have been a value of another type; there
// is false where there is none at all.
func (s *shape) wrongType(want string, v any, there bool, at ...any) {
	received, message := "undefined", "Required"
	if there {
		received = typeName(v)
		message = "Expected " + want + ", received " + received
	}
	s.note(jsonvalue.NewObject(
		jsonvalue.Member{Key: "code", Value: "invalid_type"},
		jsonvalue.Member{Key: "expected", Value: want},
		jsonvalue.Member{Key: "received", Value: received},
		jsonvalue.Member{Key: "path", Value: at},
		jsonvalue.Member{Key: "message", Value: message},
	))
}

// text returns the issues as indented JSON.
func (s *shape) text() string {
	var b bytes.Buffer
	if err := json.Indent(&b, jsonvalue.Append(nil, s.issues), "", "  "); err != nil {
		return err.Error()
	}
	return b.String()
}

func (s *shape) cursor(v any) *Cursor {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		s.wrongType("object", v, true)
		return nil
	}
	c := &Cursor{}
	c.Order = s.orders(o)
	c.Position = s.position(o, "orderFieldValues", true)
	c.Query = s.object(o, "query")
	c.Legacy = s.object(o, "filter")
	c.First = s.position(o, "firstSortFieldValues", false)
	c.Text = s.fullText(o)
	previous, there := o.Get("isPrevious")
	if c.Previous, ok = previous.(bool); !ok {
		s.wrongType("boolean", previous, there, "isPrevious")
	}
	if total, there := o.Get("totalItems"); there {
		if c.Total, c.HasTotal = total.(float64); !c.HasTotal {
			s.wrongType("number", total, true, "totalItems")
		}
	}
	return c
}

// orders reads the list of orders, of which the first counts.
func (s *shape) orders(o *jsonvalue.Object) *Order {
	v, there := o.Get("orderFields")
	list, ok := v.([]any)
	if !ok {
		s.wrongType("array", v, there, "orderFields")
		return nil
	}
	var first *Order
	for i, v := range list {
		one, ok := v.(*jsonvalue.Object)
		if !ok {
			s.wrongType("object", v, true, "orderFields", float64(i))
			continue
		}
		field, there := one.Get("field")
		if _, ok := field.(string); !ok {
			s.wrongType("string", field, there, "orderFields", float64(i), "field")
		}
		direction, there := one.Get("order")
		if direction != "asc" && direction != "desc" {
			s.direction(direction, there, float64(i))
		}
		if i == 0 {
			first = &Order{Field: one.String("field"), Descending: direction == "desc"}
		}
	}
	return first
}

func (s *shape) direction(v any, there bool, i float64) {
	text, ok := v.(string)
	if !ok {
		s.wrongType("'asc' | 'desc'", v, there, "orderFields", i, "order")
		return
	}
	s.note(jsonvalue.NewObject(
		jsonvalue.Member{Key: "received", Value: text},
		jsonvalue.Member{Key: "code", Value: "invalid_enum_value"},
		jsonvalue.Member{Key: "options", Value: []any{"asc", "desc"}},
		jsonvalue.Member{Key: "path", Value: []any{"orderFields", i, "order"}},
		jsonvalue.Member{Key: "message", Value: "Invalid enum value. Expected 'asc' | 'desc', received '" + text + "'"},
	))
}

func (s *shape) position(o *jsonvalue.Object, key string, required bool) []*string {
	v, there := o.Get(key)
	if !there && !required {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		s.wrongType("array", v, there, key)
		return nil
	}
	out := make([]*string, len(list))
	for i, v := range list {
		if text, ok := v.(string); ok {
			out[i] = &text
		} else if v != nil {
			s.wrongType("string", v, true, key, float64(i))
		}
	}
	return out
}

func (s *shape) object(o *jsonvalue.Object, key string) *jsonvalue.Object {
	v, there := o.Get(key)
	x, ok := v.(*jsonvalue.Object)
	if there && !ok {
		s.wrongType("object", v, true, key)
	}
	return x
}

func (s *shape) fullText(o *jsonvalue.Object) *Text {
	v := s.object(o, "fullTextFilter")
	if v == nil {
		return nil
	}
	t := &Text{}
	term, there := v.Get("term")
	var ok bool
	if t.Term, ok = term.(string); !ok {
		s.wrongType("string", term, there, "fullTextFilter", "term")
	}
	fields, there := v.Get("fields")
	if !there {
		return t
	}
	list, ok := fields.([]any)
	if !ok {
		s.wrongType("array", fields, true, "fullTextFilter", "fields")
	}
	t.Fields = make([]string, len(list))
	for i, f := range list {
		if t.Fields[i], ok = f.(string); !ok {
			s.wrongType("string", f, true, "fullTextFilter", "fields", float64(i))
		}
	}
	return t
}
