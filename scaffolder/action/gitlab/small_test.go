package gitlab_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/gitlab"
)

// What each of the small actions asks for with defaults, and puts out.
func TestSmallActions(t *testing.T) {
	for _, c := range []struct {
		id, more  string
		operation string
		body      map[string]any
		outputs   string
	}{
		{"gitlab:projectAccessToken:create", `,"projectId":"acme/monorepo"`, "access token",
			map[string]any{"name": "tokenname", "access_level": 40.0, "scopes": []any{"read_repository"}, "expires_at": "2027-03-01"}, `{"access_token":"glpat-made"}`},
		{"gitlab:projectDeployToken:create", `,"projectId":1001,"name":"N","scopes":["read_registry"]`, "deploy token",
			map[string]any{"name": "N", "scopes": []any{"read_registry"}}, `{"deploy_token":"gldt-made","user":"gitlab+deploy-token-3"}`},
		{"gitlab:projectVariable:create", `,"projectId":1001,"key":"A","value":"1","variableType":"env_var"`, "variable", map[string]any{"key": "A", "value": "1", "variable_type": "env_var",
			"protected": false, "masked": false, "masked_and_hidden": false, "raw": false, "environment_scope": "*"}, `{}`},
		{"gitlab:pipeline:trigger", `,"projectId":1001,"tokenDescription":"D","branch":"main"`, "pipeline", map[string]any{"ref": "main", "token": "glptt-made"},
			`{"pipelineUrl":"URL/acme/monorepo/-/pipelines/8"}`},
		{"gitlab:issues:create", `,"title":"T","dueDate":"2026-02-02T03:04:05Z","epicId":3`, "issue", map[string]any{"title": "T", "due_date": "2026-02-02T03:04:05.000Z", "epic_id": 3.0},
			`{"issueUrl":"URL/acme/monorepo/-/issues/1","issueId":1001,"issueIid":1}`},
		{"gitlab:issues:create", `,"title":"T","epicId":4`, "issue", map[string]any{"title": "T"}, `{"issueUrl":"URL/acme/monorepo/-/issues/1","issueId":1001,"issueIid":1}`},
		{"gitlab:issue:edit", `,"projectId":1001,"issueIid":5,"stateEvent":"close"`, "edit issue", map[string]any{"state_event": "close"},
			`{"issueUrl":"URL/acme/monorepo/-/issues/5","projectId":1001,"issueId":1005,"issueIid":5,"state":"opened","title":"","updatedAt":"2026-01-01T00:00:00.000Z"}`},
		{"gitlab:group:ensureExists", `,"path":["acme/new"],"description":"D"`, "create group", map[string]any{"name": "new", "path": "new", "parent_id": 41.0, "description": "D"}, `{"groupId":42}`},
		{"gitlab:group:access", `,"path":"acme","userIds":[7],"accessLevel":"maintainer"`, "add member", map[string]any{"user_id": 7.0, "access_level": 40.0}, `{"userIds":[7],"path":"acme","accessLevel":40}`},
		{"gitlab:group:access", `,"path":41,"groupIds":[8]`, "share", map[string]any{"group_id": 8.0, "group_access": 30.0}, `{"groupIds":[8],"path":41,"accessLevel":30}`},
	} {
		t.Run(c.id+" "+c.more, func(t *testing.T) {
			b := monorepo(t)
			b.AddEpic(3)
			b.PutGroup(forgetest.Group{FullPath: "acme", ID: 41})
			ctx, r := actiontest.NewContext(t)
			err := r.Run(t.Context(), b.action(c.id), ctx, b.input("acme/monorepo", c.more))
			require.NoError(t, err)
			noToken(t, r, err)
			require.Len(t, b.Writes(c.operation), 1)
			require.Equal(t, c.body, b.Writes(c.operation)[0].Body)
			got := r.Outputs()
			if c.id == "gitlab:group:ensureExists" {
				require.Contains(t, got, "groupId")
				return
			}
			require.JSONEq(t, strings.ReplaceAll(c.outputs, "URL", b.URL()), got)
		})
	}
}

func TestTriggerTokenIsRemoved(t *testing.T) {
	b := monorepo(t)
	b.Inject(forgetest.Fault{Route: "pipeline", Status: 400, Body: `{"message":"Reference not found"}`})
	c, r := actiontest.NewContext(t)
	err := r.Run(t.Context(), b.action("gitlab:pipeline:trigger"), c, b.input("acme/monorepo", `,"projectId":1001,"tokenDescription":"D","branch":"nope"`))
	require.ErrorContains(t, err, "run the pipeline of project 1001 on nope: ")
	require.Len(t, b.Writes("remove trigger"), 1)
	require.Contains(t, r.Redacted(), "glptt-made")
}

func TestGroupAccess(t *testing.T) {
	b := newBench(t, secretToken)
	b.PutGroup(forgetest.Group{FullPath: "acme"})
	run := func(more string) error {
		c, r := actiontest.NewContext(t)
		return r.Run(t.Context(), b.action("gitlab:group:access"), c, `{"repoUrl":"`+b.Host()+`","path":"acme"`+more+`}`)
	}
	require.NoError(t, run(`,"userIds":[7],"groupIds":[8]`))
	require.NoError(t, run(`,"userIds":[7],"groupIds":[8],"accessLevel":50`), "it is changed where it is there")
	require.Equal(t, map[string]any{"access_level": 50.0}, b.Writes("edit member")[0].Body)
	require.Len(t, b.Writes("share"), 2)
	require.Len(t, b.Writes("unshare"), 1)
	require.NoError(t, run(`,"userIds":[7],"groupIds":[8],"action":"remove"`))
	require.NoError(t, run(`,"userIds":[7],"groupIds":[8],"action":"remove"`), "what is gone is gone")
	require.Len(t, b.Writes("remove member"), 1)
	for more, want := range map[string]string{
		``:                                    "At least one of userIds or groupIds",
		`,"userIds":[]`:                       "At least one of userIds or groupIds",
		`,"userIds":[7],"accessLevel":31`:     "accessLevel must be",
		`,"userIds":[7],"accessLevel":"king"`: "accessLevel must be",
		`,"userIds":[7.5]`:                    "7.5 is not the number",
	} {
		require.ErrorContains(t, run(more), want)
		require.ErrorIs(t, run(more), catalog.ErrInput)
	}
}

func TestEnsureGroup(t *testing.T) {
	b := newBench(t, secretToken)
	a := b.action("gitlab:group:ensureExists")
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), a, c, `{"repoUrl":"`+b.Host()+`","description":"D","path":["top/middle",{"name":"The Bottom","slug":"bottom"}]}`))
	made := b.Writes("create group")
	require.Len(t, made, 3)
	require.NotContains(t, made[1].Body, "description")
	require.Equal(t, "The Bottom", made[2].Body["name"])
	require.NoError(t, r.Run(t.Context(), a, c, `{"repoUrl":"`+b.Host()+`","path":["top","middle","bottom"]}`))
	require.Len(t, b.Writes("create group"), 3, "all are there")
	require.ErrorIs(t, r.Run(t.Context(), a, c, `{"repoUrl":"`+b.Host()+`","path":["/"]}`), catalog.ErrInput)
	c.DryRun = true
	require.NoError(t, r.Run(t.Context(), a, c, `{"repoUrl":"`+b.Host()+`","path":["dry"]}`))
	require.Equal(t, 42.0, outputs(t, r)["groupId"])
}

func TestUserAndMigration(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), b.action("gitlab:user:info"), c, `{"repoUrl":"`+b.Host()+`"}`))
	require.Equal(t, map[string]any{"id": 9.0, "username": "ada", "name": "Ada", "state": "active", "webUrl": b.URL() + "/ada", "email": "ada@example.com", "createdAt": "2020-01-01T00:00:00.000Z"}, outputs(t, r))
	require.ErrorIs(t, r.Run(t.Context(), b.action("gitlab:user:info"), c, `{"repoUrl":"`+b.Host()+`","userId":12345}`), catalog.ErrNotFound)

	c, r = actiontest.NewContext(t)
	err := r.Run(t.Context(), b.action("gitlab:group:migrate"), c, `{"destinationAccessToken":"mine","destinationUrl":"`+b.url("acme/shop")+`","sourceAccessToken":"theirs","sourceFullPath":"old/shop","sourceUrl":"https://gitlab.example.com"}`)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"importedRepoUrl": b.URL() + "/acme/shop", "migrationId": 17.0}, outputs(t, r))
	require.Equal(t, map[string]any{"configuration": map[string]any{"url": "https://gitlab.example.com", "access_token": "theirs"},
		"entities": []any{map[string]any{"source_type": "project_entity", "source_full_path": "old/shop", "destination_slug": "shop", "destination_namespace": "acme"}}}, b.Writes("bulk import")[0].Body)
	require.Contains(t, r.Redacted(), "theirs")
}

func TestIssueFails(t *testing.T) {
	b := monorepo(t)
	b.Inject(forgetest.Fault{Route: "issue", Status: 403, Body: `{"message":"403 Forbidden"}`})
	c, r := actiontest.NewContext(t)
	require.ErrorContains(t, r.Run(t.Context(), b.action("gitlab:issues:create"), c, b.input("acme/monorepo", `,"title":"T"`)), "Failed to create GitLab issue: ")
	require.ErrorContains(t, r.Run(t.Context(), b.action("gitlab:issue:edit"), c, b.input("acme/monorepo", `,"projectId":999,"issueIid":1`)), "Failed to edit/modify GitLab issue: ")
	require.ErrorIs(t, r.Run(t.Context(), b.action("gitlab:issue:edit"), c, b.input("acme/monorepo", `,"projectId":1.5,"issueIid":1`)), catalog.ErrInput)
	require.ErrorIs(t, r.Run(t.Context(), b.action("gitlab:projectDeployToken:create"), c, b.input("acme/monorepo", `,"projectId":1001,"name":"N","scopes":[]`)), catalog.ErrInput)
}

func TestComplete(t *testing.T) {
	b := monorepo(t)
	group := b.PutGroup(forgetest.Group{FullPath: "acme"})
	about := map[string]string{"host": b.Host()}
	found, err := gitlab.Complete(t.Context(), b.options.Hosts, "groups", "mine", about)
	require.NoError(t, err)
	require.Equal(t, "acme", found[0].Title)
	require.Equal(t, gitlab.Completion{ID: "9", Title: "ada"}, found[len(found)-1], "the user comes last")
	about["id"] = found[0].ID
	require.NotZero(t, group.ID)
	found, err = gitlab.Complete(t.Context(), b.options.Hosts, "repositories", "mine", about)
	require.NoError(t, err)
	require.Equal(t, []gitlab.Completion{{ID: "monorepo", Title: "monorepo"}}, found)
	for resource, host := range map[string]string{"nonsense": b.Host(), "repositories": b.Host(), "groups": "git.example.com"} {
		_, err := gitlab.Complete(t.Context(), b.options.Hosts, resource, "mine", map[string]string{"host": host})
		require.ErrorIs(t, err, catalog.ErrInput, resource)
	}
	_, err = gitlab.Complete(t.Context(), b.options.Hosts, "groups", "wrong", about)
	require.ErrorContains(t, err, "Bad credentials")
	require.ErrorIs(t, err, catalog.ErrNotAllowed, "the token is the user's, and so is the mistake")
}
