package actions

import (
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

const draft = "http://json-schema.org/draft-07/schema#"

// Schema returns the JSON Schema that a literal holds, marked as one of draft
// 7. It panics unless the text is a JSON object.
func Schema(literal string) *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(literal))
	if err != nil {
		panic(fmt.Sprintf("schema %s: %s", literal, err))
	}
	if !o.Has("$schema") {
		o.Set("$schema", draft)
	}
	return o
}

// opened returns a schema that passes over properties it does not have. To
// clients it says that there are none, but one too many is no reason to refuse.
func opened(schema *jsonvalue.Object) *jsonvalue.Object {
	return open(schema).(*jsonvalue.Object)
}

func open(v any) any {
	switch v := v.(type) {
	case *jsonvalue.Object:
		out := jsonvalue.NewObject()
		for key, value := range v.All() {
			if key == "additionalProperties" && value == false {
				continue
			}
			out.Set(key, open(value))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = open(item)
		}
		return out
	}
	return v
}
