package catalogapi_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPermissionMetadata(t *testing.T) {
	var got struct {
		Permissions []struct {
			Type, Name, ResourceType string
			Attributes               map[string]string
		}
		Rules []struct {
			Name, Description, ResourceType string
			ParamsSchema                    struct {
				Schema               string `json:"$schema"`
				Type                 string
				Properties           map[string]struct{ Type, Description string }
				Required             []string
				AdditionalProperties *bool
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(ok(t, newAPI(t, &fake{}).PermissionMetadata, get("/"))), &got))
	var permissions []string
	for _, p := range got.Permissions {
		assert.NotNil(t, p.Attributes, p.Name)
		permissions = append(permissions, strings.TrimSpace(p.Type+" "+p.Name+" "+p.Attributes["action"]+" "+p.ResourceType))
	}
	assert.Equal(t, []string{
		"resource catalog.entity.read read catalog-entity", "basic catalog.entity.create create", "resource catalog.entity.delete delete catalog-entity",
		"resource catalog.entity.refresh update catalog-entity", "basic catalog.entity.validate", "basic catalog.location.read read",
		"basic catalog.location.create create", "basic catalog.location.delete delete", "basic catalog.location.analyze",
		"basic catalog.ingestion.read read", "basic catalog.ingestion.manage update",
	}, permissions)
	var rules []string
	for _, r := range got.Rules {
		assert.Equal(t, "catalog-entity", r.ResourceType)
		assert.NotEmpty(t, r.Description)
		assert.Equal(t, "http://json-schema.org/draft-07/schema#", r.ParamsSchema.Schema)
		assert.Equal(t, "object", r.ParamsSchema.Type)
		require.NotNil(t, r.ParamsSchema.AdditionalProperties)
		assert.False(t, *r.ParamsSchema.AdditionalProperties)
		line := r.Name + " needs " + strings.Join(r.ParamsSchema.Required, ",")
		for _, name := range []string{"annotation", "label", "key", "value", "kinds", "claims"} {
			if p, there := r.ParamsSchema.Properties[name]; there {
				line += " " + name + ":" + p.Type
				assert.NotEmpty(t, p.Description)
			}
		}
		rules = append(rules, line)
	}
	assert.Equal(t, []string{"HAS_ANNOTATION needs annotation annotation:string value:string", "HAS_LABEL needs label label:string value:string",
		"HAS_METADATA needs key key:string value:string", "HAS_SPEC needs key key:string value:string", "IS_ENTITY_KIND needs kinds kinds:array",
		"IS_ENTITY_OWNER needs claims claims:array"}, rules)
}

var ci = auth.Principal{Kind: auth.Service, Subject: "ci"}

// apply is a request to apply-conditions by a service.
func apply(text string) request {
	return request{method: "POST", body: text, who: ci}
}

func TestApplyConditions(t *testing.T) {
	var predicates []string
	f := &fake{matching: func(refs []string, p *jsonvalue.Object) ([]bool, error) {
		predicates = append(predicates, string(jsonvalue.Append(nil, p)))
		met := make([]bool, len(refs))
		for i, ref := range refs {
			met[i] = ref == "component:default/a"
		}
		return met, nil
	}}
	a := newAPI(t, f)
	item := func(id, ref, conditions string) string {
		return `{"id":"` + id + `","resourceRef":` + ref + `,"resourceType":"catalog-entity","conditions":` + conditions + `}`
	}
	rule := func(name, params string) string {
		return `{"rule":"` + name + `","resourceType":"catalog-entity","params":` + params + `}`
	}
	owner := rule("IS_ENTITY_OWNER", `{"claims":["group:default/a","Group:default/B"]}`)
	got := ok(t, a.ApplyConditions, apply(`{"items":[`+strings.Join([]string{
		item("1", `"component:default/a"`, owner),
		item("2", `["component:default/a","component:default/none"]`, `{"not":`+owner+`}`),
		item("3", `[]`, `{"anyOf":[`+rule("IS_ENTITY_KIND", `{"kinds":["API"]}`)+`,{"allOf":[`+rule("HAS_LABEL", `{"label":"l"}`)+`,`+rule("HAS_ANNOTATION", `{"annotation":"a/b","value":"c"}`)+`]}]}`),
		item("4", `"x"`, rule("HAS_METADATA", `{"key":"tags.java"}`)),
		item("5", `"x"`, rule("HAS_SPEC", `{"key":"type","value":""}`)),
	}, ",")+`]}`))
	assert.JSONEq(t, `{"items":[{"id":"1","result":"ALLOW"},{"id":"2","result":["ALLOW","DENY"]},{"id":"3","result":[]},{"id":"4","result":"DENY"},{"id":"5","result":"DENY"}]}`, got)
	for i, want := range []string{
		`{"relations.ownedBy":{"$in":["group:default/a"]}}`, // owners are compared with their case here: B cannot be one
		`{"$not":{"relations.ownedBy":{"$in":["group:default/a"]}}}`,
		`{"$any":[{"kind":{"$in":["API"]}},{"$all":[{"metadata.labels.l":{"$exists":true}},{"metadata.annotations.a/b":"c"}]}]}`,
		`{"metadata.tags.java":{"$exists":true}}`,
		`{"spec.type":""}`,
	} {
		assert.JSONEq(t, want, predicates[i])
	}
	assert.JSONEq(t, `{"items":[]}`, ok(t, a.ApplyConditions, apply(`{"items":[]}`)))
	f.matching = func([]string, *jsonvalue.Object) ([]bool, error) { return nil, errors.New("disk") }
	fails(t, a.ApplyConditions, apply(`{"items":[`+item("1", `"x"`, owner)+`]}`), "Error", "disk")
}

func TestConditionsThatAreRefused(t *testing.T) {
	a := newAPI(t, &fake{})
	const malformed = "request/body must be {items: [{id, resourceRef, resourceType, conditions}]}"
	const shape = "conditions must be {rule, resourceType, params?}, {anyOf: […]}, {allOf: […]} or {not: …}"
	with := func(conditions string) string {
		return `{"items":[{"id":"1","resourceRef":"x","resourceType":"catalog-entity","conditions":` + conditions + `}]}`
	}
	rule := func(name, params string) string {
		return with(`{"rule":"` + name + `","resourceType":"catalog-entity","params":` + params + `}`)
	}
	for text, message := range map[string]string{
		`{}`: malformed, `[]`: malformed, `{"items":{}}`: malformed, `{"items":[1]}`: malformed, `{"items":[{}]}`: malformed,
		`{"items":[{"id":1,"resourceRef":"x","resourceType":"catalog-entity","conditions":{}}]}`:      malformed,
		`{"items":[{"id":"1","resourceRef":5,"resourceType":"catalog-entity","conditions":{}}]}`:      malformed,
		`{"items":[{"id":"1","resourceType":"catalog-entity","conditions":{}}]}`:                      malformed,
		`{"items":[{"id":"1","resourceRef":["x",5],"resourceType":"catalog-entity","conditions":1}]}`: malformed,
		`{"items":[{"id":"1","resourceRef":"x","resourceType":"other","conditions":{}}]}`:             "Unexpected resource types: other.",
		with(`{}`): shape, with(`null`): shape, with(`"x"`): shape, with(`{"anyOf":[]}`): shape, with(`{"allOf":[]}`): shape, with(`{"anyOf":{}}`): shape,
		with(`{"not":null}`): shape, with(`{"rule":"X"}`): shape, with(`{"rule":"X","resourceType":"y","params":[]}`): shape,
		with(strings.Repeat(`{"not":`, 100) + `{"rule":"X","resourceType":"catalog-entity"}` + strings.Repeat(`}`, 100)): shape,
		rule("HAS_LABEL", `{}`):                                           `Parameters to rule are invalid; caused by InputError: Required at "label"`,
		rule("HAS_LABEL", `{"label":5}`):                                  `Parameters to rule are invalid; caused by InputError: Expected string at "label"`,
		rule("HAS_LABEL", `{"label":"x","value":5}`):                      `Parameters to rule are invalid; caused by InputError: Expected string at "value"`,
		rule("HAS_LABEL", `{"label":"x","values":["y"]}`):                 `Parameters to rule are invalid; caused by InputError: Unrecognized key(s) in object: 'values'`,
		rule("IS_ENTITY_KIND", `{"kinds":"x"}`):                           `Parameters to rule are invalid; caused by InputError: Expected array of strings at "kinds"`,
		rule("IS_ENTITY_OWNER", `{"claims":["x",null]}`):                  `Parameters to rule are invalid; caused by InputError: Expected array of strings at "claims"`,
		with(`{"rule":"IS_ENTITY_KIND","resourceType":"catalog-entity"}`): `Parameters to rule are invalid; caused by InputError: Required at "kinds"`,
		`{"items":`: "Unexpected end of JSON input",
	} {
		fails(t, a.ApplyConditions, apply(text), "InputError", message)
	}
	fails(t, a.ApplyConditions, apply(rule("NOPE", `{}`)), "InputError", "Permission rule 'NOPE' does not exist for resource type 'catalog-entity'")
	fails(t, a.ApplyConditions, apply(with(`{"rule":"HAS_LABEL","resourceType":"other","params":{"label":"x"}}`)), "InputError", "Permission rule 'HAS_LABEL' does not exist for resource type 'other'")
}

// Conditions tell what an entity is like: only services may ask.
func TestWhoMayApplyConditions(t *testing.T) {
	a := newAPI(t, &fake{})
	r := apply(`{"items":[]}`)
	r.who = jane
	fails(t, a.ApplyConditions, r, "NotAllowedError", "")
	r.who = auth.Principal{Subject: "nobody"}
	fails(t, a.ApplyConditions, r, "AuthenticationError", "Missing credentials")
}

// In lists, owners are compared whatever their case, and conditions become part
// of the query.
func TestCriteriaOfPoliciesBecomePredicates(t *testing.T) {
	kind := &permission.Criteria{Rule: &permission.Rule{Name: "IS_ENTITY_KIND", ResourceType: catalogapi.EntityType, Params: wire.Obj("kinds", []any{"API"})}}
	owner := ownedBy("Group:default/B")
	var only string
	f := &fake{entities: func(l catalogapi.Listing) (catalogapi.Page, error) {
		only = string(jsonvalue.Append(nil, l.Only))
		return catalogapi.Page{Body: []byte(`[]`)}, nil
	}}
	for want, criteria := range map[string]*permission.Criteria{
		`{"relations.ownedBy":{"$in":["Group:default/B"]}}`:                                              owner,
		`{"$not":{"kind":{"$in":["API"]}}}`:                                                              {Not: kind},
		`{"$all":[{"kind":{"$in":["API"]}},{"relations.ownedBy":{"$in":["Group:default/B"]}}]}`:          {AllOf: []*permission.Criteria{kind, owner}},
		`{"$any":[{"kind":{"$in":["API"]}},{"$not":{"relations.ownedBy":{"$in":["Group:default/B"]}}}]}`: {AnyOf: []*permission.Criteria{kind, {Not: owner}}},
	} {
		f.decide = func(permission.Permission, string) (permission.Decision, error) {
			return permission.Decision{Result: permission.Conditional, Criteria: criteria}, nil
		}
		ok(t, newAPI(t, f).Entities, get("/"))
		assert.JSONEq(t, want, only)
	}
}

func ownedBy(claim string) *permission.Criteria {
	return &permission.Criteria{Rule: &permission.Rule{Name: "IS_ENTITY_OWNER", ResourceType: catalogapi.EntityType, Params: wire.Obj("claims", []any{claim})}}
}

func TestOptionsThatAreRefused(t *testing.T) {
	f := &fake{}
	whole := catalogapi.Options{Reader: f, Engine: f, Validator: f, Decider: f, Authenticator: f}
	for name, change := range map[string]func(*catalogapi.Options){
		"reader": func(o *catalogapi.Options) { o.Reader = nil }, "engine": func(o *catalogapi.Options) { o.Engine = nil },
		"validator": func(o *catalogapi.Options) { o.Validator = nil }, "decider": func(o *catalogapi.Options) { o.Decider = nil },
		"authenticator": func(o *catalogapi.Options) { o.Authenticator = nil },
		"conflict":      func(o *catalogapi.Options) { o.OnConflict = "overwrite" },
	} {
		o := whole
		change(&o)
		_, err := catalogapi.New(o)
		assert.ErrorContains(t, err, name)
	}
	_, err := catalogapi.New(whole)
	assert.NoError(t, err)
}
