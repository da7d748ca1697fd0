package catalogapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// describe writes the operations as an OpenAPI document, with paths below the
// mount.
func describe(mount string) *jsonvalue.Object {
	paths := jsonvalue.NewObject()
	for _, o := range operations() {
		path := strings.TrimSuffix(mount, "/") + o.path
		item := paths.Object(path)
		if item == nil {
			item = jsonvalue.NewObject()
			paths.Set(path, item)
		}
		item.Set(strings.ToLower(o.method), o.describe())
	}
	return wire.Obj(
		"openapi", "3.0.3",
		"info", wire.Obj("title", "catalog", "version", "1",
			"description", "Entities, how they relate, and the locations they are read from."),
		"servers", []any{wire.Obj("url", "/")},
		"components", wire.Obj(
			"schemas", wire.Obj("Error", errorSchema()),
			"responses", wire.Obj("ErrorResponse", wire.Obj("description", "What went wrong.",
				"content", jsonContent(wire.Obj("$ref", "#/components/schemas/Error")))),
			"securitySchemes", wire.Obj("JWT", wire.Obj("type", "http", "scheme", "bearer", "bearerFormat", "JWT"))),
		"paths", paths,
	)
}

func (o *operation) describe() *jsonvalue.Object {
	out := wire.Obj("operationId", o.id, "description", o.about, "security", []any{wire.Obj("JWT", []any{})})
	if parameters := o.describeParameters(); len(parameters) > 0 {
		out.Set("parameters", parameters)
	}
	if o.body != nil {
		out.Set("requestBody", wire.Obj("required", o.bodyRequired, "content", jsonContent(o.body.describe())))
	}
	ok := wire.Obj("description", http.StatusText(o.ok))
	if o.method == http.MethodGet {
		ok.Set("content", jsonContent(wire.Obj()))
	}
	failure := wire.Obj("$ref", "#/components/responses/ErrorResponse")
	out.Set("responses", wire.Obj(strconv.Itoa(o.ok), ok, "400", failure, "default", failure))
	return out
}

func (o *operation) describeParameters() []any {
	var out []any
	for segment := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			out = append(out, wire.Obj("name", strings.TrimSuffix(name, "}"), "in", "path", "required", true,
				"schema", wire.Obj("type", "string")))
		}
	}
	for _, p := range o.query {
		d := wire.Obj("name", p.name, "in", "query", "description", p.about, "required", p.required,
			"allowReserved", true, "schema", p.describe())
		if p.kind == commaParameter {
			d.Set("explode", false)
			d.Set("style", "form")
		}
		out = append(out, d)
	}
	return out
}

func (p *parameter) describe() *jsonvalue.Object {
	switch p.kind {
	case countParameter:
		return wire.Obj("type", "integer", "minimum", float64(0))
	case listParameter, commaParameter:
		return wire.Obj("type", "array", "items", wire.Obj("type", "string"))
	}
	o := wire.Obj("type", "string")
	if p.enum != nil {
		o.Set("enum", wire.Strings(p.enum))
	}
	if p.nonEmpty {
		o.Set("minLength", float64(1))
	}
	return o
}

func (s *schema) describe() *jsonvalue.Object {
	o := wire.Obj("type", s.typ)
	if len(s.required) > 0 {
		o.Set("required", wire.Strings(s.required))
	}
	if len(s.properties) > 0 {
		properties := jsonvalue.NewObject()
		for _, p := range s.properties {
			properties.Set(p.name, p.schema.describe())
		}
		o.Set("properties", properties)
	}
	if s.items != nil {
		o.Set("items", s.items.describe())
	}
	if s.enum != nil {
		o.Set("enum", wire.Strings(s.enum))
	}
	if s.closed {
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
