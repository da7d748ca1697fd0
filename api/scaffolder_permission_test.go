package api_test

import (
	"testing"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/require"
)

func rule(name, resource, key string, value any) permission.Decision {
	return permission.Decision{Result: permission.Conditional, Criteria: &permission.Criteria{Rule: &permission.Rule{
		Name: name, ResourceType: resource, Params: jsonvalue.NewObject(jsonvalue.Member{Key: key, Value: value})}}}
}

func TestPermissionsOfTheScaffolder(t *testing.T) {
	w := newWorkshop(t, nil)
	mine := w.create(hello)
	foreign := w.create(hello, bearer(staticToken))
	w.ended(mine)
	w.ended(foreign)
	allow := permission.Decision{Result: permission.Allow}
	deny := func(names ...string) verdicts {
		return func(_ auth.Principal, p permission.Permission) permission.Decision {
			for _, n := range names {
				if p.Name == n {
					return permission.Decision{}
				}
			}
			return allow
		}
	}
	owner := verdicts(func(who auth.Principal, p permission.Permission) permission.Decision {
		if p.ResourceType == scaffolderapi.TaskType {
			return rule("IS_TASK_OWNER", scaffolderapi.TaskType, "createdBy", []any{who.Subject})
		}
		return allow
	})
	dry := `{"template":` + helloTemplate + `,"values":{"name":"Ada"},"secrets":{"key":"long enough"},"directoryContents":[]}`
	const tasks = "/api/scaffolder/v2/tasks"
	for _, c := range []struct {
		name               string
		policy             verdicts
		method, path, body string
		status             int
	}{
		{"may not create", deny("scaffolder.task.create"), "POST", tasks, hello, 403},
		{"may not retry", deny("scaffolder.task.create"), "POST", tasks + "/" + mine + "/retry", `{"secrets":{"key":"long enough"}}`, 403},
		{"may not dry-run without creating", deny("scaffolder.task.create"), "POST", "/api/scaffolder/v2/dry-run", dry, 403},
		{"may not dry-run", deny("scaffolder.template.dry-run"), "POST", "/api/scaffolder/v2/dry-run", dry, 403},
		{"may dry-run", deny(), "POST", "/api/scaffolder/v2/dry-run", dry, 200},
		{"may not read", deny("scaffolder.task.read"), "GET", tasks + "/" + mine, "", 403},
		{"may not list", deny("scaffolder.task.read"), "GET", tasks, "", 403},
		{"may not stream", deny("scaffolder.task.read"), "GET", tasks + "/" + mine + "/eventstream", "", 403},
		{"may not see events", deny("scaffolder.task.read"), "GET", tasks + "/" + mine + "/events", "", 403},
		{"what is not there is not there", deny("scaffolder.task.read"), "GET", tasks + "/nope", "", 404},
		{"may not cancel", deny("scaffolder.task.cancel"), "POST", tasks + "/" + mine + "/cancel", "{}", 403},
		{"may not cancel what may not be read", deny("scaffolder.task.read"), "POST", tasks + "/" + mine + "/cancel", "{}", 403},
		{"reads its own", owner, "GET", tasks + "/" + mine, "", 200},
		{"not those of others", owner, "GET", tasks + "/" + foreign, "", 403},
		{"cancels its own", owner, "POST", tasks + "/" + mine + "/cancel", "{}", 200},
		{"not those of others", owner, "POST", tasks + "/" + foreign + "/cancel", "{}", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.policy(c.policy)
			r := w.do(c.method, c.path, c.body)
			require.Equal(t, c.status, r.status, r.text())
			if c.status == 403 {
				require.Contains(t, r.text(), `{"name":"NotAllowedError","message":""}`, "refusals say nothing more")
			}
		})
	}
	w.policy(owner)
	r := w.do("GET", tasks, "")
	require.Contains(t, r.text(), `"totalTasks":1}`, "counted after the condition")
	require.Contains(t, r.text(), mine)
}

// Pages and steps that the caller may not see are as if they were not there.
func TestTemplatesAreFiltered(t *testing.T) {
	w := newWorkshop(t, nil)
	w.policy(func(_ auth.Principal, p permission.Permission) permission.Decision {
		if p.ResourceType == scaffolderapi.TemplateType {
			d := rule("HAS_TAG", scaffolderapi.TemplateType, "tag", "admin")
			d.Criteria = &permission.Criteria{Not: d.Criteria}
			return d
		}
		return permission.Decision{Result: permission.Allow}
	})
	r := w.do("GET", "/api/scaffolder/v2/templates/default/template/hello/parameter-schema", "")
	require.NotContains(t, r.text(), "secretly")
	task := w.ended(w.create(hello))
	require.Len(t, task["spec"].(map[string]any)["steps"], 1)

	w.policy(func(_ auth.Principal, p permission.Permission) permission.Decision {
		if p.ResourceType == scaffolderapi.TemplateType {
			return permission.Decision{}
		}
		return permission.Decision{Result: permission.Allow}
	})
	r = w.do("GET", "/api/scaffolder/v2/templates/default/template/hello/parameter-schema", "")
	require.Contains(t, r.text(), `"steps":[]`)
	require.Empty(t, w.ended(w.create(`{"templateRef":"hello","values":{},"secrets":{"key":"long enough"}}`))["spec"].(map[string]any)["steps"])
}

func TestActionsAreAuthorized(t *testing.T) {
	w := newWorkshop(t, nil)
	for _, c := range []struct {
		name     string
		decision permission.Decision
		allowed  bool
	}{
		{"denied", permission.Decision{}, false},
		{"by id", rule("HAS_ACTION_ID", scaffolderapi.ActionType, "actionId", "say"), true},
		{"by another id", rule("HAS_ACTION_ID", scaffolderapi.ActionType, "actionId", "wait"), false},
		{"by an input", rule("HAS_STRING_PROPERTY", scaffolderapi.ActionType, "key", "message"), true},
		{"by an input of another type", rule("HAS_NUMBER_PROPERTY", scaffolderapi.ActionType, "key", "message"), false},
		{"by a rule that there is not", rule("HAS_LUCK", scaffolderapi.ActionType, "key", "x"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.policy(func(_ auth.Principal, p permission.Permission) permission.Decision {
				if p.ResourceType == scaffolderapi.ActionType {
					return c.decision
				}
				return permission.Decision{Result: permission.Allow}
			})
			id := w.create(hello)
			task := w.ended(id)
			require.Equal(t, c.allowed, task["status"] == "completed")
			if !c.allowed {
				r := w.do("GET", "/api/scaffolder/v2/tasks/"+id+"/events", "")
				require.Contains(t, r.text(), "Unauthorized action: say. The action is not allowed.")
			}
		})
	}
}

func TestPermissionRoutesOfTheScaffolder(t *testing.T) {
	w := newWorkshop(t, nil)
	r := w.do("GET", "/api/scaffolder/.well-known/backstage/permissions/metadata", "")
	for _, name := range []string{"scaffolder.task.read", "scaffolder.action.execute", "HAS_TAG", "IS_TASK_OWNER", "HAS_BOOLEAN_PROPERTY"} {
		require.Contains(t, r.text(), `"name":"`+name+`"`)
	}
	id := w.create(hello)
	w.ended(id)
	body := func(resource string) string {
		return `{"items":[{"id":"1","resourceRef":["` + id + `","gone"],"resourceType":"` + resource + `","conditions":{"rule":"IS_TASK_OWNER",
			"resourceType":"scaffolder-task","params":{"createdBy":["user:development/guest"]}}}]}`
	}
	const apply = "/api/scaffolder/.well-known/backstage/permissions/apply-conditions"
	r = w.do("POST", apply, body("scaffolder-task"), bearer(staticToken))
	require.JSONEq(t, `{"items":[{"id":"1","result":["ALLOW","DENY"]}]}`, r.text())
	require.Equal(t, 400, w.do("POST", apply, body("scaffolder-action"), bearer(staticToken)).status)
	require.Equal(t, 403, w.do("POST", apply, body("scaffolder-task")).status, "users have no business there")
}
