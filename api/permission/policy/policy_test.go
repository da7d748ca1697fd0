package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/permission/policy"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

var (
	entityRead   = permission.Permission{Plugin: "catalog", Name: "catalog.entity.read", Action: "read", ResourceType: "catalog-entity"}
	entityDelete = permission.Permission{Plugin: "catalog", Name: "catalog.entity.delete", Action: "delete", ResourceType: "catalog-entity"}
	entityCreate = permission.Permission{Plugin: "catalog", Name: "catalog.entity.create", Action: "create"}
	taskRead     = permission.Permission{Plugin: "scaffolder", Name: "scaffolder.task.read", Action: "read", ResourceType: "scaffolder-task"}
	stepRead     = permission.Permission{Plugin: "scaffolder", Name: "scaffolder.template.step.read", Action: "read", ResourceType: "scaffolder-template"}
	actionRun    = permission.Permission{Plugin: "scaffolder", Name: "scaffolder.action.execute", ResourceType: "scaffolder-action"}
	clusters     = permission.Permission{Plugin: "kubernetes", Name: "kubernetes.clusters.read", Action: "read"}
)

func known() []permission.Permission {
	return append(catalogapi.Permissions(), taskRead, stepRead, actionRun)
}

// plain reads YAML into the values that a configuration has.
func plain(t testing.TB, text string) any {
	t.Helper()
	documents := yaml.Parse([]byte(text), yaml.Limits{Bytes: 1 << 20})
	require.Len(t, documents, 1)
	require.NoError(t, documents[0].Err)
	return jsonvalue.Plain(documents[0].Value)
}

func parse(t testing.TB, text string) (*policy.Policy, error) {
	t.Helper()
	return policy.Parse(plain(t, text), policy.Options{Known: known()})
}

func must(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := parse(t, text)
	require.NoError(t, err)
	return p
}

// written writes a decision as its result, or as its condition.
func written(d permission.Decision) string {
	if d.Result != permission.Conditional {
		return d.Result.String()
	}
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(string(jsonvalue.Append(nil, d.Criteria.JSON())),
		`"resourceType":"catalog-entity",`, ""), `"rule":`, ""), `"`, "")
}

var (
	jane   = policy.NewCaller("user:default/Jane", []string{"user:default/Jane", "group:default/shop"})
	joe    = policy.NewCaller("user:default/joe", []string{"user:default/joe", "group:default/platform"})
	nobody = policy.Caller{}
)

func TestDecide(t *testing.T) {
	for _, tc := range []struct {
		name, policy string
		caller       policy.Caller
		asked        permission.Permission
		want         string
	}{
		{"no rule: the default", "default: deny", jane, entityRead, "DENY"},
		{"no rule: the other default", "default: allow\nrules: []", jane, entityRead, "ALLOW"},
		{"a name", "default: deny\nrules: [{allow: catalog.entity.read}]", jane, entityRead, "ALLOW"},
		{"another name", "default: deny\nrules: [{allow: catalog.entity.read}]", jane, entityDelete, "DENY"},
		{"part of a name", "default: deny\nrules: [{allow: 'catalog.entity.*'}]", jane, entityDelete, "ALLOW"},
		{"one of some names", "default: deny\nrules: [{allow: [catalog.entity.create, catalog.entity.read]}]", jane, entityCreate, "ALLOW"},
		{"a plugin of somebody else", "default: deny\nrules: [{allow: kubernetes.clusters.read}]", jane, clusters, "ALLOW"},
		{"the first that matches", "default: deny\nrules: [{deny: catalog.entity.read}, {allow: 'catalog.*'}]", jane, entityRead, "DENY"},
		{"an action", "default: deny\nrules: [{allow: '*', action: [read, create]}]", jane, entityRead, "ALLOW"},
		{"another action", "default: deny\nrules: [{allow: '*', action: [read, create]}]", jane, entityDelete, "DENY"},
		{"a permission without an action", "default: deny\nrules: [{allow: '*', action: read}]", jane, actionRun, "DENY"},
		{"a type of resource", "default: deny\nrules: [{allow: '*', resourceType: scaffolder-task}]", jane, taskRead, "ALLOW"},
		{"another type", "default: deny\nrules: [{allow: '*', resourceType: scaffolder-task}]", jane, entityRead, "DENY"},
		{"a user, in short", "default: deny\nrules: [{allow: '*', user: JANE}]", jane, entityRead, "ALLOW"},
		{"another user", "default: deny\nrules: [{allow: '*', user: 'user:other/jane'}]", jane, entityRead, "DENY"},
		{"a group", "default: deny\nrules: [{allow: '*', group: [platform, shop]}]", jane, entityRead, "ALLOW"},
		{"another group", "default: deny\nrules: [{allow: '*', group: platform}]", jane, entityRead, "DENY"},
		{"nobody is in no group", "default: deny\nrules: [{allow: '*', group: platform}]", nobody, entityRead, "DENY"},
		{"nobody is no user", "default: allow\nrules: [{deny: '*', user: jane}]", nobody, entityRead, "ALLOW"},

		{"a kind", "default: deny\nrules: [{allow: '*', kind: [Component, API]}]", jane, entityRead,
			"{IS_ENTITY_KIND,params:{kinds:[Component,API]}}"},
		{"all but a kind", "default: allow\nrules: [{deny: '*', kind: Group}]", jane, entityRead, "{not:{IS_ENTITY_KIND,params:{kinds:[Group]}}}"},
		{"the caller owns it", "default: deny\nrules: [{allow: '*', owner: caller}]", jane, entityDelete,
			"{IS_ENTITY_OWNER,params:{claims:[user:default/jane,group:default/shop]}}"},
		{"somebody owns it", "default: deny\nrules: [{allow: '*', owner: [caller, rentals, 'user:joe']}]", jane, entityDelete,
			"{IS_ENTITY_OWNER,params:{claims:[user:default/jane,group:default/shop,group:default/rentals,user:default/joe]}}"},
		{"nobody owns nothing", "default: deny\nrules: [{allow: '*', owner: caller}]", nobody, entityDelete, "DENY"},
		{"nobody, and somebody owns it", "default: deny\nrules: [{allow: '*', owner: [caller, shop]}]", nobody, entityDelete,
			"{IS_ENTITY_OWNER,params:{claims:[group:default/shop]}}"},
		{"a task of the caller", "default: deny\nrules: [{allow: '*', owner: caller}]", jane, taskRead,
			"{IS_TASK_OWNER,resourceType:scaffolder-task,params:{createdBy:[user:default/jane,user:default/Jane]}}"},
		{"an annotation of any value", "default: deny\nrules: [{allow: '*', annotation: {a/b: true}}]", jane, entityRead,
			"{HAS_ANNOTATION,params:{annotation:a/b}}"},
		{"annotations, labels and fields", "default: deny\nrules: [{allow: '*', annotation: {b: x, a: [1x, 2x]}, label: {l: v}, spec: {type: service}}]", jane, entityRead,
			"{allOf:[{allOf:[{anyOf:[{HAS_ANNOTATION,params:{annotation:a,value:1x}},{HAS_ANNOTATION,params:{annotation:a,value:2x}}]},{HAS_ANNOTATION,params:{annotation:b,value:x}}]}," +
				"{HAS_LABEL,params:{label:l,value:v}},{HAS_SPEC,params:{key:type,value:service}}]}"},
		{"a template", "default: deny\nrules: [{allow: '*', template: New-Bike}]", jane, entityRead,
			"{allOf:[{IS_ENTITY_KIND,params:{kinds:[template]}},{HAS_METADATA,params:{key:namespace,value:default}},{HAS_METADATA,params:{key:name,value:new-bike}}]}"},
		{"a tag of an entity", "default: deny\nrules: [{allow: '*', tag: java}]", jane, entityRead, "{HAS_METADATA,params:{key:tags.java}}"},
		{"a tag of a step", "default: deny\nrules: [{allow: '*', tag: [a, b]}]", jane, stepRead,
			"{anyOf:[{HAS_TAG,resourceType:scaffolder-template,params:{tag:a}},{HAS_TAG,resourceType:scaffolder-template,params:{tag:b}}]}"},
		{"an action of a task", "default: allow\nrules: [{deny: '*', actionId: 'fs:delete'}]", jane, actionRun,
			"{not:{HAS_ACTION_ID,resourceType:scaffolder-action,params:{actionId:fs:delete}}}"},

		{"what says something of a resource is passed over where there is none", "default: deny\nrules: [{allow: '*', kind: API}]", jane, entityCreate, "DENY"},
		{"and where it is of another type", "default: deny\nrules: [{allow: '*', kind: API}]", jane, taskRead, "DENY"},
		{"what says what is said otherwise makes no condition", "default: deny\nrules: [{deny: '*', kind: API}]", jane, entityRead, "DENY"},
		{"one after the other", "default: deny\nrules: [{deny: '*', kind: Group}, {allow: '*', owner: shop}, {allow: '*', kind: API}]", jane, entityRead,
			"{allOf:[{not:{IS_ENTITY_KIND,params:{kinds:[Group]}}},{anyOf:[{IS_ENTITY_OWNER,params:{claims:[group:default/shop]}},{IS_ENTITY_KIND,params:{kinds:[API]}}]}]}"},
		{"a rule without a condition ends it", "default: deny\nrules: [{deny: '*', kind: Group}, {allow: '*', action: read}, {deny: '*', kind: API}]", jane, entityRead,
			"{not:{IS_ENTITY_KIND,params:{kinds:[Group]}}}"},
		{"some may more", "default: deny\nrules: [{allow: '*', group: platform}, {allow: '*', owner: caller}]", joe, entityDelete, "ALLOW"},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, written(must(t, tc.policy).Decide(tc.caller, tc.asked))) })
	}
}

func TestFaultsAreReportedTogether(t *testing.T) {
	for _, tc := range []struct {
		name, policy string
		want         []string
	}{
		{"a text", "nothing", []string{"permission.policy must be an object", "permission.policy.default must be allow or deny"}},
		{"a list", "[]", []string{"must be an object with the keys default, rules"}},
		{"no default", "rules: []", []string{"permission.policy.default must be allow or deny"}},
		{"a default that is none", "default: maybe", []string{"permission.policy.default"}},
		{"unknown keys", "{default: deny, rule: []}", []string{"permission.policy.rule is not a key that there is: there are default, rules"}},
		{"rules that are no list", "{default: deny, rules: {}}", []string{"permission.policy.rules must be a list"}},
		{"a rule that is a text", "{default: deny, rules: [x]}", []string{"permission.policy.rules[0] must be an object"}},
		{"neither allow nor deny", "{default: deny, rules: [{kind: API}]}", []string{"rules[0] must have either allow or deny"}},
		{"both", "{default: deny, rules: [{allow: '*', deny: '*'}]}", []string{"rules[0] must have either allow or deny"}},
		{"a mistyped key would hold for all", "{default: deny, rules: [{allow: '*', gruop: admins}]}", []string{"rules[0].gruop is not a key"}},
		{"a mistyped name would never decide", "{default: allow, rules: [{deny: catalog.entity.raed}]}",
			[]string{`rules[0].deny has the value "catalog.entity.raed": there is no such permission: there are catalog.entity.read,`}},
		{"a pattern that matches nothing", "{default: allow, rules: [{deny: 'catalog.entitis.*'}]}", []string{"there is no such permission"}},
		{"no name", "{default: allow, rules: [{deny: 'a b['}]}", []string{"it is not the name of a permission"}},
		{"an empty list would hold for nobody", "{default: deny, rules: [{allow: '*', group: []}]}", []string{"rules[0].group must have from 1 to 500 values"}},
		{"an empty text", "{default: deny, rules: [{allow: '*', user: ''}]}", []string{"rules[0].user must be a text"}},
		{"numbers", "{default: deny, rules: [{allow: 1, name: 2, kind: [3]}]}", []string{"rules[0].allow must be", "rules[0].name must be", "rules[0].kind must be"}},
		{"an action that is none", "{default: deny, rules: [{allow: '*', action: write}]}", []string{`rules[0].action has the value "write": there are create, read, update, delete`}},
		{"refs that are none", "{default: deny, rules: [{allow: '*', user: 'a:b:c/', group: '/', owner: ':'}]}", []string{"rules[0].user", "rules[0].group", "rules[0].owner"}},
		{"a template of another kind", "{default: deny, rules: [{allow: '*', template: 'component:x'}]}", []string{"of another kind than Template"}},
		{"annotations without a key", "{default: deny, rules: [{allow: '*', annotation: x, label: {}, spec: {a: 1}}]}",
			[]string{"rules[0].annotation must be an object", "rules[0].label must be an object", "rules[0].spec.a must be a text"}},
		{"what no permission of the rule is about", "{default: deny, rules: [{allow: catalog.location.create, kind: API}]}",
			[]string{"rules[0] never decides: for catalog.location.create it has kind, and the permission is about no resource"}},
		{"an action that the permission has not", "{default: deny, rules: [{allow: catalog.entity.read, action: delete}]}", []string{"rules[0] never decides"}},
		{"what no resource has both of", "{default: deny, rules: [{allow: '*', kind: API, actionId: x}]}", []string{"no resource has both kind and actionId"}},
		{"a rule that is never reached", "{default: deny, rules: [{allow: '*', name: all}, {deny: '*', kind: API}]}", []string{"rules[1] is never reached: rule 1 (all) decides everything before it"}},
		{"faults of several rules", "{default: deny, rules: [{allow: 1}, {deny: '*', x: y}]}", []string{"rules[0].allow", "rules[1].x"}},
		{"too many turns", "default: deny\nrules:" + strings.Repeat("\n- {allow: '*', kind: A}\n- {deny: '*', kind: B}", 30), []string{"change between allow and deny more than 24 times"}},
		{"too many rules", "default: deny\nrules:" + strings.Repeat("\n- {allow: '*', kind: A}", 501), []string{"are more than 500"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parse(t, tc.policy)
			require.Error(t, err)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.GreaterOrEqual(t, strings.Count(err.Error(), "\n")+1, len(tc.want))
		})
	}
	_, err := policy.Parse(map[string]any{}, policy.Options{Source: "policy.yaml"})
	require.ErrorContains(t, err, "policy.yaml.default")
	_, err = policy.Parse(nil, policy.Options{})
	require.ErrorContains(t, err, "permission.policy must be an object")

	deepest := must(t, "default: deny\nrules:"+strings.Repeat("\n- {allow: '*', label: {a: [b, c]}, kind: A}\n- {deny: '*', annotation: {a: [b, c], d: e}}", 12))
	_, err = permission.ParseCriteria(deepest.Decide(jane, entityRead).Criteria.JSON())
	require.NoError(t, err, "the longest policy still makes a condition that others take")
}

func TestHandleAsksWhatTheUserOwns(t *testing.T) {
	o := policy.Options{Ownership: func(_ context.Context, user string) ([]string, error) {
		if user == "user:default/lost" {
			return nil, errors.New("no answer")
		}
		return []string{user, "group:default/shop"}, nil
	}}
	p, err := policy.Parse(plain(t, "{default: deny, rules: [{allow: '*', group: shop}]}"), o)
	require.NoError(t, err)
	ask := func(who auth.Principal) (string, error) {
		d, err := p.Handle(t.Context(), who, entityRead)
		return d.Result.String(), err
	}
	got, err := ask(auth.Principal{Kind: auth.User, Subject: "user:default/jane"})
	require.NoError(t, err)
	require.Equal(t, "ALLOW", got)
	got, err = ask(auth.Principal{})
	require.NoError(t, err)
	require.Equal(t, "DENY", got, "nobody owns nothing")
	got, err = ask(auth.Principal{Kind: auth.User, Subject: "user:default/lost"})
	require.ErrorContains(t, err, "what user:default/lost owns: no answer")
	require.Equal(t, "DENY", got, "nothing is allowed without an answer")
}

func TestExplain(t *testing.T) {
	p := must(t, `
default: deny
rules:
  - {name: admins, allow: '*', group: platform}
  - {deny: catalog.entity.delete, kind: Group}
  - {name: own, allow: '*', owner: caller}
`)
	steps := func(e policy.Explanation) (out []string) {
		for _, s := range e.Steps {
			out = append(out, fmt.Sprintf("%s %s %v: %s", s.Rule, s.Result, s.Decides, s.Reason))
		}
		return out
	}
	e, err := p.Explain(joe, entityDelete, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"rule 1 (admins) ALLOW true: holds"}, steps(e))

	e, err = p.Explain(jane, entityDelete, nil)
	require.NoError(t, err)
	require.Equal(t, permission.Conditional, e.Decision.Result)
	require.Equal(t, []string{"rule 1 (admins) ALLOW false: is for members of group:default/platform", "rule 2 DENY false: holds for some resources",
		"rule 3 (own) ALLOW false: holds for some resources", "default DENY true: is what no rule has decided"}, steps(e))

	e, err = p.Explain(jane, entityDelete, func(c *permission.Criteria) (bool, error) { return c.Rule.Name == "IS_ENTITY_OWNER", nil })
	require.NoError(t, err)
	require.Equal(t, permission.Allow, e.Decision.Result)
	require.Equal(t, "rule 3 (own) ALLOW true: holds for this resource", steps(e)[2])
	require.Equal(t, "rule 2 DENY false: does not hold for this resource", steps(e)[1])

	_, err = p.Explain(jane, entityDelete, func(*permission.Criteria) (bool, error) { return false, errors.New("no answer") })
	require.ErrorContains(t, err, "no answer")
}

// A made-up policy decides for each resource, by its condition, as it does
// when asked rule by rule.
func TestConditionsSayWhatTheRulesSay(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	kinds, owners := []string{"A", "B", "C"}, []string{"shop", "platform", "rentals"}
	conditional := 0
	for range 400 {
		rules := []any{}
		for range 1 + r.IntN(7) {
			rule := map[string]any{[]string{"allow", "deny"}[r.IntN(2)]: []string{"catalog.*", "catalog.entity.read", "*"}[r.IntN(3)]}
			if r.IntN(4) > 0 {
				rule["kind"] = kinds[r.IntN(3)]
			}
			if r.IntN(3) == 0 {
				rule["owner"] = []any{owners[r.IntN(3)], "caller"}[r.IntN(2)]
			}
			if r.IntN(4) == 0 {
				rule["group"] = owners[r.IntN(3)]
			}
			rules = append(rules, rule)
		}
		v := map[string]any{"default": []string{"allow", "deny"}[r.IntN(2)], "rules": rules}
		p, err := policy.Parse(v, policy.Options{Known: known()})
		if err != nil {
			require.ErrorContains(t, err, "never reached")
			continue
		}
		caller := []policy.Caller{jane, joe, nobody}[r.IntN(3)]
		d := p.Decide(caller, entityRead)
		for _, kind := range kinds {
			for _, owner := range owners {
				meets := func(rule *permission.Rule) bool {
					list, _ := rule.Params.Value(map[string]string{"IS_ENTITY_KIND": "kinds", "IS_ENTITY_OWNER": "claims"}[rule.Name]).([]any)
					for _, item := range list {
						if item == kind || item == "group:default/"+owner {
							return true
						}
					}
					return false
				}
				want, err := p.Explain(caller, entityRead, func(c *permission.Criteria) (bool, error) { return holds(c, meets), nil })
				require.NoError(t, err)
				got := d.Result
				if got == permission.Conditional {
					conditional++
					if got = permission.Deny; holds(d.Criteria, meets) {
						got = permission.Allow
					}
				}
				text, _ := json.Marshal(v)
				require.Equal(t, want.Decision.Result, got, "%s of %s: %s\n%s", kind, owner, text, written(d))
			}
		}
	}
	require.Greater(t, conditional, 500, "the policies told things apart")
}

func holds(c *permission.Criteria, meets func(*permission.Rule) bool) bool {
	switch {
	case c.Rule != nil:
		return meets(c.Rule)
	case c.Not != nil:
		return !holds(c.Not, meets)
	case c.AllOf != nil:
		for _, x := range c.AllOf {
			if !holds(x, meets) {
				return false
			}
		}
		return true
	}
	for _, x := range c.AnyOf {
		if holds(x, meets) {
			return true
		}
	}
	return false
}

// Whatever a file holds, it is a policy or has faults.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"default":"deny"}`, `{"default":"allow","rules":[{"allow":"*","owner":"caller"},{"deny":["catalog.*"],"annotation":{"a":true}}]}`,
		`[]`, `{"rules":[{"allow":{}}]}`, `{"default":"deny","rules":[{"deny":"*","template":["x","component:y"]}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var v any
		if json.Unmarshal(text, &v) != nil {
			return
		}
		p, err := policy.Parse(v, policy.Options{Known: known()})
		require.NotEqual(t, p == nil, err == nil)
		if err != nil {
			return
		}
		for _, asked := range known() {
			d := p.Decide(jane, asked)
			require.Equal(t, d.Result == permission.Conditional, d.Criteria != nil)
			if d.Criteria == nil {
				continue
			}
			again, err := permission.ParseCriteria(d.Criteria.JSON())
			require.NoError(t, err, "conditions are such as the wire takes")
			require.Equal(t, written(d), written(permission.Decision{Result: permission.Conditional, Criteria: again}))
		}
	})
}
