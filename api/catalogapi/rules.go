package catalogapi

import (
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A rule is a test that conditions on entities are made of. It is defined by
// the filter predicate that it stands for, so that a list that is filtered by
// it and a single entity that it is applied to agree.
type rule struct {
	permission.RuleSpec
	predicate func(params *jsonvalue.Object) *jsonvalue.Object
}

// rules are those that the metadata route lists, in its order.
var rules = [...]rule{
	{permission.RuleSpec{Name: "HAS_ANNOTATION", About: "Entities that have an annotation", ResourceType: EntityType, Params: []permission.RuleParam{
		{Name: "annotation", About: "The annotation's key", Required: true}, {Name: "value", About: "The value it must have; any, if left out"}}},
		func(p *jsonvalue.Object) *jsonvalue.Object {
			return hasValue("metadata.annotations."+p.String("annotation"), p)
		}},
	{permission.RuleSpec{Name: "HAS_LABEL", About: "Entities that have a label", ResourceType: EntityType, Params: []permission.RuleParam{
		{Name: "label", About: "The label's key", Required: true}, {Name: "value", About: "The value it must have; any, if left out"}}},
		func(p *jsonvalue.Object) *jsonvalue.Object { return hasValue("metadata.labels."+p.String("label"), p) }},
	{permission.RuleSpec{Name: "HAS_METADATA", About: "Entities that have a field in their metadata", ResourceType: EntityType, Params: []permission.RuleParam{
		{Name: "key", About: "The field's path below metadata", Required: true}, {Name: "value", About: "The value it must have; any, if left out"}}},
		func(p *jsonvalue.Object) *jsonvalue.Object { return hasValue("metadata."+p.String("key"), p) }},
	{permission.RuleSpec{Name: "HAS_SPEC", About: "Entities that have a field in their spec", ResourceType: EntityType, Params: []permission.RuleParam{
		{Name: "key", About: "The field's path below spec", Required: true}, {Name: "value", About: "The value it must have; any, if left out"}}},
		func(p *jsonvalue.Object) *jsonvalue.Object { return hasValue("spec."+p.String("key"), p) }},
	{permission.RuleSpec{Name: "IS_ENTITY_KIND", About: "Entities of one of some kinds", ResourceType: EntityType, Params: []permission.RuleParam{
		{Name: "kinds", About: "The kinds, whatever their case", Type: permission.RuleTexts, Required: true}}},
		func(p *jsonvalue.Object) *jsonvalue.Object {
			return wire.Obj("kind", wire.Obj("$in", p.Value("kinds")))
		}},
	{permission.RuleSpec{Name: "IS_ENTITY_OWNER", About: "Entities that one of some users and groups owns", ResourceType: EntityType, Params: []permission.RuleParam{
		{Name: "claims", About: "The entity refs of the users and groups", Type: permission.RuleTexts, Required: true}}},
		func(p *jsonvalue.Object) *jsonvalue.Object {
			return wire.Obj("relations.ownedBy", wire.Obj("$in", p.Value("claims")))
		}},
}

// ruleSpecs describes the rules.
func ruleSpecs() []permission.RuleSpec {
	out := make([]permission.RuleSpec, len(rules))
	for i := range rules {
		out[i] = rules[i].RuleSpec
	}
	return out
}

func hasValue(key string, params *jsonvalue.Object) *jsonvalue.Object {
	if value, ok := params.Get("value"); ok {
		return wire.Obj(key, value)
	}
	return wire.Obj(key, wire.Obj("$exists", true))
}

// Predicate returns the filter predicate that criteria on entities stand for
// where they are applied to single ones.
func Predicate(c *permission.Criteria) (*jsonvalue.Object, error) { return predicateOf(c, true) }

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
	spec, err := permission.FindRule(ruleSpecs(), r, EntityType)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rules[:], func(known rule) bool { return known.Name == spec.Name })
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
