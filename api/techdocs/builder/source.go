package builder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/techdocs/located"
	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
)

// maxFolders bounds how deep folders are nested.
const maxFolders = 32

// A source is where a site is made from.
type source struct {
	b        *Builder
	location catalog.LocationRef
	name     string
	state    string
	root     *os.Root
	temp     string   // folder to remove, "" for none
	files    []string // of the site, after fetch
	sum      []byte   // of paths, sizes and times, after list
}

// open finds out what state a source is in.
func (b *Builder) open(ctx context.Context, location catalog.LocationRef, name string) (*source, error) {
	s := &source{b: b, location: location, name: name}
	if location.Type == located.TypeURL {
		var err error
		s.state, err = b.o.Trees.State(ctx, location.Target)
		return s, err
	}
	var err error
	if s.root, err = os.OpenRoot(location.Target); err != nil {
		return nil, catalog.NewError(catalog.NameNotFound, "The folder that the documentation should be in cannot be read: "+reason(err))
	}
	if err := s.list(ctx, func(string, ...any) {}); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.state = hex.EncodeToString(s.sum)
	return s, nil
}

// reason is what the system says of a file, without its path.
func reason(err error) string {
	var in *fs.PathError
	if errors.As(err, &in) {
		return in.Err.Error()
	}
	return err.Error()
}

func (s *source) close() error {
	var errs []error
	if s.root != nil {
		errs = append(errs, s.root.Close())
	}
	if s.temp != "" {
		errs = append(errs, os.RemoveAll(s.temp))
	}
	return errors.Join(errs...)
}

func (s *source) fs() fs.FS { return s.root.FS() }

// fetch has the files on the disk, and lists those of the site.
func (s *source) fetch(ctx context.Context, r *run) (err error) {
	if s.location.Type != located.TypeURL {
		return s.list(ctx, r.log)
	}
	if s.temp, err = os.MkdirTemp("", "greenroom-docs-"); err != nil {
		return err
	}
	if s.root, err = os.OpenRoot(s.temp); err != nil {
		return err
	}
	spool := &spool{o: &s.b.o, root: s.root, made: map[string]bool{}}
	if err := s.b.o.Trees.Tree(ctx, s.location.Target, s.state, spool.write); err != nil {
		return err
	}
	return s.list(ctx, r.log)
}

// A spool writes a tree into a folder, as far as it may be documentation.
type spool struct {
	o     *Options
	root  *os.Root
	made  map[string]bool
	files int
	bytes int64
}

func (s *spool) write(e archive.Entry) error {
	if skipped(e.Path) || e.Mode.IsDir() || strings.Count(e.Path, "/") > maxFolders || e.Size > site.MaxFile {
		return nil
	}
	s.files++
	if s.bytes += e.Size; s.files > s.o.TreeFiles || s.bytes > s.o.TreeBytes {
		return fmt.Errorf("%w: its folder holds more than %d files or %d bytes: give the documentation a folder of its own, such as dir:./docs-site",
			site.ErrLimit, s.o.TreeFiles, s.o.TreeBytes)
	}
	if dir := path.Dir(e.Path); !s.made[dir] {
		if err := s.root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		s.made[dir] = true
	}
	if e.Mode&fs.ModeSymlink != 0 {
		return s.root.Symlink(e.Link, e.Path)
	}
	file, err := s.root.OpenFile(e.Path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.LimitReader(e.Content, e.Size))
	return errors.Join(err, file.Close())
}

// skipped tells whether a path is one of which nothing belongs to a site.
func skipped(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || part == "node_modules" {
			return true
		}
	}
	return false
}

// Exists and Read make a source a site.Source.
func (s *source) Exists(name string) bool {
	info, err := s.root.Stat(filepath.FromSlash(name))
	return err == nil && info.Mode().IsRegular()
}

func (s *source) Read(name string, limit int64) ([]byte, error) {
	file, err := s.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: %s has more than %d bytes", site.ErrLimit, name, limit)
	}
	return data, err
}

// list finds the files of the site in the folder.
func (s *source) list(ctx context.Context, log func(string, ...any)) error {
	configs, folders, fallback, err := site.Needed(s, s.name)
	if err != nil {
		return err
	}
	l := &lister{source: s, log: log, seen: map[string]bool{}, bases: []string{"."}}
	for _, name := range configs {
		l.bases = append(l.bases, path.Dir(name))
	}
	l.bases = append(l.bases, folders...)
	for _, name := range append(configs, fallback) {
		if name != "" {
			if err := l.add(name, nil); err != nil {
				return err
			}
		}
	}
	for _, folder := range folders {
		if err := l.walk(ctx, folder); err != nil {
			return err
		}
	}
	slices.Sort(l.files)
	sum := sha256.New()
	slices.Sort(l.marks)
	for _, mark := range l.marks {
		io.WriteString(sum, mark) //nolint:errcheck // a hash takes everything
	}
	s.files, s.sum = l.files, sum.Sum(nil)[:16]
	return nil
}

// A lister lists files below the folders of documents.
type lister struct {
	*source
	log   func(string, ...any)
	seen  map[string]bool
	bases []string // folders that snippets may be relative to
	files []string
	marks []string
	bytes int64
}

func (l *lister) walk(ctx context.Context, folder string) error {
	return fs.WalkDir(l.fs(), folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist) && name == folder:
			return nil // what that means is for the site to say
		case err != nil:
			return fmt.Errorf("%s cannot be read: %s", name, reason(err))
		case name != folder && skipped(path.Base(name)):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() && strings.Count(name, "/") >= maxFolders:
			l.log("WARNING: %s is nested too deep and left out", name)
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		return l.add(name, d)
	})
}

// add adds a file. A link counts if it leads to a file below the root.
func (l *lister) add(name string, d fs.DirEntry) error {
	if l.seen[name] {
		return nil
	}
	l.seen[name] = true
	if d != nil && !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 {
		return nil
	}
	info, err := l.root.Stat(filepath.FromSlash(name))
	switch {
	case err != nil:
		l.log("WARNING: %s cannot be read and is left out: %s", name, reason(err))
		return nil
	case !info.Mode().IsRegular():
		l.log("WARNING: %s is a link to a folder and left out", name)
		return nil
	case info.Size() > site.MaxFile:
		l.log("WARNING: %s is larger than %d bytes and left out", name, int64(site.MaxFile))
		return nil
	}
	if l.bytes += info.Size(); len(l.files) >= site.MaxFiles || l.bytes > site.MaxBytes {
		return fmt.Errorf("%w: it has more than %d files or %d bytes", site.ErrLimit, site.MaxFiles, int64(site.MaxBytes))
	}
	l.files = append(l.files, name)
	l.marks = append(l.marks, fmt.Sprintf("%q %d %d\n", name, info.Size(), info.ModTime().UnixNano()))
	return l.addSnippets(name, info.Size())
}

// addSnippets adds the files that a page includes, wherever below the root they
// are. What is not there is for the site to say.
func (l *lister) addSnippets(name string, size int64) error {
	if strings.ToLower(path.Ext(name)) != ".md" || size > markdown.MaxSource {
		return nil
	}
	source, err := l.Read(name, markdown.MaxSource)
	if err != nil {
		return nil // it was there a moment ago; whoever reads it next will say so
	}
	for _, file := range site.SnippetFiles(source) {
		for _, base := range l.bases {
			full := path.Join(base, file)
			if !fs.ValidPath(full) || skipped(full) || !l.Exists(full) {
				continue
			}
			if err := l.add(full, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// rename gives a file that is synced its name, and syncs that.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func escapePath(p string) string { return (&url.URL{Path: p}).EscapedPath() }
