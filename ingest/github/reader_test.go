package github_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	files "github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

var _ source.Host = (*github.Reader)(nil)

// A clock is set by tests.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// sleep lets the time pass at once.
func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.pass(d)
	return ctx.Err()
}

// A bench is a double of GitHub with a reader of it.
type bench struct {
	*forgetest.GitHub
	t      testing.TB
	clock  *clock
	client *github.Client
	reader *github.Reader
	log    bytes.Buffer
}

// newBench starts a double and a reader with the configuration of an
// integration, to which the URLs are added.
func newBench(t testing.TB, config map[string]any, o github.ReaderOptions) *bench {
	b := &bench{t: t, clock: newClock()}
	forge, err := forgetest.StartGitHub(forgetest.Options{Dir: t.TempDir(), Now: b.clock.now})
	require.NoError(t, err)
	openapi.WatchGitHub(t, forge)
	t.Cleanup(func() { require.NoError(t, forge.Close()) })
	b.GitHub = forge
	openapi.WatchGitHub(t, forge)
	entry := map[string]any{"host": forge.Host(), "apiBaseUrl": forge.API()}
	for key, value := range config {
		entry[key] = value
	}
	set, _, err := integration.Parse(map[string]any{"github": []any{entry}})
	require.NoError(t, err)
	h, ok := set.ByURL(forge.URL())
	require.True(t, ok)
	b.client, err = github.NewClient(h, github.ClientOptions{
		Now: b.clock.now, Sleep: b.clock.sleep, Metrics: budget.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	require.NoError(t, err)
	o.Now = b.clock.now
	b.reader = github.NewReader(h, b.client, o)
	return b
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

func (b *bench) file(path string) string { return b.URL() + "/acme/shop/blob/main/" + path }

func (b *bench) read(url, etag string) (string, string, bool) {
	data, etag, notModified, err := b.reader.Read(context.Background(), url, etag)
	require.NoError(b.t, err)
	return string(data), etag, notModified
}

func (b *bench) search(url, etag string) ([]string, string, bool) {
	files, etag, notModified, err := b.reader.Search(context.Background(), url, etag)
	require.NoError(b.t, err)
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimPrefix(f.URL, b.URL()+"/")+" "+string(f.Data))
	}
	return out, etag, notModified
}

// cycle lets enough time pass that what is known must be asked for again, and
// forgets what was counted.
func (b *bench) cycle() {
	b.clock.pass(2 * time.Minute)
	b.ResetRequests()
}

func signedIn() map[string]any { return map[string]any{"token": "secret"} }

func TestReadFile(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"catalog-info.yaml": "kind: A\n", "docs/a b?#.md": "odd"})
	url := b.file("catalog-info.yaml")
	data, etag, notModified := b.read(url, "")
	require.Equal(t, "kind: A\n", data)
	require.False(t, notModified)
	require.Equal(t, forgetest.Count{Total: 1, Billable: 1}, b.TotalRequests(), "the only file of a repository is asked for directly")

	b.cycle()
	data, again, notModified := b.read(url, etag)
	require.True(t, notModified)
	require.Empty(t, data)
	require.Equal(t, etag, again)
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.TotalRequests(), "an unchanged file costs one request that is not billed")

	b.push("acme/shop", map[string]string{"other": "x"})
	b.cycle()
	_, moved, notModified := b.read(url, etag)
	require.True(t, notModified, "another file has changed")
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.TotalRequests())
	data, _, _ = b.read(b.file("docs/a%20b%3F%23.md"), "")
	require.Equal(t, "odd", data)
	_, moved, _ = b.read(url, moved)
	require.NotEqual(t, etag, moved, "with a second file, the commit of the branch stands for both")
	b.push("acme/shop", map[string]string{"other": "y"})
	b.cycle()
	_, again, notModified = b.read(url, moved)
	require.True(t, notModified, "another file has changed")
	require.NotEqual(t, moved, again)
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.Requests()["contents"])

	b.push("acme/shop", map[string]string{"catalog-info.yaml": "kind: B\n"})
	b.cycle()
	data, _, _ = b.read(url, moved)
	require.Equal(t, "kind: B\n", data)
}

// TestCoalesces reads many files of one repository at once.
func TestCoalesces(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("%d.yaml", i)] = "kind: A\n"
	}
	b.add("acme/shop", files)
	etags := make([]string, 40)
	readAll := func(want bool) {
		var group sync.WaitGroup
		for i := range etags {
			group.Go(func() {
				_, etag, notModified, err := b.reader.Read(context.Background(), b.file(fmt.Sprintf("%d.yaml", i)), etags[i])
				if err != nil || notModified != want {
					t.Errorf("file %d: not modified is %v, error %v", i, notModified, err)
				}
				etags[i] = etag
			})
		}
		group.Wait()
	}
	readAll(false)
	require.Equal(t, 1, b.Requests()["commit"].Total, "one for all")
	require.Equal(t, 40, b.Requests()["contents"].Total)
	b.cycle()
	readAll(true)
	require.Equal(t, forgetest.Count{Total: 2, NotModified: 2}, b.TotalRequests(), "the first file learns what it was at")
	b.cycle()
	readAll(true)
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.TotalRequests())
	b.ResetRequests()
	readAll(true)
	require.Zero(t, b.TotalRequests(), "within the window nothing is asked")

	fresh := newBenchReader(b)
	b.cycle()
	_, _, notModified, err := fresh.Read(context.Background(), b.file("0.yaml"), etags[0])
	require.NoError(t, err)
	require.True(t, notModified)
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.TotalRequests(), "nor does a restart cost anything")
}

// newBenchReader is another reader of the same host, as after a restart.
func newBenchReader(b *bench) *github.Reader {
	return github.NewReader(b.client.Host(), b.client, github.ReaderOptions{Now: b.clock.now})
}

// TestUrgent: what a webhook or a user wants is not answered from memory.
func TestUrgent(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "1", "b.yaml": "1"})
	_, etag, _ := b.read(b.file("a.yaml"), "")
	_, etagB, _ := b.read(b.file("b.yaml"), "")
	c := b.push("acme/shop", map[string]string{"a.yaml": "2", "b.yaml": "2"})
	_, _, notModified := b.read(b.file("a.yaml"), etag)
	require.True(t, notModified, "crawling believes what is known")

	b.clock.pass(time.Second)
	b.ResetRequests()
	urgent := budget.Urgent(context.Background(), b.clock.now())
	data, _, _, err := b.reader.Read(urgent, b.file("a.yaml"), etag)
	require.NoError(t, err)
	require.Equal(t, "2", string(data))
	_, _, _, err = b.reader.Read(urgent, b.file("b.yaml"), etagB)
	require.NoError(t, err)
	require.Equal(t, 1, b.Requests()["commit"].Total, "both became urgent at the same time")

	b.push("acme/shop", map[string]string{"a.yaml": "3"})
	b.clock.pass(time.Second)
	b.ResetRequests()
	c = b.push("acme/shop", map[string]string{"a.yaml": "4"})
	github.Readers{b.reader}.Observe(b.URL()+"/Acme/Shop", "main", c.SHA, b.clock.now())
	data, _, _, err = b.reader.Read(budget.Urgent(context.Background(), b.clock.now()), b.file("a.yaml"), etag)
	require.NoError(t, err)
	require.Equal(t, "4", string(data))
	require.Zero(t, b.Requests()["commit"], "a webhook says what commit it is about")

	// The API of a host may be a moment behind its webhooks.
	c = b.push("acme/shop", map[string]string{"c.yaml": "5"})
	b.clock.pass(time.Second)
	b.reader.Observe(b.URL()+"/acme/shop", "main", c.SHA, b.clock.now())
	urgent = budget.Urgent(context.Background(), b.clock.now())
	b.Inject(forgetest.Fault{Route: "contents", Status: 404, Times: 1})
	_, _, _, err = b.reader.Read(urgent, b.file("c.yaml"), "")
	require.ErrorIs(t, err, catalog.ErrNotFound)
	data, _, _, err = b.reader.Read(urgent, b.file("c.yaml"), "")
	require.NoError(t, err, "that it was missing is not remembered")
	require.Equal(t, "5", string(data))
}

func TestReadFailures(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{Limits: forge.Limits{File: 3000}})
	b.add("acme/shop", map[string]string{"a.yaml": "1", "dir/x": "1", "large": strings.Repeat("x", 3001)})
	_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/empty"})
	require.NoError(t, err)
	for _, c := range []struct {
		why, url string
		is       error
		says     string
	}{
		{"a missing file", b.file("nothing"), catalog.ErrNotFound, "404 Not Found"},
		{"a missing branch", b.URL() + "/acme/shop/blob/dev/a.yaml", catalog.ErrNotFound, "404 Not Found"},
		{"a missing repository", b.URL() + "/acme/nothing/blob/main/a.yaml", catalog.ErrNotFound, "404 Not Found"},
		{"an empty repository", b.URL() + "/acme/empty/blob/main/a.yaml", catalog.ErrNotFound, "404 Not Found"},
		{"a folder", b.file("dir"), catalog.ErrInput, "is a folder"},
		{"a large file", b.file("large"), catalog.ErrInput, "larger than 3000 bytes"},
		{"dots", b.file("../../x"), catalog.ErrNotAllowed, "leads out"},
		{"no file", b.URL() + "/acme/shop", catalog.ErrInput, "not the URL of a file"},
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
}

// Discovery emits locations for repositories that may have no descriptor: as
// long as such a repository does not change, it costs nothing.
func TestAbsenceIsFree(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"README.md": "1"})
	missing := func() {
		_, _, _, err := b.reader.Read(context.Background(), b.file("catalog-info.yaml"), "")
		require.ErrorIs(t, err, catalog.ErrNotFound)
	}
	missing()
	b.cycle()
	missing()
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.TotalRequests())
	b.push("acme/shop", map[string]string{"catalog-info.yaml": "kind: A\n"})
	b.cycle()
	data, _, _ := b.read(b.file("catalog-info.yaml"), "")
	require.Equal(t, "kind: A\n", data)
}

// TestRawWithoutToken reads as anonymous users do.
func TestRawWithoutToken(t *testing.T) {
	b := newBench(t, nil, github.ReaderOptions{})
	config := map[string]any{"github": []any{map[string]any{"host": b.Host(), "apiBaseUrl": b.API(), "rawBaseUrl": b.Raw()}}}
	set, _, err := integration.Parse(config)
	require.NoError(t, err)
	h, _ := set.ByURL(b.URL())
	client, err := github.NewClient(h, github.ClientOptions{})
	require.NoError(t, err)
	b.reader = github.NewReader(h, client, github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	data, etag, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data)
	_, _, notModified := b.read(b.file("a.yaml"), etag)
	require.True(t, notModified)
	require.Equal(t, 2, b.TotalRequests().Total)
	require.Equal(t, 2, b.Requests()["raw"].Total)
	_, _, _, err = b.reader.Read(context.Background(), b.file("b.yaml"), "")
	require.ErrorIs(t, err, catalog.ErrNotFound)

	only := github.NewReader(h, nil, github.ReaderOptions{})
	raw, _, _, err := only.Read(context.Background(), b.file("a.yaml"), "")
	require.NoError(t, err)
	require.Equal(t, "1", string(raw))
	_, _, _, err = only.Search(context.Background(), b.file("*.yaml"), "")
	require.ErrorIs(t, err, catalog.ErrInput)
}

func TestRenamedRepository(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	require.NoError(t, b.Rename("acme/shop", "acme/store"))
	data, etag, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data, "redirects are followed")
	b.cycle()
	_, _, notModified := b.read(b.file("a.yaml"), etag)
	require.True(t, notModified)
	got, _, _ := b.search(b.file("*.yaml"), "")
	require.Equal(t, []string{"acme/shop/blob/main/a.yaml 1"}, got)
	require.NoError(t, b.Update("acme/store", func(r *forgetest.Repository) { r.Archived = true }))
	b.cycle()
	data, _, _ = b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data, "archived repositories can be read")
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		why   string
		fault forgetest.Fault
		says  string // "" for success
	}{
		{"a failure that passes", forgetest.Fault{Status: 502, Times: 1}, ""},
		{"contents that break off", forgetest.Fault{Route: "contents", CutAfter: 3, Times: 1}, ""},
		{"a commit that breaks off", forgetest.Fault{Route: "commit", CutAfter: 3, Times: 1}, ""},
		{"contents that always break off", forgetest.Fault{Route: "contents", CutAfter: 3}, "unexpected EOF"},
		{"no permission", forgetest.Fault{Route: "contents", Status: 403, Body: `{"message":"Resource not accessible"}`}, "403 Forbidden"},
		{"too many requests", forgetest.Fault{Route: "commit", Status: 429, Header: http.Header{"Retry-After": {"900"}}}, "429 Too Many Requests (rate limit exceeded)"},
		{"a used up budget", forgetest.Fault{Route: "contents", Status: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Reset": {"99999999999"}}}, "403 Forbidden (rate limit exceeded)"},
		{"nonsense", forgetest.Fault{Route: "commit", Status: 200, Body: "<html>"}, "does not say which commit"},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, signedIn(), github.ReaderOptions{})
			b.add("acme/shop", map[string]string{"a.yaml": "content", "b.yaml": "1"})
			b.read(b.file("a.yaml"), "")
			b.read(b.file("b.yaml"), "") // no longer alone, so that the commit is asked for
			b.push("acme/shop", map[string]string{"a.yaml": "content 2"})
			b.clock.pass(2 * time.Minute)
			b.Inject(c.fault)
			data, _, _, err := b.reader.Read(context.Background(), b.file("a.yaml"), "")
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.NotErrorIs(t, err, catalog.ErrNotFound, "a bad day is no deletion")
				require.NotContains(t, err.Error(), "secret")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "content 2", string(data))
		})
	}
}

// A host that holds its answer back is not waited for beyond the context.
func TestSlowHost(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	hold := make(chan struct{})
	defer close(hold)
	b.Inject(forgetest.Fault{Hold: hold})
	ctx, cancel := context.WithCancelCause(context.Background())
	because := errors.New("shutting down")
	go cancel(because)
	_, _, _, err := b.reader.Read(ctx, b.file("a.yaml"), "")
	require.ErrorIs(t, err, because)
}

// TestPlainCommits reads from a host that knows no other way to the commit of a
// branch than its status.
func TestPlainCommits(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	b.Inject(forgetest.Fault{Route: "commit", Status: 404})
	got, _, _ := b.search(b.file("*.yaml"), "")
	require.Equal(t, []string{"acme/shop/blob/main/a.yaml 1"}, got)
	b = newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	b.Inject(forgetest.Fault{Route: "commit", Status: 404})
	b.Inject(forgetest.Fault{Route: "status", Status: 404})
	data, etag, _ := b.read(b.file("a.yaml"), "")
	require.Equal(t, "1", data)
	_, _, notModified := b.read(b.file("a.yaml"), etag)
	require.True(t, notModified)
}

func parseGitHub(config map[string]any) (*integration.Set, error) {
	set, _, err := integration.Parse(map[string]any{"github": []any{config}})
	return set, err
}

// heap is how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func discard(e files.Entry) error {
	_, err := io.Copy(io.Discard, e.Content)
	return err
}

// addLarge makes a repository of n files of a megabyte that do not compress.
func (b *bench) addLarge(n int) {
	changes := map[string]forgetest.Change{}
	for i := range n {
		content := make([]byte, 1_000_000)
		_, err := rand.Read(content)
		require.NoError(b.t, err)
		changes[fmt.Sprintf("file-%d", i)] = forgetest.Change{Content: string(content)}
	}
	_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/shop"})
	require.NoError(b.t, err)
	_, err = b.Push("acme/shop", "main", "Add", changes)
	require.NoError(b.t, err)
}
