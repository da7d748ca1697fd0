package bitbucketcloud_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/bitbucketcloud"
)

// monorepo is a bench with a repository that changes are proposed to.
func monorepo(t *testing.T) *bench {
	b := newBench(t, signedIn())
	_, err := b.Add(forgetest.Repository{FullName: "acme/mono", Visibility: forgetest.Private}, map[string]string{"README.md": "old", "other/x": "1"})
	require.NoError(t, err)
	return b
}

const pullRequestID = "publish:bitbucketCloud:pull-request"

func TestPullRequest(t *testing.T) {
	b := monorepo(t)
	b.sign()
	c, r := actiontest.NewContext(t)
	content(t, c)
	err := r.Run(t.Context(), b.action(pullRequestID), c, b.input("mono", `,"title":"Add \"it\"","description":"D","sourceBranch":"feature/a","gitAuthorName":"Eva","gitAuthorEmail":"eva@example.com"`))
	require.NoError(t, err)
	noSecret(t, r, err)
	require.Equal(t, map[string]any{"pullRequestUrl": b.URL() + "/acme/mono/pull-requests/1"}, outputs(t, r))
	require.Equal(t, "100644 .gitignore\n100644 README.md\n120000 link\n100644 other/x\n100755 run.sh\n100644 src/main.go", b.tree("acme/mono", "feature/a"))
	require.Equal(t, "# Shop", b.git("acme/mono", "show", "feature/a:README.md"))
	require.Equal(t, `Eva <eva@example.com> Add "it"`, b.git("acme/mono", "log", "-1", "--format=%an <%ae> %s", "feature/a"))
	require.Equal(t, b.git("acme/mono", "rev-parse", "main"), b.git("acme/mono", "rev-parse", "feature/a^"))
	require.Contains(t, b.git("acme/mono", "cat-file", "commit", "feature/a"), "gpgsig")
	require.False(t, c.Workspace.Exists(".git"))
	side := func(branch string) map[string]any { return map[string]any{"branch": map[string]any{"name": branch}} }
	require.Equal(t, map[string]any{"title": `Add "it"`, "summary": map[string]any{"raw": "D"}, "source": side("feature/a"), "destination": side("main")}, b.Writes("pull request")[0].Body)
}

// A branch that is there is proposed as it is.
func TestPullRequestOfABranch(t *testing.T) {
	b := monorepo(t)
	for _, branch := range []string{"develop", "theirs"} {
		b.git("acme/mono", "branch", branch, "main")
	}
	_, err := b.Commit("acme/mono", "theirs", "Theirs", map[string]string{"x": "1"})
	require.NoError(t, err)
	head := b.git("acme/mono", "rev-parse", "theirs")
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action(pullRequestID), c, b.input("mono", `,"title":"T","sourceBranch":"theirs","targetBranch":"develop"`)))
	require.Equal(t, head, b.git("acme/mono", "rev-parse", "theirs"))
	require.Equal(t, b.URL()+"/acme/mono/pull-requests/1", outputs(t, r)["pullRequestUrl"])
	other, r2 := actiontest.NewContext(t)
	require.NoError(t, r2.Run(t.Context(), b.action(pullRequestID), other, b.input("mono", `,"title":"T","sourceBranch":"theirs","targetBranch":"develop"`)))
	require.Equal(t, outputs(t, r), outputs(t, r2), "the one that is open is found")
	require.Len(t, b.Writes("pull request"), 1)
}

func TestPullRequestAgain(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	content(t, c)
	in := b.input("mono", `,"title":"T","sourceBranch":"add"`)
	remove := b.Inject(forgetest.Fault{Route: "pull request", Status: 400, Body: `{"error":{"message":"no"}}`})
	err := r.Run(t.Context(), b.action(pullRequestID), c, in)
	require.EqualError(t, err, "make the pull request: no (status 400). The branch add of acme/mono exists now: retry the task to go on with it, or delete the branch")
	remove()
	b.Inject(forgetest.Fault{Route: "pull request", CutAfter: -1, Times: 1})
	require.NoError(t, r.Run(t.Context(), b.action(pullRequestID), c, in), "the answer was lost, and the pull request is found")
	require.Len(t, b.Writes("pull request"), 1)
	require.Equal(t, "2", b.git("acme/mono", "rev-list", "--count", "add"))
}

func TestPullRequestFails(t *testing.T) {
	b := monorepo(t)
	for name, c := range map[string]struct {
		repository, more string
		fault            forgetest.Fault
		setup            func(*testing.T, *action.Context)
		want             string
		is               error
	}{
		"no repository": {repository: "none", want: "read the repository acme/none: ", is: catalog.ErrNotFound},
		"no target":     {more: `,"targetBranch":"none"`, want: "fetch branch none of ", is: catalog.ErrNotFound},
		"nothing to propose": {setup: func(t *testing.T, c *action.Context) {
			require.NoError(t, c.Workspace.WriteFile("README.md", []byte("old"), 0o644))
		}, want: "There is nothing to propose: the branch main has all files", is: catalog.ErrInput},
		"a refused push": {fault: forgetest.Fault{Route: "git push", Status: 403}, want: "push to branch add of ", is: catalog.ErrNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			if c.fault.Status != 0 {
				defer b.Inject(c.fault)()
			}
			if c.repository == "" {
				c.repository = "mono"
			}
			if c.setup == nil {
				c.setup = content
			}
			ctx, r := actiontest.NewContext(t)
			c.setup(t, ctx)
			err := r.Run(t.Context(), b.action(pullRequestID), ctx, b.input(c.repository, `,"title":"T","sourceBranch":"add"`+c.more))
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, c.is)
			noSecret(t, r, err)
		})
	}
	require.Equal(t, "refs/heads/main", b.git("acme/mono", "for-each-ref", "--format=%(refname)"), "nothing was left behind")
}

func TestSmallActions(t *testing.T) {
	for _, c := range []struct {
		id, input, operation string
		body                 map[string]any
		outputs              map[string]any
	}{
		{"bitbucket:pipelines:run", `{"workspace":"acme","repo_slug":"mono"}`, "pipeline", map[string]any{}, map[string]any{"buildNumber": 1.0, "repoUrl": "URL/acme/mono", "pipelinesUrl": "URL/acme/mono/pipelines"}},
		{"bitbucket:pipelines:run", `{"workspace":"acme","repo_slug":"mono","body":{"target":{"type":"pipeline_ref_target","ref_type":"branch","ref_name":"main"},"variables":[{"key":"A","value":"1","secured":false}]}}`, "pipeline",
			map[string]any{"target": map[string]any{"type": "pipeline_ref_target", "ref_type": "branch", "ref_name": "main"}, "variables": []any{map[string]any{"key": "A", "value": "1", "secured": false}}},
			map[string]any{"buildNumber": 1.0, "repoUrl": "URL/acme/mono", "pipelinesUrl": "URL/acme/mono/pipelines"}},
		{"bitbucketCloud:branchRestriction:create", `{"repoUrl":"REPO","kind":"push","pattern":"main"}`, "branch restriction",
			map[string]any{"type": "branchrestriction", "branch_match_kind": "glob", "kind": "push", "pattern": "main", "users": []any{}, "groups": []any{}}, nil},
		{"bitbucketCloud:branchRestriction:create", `{"repoUrl":"REPO","kind":"require_approvals_to_merge","branchMatchKind":"branching_model","branchType":"production","value":2}`, "branch restriction",
			map[string]any{"type": "branchrestriction", "branch_match_kind": "branching_model", "kind": "require_approvals_to_merge", "branch_type": "production", "value": 2.0}, nil},
	} {
		t.Run(c.id, func(t *testing.T) {
			b := monorepo(t)
			ctx, r := actiontest.NewContext(t)
			fill := func(text string) string {
				return strings.NewReplacer("URL", b.URL(), "REPO", b.url("mono")).Replace(text)
			}
			require.NoError(t, r.Run(t.Context(), b.action(c.id), ctx, fill(c.input)))
			require.Equal(t, c.body, b.Writes(c.operation)[0].Body)
			for key, value := range c.outputs {
				if text, ok := value.(string); ok {
					value = fill(text)
				}
				require.Equal(t, value, outputs(t, r)[key])
			}
			if c.outputs == nil {
				require.Equal(t, 201.0, outputs(t, r)["statusCode"])
				require.Contains(t, outputs(t, r)["json"], `"id":7`)
			}
			require.NoError(t, r.Run(t.Context(), b.action(c.id), ctx, fill(c.input)), "a second run of the step does no harm")
			require.Len(t, b.Writes(c.operation), 1)
		})
	}
	b := monorepo(t)
	ctx, r := actiontest.NewContext(t)
	require.ErrorContains(t, r.Run(t.Context(), b.action("bitbucketCloud:branchRestriction:create"), ctx, b.input("mono", `,"kind":"push","branchMatchKind":"branching_model"`)), "which needs branchType")
	require.ErrorContains(t, r.Run(t.Context(), b.action("bitbucket:pipelines:run"), ctx, `{"workspace":"acme","repo_slug":"none"}`), "run a pipeline of acme/none: ")
}

func TestComplete(t *testing.T) {
	b := monorepo(t)
	for _, name := range []string{"a", "b", "c"} {
		_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/" + name})
		require.NoError(t, err)
		b.PutProject("acme/"+name, "OPS")
	}
	b.git("acme/mono", "branch", "next", "main")
	for _, c := range []struct {
		resource, token string
		about           map[string]string
		want            []string
		err             string
	}{
		{"workspaces", "mine", nil, []string{"acme", "globex", "initech"}, ""},
		{"projects", "mine", map[string]string{"workspace": "acme"}, []string{"SHOP", "OPS"}, ""},
		{"repositories", "mine", map[string]string{"workspace": "acme", "project": "OPS"}, []string{"a", "b", "c"}, ""},
		{"repositories", "mine", map[string]string{"workspace": "acme", "project": `"`}, nil, ""},
		{"branches", "mine", map[string]string{"workspace": "acme", "repository": "mono"}, []string{"main", "next"}, ""},
		{"projects", "mine", nil, nil, "Missing workspace context parameter"},
		{"repositories", "mine", map[string]string{"workspace": "acme"}, nil, "Missing workspace and/or project context parameter"},
		{"owners", "mine", nil, nil, "Invalid resource: owners"},
		{"workspaces", "wr0ng", nil, nil, "Bad credentials (status 401)"},
		{"workspaces", "mine", map[string]string{"host": "git.example.com"}, nil, "No integration for host git.example.com"},
		{"branches", "mine", map[string]string{"workspace": "acme", "repository": "none"}, nil, "(status 404)"},
	} {
		found, err := bitbucketcloud.Complete(t.Context(), b.options.Hosts, c.resource, c.token, c.about)
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			continue
		}
		require.NoError(t, err)
		var ids []string
		for _, f := range found {
			ids = append(ids, f.ID)
		}
		require.Equal(t, c.want, ids, c.resource)
	}
}
