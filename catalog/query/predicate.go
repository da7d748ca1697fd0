package query

import (
	"fmt"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxPredicateDepth bounds how deep operators nest. Requests nest a handful.
const maxPredicateDepth = 100

// ParsePredicate reads a filter predicate, a JSON value: $all, $any and $not
// of predicates, or an object of keys and what their values must be. An absent
// predicate, v nil, is All.
func ParsePredicate(v any) (Filter, error) {
	if v == nil {
		return All{}, nil
	}
	p := predicateParser{}
	return p.predicate(v, path{}, 0)
}

// A predicateParser counts terms on its way through a predicate.
type predicateParser struct{ terms int }

func (p *predicateParser) count(n int) error {
	if p.terms += n; p.terms > maxTerms {
		return errTooManyTerms
	}
	return nil
}

func (p *predicateParser) predicate(v any, at path, depth int) (Filter, error) {
	if depth > maxPredicateDepth {
		return nil, inputError(fmt.Sprintf("Invalid query: nested deeper than %d operators", maxPredicateDepth))
	}
	if err := p.count(1); err != nil {
		return nil, err
	}
	if isScalar(v) {
		return nil, errScalarPredicate()
	}
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return nil, invalidQuery(at.predicateIssues(v))
	}
	if op, operand, ok := soleOperator(o); ok {
		return p.operator(op, operand, at, depth)
	}
	return p.fields(o, at, depth)
}

func errScalarPredicate() error {
	return inputError(`Invalid filter predicate: top-level primitive values are not supported. Wrap the value in a field expression, e.g. { "kind": "component" }`)
}

// soleOperator returns the operator of an object that has it as its only key.
func soleOperator(o *jsonvalue.Object) (op string, operand any, ok bool) {
	if o.Len() != 1 {
		return "", nil, false
	}
	m := o.Members()[0]
	switch m.Key {
	case "$all", "$any", "$not":
		return m.Key, m.Value, true
	}
	return "", nil, false
}

func (p *predicateParser) operator(op string, operand any, at path, depth int) (Filter, error) {
	at = at.key(op)
	if op == "$not" {
		f, err := p.predicate(operand, at, depth+1)
		return Not{f}, err
	}
	list, ok := operand.([]any)
	if !ok {
		return nil, invalidQuery(at.expected("array", operand))
	}
	filters := make([]Filter, len(list))
	for i, v := range list {
		var err error
		if filters[i], err = p.predicate(v, at.index(i), depth+1); err != nil {
			return nil, err
		}
	}
	if op == "$any" {
		return Or(filters), nil
	}
	return And(filters), nil
}

func (p *predicateParser) fields(o *jsonvalue.Object, at path, depth int) (Filter, error) {
	for key := range o.All() {
		if strings.HasPrefix(key, "$") {
			return nil, invalidQuery(`Invalid` + at.key(key).suffix())
		}
	}
	filters := make(And, 0, o.Len())
	for key, v := range o.All() {
		f, err := p.field(key, v, at.key(key), depth)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	if len(filters) == 1 {
		return filters[0], nil
	}
	return filters, nil
}

// field reads what the values of one key must be. Of several operators the
// first in the order below decides.
func (p *predicateParser) field(key string, v any, at path, depth int) (Filter, error) {
	if err := p.count(1); err != nil {
		return nil, err
	}
	if s, ok := scalarText(v); ok {
		return In{Lower(key), []string{Lower(s)}}, nil
	}
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return nil, invalidQuery(at.valueIssues(v))
	}
	if want, ok := o.Value("$exists").(bool); ok {
		if want {
			return Exists{Lower(key)}, nil
		}
		return Not{Exists{Lower(key)}}, nil
	}
	if list, ok := scalarTexts(o.Value("$in")); ok {
		return In{Lower(key), list}, p.count(len(list))
	}
	if operand, ok := o.Get("$contains"); ok {
		return p.contains(key, operand, at.key("$contains"), depth)
	}
	if prefix, ok := o.Value("$hasPrefix").(string); ok {
		return HasPrefix{Lower(key), Lower(prefix)}, nil
	}
	return nil, invalidQuery(at.valueIssues(v))
}

// contains reads the operand of $contains: a scalar is one of the values; an
// object means a relation, and is understood under that key only.
func (p *predicateParser) contains(key string, operand any, at path, depth int) (Filter, error) {
	if s, ok := scalarText(operand); ok {
		return In{Lower(key), []string{Lower(s)}}, nil
	}
	o, ok := operand.(*jsonvalue.Object)
	if !ok {
		return nil, invalidQuery(at.predicateIssues(operand))
	}
	if Lower(key) != "relations" {
		// What is not even a predicate is refused for that first.
		if _, err := p.predicate(o, at, depth+1); err != nil {
			return nil, err
		}
		return nil, inputError(`Object form of $contains is not supported for field "` + key + `"`)
	}
	return p.relation(o)
}

func (p *predicateParser) relation(o *jsonvalue.Object) (Filter, error) {
	var relationType string
	var target any
	var hasTarget bool
	for key, v := range o.All() {
		switch Lower(key) {
		case "type":
			relationType, _ = v.(string)
		case "targetref":
			target, hasTarget = v, true
		default:
			return nil, inputError(`Unsupported key "` + key + `" in $contains for "relations". Only "type" and "targetRef" are supported`)
		}
	}
	if relationType == "" {
		return nil, inputError(`The $contains operator for "relations" requires a "type" string property`)
	}
	key := "relations." + Lower(relationType)
	if !hasTarget {
		return Exists{key}, nil
	}
	if s, ok := target.(string); ok {
		return In{key, []string{Lower(s)}}, nil
	}
	in, _ := target.(*jsonvalue.Object)
	list, ok := in.Value("$in").([]any)
	if !ok {
		return nil, inputError(`The "targetRef" of $contains on "relations" must be a string or {"$in": [strings]}`)
	}
	if len(list) == 0 {
		return nil, inputError(`Empty "$in" array for $contains on "relations" is not allowed`)
	}
	return p.relationTargets(key, list)
}

func (p *predicateParser) relationTargets(key string, list []any) (Filter, error) {
	refs := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, inputError(`The "$in" array for $contains on "relations" must hold strings`)
		}
		refs[i] = Lower(s)
	}
	return In{key, refs}, p.count(len(refs))
}

// scalarText returns a string, number or boolean as the text it is compared
// as, in its own casing.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return jsonvalue.FormatNumber(v), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}

// scalarTexts returns a list of scalars as lower-cased texts.
func scalarTexts(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]string, len(list))
	for i, v := range list {
		s, ok := scalarText(v)
		if !ok {
			return nil, false
		}
		out[i] = Lower(s)
	}
	return out, true
}
