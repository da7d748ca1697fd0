package builder_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/builder"
	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

const (
	ref    = "component:default/booking"
	folder = "https://github.com/o/r/tree/main/"
)

// A host has one folder.
type host struct {
	*integration.Set
	mu      sync.Mutex
	state   string
	entries []archive.Entry
	fail    error
	fetched int
	gate    chan struct{} // nil, or what fetching waits for
}

func newHost(t testing.TB) *host {
	set, _, err := integration.Parse(nil)
	require.NoError(t, err)
	return &host{Set: set, state: "1"}
}

// has sets the files, and so the state.
func (h *host) has(files map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = nil
	for name, content := range files {
		h.entries = append(h.entries, archive.Entry{Path: name, Mode: 0o644, Size: int64(len(content)), Content: strings.NewReader(content)})
	}
	h.state += "+"
}

func (h *host) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *host) State(_ context.Context, url string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if url != folder {
		return "", catalog.NewError(catalog.NameNotFound, url+" is not there")
	}
	return h.state, h.fail
}

func (h *host) Tree(ctx context.Context, _, _ string, yield func(archive.Entry) error) error {
	if h.gate != nil {
		select {
		case <-h.gate:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fetched++
	for _, e := range h.entries {
		if r, ok := e.Content.(io.Seeker); ok {
			_, _ = r.Seek(0, io.SeekStart)
		}
		if err := yield(e); err != nil {
			return err
		}
	}
	return h.fail
}

// A finder holds what was put in.
type finder struct {
	mu    sync.Mutex
	texts map[string][]string
	heard chan string
}

func (f *finder) Put(e catalog.Entity, sections iter.Seq[site.Section]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := e.Ref().String()
	f.texts[r] = nil
	for s := range sections {
		f.texts[r] = append(f.texts[r], s.Path+"|"+s.Text)
	}
	select {
	case f.heard <- "put " + r:
	default:
	}
}

func (f *finder) Remove(r string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.texts, r)
	select {
	case f.heard <- "remove " + r:
	default:
	}
}

func (f *finder) of(r string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.texts[r])
}

type world struct {
	*builder.Builder
	t        testing.TB
	o        builder.Options
	host     *host
	finder   *finder
	entities map[string]catalog.Entity
	mu       sync.Mutex
}

func newWorld(t testing.TB, change func(*builder.Options)) *world {
	w := &world{t: t, host: newHost(t), finder: &finder{texts: map[string][]string{}, heard: make(chan string, 100)}, entities: map[string]catalog.Entity{}}
	w.o = builder.Options{Dir: t.TempDir(), Trees: w.host, Renderer: markdown.New(markdown.Options{}), Finder: w.finder,
		Entity: func(_ context.Context, ref string) (catalog.Entity, bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			e, ok := w.entities[ref]
			return e, ok, nil
		}}
	if change != nil {
		change(&w.o)
	}
	w.reopen()
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// reopen is a restart.
func (w *world) reopen() {
	w.t.Helper()
	if w.Builder != nil {
		require.NoError(w.t, w.Close())
	}
	var err error
	w.Builder, err = builder.Open(w.o)
	require.NoError(w.t, err)
}

// entity adds an entity with a reference to documentation.
func (w *world) entity(name, docs, managedBy string) catalog.Entity {
	e := catalog.Entity{Object: jsonvalue.NewObject(jsonvalue.Member{Key: "kind", Value: "Component"},
		jsonvalue.Member{Key: "metadata", Value: jsonvalue.NewObject(jsonvalue.Member{Key: "name", Value: name})})}
	if docs != "" {
		e.SetAnnotation("backstage.io/techdocs-ref", docs)
	}
	e.SetAnnotation(catalog.AnnotationManagedBy, managedBy)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entities[e.Ref().String()] = e
	return e
}

func (w *world) booking() catalog.Entity {
	return w.entity("booking", "dir:.", "url:https://github.com/o/r/blob/main/catalog-info.yaml")
}

// sync returns the outcome and the log.
func (w *world) sync(e catalog.Entity) (updated bool, log string, err error) {
	var b strings.Builder
	updated, err = w.Sync(w.t.Context(), e, func(line string) error { b.WriteString(line + "\n"); return nil })
	return updated, b.String(), err
}

func (w *world) read(path string) string {
	w.t.Helper()
	f, err := w.Open(w.t.Context(), ref, path)
	require.NoError(w.t, err)
	data, err := io.ReadAll(f)
	require.NoError(w.t, errors.Join(err, f.Close()))
	return string(data)
}

var pages = map[string]string{"mkdocs.yml": "site_name: Bikes", "docs/index.md": "# Start\n\n[code](../main.go)", "docs/a.md": "# A", "docs/pic.png": "png", "main.go": "package main", ".git/config": "secret"}

func TestBuild(t *testing.T) {
	w := newWorld(t, nil)
	e := w.booking()
	_, err := w.Open(t.Context(), ref, "index.html")
	require.ErrorIs(t, err, fs.ErrNotExist)
	w.host.has(pages)
	updated, log, err := w.sync(e)
	require.NoError(t, err)
	require.True(t, updated)
	require.Contains(t, log, "Reading the documentation of component:default/booking from https://github.com/o/r/tree/main/")
	require.Contains(t, w.read("index.html"), `href="https://github.com/o/r/edit/main/docs/index.md" title="Edit this page"`)
	require.Contains(t, w.read("index.html"), `<a href="https://github.com/o/r/tree/main/main.go" rel="noreferrer">code</a>`)
	require.Equal(t, "png", w.read("pic.png"))
	require.Contains(t, w.read("techdocs_metadata.json"), `"site_name":"Bikes"`)
	require.Equal(t, []string{"|code", "a/|"}, w.finder.of(ref))
	folder, err := w.IsFolder(t.Context(), ref, "a")
	require.NoError(t, err)
	require.True(t, folder)

	updated, log, err = w.sync(e)
	require.NoError(t, err)
	require.False(t, updated)
	require.Empty(t, log)
	require.Equal(t, 1, w.host.fetched, "what is there already is not fetched")

	w.host.set(func() { w.host.state = "another commit" })
	updated, _, err = w.sync(e)
	require.NoError(t, err)
	require.False(t, updated, "another state with the same content is nothing new")

	changed := map[string]string{"mkdocs.yml": pages["mkdocs.yml"], "docs/index.md": pages["docs/index.md"], "docs/a.md": "# New", "docs/pic.png": "png"}
	w.host.has(changed)
	updated, log, err = w.sync(e)
	require.NoError(t, err)
	require.True(t, updated)
	require.Contains(t, log, "1 pages had not changed")
	require.Contains(t, w.read("a/index.html"), "New")
}

func TestFailuresKeepTheLastGoodSite(t *testing.T) {
	w := newWorld(t, nil)
	e := w.booking()
	w.host.has(pages)
	_, _, err := w.sync(e)
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		files map[string]string
		fail  error
		want  error
	}{
		"a broken configuration": {map[string]string{"mkdocs.yml": "a: [", "docs/index.md": "x"}, nil, site.ErrConfig},
		"no documents any more":  {map[string]string{"mkdocs.yml": "site_name: x"}, nil, site.ErrNoPages},
		"the host is sick":       {pages, errors.New("503"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			w.host.has(tc.files)
			w.host.set(func() { w.host.fail = tc.fail })
			updated, _, err := w.sync(e)
			require.Error(t, err)
			if tc.want != nil {
				require.ErrorIs(t, err, tc.want)
			}
			require.False(t, updated)
			require.Contains(t, w.read("index.html"), "Start")
			require.NotEmpty(t, w.finder.of(ref))
		})
	}
	w.host.set(func() { w.host.fail = nil })
	w.host.has(pages)
	_, _, err = w.sync(e)
	require.NoError(t, err)
	_, _, err = w.sync(w.entity("lost", "url:https://github.com/o/other/tree/main/", ""))
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, _, err = w.sync(w.entity("none", "", ""))
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, _, err = w.sync(w.entity("../../etc", "dir:.", "url:https://github.com/o/r/blob/main/c.yaml"))
	require.ErrorIs(t, err, catalog.ErrInput)
}

func TestRestart(t *testing.T) {
	w := newWorld(t, nil)
	e := w.booking()
	w.host.has(pages)
	_, _, err := w.sync(e)
	require.NoError(t, err)
	before := w.read("index.html")
	// What a crash leaves is removed; what nobody can read too.
	dir := filepath.Join(w.o.Dir, "default", "component")
	for _, name := range []string{".new-123.zip", "booking.zip.new", "broken.zip"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
	}
	data, err := os.ReadFile(filepath.Join(dir, "booking.zip"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other.zip"), data, 0o600), "a snapshot in the place of another")
	w.reopen()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, before, w.read("index.html"))
	require.Equal(t, 1, w.host.fetched)
	updated, _, err := w.sync(e)
	require.NoError(t, err)
	require.False(t, updated)
	w.reopen()
	w.host.set(func() { w.host.state = "another commit" })
	updated, _, err = w.sync(e)
	require.NoError(t, err)
	require.False(t, updated, "what is kept is compared even if it is not in memory")
}

func TestAllWhoWaitGetOneBuild(t *testing.T) {
	w := newWorld(t, nil)
	e := w.booking()
	w.host.has(pages)
	w.host.gate = make(chan struct{})
	first := make(chan string, 10)
	gone, leave := context.WithCancelCause(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := w.Sync(gone, e, func(line string) error { first <- line; return nil })
		require.ErrorIs(t, err, fs.ErrClosed)
	})
	require.Contains(t, <-first, "Reading") // the build is under way
	leave(fs.ErrClosed)
	wait.Wait()
	logs := make([]string, 5)
	for i := range logs {
		wait.Go(func() {
			updated, log, err := w.sync(e)
			require.NoError(t, err)
			require.True(t, updated)
			logs[i] = log
		})
	}
	close(w.host.gate)
	wait.Wait()
	require.Equal(t, 1, w.host.fetched)
	for _, log := range logs {
		require.True(t, strings.HasPrefix(log, "Reading"), "whoever comes later gets all lines")
		require.Equal(t, logs[0], log)
	}
	w.host.gate = make(chan struct{})
	w.host.has(map[string]string{"docs/index.md": "# x"})
	wait.Go(func() {
		_, _, err := w.sync(e)
		require.Error(t, err, "a build ends with the builder")
	})
	require.NoError(t, w.Close())
	wait.Wait()
	_, _, err := w.sync(e)
	require.ErrorIs(t, err, catalog.ErrUnavailable)
}

func TestFolderOfTheDisk(t *testing.T) {
	w := newWorld(t, nil)
	outside, dir := t.TempDir(), t.TempDir()
	put := func(name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret.md"), []byte("# Secret"), 0o600))
	put("README.md", "# Read me")
	put("docs/a.md", "# A")
	put("docs/.hidden.md", "# Hidden")
	put("docs/node_modules/x.md", "# X")
	require.NoError(t, os.Symlink("../README.md", filepath.Join(dir, "docs", "index.md")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.md"), filepath.Join(dir, "docs", "secret.md")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "docs", "out")))
	require.NoError(t, os.Symlink("../../../../../../../../etc/hostname", filepath.Join(dir, "docs", "host.md")))
	require.NoError(t, os.Symlink("loop.md", filepath.Join(dir, "docs", "loop.md")))
	e := w.entity("booking", "dir:.", "file:"+filepath.Join(dir, "catalog-info.yaml"))
	updated, log, err := w.sync(e)
	require.NoError(t, err)
	require.True(t, updated)
	require.NotContains(t, log, dir, "the folders of the server are nobody's business")
	for _, name := range []string{"secret.md", "out", "host.md", "loop.md"} {
		require.Contains(t, log, "WARNING: docs/"+name)
	}
	require.Contains(t, w.read("index.html"), "Read me", "links inside are followed")
	for _, path := range []string{"secret/index.html", "out/secret/index.html", "host/index.html", ".hidden/index.html", "node_modules/x/index.html"} {
		_, err := w.Open(t.Context(), ref, path)
		require.ErrorIs(t, err, fs.ErrNotExist, path)
	}
	updated, _, err = w.sync(e)
	require.NoError(t, err)
	require.False(t, updated)
	put("docs/b.md", "# B")
	updated, _, err = w.sync(e)
	require.NoError(t, err)
	require.True(t, updated)

	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "linked")))
	put("mkdocs.yml", "docs_dir: linked")
	_, _, err = w.sync(e)
	require.Error(t, err)
	require.Contains(t, w.read("index.html"), "Read me")
	_, _, err = w.sync(w.entity("gone", "dir:nothing", "file:"+filepath.Join(dir, "catalog-info.yaml")))
	require.ErrorIs(t, err, catalog.ErrNotFound)
	require.NotContains(t, err.Error(), dir)
}

func TestTreesThatAreTooLarge(t *testing.T) {
	w := newWorld(t, func(o *builder.Options) { o.TreeFiles = 100 })
	e := w.booking()
	w.host.set(func() {
		w.host.entries = []archive.Entry{{Path: "docs/index.md", Mode: 0o644, Size: 3, Content: strings.NewReader("# x")}}
		for i := range 20 { // says that it is large, as a bomb does when it is unpacked
			w.host.entries = append(w.host.entries, archive.Entry{Path: fmt.Sprintf("docs/%d.bin", i), Mode: 0o644, Size: site.MaxFile, Content: strings.NewReader("x")})
		}
	})
	_, _, err := w.sync(e)
	require.ErrorIs(t, err, site.ErrLimit)
	w.host.set(func() {
		w.host.state, w.host.entries = "many", nil
		for i := range 101 {
			w.host.entries = append(w.host.entries, archive.Entry{Path: fmt.Sprintf("src/%d.go", i), Mode: 0o644, Size: 1, Content: strings.NewReader("x")})
		}
	})
	_, _, err = w.sync(e)
	require.ErrorIs(t, err, site.ErrLimit)
	w.host.set(func() {
		w.host.state = "links"
		w.host.entries = []archive.Entry{
			{Path: "docs/index.md", Mode: 0o644, Size: 3, Content: strings.NewReader("# x")},
			{Path: "docs/out", Mode: fs.ModeSymlink, Link: "../../../../etc/passwd"}, // which the checks of archives let nobody have
			{Path: "docs/huge.md", Mode: 0o644, Size: site.MaxFile + 1, Content: strings.NewReader("x")},
			{Path: strings.Repeat("d/", 50) + "x.md", Mode: 0o644, Size: 1, Content: strings.NewReader("x")},
			{Path: "docs/more.md", Mode: 0o644, Size: 3, Content: strings.NewReader("# y, and more than it says")},
		}
	})
	_, log, err := w.sync(e)
	require.NoError(t, err)
	require.Contains(t, log, "docs/out cannot be read and is left out")
	require.NotContains(t, w.read("more/index.html"), "more than it says")
}

func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, func(o *builder.Options) { o.Memory = 1 })
	w.host.has(pages)
	w.booking()
	for i := range 5 {
		_, _, err := w.sync(w.entity(fmt.Sprintf("e%d", i), "dir:.", "url:https://github.com/o/r/blob/main/catalog-info.yaml"))
		require.NoError(t, err)
	}
	f, err := w.Open(t.Context(), "component:default/e0", "pic.png")
	require.NoError(t, err)
	for i := range 5 { // pushes the others out
		g, err := w.Open(t.Context(), fmt.Sprintf("component:default/e%d", i), "index.html")
		require.NoError(t, err)
		require.NoError(t, g.Close())
	}
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "png", string(data), "an open file can be read to its end")
	require.NoError(t, f.Close())
}

// An archive that becomes a thousand times larger than it is ends the build.
func TestArchiveBomb(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	zeros := make([]byte, 1<<20)
	for i := range 60 {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("root/docs/%d.md", i), Mode: 0o644, Size: int64(len(zeros))}))
		_, err := w.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(w.Close(), z.Close()))
	require.Less(t, packed.Len(), 100_000)
	world := newWorld(t, func(o *builder.Options) {
		o.Trees = bomb{o.Trees.(*host), packed.Bytes()}
	})
	_, _, err := world.sync(world.booking())
	require.ErrorIs(t, err, archive.ErrTooLarge)
	require.False(t, world.Has(ref))
	left, err := filepath.Glob(filepath.Join(world.o.Dir, "*", "*", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

type bomb struct {
	*host
	packed []byte
}

func (b bomb) Tree(ctx context.Context, _, _ string, yield func(archive.Entry) error) error {
	return archive.Tar(ctx, bytes.NewReader(b.packed), archive.Options{Strip: 1}, yield)
}

// Files that pages include are kept with them, wherever in the folder they are,
// and a change of one is a change of the site.
func TestSnippets(t *testing.T) {
	w := newWorld(t, nil)
	dir := t.TempDir()
	put := func(name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	put("mkdocs.yml", "site_name: x")
	put("docs/index.md", "--8<-- \"parts/outer.md\"\n\n--8<-- \".env\"\n\n--8<-- \"../outside.md\"\n")
	put("parts/outer.md", "Outer.\n\n--8<-- \"parts/inner.md\"\n")
	put("parts/inner.md", "Inner.")
	put("parts/unused.md", "Unused.")
	put(".env", "PASSWORD=hush")
	put("../outside.md", "Outside.")
	e := w.entity("booking", "dir:.", "file:"+filepath.Join(dir, "catalog-info.yaml"))
	_, log, err := w.sync(e)
	require.NoError(t, err)
	require.Contains(t, log, "Found 4 files")
	page := w.read("index.html")
	require.Contains(t, page, "<p>Outer.</p>\n<p>Inner.</p>")
	require.NotContains(t, page, "hush")
	require.NotContains(t, page, "Outside")
	put("parts/inner.md", "Another inside.")
	updated, _, err := w.sync(e)
	require.NoError(t, err)
	require.True(t, updated)
	require.Contains(t, w.read("index.html"), "Another inside.")
}
