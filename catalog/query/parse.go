package query

import (
	"fmt"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxTerms bounds the values, keys and operators of one filter. The largest
// request body holds fewer.
const maxTerms = 50_000

var errTooManyTerms = inputError(fmt.Sprintf("Invalid filter, it has more than %d terms", maxTerms))

// ParseFilter reads filter parameters, of which one must match. Each is a list
// of conditions separated by commas, key or key=value; conditions on one key
// are alternatives, different keys must all match. The result is nil if there
// is no condition at all.
func ParseFilter(params []string) (Filter, error) {
	sets, err := parseSets(params)
	if err != nil || len(sets) == 0 {
		return nil, err
	}
	out := make(Or, len(sets))
	for i, set := range sets {
		out[i] = set.filter()
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return out, nil
}

// FilterPredicate returns the filter predicate that means what filter
// parameters mean, nil if there is no condition. It cannot say every one of
// them: ok is false where a key looks like an operator.
func FilterPredicate(params []string) (predicate *jsonvalue.Object, ok bool, err error) {
	sets, err := parseSets(params)
	if err != nil || len(sets) == 0 {
		return nil, true, err
	}
	list := make([]any, len(sets))
	for i, set := range sets {
		for _, c := range set {
			if strings.HasPrefix(c.key, "$") {
				return nil, false, nil
			}
		}
		list[i] = set.predicate()
	}
	if len(list) == 1 {
		return list[0].(*jsonvalue.Object), true, nil
	}
	return jsonvalue.NewObject(jsonvalue.Member{Key: "$any", Value: list}), true, nil
}

// A condition is what one filter parameter says of one key: it exists, or it
// has one of the values.
type condition struct {
	key    string
	values []string
}

type conditionSet []condition

func (s conditionSet) filter() Filter {
	out := make(And, len(s))
	for i, c := range s {
		if c.values == nil {
			out[i] = Exists{Lower(c.key)}
			continue
		}
		values := make([]string, len(c.values))
		for j, v := range c.values {
			values[j] = Lower(v)
		}
		out[i] = In{Lower(c.key), values}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

func (s conditionSet) predicate() *jsonvalue.Object {
	list := make([]any, len(s))
	for i, c := range s {
		o := jsonvalue.NewObject()
		switch len(c.values) {
		case 0:
			o.Set(c.key, operator("$exists", true))
		case 1:
			o.Set(c.key, c.values[0])
		default:
			in := make([]any, len(c.values))
			for j, v := range c.values {
				in[j] = v
			}
			o.Set(c.key, operator("$in", in))
		}
		list[i] = o
	}
	if len(list) == 1 {
		return list[0].(*jsonvalue.Object)
	}
	return operator("$all", list)
}

func operator(name string, operand any) *jsonvalue.Object {
	return jsonvalue.NewObject(jsonvalue.Member{Key: name, Value: operand})
}

func parseSets(params []string) ([]conditionSet, error) {
	var sets []conditionSet
	terms := 0
	for _, param := range params {
		if terms += 1 + strings.Count(param, ","); terms > maxTerms {
			return nil, errTooManyTerms
		}
		set, err := parseSet(param)
		if err != nil {
			return nil, err
		}
		if len(set) > 0 {
			sets = append(sets, set)
		}
	}
	return sets, nil
}

func parseSet(param string) (conditionSet, error) {
	var set conditionSet
	places := map[string]int{}
	for statement := range strings.SplitSeq(param, ",") {
		if statement = trim(statement); statement == "" {
			continue
		}
		key, value, hasValue := strings.Cut(statement, "=")
		if key = trim(key); key == "" {
			return nil, inputError("Invalid filter, '" + statement + "' is not a valid statement (expected a string on the form a=b or a= or a)")
		}
		i, known := places[key]
		if !known {
			i = len(set)
			places[key] = i
			set = append(set, condition{key: key})
		}
		if hasValue {
			set[i].values = append(set[i].values, trim(value))
		}
	}
	return set, nil
}

// LegacyFilter returns what filter parameters mean in the form that cursors of
// older releases hold, which can say all of them; nil if there is no
// condition.
func LegacyFilter(params []string) (*jsonvalue.Object, error) {
	sets, err := parseSets(params)
	if err != nil || len(sets) == 0 {
		return nil, err
	}
	anyOf := make([]any, len(sets))
	for i, set := range sets {
		allOf := make([]any, len(set))
		for j, c := range set {
			o := operator("key", c.key)
			if c.values != nil {
				values := make([]any, len(c.values))
				for k, v := range c.values {
					values[k] = v
				}
				o.Set("values", values)
			}
			allOf[j] = o
		}
		anyOf[i] = operator("allOf", allOf)
	}
	return operator("anyOf", anyOf), nil
}
