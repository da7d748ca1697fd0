package gitlab_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	files "github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// A bench is a double of GitLab with a reader of it, whose clock a test sets.
type bench struct {
	*forgetest.GitLab
	t      testing.TB
	client *gitlab.Client
	all    *gitlab.Clients
	reader *gitlab.Reader

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

// cycle lets enough time pass that what is known must be asked for again, and
// forgets what was counted.
func (b *bench) cycle() {
	b.mu.Lock()
	b.at = b.at.Add(2 * time.Minute)
	b.mu.Unlock()
	b.ResetRequests()
}

func newBench(t testing.TB, limits forge.Limits) *bench {
	b := &bench{t: t, at: time.Now()}
	double, err := forgetest.StartGitLab(forgetest.Options{Dir: t.TempDir(), Now: b.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, double.Close()) })
	b.GitLab = double
	set, _, err := integration.Parse(map[string]any{"gitlab": []any{map[string]any{
		"host": double.Host(), "apiBaseUrl": double.API(), "baseUrl": double.URL(), "token": "secret",
	}}})
	require.NoError(t, err)
	b.all, err = gitlab.NewClients(set, gitlab.ClientOptions{Now: b.now, Sleep: b.sleep})
	require.NoError(t, err)
	b.client, _ = b.all.Client(double.Host())
	b.reader = gitlab.NewReader(b.client, gitlab.ReaderOptions{Limits: limits, Now: b.now})
	return b
}

func (b *bench) add(name string, content map[string]string) {
	_, err := b.Add(forgetest.Repository{FullName: name}, content)
	require.NoError(b.t, err)
}

func (b *bench) push(name string, content map[string]string) forgetest.Commit {
	c, err := b.Commit(name, "main", "Change", content)
	require.NoError(b.t, err)
	return c
}

func (b *bench) file(path string) string { return b.URL() + "/acme/web/shop/-/blob/main/" + path }

func (b *bench) read(url, etag string) (string, string, bool) {
	data, etag, notModified, err := b.reader.Read(context.Background(), url, etag)
	require.NoError(b.t, err)
	return string(data), etag, notModified
}

func (b *bench) search(url, etag string) ([]string, string, bool) {
	found, etag, notModified, err := b.reader.Search(context.Background(), url, etag)
	require.NoError(b.t, err)
	var out []string
	for _, f := range found {
		out = append(out, strings.TrimPrefix(f.URL, b.URL()+"/")+" "+string(f.Data))
	}
	return out, etag, notModified
}

func TestReadFile(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/web/shop", map[string]string{"catalog-info.yaml": "kind: A\n", "docs/a b?#.md": "odd", "other": "1"})
	data, etag, notModified := b.read(b.file("catalog-info.yaml"), "")
	require.Equal(t, "kind: A\n", data)
	require.False(t, notModified)
	b.read(b.file("other"), "")
	require.Equal(t, 1, b.Requests()["commits"].Total, "one for all files")

	b.cycle()
	data, again, notModified := b.read(b.file("catalog-info.yaml"), etag)
	require.True(t, notModified)
	require.Empty(t, data)
	require.Equal(t, etag, again)
	require.Equal(t, forgetest.Count{Total: 1, Billable: 1, NotModified: 1}, b.TotalRequests(), "GitLab bills all requests, but this one is small")

	b.push("acme/web/shop", map[string]string{"other": "2"})
	b.cycle()
	_, moved, notModified := b.read(b.file("catalog-info.yaml"), etag)
	require.True(t, notModified, "another file has changed")
	require.NotEqual(t, etag, moved)
	b.push("acme/web/shop", map[string]string{"catalog-info.yaml": "kind: B\n"})
	b.cycle()
	data, _, _ = b.read(b.file("catalog-info.yaml"), moved)
	require.Equal(t, "kind: B\n", data)
	data, _, _ = b.read(b.file("docs/a%20b%3F%23.md"), "")
	require.Equal(t, "odd", data)

	_, err := b.Commit("acme/web/shop", "feature/x", "Branch", map[string]string{"other": "3"})
	require.NoError(t, err)
	data, _, _ = b.read(b.URL()+"/acme/web/shop/-/blob/feature%2Fx/other", "")
	require.Equal(t, "3", data, "a branch with a slash, encoded")
}

func TestUrgentAndObserved(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/web/shop", map[string]string{"a.yaml": "1"})
	_, etag, _ := b.read(b.file("a.yaml"), "")
	c := b.push("acme/web/shop", map[string]string{"a.yaml": "2"})
	_, _, notModified := b.read(b.file("a.yaml"), etag)
	require.True(t, notModified, "crawling believes what is known")
	b.mu.Lock()
	b.at = b.at.Add(time.Second)
	b.mu.Unlock()
	b.ResetRequests()
	gitlab.Readers{b.reader}.Observe(b.URL()+"/acme/web/shop", "main", c.SHA, b.now())
	data, _, _, err := b.reader.Read(budget.Urgent(context.Background(), b.now()), b.file("a.yaml"), etag)
	require.NoError(t, err)
	require.Equal(t, "2", string(data))
	require.Zero(t, b.Requests()["commits"], "a webhook says what commit it is about")
}

func TestReadFailures(t *testing.T) {
	b := newBench(t, forge.Limits{File: 100})
	b.add("acme/web/shop", map[string]string{"a.yaml": "1", "large": strings.Repeat("x", 101)})
	_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/empty"})
	require.NoError(t, err)
	for _, c := range []struct {
		why, url string
		is       error
		says     string
	}{
		{"a missing file", b.file("nothing"), catalog.ErrNotFound, "404 Not Found"},
		{"a missing branch", b.URL() + "/acme/web/shop/-/blob/dev/a.yaml", catalog.ErrNotFound, "404 Not Found"},
		{"a missing project", b.URL() + "/acme/nothing/-/blob/main/a.yaml", catalog.ErrNotFound, "404 Not Found"},
		{"an empty project", b.URL() + "/acme/empty/-/blob/main/a.yaml", catalog.ErrNotFound, ""},
		{"a large file", b.file("large"), catalog.ErrInput, "larger than 100 bytes"},
		{"dots", b.file("../../x"), catalog.ErrNotAllowed, "leads out"},
		{"no file", b.URL() + "/acme/web/shop", catalog.ErrInput, "/-/blob/"},
		{"a broken pattern", b.file("["), catalog.ErrNotFound, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			for range 2 { // the second time from memory
				_, _, _, err := b.reader.Read(context.Background(), c.url, "")
				require.ErrorIs(t, err, c.is)
				require.ErrorContains(t, err, c.says)
				require.NotContains(t, err.Error(), "secret")
			}
		})
	}
	b.cycle()
	_, _, _, err = b.reader.Read(context.Background(), b.file("nothing"), "")
	require.ErrorIs(t, err, catalog.ErrNotFound)
	require.Equal(t, 1, b.TotalRequests().Total, "an absence is remembered")
}

func TestArtifacts(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/web/shop", map[string]string{"a": "b"})
	b.AddArtifact("acme/web/shop", "main", "build", "out/catalog-info.yaml", []byte("kind: A\n"))
	data, etag, _ := b.read(b.URL()+"/acme/web/shop/-/jobs/artifacts/main/raw/out/catalog-info.yaml?job=build", "")
	require.Equal(t, "kind: A\n", data)
	require.Empty(t, etag)
	_, _, _, err := b.reader.Read(context.Background(), b.URL()+"/acme/web/shop/-/jobs/artifacts/main/raw/out/x?job=build", "")
	require.ErrorIs(t, err, catalog.ErrNotFound)
}

func TestSearch(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/web/shop", map[string]string{
		"catalog-info.yaml": "root", "a/catalog-info.yaml": "a", "a/b/catalog-info.yaml": "b", "a/b/other.yaml": "o", ".gitlab/catalog-info.yaml": "hidden",
	})
	for _, c := range []struct {
		why, path string
		want      []string
	}{
		{"all", "**/catalog-info.yaml", []string{
			"acme/web/shop/-/blob/main/a/b/catalog-info.yaml b", "acme/web/shop/-/blob/main/a/catalog-info.yaml a", "acme/web/shop/-/blob/main/catalog-info.yaml root",
		}},
		{"in a folder", "a/b/*.yaml", []string{"acme/web/shop/-/blob/main/a/b/catalog-info.yaml b", "acme/web/shop/-/blob/main/a/b/other.yaml o"}},
		{"in no folder", "c/*.yaml", nil},
		{"none", "**/nothing.yaml", nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, etag, notModified := b.search(b.file(c.path), "")
			require.Equal(t, c.want, got)
			require.False(t, notModified)
			require.NotEmpty(t, etag)
		})
	}
	_, etag, _ := b.search(b.file("a/**/*.yaml"), "")
	b.cycle()
	_, _, notModified := b.search(b.file("a/**/*.yaml"), etag)
	require.True(t, notModified)
	require.Equal(t, 1, b.TotalRequests().Total)
	got, _, _ := b.search(b.URL()+"/acme/nothing/-/blob/main/*.yaml", "")
	require.Empty(t, got, "what is not there has no files")

	for why, limits := range map[string]forge.Limits{"too many": {Matches: 2}, "a large file": {File: 2}, "too much": {Search: 5}} {
		t.Run(why, func(t *testing.T) {
			small := gitlab.NewReader(b.client, gitlab.ReaderOptions{Limits: limits})
			_, _, _, err := small.Search(context.Background(), b.file("**/catalog-info.yaml"), "")
			require.ErrorIs(t, err, catalog.ErrInput)
		})
	}
}

func TestTree(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/web/shop", map[string]string{"README.md": "hello", "src/main.go": "package main"})
	_, err := b.Push("acme/web/shop", "main", "More", map[string]forgetest.Change{"src/run.sh": {Content: "#!", Mode: forgetest.ModeExecutable}})
	require.NoError(t, err)
	_, err = b.Add(forgetest.Repository{FullName: "acme/secret", Visibility: forgetest.Private}, map[string]string{"a": "b"})
	require.NoError(t, err)
	b.AddToken("secret")
	b.AddToken("mine")
	for _, c := range []struct {
		why, url, token string
		want            []string
		is              error
	}{
		{"a project", "/acme/web/shop", "", []string{"-rw-r--r-- README.md hello", "-rw-r--r-- src/main.go package main", "-rwxr-xr-x src/run.sh #!"}, nil},
		{"a folder", "/acme/web/shop/-/tree/main/src", "", []string{"-rw-r--r-- main.go package main", "-rwxr-xr-x run.sh #!"}, nil},
		{"a file", "/acme/web/shop/-/blob/main/README.md", "", []string{"-rw-r--r-- README.md hello"}, nil},
		{"with the token of a user", "/acme/secret", "mine", []string{"-rw-r--r-- a b"}, nil},
		{"no folder", "/acme/web/shop/-/tree/main/nothing", "", nil, catalog.ErrNotFound},
		{"no project", "/acme/nothing", "", nil, catalog.ErrNotFound},
	} {
		t.Run(c.why, func(t *testing.T) {
			var got []string
			err := b.reader.Tree(context.Background(), b.URL()+c.url, c.token, func(e files.Entry) error {
				data, err := io.ReadAll(e.Content)
				if !e.Mode.IsDir() {
					got = append(got, fmt.Sprintf("%v %s %s", e.Mode, e.Path, data))
				}
				return err
			})
			require.ErrorIs(t, err, c.is)
			require.Equal(t, c.want, got)
		})
	}
	err = b.reader.Tree(context.Background(), b.URL()+"/acme/secret", "stolen", func(files.Entry) error { return nil })
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "stolen")
	for token, want := range map[string]string{"mine": "b", "": "b"} {
		data, err := b.reader.ReadAs(context.Background(), b.URL()+"/acme/secret/-/blob/main/a", token)
		require.NoError(t, err)
		require.Equal(t, want, string(data))
	}
	_, err = b.reader.ReadAs(context.Background(), b.URL()+"/acme/secret/-/blob/main/a", "stolen")
	require.ErrorContains(t, err, "401")
	enough := errors.New("enough")
	err = b.reader.Tree(context.Background(), b.URL()+"/acme/web/shop", "", func(files.Entry) error { return enough })
	require.ErrorIs(t, err, enough)
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		why   string
		fault forgetest.Fault
		says  string // "" for success
	}{
		{"a failure that passes", forgetest.Fault{Status: 502, Times: 1}, ""},
		{"a file that breaks off", forgetest.Fault{Route: "raw file", CutAfter: 3, Times: 1}, ""},
		{"commits that break off", forgetest.Fault{Route: "commits", CutAfter: 3, Times: 1}, ""},
		{"a file that always breaks off", forgetest.Fault{Route: "raw file", CutAfter: 3}, "unexpected EOF"},
		{"no permission", forgetest.Fault{Route: "raw file", Status: 403}, "403 Forbidden"},
		{"too many requests", forgetest.Fault{Route: "commits", Status: 429, Header: http.Header{"Retry-After": {"900"}}}, "429 Too Many Requests (rate limit exceeded)"},
		{"nonsense", forgetest.Fault{Route: "commits", Status: 200, Body: "<html>"}, "could not be read"},
		{"not a commit", forgetest.Fault{Route: "commits", Status: 200, Body: `[{"id":"main"}]`}, "does not say which commit"},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, forge.Limits{})
			b.add("acme/web/shop", map[string]string{"a.yaml": "content"})
			b.read(b.file("a.yaml"), "")
			b.push("acme/web/shop", map[string]string{"a.yaml": "content 2"})
			b.cycle()
			b.Inject(c.fault)
			data, _, _, err := b.reader.Read(context.Background(), b.file("a.yaml"), "")
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.NotErrorIs(t, err, catalog.ErrNotFound, "a bad day is no deletion")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "content 2", string(data))
		})
	}
}

func TestRenamedProject(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/web/shop", map[string]string{"a.yaml": "1"})
	require.NoError(t, b.Rename("acme/web/shop", "acme/store"))
	data, _, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data, "redirects are followed")
}

func TestClient(t *testing.T) {
	b, ctx := newBench(t, forge.Limits{}), context.Background()
	b.add("acme/web/shop", map[string]string{"a.yaml": "1"})
	b.AddToken("secret")
	var project struct {
		Path string `json:"path_with_namespace"`
	}
	header, err := b.all.Get(ctx, b.Host(), "projects/acme%2Fweb%2Fshop", nil, &project)
	require.NoError(t, err)
	require.Equal(t, "acme/web/shop", project.Path)
	require.NotEmpty(t, header.Get("RateLimit-Remaining"))
	require.Equal(t, "token", b.client.Budgets()[0].Credential)
	_, err = b.all.Get(ctx, b.Host(), "projects/nothing", nil, &project)
	require.ErrorIs(t, err, catalog.ErrNotFound)
	for path, want := range map[string]bool{"a.yaml": true, "b.yaml": false} {
		ok, err := b.all.Exists(ctx, b.Host(), "projects/acme%2Fweb%2Fshop/repository/files/"+path, url.Values{"ref": {"main"}})
		require.NoError(t, err)
		require.Equal(t, want, ok)
	}
	_, err = b.all.Get(ctx, "elsewhere", "projects", nil, nil)
	require.ErrorContains(t, err, "no entry in integrations.gitlab")
}
