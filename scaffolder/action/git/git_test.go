package git_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// fill puts files into a workspace: a name that ends in a slash is a folder,
// "a->b" a link, "x!" an executable file.
func fill(t testing.TB, ws *workspace.Workspace, files ...string) {
	for _, f := range files {
		name, content, _ := strings.Cut(f, "=")
		from, to, link := strings.Cut(f, "->")
		switch {
		case link:
			require.NoError(t, ws.Symlink(to, from))
		case strings.HasSuffix(name, "/"):
			require.NoError(t, ws.MkdirAll(name, 0o755))
		case strings.HasSuffix(name, "!"):
			require.NoError(t, ws.WriteFile(strings.TrimSuffix(name, "!"), []byte(content), 0o755))
		default:
			require.NoError(t, ws.WriteFile(name, []byte(content), 0o644))
		}
	}
}

// command runs the git command in a folder.
func command(t testing.TB, dir string, args ...string) string {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com"}
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	require.NoError(t, err, failed.String())
	return strings.TrimSpace(string(out))
}

// What a commit holds is what the git command would add.
func TestFilesAreThoseOfGit(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
	}{
		{"nothing", nil},
		{"only an empty folder", []string{"empty/"}},
		{"modes and links", []string{"a=1", "run!=2", "dir/deep/b=3", "link->a", "dir/up->../a", "broken->nowhere", "to-dir->dir", "away->/etc/passwd"}},
		{"patterns", []string{".gitignore=*.log\n!keep.log\n/root.txt\nbuild/\n# comment\n\n\\#odd\n", "x.log", "keep.log", "root.txt", "sub/root.txt", "build/x", "sub/build/y", "#odd", "build2"}},
		{"patterns of folders", []string{"a/.gitignore=*.tmp\n/only\n", "a/x.tmp", "a/b/y.tmp", "x.tmp", "a/only", "a/b/only"}},
		{"a folder that is left out is left out whole", []string{".gitignore=out\n", "out/.gitignore=!kept\n", "out/kept"}},
		{"all but one", []string{".gitignore=/*\n!/src\n!.gitignore\n", "a", "src/b", "src/c/d"}},
		{"double stars", []string{".gitignore=**/gen/**\ndocs/**/*.pdf\n", "gen/a", "x/gen/b/c", "docs/a.pdf", "docs/x/y/b.pdf", "b.pdf"}},
		{"windows lines", []string{".gitignore=*.log\r\n", "a.log", "b"}},
		{"names that sort oddly", []string{"a.b", "a/c", "a-b", "a0", "A", "ä", "sp ace", "a+b/c"}},
		{"a .gitignore that ignores itself", []string{".gitignore=.gitignore\nx\n", "x", "y"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _ := actiontest.NewContext(t)
			fill(t, ctx.Workspace, c.files...)
			reference := t.TempDir()
			require.NoError(t, exec.Command("cp", "-a", ctx.Workspace.Path()+"/.", reference).Run())
			command(t, reference, "init", "-q", "--template=")
			command(t, reference, "add", ".")
			want := command(t, reference, "write-tree")
			_, err := git.Save(t.Context(), ctx.Workspace, git.Commit{Dir: ".", Branch: "main", Message: "m", Author: git.Identity{Name: "A", Email: "a@b"}, Time: time.Unix(1, 0)})
			require.NoError(t, err)
			got := command(t, ctx.Workspace.Path(), "rev-parse", "HEAD^{tree}")
			require.Equal(t, command(t, reference, "ls-tree", "-r", want), command(t, ctx.Workspace.Path(), "ls-tree", "-r", got))
			require.Equal(t, want, got)
			command(t, ctx.Workspace.Path(), "fsck", "--strict")
		})
	}
}

func TestSaveTwice(t *testing.T) {
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	commit := git.Commit{Dir: ".", Branch: "main", Message: "m", Author: git.Identity{Name: "A", Email: "a@b"}, Time: time.Unix(1, 0)}
	first, err := git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	second, err := git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.Equal(t, first.Hash(), second.Hash(), "without a change there is nothing to commit")
	require.NoError(t, c.Workspace.RemoveAll(".git"))
	third, err := git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.Equal(t, first.Hash(), third.Hash(), "the same files at the same time are the same commit")
	fill(t, c.Workspace, "b=2")
	commit.Branch = "other"
	_, err = git.Save(t.Context(), c.Workspace, commit)
	require.NoError(t, err)
	require.Equal(t, "refs/heads/main", command(t, c.Workspace.Path(), "symbolic-ref", "HEAD"), "a repository that is there keeps its branch")
	require.Equal(t, "2", command(t, c.Workspace.Path(), "rev-list", "--count", "HEAD"))
}

func TestSaveRefuses(t *testing.T) {
	elsewhere := t.TempDir()
	command(t, elsewhere, "init", "-q", "--template=")
	for _, c := range []struct {
		name, branch, want string
		files              []string
	}{
		{"a branch that is an option", "--upload-pack=x", "cannot be the name of a branch", nil},
		{"a branch that is a ref", "refs/heads/x", "cannot be the name of a branch", nil},
		{"a branch that leads elsewhere", "../../config", "cannot be the name of a branch", nil},
		{"no branch", "", "cannot be the name of a branch", nil},
		{"a repository through a link", "main", ".git is no folder", []string{".git->" + elsewhere + "/.git"}},
		{"a repository by a file", "main", ".git is no folder", []string{".git=gitdir: " + elsewhere + "/.git"}},
		{"borrowed objects", "main", "borrows objects", []string{".git/HEAD=ref: refs/heads/main\n", ".git/objects/info/alternates=" + elsewhere + "/.git/objects\n"}},
		{"a damaged HEAD", "main", "commit: ", []string{".git/HEAD=" + strings.Repeat("1", 40)}},
		{"a damaged commit", "main", "commit: ", []string{".git/HEAD=ref: refs/heads/main\n", ".git/refs/heads/main=" + strings.Repeat("1", 40) + "\n",
			".git/objects/11/" + strings.Repeat("1", 38) + "=nonsense"}},
		{"too many patterns", "main", "more than 20000 lines", []string{".gitignore=" + strings.Repeat("a\n", 20_001)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _ := actiontest.NewContext(t)
			fill(t, ctx.Workspace, c.files...)
			_, err := git.Save(t.Context(), ctx.Workspace, git.Commit{Dir: ".", Branch: c.branch, Message: "m", Time: time.Unix(1, 0)})
			require.ErrorContains(t, err, c.want)
			entries, err := os.ReadDir(filepath.Join(elsewhere, ".git", "objects"))
			require.NoError(t, err)
			require.Len(t, entries, 2, "nothing was written elsewhere")
		})
	}
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := git.Save(ctx, c.Workspace, git.Commit{Dir: ".", Branch: "main"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestSourceDir(t *testing.T) {
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "out/x=1", "file=1", "way-out->"+t.TempDir())
	for _, k := range []struct {
		in, want string
		err      error
	}{
		{"", ".", nil}, {".", ".", nil}, {"out", "out", nil}, {"./out/", "out", nil}, {"../out", "out", nil}, {"../../out", "out", nil}, {"..", ".", nil},
		{`out\..\out`, "out", nil}, {"nope", "", catalog.ErrInput}, {"file", "", catalog.ErrInput}, {"/etc", "", catalog.ErrNotAllowed}, {"way-out", "", catalog.ErrNotAllowed},
		{"out/../../x", "", catalog.ErrInput},
	} {
		got, err := git.SourceDir(c.Workspace, k.in)
		require.ErrorIs(t, err, k.err, k.in)
		require.Equal(t, k.want, got, k.in)
	}
}

// hosts are those that the configuration names.
type hosts map[string][2]string

func (h hosts) Credentials(_ context.Context, host, _ string) (string, string, bool, error) {
	c, ok := h[host]
	return c[0], c[1], ok, nil
}

func TestPublishGit(t *testing.T) {
	f := forgetest.NewPlain(t)
	f.AddToken("s3cret")
	f.AddToken("mine")
	_, err := f.CreateRepository(forgetest.Repository{FullName: "acme/shop", Visibility: forgetest.Private})
	require.NoError(t, err)
	a := git.Actions(git.Options{Hosts: hosts{f.Host(): {"robot", "s3cret"}}, Defaults: git.Defaults{Message: "Configured"},
		Sleep: func(context.Context, time.Duration) error { return nil }})[0]
	remote := f.URL() + "/acme/shop.git"
	all := `{"remoteUrl":"` + remote + `","defaultBranch":"trunk","sourcePath":"src","gitCommitMessage":"M","gitAuthorName":"Ada","gitAuthorEmail":"ada@example.com","username":"ada","token":"mine"}`
	setup := func(t *testing.T, c *action.Context) {
		fill(t, c.Workspace, "src/a=1", "b=2")
		_ = f.DeleteBranch("acme/shop", "trunk")
	}
	t.Run("conformance", func(t *testing.T) {
		actiontest.Run(t, a, actiontest.Options{Cases: []actiontest.Case{{Name: "all", Input: all, Setup: setup}}})
	})
	t.Run("defaults", func(t *testing.T) {
		c, r := actiontest.NewContext(t)
		setup(t, c)
		require.NoError(t, r.Run(t.Context(), a, c, `{"remoteUrl":"`+remote+`"}`))
		require.Equal(t, "Scaffolder <scaffolder@backstage.io> Configured", command(t, f.GitDir("acme/shop"), "log", "--format=%an <%ae> %s", "main"))
		require.JSONEq(t, `{"remoteUrl":"`+remote+`","commitHash":"`+command(t, f.GitDir("acme/shop"), "rev-parse", "main")+`"}`, r.Outputs())
	})
	for _, c := range []struct {
		name, url, more string
		want            string
		is              error
	}{
		{"a host that is not configured", "https://git.example.com/a/b", "", "Nothing is pushed to git.example.com", catalog.ErrNotAllowed},
		{"credentials in the URL", "https://u:p4ss@git.example.com/a/b", "", "remoteUrl has credentials in it", catalog.ErrInput},
		{"ssh without a key", "ssh://git@git.example.com/a/b", "", "integrations.git has no entry with ssh.privateKey", catalog.ErrNotAllowed},
		{"ssh in short without a key", "git@git.example.com:a/b", "", "integrations.git has no entry with ssh.privateKey", catalog.ErrNotAllowed},
		{"a password in a URL of ssh", "ssh://git:p4ss@git.example.com/a/b", "", "remoteUrl has credentials in it", catalog.ErrInput},
		{"a file", "file:///etc", "", "must be the https or ssh URL", catalog.ErrInput},
		{"no URL", "://", "", "must be the https or ssh URL", catalog.ErrInput},
		{"a repository that is not there", f.URL() + "/acme/none.git", "", "there is no such repository", catalog.ErrNotFound},
		{"a token that is not taken", remote, `,"token":"wr0ng"`, "does not accept the credentials", catalog.ErrNotAllowed},
		{"a branch of somebody else", remote, "", "somebody else has pushed to it", catalog.ErrConflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			fill(t, ctx.Workspace, "other=1")
			err := r.Run(t.Context(), a, ctx, `{"remoteUrl":"`+c.url+`"`+c.more+`}`)
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, c.is)
			for _, secret := range []string{"p4ss", "wr0ng", "s3cret"} {
				require.NotContains(t, err.Error()+strings.Join(r.Lines(), ""), secret)
			}
		})
	}
	t.Run("only with the token of a user", func(t *testing.T) {
		strict := git.Actions(git.Options{Hosts: hosts{f.Host(): {"robot", "s3cret"}}, RequireUserCredentials: true})[0]
		c, r := actiontest.NewContext(t)
		require.ErrorContains(t, r.Run(t.Context(), strict, c, `{"remoteUrl":"`+remote+`"}`), "No user credentials provided for host")
	})
}

// A redirect to another server gets no credentials.
func TestPushIsNotLedAway(t *testing.T) {
	from, to := forgetest.NewPlain(t), forgetest.NewPlain(t)
	_, err := to.CreateRepository(forgetest.Repository{FullName: "acme/shop"})
	require.NoError(t, err)
	to.AddToken("p4ssw0rd")
	from.Inject(forgetest.Fault{Route: "git refs", Status: 301, Header: map[string][]string{"Location": {to.URL() + "/acme/shop.git/info/refs?service=git-receive-pack"}}})
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	commit, err := git.Save(t.Context(), c.Workspace, git.Commit{Dir: ".", Branch: "main", Time: time.Unix(1, 0)})
	require.NoError(t, err)
	err = commit.Push(t.Context(), git.Remote{URL: from.URL() + "/acme/shop.git", User: "u", Password: "p4ssw0rd", Sleep: func(context.Context, time.Duration) error { return nil }}, "main")
	require.Error(t, err)
	require.ErrorContains(t, err, "it redirects to another server")
	require.NotContains(t, err.Error(), "p4ssw0rd")
	_, there := to.Repository("acme/shop")
	require.True(t, there)
	require.Empty(t, command(t, to.GitDir("acme/shop"), "for-each-ref"), "nothing was pushed with the credentials of another host")
}

// A repository that was renamed is found under its old name.
func TestPushToARenamedRepository(t *testing.T) {
	f := forgetest.NewPlain(t)
	_, err := f.CreateRepository(forgetest.Repository{FullName: "acme/old"})
	require.NoError(t, err)
	require.NoError(t, f.Rename("acme/old", "acme/new"))
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	commit, err := git.Save(t.Context(), c.Workspace, git.Commit{Dir: ".", Branch: "main", Time: time.Unix(1, 0)})
	require.NoError(t, err)
	require.NoError(t, commit.Push(t.Context(), git.Remote{URL: f.URL() + "/acme/old.git", User: "u", Password: "x", Sleep: noSleep}, "main"))
	require.Equal(t, commit.Hash(), command(t, f.GitDir("acme/new"), "rev-parse", "main"))
}

// A hook of the server has the last word, and is not asked twice.
func TestPushIsRefused(t *testing.T) {
	f := forgetest.NewPlain(t)
	_, err := f.CreateRepository(forgetest.Repository{FullName: "acme/shop"})
	require.NoError(t, err)
	hook := filepath.Join(f.GitDir("acme/shop"), "hooks", "update")
	require.NoError(t, os.MkdirAll(filepath.Dir(hook), 0o755))
	require.NoError(t, os.WriteFile(hook, []byte("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n"), 0o755))
	c, _ := actiontest.NewContext(t)
	fill(t, c.Workspace, "a=1")
	commit, err := git.Save(t.Context(), c.Workspace, git.Commit{Dir: ".", Branch: "main", Time: time.Unix(1, 0)})
	require.NoError(t, err)
	slept := 0
	err = commit.Push(t.Context(), git.Remote{URL: f.URL() + "/acme/shop.git", User: "u", Password: "x", Sleep: func(context.Context, time.Duration) error { slept++; return nil }}, "main")
	require.ErrorContains(t, err, "the server refuses the push")
	require.ErrorContains(t, err, "it says: not on a Friday", "what the hook says is shown")
	require.Zero(t, slept)
}

// A tree of thousands of files, some of them large, is sent as it is made.
func TestPublishALargeTree(t *testing.T) {
	f := forgetest.NewPlain(t)
	_, err := f.CreateRepository(forgetest.Repository{FullName: "acme/shop"})
	require.NoError(t, err)
	c, _ := actiontest.NewContext(t)
	for i := range 3000 {
		fill(t, c.Workspace, fmt.Sprintf("a%d/b%d/c%d/file-%d.txt=%d", i%7, i%11, i%13, i, i))
	}
	random := make([]byte, 5<<20)
	_, err = rand.NewChaCha8([32]byte{1}).Read(random)
	require.NoError(t, err)
	require.NoError(t, c.Workspace.WriteFile("large.bin", random, 0o644))
	commit, err := git.Save(t.Context(), c.Workspace, git.Commit{Dir: ".", Branch: "main", Message: "m", Time: time.Unix(1, 0)})
	require.NoError(t, err)
	require.NoError(t, commit.Push(t.Context(), git.Remote{URL: f.URL() + "/acme/shop.git", User: "u", Password: "x", Sleep: noSleep}, "main"))
	dir := f.GitDir("acme/shop")
	command(t, dir, "fsck", "--strict")
	require.Equal(t, 3001, strings.Count(command(t, dir, "ls-tree", "-r", "--name-only", "main")+"\n", "\n"))
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256(random)), fmt.Sprintf("%x", sha256.Sum256(blob(t, dir, "main:large.bin"))))
	require.Equal(t, 1, f.Requests()["git push"].Total)
}

// blob is the content of a file as the git command has it.
func blob(t *testing.T, dir, name string) []byte {
	cmd := exec.Command("git", "cat-file", "blob", name)
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err)
	return out
}

func BenchmarkPublish(b *testing.B) {
	f := forgetest.NewPlain(b)
	ws, err := workspace.Open(b.TempDir(), workspace.Options{})
	require.NoError(b, err)
	for i := range 1000 {
		fill(b, ws, fmt.Sprintf("dir%d/file%d.txt=%s", i%40, i, strings.Repeat(fmt.Sprint("line ", i, "\n"), 200)))
	}
	for i := 0; b.Loop(); i++ {
		_, err := f.CreateRepository(forgetest.Repository{FullName: fmt.Sprint("acme/r", i)})
		require.NoError(b, err)
		require.NoError(b, ws.RemoveAll(".git"))
		commit, err := git.Save(b.Context(), ws, git.Commit{Dir: ".", Branch: "main", Time: time.Unix(1, 0)})
		require.NoError(b, err)
		require.NoError(b, commit.Push(b.Context(), git.Remote{URL: fmt.Sprintf("%s/acme/r%d.git", f.URL(), i), User: "u", Password: "x"}, "main"))
	}
}
