package permission_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	jane    = auth.Principal{Kind: auth.User, Subject: "user:default/jane"}
	nobody  = auth.Principal{}
	service = auth.Principal{Kind: auth.Service, Subject: "ci"}

	read   = permission.Permission{Plugin: "catalog", Name: "catalog.entity.read", Action: "read", ResourceType: "catalog-entity"}
	create = permission.Permission{Plugin: "catalog", Name: "catalog.location.create", Action: "create"}
)

// policy is a Policy that is one function.
type policy func(who auth.Principal, p permission.Permission) (permission.Decision, error)

func (f policy) Handle(_ context.Context, who auth.Principal, p permission.Permission) (permission.Decision, error) {
	return f(who, p)
}

// applier is an Applier that is one function.
type applier func(refs []string, c *permission.Criteria) ([]bool, error)

func (f applier) Apply(_ context.Context, refs []string, c *permission.Criteria) ([]bool, error) {
	return f(refs, c)
}

// onlyA applies any condition: it holds for component:default/a.
func onlyA(refs []string, _ *permission.Criteria) ([]bool, error) {
	met := make([]bool, len(refs))
	for i, ref := range refs {
		met[i] = ref == "component:default/a"
	}
	return met, nil
}

func rule(resourceType string) *permission.Criteria {
	return &permission.Criteria{Rule: &permission.Rule{Name: "R", ResourceType: resourceType}}
}

func under(c *permission.Criteria) permission.Policy {
	return policy(func(auth.Principal, permission.Permission) (permission.Decision, error) {
		return permission.Decision{Result: permission.Conditional, Criteria: c}, nil
	})
}

func fixed(r permission.Result) permission.Policy {
	return policy(func(auth.Principal, permission.Permission) (permission.Decision, error) {
		return permission.Decision{Result: r}, nil
	})
}

func TestTheZeroResultDenies(t *testing.T) {
	var r permission.Result
	assert.Equal(t, permission.Deny, r)
	assert.Equal(t, "DENY ALLOW CONDITIONAL", permission.Deny.String()+" "+permission.Allow.String()+" "+permission.Conditional.String())
}

// Services are kept to what the configuration says of their token; no policy is
// asked about them.
func TestServicesAreKeptToTheirRestrictions(t *testing.T) {
	unasked := policy(func(auth.Principal, permission.Permission) (permission.Decision, error) {
		t.Error("the policy was asked about a service")
		return permission.Decision{}, nil
	})
	restricted := func(r ...auth.Restriction) auth.Principal {
		return auth.Principal{Kind: auth.Service, Subject: "ci", Restrictions: r}
	}
	for _, tc := range []struct {
		name         string
		who          auth.Principal
		read, create permission.Result
	}{
		{"none", service, permission.Allow, permission.Allow},
		{"an empty list: nothing is open", auth.Principal{Kind: auth.Service, Restrictions: []auth.Restriction{}}, permission.Deny, permission.Deny},
		{"another plugin", restricted(auth.Restriction{Plugin: "scaffolder"}), permission.Deny, permission.Deny},
		{"this plugin", restricted(auth.Restriction{Plugin: "catalog"}), permission.Allow, permission.Allow},
		{"one of several", restricted(auth.Restriction{Plugin: "scaffolder"}, auth.Restriction{Plugin: "catalog"}), permission.Allow, permission.Allow},
		{"an action", restricted(auth.Restriction{Plugin: "catalog", Actions: []string{"read"}}), permission.Allow, permission.Deny},
		{"a permission", restricted(auth.Restriction{Plugin: "catalog", Permissions: []string{"catalog.location.create"}}), permission.Deny, permission.Allow},
		{"both must hold", restricted(auth.Restriction{Plugin: "catalog", Permissions: []string{"catalog.location.create"}, Actions: []string{"read"}}), permission.Deny, permission.Deny},
	} {
		for _, enabled := range []bool{false, true} {
			e := permission.NewEngine(permission.Options{Policy: unasked, Enabled: enabled})
			for p, want := range map[permission.Permission]permission.Result{read: tc.read, create: tc.create} {
				d, err := e.Decide(t.Context(), tc.who, p, "")
				require.NoError(t, err)
				assert.Equal(t, permission.Decision{Result: want}, d, "%s: %s", tc.name, p.Name)
			}
		}
	}
}

func TestPermissionsThatAreNotEnabled(t *testing.T) {
	e := permission.NewEngine(permission.Options{Policy: fixed(permission.Deny)})
	for _, who := range []auth.Principal{jane, nobody} {
		d, err := e.Decide(t.Context(), who, read, "component:default/x")
		require.NoError(t, err)
		assert.Equal(t, permission.Decision{Result: permission.Allow}, d, "users may do everything inside plugins")
	}
}

func TestPolicyDecides(t *testing.T) {
	var asked []string
	e := permission.NewEngine(permission.Options{Enabled: true, Policy: policy(func(who auth.Principal, p permission.Permission) (permission.Decision, error) {
		asked = append(asked, who.Subject+" "+p.Name)
		if who.Kind == auth.User {
			return permission.Decision{Result: permission.Allow}, nil
		}
		return permission.Decision{}, nil
	})})
	for _, tc := range []struct {
		who  auth.Principal
		want permission.Result
	}{{jane, permission.Allow}, {nobody, permission.Deny}} {
		d, err := e.Decide(t.Context(), tc.who, create, "")
		require.NoError(t, err)
		assert.Equal(t, tc.want, d.Result)
	}
	assert.Equal(t, []string{"user:default/jane catalog.location.create", " catalog.location.create"}, asked)
	d, err := permission.NewEngine(permission.Options{Enabled: true}).Decide(t.Context(), jane, create, "")
	require.NoError(t, err)
	assert.Equal(t, permission.Allow, d.Result, "the policy of the house allows all")
}

func TestConditionsOnOneResourceAreResolved(t *testing.T) {
	e := permission.NewEngine(permission.Options{Enabled: true, Policy: under(rule("catalog-entity"))})
	d, err := e.Decide(t.Context(), jane, read, "")
	require.NoError(t, err)
	assert.Equal(t, permission.Conditional, d.Result, "without a resource the condition is the answer")
	assert.Equal(t, rule("catalog-entity"), d.Criteria)

	_, err = e.Decide(t.Context(), jane, read, "component:default/a")
	assert.ErrorContains(t, err, `nobody applies conditions on resource type "catalog-entity"`)
	e.SetApplier("catalog-entity", applier(onlyA))
	for ref, want := range map[string]permission.Result{"component:default/a": permission.Allow, "component:default/b": permission.Deny} {
		d, err := e.Decide(t.Context(), jane, read, ref)
		require.NoError(t, err)
		assert.Equal(t, permission.Decision{Result: want}, d)
	}
	e.SetApplier("catalog-entity", applier(func([]string, *permission.Criteria) ([]bool, error) { return nil, errors.New("disk") }))
	d, err = e.Decide(t.Context(), jane, read, "component:default/a")
	assert.ErrorContains(t, err, "disk")
	assert.Equal(t, permission.Deny, d.Result, "what cannot be decided is denied")
}

// A policy that answers nonsense allows nothing.
func TestPoliciesThatAreWrong(t *testing.T) {
	for name, c := range map[string]*permission.Criteria{
		"no condition at all": nil, "an empty one": {}, "on another resource": rule("other"),
		"on another resource, inside": {AllOf: []*permission.Criteria{rule("catalog-entity"), {Not: rule("other")}}},
		"an empty list":               {AnyOf: []*permission.Criteria{}}, "an empty list, turned around": {Not: &permission.Criteria{AnyOf: []*permission.Criteria{}}},
		"nothing inside": {AllOf: []*permission.Criteria{nil}}, "not nothing": {Not: &permission.Criteria{}},
	} {
		e := permission.NewEngine(permission.Options{Enabled: true, Policy: under(c)})
		for _, ref := range []string{"", "component:default/a"} {
			d, err := e.Decide(t.Context(), jane, read, ref)
			assert.ErrorContains(t, err, "condition is not on resource type", name)
			assert.Equal(t, permission.Deny, d.Result, name)
		}
	}
	e := permission.NewEngine(permission.Options{Enabled: true, Policy: under(rule("catalog-entity"))})
	_, err := e.Decide(t.Context(), jane, create, "")
	assert.ErrorContains(t, err, "condition is not on resource type", "a permission without a resource has no condition")
	e = permission.NewEngine(permission.Options{Enabled: true, Policy: policy(func(auth.Principal, permission.Permission) (permission.Decision, error) {
		return permission.Decision{Result: permission.Allow}, errors.New("policy is broken")
	})})
	d, err := e.Decide(t.Context(), jane, create, "")
	assert.ErrorContains(t, err, "policy is broken")
	assert.Equal(t, permission.Deny, d.Result)
}

func TestCriteriaInTheirWireForm(t *testing.T) {
	const leaf = `{"rule":"R","resourceType":"t"}`
	for _, text := range []string{leaf, `{"rule":"R","resourceType":"t","params":{}}`, `{"rule":"R","resourceType":"t","params":{"a":["b",1,null]}}`,
		`{"not":` + leaf + `}`, `{"anyOf":[` + leaf + `,{"not":` + leaf + `}]}`, `{"allOf":[{"anyOf":[{"allOf":[` + leaf + `]}]}]}`,
		strings.Repeat(`{"not":`, 32) + leaf + strings.Repeat(`}`, 32)} {
		v, err := jsonvalue.Parse([]byte(text))
		require.NoError(t, err)
		c, err := permission.ParseCriteria(v)
		require.NoError(t, err, text)
		assert.JSONEq(t, text, string(jsonvalue.Append(nil, c.JSON())))
	}
	for _, text := range []string{`null`, `"x"`, `[]`, `{}`, `{"rule":"R"}`, `{"resourceType":"t"}`, `{"rule":5,"resourceType":"t"}`, `{"rule":"R","resourceType":"t","params":null}`,
		`{"rule":"R","resourceType":"t","params":[]}`, `{"anyOf":[]}`, `{"allOf":[]}`, `{"anyOf":{}}`, `{"anyOf":[1]}`, `{"not":[]}`, `{"not":{"anyOf":[]}}`,
		strings.Repeat(`{"not":`, 33) + leaf + strings.Repeat(`}`, 33), strings.Repeat(`{"anyOf":[`, 33) + leaf + strings.Repeat(`]}`, 33)} {
		v, err := jsonvalue.Parse([]byte(text))
		require.NoError(t, err)
		c, err := permission.ParseCriteria(v)
		assert.Error(t, err, text)
		assert.Nil(t, c, text)
	}
}

// authorize sends a body to POST /authorize.
func authorize(t testing.TB, e *permission.Engine, who auth.Principal, body string) (string, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(auth.WithPrincipal(t.Context(), who), "POST", "/authorize", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	answer, err := e.Authorize(&gin.Context{Request: r})
	if err != nil {
		return "", err
	}
	text, err := wire.AppendJSON(nil, answer)
	require.NoError(t, err)
	return string(text), nil
}

const (
	basicItem    = `{"id":"b","permission":{"type":"basic","name":"catalog.location.create","attributes":{"action":"create"}}}`
	resourceItem = `"permission":{"type":"resource","name":"catalog.entity.read","attributes":{},"resourceType":"catalog-entity"}`
)

func TestAuthorize(t *testing.T) {
	items := `{"items":[` + basicItem + `,{"id":"one","resourceRef":"component:default/a",` + resourceItem + `},{"id":"many","resourceRef":["component:default/b","component:default/a"],` + resourceItem + `},{"id":"one","resourceRef":"x","more":1,` + resourceItem + `}]}`
	for _, enabled := range []bool{false, true} { // the route asks the policy either way
		e := permission.NewEngine(permission.Options{Enabled: enabled, Policy: fixed(permission.Deny)})
		got, err := authorize(t, e, jane, items)
		require.NoError(t, err)
		assert.JSONEq(t, `{"items":[{"id":"b","result":"DENY"},{"id":"one","result":"DENY"},{"id":"many","result":"DENY"},{"id":"one","result":"DENY"}]}`, got,
			"an answer without a condition is one, also for several refs")
		e = permission.NewEngine(permission.Options{Enabled: enabled, Policy: policy(func(who auth.Principal, p permission.Permission) (permission.Decision, error) {
			assert.Equal(t, jane, who)
			assert.Equal(t, "catalog", p.Plugin)
			if p.ResourceType == "" {
				assert.Equal(t, create, p)
				return permission.Decision{Result: permission.Allow}, nil
			}
			return permission.Decision{Result: permission.Conditional, Criteria: rule("catalog-entity")}, nil
		})})
		e.SetApplier("catalog-entity", applier(onlyA))
		got, err = authorize(t, e, jane, items)
		require.NoError(t, err)
		assert.JSONEq(t, `{"items":[{"id":"b","result":"ALLOW"},{"id":"one","result":"ALLOW"},{"id":"many","result":["DENY","ALLOW"]},{"id":"one","result":"DENY"}]}`, got)
	}
	e := permission.NewEngine(permission.Options{})
	got, err := authorize(t, e, jane, `{"items":[]}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"items":[]}`, got)
	got, err = authorize(t, e, nobody, `{"items":[`+basicItem+`]}`)
	require.NoError(t, err, "nobody gets here only where the barrier is off")
	assert.JSONEq(t, `{"items":[{"id":"b","result":"ALLOW"}]}`, got)
	_, err = authorize(t, e, service, items)
	assert.EqualError(t, err, "This endpoint does not allow 'service' credentials")
	assert.ErrorIs(t, err, catalog.ErrNotAllowed)
}

func TestAuthorizeRefuses(t *testing.T) {
	e := permission.NewEngine(permission.Options{})
	for name, tc := range map[string]struct{ body, message string }{
		"no items":           {`{}`, `[{"code":"invalid_type","expected":"array","received":"undefined","path":["items"],"message":"Required"}]`},
		"no object":          {`[]`, `[{"code":"invalid_type","expected":"array","received":"undefined","path":["items"],"message":"Required"}]`},
		"items of no type":   {`{"items":"x"}`, `[{"code":"invalid_type","expected":"array","received":"string","path":["items"],"message":"Expected array, received string"}]`},
		"an item of no type": {`{"items":[5]}`, `[{"code":"invalid_type","expected":"object","received":"number","path":["items",0],"message":"Expected object, received number"}]`},
		"no id, no permission": {`{"items":[{}]}`, `[{"code":"invalid_type","expected":"string","received":"undefined","path":["items",0,"id"],"message":"Required"},` +
			`{"code":"invalid_type","expected":"object","received":"undefined","path":["items",0,"permission"],"message":"Required"}]`},
		"an id of no type": {`{"items":[` + strings.Replace(basicItem, `"b"`, `7`, 1) + `]}`, `[{"code":"invalid_type","expected":"string","received":"number","path":["items",0,"id"],"message":"Expected string, received number"}]`},
		"no attributes":    {`{"items":[{"id":"x","permission":{"type":"basic","name":"n"}}]}`, `[{"code":"invalid_type","expected":"object","received":"undefined","path":["items",0,"permission","attributes"],"message":"Required"}]`},
		"an action that is none": {`{"items":[` + strings.Replace(basicItem, `"create"}`, `"drop"}`, 1) + `]}`,
			`[{"code":"invalid_union","path":["items",0,"permission","attributes","action"],"message":"Invalid input"}]`},
		"a type that is none": {`{"items":[` + strings.Replace(basicItem, `"basic"`, `"magic"`, 1) + `]}`, `[{"code":"invalid_union","path":["items",0,"permission","type"],"message":"Invalid input"}]`},
		"a resource for a basic permission": {`{"items":[` + strings.Replace(basicItem, `"id"`, `"resourceRef":"x","id"`, 1) + `]}`,
			`[{"code":"invalid_union","path":["items",0,"resourceRef"],"message":"Invalid input"}]`},
		"a ref of no type": {`{"items":[{"id":"x","resourceRef":5,` + resourceItem + `}]}`, `[{"code":"invalid_union","path":["items",0,"resourceRef"],"message":"Invalid input"}]`},
		"null for a ref":   {`{"items":[{"id":"x","resourceRef":null,` + resourceItem + `}]}`, `[{"code":"invalid_union","path":["items",0,"resourceRef"],"message":"Invalid input"}]`},
		"no refs":          {`{"items":[{"id":"x","resourceRef":[],` + resourceItem + `}]}`, `[{"code":"invalid_union","path":["items",0,"resourceRef"],"message":"Invalid input"}]`},
		"refs of no type":  {`{"items":[{"id":"x","resourceRef":["a",5],` + resourceItem + `}]}`, `[{"code":"invalid_union","path":["items",0,"resourceRef"],"message":"Invalid input"}]`},
		"a resource permission about nothing": {`{"items":[` + basicItem + `,{"id":"x",` + resourceItem + `}]}`,
			"Resource permissions require a resourceRef to be set. Direct user requests without a resourceRef are not allowed."},
		"a resource of no type": {`{"items":[{"id":"x","resourceRef":"y","permission":{"type":"resource","name":"n","attributes":{}}}]}`,
			`[{"code":"invalid_type","expected":"string","received":"undefined","path":["items",0,"permission","resourceType"],"message":"Required"},` +
				`{"code":"invalid_union","path":["items",0,"permission","resourceType"],"message":"Invalid input"},{"code":"invalid_union","path":["items",0,"resourceRef"],"message":"Invalid input"}]`},
	} {
		_, err := authorize(t, e, jane, tc.body)
		assert.EqualError(t, err, tc.message, name)
		assert.ErrorIs(t, err, catalog.ErrInput, name)
	}
	for body, want := range map[string]string{`{`: wire.NameSyntax, `"x"`: wire.NameSyntax, `{"items":"` + strings.Repeat("x", wire.BodyLimit) + `"}`: wire.NamePayloadTooLarge} {
		_, err := authorize(t, e, jane, body)
		assert.Equal(t, want, catalog.ErrorName(err))
	}
}

func TestHealth(t *testing.T) {
	answer, err := permission.Health(nil)
	require.NoError(t, err)
	text, err := wire.AppendJSON(nil, answer)
	require.NoError(t, err)
	assert.JSONEq(t, `{"status":"ok"}`, string(text))
}

// FuzzAuthorize: any body is refused in known words, or gets one answer for
// each item, with its id.
func FuzzAuthorize(f *testing.F) {
	f.Add(`{"items":[` + basicItem + `,{"id":"","resourceRef":["a"],` + resourceItem + `}]}`)
	f.Add(`{"items":[{"id":"x","permission":{"type":"resource","attributes":{"action":null}}},[],null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		e := permission.NewEngine(permission.Options{Policy: under(rule("catalog-entity"))})
		e.SetApplier("catalog-entity", applier(onlyA))
		got, err := authorize(t, e, jane, body)
		if err != nil {
			return // a condition on a permission without a resource is an error of the policy
		}
		asked, parseErr := jsonvalue.ParseObject([]byte(body))
		require.NoError(t, parseErr)
		answered, parseErr := jsonvalue.ParseObject([]byte(got))
		require.NoError(t, parseErr)
		want, _ := asked.Value("items").([]any)
		have, _ := answered.Value("items").([]any)
		require.Len(t, have, len(want))
		for i := range want {
			require.Equal(t, want[i].(*jsonvalue.Object).Value("id"), have[i].(*jsonvalue.Object).Value("id"))
		}
	})
}
