package policy

import (
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// The types of resources that conditions can be about.
const (
	typeEntity   = "catalog-entity"
	typeTemplate = "scaffolder-template"
	typeAction   = "scaffolder-action"
	typeTask     = "scaffolder-task"
)

// valueOfCaller stands for whoever asks among the values of owner.
const valueOfCaller = "caller"

// A condition is what a rule says of the resource under one key.
type condition struct {
	*conditionKind
	// values are the alternatives; pairs are used instead by kinds that have
	// keys of their own, all of which must be there.
	values []string
	pairs  []pair
}

// A pair is a key, and the values of which it must have one; nil: any.
type pair struct {
	key    string
	values []string
}

// A conditionKind is a key of a rule that says something of the resource.
type conditionKind struct {
	key string
	// pairs tells that its value is an object.
	pairs bool
	// canonical returns the form of a value in which it is compared.
	canonical func(string) (string, error)
	// of returns, by type of resource, what makes criteria; the criteria are
	// nil if no resource can meet the condition for this caller.
	of map[string]func(condition, Caller) *permission.Criteria
}

// conditionKinds are all of them, in the order of the documentation.
func conditionKinds() []*conditionKind {
	return []*conditionKind{
		{key: "kind", of: criteriaBy{typeEntity: kindCriteria}},
		{key: "owner", canonical: canonicalOwner, of: criteriaBy{typeEntity: ownerCriteria, typeTask: creatorCriteria}},
		{key: "annotation", pairs: true, of: criteriaBy{typeEntity: pairCriteria("HAS_ANNOTATION", "annotation")}},
		{key: "label", pairs: true, of: criteriaBy{typeEntity: pairCriteria("HAS_LABEL", "label")}},
		{key: "spec", pairs: true, of: criteriaBy{typeEntity: pairCriteria("HAS_SPEC", "key")}},
		{key: "template", canonical: canonicalTemplate, of: criteriaBy{typeEntity: templateCriteria}},
		{key: "tag", of: criteriaBy{typeEntity: tagCriteria, typeTemplate: eachValue(typeTemplate, "HAS_TAG", "tag")}},
		{key: "actionId", of: criteriaBy{typeAction: eachValue(typeAction, "HAS_ACTION_ID", "actionId")}},
	}
}

type criteriaBy = map[string]func(condition, Caller) *permission.Criteria

// criteria returns what a resource must meet; missed is why none can.
func (c condition) criteria(caller Caller, asked permission.Permission) (criteria *permission.Criteria, missed string) {
	of := c.of[asked.ResourceType]
	switch {
	case asked.ResourceType == "":
		return nil, "has " + c.key + ", and the permission is about no resource"
	case of == nil:
		return nil, "has " + c.key + ", which a " + asked.ResourceType + " has not"
	}
	if criteria = of(c, caller); criteria == nil {
		return nil, "is for owners, and nobody is signed in"
	}
	return criteria, ""
}

func test(resourceType, name string, params ...any) *permission.Criteria {
	return &permission.Criteria{Rule: &permission.Rule{Name: name, ResourceType: resourceType, Params: wire.Obj(params...)}}
}

func anyOf(list []*permission.Criteria) *permission.Criteria {
	if len(list) == 1 {
		return list[0]
	}
	return &permission.Criteria{AnyOf: list}
}

// allOf returns nil for an empty list: there is nothing to meet.
func allOf(list []*permission.Criteria) *permission.Criteria {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &permission.Criteria{AllOf: list}
}

func kindCriteria(c condition, _ Caller) *permission.Criteria {
	return test(typeEntity, "IS_ENTITY_KIND", "kinds", wire.Strings(c.values))
}

// owners returns the values with the caller in them as who it is.
func (c condition) owners(caller []string) []string {
	var out []string
	for _, v := range c.values {
		if v == valueOfCaller {
			out = append(out, caller...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func ownerCriteria(c condition, caller Caller) *permission.Criteria {
	claims := c.owners(caller.Owns)
	if len(claims) == 0 {
		return nil
	}
	return test(typeEntity, "IS_ENTITY_OWNER", "claims", wire.Strings(claims))
}

// creatorCriteria is for tasks, which belong to users alone.
func creatorCriteria(c condition, caller Caller) *permission.Criteria {
	var self []string
	if caller.User != "" {
		self = []string{caller.User}
	}
	if caller.subject != "" && caller.subject != caller.User {
		self = append(self, caller.subject)
	}
	users := c.owners(self)
	if len(users) == 0 {
		return nil
	}
	return test(typeTask, "IS_TASK_OWNER", "createdBy", wire.Strings(users))
}

// pairCriteria is for rules that take a key and perhaps a value.
func pairCriteria(name, keyParam string) func(condition, Caller) *permission.Criteria {
	return func(c condition, _ Caller) *permission.Criteria {
		var all []*permission.Criteria
		for _, p := range c.pairs {
			if p.values == nil {
				all = append(all, test(typeEntity, name, keyParam, p.key))
				continue
			}
			var either []*permission.Criteria
			for _, v := range p.values {
				either = append(either, test(typeEntity, name, keyParam, p.key, "value", v))
			}
			all = append(all, anyOf(either))
		}
		return allOf(all)
	}
}

func templateCriteria(c condition, _ Caller) *permission.Criteria {
	var either []*permission.Criteria
	for _, v := range c.values {
		ref, err := catalog.ParseEntityRef(v, "", "")
		if err != nil {
			continue // values were checked
		}
		either = append(either, allOf([]*permission.Criteria{
			test(typeEntity, "IS_ENTITY_KIND", "kinds", []any{ref.Kind}),
			test(typeEntity, "HAS_METADATA", "key", "namespace", "value", ref.Namespace),
			test(typeEntity, "HAS_METADATA", "key", "name", "value", ref.Name),
		}))
	}
	return anyOf(either)
}

func tagCriteria(c condition, _ Caller) *permission.Criteria {
	var either []*permission.Criteria
	for _, v := range c.values {
		either = append(either, test(typeEntity, "HAS_METADATA", "key", "tags."+v))
	}
	return anyOf(either)
}

// eachValue is for rules that take one value of the list.
func eachValue(resourceType, name, param string) func(condition, Caller) *permission.Criteria {
	return func(c condition, _ Caller) *permission.Criteria {
		var either []*permission.Criteria
		for _, v := range c.values {
			either = append(either, test(resourceType, name, param, v))
		}
		return anyOf(either)
	}
}

func canonicalOwner(v string) (string, error) {
	if v == valueOfCaller {
		return v, nil
	}
	return canonicalRef("group")(v)
}

func canonicalTemplate(v string) (string, error) {
	ref, err := canonicalRef("template")(v)
	if err == nil && !strings.HasPrefix(ref, "template:") {
		return "", errNoTemplate
	}
	return ref, err
}

// canonicalRef returns a function that reads refs with a default kind.
func canonicalRef(kind string) func(string) (string, error) {
	return func(v string) (string, error) {
		ref, err := catalog.ParseEntityRef(v, kind, "")
		if err != nil {
			return "", err
		}
		return ref.String(), nil
	}
}

// NewCaller returns the caller that a user ref and what it acts for make.
func NewCaller(user string, owns []string) Caller {
	c := Caller{User: strings.ToLower(user), subject: user}
	for _, ref := range owns {
		if ref = strings.ToLower(ref); !slices.Contains(c.Owns, ref) {
			c.Owns = append(c.Owns, ref)
		}
	}
	return c
}
