package catalogapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An operation is one of testdata/operations.json: the operations of the
// catalog's published API description, without the prose.
type operation struct {
	Method, Path, ID string
	Query            []struct {
		Name             string
		Schema           schema
		Required, Commas bool
	}
	Body *struct {
		Required bool
		Schema   schema
	}
	OK int
}

type schema struct {
	Type                 string            `json:"type"`
	Required             []string          `json:"required,omitempty"`
	Enum                 []string          `json:"enum,omitempty"`
	Minimum              *float64          `json:"minimum,omitempty"`
	MinLength            *float64          `json:"minLength,omitempty"`
	AdditionalProperties *bool             `json:"additionalProperties,omitempty"`
	Properties           map[string]schema `json:"properties,omitempty"`
	Items                *schema           `json:"items,omitempty"`
}

func readOperations(t *testing.T) (list []operation) {
	t.Helper()
	raw, err := os.ReadFile("testdata/operations.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &list))
	require.Len(t, list, 20)
	return list
}

// handlers are those of the operations.
func handlers(a *catalogapi.API) map[string]wire.Handler {
	return map[string]wire.Handler{
		"RefreshEntity": a.Refresh, "GetEntities": a.Entities, "GetEntityByUid": a.EntityByUID, "DeleteEntityByUid": a.DeleteEntity,
		"GetEntityByName": a.EntityByName, "GetEntityAncestryByName": a.Ancestry, "GetEntitiesByRefs": a.EntitiesByRefs,
		"GetEntitiesByQuery": a.QueryEntities, "QueryEntitiesByPredicate": a.QueryEntitiesByPredicate, "GetEntityFacets": a.Facets,
		"QueryEntityFacetsByPredicate": a.FacetsByPredicate, "CreateLocation": a.CreateLocation, "GetLocations": a.Locations,
		"GetLocationsByQuery": a.QueryLocations, "GetLocation": a.Location, "UpdateLocation": a.UpdateLocation,
		"DeleteLocation": a.DeleteLocation, "getLocationByEntity": a.LocationByEntity, "AnalyzeLocation": a.AnalyzeLocation,
		"ValidateEntity": a.ValidateEntity,
	}
}

// The description that clients are generated from says the same as that of the
// reference, but for the prose.
func TestDescription(t *testing.T) {
	a := newAPI(t, &fake{}, func(o *catalogapi.Options) { o.BasePath = "/portal/api/catalog/" })
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct {
				Name, In, Style string
				Required        bool
				Explode         *bool
				Schema          schema
			}
			RequestBody *struct {
				Required bool
				Content  map[string]struct{ Schema schema }
			}
			Responses map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(ok(t, a.OpenAPI, get("/openapi.json"))), &doc))
	assert.Equal(t, "3.0.3", doc.OpenAPI)
	described := 0
	for _, path := range doc.Paths {
		described += len(path)
	}
	operations := readOperations(t)
	assert.Equal(t, len(operations), described, "no more than those of the reference")
	for _, o := range operations {
		t.Run(o.ID, func(t *testing.T) {
			got, there := doc.Paths["/portal/api/catalog"+o.Path][strings.ToLower(o.Method)]
			require.True(t, there, "%s %s", o.Method, o.Path)
			assert.Equal(t, o.ID, got.OperationID)
			assert.Contains(t, got.Responses, fmt.Sprint(o.OK))
			var inPath []string
			query := 0
			for _, p := range got.Parameters {
				if p.In == "path" {
					inPath = append(inPath, "{"+p.Name+"}")
					assert.True(t, p.Required)
					continue
				}
				require.Less(t, query, len(o.Query), "parameter %s is not in the reference", p.Name)
				want := o.Query[query]
				assert.Equal(t, want.Name, p.Name)
				assert.Equal(t, want.Required, p.Required, p.Name)
				assert.Equal(t, want.Schema, p.Schema, p.Name)
				assert.Equal(t, want.Commas, p.Explode != nil && !*p.Explode, p.Name)
				query++
			}
			assert.Equal(t, len(o.Query), query, "all parameters")
			assert.Equal(t, slices.DeleteFunc(strings.Split(o.Path, "/"), func(s string) bool { return !strings.HasPrefix(s, "{") }), append([]string{}, inPath...))
			if o.Body == nil {
				assert.Nil(t, got.RequestBody)
				return
			}
			require.NotNil(t, got.RequestBody)
			assert.Equal(t, o.Body.Required, got.RequestBody.Required)
			assert.Equal(t, o.Body.Schema, withoutEmpty(got.RequestBody.Content["application/json"].Schema, o.Body.Schema))
		})
	}
}

// withoutEmpty writes an absent list of properties like the reference does
// where it has an empty one.
func withoutEmpty(s, like schema) schema {
	if s.Properties == nil && like.Properties != nil && len(like.Properties) == 0 {
		s.Properties = like.Properties
	}
	for name, p := range s.Properties {
		s.Properties[name] = withoutEmpty(p, like.Properties[name])
	}
	return s
}

// valid returns a body that fits a schema, with all its properties.
func (s schema) valid() any {
	switch {
	case s.Enum != nil:
		return s.Enum[0]
	case s.Type == "string":
		return "url"
	case s.Type == "number":
		return 1
	case s.Type == "array":
		return []any{s.Items.valid()}
	}
	o := map[string]any{}
	for name, p := range s.Properties {
		o[name] = p.valid()
	}
	return o
}

// A fault is a body that does not fit, and the message that it gets.
type fault struct {
	body    any
	message string
}

// faults breaks a valid value in every way that its schema forbids. The
// messages are those of section 1.2 of the reference.
func (s schema) faults(at string) []fault {
	list := []fault{}
	for typ, v := range map[string]any{"string": "x", "number": 5, "boolean": true, "null": nil, "array": []any{}, "object": map[string]any{}} {
		if typ != s.Type {
			list = append(list, fault{v, at + " must be " + s.Type})
		}
	}
	if s.Enum != nil {
		list = append(list, fault{"neither", at + " must be equal to one of the allowed values: " + strings.Join(s.Enum, ", ")})
	}
	if s.Type == "array" {
		for _, f := range s.Items.faults(at + "/1") {
			list = append(list, fault{[]any{s.Items.valid(), f.body}, f.message})
		}
	}
	for _, name := range s.Required {
		without := s.valid().(map[string]any)
		delete(without, name)
		list = append(list, fault{without, at + " must have required property '" + name + "'"})
	}
	if s.AdditionalProperties != nil && !*s.AdditionalProperties {
		more := s.valid().(map[string]any)
		more["surplus"] = 1
		list = append(list, fault{more, at + " must NOT have additional properties"})
	}
	for name, p := range s.Properties {
		for _, f := range p.faults(at + "/" + name) {
			whole := s.valid().(map[string]any)
			whole[name] = f.body
			list = append(list, fault{whole, f.message})
		}
	}
	return list
}

// Every operation refuses what its description does not allow, before it asks
// anybody: the fakes would panic.
func TestStrictValidation(t *testing.T) {
	f := &fake{}
	all := handlers(newAPI(t, f))
	for _, o := range readOperations(t) {
		t.Run(o.ID, func(t *testing.T) {
			h := all[o.ID]
			require.NotNil(t, h)
			r := request{method: o.Method, target: o.Path, params: map[string]string{}}
			for segment := range strings.SplitSeq(o.Path, "/") {
				if name, is := strings.CutPrefix(segment, "{"); is {
					r.params[strings.TrimSuffix(name, "}")] = "x"
				}
			}
			if o.Body != nil {
				r.body = toJSON(t, o.Body.Schema.valid())
			}
			o.refusesQueries(t, h, r)
			o.refusesBodies(t, h, r)
			for name := range r.params {
				for _, value := range []string{"%", "%zz", "%ff", "a%C3"} {
					bad := r
					bad.params = maps.Clone(r.params)
					bad.params[name] = value
					fails(t, h, bad, "InputError", "malformed uri'")
				}
			}
			assert.Empty(t, f.asked, "nothing is asked of anybody")
		})
	}
}

func (o operation) refusesQueries(t *testing.T, h wire.Handler, r request) {
	t.Helper()
	refuses := func(query, message string) {
		t.Helper()
		bad := r
		bad.target += "?" + query
		fails(t, h, bad, "InputError", message)
	}
	required := ""
	for _, p := range o.Query {
		if p.Required {
			required = p.Name + "=x&"
			refuses("", "request/query must have required property '"+p.Name+"'")
		}
	}
	refuses(required+"nope=1", "Unknown query parameter 'nope'")
	refuses(required+"nope", "Unknown query parameter 'nope'")
	refuses(required+"nope[0][x]=1", "Unknown query parameter 'nope'")
	for _, p := range o.Query {
		name, required := url.QueryEscape(p.Name), required
		if p.Required {
			required = ""
		}
		refuses(required+name+"=", "Empty value found for query parameter '"+p.Name+"'")
		refuses(required+name, "Empty value found for query parameter '"+p.Name+"'")
		at := "request/query/" + p.Name
		switch p.Schema.Type {
		case "integer":
			for _, v := range []string{"x", "1.5", "1e-1", "NaN", "Infinity", "1&" + name + "=1", "1_0", "0x", "1e400"} {
				refuses(required+name+"="+v, at+" must be integer")
			}
			refuses(required+name+"=-1", at+" must be >= 0")
		case "string":
			refuses(required+name+"=a&"+name+"=b", at+" must be string")
			refuses(required+name+"[a]=b", at+" must be string")
			if p.Schema.Enum != nil {
				refuses(required+name+"=neither", at+" must be equal to one of the allowed values: "+strings.Join(p.Schema.Enum, ", "))
			}
		case "array":
			refuses(required+name+"[a]=b", at+" must be array")
		}
	}
}

func (o operation) refusesBodies(t *testing.T, h wire.Handler, r request) {
	t.Helper()
	if o.Body == nil {
		return
	}
	refuses := func(contentType, body, message string) {
		t.Helper()
		bad := r
		bad.body, bad.contentType = body, contentType
		fails(t, h, bad, "InputError", message)
	}
	for _, f := range o.Body.Schema.faults("request/body") {
		switch f.body.(type) {
		case map[string]any, []any:
			refuses("", toJSON(t, f.body), f.message)
		}
	}
	valid := r.body
	refuses("text/plain", valid, "unsupported media type text/plain")
	refuses("application/x-www-form-urlencoded", "a=b", "unsupported media type application/x-www-form-urlencoded")
	if o.Body.Required {
		refuses("-", "", "unsupported media type undefined")
	}
	refuses("", "{", "Unexpected end of JSON input")
	refuses("", `{"a":x}`, "Unexpected token x in JSON at position 5")
	refuses("", `"text"`, `Unexpected token '"', ""text"" is not valid JSON`)
	refuses("", strings.Repeat("[", 100_000), "nested deeper than 500 levels")
	refuses("", `{"surplus":"`+strings.Repeat("x", wire.BodyLimit)+`"}`, "request entity too large")
	if len(o.Query) > 0 {
		bad := r
		bad.target, bad.body = r.target+"?"+o.Query[0].Name+"[a]=b", "[]"
		kind := "array"
		if o.Query[0].Schema.Type == "string" {
			kind = "string"
		}
		fails(t, h, bad, "InputError", "request/query/"+o.Query[0].Name+" must be "+kind+", request/body must be object")
	}
}
