package scaffolder

import (
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/jsonschema"
)

// CheckValues checks submitted values against each page in turn; all values
// against every page, as the reference does. The error is a *ParameterError
// with the faults of the first page that has some, or an InputError for a page
// that is no schema.
func (t *Template) CheckValues(values *jsonvalue.Object) error {
	if values == nil {
		values = jsonvalue.NewObject()
	}
	for _, page := range t.Pages {
		faults, err := check(values, page)
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			return &ParameterError{Faults: faults}
		}
	}
	return nil
}

// CheckSecrets checks submitted secrets against the template's schema for them,
// if it has one. The faults of the error hold no secrets.
func (t *Template) CheckSecrets(secrets map[string]string) error {
	schema, ok := t.Entity.Spec().Object("secrets").Get("schema")
	if !ok {
		return nil
	}
	faults, err := check(secretsObject(secrets), schema)
	if err != nil || len(faults) == 0 {
		return err
	}
	for i := range faults {
		faults[i] = withoutSecret(faults[i])
	}
	return &ParameterError{Faults: faults, Secrets: true}
}

func check(value *jsonvalue.Object, schema any) ([]jsonschema.Fault, error) {
	s, err := jsonschema.Compile(schema)
	if err == nil {
		var faults []jsonschema.Fault
		if faults, err = s.Check(value); err == nil {
			return faults, nil
		}
	}
	return nil, catalog.NewError(catalog.NameInput, "The parameters of the template cannot be checked: "+err.Error())
}

func secretsObject(secrets map[string]string) *jsonvalue.Object {
	names := make([]string, 0, len(secrets))
	for name := range secrets {
		names = append(names, name)
	}
	slices.Sort(names)
	o := jsonvalue.NewObject()
	for _, name := range names {
		o.Set(name, secrets[name])
	}
	return o
}

// withoutSecret writes a fault in the words that it has for secrets, and takes
// out every value. The stack keeps the words that it had.
func withoutSecret(f jsonschema.Fault) jsonschema.Fault {
	f.StackText = f.Stack()
	f.Property = "secrets" + f.Property[len("instance"):]
	if name, ok := f.Argument.(string); f.Name == "required" && ok {
		f.Message = "secrets." + name + " is required"
	} else {
		f.Message = f.Property + " " + f.Message
	}
	f.Instance, f.Absent = jsonvalue.NewObject(), false
	if o, ok := f.Argument.(*jsonvalue.Object); ok && f.Name == "allOf" {
		o.Delete("valid") // it holds the values once more
	}
	return f
}
