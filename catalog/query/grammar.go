package query

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// invalidQuery is the error of a predicate that breaks the grammar.
func invalidQuery(issues string) error {
	return inputError("Invalid query: Validation error: " + issues)
}

// A path says where in a predicate something stands.
type path struct{ text string }

func (p path) key(k string) path {
	if p.text == "" {
		return path{k}
	}
	return path{p.text + "." + k}
}

func (p path) index(i int) path { return path{p.text + "[" + strconv.Itoa(i) + "]"} }

// suffix says where in the words of an issue.
func (p path) suffix() string {
	if p.text == "" {
		return ""
	}
	return ` at "` + p.text + `"`
}

func (p path) expected(want string, got any) string {
	return "Expected " + want + ", received " + typeName(got) + p.suffix()
}

// typeName returns the name that issues have for the type of a value.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	}
	return "object"
}

// alternatives joins what is wrong with v under each reading of it.
func alternatives(list ...string) string {
	var out []string
	for _, issues := range list {
		if !slices.Contains(out, issues) {
			out = append(out, issues)
		}
	}
	return strings.Join(out, ", or ")
}

func (p path) scalarIssues(v any) []string {
	return []string{p.expected("string", v), p.expected("number", v), p.expected("boolean", v)}
}

// valueIssues says why v is no condition on a value, in each of the readings
// that the grammar has for it, and that its key is no operator either.
func (p path) valueIssues(v any) string {
	list := p.scalarIssues(v)
	o, isObject := v.(*jsonvalue.Object)
	for _, op := range []string{"$exists", "$in", "$contains", "$hasPrefix"} {
		switch operand, there := o.Get(op); {
		case !isObject:
			list = append(list, p.expected("object", v))
		case !there:
			list = append(list, "Required"+p.key(op).suffix())
		default:
			list = append(list, p.key(op).operandIssues(op, operand))
		}
	}
	last := strings.LastIndexByte(p.text, '.')
	parent, key := path{p.text[:max(last, 0)]}, p.text[last+1:]
	list = append(list, "Invalid"+p.suffix()+"; "+p.expected("never", v))
	list = append(list, parent.scalarIssues(jsonvalue.NewObject())...)
	for _, op := range []string{"$all", "$any", "$not"} {
		list = append(list, "Required"+parent.key(op).suffix()+"; Unrecognized key(s) in object: '"+key+"'")
	}
	return alternatives(list...)
}

func (p path) operandIssues(op string, operand any) string {
	switch op {
	case "$exists":
		return p.expected("boolean", operand)
	case "$hasPrefix":
		return p.expected("string", operand)
	case "$contains":
		return p.predicateIssues(operand)
	}
	list, ok := operand.([]any)
	if !ok {
		return p.expected("array", operand)
	}
	var bad []string
	for i, v := range list {
		if !isScalar(v) {
			bad = append(bad, alternatives(p.index(i).scalarIssues(v)...))
		}
	}
	return strings.Join(bad, "; ")
}

// predicateIssues says why v, which is no object, is no predicate.
func (p path) predicateIssues(v any) string {
	return alternatives(append([]string{p.expected("object", v)}, p.scalarIssues(v)...)...)
}
