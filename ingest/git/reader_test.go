package git_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/git"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// A bench is a plain Git server with a reader of it, whose clock a test sets.
type bench struct {
	*forgetest.Forge
	t      testing.TB
	base   string // of URLs of repositories
	dir    string // where the reader keeps commits
	reader *git.Reader

	mu sync.Mutex
	at time.Time
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

// sleep lets the time pass at once.
func (b *bench) sleep(ctx context.Context, d time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
	return ctx.Err()
}

func (b *bench) cycle() {
	b.mu.Lock()
	b.at = b.at.Add(2 * time.Minute)
	b.mu.Unlock()
	b.ResetRequests()
}

func newBench(t testing.TB, config map[string]any, o git.Options) *bench {
	b := &bench{Forge: forgetest.NewPlain(t), t: t, dir: t.TempDir(), at: time.Now()}
	b.base = b.URL()
	entry := map[string]any{"host": b.Host()}
	for key, value := range config {
		entry[key] = value
	}
	o.Dir, o.Now, o.Sleep = b.dir, b.now, b.sleep
	var err error
	b.reader, err = newReader(entry, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, b.reader.Close())
		left, err := os.ReadDir(b.dir)
		require.NoError(t, err)
		require.Empty(t, left)
	})
	return b
}

func newReader(entry map[string]any, o git.Options) (*git.Reader, error) {
	set, _, err := integration.Parse(map[string]any{"git": []any{entry}})
	if err != nil {
		return nil, err
	}
	return git.NewReader(set.Hosts()[0], o)
}

// sshKey returns a key as the configuration has it.
func sshKey(t testing.TB) (ssh.PublicKey, string) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	key, err := ssh.NewPublicKey(public)
	require.NoError(t, err)
	return key, string(pem.EncodeToMemory(block))
}

// newSSHBench is a bench over SSH.
func newSSHBench(t testing.TB) *bench {
	b := newBench(t, nil, git.Options{})
	key, text := sshKey(t)
	server, err := b.ServeSSH(key)
	require.NoError(t, err)
	b.base = server.URL()
	b.reader.Close()
	b.reader, err = newReader(map[string]any{"host": server.Host(), "ssh": map[string]any{
		"privateKey": text, "knownHosts": server.KnownHosts(),
	}}, git.Options{Dir: b.dir, Now: b.now})
	require.NoError(t, err)
	return b
}

// each runs a test over both protocols.
func each(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Run("http", func(t *testing.T) { test(t, newBench(t, nil, git.Options{})) })
	t.Run("ssh", func(t *testing.T) { test(t, newSSHBench(t)) })
}

func (b *bench) add(name string, files map[string]string) forgetest.Commit {
	c, err := b.Add(forgetest.Repository{FullName: name}, files)
	require.NoError(b.t, err)
	return c
}

func (b *bench) push(name string, files map[string]string) forgetest.Commit {
	c, err := b.Commit(name, "main", "Change", files)
	require.NoError(b.t, err)
	return c
}

func (b *bench) file(path string) string { return b.base + "/acme/shop.git/blob/main/" + path }

func (b *bench) read(url, etag string) (string, string, bool) {
	b.t.Helper()
	data, etag, notModified, err := b.reader.Read(context.Background(), url, etag)
	require.NoError(b.t, err)
	return string(data), etag, notModified
}

func TestReadFile(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add("acme/shop", map[string]string{"catalog-info.yaml": "kind: A\n", "docs/a b.md": "odd", "other": "1"})
		url := b.file("catalog-info.yaml")
		data, etag, notModified := b.read(url, "")
		require.Equal(t, "kind: A\n", data)
		require.False(t, notModified)
		first := b.TotalRequests().Total
		data, _, _ = b.read(b.file("docs/a%20b.md"), "")
		require.Equal(t, "odd", data)
		require.Equal(t, first, b.TotalRequests().Total, "the commit is here")

		b.cycle()
		data, again, notModified := b.read(url, etag)
		require.True(t, notModified)
		require.Empty(t, data)
		require.Equal(t, etag, again)
		require.Equal(t, 1, b.TotalRequests().Total)

		b.push("acme/shop", map[string]string{"other": "2"})
		b.cycle()
		_, moved, notModified := b.read(url, etag)
		require.True(t, notModified, "another file has changed")
		require.NotEqual(t, etag, moved)
		c := b.push("acme/shop", map[string]string{"catalog-info.yaml": "kind: B\n"})
		b.cycle()
		data, _, _ = b.read(url, moved)
		require.Equal(t, "kind: B\n", data)
		data, _, _ = b.read(b.base+"/acme/shop.git/blob/"+c.Before+"/catalog-info.yaml", "")
		require.Equal(t, "kind: A\n", data, "a commit by its hash")

		_, err := b.Commit("acme/shop", "feature/x", "Branch", map[string]string{"other": "3"})
		require.NoError(t, err)
		data, _, _ = b.read(b.base+"/acme/shop/-/blob/feature%2Fx/other", "")
		require.Equal(t, "3", data, "a branch with a slash; a repository without .git")
	})
}

func TestUrgentAndObserved(t *testing.T) {
	b := newBench(t, nil, git.Options{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	_, etag, _ := b.read(b.file("a.yaml"), "")
	b.push("acme/shop", map[string]string{"a.yaml": "2"})
	_, _, notModified := b.read(b.file("a.yaml"), etag)
	require.True(t, notModified, "crawling believes what is known")
	b.cycle()
	data, _, _, err := b.reader.Read(budget.Urgent(context.Background(), b.now()), b.file("a.yaml"), etag)
	require.NoError(t, err)
	require.Equal(t, "2", string(data))
	c := b.push("acme/shop", map[string]string{"a.yaml": "3"})
	b.reader.Observe(b.base+"/acme/shop.git", "main", c.SHA, b.now())
	observed, _, _ := b.read(b.file("a.yaml"), etag)
	require.Equal(t, "3", observed)
}

func TestLinks(t *testing.T) {
	b := newBench(t, nil, git.Options{})
	b.add("acme/shop", map[string]string{"real/a.yaml": "1"})
	link := func(to string) forgetest.Change { return forgetest.Change{Content: to, Mode: forgetest.ModeSymlink} }
	_, err := b.Push("acme/shop", "main", "Links", map[string]forgetest.Change{
		"good": link("real/a.yaml"), "dir/up": link("../good"), "out": link("../../etc/passwd"), "absolute": link("/etc/passwd"), "loop": link("loop"),
	})
	require.NoError(t, err)
	for _, name := range []string{"good", "dir/up"} {
		data, _, _ := b.read(b.file(name), "")
		require.Equal(t, "1", data)
	}
	for _, name := range []string{"out", "absolute", "loop"} {
		_, _, _, err := b.reader.Read(context.Background(), b.file(name), "")
		require.ErrorIs(t, err, catalog.ErrNotFound, name)
	}
}

func TestReadFailures(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add("acme/shop", map[string]string{"a.yaml": "1", "dir/x": "1"})
		_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/empty"})
		require.NoError(t, err)
		for _, c := range []struct {
			why, url string
			is       error
			says     string
		}{
			{"a missing file", b.file("nothing"), catalog.ErrNotFound, "no such file"},
			{"a missing branch", b.base + "/acme/shop.git/blob/dev/a.yaml", catalog.ErrNotFound, "no such branch"},
			{"a missing repository", b.base + "/acme/nothing.git/blob/main/a.yaml", nil, ""},
			{"an empty repository", b.base + "/acme/empty.git/blob/main/a.yaml", catalog.ErrNotFound, "no such branch"},
			{"a folder", b.file("dir"), catalog.ErrInput, "is a folder"},
			{"dots", b.file("../../x"), catalog.ErrNotAllowed, "leads out"},
			{"no file", b.base + "/acme/shop.git", catalog.ErrInput, "not the URL of a file"},
			{"a quote", b.base + "/acme/sh'op.git/blob/main/a.yaml", nil, ""},
			{"a command", b.base + "/acme/$(touch%20x).git/blob/main/a.yaml", nil, ""},
		} {
			t.Run(c.why, func(t *testing.T) {
				_, _, _, err := b.reader.Read(context.Background(), c.url, "")
				require.Error(t, err)
				require.ErrorContains(t, err, c.says)
				if c.is != nil {
					require.ErrorIs(t, err, c.is)
				}
			})
		}
		b.cycle()
		_, _, _, err = b.reader.Read(context.Background(), b.file("nothing"), "")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		require.Equal(t, 1, b.TotalRequests().Total, "an absence is remembered")
	})
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add("acme/shop", map[string]string{
			"catalog-info.yaml": "root", "a/catalog-info.yaml": "a", "a/b/catalog-info.yaml": "b", "a/b/other.yaml": "o", ".x/catalog-info.yaml": "hidden",
		})
		search := func(url, etag string) (out []string, newETag string, notModified bool) {
			files, newETag, notModified, err := b.reader.Search(context.Background(), url, etag)
			require.NoError(t, err)
			for _, f := range files {
				out = append(out, strings.TrimPrefix(f.URL, b.base+"/acme/shop.git/blob/main/")+" "+string(f.Data))
			}
			return out, newETag, notModified
		}
		got, etag, _ := search(b.file("**/catalog-info.yaml"), "")
		require.Equal(t, []string{"a/b/catalog-info.yaml b", "a/catalog-info.yaml a", "catalog-info.yaml root"}, got)
		got, _, _ = search(b.file("a/b/*"), "")
		require.Equal(t, []string{"a/b/catalog-info.yaml b", "a/b/other.yaml o"}, got)
		got, _, _ = search(b.file("c/*"), "")
		require.Empty(t, got)
		got, _, _ = search(b.base+"/acme/shop.git/blob/dev/*", "")
		require.Empty(t, got)
		b.cycle()
		_, _, notModified := search(b.file("**/catalog-info.yaml"), etag)
		require.True(t, notModified)
		require.Equal(t, 1, b.TotalRequests().Total)
	})
}

func TestTree(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add("acme/shop", map[string]string{"README.md": "hello", "src/main.go": "package main"})
		_, err := b.Push("acme/shop", "main", "More", map[string]forgetest.Change{
			"src/run.sh": {Content: "#!", Mode: forgetest.ModeExecutable}, "src/link": {Content: "main.go", Mode: forgetest.ModeSymlink},
			"src/out": {Content: "../../x", Mode: forgetest.ModeSymlink}, "src/up": {Content: "../README.md", Mode: forgetest.ModeSymlink},
		})
		require.NoError(t, err)
		src := []string{"Lrwxrwxrwx link main.go", "-rw-r--r-- main.go package main", "-rwxr-xr-x run.sh #!"}
		for _, c := range []struct {
			why, url string
			want     []string
			is       error
		}{
			{"a repository", "/acme/shop.git", []string{
				"-rw-r--r-- README.md hello", "drwxr-xr-x src ", "Lrwxrwxrwx src/link main.go", "-rw-r--r-- src/main.go package main", "-rwxr-xr-x src/run.sh #!", "Lrwxrwxrwx src/up ../README.md",
			}, nil},
			{"a folder", "/acme/shop.git/tree/main/src", src, nil},
			{"a file", "/acme/shop.git/blob/main/README.md", []string{"-rw-r--r-- README.md hello"}, nil},
			{"no folder", "/acme/shop.git/tree/main/nothing", nil, catalog.ErrNotFound},
		} {
			t.Run(c.why, func(t *testing.T) {
				var got []string
				err := b.reader.Tree(context.Background(), b.base+c.url, "", func(e archive.Entry) error {
					data, err := io.ReadAll(e.Content)
					got = append(got, fmt.Sprintf("%v %s %s%s", e.Mode, e.Path, data, e.Link))
					return err
				})
				require.ErrorIs(t, err, c.is)
				require.Equal(t, c.want, got)
			})
		}
		enough := errors.New("enough")
		err = b.reader.Tree(context.Background(), b.base+"/acme/shop.git", "", func(archive.Entry) error { return enough })
		require.ErrorIs(t, err, enough)
	})
}

func TestLimits(t *testing.T) {
	random := make([]byte, 20_000)
	_, err := rand.Read(random)
	require.NoError(t, err)
	for _, c := range []struct {
		why  string
		o    git.Options
		file string
	}{
		{"a large repository", git.Options{Limits: git.Limits{Pack: 10_000}}, "a.yaml"},
		{"many files", git.Options{Limits: git.Limits{Objects: 3}}, "a.yaml"},
		{"a file that is too large to be sent", git.Options{Limits: git.Limits{Object: 1000}}, "large"},
		{"a file that is too large to be read", git.Options{Files: forge.Limits{File: 10_000}}, "large"},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, nil, c.o)
			b.add("acme/shop", map[string]string{"a.yaml": "1", "large": string(random), "zeros": strings.Repeat("\x00", 1<<20)})
			_, _, _, err := b.reader.Read(context.Background(), b.file(c.file), "")
			require.ErrorIs(t, err, catalog.ErrInput)
		})
	}
	b := newBench(t, nil, git.Options{Limits: git.Limits{Object: 1000}})
	b.add("acme/shop", map[string]string{"a.yaml": "1", "large": string(random)})
	data, _, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data, "what is too large is left out by the server")
}

// Only so many bytes are kept on the disk.
func TestEviction(t *testing.T) {
	b := newBench(t, nil, git.Options{Limits: git.Limits{Disk: 60_000}})
	random := make([]byte, 20_000)
	for i := range 6 {
		_, err := rand.Read(random)
		require.NoError(t, err)
		b.add(fmt.Sprintf("acme/shop%d", i), map[string]string{"a.yaml": fmt.Sprint(i), "large": string(random)})
	}
	for round := range 2 {
		for i := range 6 {
			data, _, _ := b.read(fmt.Sprintf("%s/acme/shop%d.git/blob/main/a.yaml", b.base, i), "")
			require.Equal(t, fmt.Sprint(i), data, "round %d", round)
		}
	}
	kept, err := os.ReadDir(b.dir)
	require.NoError(t, err)
	inside, err := os.ReadDir(b.dir + "/" + kept[0].Name())
	require.NoError(t, err)
	require.Len(t, inside, 2, "as many as fit")
}

func TestConcurrentReads(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		files := map[string]string{}
		for i := range 50 {
			files[fmt.Sprintf("%d.yaml", i)] = fmt.Sprint(i)
		}
		b.add("acme/shop", files)
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				data, _, _, err := b.reader.Read(context.Background(), b.file(fmt.Sprintf("%d.yaml", i)), "")
				if err != nil || string(data) != fmt.Sprint(i) {
					t.Errorf("file %d: %q, %v", i, data, err)
				}
			})
		}
		group.Wait()
		require.LessOrEqual(t, b.TotalRequests().Total, 3, "one question and one commit for all")
	})
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		why   string
		fault forgetest.Fault
		says  string // "" for success
	}{
		{"a failure that passes", forgetest.Fault{Status: 502, Times: 1}, ""},
		{"refs that break off", forgetest.Fault{Route: "git refs", CutAfter: 100}, "could not be read"},
		{"a pack that breaks off", forgetest.Fault{Route: "git fetch", CutAfter: 100}, "could not be read"},
		{"a pack that breaks off once", forgetest.Fault{Route: "git fetch", CutAfter: 100, Times: 1}, ""},
		{"no Git server", forgetest.Fault{Route: "git refs", Status: 200, Body: "<html>"}, "not that of a Git server"},
		{"nonsense", forgetest.Fault{Route: "git refs", Status: 200, Body: "00zz", Header: http.Header{"Content-Type": {"application/x-git-upload-pack-advertisement"}}}, "not that of a Git server"},
		{"a pack of nonsense", forgetest.Fault{Route: "git fetch", Status: 200, Body: "0008NAK\nPACKxxxx"}, "could not be read"},
		{"an error", forgetest.Fault{Status: 500}, "500 Internal Server Error"},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, nil, git.Options{})
			b.add("acme/shop", map[string]string{"a.yaml": "content"})
			b.Inject(c.fault)
			data, _, _, err := b.reader.Read(context.Background(), b.file("a.yaml"), "")
			if c.says == "" {
				require.NoError(t, err)
				require.Equal(t, "content", string(data))
				return
			}
			require.ErrorContains(t, err, c.says)
			require.NotErrorIs(t, err, catalog.ErrNotFound, "a bad day is no deletion")
		})
	}
}

func TestRenamedRepository(t *testing.T) {
	b := newBench(t, nil, git.Options{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	require.NoError(t, b.Rename("acme/shop", "acme/store"))
	data, _, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data, "redirects are followed")
}
