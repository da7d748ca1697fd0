package query

import (
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A LocationPredicate tells whether a registered location matches.
type LocationPredicate func(catalog.Location) bool

// ParseLocationPredicate reads a filter predicate on registered locations. Its
// grammar is that of ParsePredicate, its meaning differs: keys are the four
// columns id, type, target and entityRef, $all of nothing matches nothing,
// $contains never matches, and $in on id minds the case. A nil v matches all.
func ParseLocationPredicate(v any) (LocationPredicate, error) {
	if v == nil {
		return func(catalog.Location) bool { return true }, nil
	}
	p := locationParser{}
	return p.predicate(v, path{}, 0)
}

type locationParser struct{ predicateParser }

func (p *locationParser) predicate(v any, at path, depth int) (LocationPredicate, error) {
	if depth > maxPredicateDepth {
		return nil, inputError("Invalid query: nested too deep")
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
		return p.operator(op, operand, at.key(op), depth)
	}
	tests := make([]LocationPredicate, 0, o.Len())
	for key, value := range o.All() {
		test, err := p.field(key, value, at.key(key))
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return every(tests), nil
}

func every(tests []LocationPredicate) LocationPredicate {
	return func(l catalog.Location) bool {
		return !slices.ContainsFunc(tests, func(t LocationPredicate) bool { return !t(l) })
	}
}

func (p *locationParser) operator(op string, operand any, at path, depth int) (LocationPredicate, error) {
	if op == "$not" {
		inner, err := p.predicate(operand, at, depth+1)
		return func(l catalog.Location) bool { return !inner(l) }, err
	}
	list, ok := operand.([]any)
	if !ok {
		return nil, invalidQuery(at.expected("array", operand))
	}
	tests := make([]LocationPredicate, len(list))
	for i, v := range list {
		var err error
		if tests[i], err = p.predicate(v, at.index(i), depth+1); err != nil {
			return nil, err
		}
	}
	switch {
	case len(tests) == 0:
		return func(catalog.Location) bool { return false }, nil
	case op == "$all":
		return every(tests), nil
	}
	return func(l catalog.Location) bool {
		return slices.ContainsFunc(tests, func(t LocationPredicate) bool { return t(l) })
	}, nil
}

// A column is one text of a location.
type column func(catalog.Location) string

func locationColumn(key string) (column, error) {
	switch Lower(key) {
	case "id":
		return func(l catalog.Location) string { return l.ID }, nil
	case "type":
		return func(l catalog.Location) string { return l.Type }, nil
	case "target":
		return func(l catalog.Location) string { return l.Target }, nil
	case "entityref":
		return func(l catalog.Location) string { return l.EntityRef }, nil
	}
	return nil, inputError("Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got '" + key + "'")
}

func (p *locationParser) field(key string, v any, at path) (LocationPredicate, error) {
	if strings.HasPrefix(key, "$") {
		return nil, invalidQuery(`Invalid` + at.suffix())
	}
	of, err := locationColumn(key)
	if err != nil {
		return nil, err
	}
	if err := p.count(1); err != nil {
		return nil, err
	}
	if want, ok := scalarText(v); ok {
		want = Lower(want)
		return func(l catalog.Location) bool { return Lower(of(l)) == want }, nil
	}
	o, _ := v.(*jsonvalue.Object)
	if want, ok := o.Value("$exists").(bool); ok {
		return func(l catalog.Location) bool { return (of(l) != "") == want }, nil
	}
	if list, ok := o.Value("$in").([]any); ok && !slices.ContainsFunc(list, func(v any) bool { return !isScalar(v) }) {
		return p.in(of, Lower(key) == "id", list)
	}
	if o.Has("$contains") {
		return func(catalog.Location) bool { return false }, nil
	}
	if prefix, ok := o.Value("$hasPrefix").(string); ok {
		prefix = Lower(prefix)
		return func(l catalog.Location) bool { return strings.HasPrefix(Lower(of(l)), prefix) }, nil
	}
	return nil, invalidQuery(at.valueIssues(v))
}

func (p *locationParser) in(of column, exact bool, list []any) (LocationPredicate, error) {
	fold := Lower
	if exact {
		fold = func(s string) string { return s }
	}
	set := make(map[string]bool, len(list))
	for _, v := range list {
		s, _ := scalarText(v)
		set[fold(s)] = true
	}
	return func(l catalog.Location) bool { return set[fold(of(l))] }, p.count(len(list))
}
