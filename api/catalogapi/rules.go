package catalogapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A rule is a test that conditions on entities are made of. It is defined by
// the filter predicate that it stands for, so that a list that is filtered by
// it and a single entity that it is applied to agree.
type rule struct {
	name, about string
	params      []ruleParam
	predicate   func(params *jsonvalue.Object) *jsonvalue.Object
}

type ruleParam struct {
	name, about    string
	list, required bool
}

// rules are those that the metadata route lists, in its order.
var rules = [...]rule{
	{"HAS_ANNOTATION", "Entities that have an annotation",
		[]ruleParam{{"annotation", "The annotation's key", false, true}, {"value", "The value it must have; any, if left out", false, false}},
		func(p *jsonvalue.Object) *jsonvalue.Object {
			return hasValue("metadata.annotations."+p.String("annotation"), p)
		}},
	{"HAS_LABEL", "Entities that have a label",
		[]ruleParam{{"label", "The label's key", false, true}, {"value", "The value it must have; any, if left out", false, false}},
		func(p *jsonvalue.Object) *jsonvalue.Object { return hasValue("metadata.labels."+p.String("label"), p) }},
	{"HAS_METADATA", "Entities that have a field in their metadata",
		[]ruleParam{{"key", "The field's path below metadata", false, true}, {"value", "The value it must have; any, if left out", false, false}},
		func(p *jsonvalue.Object) *jsonvalue.Object { return hasValue("metadata."+p.String("key"), p) }},
	{"HAS_SPEC", "Entities that have a field in their spec",
		[]ruleParam{{"key", "The field's path below spec", false, true}, {"value", "The value it must have; any, if left out", false, false}},
		func(p *jsonvalue.Object) *jsonvalue.Object { return hasValue("spec."+p.String("key"), p) }},
	{"IS_ENTITY_KIND", "Entities of one of some kinds",
		[]ruleParam{{"kinds", "The kinds, whatever their case", true, true}},
		func(p *jsonvalue.Object) *jsonvalue.Object {
			return wire.Obj("kind", wire.Obj("$in", p.Value("kinds")))
		}},
	{"IS_ENTITY_OWNER", "Entities that one of some users and groups owns",
		[]ruleParam{{"claims", "The entity refs of the users and groups", true, true}},
		func(p *jsonvalue.Object) *jsonvalue.Object {
			return wire.Obj("relations.ownedBy", wire.Obj("$in", p.Value("claims")))
		}},
}

func hasValue(key string, params *jsonvalue.Object) *jsonvalue.Object {
	if value, ok := params.Get("value"); ok {
		return wire.Obj(key, value)
	}
	return wire.Obj(key, wire.Obj("$exists", true))
}

// predicateOf turns criteria into the filter predicate they stand for. Exact
// compares owners with their case, as apply-conditions does and lists do not.
func predicateOf(c *permission.Criteria, exact bool) (*jsonvalue.Object, error) {
	switch {
	case c.Rule != nil:
		return rulePredicate(c.Rule, exact)
	case c.Not != nil:
		inner, err := predicateOf(c.Not, exact)
		return wire.Obj("$not", inner), err
	case len(c.AllOf) > 0:
		return predicateList("$all", c.AllOf, exact)
	}
	return predicateList("$any", c.AnyOf, exact)
}

func predicateList(operator string, list []*permission.Criteria, exact bool) (*jsonvalue.Object, error) {
	out := make([]any, len(list))
	for i, c := range list {
		p, err := predicateOf(c, exact)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return wire.Obj(operator, out), nil
}

func rulePredicate(r *permission.Rule, exact bool) (*jsonvalue.Object, error) {
	i := slices.IndexFunc(rules[:], func(known rule) bool { return known.name == r.Name })
	if i < 0 || r.ResourceType != EntityType {
		return nil, catalog.NewError(catalog.NameError,
			fmt.Sprintf("Permission rule '%s' does not exist for resource type '%s'", r.Name, r.ResourceType))
	}
	if err := rules[i].check(r.Params); err != nil {
		return nil, catalog.WrapError(catalog.NameInput, "Parameters to rule are invalid", err)
	}
	params := r.Params
	if exact && r.Name == "IS_ENTITY_OWNER" {
		params = wire.Obj("claims", lowerCase(params.Value("claims").([]any)))
	}
	return rules[i].predicate(params), nil
}

// lowerCase leaves out what is not in lower case: it cannot equal a ref.
func lowerCase(claims []any) []any {
	out := []any{}
	for _, c := range claims {
		if s, _ := c.(string); s == strings.ToLower(s) {
			out = append(out, c)
		}
	}
	return out
}

func (r *rule) check(params *jsonvalue.Object) error {
	for _, p := range r.params {
		v, there := params.Get(p.name)
		switch _, isText := v.(string); {
		case !there && !p.required:
		case !there:
			return wire.InputError(`Required at "` + p.name + `"`)
		case p.list && !isTextList(v):
			return wire.InputError(`Expected array of strings at "` + p.name + `"`)
		case !p.list && !isText:
			return wire.InputError(`Expected string at "` + p.name + `"`)
		}
	}
	for key := range params.All() {
		if !slices.ContainsFunc(r.params, func(p ruleParam) bool { return p.name == key }) {
			return wire.InputError("Unrecognized key(s) in object: '" + key + "'")
		}
	}
	return nil
}

func isTextList(v any) bool {
	list, ok := v.([]any)
	return ok && !slices.ContainsFunc(list, func(v any) bool {
		_, isText := v.(string)
		return !isText
	})
}

// describe writes the rule as the metadata route shows it.
func (r *rule) describe() *jsonvalue.Object {
	properties, required := jsonvalue.NewObject(), []any{}
	for _, p := range r.params {
		d := wire.Obj("type", "string", "description", p.about)
		if p.list {
			d = wire.Obj("type", "array", "items", wire.Obj("type", "string"), "description", p.about)
		}
		properties.Set(p.name, d)
		if p.required {
			required = append(required, p.name)
		}
	}
	return wire.Obj("name", r.name, "description", r.about, "resourceType", EntityType,
		"paramsSchema", wire.Obj("type", "object", "properties", properties, "required", required,
			"additionalProperties", false, "$schema", "http://json-schema.org/draft-07/schema#"))
}
