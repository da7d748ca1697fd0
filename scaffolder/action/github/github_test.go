package github_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
	ingest "github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/action/github"
)

// A bench is a double of GitHub with a program that has an integration for it.
type bench struct {
	*forgetest.GitHub
	t       *testing.T
	options github.Options
	slept   []time.Duration
}

type hosts struct{ clients *ingest.Clients }

func (h hosts) HostKind(host string) (string, bool) {
	_, ok := h.clients.Client(host)
	return "github", ok
}

func (h hosts) Account(ctx context.Context, host, owner, token string) (github.Account, bool, error) {
	a, ok, err := h.clients.Account(ctx, host, owner, token)
	return github.Account(a), ok, err
}

// people is a catalog of two.
type people struct{}

func (people) EntitiesByRefs(_ context.Context, _ action.Initiator, refs []catalog.EntityRef) ([]catalog.Entity, error) {
	out := make([]catalog.Entity, len(refs))
	for i, ref := range refs {
		if ref.Name != "unknown" {
			o, err := jsonvalue.ParseObject([]byte(`{"kind":"` + ref.Kind + `","metadata":{"name":"` + ref.Name + `"}}`))
			if err != nil {
				return nil, err
			}
			out[i] = catalog.Entity{Object: o}
		}
	}
	return out, nil
}

const secretToken = "the-token-of-the-integration"

func newBench(t *testing.T, token string) *bench {
	b := &bench{GitHub: forgetest.NewGitHub(t), t: t}
	openapi.WatchGitHub(t, b.GitHub)
	b.AddToken(secretToken)
	b.AddToken("mine")
	entry := map[string]any{"host": b.Host(), "apiBaseUrl": b.API()}
	if token != "" {
		entry["token"] = token
	}
	set, _, err := integration.Parse(map[string]any{"github": []any{entry}})
	require.NoError(t, err)
	clients, err := ingest.NewClients(set, ingest.ClientOptions{})
	require.NoError(t, err)
	b.options = github.Options{Hosts: hosts{clients}, Catalog: people{}, Sleep: func(ctx context.Context, d time.Duration) error {
		b.slept = append(b.slept, d)
		return ctx.Err()
	}}
	return b
}

func (b *bench) action(id string) action.Action {
	r, err := action.NewRegistry(github.Actions(b.options)...)
	require.NoError(b.t, err)
	a, err := r.Lookup(id)
	require.NoError(b.t, err)
	return a
}

// url is a repoUrl for a repository of the double.
func (b *bench) url(name string) string {
	owner, repo, _ := strings.Cut(name, "/")
	return b.Host() + "?owner=" + owner + "&repo=" + repo
}

// input writes an input for a repository; more is JSON with a comma before it.
func (b *bench) input(name, more string) string {
	return `{"repoUrl":"` + b.url(name) + `"` + more + `}`
}

// git runs the git command on a repository of the double.
func (b *bench) git(name string, args ...string) string {
	cmd := exec.Command("git", args...)
	cmd.Dir = b.GitDir(name)
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	require.NoError(b.t, cmd.Run(), failed.String())
	return strings.TrimSpace(out.String())
}

// content puts a tree with all that can be in one into the workspace.
func content(t *testing.T, c *action.Context) {
	ws := c.Workspace
	for name, text := range map[string]string{"README.md": "# Shop\n", "run.sh": "#!/bin/sh\n", ".gitignore": "*.log\n!keep.log\nbuild/\n", "a.log": "x",
		"keep.log": "x", "build/out": "x", "src/.gitignore": "/local\n", "src/local": "x", "src/deep/local": "kept", "src/main.go": "package main\n"} {
		require.NoError(t, ws.WriteFile(name, []byte(text), 0o644))
	}
	require.NoError(t, ws.Chmod("run.sh", 0o755))
	require.NoError(t, ws.MkdirAll("empty", 0o755))
	require.NoError(t, ws.Symlink("README.md", "link"))
	require.NoError(t, ws.Symlink("/etc/passwd", "away"))
}

const contentTree = `100644 .gitignore
100644 README.md
120000 away
100644 keep.log
120000 link
100755 run.sh
100644 src/.gitignore
100644 src/deep/local
100644 src/main.go`

// tree lists a branch with modes.
func (b *bench) tree(name, branch string) string {
	return b.git(name, "ls-tree", "-r", "--format=%(objectmode) %(path)", branch)
}

// noToken fails if the token is anywhere that a user sees.
func noToken(t *testing.T, r *actiontest.Recorder, err error) {
	text := strings.Join(r.Lines(), "\n") + r.Outputs()
	if err != nil {
		text += err.Error()
	}
	require.NotContains(t, text, secretToken)
	require.NotContains(t, text, "mine")
}

func outputs(t *testing.T, r *actiontest.Recorder) map[string]any {
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Outputs()), &out))
	return out
}

const everything = `,"description":"A shop","homepage":"https://shop.example.com","access":"acme/platform","repoVisibility":"internal","deleteBranchOnMerge":true,
	"allowMergeCommit":false,"allowSquashMerge":true,"squashMergeCommitTitle":"PR_TITLE","squashMergeCommitMessage":"PR_BODY","allowRebaseMerge":false,
	"allowAutoMerge":true,"allowUpdateBranch":true,"collaborators":[{"user":"user:default/eva","access":"push"},{"team":"group:default/support","access":"pull"}],
	"hasProjects":false,"hasWiki":false,"hasIssues":true,"topics":["Go","shop"],"repoVariables":{"STAGE":"test"},"secrets":{"KEY":"s3cret"},
	"oidcCustomization":{"useDefault":false,"includeClaimKeys":["repo"]},"customProperties":{"tier":"1","areas":["a","b"]},"subscribe":true,"token":"mine"`

const protections = `,"bypassPullRequestAllowances":{"users":["eva"]},"requiredApprovingReviewCount":2,"restrictions":{"users":["eva"],"teams":["platform"]},
	"requireCodeOwnerReviews":true,"dismissStaleReviews":true,"requiredStatusCheckContexts":["test"],"requireBranchesToBeUpToDate":false,
	"requiredConversationResolution":true,"requireLastPushApproval":true,"requiredCommitSigning":true,"requiredLinearHistory":true`

const commits = `,"defaultBranch":"trunk","protectDefaultBranch":true,"protectEnforceAdmins":false,"gitCommitMessage":"Begin","gitAuthorName":"Ada","gitAuthorEmail":"ada@example.com","sourcePath":"../src"`

func (b *bench) org() {
	b.AddOrganization("acme")
	b.PutTeam("acme", forgetest.Team{Slug: "platform", Name: "Platform"})
}

func TestPublish(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	content(t, c)
	err := r.Run(t.Context(), b.action("publish:github"), c, b.input("acme/shop", ""))
	require.NoError(t, err)
	noToken(t, r, err)
	require.Equal(t, contentTree, b.tree("acme/shop", "main"))
	require.Equal(t, "Scaffolder <scaffolder@backstage.io> Scaffolder initial commit", b.git("acme/shop", "log", "--format=%an <%ae> %cn %s", "main"))
	require.Equal(t, "refs/heads/main", b.git("acme/shop", "symbolic-ref", "HEAD"))
	require.Equal(t, "/etc/passwd", b.git("acme/shop", "show", "main:away"), "a link is published as a link")
	b.git("acme/shop", "fsck", "--strict")
	require.Equal(t, map[string]any{"remoteUrl": b.URL() + "/acme/shop.git", "repoContentsUrl": b.URL() + "/acme/shop/blob/main",
		"commitHash": b.git("acme/shop", "rev-parse", "main")}, outputs(t, r))
	repo, _ := b.Repository("acme/shop")
	require.Equal(t, forgetest.Private, repo.Visibility)
	require.Empty(t, repo.Description, "the marker is gone")
	require.Equal(t, map[string]any{"enforce_admins": true, "restrictions": nil, "required_conversation_resolution": false, "required_linear_history": false,
		"required_status_checks":        map[string]any{"strict": true, "contexts": []any{}},
		"required_pull_request_reviews": map[string]any{"required_approving_review_count": 1.0, "require_code_owner_reviews": false, "dismiss_stale_reviews": false, "require_last_push_approval": false},
	}, b.Writes("protection")[0].Body)

	// A second push from the same folder goes on from the first.
	require.NoError(t, c.Workspace.WriteFile("more.txt", []byte("x"), 0o644))
	require.NoError(t, r.Run(t.Context(), b.action("github:repo:push"), c, b.input("acme/shop", `,"gitCommitMessage":"More"`)))
	require.Equal(t, "More\ninitial commit", b.git("acme/shop", "log", "--format=%s", "main"))
}

func TestPublishEverything(t *testing.T) {
	b := newBench(t, "")
	b.org()
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action("publish:github"), c, b.input("acme/shop", everything+protections+commits)))
	require.Equal(t, "100644 .gitignore\n100644 deep/local\n100644 main.go", b.tree("acme/shop", "trunk"), "of the folder src alone")
	require.Equal(t, "Ada <ada@example.com> Begin", b.git("acme/shop", "log", "--format=%an <%ae> %s", "trunk"))
	secret, ok := b.Secret("acme/shop", "actions", "KEY")
	require.True(t, ok)
	require.Equal(t, "s3cret", secret)
	require.Contains(t, r.Redacted(), "s3cret")
	repo, _ := b.Repository("acme/shop")
	require.Equal(t, "A shop", repo.Description)
	for field, want := range map[string]any{"visibility": "internal", "private": false, "allow_merge_commit": false, "squash_merge_commit_title": "PR_TITLE",
		"has_projects": false, "has_issues": true, "custom_properties": map[string]any{"tier": "1", "areas": []any{"a", "b"}}, "homepage": "https://shop.example.com"} {
		require.Equal(t, want, b.Field("acme/shop", field), field)
	}
	for operation, want := range map[string]map[string]any{
		"topics": {"names": []any{"go", "shop"}}, "variable": {"name": "STAGE", "value": "test"}, "collaborator": {"permission": "push"},
		"oidc": {"use_default": false, "include_claim_keys": []any{"repo"}}, "subscription": {"subscribed": true, "ignored": false},
	} {
		require.Len(t, b.Writes(operation), 1, operation)
		require.Equal(t, want, b.Writes(operation)[0].Body, operation)
	}
	require.Equal(t, "collaborators/eva", b.Writes("collaborator")[0].Path)
	access := b.Writes("team access")
	require.Equal(t, "orgs/acme/teams/platform/repos/acme/shop", access[0].Path)
	require.Equal(t, "admin", access[0].Body["permission"])
	require.Equal(t, "orgs/acme/teams/support/repos/acme/shop", access[1].Path)
	require.Equal(t, "branches/trunk/protection", b.Writes("protection")[0].Path)
	require.Equal(t, map[string]any{"users": []any{"eva"}, "teams": []any{"platform"}}, b.Writes("protection")[0].Body["restrictions"])
	require.Len(t, b.Writes("signatures"), 1)
	require.Equal(t, map[string]any{"description": "A shop", "allow_update_branch": true}, b.Writes("edit repository")[0].Body, "it cannot be made with these")
}

// GitHub's actions have no input for it: a key that is configured signs.
func TestPublishSigned(t *testing.T) {
	b := newBench(t, secretToken)
	key, err := git.ParseSigningKey(actiontest.SigningKey(t))
	require.NoError(t, err)
	b.options.Defaults.Signing.Default = key
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action("publish:github"), c, b.input("acme/shop", "")))
	require.Contains(t, b.git("acme/shop", "cat-file", "commit", "main"), "gpgsig -----BEGIN PGP SIGNATURE-----")
}

func TestPublishForAUser(t *testing.T) {
	b := newBench(t, secretToken)
	b.AddUser(forgetest.User{Login: "ada"})
	c, r := actiontest.NewContext(t)
	b.options.Defaults = git.Defaults{Author: git.Identity{Name: "Robot"}, Message: "Made"}
	require.NoError(t, r.Run(t.Context(), b.action("publish:github"), c, b.input("ada/shop", `,"repoVisibility":"public","protectDefaultBranch":false`)))
	require.Equal(t, "Robot <scaffolder@backstage.io> Made", b.git("ada/shop", "log", "--format=%an <%ae> %s", "main"))
	require.Empty(t, b.tree("ada/shop", "main"), "an empty workspace is an empty commit")
	require.Nil(t, b.Field("ada/shop", "visibility"), "users have private or not")
	require.Equal(t, false, b.Field("ada/shop", "private"))
	require.Empty(t, b.Writes("protection"))
}

func TestPublishAgain(t *testing.T) {
	t.Run("what was interrupted after the repository was made", func(t *testing.T) {
		b := newBench(t, secretToken)
		c, r := actiontest.NewContext(t)
		content(t, c)
		remove := b.Inject(forgetest.Fault{Route: "secrets key", Status: 403, Body: `{"message":"Resource not accessible by personal access token"}`})
		a, input := b.action("publish:github"), b.input("acme/shop", `,"secrets":{"KEY":"s3cret"},"repoVariables":{"A":"1"},"description":"Mine"`)
		err := r.Run(t.Context(), a, c, input)
		require.ErrorContains(t, err, "The repository "+b.URL()+"/acme/shop exists now and is not complete: retry the task")
		require.ErrorIs(t, err, catalog.ErrNotAllowed)
		noToken(t, r, err)
		remove()
		require.NoError(t, r.Run(t.Context(), a, c, input))
		require.Contains(t, strings.Join(r.Lines(), "\n"), "Going on with the repository")
		require.Equal(t, contentTree, b.tree("acme/shop", "main"))
		require.Len(t, b.Writes("change variable"), 1)
		repo, _ := b.Repository("acme/shop")
		require.Equal(t, "Mine", repo.Description)
	})
	t.Run("what was interrupted after the push, in a workspace that was set back", func(t *testing.T) {
		b := newBench(t, secretToken)
		c, r := actiontest.NewContext(t)
		content(t, c)
		remove := b.Inject(forgetest.Fault{Route: "edit repository", Status: 400, Body: `{"message":"no"}`})
		a, input := b.action("publish:github"), b.input("acme/shop", "")
		require.ErrorContains(t, r.Run(t.Context(), a, c, input), "exists now")
		remove()
		require.NoError(t, c.Workspace.RemoveAll(".git"))
		require.NoError(t, r.Run(t.Context(), a, c, input))
		require.Equal(t, "1", b.git("acme/shop", "rev-list", "--count", "main"), "it is the same commit")
	})
	t.Run("a stranger's repository", func(t *testing.T) {
		b := newBench(t, secretToken)
		_, err := b.Add(forgetest.Repository{FullName: "acme/shop", Description: "Greenroom is setting up this repository, task 1"}, map[string]string{"a": "theirs"})
		require.NoError(t, err)
		c, r := actiontest.NewContext(t)
		content(t, c)
		err = r.Run(t.Context(), b.action("publish:github"), c, b.input("acme/shop", ""))
		require.ErrorContains(t, err, "Failed to create the Organization repository acme/shop, Repository creation failed: name already exists on this account")
		require.Equal(t, "100644 a", b.tree("acme/shop", "main"))
		require.Empty(t, b.Writes(""), "nothing was changed")
	})
	t.Run("a host that fails while it makes the repository", func(t *testing.T) {
		b := newBench(t, secretToken)
		c, r := actiontest.NewContext(t)
		b.Inject(forgetest.Fault{Route: "create repository", CutAfter: -1, Times: 1})
		require.NoError(t, r.Run(t.Context(), b.action("publish:github"), c, b.input("acme/shop", "")))
		require.Contains(t, strings.Join(r.Lines(), "\n"), "Going on with the repository", "it had made it before the answer was lost")
	})
}

// A token without the scope makes nothing, and the error says what is missing.
func TestPublishWithoutScope(t *testing.T) {
	b := newBench(t, secretToken)
	b.Inject(forgetest.Fault{Route: "create repository", Status: 403, Body: `{"message":"Resource not accessible by integration"}`})
	c, r := actiontest.NewContext(t)
	content(t, c)
	err := r.Run(t.Context(), b.action("publish:github"), c, b.input("acme/shop", ""))
	require.ErrorContains(t, err, "Failed to create the Organization repository acme/shop, Resource not accessible by integration")
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	require.Contains(t, strings.Join(r.Lines(), "\n"), "it needs the permission to administer repositories")
	require.Empty(t, b.Writes(""))
	noToken(t, r, err)
}

func TestPushFails(t *testing.T) {
	for _, c := range []struct {
		name, want string
		status     int
		times      int
		attempts   int
		ok         bool
	}{
		{name: "a server that is busy", status: 503, times: 2, attempts: 3, ok: true},
		{name: "a server that stays busy", status: 503, attempts: 5, want: "exists now"},
		{name: "a token that may not push", status: 403, attempts: 1, want: "the token needs the right to write contents"},
		{name: "a token that is not taken", status: 401, attempts: 1, want: "does not accept the credentials"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, secretToken)
			ctx, r := actiontest.NewContext(t)
			content(t, ctx)
			b.Inject(forgetest.Fault{Route: "git push", Status: c.status, Times: c.times})
			err := r.Run(t.Context(), b.action("publish:github"), ctx, b.input("acme/shop", ""))
			noToken(t, r, err)
			require.Len(t, b.slept, c.attempts-1)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, b.URL()+"/acme/shop/settings", "and how to remove it")
		})
	}
}

func TestChecksBeforeAnybodyIsAsked(t *testing.T) {
	b := newBench(t, "")
	for _, a := range github.Actions(b.options) {
		cases := suites(b)[a.ID()]
		for _, c := range []struct{ name, url, want string }{
			{"no token", b.url("acme/shop"), "No token available for host: " + b.Host() + ", with owner acme, and repo shop."},
			{"no repository", b.Host() + "?owner=acme&repo=", "missing repo"},
			{"no owner", b.Host() + "?repo=shop", "missing owner"},
			{"a host of nobody", "git.example.com?owner=acme&repo=shop", "No matching integration configuration for host git.example.com"},
			{"a host of another kind", "gitlab.com?owner=acme&repo=shop", "No integration for host gitlab.com"},
		} {
			t.Run(a.ID()+", "+c.name, func(t *testing.T) {
				in, err := jsonvalue.ParseObject([]byte(cases.Cases[0].Input))
				require.NoError(t, err)
				in.Set("repoUrl", c.url)
				in.Delete("token")
				ctx, r := actiontest.NewContext(t)
				ctx.DryRun = a.DryRun()
				err = r.Run(t.Context(), a, ctx, string(jsonvalue.Append(nil, in)))
				require.ErrorContains(t, err, c.want)
				require.ErrorIs(t, err, catalog.ErrInput)
			})
		}
	}
	require.Empty(t, b.Requests())
	b.options.RequireUserCredentials = true
	ctx, r := actiontest.NewContext(t)
	require.ErrorContains(t, r.Run(t.Context(), b.action("publish:github"), ctx, b.input("acme/shop", "")), "No user credentials provided for host "+b.Host())
}
