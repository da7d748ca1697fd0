package operation

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Describe writes the operations of a plugin as an OpenAPI document, with paths
// below the mount.
func Describe(title, about, mount string, operations []*Operation) *jsonvalue.Object {
	paths := jsonvalue.NewObject()
	for _, o := range operations {
		path := strings.TrimSuffix(mount, "/") + o.Path
		item := paths.Object(path)
		if item == nil {
			item = jsonvalue.NewObject()
			paths.Set(path, item)
		}
		item.Set(strings.ToLower(o.Method), o.describe())
	}
	return wire.Obj(
		"openapi", "3.0.3",
		"info", wire.Obj("title", title, "version", "1",
			"description", about),
		"servers", []any{wire.Obj("url", "/")},
		"components", wire.Obj(
			"schemas", wire.Obj("Error", errorSchema()),
			"responses", wire.Obj("ErrorResponse", wire.Obj("description", "What went wrong.",
				"content", jsonContent(wire.Obj("$ref", "#/components/schemas/Error")))),
			"securitySchemes", wire.Obj("JWT", wire.Obj("type", "http", "scheme", "bearer", "bearerFormat", "JWT"))),
		"paths", paths,
	)
}

func (o *Operation) describe() *jsonvalue.Object {
	out := wire.Obj("operationId", o.ID, "description", o.About, "security", []any{wire.Obj("JWT", []any{})})
	if parameters := o.describeParameters(); len(parameters) > 0 {
		out.Set("parameters", parameters)
	}
	if o.Body != nil {
		out.Set("requestBody", wire.Obj("required", o.BodyRequired, "content", jsonContent(o.Body.describe())))
	}
	ok := wire.Obj("description", http.StatusText(o.OK))
	if o.Method == http.MethodGet {
		ok.Set("content", jsonContent(wire.Obj()))
	}
	failure := wire.Obj("$ref", "#/components/responses/ErrorResponse")
	out.Set("responses", wire.Obj(strconv.Itoa(o.OK), ok, "400", failure, "default", failure))
	return out
}

func (o *Operation) describeParameters() []any {
	var out []any
	for segment := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			out = append(out, wire.Obj("name", strings.TrimSuffix(name, "}"), "in", "path", "required", true,
				"schema", wire.Obj("type", "string")))
		}
	}
	for _, p := range o.Query {
		d := wire.Obj("name", p.Name, "in", "query", "description", p.About, "required", p.Required,
			"allowReserved", true, "schema", p.describe())
		if p.Kind == Comma {
			d.Set("explode", false)
			d.Set("style", "form")
		}
		if p.Kind == Deep {
			d.Set("style", "deepObject")
		}
		out = append(out, d)
	}
	return out
}

func (p *Parameter) describe() *jsonvalue.Object {
	switch p.Kind {
	case Count:
		return wire.Obj("type", "integer", "minimum", float64(0))
	case Integer:
		return wire.Obj("type", "integer")
	case List, Comma:
		return wire.Obj("type", "array", "items", wire.Obj("type", "string"))
	case Deep:
		return wire.Obj("type", "object", "additionalProperties", wire.Obj())
	}
	o := wire.Obj("type", "string")
	if p.Enum != nil {
		o.Set("enum", wire.Strings(p.Enum))
	}
	if p.NonEmpty {
		o.Set("minLength", float64(1))
	}
	return o
}

func (s *Schema) describe() *jsonvalue.Object {
	o := jsonvalue.NewObject()
	if s.Type != "" {
		o.Set("type", s.Type)
	}
	if len(s.Required) > 0 {
		o.Set("required", wire.Strings(s.Required))
	}
	if len(s.Properties) > 0 {
		properties := jsonvalue.NewObject()
		for _, p := range s.Properties {
			properties.Set(p.Name, p.Schema.describe())
		}
		o.Set("properties", properties)
	}
	if s.Items != nil {
		o.Set("items", s.Items.describe())
	}
	if s.Enum != nil {
		o.Set("enum", wire.Strings(s.Enum))
	}
	if s.Values != nil {
		o.Set("additionalProperties", s.Values.describe())
	}
	if s.Closed {
		o.Set("additionalProperties", false)
	}
	return o
}

func jsonContent(schema *jsonvalue.Object) *jsonvalue.Object {
	return wire.Obj("application/json", wire.Obj("schema", schema))
}

func errorSchema() *jsonvalue.Object {
	text, number := wire.Obj("type", "string"), wire.Obj("type", "number")
	object := func(properties *jsonvalue.Object, required ...string) *jsonvalue.Object {
		return wire.Obj("type", "object", "properties", properties, "required", wire.Strings(required))
	}
	return object(wire.Obj(
		"error", object(wire.Obj("name", text, "message", text), "name", "message"),
		"request", object(wire.Obj("method", text, "url", text), "method", "url"),
		"response", object(wire.Obj("statusCode", number), "statusCode"),
	), "error", "response")
}
