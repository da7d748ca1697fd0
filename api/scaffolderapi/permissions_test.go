package scaffolderapi_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

func mine() *permission.Criteria {
	return rule("IS_TASK_OWNER", scaffolderapi.TaskType, "createdBy", []any{guest})
}

// A refusal says nothing but that it is one.
func TestPermissions(t *testing.T) {
	s := serve(t, nil)
	own := s.create(greet)
	foreign := s.create(greet, apitest.As(apitest.ServiceToken))
	s.ended(own)
	s.ended(foreign)
	const retry = `{"secrets":{"key":"long enough"}}`
	dry := `{"template":` + template("t", hello) + `,"values":{"name":"Ada"},"secrets":{"key":"long enough"},"directoryContents":[]}`
	owner := under(mine(), scaffolderapi.TaskType)
	for _, c := range []struct {
		name               string
		policy             func(permission.Permission) permission.Decision
		method, path, body string
		status             int
	}{
		{"create", except("scaffolder.task.create"), "POST", tasks, greet, 403},
		{"create is asked for before the template is read", except("scaffolder.task.create"), "POST", tasks, `{"templateRef":"no","values":{}}`, 403},
		{"retry without create", except("scaffolder.task.create"), "POST", tasks + "/" + own + "/retry", retry, 403},
		{"retry without read", except("scaffolder.task.read"), "POST", tasks + "/" + own + "/retry", retry, 403},
		{"retry of what another has created", owner, "POST", tasks + "/" + foreign + "/retry", retry, 403},
		{"dry-run without create", except("scaffolder.task.create"), "POST", dryRuns, dry, 403},
		{"dry-run", except("scaffolder.template.dry-run"), "POST", dryRuns, dry, 403},
		{"dry-run is refused before the template is checked", except("scaffolder.template.dry-run"), "POST", dryRuns,
			`{"template":{},"values":{},"directoryContents":[]}`, 403},
		{"dry-run of who may", everything, "POST", dryRuns, dry, 200},
		{"get", except("scaffolder.task.read"), "GET", tasks + "/" + own, "", 403},
		{"list", except("scaffolder.task.read"), "GET", tasks, "", 403},
		{"stream", except("scaffolder.task.read"), "GET", tasks + "/" + own + "/eventstream", "", 403},
		{"events", except("scaffolder.task.read"), "GET", tasks + "/" + own + "/events", "", 403},
		{"cancel", except("scaffolder.task.cancel"), "POST", tasks + "/" + own + "/cancel", "", 403},
		{"cancel without read", except("scaffolder.task.read"), "POST", tasks + "/" + own + "/cancel", "", 403},
		{"get of one's own", owner, "GET", tasks + "/" + own, "", 200},
		{"get of another's", owner, "GET", tasks + "/" + foreign, "", 403},
		{"stream of another's", owner, "GET", tasks + "/" + foreign + "/eventstream", "", 403},
		{"events of another's", owner, "GET", tasks + "/" + foreign + "/events", "", 403},
		{"cancel of one's own", owner, "POST", tasks + "/" + own + "/cancel", "", 200},
		{"cancel of another's", owner, "POST", tasks + "/" + foreign + "/cancel", "", 403},
		{"what others have created alone", under(&permission.Criteria{Not: mine()}, scaffolderapi.TaskType), "GET", tasks + "/" + own, "", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.policy(c.policy)
			r := s.Do(c.method, c.path, c.body)
			if c.status == 403 {
				refuses(t, r, 403, "NotAllowedError", "")
				return
			}
			require.Equal(t, c.status, r.Status, r.Text())
		})
	}
	s.policy(except("scaffolder.task.read", "scaffolder.task.cancel"))
	for _, route := range []string{"", "/events", "/eventstream"} {
		refuses(t, s.Do("GET", tasks+"/nope"+route, ""), 404, "NotFoundError", "No task with id 'nope' found")
	}
	refuses(t, s.Do("POST", tasks+"/nope/cancel", ""), 404, "NotFoundError", "No task with id 'nope' found")
	s.policy(under(rule("HAS_TAG", scaffolderapi.TemplateType, "tag", "x"), scaffolderapi.TaskType))
	require.Equal(t, 500, s.Do("GET", tasks, "").Status, "a policy that answers with a rule for something else allows nothing")
}

// A condition is part of the query: it is met before tasks are counted and
// skipped.
func TestListsUnderConditions(t *testing.T) {
	s := serve(t, nil)
	var own []string
	for range 3 {
		s.ended(s.create(greet, apitest.As(apitest.ServiceToken)))
		own = append([]string{s.create(greet)}, own...)
		s.ended(own[0])
	}
	s.policy(under(mine(), scaffolderapi.TaskType))
	ids, total := s.listed("")
	require.Equal(t, own, ids)
	require.Equal(t, 3, total)
	ids, total = s.listed("?limit=1&offset=1&order=desc:status&order=desc:created_at")
	require.Equal(t, own[1:2], ids)
	require.Equal(t, 3, total)
	s.policy(under(rule("IS_TASK_OWNER", scaffolderapi.TaskType, "createdBy", []any{}), scaffolderapi.TaskType))
	require.Equal(t, `{"tasks":[],"totalTasks":0}`, s.Do("GET", tasks, "").Text())
	s.policy(under(rule("IS_TASK_OWNER", scaffolderapi.TaskType, "createdBy", []any{""}), scaffolderapi.TaskType))
	require.Equal(t, `{"tasks":[],"totalTasks":0}`, s.Do("GET", tasks, "").Text(), "nobody is no owner")
}

// Pages and steps that the caller may not see are as if they were not there.
func TestTemplatesUnderConditions(t *testing.T) {
	s := serve(t, nil)
	admin := rule("HAS_TAG", scaffolderapi.TemplateType, "tag", "admin")
	for _, c := range []struct {
		name   string
		policy func(permission.Permission) permission.Decision
		pages  int
		steps  []any
	}{
		{"everything", everything, 2, []any{"one", "step-2"}},
		{"with the tag", under(admin, scaffolderapi.TemplateType), 1, []any{"step-1"}},
		{"without the tag", under(&permission.Criteria{Not: admin}, scaffolderapi.TemplateType), 1, []any{"one"}},
		{"no parameters", except("scaffolder.template.parameter.read"), 0, []any{"one", "step-2"}},
		{"no steps", except("scaffolder.template.step.read"), 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.policy(c.policy)
			r := s.Do("GET", at+"/v2/templates/default/template/hello/parameter-schema", "")
			var got struct{ Steps []any }
			require.NoError(t, json.Unmarshal(r.Body, &got))
			require.Len(t, got.Steps, c.pages)
			id := s.create(greet)
			s.ended(id)
			var steps []any
			for _, step := range s.task(id).Spec["steps"].([]any) {
				steps = append(steps, step.(map[string]any)["id"])
			}
			require.Equal(t, c.steps, steps, "ids are given to the steps that are left")
		})
	}
	s.policy(except("scaffolder.template.parameter.read"))
	s.ended(s.create(`{"templateRef":"hello","values":{"name":5},"secrets":{"key":"long enough"}}`)) // a page that is not seen checks nothing
}

func TestActionsThatATaskMayNotRun(t *testing.T) {
	s := serve(t, nil)
	s.policy(under(rule("HAS_ACTION_ID", scaffolderapi.ActionType, "actionId", "act"), scaffolderapi.ActionType))
	id := s.create(greet)
	require.Equal(t, scaffolder.Failed, s.ended(id))
	require.Contains(t, s.Do("GET", tasks+"/"+id+"/events", "").Text(), "Unauthorized action: say. The action is not allowed.")
	id = s.create(greet, apitest.As(apitest.ServiceToken))
	require.Equal(t, scaffolder.Completed, s.ended(id), "the policy is about users")
}

// What a rule about an action says of its input.
func TestRulesOfActions(t *testing.T) {
	property := func(kind, key string, value ...any) *permission.Criteria {
		params := []any{"key", key}
		if len(value) > 0 {
			params = append(params, "value", value[0])
		}
		return rule("HAS_"+kind+"_PROPERTY", scaffolderapi.ActionType, params...)
	}
	const nested = `{"a":{"b":[{"c":"x"},7,true]},"empty":"","nothing":null,"no":false,"zero":0}`
	for _, c := range []struct {
		name, id, input string
		criteria        *permission.Criteria
		want            bool
	}{
		{"there", "say", nested, property("STRING", "a.b[0].c"), true},
		{"there with that value", "say", nested, property("STRING", "a.b[0].c", "x"), true},
		{"there with another", "say", nested, property("STRING", "a.b[0].c", "X"), false},
		{"a number", "say", nested, property("NUMBER", "a.b[1]", 7.0), true},
		{"a number that is none", "say", nested, property("NUMBER", "a.b[2]"), false},
		{"a boolean", "say", nested, property("BOOLEAN", "a.b[2]", true), true},
		{"what is false is there", "say", nested, property("BOOLEAN", "no"), true},
		{"what is 0 is there", "say", nested, property("NUMBER", "zero", 0.0), true},
		{"an empty text is there", "say", nested, property("STRING", "empty"), true},
		{"null is of no type", "say", nested, property("STRING", "nothing"), false},
		{"below what is no object", "say", nested, property("STRING", "empty.a"), false},
		{"beyond the list", "say", nested, property("NUMBER", "a.b[3]"), false},
		{"before the list", "say", nested, property("NUMBER", "a.b[-1]"), false},
		{"an index that is none", "say", nested, property("NUMBER", "a.b[x]"), false},
		{"an index of what is no list", "say", nested, property("NUMBER", "a[0]"), false},
		{"a broken path", "say", nested, property("STRING", "a.b["), false},
		{"no path", "say", nested, property("STRING", ""), false},
		{"a value of another type", "say", nested, property("STRING", "empty", "0"), false},

		{"an owner in another case", "publish:github", `{"owner":"Acme"}`, property("STRING", "owner", "acme"), true},
		{"elsewhere case counts", "publish:gitea", `{"owner":"Acme"}`, property("STRING", "owner", "acme"), false},
		{"as it does for other keys", "publish:github", `{"branch":"Main"}`, property("STRING", "branch", "main"), false},
		{"a path of a group", "gitlab:group:access", `{"path":"Acme/Team"}`, property("STRING", "path", "acme/team"), true},
		{"a path of something else", "gitlab:issues:create", `{"path":"Acme/Team"}`, property("STRING", "path", "acme/team"), false},
		{"a repository by its URL", "publish:bitbucketServer", `{"repoUrl":"Host?repo=A"}`, property("STRING", "repoUrl", "host?repo=a"), true},

		{"a group by number might be the one that is meant", "gitlab:group:access", `{"path":"42"}`, property("STRING", "path", "acme/team"), true},
		{"or the one that is not", "gitlab:group:access", `{"path":"42"}`, &permission.Criteria{Not: property("STRING", "path", "acme/team")}, false},
		{"as a number too", "gitlab:group:access", `{"path":42}`, &permission.Criteria{Not: property("STRING", "path", "acme/team")}, false},
		{"each of those that are meant must be allowed", "gitlab:group:access", `{"path":"42"}`, &permission.Criteria{AnyOf: []*permission.Criteria{
			property("STRING", "path", "acme/team"), property("STRING", "path", "acme/other")}}, true},
		{"one that is not is enough", "gitlab:group:access", `{"path":"42"}`, &permission.Criteria{AllOf: []*permission.Criteria{
			property("STRING", "path", "acme/team"), {Not: property("STRING", "path", "acme/other")}}}, false},
		{"without a path in the conditions the number is a text", "gitlab:group:access", `{"path":"42"}`, property("STRING", "path"), true},
		{"a number elsewhere is no group", "gitlab:issues:create", `{"path":"42"}`, &permission.Criteria{Not: property("STRING", "path", "acme/team")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &shop{decide: under(c.criteria, scaffolderapi.ActionType)}
			may, err := scaffolderapi.Policy{Decider: permission.NewEngine(permission.Options{Enabled: true, Policy: s})}.Actions(t.Context(),
				action.Initiator{Credentials: `{"kind":1,"subject":"user:default/guest"}`})
			require.NoError(t, err)
			input, err := jsonvalue.ParseObject([]byte(c.input))
			require.NoError(t, err)
			require.Equal(t, c.want, may(c.id, input))
		})
	}
}

func TestPermissionMetadata(t *testing.T) {
	s := serve(t, nil)
	r := s.Do("GET", at+"/.well-known/backstage/permissions/metadata", "")
	var got struct {
		Permissions []struct {
			Type, Name, ResourceType string
			Attributes               map[string]string
		}
		Rules []struct {
			Name, ResourceType string
			ParamsSchema       struct{ Required []string }
		}
	}
	require.NoError(t, json.Unmarshal(r.Body, &got), r.Text())
	var permissions, rules [][3]string
	for _, p := range got.Permissions {
		permissions = append(permissions, [3]string{p.Name, p.Attributes["action"], p.ResourceType})
	}
	for _, each := range got.Rules {
		rules = append(rules, [3]string{each.Name, each.ResourceType, each.ParamsSchema.Required[0]})
	}
	require.Equal(t, [][3]string{
		{"scaffolder.template.dry-run", "", ""},
		{"scaffolder.template.parameter.read", "read", "scaffolder-template"},
		{"scaffolder.template.step.read", "read", "scaffolder-template"},
		{"scaffolder.template.management", "", ""},
		{"scaffolder.action.execute", "", "scaffolder-action"},
		{"scaffolder.task.read", "read", "scaffolder-task"},
		{"scaffolder.task.create", "create", ""},
		{"scaffolder.task.cancel", "", "scaffolder-task"},
	}, permissions)
	require.Equal(t, [][3]string{
		{"HAS_TAG", "scaffolder-template", "tag"},
		{"HAS_ACTION_ID", "scaffolder-action", "actionId"},
		{"HAS_BOOLEAN_PROPERTY", "scaffolder-action", "key"},
		{"HAS_NUMBER_PROPERTY", "scaffolder-action", "key"},
		{"HAS_STRING_PROPERTY", "scaffolder-action", "key"},
		{"IS_TASK_OWNER", "scaffolder-task", "createdBy"},
	}, rules)
}

func TestApplyConditions(t *testing.T) {
	s := serve(t, nil)
	id := s.create(greet)
	s.ended(id)
	const apply = at + "/.well-known/backstage/permissions/apply-conditions"
	service := apitest.As(apitest.ServiceToken)
	body := func(resourceType, conditions string) string {
		return `{"items":[{"id":"1","resourceRef":["` + id + `","gone"],"resourceType":"` + resourceType + `","conditions":` + conditions + `}]}`
	}
	const owner = `{"rule":"IS_TASK_OWNER","resourceType":"scaffolder-task","params":{"createdBy":["user:default/guest"]}}`
	require.JSONEq(t, `{"items":[{"id":"1","result":["ALLOW","DENY"]}]}`, s.Do("POST", apply, body("scaffolder-task", owner), service).Text())
	require.JSONEq(t, `{"items":[{"id":"1","result":["DENY","DENY"]}]}`, s.Do("POST", apply, body("scaffolder-task", `{"not":`+owner+`}`), service).Text())
	refuses(t, s.Do("POST", apply, body("scaffolder-action", owner), service), 400, "InputError", "Unexpected resource types: scaffolder-action.")
	refuses(t, s.Do("POST", apply, body("scaffolder-task", owner)), 403, "NotAllowedError", "")
}
