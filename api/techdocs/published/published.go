package published

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
)

// A Store has files by path. Implementations are safe for concurrent use.
type Store interface {
	// Open opens a file by a path that is valid for io/fs. The error of one that
	// is not there is fs.ErrNotExist.
	Open(ctx context.Context, path string) (site.Content, error)
}

// A Library serves what is in a store.
type Library struct {
	store         Store
	caseSensitive bool
}

// New returns the library of a store. CaseSensitive says that paths have the
// letters of entities' names as they are.
func New(store Store, caseSensitive bool) *Library { return &Library{store, caseSensitive} }

// Open opens a file of the site of an entity.
func (l *Library) Open(ctx context.Context, ref catalog.EntityRef, name string) (site.Content, error) {
	full := l.folder(ref) + "/" + name
	if !fs.ValidPath(full) || strings.Count(l.folder(ref), "/") != 2 {
		return site.Content{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return l.store.Open(ctx, full)
}

func (l *Library) folder(ref catalog.EntityRef) string {
	folder := ref.Namespace + "/" + ref.Kind + "/" + ref.Name
	if l.caseSensitive {
		return folder
	}
	return strings.ToLower(folder)
}

// IsFolder tells whether there is a page at a path with a slash behind it.
func (l *Library) IsFolder(ctx context.Context, ref catalog.EntityRef, name string) (bool, error) {
	f, err := l.Open(ctx, ref, path.Join(name, "index.html"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// Sync has nothing to do: others decide when a site is built.
func (l *Library) Sync(context.Context, catalog.Entity, func(string) error) (bool, error) {
	return false, nil
}

// A Folder is a Store on the disk.
type Folder struct{ root *os.Root }

// OpenFolder opens a folder. The caller closes it.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Open opens a regular file.
func (f *Folder) Open(_ context.Context, name string) (site.Content, error) {
	info, err := f.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return site.Content{}, missing(name, err)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return site.Content{}, missing(name, err)
	}
	tag := strconv.FormatInt(info.Size(), 16) + "-" + strconv.FormatInt(info.ModTime().UnixNano(), 16)
	return site.Content{ReadSeekCloser: file, ETag: tag, Modified: info.ModTime()}, nil
}

// missing is the error for what cannot be opened: what is no file, or leads out
// of the folder, is not there.
func missing(name string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("published documentation: %w", err)
	}
	return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Finder takes what can be found of sites.
type Finder interface {
	Put(e catalog.Entity, sections iter.Seq[site.Section])
	Remove(ref string)
}

// An Indexer puts published sites into the search.
type Indexer struct {
	// Library, Finder and Entities are required. Entities returns all entities
	// that have documentation.
	Library  *Library
	Finder   Finder
	Entities func(ctx context.Context) ([]catalog.Entity, error)
	// Logger is told of sites that cannot be searched; nil: nobody is.
	Logger *slog.Logger

	mu   sync.Mutex
	seen map[string]string // what was put in, by entity ref
}

// maxIndex bounds a search index that is read, in bytes.
const maxIndex = 64 << 20

// Run looks at all sites, and puts those in that have changed since.
func (x *Indexer) Run(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	entities, err := x.Entities(ctx)
	if err != nil {
		return err
	}
	if x.seen == nil {
		x.seen = map[string]string{}
	}
	current := map[string]bool{}
	for _, e := range entities {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		ref := e.Ref().String()
		switch found, err := x.look(ctx, e); {
		case err != nil && x.Logger != nil:
			current[ref] = true // what is known stays
			x.Logger.Warn("published documentation cannot be searched", slog.String("entity_ref", ref), slog.Any("error", err))
		case found || err != nil:
			current[ref] = true
		}
	}
	for ref := range x.seen {
		if !current[ref] {
			x.Finder.Remove(ref)
			delete(x.seen, ref)
		}
	}
	return nil
}

// look puts the site of an entity in if it has changed; found is false if there
// is none.
func (x *Indexer) look(ctx context.Context, e catalog.Entity) (found bool, err error) {
	f, err := x.Library.Open(ctx, e.Ref(), "search/search_index.json")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	ref, mark := e.Ref().String(), f.ETag+" "+catalog.Hash(e.Object)
	if f.ETag != "" && x.seen[ref] == mark {
		return true, nil
	}
	data, err := io.ReadAll(io.LimitReader(f, maxIndex+1))
	if err != nil {
		return false, err
	}
	if len(data) > maxIndex {
		return false, fmt.Errorf("its search index has more than %d bytes", maxIndex)
	}
	var index struct {
		Docs []struct{ Location, Title, Text string }
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return false, fmt.Errorf("its search index: %w", err)
	}
	x.Finder.Put(e, func(yield func(site.Section) bool) {
		for _, d := range index.Docs {
			if !yield(site.Section{Path: d.Location, Title: html.UnescapeString(d.Title), Text: html.UnescapeString(d.Text)}) {
				return
			}
		}
	})
	x.seen[ref] = mark
	return true, nil
}
