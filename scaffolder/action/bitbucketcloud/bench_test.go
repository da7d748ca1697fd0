package bitbucketcloud_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/account"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/bitbucketcloud"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

const password = "the-password-of-the-integration"

// A bench is a double of Bitbucket with a program that has integrations for it:
// one of the host that the double has, and one named bitbucket.org with the same
// API.
type bench struct {
	*forgetest.Bitbucket
	t       *testing.T
	options bitbucketcloud.Options
}

type hosts struct{ accounts *account.Accounts }

func (h hosts) HostKind(host string) (string, bool) {
	_, ok := h.accounts.Account(integration.KindBitbucketCloud, host, "")
	return "bitbucketCloud", ok
}

func (h hosts) Account(host, token string) (bitbucketcloud.Account, bool) {
	a, ok := h.accounts.Account(integration.KindBitbucketCloud, host, token)
	return bitbucketcloud.Account(a), ok
}

func newBench(t *testing.T, credentials map[string]any) *bench {
	b := &bench{Bitbucket: forgetest.NewBitbucket(t), t: t}
	b.AddToken(password)
	b.AddToken("mine")
	entry := func(host string) map[string]any {
		out := map[string]any{"host": host, "apiBaseUrl": b.API()}
		for key, value := range credentials {
			out[key] = value
		}
		return out
	}
	set, _, err := integration.Parse(map[string]any{"bitbucketCloud": []any{entry(b.Host()), entry("bitbucket.org")}})
	require.NoError(t, err)
	noSleep := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	accounts, err := account.New(set, account.Options{Sleep: noSleep})
	require.NoError(t, err)
	b.options = bitbucketcloud.Options{Hosts: hosts{accounts}, Sleep: noSleep}
	return b
}

func signedIn() map[string]any { return map[string]any{"username": "robot", "appPassword": password} }

func (b *bench) action(id string) action.Action {
	r, err := action.NewRegistry(bitbucketcloud.Actions(b.options)...)
	require.NoError(b.t, err)
	a, err := r.Lookup(id)
	require.NoError(b.t, err)
	return a
}

func (b *bench) url(name string) string {
	return b.Host() + "?workspace=acme&project=SHOP&repo=" + name
}

// input is for a repository of acme; more is JSON with a comma before it.
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

func (b *bench) tree(name, branch string) string {
	return b.git(name, "ls-tree", "-r", "--format=%(objectmode) %(path)", branch)
}

func noSecret(t *testing.T, r *actiontest.Recorder, err error) {
	text := strings.Join(r.Lines(), "\n") + r.Outputs()
	if err != nil {
		text += err.Error()
	}
	for _, secret := range []string{password, "mine"} {
		require.NotContains(t, text, secret)
	}
}

func outputs(t *testing.T, r *actiontest.Recorder) map[string]any {
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Outputs()), &out))
	return out
}

func (b *bench) sign() {
	key, err := git.ParseSigningKey(actiontest.SigningKey(b.t))
	require.NoError(b.t, err)
	b.options.Defaults.Signing.Default = key
}

func TestActions(t *testing.T) {
	b := newBench(t, signedIn())
	b.sign()
	_, err := b.Add(forgetest.Repository{FullName: "acme/mono"}, map[string]string{"README.md": "x"})
	require.NoError(t, err)
	for id, c := range map[string]actiontest.Case{
		"publish:bitbucketCloud": {Input: b.input("shop", `,"description":"D","defaultBranch":"trunk","repoVisibility":"public","gitCommitMessage":"M","sourcePath":"src","token":"mine","signCommit":true`),
			Setup: func(t *testing.T, c *action.Context) {
				content(t, c)
				_ = b.Delete("acme/shop")
			}},
		"publish:bitbucketCloud:pull-request": {Setup: content, Input: b.input("mono", `,"title":"T","description":"D","targetBranch":"main","sourceBranch":"add","token":"mine","gitAuthorName":"Eva","gitAuthorEmail":"eva@example.com"`)},
		"bitbucket:pipelines:run": {Input: `{"workspace":"acme","repo_slug":"mono","token":"mine","body":{"target":{"ref_type":"branch","type":"pipeline_ref_target","ref_name":"main","source":"s","destination":"d",
			"destination_commit":{"hash":"1"},"commit":{"type":"commit","hash":"2"},"selector":{"type":"custom","pattern":"p"},"pull_request":{"id":"3"}},"variables":[{"key":"A","value":"s3cret","secured":true}]}}`},
		"bitbucketCloud:branchRestriction:create": {Input: b.input("mono", `,"kind":"push","branchMatchKind":"branching_model","branchType":"production","pattern":"main","value":2,"users":[{"uuid":"{1}"}],"groups":[{"slug":"g"}],"token":"mine"`)},
	} {
		t.Run(id, func(t *testing.T) {
			c.Name = "all"
			actiontest.Run(t, b.action(id), actiontest.Options{Cases: []actiontest.Case{c}, Effects: func() int { return len(b.Writes("")) }})
		})
	}
	require.Len(t, bitbucketcloud.Actions(b.options), 4, "there is a suite for each")
}
