package gitea_test

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/account"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/action/gitea"
)

const password = "the-password-of-the-integration"

// A bench is a double of Gitea with a program that has an integration for it.
type bench struct {
	*forgetest.Gitea
	t       *testing.T
	options gitea.Options
	slept   []time.Duration
}

type hosts struct{ accounts *account.Accounts }

func (h hosts) HostKind(host string) (string, bool) {
	_, ok := h.accounts.Account(integration.KindGitea, host, "")
	return "gitea", ok
}

func (h hosts) Account(host string) (gitea.Account, bool) {
	a, ok := h.accounts.Account(integration.KindGitea, host, "")
	return gitea.Account(a), ok
}

func newBench(t *testing.T, entry map[string]any) *bench {
	b := &bench{Gitea: forgetest.NewGitea(t), t: t}
	openapi.WatchGitea(t, b.Gitea)
	b.AddToken(password)
	entry["host"], entry["baseUrl"] = b.Host(), b.URL()
	set, _, err := integration.Parse(map[string]any{"gitea": []any{entry}})
	require.NoError(t, err)
	accounts, err := account.New(set, account.Options{Sleep: func(context.Context, time.Duration) error { return nil }})
	require.NoError(t, err)
	b.options = gitea.Options{Hosts: hosts{accounts}, Sleep: func(ctx context.Context, d time.Duration) error {
		b.slept = append(b.slept, d)
		return ctx.Err()
	}}
	return b
}

func signedIn() map[string]any { return map[string]any{"username": "robot", "password": password} }

func (b *bench) action() action.Action { return gitea.Actions(b.options)[0] }

// input is for a repository of acme; more is JSON with a comma before it.
func (b *bench) input(name, more string) string {
	return `{"repoUrl":"` + b.Host() + `?owner=acme&repo=` + name + `","description":"D"` + more + `}`
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

func noPassword(t *testing.T, r *actiontest.Recorder, err error) {
	text := strings.Join(r.Lines(), "\n")
	if err != nil {
		text += err.Error()
	}
	require.NotContains(t, text, password)
}

func TestActions(t *testing.T) {
	b := newBench(t, signedIn())
	key, err := git.ParseSigningKey(actiontest.SigningKey(t))
	require.NoError(t, err)
	b.options.Defaults.Signing.Default = key
	actiontest.Run(t, b.action(), actiontest.Options{
		Effects: func() int { return len(b.Writes("")) },
		Cases: []actiontest.Case{{Name: "all", Input: b.input("shop", `,"defaultBranch":"trunk","repoVisibility":"private","gitCommitMessage":"M","gitAuthorName":"Eva",
			"gitAuthorEmail":"eva@example.com","sourcePath":"src","signCommit":true`), Setup: func(t *testing.T, c *action.Context) {
			content(t, c)
			_ = b.Delete("acme/shop")
		}}},
	})
}

func TestPublish(t *testing.T) {
	for name, entry := range map[string]map[string]any{"with a user": signedIn(), "with a token": {"password": password}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, entry)
			c, r := actiontest.NewContext(t)
			content(t, c)
			err := r.Run(t.Context(), b.action(), c, b.input("shop", ""))
			require.NoError(t, err)
			noPassword(t, r, err)
			require.Equal(t, contentTree, b.git("acme/shop", "ls-tree", "-r", "--format=%(objectmode) %(path)", "main"))
			require.Equal(t, "Scaffolder <scaffolder@backstage.io>", b.git("acme/shop", "log", "--format=%an <%ae>", "main"))
			require.Regexp(t, `^initial commit\n\nChange-Id: I[0-9a-f]{40}$`, b.git("acme/shop", "log", "--format=%B", "main"))
			repository, _ := b.Repository("acme/shop")
			require.Equal(t, []string{forgetest.Public, "main", "D"}, []string{repository.Visibility, repository.DefaultBranch, repository.Description})
			require.JSONEq(t, `{"remoteUrl":"`+b.URL()+`/acme/shop.git","repoContentsUrl":"`+b.URL()+`/acme/shop/src/branch/main/","commitHash":"`+b.git("acme/shop", "rev-parse", "main")+`"}`, r.Outputs())
		})
	}
}

func TestPublishEverything(t *testing.T) {
	b := newBench(t, signedIn())
	key, err := git.ParseSigningKey(actiontest.SigningKey(t))
	require.NoError(t, err)
	b.options.Defaults = git.Defaults{Message: "Configured", Signing: git.Signing{Default: key}}
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action(), c, b.input("shop", `,"defaultBranch":"trunk","repoVisibility":"private","gitCommitMessage":"M","gitAuthorName":"Eva",
		"gitAuthorEmail":"eva@example.com","sourcePath":"src","signCommit":true`)))
	require.Equal(t, "main.go", b.git("acme/shop", "ls-tree", "-r", "--name-only", "trunk"))
	require.Equal(t, "Eva <eva@example.com> Configured", b.git("acme/shop", "log", "--format=%an <%ae> %s", "trunk"), "the configured message comes before that of the input")
	require.Contains(t, b.git("acme/shop", "cat-file", "commit", "trunk"), "gpgsig -----BEGIN PGP SIGNATURE-----")
	repository, _ := b.Repository("acme/shop")
	require.Equal(t, []string{forgetest.Private, "trunk"}, []string{repository.Visibility, repository.DefaultBranch})
}

func TestPublishAgain(t *testing.T) {
	b := newBench(t, signedIn())
	c, r := actiontest.NewContext(t)
	content(t, c)
	remove := b.Inject(forgetest.Fault{Route: "edit repository", Status: 422, Body: `{"message":"no"}`})
	err := r.Run(t.Context(), b.action(), c, b.input("shop", ""))
	require.ErrorContains(t, err, "no (status 422). The repository "+b.URL()+"/acme/shop exists now and is not complete: retry the task to go on with it, or delete it at "+b.URL()+"/acme/shop/settings")
	remove()
	require.NoError(t, c.Workspace.RemoveAll(".git"), "the workspace is set back")
	require.NoError(t, r.Run(t.Context(), b.action(), c, b.input("shop", "")))
	require.Equal(t, "1", b.git("acme/shop", "rev-list", "--count", "main"))
	require.Len(t, b.Writes("create repository"), 1)

	t.Run("an answer that was lost", func(t *testing.T) {
		b.Inject(forgetest.Fault{Route: "create repository", CutAfter: -1, Times: 1})
		c, r := actiontest.NewContext(t)
		require.NoError(t, r.Run(t.Context(), b.action(), c, b.input("lost", "")))
		require.Contains(t, strings.Join(r.Lines(), "\n"), "Going on with the repository")
	})
	t.Run("a stranger's repository", func(t *testing.T) {
		_, err := b.Add(forgetest.Repository{FullName: "acme/theirs"}, map[string]string{"a": "theirs"})
		require.NoError(t, err)
		c, r := actiontest.NewContext(t)
		before := len(b.Writes(""))
		err = r.Run(t.Context(), b.action(), c, b.input("theirs", ""))
		require.EqualError(t, err, "create the repository acme/theirs: The repository with the same name already exists. (status 409)")
		require.ErrorIs(t, err, catalog.ErrConflict)
		require.Len(t, b.Writes(""), before)
	})
	t.Run("a host that is busy", func(t *testing.T) {
		b.Inject(forgetest.Fault{Route: "organization", Status: 503, Times: 2})
		b.Inject(forgetest.Fault{Route: "branch", Status: 404, Times: 3})
		b.slept = nil
		c, r := actiontest.NewContext(t)
		require.NoError(t, r.Run(t.Context(), b.action(), c, b.input("busy", "")))
		require.Equal(t, []time.Duration{time.Second, time.Second, time.Second}, b.slept, "the branch was waited for")
	})
}

func TestPublishFails(t *testing.T) {
	for name, c := range map[string]struct {
		entry     map[string]any
		url, more string
		fault     forgetest.Fault
		required  bool
		want      string
		is        error
	}{
		"no credentials":         {entry: map[string]any{}, want: "integrations.gitea needs username and password", is: catalog.ErrInput},
		"only those of users":    {required: true, want: "scaffolder.requireScmUserCredentials is enabled", is: catalog.ErrInput},
		"another host":           {url: "git.example.com?owner=acme&repo=shop", want: "No matching integration configuration for host git.example.com", is: catalog.ErrInput},
		"a host of another kind": {url: "github.com?owner=acme&repo=shop", want: "No matching integration configuration for host github.com", is: catalog.ErrInput},
		"no organisation":        {url: "HOST?owner=nobody&repo=shop", want: "Organization nobody do not exist. Please create it first !", is: catalog.ErrInput},
		"no owner":               {url: "HOST?repo=shop", want: "Invalid repository owner provided in repoUrl", is: catalog.ErrInput},
		"no name":                {url: "HOST?owner=acme", want: "missing repo", is: catalog.ErrInput},
		"a folder not there":     {more: `,"sourcePath":"nope"`, want: "there is no folder nope", is: catalog.ErrInput},
		"no key":                 {more: `,"signCommit":true`, want: "Signing commits is enabled but no signing key is provided", is: catalog.ErrInput},
		"no such branch name":    {more: `,"defaultBranch":"--x"`, want: "cannot be the name of a branch", is: catalog.ErrInput},
		"a bad password":         {entry: map[string]any{"username": "robot", "password": "wr0ng"}, want: "look up the organisation acme: Bad credentials (status 401)", is: catalog.ErrNotAllowed},
		"no right":               {fault: forgetest.Fault{Route: "create repository", Status: 403, Body: `{"message":"user has no permission"}`}, want: "needs the right to make repositories", is: catalog.ErrNotAllowed},
		"a push that is refused": {fault: forgetest.Fault{Route: "git push", Status: 403}, want: "the credentials may not push there", is: catalog.ErrNotAllowed},
		"a branch never shown":   {fault: forgetest.Fault{Route: "branch", Status: 404}, want: "the host does not show the branch main"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.entry == nil {
				c.entry = signedIn()
			}
			b := newBench(t, c.entry)
			b.options.RequireUserCredentials = c.required
			if c.fault.Status != 0 {
				b.Inject(c.fault)
			}
			in := b.input("shop", c.more)
			if c.url != "" {
				in = strings.Replace(in, b.Host()+"?owner=acme&repo=shop", strings.Replace(c.url, "HOST", b.Host(), 1), 1)
			}
			ctx, r := actiontest.NewContext(t)
			content(t, ctx)
			err := r.Run(t.Context(), b.action(), ctx, in)
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			noPassword(t, r, err)
		})
	}
}
