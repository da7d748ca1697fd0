package gitlab_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
)

const mergeRequest = "publish:gitlab:merge-request"

// monorepo is a bench with a project that merge requests are made to.
func monorepo(t *testing.T) *bench {
	b := newBench(t, secretToken)
	_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/monorepo"})
	require.NoError(t, err)
	_, err = b.Push("acme/monorepo", "main", "Begin", map[string]forgetest.Change{
		"README.md": {Content: "# Shop\n"}, "run.sh": {Content: "#!/bin/sh\n"}, "services/a/x": {Content: "x"}})
	require.NoError(t, err)
	return b
}

const proposed = `,"branchName":"add","title":"Add the shop","description":"Made"`

func TestMergeRequest(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, c.Workspace.Symlink("nowhere", "broken"))
	err := r.Run(t.Context(), b.action(mergeRequest), c, b.input("acme/monorepo", proposed+`,"assignee":"@eva","reviewers":["ada","unknown"],"labels":["a","b"],"removeSourceBranch":true,"autoMerge":true,"assignReviewersFromApprovalRules":true`))
	require.NoError(t, err)
	noToken(t, r, err)
	require.Equal(t, map[string]any{"targetBranchName": "main", "projectid": "acme/monorepo", "projectPath": "acme/monorepo",
		"mergeRequestUrl": b.URL() + "/acme/monorepo/-/merge_requests/1"}, outputs(t, r))
	require.Equal(t, "100644 .gitignore\n100644 README.md\n100755 run.sh\n100644 services/a/x\n100644 src/main.go", b.tree("acme/monorepo", "add"))
	require.Equal(t, "Add the shop\nBegin", b.git("acme/monorepo", "log", "--format=%s", "add"))
	require.Equal(t, map[string]any{"source_branch": "add", "target_branch": "main", "title": "Add the shop", "description": "Made",
		"remove_source_branch": true, "assignee_id": 7.0, "reviewer_ids": []any{9.0}, "labels": "a,b"}, b.Writes("merge request")[0].Body)
	require.Equal(t, map[string]any{"reviewer_ids": []any{9.0, 77.0, 78.0}}, b.Writes("edit merge request")[0].Body)
	require.Len(t, b.Writes("merge"), 1)
	var touched []string
	for _, a := range b.Writes("create commit")[0].Body["actions"].([]any) {
		touched = append(touched, a.(map[string]any)["action"].(string)+" "+a.(map[string]any)["file_path"].(string))
	}
	require.ElementsMatch(t, []string{"create .gitignore", "update run.sh", "create src/main.go"}, touched, "what is the same is left alone")
	require.Contains(t, strings.Join(r.Lines(), "\n"), "The link broken leads nowhere and is left out")
	require.Contains(t, strings.Join(r.Lines(), "\n"), "There is no user unknown")
}

func TestMergeRequestInputs(t *testing.T) {
	for _, c := range []struct {
		name, more string
		tree, want string
	}{
		{name: "a folder into another", more: `,"sourcePath":"src","targetPath":"services/shop"`, tree: "100644 README.md\n100644 run.sh\n100644 services/a/x\n100644 services/shop/main.go"},
		{name: "the target folder of the workspace, where no source is named", more: `,"targetPath":"src"`, tree: "100644 README.md\n100644 run.sh\n100644 services/a/x\n100644 src/main.go"},
		{name: "nothing", more: `,"commitAction":"skip"`, tree: "100644 README.md\n100644 run.sh\n100644 services/a/x"},
		{name: "only new ones", more: `,"sourcePath":"src","commitAction":"create","targetPath":"new"`, tree: "100644 README.md\n100644 new/main.go\n100644 run.sh\n100644 services/a/x"},
		{name: "to remove", more: `,"sourcePath":"services","targetPath":"services","commitAction":"delete"`, tree: "100644 README.md\n100644 run.sh"},
		{name: "to create what is there", more: `,"sourcePath":"services","targetPath":"services","commitAction":"create"`, want: "Committing the changes to add failed"},
		{name: "out of the repository", more: `,"targetPath":"../x"`, want: "leads out of the repository"},
		{name: "a target that is not there", more: `,"targetBranchName":"nope"`, want: "make the branch add at nope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := monorepo(t)
			ctx, r := actiontest.NewContext(t)
			content(t, ctx)
			require.NoError(t, ctx.Workspace.WriteFile("services/a/x", []byte("x"), 0o644))
			err := r.Run(t.Context(), b.action(mergeRequest), ctx, b.input("acme/monorepo", proposed+c.more))
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				require.ErrorIs(t, err, catalog.ErrInput)
				require.Empty(t, b.Writes("merge request"))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.tree, b.tree("acme/monorepo", "add"))
		})
	}
}

func TestMergeRequestAgain(t *testing.T) {
	for _, how := range []string{"auto", "create"} {
		t.Run(how, func(t *testing.T) {
			b := monorepo(t)
			a, input := b.action(mergeRequest), b.input("acme/monorepo", proposed+`,"sourcePath":"src","targetPath":"new","commitAction":"`+how+`"`)
			c, r := actiontest.NewContext(t)
			content(t, c)
			remove := b.Inject(forgetest.Fault{Route: "create commit", Status: 400, Body: `{"message":"no"}`})
			require.ErrorContains(t, r.Run(t.Context(), a, c, input), "Committing the changes to add failed")
			remove()
			remove = b.Inject(forgetest.Fault{Route: "merge request", Status: 400, Body: `{"message":"no"}`})
			require.ErrorContains(t, r.Run(t.Context(), a, c, input), "The branch add of acme/monorepo exists now: retry the task")
			remove()
			b.Inject(forgetest.Fault{Route: "merge request", CutAfter: -1, Times: 1})
			require.NoError(t, r.Run(t.Context(), a, c, input))
			require.Len(t, b.Writes("create commit"), 1)
			require.Len(t, b.Writes("merge request"), 1)
			require.Equal(t, b.URL()+"/acme/monorepo/-/merge_requests/1", outputs(t, r)["mergeRequestUrl"])

			other, r2 := actiontest.NewContext(t)
			require.NoError(t, other.Workspace.WriteFile("src/other.txt", []byte("x"), 0o644))
			err := r2.Run(t.Context(), b.action(mergeRequest), other, b.input("acme/monorepo", `,"branchName":"add","title":"Another","sourcePath":"src","commitAction":"`+how+`"`))
			require.ErrorContains(t, err, "The branch add exists already, and the files in it are others")
			require.ErrorIs(t, err, catalog.ErrInput)
		})
	}
}

// A branch that was there before is left alone, be it without a commit.
func TestMergeRequestFromAStrangersBranch(t *testing.T) {
	b := monorepo(t)
	b.git("acme/monorepo", "branch", "add", "main")
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.ErrorContains(t, r.Run(t.Context(), b.action(mergeRequest), c, b.input("acme/monorepo", proposed)), "The branch add exists already")
	require.Empty(t, b.Writes(""))
}

func TestRepositoryPush(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	content(t, c)
	a := b.action("gitlab:repo:push")
	require.NoError(t, r.Run(t.Context(), a, c, b.input("acme/monorepo", `,"branchName":"next","commitMessage":"Next","sourcePath":"src"`)))
	require.Equal(t, map[string]any{"projectid": "acme/monorepo", "projectPath": "acme/monorepo", "commitHash": b.git("acme/monorepo", "rev-parse", "next")}, outputs(t, r))
	require.Equal(t, "Next\nBegin", b.git("acme/monorepo", "log", "--format=%s", "next"))

	b.Inject(forgetest.Fault{Route: "create commit", CutAfter: -1, Times: 1})
	lost, r := actiontest.NewContext(t)
	content(t, lost)
	input := b.input("acme/monorepo", `,"branchName":"lost","commitMessage":"Lost","sourcePath":"src","commitAction":"create"`)
	require.Error(t, r.Run(t.Context(), a, lost, input))
	require.NoError(t, r.Run(t.Context(), a, lost, input), "the commit whose answer was lost is found")
	require.Equal(t, b.git("acme/monorepo", "rev-parse", "lost"), outputs(t, r)["commitHash"])

	again, r := actiontest.NewContext(t)
	content(t, again)
	require.NoError(t, r.Run(t.Context(), a, again, b.input("acme/monorepo", `,"branchName":"next","commitMessage":"Again","sourcePath":"src"`)))
	require.NotContains(t, outputs(t, r), "commitHash")
	require.Contains(t, strings.Join(r.Lines(), "\n"), "There are no changes to commit to next")

	empty, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), a, empty, b.input("acme/monorepo", `,"branchName":"next","commitMessage":"Empty","allowEmpty":true`)))
	require.Equal(t, "Empty", b.git("acme/monorepo", "log", "-1", "--format=%s", "next"))

	_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/blank"})
	require.NoError(t, err)
	first, r := actiontest.NewContext(t)
	content(t, first)
	require.NoError(t, r.Run(t.Context(), a, first, b.input("acme/blank", `,"branchName":"main","commitMessage":"First","sourcePath":"src"`)))
	require.Equal(t, "100644 main.go", b.tree("acme/blank", "main"), "into an empty repository")

	project, r := actiontest.NewContext(t)
	content(t, project)
	require.NoError(t, r.Run(t.Context(), a, project, `{"repoUrl":"`+b.Host()+`?project=acme/monorepo&repo=x","branchName":"p","commitMessage":"P","sourcePath":"src"}`))
	require.Equal(t, "acme/monorepo", outputs(t, r)["projectPath"], "a project in the URL wins")
}
