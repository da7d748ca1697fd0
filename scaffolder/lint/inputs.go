package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/jsonschema"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// An inputForm is one way in which an action takes its input: most have one,
// those whose schema is a choice have several.
type inputForm struct {
	properties []string
	schema     *jsonschema.Schema
}

func inputForms(schema *jsonvalue.Object) ([]inputForm, error) {
	choices := []any{schema}
	for _, key := range []string{"anyOf", "oneOf"} {
		if list, ok := schema.Value(key).([]any); ok && len(list) > 0 {
			choices = list
		}
	}
	var out []inputForm
	for _, c := range choices {
		s, err := jsonschema.Compile(c)
		if err != nil {
			return nil, err
		}
		o, _ := c.(*jsonvalue.Object)
		out = append(out, inputForm{keys(o.Object("properties")), s})
	}
	return out, nil
}

// input checks what a step gives to its action, as far as that is known before
// it is rendered.
func (r *review) input(s step, id string) {
	a, err := r.Actions.Lookup(id)
	v, there := s.Get("input")
	o, isObject := v.(*jsonvalue.Object)
	if err != nil || there && (!isObject || IsPlaceholder(v)) {
		return // the schema says so
	}
	if o == nil {
		o = jsonvalue.NewObject()
	}
	path := join(s.path, "input")
	if !there {
		path = s.path
	}
	for _, key := range a.Retired() {
		if o.Has(key) {
			_, warnings := a.WithoutRetired(jsonvalue.NewObject(jsonvalue.Member{Key: key, Value: o.Value(key)}))
			r.report(Note, CodeRetiredInput, join(path, key), Spot{Key: true}, "", "%s", strings.Join(warnings, " "))
		}
	}
	o, _ = a.WithoutRetired(o)
	form, faults := bestForm(r.inputs[id], o)
	for _, f := range faults {
		r.inputFault(id, form, f, path, s)
	}
}

// bestForm returns the form that an input fits best, and what does not fit.
func bestForm(forms []inputForm, input *jsonvalue.Object) (best inputForm, faults []jsonschema.Fault) {
	for i, f := range forms {
		found := slices.DeleteFunc(f.schema.Validate(input), func(f jsonschema.Fault) bool { return !certain(f, input) })
		if i == 0 || len(found) < len(faults) || len(found) == len(faults) && missing(found) < missing(faults) {
			best, faults = f, found
		}
	}
	return best, faults
}

func missing(faults []jsonschema.Fault) (n int) {
	for _, f := range faults {
		if f.Name == "required" {
			n++
		}
	}
	return n
}

// certain tells whether a fault is one whatever expressions and placeholders
// stand for.
func certain(f jsonschema.Fault, input *jsonvalue.Object) bool {
	v := at(input, f.Names())
	if IsPlaceholder(v) {
		return false
	}
	switch f.Name {
	case "required", "additionalProperties", "minItems", "maxItems":
		_, isText := v.(string)
		return !isText || !holdsExpression(v.(string))
	case "type":
		text, isText := v.(string)
		return !isText || !holdsExpression(text)
	}
	open := false
	visit(v, nil, func(_ []string, v any) bool {
		text, _ := v.(string)
		open = open || holdsExpression(text) || IsPlaceholder(v)
		return !open
	})
	return !open
}

func (r *review) inputFault(id string, form inputForm, f jsonschema.Fault, path []string, s step) {
	inner := f.Names()
	path = join(path, inner...)
	name, _ := f.Argument.(string)
	switch f.Name {
	case "required":
		where := ""
		if len(inner) > 0 {
			where = " in " + strings.Join(inner, ".")
		}
		hint := ""
		if forms := r.inputs[id]; len(inner) == 0 && len(forms) > 1 {
			hint = "it takes one of several forms: " + formsText(forms)
		}
		if len(inner) == 0 && s.Has(name) {
			hint = "it stands beside input; write it below input:"
		}
		if v, ok := at(s.Object, join([]string{"input"}, inner...)).(*jsonvalue.Object); ok && len(inner) == 0 {
			for key := range v.All() {
				if !slices.Contains(form.properties, key) && spelling.Nearest(key, []string{name}) != "" {
					hint = "did you mean it by " + key + "?"
				}
			}
		}
		r.report(Error, CodeMissingInput, path, Spot{}, hint, "%s needs the input %s%s", id, name, where)
	case "additionalProperties":
		known := keys(schemaOf(f).Object("properties"))
		hint := "it has " + strings.Join(known, ", ")
		if near := spelling.Nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		what := id
		if len(inner) > 0 {
			what = fmt.Sprintf("%s of %s", strings.Join(inner, "."), id)
		}
		r.report(Error, CodeUnknownInput, join(path, name), Spot{Key: true}, hint, "%s has no input %s", what, name)
	case "type":
		r.report(Error, CodeInputValue, path, Spot{}, typeHint(f.Instance), "the input %s of %s must be of type %s", strings.Join(inner, "."), id, typesOf(f))
	default:
		r.report(Error, CodeInputValue, path, Spot{}, "", "the input %s of %s %s", strings.Join(inner, "."), id, f.Message)
	}
}

// formsText names the inputs of each form of an action.
func formsText(forms []inputForm) string {
	var out []string
	for _, f := range forms {
		out = append(out, strings.Join(f.properties, ", "))
	}
	return strings.Join(out, "; or ")
}

// typesOf names the types that a value may have.
func typesOf(f jsonschema.Fault) string {
	return strings.TrimPrefix(f.Message, "is not of a type(s) ")
}

// typeHint says why a value may be of another type than its author thinks.
func typeHint(v any) string {
	switch v := v.(type) {
	case *jsonvalue.Object:
		for key := range v.All() {
			if v.Len() == 1 && strings.HasPrefix(key, "{") {
				return "braces without a $ before them are an object in YAML; write ${{ … }}"
			}
		}
	case float64, bool:
		return "put it into quotes if it is meant as a text"
	}
	return ""
}

// schemaOf returns the schema that a fault is about.
func schemaOf(f jsonschema.Fault) *jsonvalue.Object {
	o, _ := f.Schema.(*jsonvalue.Object)
	return o
}
