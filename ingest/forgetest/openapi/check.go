package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Check compares a request with the description. The path is below the base of
// the API, with its escapes; the body is JSON, or empty. The error names all
// that is wrong.
func (d *Description) Check(method, path string, query url.Values, body []byte) error {
	r, err := d.find(method, path)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if err := errors.Join(d.checkQuery(r, query), d.checkBody(r, body)); err != nil {
		return fmt.Errorf("%s %s, described as %s: %w", method, path, r.template, err)
	}
	return nil
}

func (d *Description) checkQuery(r route, query url.Values) error {
	known := map[string]bool{}
	for _, p := range d.parameters(r.operation) {
		if p["in"] == "query" {
			known[text(p["name"])] = true
		}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !known[name] {
			errs = append(errs, fmt.Errorf("the query parameter %s is not described", name))
		}
	}
	return errors.Join(errs...)
}

// bodySchema is what a body must be; nil where there is none to be.
func (d *Description) bodySchema(r route) (schema map[string]any, required bool) {
	described, _ := r.operation["requestBody"].(map[string]any)
	described = d.follow(described)
	content, _ := described["content"].(map[string]any)
	of, _ := content["application/json"].(map[string]any)
	schema, _ = of["schema"].(map[string]any)
	return schema, described["required"] == true
}

func (d *Description) checkBody(r route, body []byte) error {
	schema, required := d.bodySchema(r)
	if len(body) == 0 {
		if required {
			return errors.New("a body is required")
		}
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	if schema == nil {
		if m, ok := value.(map[string]any); ok && len(m) == 0 {
			return nil // a client that always sends an object
		}
		return errors.New("there is a body, and none is described")
	}
	compiled, err := d.compile(r, schema)
	if err != nil {
		return err
	}
	errs := []error{compiled.Validate(value)}
	for _, name := range d.unknown(schema, value, "") {
		errs = append(errs, fmt.Errorf("the field %s is not described", name))
	}
	return errors.Join(errs...)
}

// compile makes a schema of JSON Schema of one of the description.
func (d *Description) compile(r route, schema map[string]any) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := r.method + " " + r.template
	if s := d.schemas[key]; s != nil {
		return s, nil
	}
	parts := map[string]any{}
	root := d.plain(schema, parts).(map[string]any)
	root["definitions"] = parts
	data, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft4
	if err := compiler.AddResource("body.json", strings.NewReader(string(data))); err != nil {
		return nil, err
	}
	s, err := compiler.Compile("body.json")
	if err != nil {
		return nil, fmt.Errorf("the schema of %s cannot be used: %w", key, err)
	}
	d.schemas[key] = s
	return s, nil
}

// plain turns OpenAPI's form of a schema into that of JSON Schema: nullable
// becomes a type, and what is referred to goes into parts.
func (d *Description) plain(v any, parts map[string]any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = d.plain(e, parts)
		}
		return out
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			name := strings.ReplaceAll(strings.TrimPrefix(ref, "#/"), "/", ".")
			if _, there := parts[name]; !there {
				parts[name] = true // one that refers to itself ends here
				parts[name] = d.plain(d.follow(v), parts)
			}
			return map[string]any{"$ref": "#/definitions/" + name}
		}
		out := map[string]any{}
		for key, e := range v {
			if key == "example" || key == "examples" || key == "default" {
				continue
			}
			out[key] = d.plain(e, parts)
		}
		return nullable(out)
	}
	return v
}

func nullable(schema map[string]any) map[string]any {
	if schema["nullable"] != true {
		return schema
	}
	delete(schema, "nullable")
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}

// unknown returns the fields of a value that a schema does not describe. Where
// the schema takes any, all are known.
func (d *Description) unknown(schema map[string]any, value any, at string) (out []string) {
	forms := d.forms(schema, nil)
	switch value := value.(type) {
	case []any:
		for _, form := range forms {
			items, ok := form["items"].(map[string]any)
			if !ok {
				continue
			}
			for i, e := range value {
				out = append(out, d.unknown(items, e, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	case map[string]any:
		described := map[string]any{}
		for _, form := range forms {
			properties, _ := form["properties"].(map[string]any)
			maps.Copy(described, properties)
			if more, ok := form["additionalProperties"]; ok && more != false {
				return nil
			}
		}
		if len(described) == 0 {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner, ok := described[name].(map[string]any)
			if !ok {
				out = append(out, strings.TrimPrefix(at+"."+name, "."))
				continue
			}
			out = append(out, d.unknown(inner, value[name], at+"."+name)...)
		}
	}
	return out
}

// forms are the schemas that a schema is made of, itself among them.
func (d *Description) forms(schema map[string]any, out []map[string]any) []map[string]any {
	schema = d.follow(schema)
	if schema == nil || len(out) > 100 {
		return out
	}
	out = append(out, schema)
	for _, union := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[union].([]any)
		for _, s := range list {
			if m, ok := s.(map[string]any); ok {
				out = d.forms(m, out)
			}
		}
	}
	return out
}
