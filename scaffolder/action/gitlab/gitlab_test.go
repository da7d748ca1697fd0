package gitlab_test

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
	ingest "github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/action/gitlab"
)

// A bench is a double of GitLab with a program that has an integration for it.
type bench struct {
	*forgetest.GitLab
	t       *testing.T
	options gitlab.Options
	slept   []time.Duration
}

type hosts struct{ clients *ingest.Clients }

func (h hosts) HostKind(host string) (string, bool) {
	_, ok := h.clients.Client(host)
	return "gitlab", ok
}

func (h hosts) Account(host, token string) (gitlab.Account, bool) {
	a, ok := h.clients.Account(host, token)
	return gitlab.Account(a), ok
}

const secretToken = "the-token-of-the-integration"

func newBench(t *testing.T, token string) *bench {
	b := &bench{GitLab: forgetest.NewGitLab(t), t: t}
	watchFields(t, b.GitLab)
	b.AddToken(secretToken)
	b.AddToken("mine")
	entry := map[string]any{"host": b.Host(), "apiBaseUrl": b.API(), "baseUrl": b.URL()}
	if token != "" {
		entry["token"] = token
	}
	set, _, err := integration.Parse(map[string]any{"gitlab": []any{entry}})
	require.NoError(t, err)
	clients, err := ingest.NewClients(set, ingest.ClientOptions{})
	require.NoError(t, err)
	b.options = gitlab.Options{Hosts: hosts{clients}, Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.slept = append(b.slept, d)
			return ctx.Err()
		}}
	b.PutUser(forgetest.GitLabUser{ID: 7, Username: "eva", Name: "Eva"})
	b.PutUser(forgetest.GitLabUser{ID: 9, Username: "ada", Name: "Ada", Email: "ada@example.com"})
	return b
}

func (b *bench) action(id string) action.Action {
	r, err := action.NewRegistry(gitlab.Actions(b.options)...)
	require.NoError(b.t, err)
	a, err := r.Lookup(id)
	require.NoError(b.t, err)
	return a
}

// url is a repoUrl for a project of the double.
func (b *bench) url(name string) string {
	i := strings.LastIndexByte(name, '/')
	return b.Host() + "?owner=" + name[:i] + "&repo=" + name[i+1:]
}

// input writes an input for a project; more is JSON with a comma before it.
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

func (b *bench) tree(name, branch string) string {
	return b.git(name, "ls-tree", "-r", "--format=%(objectmode) %(path)", branch)
}

func content(t *testing.T, c *action.Context) {
	ws := c.Workspace
	for name, text := range map[string]string{"README.md": "# Shop\n", "run.sh": "#!/bin/sh\n", ".gitignore": "*.log\n", "a.log": "x", "src/main.go": "package main\n"} {
		require.NoError(t, ws.WriteFile(name, []byte(text), 0o644))
	}
	require.NoError(t, ws.Chmod("run.sh", 0o755))
	require.NoError(t, ws.MkdirAll("empty", 0o755))
	require.NoError(t, ws.Symlink("README.md", "link"))
}

const contentTree = "100644 .gitignore\n100644 README.md\n120000 link\n100755 run.sh\n100644 src/main.go"

// noToken fails if a token is anywhere that a user sees.
func noToken(t *testing.T, r *actiontest.Recorder, err error) {
	text := strings.Join(r.Lines(), "\n")
	if err != nil {
		text += err.Error()
	}
	for _, secret := range []string{secretToken, "mine", "glpat-made", "gldt-made", "glptt-made"} {
		require.NotContains(t, text, secret)
	}
}

func outputs(t *testing.T, r *actiontest.Recorder) map[string]any {
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Outputs()), &out))
	return out
}

const everything = `,"repoVisibility":"public","defaultBranch":"trunk","gitCommitMessage":"Begin","gitAuthorName":"Eva","gitAuthorEmail":"eva@example.com",
	"signCommit":false,"sourcePath":"src","skipExisting":true,"token":"mine","setUserAsOwner":true,"ownerUsername":"eva","topics":["go"],
	"settings":{"visibility":"internal","merge_method":"ff","description":"A shop","topics":["shop"],"squash_option":"always","ci_config_path":"ci.yml",
		"auto_devops_enabled":false,"only_allow_merge_if_pipeline_succeeds":true},
	"branches":[{"name":"trunk","protect":true},{"name":"next","create":true,"ref":"trunk"}],
	"projectVariables":[{"key":"STAGE","value":"test"},{"key":"KEY","value":"s3cret","description":"D","variable_type":"file","protected":true,"masked":true,"raw":true,"environment_scope":"prod"}]`

func TestPublish(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	content(t, c)
	b.options.Defaults = git.Defaults{Message: "Configured"}
	err := r.Run(t.Context(), b.action("publish:gitlab"), c, b.input("acme/platform/shop", ""))
	require.NoError(t, err)
	noToken(t, r, err)
	require.Equal(t, contentTree, b.tree("acme/platform/shop", "master"))
	require.Equal(t, "Scaffolder <scaffolder@backstage.io> initial commit", b.git("acme/platform/shop", "log", "--format=%an <%ae> %s", "master"),
		"the configured message does not count here")
	p, _ := b.Repository("acme/platform/shop")
	require.Equal(t, forgetest.Private, p.Visibility)
	require.Equal(t, "master", p.DefaultBranch)
	require.Empty(t, p.Description, "the marker is gone")
	remote := b.URL() + "/acme/platform/shop"
	require.Equal(t, map[string]any{"remoteUrl": remote, "repoContentsUrl": remote + "/-/blob/master", "projectId": float64(p.ID),
		"commitHash": b.git("acme/platform/shop", "rev-parse", "master"), "created": true}, outputs(t, r))
}

func TestPublishEverything(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action("publish:gitlab"), c, b.input("acme/shop", everything)))
	require.Equal(t, "100644 main.go", b.tree("acme/shop", "trunk"))
	require.Equal(t, "Eva <eva@example.com> Begin", b.git("acme/shop", "log", "--format=%an <%ae> %s", "next"))
	body := b.Writes("create project")[0].Body
	for key, want := range map[string]any{"name": "shop", "visibility": "internal", "merge_method": "ff", "topics": []any{"shop"}, "squash_option": "always",
		"ci_config_path": "ci.yml", "auto_devops_enabled": false, "only_allow_merge_if_pipeline_succeeds": true} {
		require.Equal(t, want, body[key], key)
	}
	p, _ := b.Repository("acme/shop")
	require.Equal(t, "A shop", p.Description)
	require.Equal(t, "trunk", b.Writes("protect branch")[0].Body["name"])
	members := b.Writes("project member")
	require.Equal(t, map[string]any{"user_id": 9.0, "access_level": 50.0}, members[0].Body)
	require.Equal(t, map[string]any{"user_id": 7.0, "access_level": 50.0}, members[1].Body)
	require.Equal(t, map[string]any{"key": "STAGE", "value": "test", "variable_type": "env_var", "protected": false, "masked": false, "raw": false, "environment_scope": "*"}, b.Writes("variable")[0].Body)
	require.Equal(t, map[string]any{"key": "KEY", "value": "s3cret", "description": "D", "variable_type": "file", "protected": true, "masked": true, "raw": true, "environment_scope": "prod"}, b.Writes("variable")[1].Body)
	require.Contains(t, r.Redacted(), "s3cret")

	// What is there is left alone on demand.
	other, r2 := actiontest.NewContext(t)
	require.NoError(t, r2.Run(t.Context(), b.action("publish:gitlab"), other, b.input("acme/shop", `,"skipExisting":true`)))
	require.Equal(t, map[string]any{"remoteUrl": b.URL() + "/acme/shop", "repoContentsUrl": b.URL() + "/acme/shop/-/blob/trunk", "projectId": float64(p.ID), "created": false}, outputs(t, r2))
	require.Len(t, b.Writes("create project"), 1)
}

func TestPublishSigned(t *testing.T) {
	b := newBench(t, secretToken)
	key, err := git.ParseSigningKey(actiontest.SigningKey(t))
	require.NoError(t, err)
	b.options.Defaults.Signing.Hosts = map[string]*git.SigningKey{b.Host(): key}
	for name, more := range map[string]string{"signed": `,"signCommit":true`, "not-signed": ""} {
		c, r := actiontest.NewContext(t)
		content(t, c)
		require.NoError(t, r.Run(t.Context(), b.action("publish:gitlab"), c, b.input("acme/"+name, more)))
		require.Equal(t, more != "", strings.Contains(b.git("acme/"+name, "cat-file", "commit", "master"), "gpgsig -----BEGIN PGP SIGNATURE-----"), name)
	}
}

func TestPublishWithoutContent(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), b.action("publish:gitlab"), c, b.input("acme/shop", `,"sourcePath":false,"branches":[{"name":"x","create":true}],"ownerUsername":"unknown"`)))
	require.NotContains(t, outputs(t, r), "commitHash")
	require.Empty(t, b.Writes("create branch"))
	require.Contains(t, strings.Join(r.Lines(), "\n"), "There is no user unknown")
}

func TestPublishAgain(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	content(t, c)
	a, input := b.action("publish:gitlab"), b.input("acme/shop", `,"projectVariables":[{"key":"A","value":"1"}],"branches":[{"name":"next","create":true}]`)
	remove := b.Inject(forgetest.Fault{Route: "edit project", Status: 400, Body: `{"message":"no"}`})
	err := r.Run(t.Context(), a, c, input)
	require.ErrorContains(t, err, "The project "+b.URL()+"/acme/shop exists now and is not complete: retry the task")
	remove()
	require.NoError(t, c.Workspace.RemoveAll(".git"), "the workspace is set back")
	require.NoError(t, r.Run(t.Context(), a, c, input))
	require.Equal(t, "1", b.git("acme/shop", "rev-list", "--count", "master"))
	require.Len(t, b.Writes("create project"), 1)
	require.Len(t, b.Writes("change variable"), 1)

	t.Run("an answer that was lost", func(t *testing.T) {
		b.Inject(forgetest.Fault{Route: "create project", CutAfter: -1, Times: 1})
		c, r := actiontest.NewContext(t)
		require.NoError(t, r.Run(t.Context(), a, c, b.input("acme/lost", "")))
		require.Contains(t, strings.Join(r.Lines(), "\n"), "Going on with the project")
	})
	t.Run("a stranger's project", func(t *testing.T) {
		_, err := b.Add(forgetest.Repository{FullName: "acme/theirs"}, map[string]string{"a": "theirs"})
		require.NoError(t, err)
		c, r := actiontest.NewContext(t)
		before := len(b.Writes(""))
		err = r.Run(t.Context(), a, c, b.input("acme/theirs", ""))
		require.ErrorContains(t, err, "create the project acme/theirs: ")
		require.ErrorContains(t, err, "has already been taken")
		require.Len(t, b.Writes(""), before)
	})
}

func TestPublishFails(t *testing.T) {
	for _, c := range []struct {
		name, more string
		fault      forgetest.Fault
		owner      string
		required   bool
		want       string
	}{
		{name: "a namespace that is not there", owner: "nobody", want: "The namespace nobody is not found or the user doesn't have permissions to access it"},
		{name: "a push that is refused", fault: forgetest.Fault{Route: "git push", Status: 403}, want: "the token needs the right to write contents"},
		{name: "a token without scope", fault: forgetest.Fault{Route: "create project", Status: 403, Body: `{"message":"403 Forbidden"}`}, want: "the token needs the scope api"},
		{name: "a branch that cannot be made", more: `,"branches":[{"name":"x","create":true,"ref":"nope"}]`, want: `{"code":400,"message":`},
		{name: "a variable that cannot be made", more: `,"projectVariables":[{"key":"A","value":"1"}]`, fault: forgetest.Fault{Route: "variable", Status: 400, Body: `{"message":"no"}`}, want: "Environment variable creation failed for A"},
		{name: "a signature", more: `,"signCommit":true`, want: "Signing commits is enabled but no signing key is provided"},
		{name: "an owner without the integration", more: `,"ownerUsername":"eva"`, required: true, want: "setUserAsOwner and ownerUsername need the token of the integration"},
		{name: "no token of a user", required: true, want: "No user credentials provided for host "},
		{name: "a folder that is not there", more: `,"sourcePath":"nope"`, want: "there is no folder nope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, secretToken)
			b.options.RequireUserCredentials = c.required
			if c.fault.Status != 0 {
				b.Inject(c.fault)
			}
			ctx, r := actiontest.NewContext(t)
			content(t, ctx)
			owner := c.owner
			if owner == "" {
				owner = "acme"
			}
			err := r.Run(t.Context(), b.action("publish:gitlab"), ctx, b.input(owner+"/shop", c.more))
			require.ErrorContains(t, err, c.want)
			noToken(t, r, err)
		})
	}
}

func TestChecksBeforeAnybodyIsAsked(t *testing.T) {
	b := newBench(t, "")
	all := suites(b)
	for _, a := range gitlab.Actions(b.options) {
		if a.ID() == "gitlab:group:migrate" {
			continue // it has no repoUrl, and its tokens are required
		}
		for _, c := range []struct{ url, want string }{
			{b.url("acme/shop"), "No token available for host " + b.Host()},
			{"git.example.com?owner=acme&repo=shop", "No matching integration configuration for host git.example.com"},
		} {
			t.Run(a.ID(), func(t *testing.T) {
				in, err := jsonvalue.ParseObject([]byte(all[a.ID()].Cases[0].Input))
				require.NoError(t, err)
				in.Set("repoUrl", c.url)
				in.Delete("token")
				ctx, r := actiontest.NewContext(t)
				content(t, ctx)
				err = r.Run(t.Context(), a, ctx, string(jsonvalue.Append(nil, in)))
				require.ErrorContains(t, err, c.want)
				require.ErrorIs(t, err, catalog.ErrInput)
			})
		}
	}
	require.Empty(t, b.Requests())
}
