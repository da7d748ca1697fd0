package github_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

const pullRequest = "publish:github:pull-request"

// monorepo is a bench with a repository that pull requests are made to.
func monorepo(t *testing.T) *bench {
	b := newBench(t, secretToken)
	_, err := b.Push0("acme/monorepo", map[string]forgetest.Change{
		"README.md": {Content: "# Shop\n"}, "old.txt": {Content: "old"}, "run.sh": {Content: "#!/bin/sh\n"}, "services/a/x": {Content: "x"},
	})
	require.NoError(t, err)
	return b
}

// Push0 makes a repository with a first commit.
func (b *bench) Push0(name string, changes map[string]forgetest.Change) (forgetest.Commit, error) {
	if _, err := b.CreateRepository(forgetest.Repository{FullName: name}); err != nil {
		return forgetest.Commit{}, err
	}
	return b.Push(name, "main", "Begin", changes)
}

const proposed = `,"branchName":"add","title":"Add the shop","description":"Made"`

func TestPullRequest(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, c.Workspace.Symlink("nowhere", "broken"))
	require.NoError(t, c.Workspace.WriteFile("logo.png", []byte{0x89, 'P', 0xff, 0}, 0o644))
	err := r.Run(t.Context(), b.action(pullRequest), c, b.input("acme/monorepo", proposed+`,"filesToDelete":["old.txt","never/there"],"reviewers":["eva"],"draft":true`))
	require.NoError(t, err)
	noToken(t, r, err)
	require.Equal(t, map[string]any{"remoteUrl": b.URL() + "/acme/monorepo/pull/1", "pullRequestNumber": 1.0, "targetBranchName": "main"}, outputs(t, r))
	require.Equal(t, `100644 .gitignore
100644 README.md
120000 away
120000 broken
100644 keep.log
100644 logo.png
100755 run.sh
100644 services/a/x
100644 src/.gitignore
100644 src/deep/local
100644 src/main.go`, b.tree("acme/monorepo", "add"), "links that lead somewhere in the workspace are left out, what was there stays")
	require.Equal(t, "\x89P\xff\x00", b.git("acme/monorepo", "show", "add:logo.png"))
	require.Equal(t, "Add the shop\nBegin", b.git("acme/monorepo", "log", "--format=%s", "add"))
	require.Equal(t, "ada", b.git("acme/monorepo", "log", "-1", "--format=%an", "add"), "the account behind the token")
	pull := b.Writes("pull request")[0].Body
	require.Equal(t, true, pull["draft"])
	require.Equal(t, "Made", pull["body"])
	require.Equal(t, map[string]any{"reviewers": []any{"eva"}, "team_reviewers": []any{}}, b.Writes("reviewers")[0].Body)
	for _, w := range b.Writes("create tree") {
		for _, e := range w.Body["tree"].([]any) {
			require.NotEqual(t, "README.md", e.(map[string]any)["path"], "it is the same there")
		}
	}
}

func TestPullRequestInputs(t *testing.T) {
	for _, c := range []struct {
		name, more string
		defaults   git.Defaults
		check      func(t *testing.T, b *bench, r *actiontest.Recorder)
		want       string // error
	}{
		{name: "a folder into another", more: `,"sourcePath":"src","targetPath":"./services/shop/","filesToDelete":["main.go"]`, check: func(t *testing.T, b *bench, _ *actiontest.Recorder) {
			require.Contains(t, b.tree("acme/monorepo", "add"), "services/shop/deep/local")
			require.NotContains(t, b.tree("acme/monorepo", "add"), "main.go", "what is deleted wins over what is added")
		}},
		{name: "out of the repository", more: `,"targetPath":"../up"`, want: "leads out of the repository"},
		{name: "into the repository of Git", more: `,"targetPath":"a/.git/hooks"`, want: "leads out of the repository"},
		{name: "author and message", more: `,"gitAuthorName":"Ada L","commitMessage":"Add it"`, check: func(t *testing.T, b *bench, _ *actiontest.Recorder) {
			require.Equal(t, "Ada L <scaffolder@backstage.io> Add it", b.git("acme/monorepo", "log", "-1", "--format=%an <%ae> %s", "add"))
		}},
		{name: "author and message of the configuration", defaults: git.Defaults{Author: git.Identity{Email: "robot@example.com"}, Message: "Configured"}, check: func(t *testing.T, b *bench, _ *actiontest.Recorder) {
			require.Equal(t, "Scaffolder <robot@example.com> Configured", b.git("acme/monorepo", "log", "-1", "--format=%an <%ae> %s", "add"))
		}},
		{name: "no author at all", more: `,"forceEmptyGitAuthor":true`, defaults: git.Defaults{Author: git.Identity{Email: "robot@example.com"}}, check: func(t *testing.T, b *bench, _ *actiontest.Recorder) {
			require.Equal(t, "ada", b.git("acme/monorepo", "log", "-1", "--format=%an", "add"))
		}},
		{name: "a reviewer who is not there", more: `,"reviewers":["nobody"],"assignees":["eva"]`, check: func(t *testing.T, b *bench, r *actiontest.Recorder) {
			require.Contains(t, strings.Join(r.Lines(), "\n"), "Nobody was asked for a review of pull request 1: Reviews may only be requested from collaborators")
			require.Len(t, b.Writes("assignees"), 1)
		}},
		{name: "in a fork", more: `,"forceFork":true`, check: func(t *testing.T, b *bench, r *actiontest.Recorder) {
			require.Contains(t, b.tree("ada/monorepo", "add"), "src/main.go")
			require.Equal(t, "ada:add", b.Writes("pull request")[0].Body["head"])
			require.Equal(t, "acme/monorepo", b.Writes("pull request")[0].Repository)
		}},
		{name: "a target that is not there", more: `,"targetBranchName":"nope"`, want: "Pull request creation failed; caused by Error: read the branch nope: Not Found"},
		{name: "a source that is not there", more: `,"sourcePath":"nope"`, want: "there is no folder nope in the workspace"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := monorepo(t)
			b.options.Defaults = c.defaults
			ctx, r := actiontest.NewContext(t)
			content(t, ctx)
			err := r.Run(t.Context(), b.action(pullRequest), ctx, b.input("acme/monorepo", proposed+c.more))
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				require.Empty(t, b.Writes("pull request"))
				return
			}
			require.NoError(t, err)
			c.check(t, b, r)
		})
	}
}

func TestPullRequestWithoutChanges(t *testing.T) {
	for _, when := range []string{"false", "true"} {
		t.Run("createWhenEmpty "+when, func(t *testing.T) {
			b := monorepo(t)
			c, r := actiontest.NewContext(t)
			require.NoError(t, c.Workspace.WriteFile("README.md", []byte("# Shop\n"), 0o644))
			require.NoError(t, r.Run(t.Context(), b.action(pullRequest), c, b.input("acme/monorepo", proposed+`,"createWhenEmpty":`+when)))
			if when == "true" {
				require.Len(t, b.Writes("pull request"), 1)
				return
			}
			require.Empty(t, b.Writes(""))
			require.Equal(t, "{}", r.Outputs())
			require.Contains(t, r.Lines(), "info: No changes to commit, pull request was not created")
		})
	}
}

func TestPullRequestAgain(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	content(t, c)
	input, a := b.input("acme/monorepo", proposed), b.action(pullRequest)
	remove := b.Inject(forgetest.Fault{Route: "pull request", Status: 400, Body: `{"message":"no"}`})
	err := r.Run(t.Context(), a, c, input)
	require.ErrorContains(t, err, "The branch add of acme/monorepo exists now: retry the task")
	remove()
	_, err = b.Commit("acme/monorepo", "main", "Meanwhile", map[string]string{"meanwhile": "x"})
	require.NoError(t, err)
	require.NoError(t, r.Run(t.Context(), a, c, input), "the branch that it had begun is taken up")
	require.Len(t, b.Writes("create commit"), 1)
	require.NoError(t, r.Run(t.Context(), a, c, input), "it is done")
	require.Len(t, b.Writes("pull request"), 1)

	other, r2 := actiontest.NewContext(t)
	require.NoError(t, other.Workspace.WriteFile("other.txt", []byte("x"), 0o644))
	err = r2.Run(t.Context(), a, other, input)
	require.ErrorContains(t, err, "the branch exists already; choose another branchName, or set update: true")
	require.NoError(t, r2.Run(t.Context(), a, other, b.input("acme/monorepo", proposed+`,"update":true`)))
	require.Equal(t, "3", b.git("acme/monorepo", "rev-list", "--count", "add"), "it adds to the branch")
	require.Equal(t, 1.0, outputs(t, r2)["pullRequestNumber"], "and the pull request is the same")
	require.Len(t, b.Writes("edit pull request"), 1)
}

func TestPullRequestInDryRun(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	c.DryRun = true
	require.NoError(t, r.Run(t.Context(), b.action(pullRequest), c, b.input("acme/monorepo", proposed)))
	require.Equal(t, map[string]any{"remoteUrl": b.url("acme/monorepo"), "pullRequestNumber": 43.0, "targetBranchName": "add"}, outputs(t, r))
	err := r.Run(t.Context(), b.action(pullRequest), c, b.input("acme/monorepo", proposed+`,"allowedHosts":[]`))
	require.ErrorIs(t, err, catalog.ErrInput, "an input that nobody knows is refused in a dry-run too")
	require.Empty(t, b.Requests())
}

// A truncated listing of the files there costs requests, not correctness.
func TestPullRequestToALargeRepository(t *testing.T) {
	b := monorepo(t)
	b.SetTreeLimit(1)
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action(pullRequest), c, b.input("acme/monorepo", proposed+`,"filesToDelete":["old.txt","never"]`)))
	tree := b.tree("acme/monorepo", "add")
	require.NotContains(t, tree, "old.txt")
	require.Contains(t, tree, "src/main.go")
}
