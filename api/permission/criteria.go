package permission

import (
	"errors"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxDepth bounds criteria that come from outside.
const maxDepth = 32

var errCriteria = errors.New("conditions must be {rule, resourceType, params?}, {anyOf: […]}, {allOf: […]} or {not: …}")

// ParseCriteria reads criteria from their wire form. Empty lists, unknown
// shapes and trees deeper than 32 are errors.
func ParseCriteria(v any) (*Criteria, error) {
	c, err := parseCriteria(v, 0)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func parseCriteria(v any, depth int) (*Criteria, error) {
	o, ok := v.(*jsonvalue.Object)
	if !ok || depth > maxDepth {
		return nil, errCriteria
	}
	switch {
	case o.Has("anyOf"):
		list, err := parseList(o.Value("anyOf"), depth)
		return &Criteria{AnyOf: list}, err
	case o.Has("allOf"):
		list, err := parseList(o.Value("allOf"), depth)
		return &Criteria{AllOf: list}, err
	case o.Has("not"):
		not, err := parseCriteria(o.Value("not"), depth+1)
		return &Criteria{Not: not}, err
	}
	params := o.Object("params")
	if o.String("rule") == "" || o.String("resourceType") == "" || o.Has("params") && params == nil {
		return nil, errCriteria
	}
	return &Criteria{Rule: &Rule{o.String("rule"), o.String("resourceType"), params}}, nil
}

func parseList(v any, depth int) ([]*Criteria, error) {
	items, _ := v.([]any)
	if len(items) == 0 {
		return nil, errCriteria
	}
	out := make([]*Criteria, len(items))
	for i, item := range items {
		c, err := parseCriteria(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

// JSON returns the criteria in their wire form.
func (c *Criteria) JSON() *jsonvalue.Object {
	switch {
	case c.Rule != nil:
		o := wire.Obj("rule", c.Rule.Name, "resourceType", c.Rule.ResourceType)
		if c.Rule.Params != nil {
			o.Set("params", c.Rule.Params)
		}
		return o
	case c.Not != nil:
		return wire.Obj("not", c.Not.JSON())
	case c.AllOf != nil:
		return wire.Obj("allOf", listJSON(c.AllOf))
	}
	return wire.Obj("anyOf", listJSON(c.AnyOf))
}

func listJSON(list []*Criteria) []any {
	out := make([]any, len(list))
	for i, c := range list {
		out[i] = c.JSON()
	}
	return out
}
