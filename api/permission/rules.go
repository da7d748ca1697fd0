package permission

import (
	"fmt"
	"slices"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A RuleSpec describes a rule that conditions on a type of resource are made
// of. What it means is known to the plugin that owns the resource.
type RuleSpec struct {
	Name, About, ResourceType string
	Params                    []RuleParam
}

// A RuleParam is a parameter of a rule.
type RuleParam struct {
	Name, About string
	Type        RuleType
	Required    bool
}

// A RuleType is the type of a parameter.
type RuleType uint8

// The types of parameters.
const (
	RuleText RuleType = iota
	RuleTexts
	RuleNumber
	RuleBoolean
)

func (t RuleType) accepts(v any) bool {
	var ok bool
	switch t {
	case RuleText:
		_, ok = v.(string)
	case RuleTexts:
		var list []any
		if list, ok = v.([]any); ok {
			ok = stringList(list) != nil
		}
	case RuleNumber:
		_, ok = v.(float64)
	case RuleBoolean:
		_, ok = v.(bool)
	}
	return ok
}

func (t RuleType) String() string {
	return [...]string{"string", "array of strings", "number", "boolean"}[t]
}

// FindRule returns the rule that a condition names, with its parameters
// checked.
func FindRule(rules []RuleSpec, r *Rule, resourceType string) (*RuleSpec, error) {
	i := slices.IndexFunc(rules, func(known RuleSpec) bool { return known.Name == r.Name && known.ResourceType == resourceType })
	if i < 0 || r.ResourceType != resourceType {
		return nil, catalog.NewError(catalog.NameInput,
			fmt.Sprintf("Permission rule '%s' does not exist for resource type '%s'", r.Name, r.ResourceType))
	}
	if err := rules[i].check(r.Params); err != nil {
		return nil, catalog.WrapError(catalog.NameInput, "Parameters to rule are invalid", err)
	}
	return &rules[i], nil
}

func (r *RuleSpec) check(params *jsonvalue.Object) error {
	for _, p := range r.Params {
		v, there := params.Get(p.Name)
		switch {
		case !there && !p.Required:
		case !there:
			return wire.InputError(`Required at "` + p.Name + `"`)
		case !p.Type.accepts(v):
			return wire.InputError("Expected " + p.Type.String() + ` at "` + p.Name + `"`)
		}
	}
	for key := range params.All() {
		if !slices.ContainsFunc(r.Params, func(p RuleParam) bool { return p.Name == key }) {
			return wire.InputError("Unrecognized key(s) in object: '" + key + "'")
		}
	}
	return nil
}

// describe writes the rule as the metadata route shows it.
func (r *RuleSpec) describe() *jsonvalue.Object {
	properties, required := jsonvalue.NewObject(), []any{}
	for _, p := range r.Params {
		d := wire.Obj("type", p.Type.String(), "description", p.About)
		if p.Type == RuleTexts {
			d = wire.Obj("type", "array", "items", wire.Obj("type", "string"), "description", p.About)
		}
		properties.Set(p.Name, d)
		if p.Required {
			required = append(required, p.Name)
		}
	}
	return wire.Obj("name", r.Name, "description", r.About, "resourceType", r.ResourceType,
		"paramsSchema", wire.Obj("type", "object", "properties", properties, "required", required,
			"additionalProperties", false, "$schema", "http://json-schema.org/draft-07/schema#"))
}

// Metadata is what the metadata route of a plugin answers.
func Metadata(permissions []Permission, rules []RuleSpec) any {
	list := []any{}
	for _, p := range permissions {
		attributes := jsonvalue.NewObject()
		if p.Action != "" {
			attributes.Set("action", p.Action)
		}
		o := wire.Obj("type", "basic", "name", p.Name, "attributes", attributes)
		if p.ResourceType != "" {
			o.Set("type", "resource")
			o.Set("resourceType", p.ResourceType)
		}
		list = append(list, o)
	}
	described := []any{}
	for i := range rules {
		described = append(described, rules[i].describe())
	}
	return wire.Obj("permissions", list, "rules", described)
}
