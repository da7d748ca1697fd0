package scaffolder

import (
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/schemas"
)

// Validator returns the function that says what makes an entity no template,
// by the schema that the catalog has for templates. Its errors are InputErrors.
func Validator(kinds *schemas.Set) func(*jsonvalue.Object) error {
	return func(template *jsonvalue.Object) error {
		kind := kinds.Kind(APIVersion, "Template")
		if kind == nil {
			return catalog.NewError(catalog.NameInput, "there is no kind Template")
		}
		if v := kind.Check(jsonvalue.Plain(template), nil); v != nil {
			return catalog.NewError(catalog.NameInput, v.Error())
		}
		return nil
	}
}
