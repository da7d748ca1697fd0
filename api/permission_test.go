package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// policyFunc is a permission.Policy.
type policyFunc func(who auth.Principal, p permission.Permission) (permission.Decision, error)

func (f policyFunc) Handle(_ context.Context, who auth.Principal, p permission.Permission) (permission.Decision, error) {
	return f(who, p)
}

// byName decides by the last word of the name of the permission.
func byName(who auth.Principal, p permission.Permission) (permission.Decision, error) {
	owned := func(resourceType string) permission.Decision {
		return permission.Decision{Result: permission.Conditional, Criteria: &permission.Criteria{Rule: &permission.Rule{
			Name: "IS_ENTITY_OWNER", ResourceType: resourceType, Params: wire.Obj("claims", []any{who.Subject})}}}
	}
	switch p.Name[strings.LastIndexByte(p.Name, '.')+1:] {
	case "allowed":
		return permission.Decision{Result: permission.Allow}, nil
	case "owned":
		return owned("catalog-entity"), nil
	case "foreign":
		return owned("another-type"), nil
	case "broken":
		return permission.Decision{}, errors.New("secret detail")
	}
	return permission.Decision{}, nil
}

// ruled is a server with the policy byName, in which one component is owned
// by the guest.
func ruled(t testing.TB, enabled bool, change func(*auth.Options)) *fixture {
	f := newFixture(t, func(o *api.Options, ao *auth.Options) {
		o.Permission = permission.NewEngine(permission.Options{Policy: policyFunc(byName), Enabled: enabled})
		if change != nil {
			change(ao)
		}
	})
	f.reader.matching = func(refs []string, predicate *jsonvalue.Object) ([]bool, error) {
		out := make([]bool, len(refs))
		for i, ref := range refs {
			out[i] = ref == "component:default/mine"
		}
		return out, nil
	}
	return f
}

// asked is one item of a request: a basic permission, or with a ref, which is
// JSON, one on an entity.
func asked(id, name, ref string) string {
	if ref == "" {
		return fmt.Sprintf(`{"id":%q,"permission":{"type":"basic","name":%q,"attributes":{}}}`, id, name)
	}
	return fmt.Sprintf(`{"id":%q,"permission":{"type":"resource","resourceType":"catalog-entity","name":%q,"attributes":{"action":"read"}},"resourceRef":%s,"more":1}`, id, name, ref)
}

func items(list ...string) string { return `{"items":[` + strings.Join(list, ",") + `],"more":1}` }

const (
	mine  = `"component:default/mine"`
	other = `"component:default/other"`
	both  = "[" + mine + "," + other + "]"
)

func TestAuthorize(t *testing.T) {
	for _, enabled := range []bool{true, false} { // the route asks the policy whether or not plugins do
		f := ruled(t, enabled, nil)
		res := f.do("POST", "/api/permission/authorize", items(
			asked("a", "x.allowed", ""), asked("b", "x.denied", ""), asked("a", "x.allowed", other), asked("d", "x.owned", mine),
			asked("e", "x.owned", other), asked("f", "x.owned", both), asked("g", "x.allowed", both), asked("", "x.denied", both)))
		require.Equal(t, 200, res.status, res.text())
		require.Equal(t, `{"items":[{"id":"a","result":"ALLOW"},{"id":"b","result":"DENY"},{"id":"a","result":"ALLOW"},{"id":"d","result":"ALLOW"},`+
			`{"id":"e","result":"DENY"},{"id":"f","result":["ALLOW","DENY"]},{"id":"g","result":"ALLOW"},{"id":"","result":"DENY"}]}`, res.text())
		require.Equal(t, `{"items":[]}`, f.do("POST", "/api/permission/authorize", items()).text())
	}
}

func TestAuthorizeRefusals(t *testing.T) {
	f := ruled(t, true, nil)
	for _, tc := range []struct {
		name, body string
		status     int
		err        string
		message    string // a part
	}{
		{"no body", "", 400, "InputError", `"path":["items"]`},
		{"no JSON", "{", 400, "SyntaxError", ""},
		{"a body that is too large", `{"items":[],"x":"` + strings.Repeat("x", wire.BodyLimit) + `"}`, 413, "PayloadTooLargeError", ""},
		{"no items", `{}`, 400, "InputError", `"message":"Required"`},
		{"items that are no list", `{"items":{}}`, 400, "InputError", `"expected":"array","received":"object"`},
		{"an item that is none", items("1"), 400, "InputError", `"path":["items",0]`},
		{"no id", items(`{"permission":{"type":"basic","name":"a","attributes":{}}}`), 400, "InputError", `"path":["items",0,"id"]`},
		{"no permission", items(`{"id":"a"}`), 400, "InputError", `"path":["items",0,"permission"]`},
		{"no name", items(`{"id":"a","permission":{"type":"basic","attributes":{}}}`), 400, "InputError", `"path":["items",0,"permission","name"]`},
		{"no attributes", items(`{"id":"a","permission":{"type":"basic","name":"a"}}`), 400, "InputError", `"path":["items",0,"permission","attributes"]`},
		{"an action that is none", items(`{"id":"a","permission":{"type":"basic","name":"a","attributes":{"action":"write"}}}`), 400, "InputError", `"attributes","action"]`},
		{"a type that is none", items(`{"id":"a","permission":{"type":"x","name":"a","attributes":{}}}`), 400, "InputError", `"permission","type"]`},
		{"a resource without a type", items(`{"id":"a","permission":{"type":"resource","name":"a","attributes":{}},"resourceRef":"x"}`), 400, "InputError", `"resourceType"]`},
		{"a resource of a basic permission", items(`{"id":"a","permission":{"type":"basic","name":"a","attributes":{}},"resourceRef":"x"}`), 400, "InputError", `"resourceRef"]`},
		{"no refs", items(asked("a", "x.owned", "[]")), 400, "InputError", `"resourceRef"]`},
		{"a ref that is no text", items(asked("a", "x.owned", "1")), 400, "InputError", `"resourceRef"]`},
		{"refs that are no texts", items(asked("a", "x.owned", "[1]")), 400, "InputError", `"resourceRef"]`},
		{"no ref, from a user: all is refused", items(asked("b", "x.allowed", ""),
			`{"id":"a","permission":{"type":"resource","resourceType":"catalog-entity","name":"x.owned","attributes":{}}}`), 400, "InputError",
			"Resource permissions require a resourceRef"},
		{"a condition on a basic permission is a fault of the policy", items(asked("a", "x.owned", "")), 500, "Error", "logId="},
		{"so is one on another type", items(asked("a", "x.foreign", mine)), 500, "Error", "logId="},
		{"a policy that fails", items(asked("a", "x.broken", "")), 500, "Error", "logId="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.do("POST", "/api/permission/authorize", tc.body)
			assert.Equal(t, tc.status, res.status, res.text())
			o, err := jsonvalue.ParseObject(res.body)
			require.NoError(t, err)
			assert.Equal(t, tc.err, o.Object("error").String("name"))
			assert.Contains(t, o.Object("error").String("message"), tc.message)
			assert.NotContains(t, res.text(), "secret detail")
		})
	}
	assert.Contains(t, f.logged.String(), "secret detail", "who operates it is told")
}

func TestWhoMayAskForPermissions(t *testing.T) {
	f := ruled(t, true, nil)
	body := items(asked("a", "x.allowed", ""))
	res := f.do("POST", "/api/permission/authorize", body, anonymous)
	assert.JSONEq(t, envelope(t, "AuthenticationError", "Missing credentials", "POST", "/authorize", 401), res.text())
	res = f.do("POST", "/api/permission/authorize", body, bearer(staticToken))
	assert.JSONEq(t, envelope(t, "NotAllowedError", "This endpoint does not allow 'service' credentials", "POST", "/authorize", 403), res.text())
	assert.Equal(t, 404, f.do("GET", "/api/permission/authorize", "").status)
	assert.Equal(t, 404, f.do("GET", "/api/permission/.well-known/backstage/permissions/metadata", "").status, "it owns no permissions")
	assert.Equal(t, `{"status":"ok"}`, f.do("GET", "/api/permission/health", "", anonymous).text())

	open := ruled(t, true, func(o *auth.Options) { o.DisableDefaultPolicy = true })
	assert.Equal(t, 200, open.do("POST", "/api/permission/authorize", body, anonymous).status)
}

// Inside plugins services are kept to the restrictions of their tokens, and
// users to the policy where it is asked.
func TestDecide(t *testing.T) {
	user, nobody := auth.Principal{Kind: auth.User, Subject: "user:default/jane"}, auth.Principal{}
	service := func(r ...auth.Restriction) auth.Principal {
		return auth.Principal{Kind: auth.Service, Subject: "ci", Restrictions: r}
	}
	denied := permission.Permission{Plugin: "catalog", Name: "x.denied", Action: "read"}
	plain := permission.Permission{Plugin: "catalog", Name: "x.denied"}
	for _, tc := range []struct {
		name    string
		who     auth.Principal
		enabled bool
		asked   permission.Permission
		want    permission.Result
	}{
		{"a user", user, true, denied, permission.Deny},
		{"a user, where permissions are off", user, false, denied, permission.Allow},
		{"nobody", nobody, true, denied, permission.Deny},
		{"a service is not asked about", service(), true, denied, permission.Allow},
		{"a service of another plugin", service(auth.Restriction{Plugin: "search"}), true, denied, permission.Deny},
		{"a service of this plugin", service(auth.Restriction{Plugin: "catalog"}), true, denied, permission.Allow},
		{"with this permission", service(auth.Restriction{Plugin: "catalog", Permissions: []string{"a", "x.denied"}}), true, denied, permission.Allow},
		{"with another permission", service(auth.Restriction{Plugin: "catalog", Permissions: []string{"a"}}), false, denied, permission.Deny},
		{"with this action", service(auth.Restriction{Plugin: "catalog", Actions: []string{"read"}}), true, denied, permission.Allow},
		{"with another action", service(auth.Restriction{Plugin: "catalog", Actions: []string{"delete"}}), true, denied, permission.Deny},
		{"with an action, where there is none", service(auth.Restriction{Plugin: "catalog", Actions: []string{"read"}}), true, plain, permission.Deny},
	} {
		e := permission.NewEngine(permission.Options{Policy: policyFunc(byName), Enabled: tc.enabled})
		d, err := e.Decide(t.Context(), tc.who, tc.asked, "")
		require.NoError(t, err)
		assert.Equal(t, tc.want, d.Result, tc.name)
	}
	owned := permission.Permission{Plugin: "catalog", Name: "x.owned", ResourceType: "catalog-entity"}
	e := permission.NewEngine(permission.Options{Policy: policyFunc(byName), Enabled: true})
	d, err := e.Decide(t.Context(), user, owned, "")
	require.NoError(t, err)
	require.Equal(t, permission.Conditional, d.Result)
	_, err = e.Decide(t.Context(), user, owned, "component:default/mine")
	require.ErrorContains(t, err, "nobody applies conditions", "nothing is allowed where nobody can tell")
}

func TestApplyConditions(t *testing.T) {
	f := ruled(t, true, nil)
	const path = "/api/catalog/.well-known/backstage/permissions/apply-conditions"
	rule := func(name, params string) string {
		return fmt.Sprintf(`{"rule":%q,"resourceType":"catalog-entity","params":%s}`, name, params)
	}
	kinds := rule("IS_ENTITY_KIND", `{"kinds":["component"]}`)
	one := func(ref, resourceType, conditions string) string {
		return fmt.Sprintf(`{"items":[{"id":"1","resourceRef":%s,"resourceType":%q,"conditions":%s}]}`, ref, resourceType, conditions)
	}
	deep := strings.Repeat(`{"not":`, 40) + kinds + strings.Repeat("}", 40)
	for _, tc := range []struct {
		name, body string
		status     int
		want       string // the body, or a part of the message
	}{
		{"a ref", one(mine, "catalog-entity", kinds), 200, `{"items":[{"id":"1","result":"ALLOW"}]}`},
		{"refs", one(both, "catalog-entity", kinds), 200, `{"items":[{"id":"1","result":["ALLOW","DENY"]}]}`},
		{"no refs", one("[]", "catalog-entity", kinds), 200, `{"items":[{"id":"1","result":[]}]}`},
		{"a tree", one(mine, "catalog-entity", `{"allOf":[{"anyOf":[`+kinds+`]},{"not":`+kinds+`}]}`), 200, `{"items":[{"id":"1","result":"ALLOW"}]}`},
		{"nothing", `{"items":[]}`, 200, `{"items":[]}`},
		{"no items", `{}`, 400, "request/body must be {items:"},
		{"no JSON", `{`, 400, ""},
		{"another type", one(mine, "other", kinds), 400, "Unexpected resource types: other."},
		{"a rule that is none", one(mine, "catalog-entity", rule("NOPE", "{}")), 400, "Permission rule 'NOPE' does not exist for resource type 'catalog-entity'"},
		{"parameters that are missing", one(mine, "catalog-entity", rule("HAS_LABEL", "{}")), 400, "Parameters to rule are invalid; caused by InputError"},
		{"parameters of another type", one(mine, "catalog-entity", rule("IS_ENTITY_KIND", `{"kinds":"a"}`)), 400, "Parameters to rule are invalid"},
		{"parameters that are none", one(mine, "catalog-entity", rule("HAS_LABEL", `{"label":"a","more":1}`)), 400, "Unrecognized key(s)"},
		{"an empty list", one(mine, "catalog-entity", `{"allOf":[]}`), 400, "conditions must be"},
		{"no conditions", `{"items":[{"id":"1","resourceRef":"a","resourceType":"catalog-entity"}]}`, 400, "conditions must be"},
		{"a tree without end", one(mine, "catalog-entity", deep), 400, "conditions must be"},
		{"a ref that is no text", one("1", "catalog-entity", kinds), 400, "request/body must be"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.do("POST", path, tc.body, bearer(staticToken))
			require.Equal(t, tc.status, res.status, res.text())
			if tc.status == 200 {
				require.Equal(t, tc.want, res.text())
				return
			}
			o, err := jsonvalue.ParseObject(res.body)
			require.NoError(t, err)
			require.Equal(t, "InputError", o.Object("error").String("name"))
			require.Contains(t, o.Object("error").String("message"), tc.want)
		})
	}
	res := f.do("POST", path, `{"items":[]}`)
	require.JSONEq(t, envelope(t, "NotAllowedError", "", "POST", "/.well-known/backstage/permissions/apply-conditions", 403), res.text(), "users do not ask themselves")
}

func TestPermissionMetadata(t *testing.T) {
	f := ruled(t, true, nil)
	for _, option := range []requestOption{bearer(f.token), bearer(staticToken)} {
		res := f.do("GET", "/api/catalog/.well-known/backstage/permissions/metadata", "", option)
		require.Equal(t, 200, res.status)
		o, err := jsonvalue.ParseObject(res.body)
		require.NoError(t, err)
		var names []string
		for _, p := range o.Value("permissions").([]any) {
			names = append(names, p.(*jsonvalue.Object).String("name"))
		}
		require.Equal(t, strings.Fields(`catalog.entity.read catalog.entity.create catalog.entity.delete catalog.entity.refresh catalog.entity.validate
			catalog.location.read catalog.location.create catalog.location.delete catalog.location.analyze catalog.ingestion.read catalog.ingestion.manage`), names)
		permissions := o.Value("permissions").([]any)
		require.Equal(t, `{"type":"resource","name":"catalog.entity.read","attributes":{"action":"read"},"resourceType":"catalog-entity"}`,
			string(jsonvalue.Append(nil, permissions[0])))
		require.Equal(t, `{"type":"basic","name":"catalog.entity.validate","attributes":{}}`, string(jsonvalue.Append(nil, permissions[4])))
		var rules []string
		for _, r := range o.Value("rules").([]any) {
			rule := r.(*jsonvalue.Object)
			rules = append(rules, rule.String("name"))
			require.Equal(t, "http://json-schema.org/draft-07/schema#", rule.Object("paramsSchema").String("$schema"))
			require.Equal(t, "catalog-entity", rule.String("resourceType"))
		}
		require.Equal(t, strings.Fields("HAS_ANNOTATION HAS_LABEL HAS_METADATA HAS_SPEC IS_ENTITY_KIND IS_ENTITY_OWNER"), rules)
	}
}

// What the catalog answers under each decision: catalog.md, section 7.2.
func TestCatalogUnderAPolicy(t *testing.T) {
	var decision permission.Decision
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.Permission = permission.NewEngine(permission.Options{Enabled: true,
			Policy: policyFunc(func(auth.Principal, permission.Permission) (permission.Decision, error) { return decision, nil })})
	})
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string // the body, "" for any
	}{
		{"GET", "/entities", "", 200, "[]"},
		{"GET", "/entities/by-query", "", 200, `{"items":[],"totalItems":0,"pageInfo":{}}`},
		{"POST", "/entities/by-refs", `{"entityRefs":["a:b/c","d:e/f"]}`, 200, `{"items":[null,null]}`},
		{"GET", "/entity-facets?facet=kind", "", 200, `{"facets":{"kind":[]}}`},
		{"GET", "/entities/by-name/component/default/a", "", 404, ""},
		{"GET", "/entities/by-uid/00000000-0000-0000-0000-000000000000", "", 404, ""},
		{"GET", "/entities/by-name/component/default/a/ancestry", "", 403, ""},
		{"DELETE", "/entities/by-uid/00000000-0000-0000-0000-000000000000", "", 403, ""},
		{"POST", "/refresh", `{"entityRef":"component:default/a"}`, 403, ""},
		{"POST", "/validate-entity", `{"location":"url:http://x","entity":{}}`, 403, ""},
		{"POST", "/analyze-location", `{"location":{"type":"url","target":"http://x"}}`, 403, ""},
		{"POST", "/locations", `{"type":"url","target":"http://x"}`, 403, ""},
		{"POST", "/locations?dryRun=true", `{"type":"url","target":"http://x"}`, 403, ""},
		{"PUT", "/locations/1", `{"type":"url","target":"http://x"}`, 403, ""},
		{"DELETE", "/locations/1", "", 403, ""},
		{"GET", "/locations", "", 200, "[]"},
		{"GET", "/locations/1", "", 404, ""},
		{"GET", "/locations/by-entity/component/default/a", "", 404, ""},
	} {
		res := f.do(tc.method, "/api/catalog"+tc.path, tc.body)
		assert.Equal(t, tc.status, res.status, "%s %s: %s", tc.method, tc.path, res.text())
		if tc.want != "" {
			assert.Equal(t, tc.want, res.text(), tc.path)
		}
		if tc.status == 403 {
			assert.Contains(t, res.text(), `{"name":"NotAllowedError","message":""}`, tc.path)
		}
	}
}
