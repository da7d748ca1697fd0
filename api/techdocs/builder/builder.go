package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/api/techdocs/snapshot"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
)

// Trees read folders at Git hosts by their URL. Implementations are safe for
// concurrent use and bound what they read.
type Trees interface {
	// State returns what marks the state of a folder: as long as it is the same,
	// so is the folder.
	State(ctx context.Context, url string) (string, error)
	// Tree calls yield for everything below the folder, as it is in a state.
	Tree(ctx context.Context, url, state string, yield func(archive.Entry) error) error
	// Resolve returns the URL that a path means relative to another one.
	Resolve(target, base string) (string, error)
	// SourceURLs returns where the file at a URL is edited; ok is false if that
	// is not known.
	SourceURLs(url string) (edit, folder string, ok bool)
}

// Finder takes what can be found of sites.
type Finder interface {
	Put(e catalog.Entity, sections iter.Seq[site.Section])
	Remove(ref string)
}

// Options are what a Builder needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Dir is where snapshots are. Required; nobody else writes there.
	Dir string
	// Trees and Renderer. Required.
	Trees    Trees
	Renderer *markdown.Renderer
	// Entity returns an entity by its canonical ref, ok false if there is none.
	// Required.
	Entity func(ctx context.Context, ref string) (e catalog.Entity, ok bool, err error)
	// Finder takes what can be found; nil: nobody does.
	Finder Finder
	// Memory bounds the bytes of the sites in memory; 0: 256 MiB.
	Memory int64
	// Builds is how many builds run at once; 0: 10.
	Builds int
	// Timeout bounds one build; 0: 10 minutes.
	Timeout time.Duration
	// TreeFiles and TreeBytes bound what is fetched of a repository, which may
	// hold much beside the documentation; 0: 100,000 and 1 GiB.
	TreeFiles int
	TreeBytes int64
	// Parallel is how many pages of a site are rendered at once; 0: 2.
	Parallel int
	// Logger is told how builds end; nil: nobody is.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Builder builds and keeps sites. It is safe for concurrent use.
type Builder struct {
	o      Options
	places chan struct{} // of builds
	ctx    context.Context
	stop   context.CancelCauseFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	docs   map[string]*docs // by entity ref
	tick   uint64
	memory int64
}

// docs are the documents of one entity.
type docs struct {
	ref, path string
	known     bool              // there is a snapshot
	manifest  snapshot.Manifest // of it, without the files
	run       *run              // nil if no build is under way
	loading   sync.Mutex        // held by who makes the site

	// In memory, nil if not.
	site *site.Site
	tree *snapshot.Snapshot
	used uint64
	cost int64
}

var errStopped = errors.New("the server is stopping")

// Open reads which sites there are, and removes what a crash has left. Nothing
// is built before it is asked for. The caller closes the Builder.
func Open(o Options) (*Builder, error) {
	if o.Dir == "" || o.Trees == nil || o.Renderer == nil || o.Entity == nil {
		return nil, errors.New("a builder of documentation needs a folder, trees, a renderer and entities")
	}
	o = o.complete()
	b := &Builder{o: o, places: make(chan struct{}, o.Builds), docs: map[string]*docs{}}
	b.ctx, b.stop = context.WithCancelCause(context.Background())
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for documentation: %w", err)
	}
	return b, b.scan()
}

func (o Options) complete() Options {
	if o.Memory == 0 {
		o.Memory = 256 << 20
	}
	if o.Builds == 0 {
		o.Builds = 10
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.TreeFiles == 0 {
		o.TreeFiles = 100_000
	}
	if o.TreeBytes == 0 {
		o.TreeBytes = 1 << 30
	}
	if o.Parallel == 0 {
		o.Parallel = 2
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// scan finds the snapshots. One that cannot be read is removed: it can be made
// again.
func (b *Builder) scan() error {
	return filepath.WalkDir(b.o.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), ".new-") || strings.HasSuffix(path, freshSuffix) {
			return os.Remove(path) // a crash has left it
		}
		if filepath.Ext(path) != ".zip" {
			return nil
		}
		m, err := snapshot.ReadManifest(path)
		if expected, ok := b.path(m.Ref); err == nil && ok && expected == path {
			m.Files = nil
			b.docs[m.Ref] = &docs{ref: m.Ref, path: path, known: true, manifest: m}
			return nil
		}
		b.o.Logger.Warn("a snapshot of documentation cannot be read and is removed; it is made again when somebody looks at it",
			slog.String("path", path), slog.Any("error", err))
		return os.Remove(path)
	})
}

// inPath matches parts of entity refs that can be names of files.
var inPath = regexp.MustCompile(`^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$`)

// path returns where the snapshot of an entity is; ok is false for a ref that
// no entity can have.
func (b *Builder) path(ref string) (string, bool) {
	r, err := catalog.ParseEntityRef(ref, "", "")
	if err != nil || r.String() != ref || len(ref) > 200 ||
		!inPath.MatchString(r.Kind) || !inPath.MatchString(r.Namespace) || !inPath.MatchString(r.Name) {
		return "", false
	}
	return filepath.Join(b.o.Dir, r.Namespace, r.Kind, r.Name+".zip"), true
}

// Close ends builds and waits for them.
func (b *Builder) Close() error {
	b.mu.Lock() // so that nothing begins that would not be waited for
	b.stop(errStopped)
	b.mu.Unlock()
	b.work.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, d := range b.docs {
		if d.tree != nil {
			errs = append(errs, d.tree.Close())
			d.site, d.tree = nil, nil
		}
	}
	return errors.Join(errs...)
}

// Refs are the entities that have a site.
func (b *Builder) Refs() (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ref, d := range b.docs {
		if d.known {
			out = append(out, ref)
		}
	}
	return out
}

// Open opens a file of the site of an entity, by the path below the site. The
// error of one that is not there is fs.ErrNotExist. The caller closes it.
func (b *Builder) Open(ctx context.Context, ref, path string) (site.Content, error) {
	s, m, release, err := b.acquire(ctx, ref)
	if err != nil {
		return site.Content{}, err
	}
	defer release()
	modified := m.TakenAt()
	if path == "techdocs_metadata.json" {
		data, err := s.Metadata(m.State, modified)
		return site.Content{ReadSeekCloser: text(data), ETag: s.Digest + "-" + m.State, Modified: modified}, err
	}
	f, err := s.Open(path)
	return site.Content{ReadSeekCloser: f, ETag: s.Digest, Modified: modified}, err
}

type textFile struct{ *strings.Reader }

func (textFile) Close() error { return nil }

func text(data []byte) io.ReadSeekCloser { return textFile{strings.NewReader(string(data))} }

// IsFolder tells whether there is a page at a path with a slash behind it.
func (b *Builder) IsFolder(ctx context.Context, ref, path string) (bool, error) {
	s, _, release, err := b.acquire(ctx, ref)
	if err != nil {
		return false, err
	}
	defer release()
	return s.IsFolder(path), nil
}

// acquire returns the site of an entity, made if it is not in memory. Until
// release is called its files can be opened.
func (b *Builder) acquire(ctx context.Context, ref string) (*site.Site, snapshot.Manifest, func(), error) {
	none := func() {}
	b.mu.Lock()
	d := b.docs[ref]
	if d == nil || !d.known {
		b.mu.Unlock()
		return nil, snapshot.Manifest{}, none, &fs.PathError{Op: "open", Path: ref, Err: fs.ErrNotExist}
	}
	if s, m, release, ok := b.hold(d); ok {
		b.mu.Unlock()
		return s, m, release, nil
	}
	b.mu.Unlock()

	d.loading.Lock()
	defer d.loading.Unlock()
	b.mu.Lock()
	s, m, release, ok := b.hold(d)
	b.mu.Unlock()
	if ok {
		return s, m, release, nil
	}
	if err := b.load(ctx, d); err != nil {
		return nil, snapshot.Manifest{}, none, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, m, release, ok = b.hold(d); !ok {
		return nil, snapshot.Manifest{}, none, &fs.PathError{Op: "open", Path: ref, Err: fs.ErrNotExist}
	}
	b.evict(d)
	return s, m, release, nil
}

// hold returns the site of an entity if it is in memory. The caller has the
// lock. A file that is never closed keeps the snapshot open.
func (b *Builder) hold(d *docs) (*site.Site, snapshot.Manifest, func(), bool) {
	if d.site == nil {
		return nil, snapshot.Manifest{}, nil, false
	}
	b.tick++
	d.used = b.tick
	tree := d.tree
	release := tree.Hold()
	return d.site, d.manifest, release, true
}

// load makes the site of a snapshot. The caller holds d.loading.
func (b *Builder) load(ctx context.Context, d *docs) error {
	tree, err := snapshot.Open(d.path)
	if err != nil {
		return err
	}
	s, err := site.Build(ctx, tree, nil, b.siteOptions(tree.Manifest))
	if err != nil {
		return errors.Join(fmt.Errorf("documentation of %s: %w", d.ref, err), tree.Close())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.show(d, s, tree)
	return nil
}

// show puts a site into memory. The caller has the lock.
func (b *Builder) show(d *docs, s *site.Site, tree *snapshot.Snapshot) {
	b.hide(d)
	d.known, d.site, d.tree, d.cost = true, s, tree, s.Cost()
	d.manifest = tree.Manifest
	d.manifest.Files = nil
	b.memory += d.cost
	b.tick++
	d.used = b.tick
}

// hide takes a site out of memory. The caller has the lock.
func (b *Builder) hide(d *docs) {
	if d.tree == nil {
		return
	}
	if err := d.tree.Close(); err != nil {
		b.o.Logger.Warn("close a snapshot of documentation", slog.String("entity_ref", d.ref), slog.Any("error", err))
	}
	b.memory -= d.cost
	d.site, d.tree, d.cost = nil, nil, 0
}

// evict takes out of memory what was not used for longest, but for one. The
// caller has the lock.
func (b *Builder) evict(but *docs) {
	for b.memory > b.o.Memory {
		var oldest *docs
		for _, d := range b.docs {
			if d != but && d.site != nil && (oldest == nil || d.used < oldest.used) {
				oldest = d
			}
		}
		if oldest == nil {
			return
		}
		b.hide(oldest)
	}
}

// siteOptions are those for a site whose source is at a location.
func (b *Builder) siteOptions(m snapshot.Manifest) site.Options {
	o := site.Options{Name: m.Name, Renderer: b.o.Renderer, Parallel: b.o.Parallel, Context: m.Location}
	base, ok := strings.CutPrefix(m.Location, "url:")
	if !ok {
		return o
	}
	base = strings.TrimSuffix(base, "/") + "/"
	o.ViewURL = func(path string) string {
		u, err := b.o.Trees.Resolve(escapePath(path), base)
		if err != nil {
			return ""
		}
		return u
	}
	o.EditURL = func(path string) string {
		edit, _, ok := b.o.Trees.SourceURLs(o.ViewURL(path))
		if !ok {
			return ""
		}
		return edit
	}
	return o
}
