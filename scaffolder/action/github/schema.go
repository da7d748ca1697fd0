package github

import (
	"reflect"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// withDialect says which draft an output schema of ours is of.
func withDialect(s *jsonvalue.Object) *jsonvalue.Object {
	s.Set("$schema", "http://json-schema.org/draft-07/schema#")
	return s
}
