package lint

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/jsonschema"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// builtinFields are the fields of forms that are known not to set secrets, but
// for what requestUserCredentials and Secret say.
var builtinFields = []string{"EntityPicker", "EntityNamePicker", "EntityTagsPicker", "RepoUrlPicker", "OwnerPicker",
	"OwnedEntityPicker", "MyGroupsPicker", "MultiEntityPicker", "RepoBranchPicker", "RepoOwnerPicker", "Secret"}

// pages checks the pages of parameters, and collects the names that they have.
func (r *review) pages() {
	spec := r.doc.Value.Object("spec")
	path := []string{"spec", "parameters"}
	r.parameters, r.secrets = nunjucks.Shape{}, nunjucks.Shape{}
	decorated := spec.Has("formDecorators") || spec.Has("EXPERIMENTAL_formDecorators")
	f := form{parameters: r.parameters, secrets: r.secrets, anySecret: decorated}
	switch v := spec.Value("parameters").(type) {
	case *jsonvalue.Object:
		r.page(&f, v, path)
	case []any:
		for i, page := range v {
			if o, ok := page.(*jsonvalue.Object); ok {
				r.page(&f, o, join(path, strconv.Itoa(i)))
			}
		}
	}
	for name := range spec.Object("secrets").Object("schema").Object("properties").All() {
		f.secrets[name] = nil
	}
	if f.anyParameter {
		r.parameters = nil
	}
	if f.anySecret {
		r.secrets = nil
	}
}

// page checks one page.
func (r *review) page(f *form, page *jsonvalue.Object, path []string) {
	if holdsPlaceholder(page) {
		f.anyParameter, f.anySecret = true, true
	}
	own := form{parameters: nunjucks.Shape{}, secrets: f.secrets}
	own.collect(page)
	for name := range own.parameters {
		f.parameters[name] = nil
	}
	f.anyParameter = f.anyParameter || own.anyParameter
	f.anySecret = f.anySecret || own.anySecret
	s, err := jsonschema.Compile(page)
	if err == nil {
		_, err = s.Check(jsonvalue.NewObject())
	}
	if err != nil {
		r.report(Error, CodeParameterSchema, path, Spot{}, "no values can be checked against it, so no task can be created", "the page is no JSON Schema: %s", err)
		return
	}
	visit(page, path, func(path []string, v any) bool {
		if o, ok := v.(*jsonvalue.Object); ok && !IsPlaceholder(v) {
			r.field(&own, o, path)
		}
		return path[len(path)-1] != "ui:options" && path[len(path)-1] != "default"
	})
}

// field checks one schema of a page.
func (r *review) field(f *form, schema *jsonvalue.Object, path []string) {
	if len(path) > 1 && (path[len(path)-1] == "properties" || path[len(path)-1] == "dependencies") {
		return // those are names of fields, not keywords
	}
	known := schema.Object("properties")
	if list, ok := schema.Value("required").([]any); ok && (known != nil && !f.anyParameter) {
		r.required(f, list, known, path)
	}
	v, there := schema.Get("default")
	if !there || v == nil {
		return
	}
	s, err := jsonschema.Compile(schema)
	if err != nil {
		return
	}
	if faults, err := s.Check(v); err == nil && len(faults) > 0 {
		r.report(Warning, CodeParameterDefault, join(path, "default"), Spot{}, "the form begins with a value that it does not accept",
			"the default of %s does not fit: %s", path[len(path)-1], faults[0].Message)
	}
}

// required checks that a form has the fields that it insists on. Those of other
// branches of the same page count.
func (r *review) required(f *form, list []any, known *jsonvalue.Object, path []string) {
	for i, v := range list {
		name, ok := v.(string)
		_, onPage := f.parameters[name]
		if !ok || known.Has(name) || onPage || IsPlaceholder(known) {
			continue
		}
		names := keys(known)
		hint := "nobody can fill it in: add the field, or take it out of required"
		if near := spelling.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		r.report(Error, CodeRequired, join(path, "required", strconv.Itoa(i)), Spot{}, hint, "%s is required, and the form has no such field", name)
	}
}

func keys(o *jsonvalue.Object) []string {
	var out []string
	for name := range o.All() {
		out = append(out, name)
	}
	return out
}

// A form collects what the pages of parameters give values to.
type form struct {
	parameters, secrets     nunjucks.Shape
	anyParameter, anySecret bool
}

// collect takes in a schema and the parts of it that apply to the same object.
func (f *form) collect(schema *jsonvalue.Object) {
	for name, v := range schema.Object("properties").All() {
		f.parameters[name] = nil
		if field, ok := v.(*jsonvalue.Object); ok {
			f.fieldOf(name, field)
		}
	}
	if more := schema.Value("additionalProperties"); more != nil && more != false {
		f.anyParameter = true
	}
	if schema.Has("$ref") || schema.Has("patternProperties") {
		f.anyParameter = true
	}
	for _, key := range []string{"if", "then", "else", "not"} {
		if o := schema.Object(key); o != nil {
			f.collect(o)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema.Value(key).([]any)
		for _, v := range list {
			if o, ok := v.(*jsonvalue.Object); ok {
				f.collect(o)
			}
		}
	}
	for _, key := range []string{"dependencies", "dependentSchemas"} {
		for _, v := range schema.Object(key).All() {
			if o, ok := v.(*jsonvalue.Object); ok {
				f.collect(o)
			}
		}
	}
}

// fieldOf finds out which secrets a field sets.
func (f *form) fieldOf(name string, schema *jsonvalue.Object) {
	visit(schema, nil, func(path []string, v any) bool {
		o, ok := v.(*jsonvalue.Object)
		if !ok {
			return true
		}
		if key, ok := o.Object("requestUserCredentials").Value("secretsKey").(string); ok {
			f.secrets[key] = nil
		}
		switch field := o.String("ui:field"); {
		case field == "Secret":
			f.secrets[name] = nil
			if len(path) > 0 {
				f.secrets[path[len(path)-1]] = nil
			}
		case field != "" && !slices.Contains(builtinFields, field):
			f.anySecret = true
		}
		return true
	})
}
