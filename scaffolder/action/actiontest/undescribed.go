package actiontest

import "github.com/greenroom-idp/greenroom/catalog/jsonvalue"

// Undescribed returns a schema as JSON without its descriptions, which are our
// own words where the rest is the reference's.
func Undescribed(schema *jsonvalue.Object) string {
	return string(jsonvalue.Append(nil, withoutDescriptions(schema, false)))
}

// withoutDescriptions copies v; the keys of an object of properties are names.
func withoutDescriptions(v any, names bool) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutDescriptions(v[i], false)
		}
		return out
	case *jsonvalue.Object:
		out := jsonvalue.NewObject()
		for key, value := range v.All() {
			if key != "description" || names {
				out.Set(key, withoutDescriptions(value, key == "properties" && !names))
			}
		}
		return out
	}
	return v
}
