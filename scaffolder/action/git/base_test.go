package git_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

func noSleep(context.Context, time.Duration) error { return nil }

// A commit on a base is what a clone with the files copied over it would be.
func TestSaveOnABase(t *testing.T) {
	f := forgetest.NewPlain(t)
	_, err := f.Add(forgetest.Repository{FullName: "acme/mono"}, map[string]string{
		"README.md": "old", "same": "same", "dir/stays": "1", "dir/changes": "1", "dir/deep/x": "1", "becomes-folder": "1", "becomes-file/x": "1", "other/y": "1"})
	require.NoError(t, err)
	own := []string{"README.md=new", "same=same", "dir/changes!=2", "dir/new=3", "becomes-folder/x=2", "becomes-file=2", "added/z=1", ".gitignore=*.log\n", "a.log=x", "copy=same"}
	remote := git.Remote{URL: f.URL() + "/acme/mono.git", User: "u", Password: "x", Sleep: noSleep}

	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, own...)
	into, err := c.TempDir()
	require.NoError(t, err)
	base, err := git.Fetch(t.Context(), remote, "main", into)
	require.NoError(t, err)
	require.Equal(t, command(t, f.GitDir("acme/mono"), "rev-parse", "main"), base.Hash())
	commit := git.Commit{Dir: ".", Branch: "change", Message: "Change", Author: git.Identity{Name: "Ada", Email: "a@b"}, Time: time.Unix(1, 0)}
	r, changed, err := base.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.True(t, changed)
	require.NoError(t, r.Push(t.Context(), remote, "change"))
	require.NoError(t, r.Push(t.Context(), remote, "change"), "once more does no harm")
	require.False(t, c.Workspace.Exists(".git"), "the workspace is as it was")

	clone := t.TempDir()
	command(t, clone, "clone", "-q", f.URL()+"/acme/mono.git", ".")
	for _, gone := range []string{"becomes-folder", "becomes-file"} {
		require.NoError(t, exec.Command("rm", "-r", clone+"/"+gone).Run())
	}
	require.NoError(t, exec.Command("cp", "-a", c.Workspace.Path()+"/.", clone).Run())
	command(t, clone, "add", ".")
	want := command(t, clone, "write-tree")
	require.Equal(t, want, command(t, f.GitDir("acme/mono"), "rev-parse", "change^{tree}"))
	require.Equal(t, base.Hash(), command(t, f.GitDir("acme/mono"), "rev-parse", "change^"))
	command(t, f.GitDir("acme/mono"), "fsck", "--strict")

	into, err = c.TempDir()
	require.NoError(t, err)
	base, err = git.Fetch(t.Context(), remote, "change", into)
	require.NoError(t, err)
	_, changed, err = base.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.False(t, changed, "all of it is there")
}

func TestFetchIsTriedAgain(t *testing.T) {
	f := forgetest.NewPlain(t)
	_, err := f.Add(forgetest.Repository{FullName: "acme/mono"}, map[string]string{"a": "1"})
	require.NoError(t, err)
	f.Inject(forgetest.Fault{Route: "git fetch", CutAfter: 60, Times: 1})
	f.Inject(forgetest.Fault{Route: "git refs", Status: 503, Times: 1})
	c, _ := actiontest.NewContext(t)
	into, err := c.TempDir()
	require.NoError(t, err)
	slept := 0
	_, err = git.Fetch(t.Context(), git.Remote{URL: f.URL() + "/acme/mono.git", Sleep: func(context.Context, time.Duration) error { slept++; return nil }}, "main", into)
	require.NoError(t, err)
	require.Equal(t, 2, slept)
}

func TestFetchFails(t *testing.T) {
	f := forgetest.NewPlain(t)
	f.AddToken("s3cret")
	_, err := f.Add(forgetest.Repository{FullName: "acme/mono", Visibility: forgetest.Private}, map[string]string{"a": "1"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		repository, branch, password string
		fault                        forgetest.Fault
		want                         string
		is                           error
	}{
		"no such branch":       {branch: "none", want: "fetch branch none of ", is: catalog.ErrNotFound},
		"no such repository":   {repository: "none", want: "there is no such repository", is: catalog.ErrNotFound},
		"a token":              {password: "wr0ng", want: "does not accept the credentials", is: catalog.ErrNotAllowed},
		"no Git server":        {fault: forgetest.Fault{Route: "git refs", Status: 200, Body: "<html>"}, want: "not that of a Git server"},
		"an answer cut off":    {fault: forgetest.Fault{Route: "git fetch", CutAfter: 20}, want: "fetch branch main"},
		"a server that breaks": {fault: forgetest.Fault{Route: "git fetch", Status: 500}, want: "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.fault.Route != "" {
				defer f.Inject(c.fault)()
			}
			or := func(text, otherwise string) string {
				if text == "" {
					return otherwise
				}
				return text
			}
			ctx, _ := actiontest.NewContext(t)
			into, err := ctx.TempDir()
			require.NoError(t, err)
			_, err = git.Fetch(t.Context(), git.Remote{URL: f.URL() + "/acme/" + or(c.repository, "mono") + ".git", User: "u", Password: or(c.password, "s3cret"), Sleep: noSleep}, or(c.branch, "main"), into)
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			for _, secret := range []string{"wr0ng", "s3cret"} {
				require.False(t, strings.Contains(err.Error(), secret))
			}
		})
	}
}
