package builder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/techdocs/located"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/api/techdocs/snapshot"
	"github.com/greenroom-idp/greenroom/catalog"
)

// maxLines bounds the log of a build.
const maxLines = 2_000

// A run is one build, which any number may wait for.
type run struct {
	mu      sync.Mutex
	lines   []string
	more    chan struct{} // closed when there is more, and then another
	done    bool
	updated bool
	err     error
}

func newRun() *run { return &run{more: make(chan struct{})} }

// log adds a line.
func (r *run) log(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch len(r.lines) {
	case maxLines:
		return
	case maxLines - 1:
		r.lines = append(r.lines, "... the log is longer than this")
	default:
		r.lines = append(r.lines, fmt.Sprintf(format, args...))
	}
	r.wake()
}

func (r *run) finish(updated bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.updated, r.err = true, updated, err
	r.wake()
}

func (r *run) wake() {
	close(r.more)
	r.more = make(chan struct{})
}

// follow passes lines on until the end.
func (r *run) follow(ctx context.Context, log func(line string) error) (updated bool, err error) {
	for seen := 0; ; {
		r.mu.Lock()
		lines, more, done := r.lines[seen:], r.more, r.done
		r.mu.Unlock()
		seen += len(lines)
		for _, line := range lines {
			if err := log(line); err != nil {
				return false, err
			}
		}
		if done {
			return r.updated, r.err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// Sync brings the site of an entity up to date, and tells whether it has
// changed. Log gets the lines of the build; its error ends the waiting, but not
// the build. The site that was there stays where there is an error.
func (b *Builder) Sync(ctx context.Context, e catalog.Entity, log func(line string) error) (updated bool, err error) {
	r, _, err := b.join(e)
	if err != nil {
		return false, err
	}
	return r.follow(ctx, log)
}

// join returns the build of an entity that is under way, or begins one.
func (b *Builder) join(e catalog.Entity) (r *run, began bool, err error) {
	ref := e.Ref().String()
	path, ok := b.path(ref)
	if !ok {
		return nil, false, catalog.NewError(catalog.NameInput, "the documentation of "+ref+" cannot be kept: its name has characters that names of entities cannot have")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, false, catalog.NewError(catalog.NameUnavailable, errStopped.Error())
	}
	d := b.docs[ref]
	if d == nil {
		d = &docs{ref: ref, path: path}
		b.docs[ref] = d
	}
	if d.run != nil {
		return d.run, false, nil
	}
	r = newRun()
	d.run = r
	b.work.Go(func() { b.runBuild(d, e, r) })
	return r, true, nil
}

// runBuild waits for a place and builds.
func (b *Builder) runBuild(d *docs, e catalog.Entity, r *run) {
	ctx, cancel := context.WithTimeoutCause(b.ctx, b.o.Timeout, fmt.Errorf("it took longer than %s", b.o.Timeout))
	defer cancel()
	began := b.o.Now()
	updated, err := false, error(nil)
	select {
	case b.places <- struct{}{}:
		updated, err = b.build(ctx, d, e, r)
		<-b.places
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	switch {
	case err != nil && b.ctx.Err() == nil:
		b.o.Logger.Warn("documentation cannot be built", slog.String("entity_ref", d.ref), slog.Any("error", err))
	case updated:
		b.o.Logger.Info("documentation was built", slog.String("entity_ref", d.ref), slog.Duration("took", b.o.Now().Sub(began)))
	}
	b.mu.Lock()
	d.run = nil
	b.mu.Unlock()
	r.finish(updated, err)
}

// build brings a site up to date.
func (b *Builder) build(ctx context.Context, d *docs, e catalog.Entity, r *run) (updated bool, err error) {
	location, err := located.Of(e, b.o.Trees.Resolve)
	if err != nil {
		return false, err
	}
	m := snapshot.Manifest{Ref: d.ref, Name: nameOf(e), Location: location.String()}
	src, err := b.open(ctx, location, m.Name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, src.close()) }()
	m.State = src.state
	b.mu.Lock()
	known, old := d.known, d.manifest
	b.mu.Unlock()
	if known && old.Location == m.Location && old.State == m.State && old.Name == m.Name {
		return false, nil
	}
	r.log("Reading the documentation of %s from %s", d.ref, shown(location))
	if err := src.fetch(ctx, r); err != nil {
		return false, err
	}
	m.Taken = b.o.Now().UnixMilli()
	r.log("Found %d files", len(src.files))
	return b.replace(ctx, d, e, m, src, r)
}

// shown is a location as people may see it: without the folders of the server.
func shown(l catalog.LocationRef) string {
	if l.Type == located.TypeDir {
		return "the folder of its descriptor"
	}
	return l.Target
}

// freshSuffix is behind the name of a snapshot that no site was made of yet.
const freshSuffix = ".new"

// replace writes a snapshot, makes the site of it, and puts it in the place of
// the one that was there. The snapshot gets its name once the site could be
// made.
func (b *Builder) replace(ctx context.Context, d *docs, e catalog.Entity, m snapshot.Manifest, src *source, r *run) (updated bool, err error) {
	fresh := d.path + freshSuffix
	if err := snapshot.Write(fresh, m, src.fs(), src.files); err != nil {
		return false, err
	}
	tree, err := snapshot.Open(fresh)
	if err != nil {
		return false, errors.Join(err, os.Remove(fresh))
	}
	began := time.Now()
	b.mu.Lock()
	earlier := d.site
	b.mu.Unlock()
	s, err := site.Build(ctx, tree, earlier, b.siteOptions(m))
	if err != nil {
		return false, errors.Join(err, tree.Close(), os.Remove(fresh))
	}
	for _, problem := range s.Problems {
		r.log("WARNING: %s", problem)
	}
	r.log("Built %d files in %s, of which %d pages had not changed", len(s.Files()), time.Since(began).Round(time.Millisecond), s.Reused)
	d.loading.Lock() // nobody may open the one that goes
	defer d.loading.Unlock()
	same := sameContent(d.path, tree.Manifest)
	if err := rename(fresh, d.path); err != nil {
		return false, errors.Join(err, tree.Close(), os.Remove(fresh))
	}
	b.mu.Lock()
	updated = !same
	b.show(d, s, tree)
	b.evict(d)
	b.mu.Unlock()
	if b.o.Finder != nil {
		b.o.Finder.Put(e, s.Sections())
	}
	return updated, nil
}

// sameContent tells whether the snapshot at a path makes the same site.
func sameContent(path string, m snapshot.Manifest) bool {
	old, err := snapshot.ReadManifest(path)
	return err == nil && old.Location == m.Location && old.Name == m.Name && maps.Equal(old.Files, m.Files)
}

// nameOf is what the site of an entity is called.
func nameOf(e catalog.Entity) string {
	if title := e.Metadata().String("title"); title != "" {
		return title
	}
	return e.Name()
}
