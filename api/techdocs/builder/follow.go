package builder

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/techdocs/located"
	"github.com/greenroom-idp/greenroom/api/techdocs/snapshot"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// fillPatience is how long searches wait for sites after a start.
const fillPatience = 2 * time.Second

// Follow puts what is kept into the search, and then brings sites up to date
// whenever changed holds a value and their entities have changed, until the
// context ends. Sites of entities that are no more, or that have no
// documentation any more, are removed. Filled, which may be nil, is called
// once all sites are in the search, or sooner where that takes long, since
// searches wait for it. It is an error only that the catalog cannot be read.
func (b *Builder) Follow(ctx context.Context, catalog interface {
	View(fn func(store.ReadTx) error) error
}, changed <-chan struct{}, filled func()) error {
	var revision uint64
	err := catalog.View(func(tx store.ReadTx) error { revision = tx.Revision(); return nil })
	if err != nil {
		return err
	}
	if filled == nil {
		filled = func() {}
	}
	filled = sync.OnceFunc(filled)
	soon := time.Now().Add(fillPatience)
	for _, ref := range b.Refs() {
		if ctx.Err() != nil {
			return nil
		}
		if b.fill(ctx, ref); time.Now().After(soon) {
			filled()
		}
	}
	filled()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		refs, err := b.changes(catalog, &revision)
		if err != nil {
			return err
		}
		for ref := range refs {
			b.Check(ref)
		}
	}
}

// fill puts a site into the search.
func (b *Builder) fill(ctx context.Context, ref string) {
	e, ok := b.documented(ctx, ref)
	if !ok {
		return
	}
	if err := b.find(ctx, e); err != nil && ctx.Err() == nil {
		b.o.Logger.Warn("documentation that is kept cannot be shown; it is built anew when somebody looks at it",
			slog.String("entity_ref", ref), slog.Any("error", err))
		b.Drop(ref)
	}
}

// find puts the site of an entity into the search.
func (b *Builder) find(ctx context.Context, e catalog.Entity) error {
	s, _, release, err := b.acquire(ctx, e.Ref().String())
	if err != nil {
		return err
	}
	defer release()
	if b.o.Finder != nil {
		b.o.Finder.Put(e, s.Sections())
	}
	return nil
}

// documented returns the entity of a site. If there is none any more, or it has
// no documentation, the site is removed.
func (b *Builder) documented(ctx context.Context, ref string) (catalog.Entity, bool) {
	e, ok, err := b.o.Entity(ctx, ref)
	if err != nil {
		if ctx.Err() == nil {
			b.o.Logger.Warn("the entity of documentation cannot be read", slog.String("entity_ref", ref), slog.Any("error", err))
		}
		return e, false
	}
	if !ok || e.Annotation(located.Annotation) == "" {
		b.Drop(ref)
		return e, false
	}
	return e, true
}

// changes returns which entities with a site have changed since a revision, all
// where that is not known any more.
func (b *Builder) changes(catalog interface {
	View(fn func(store.ReadTx) error) error
}, revision *uint64) (refs map[string]bool, err error) {
	refs = map[string]bool{}
	complete := true
	err = catalog.View(func(tx store.ReadTx) error {
		next := *revision + 1
		err := tx.Changes(next, func(c *store.Change) bool {
			if complete = c.Revision == next; !complete {
				return false
			}
			next++
			if b.Has(c.Ref) {
				refs[c.Ref] = true
			}
			return true
		})
		complete = complete && next > tx.Revision()
		*revision = tx.Revision()
		return err
	})
	if err == nil && !complete {
		for _, ref := range b.Refs() {
			refs[ref] = true
		}
	}
	return refs, err
}

// Has tells whether an entity has a site.
func (b *Builder) Has(ref string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.docs[ref]
	return d != nil && d.known
}

// Check brings the site of an entity up to date in the background, if it has
// one.
func (b *Builder) Check(ref string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.docs[ref]; d == nil || !d.known || b.ctx.Err() != nil {
		return
	}
	b.work.Go(func() {
		e, ok := b.documented(b.ctx, ref)
		if !ok {
			return
		}
		updated, err := b.syncAfter(e)
		if err == nil && !updated { // but the entity may say something else
			if err = b.find(b.ctx, e); err != nil && b.ctx.Err() == nil {
				b.o.Logger.Warn("documentation cannot be searched", slog.String("entity_ref", ref), slog.Any("error", err))
			}
		}
	})
}

// syncAfter is Sync with a build that begins now: one that is under way may have
// looked at the source or the entity before they changed.
func (b *Builder) syncAfter(e catalog.Entity) (updated bool, err error) {
	quiet := func(string) error { return nil }
	for {
		r, began, err := b.join(e)
		if err != nil {
			return false, err
		}
		updated, err := r.follow(b.ctx, quiet)
		if began || b.ctx.Err() != nil {
			return updated, err
		}
	}
}

// CheckAll is Check for all sites.
func (b *Builder) CheckAll() {
	for _, ref := range b.Refs() {
		b.Check(ref)
	}
}

// Pushed brings sites up to date that come from a repository, by the URL of its
// page.
func (b *Builder) Pushed(repository string) {
	prefix := "url:" + strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(repository, "/"), ".git"))
	b.mu.Lock()
	var refs []string
	for ref, d := range b.docs {
		rest, ok := strings.CutPrefix(strings.ToLower(d.manifest.Location), prefix)
		if d.known && ok && (rest == "" || rest[0] == '/' || strings.HasPrefix(rest, ".git")) {
			refs = append(refs, ref)
		}
	}
	b.mu.Unlock()
	for _, ref := range refs {
		b.Check(ref)
	}
}

// Drop removes the site of an entity.
func (b *Builder) Drop(ref string) {
	b.mu.Lock()
	d := b.docs[ref]
	b.mu.Unlock()
	if d == nil {
		return
	}
	d.loading.Lock()
	defer d.loading.Unlock()
	b.mu.Lock()
	b.hide(d)
	d.known, d.manifest = false, snapshot.Manifest{}
	if d.run == nil {
		delete(b.docs, ref)
	}
	b.mu.Unlock()
	if err := os.Remove(d.path); err != nil && !os.IsNotExist(err) {
		b.o.Logger.Warn("the documentation of an entity that is gone cannot be removed", slog.String("path", d.path), slog.Any("error", err))
	}
	if b.o.Finder != nil {
		b.o.Finder.Remove(ref)
	}
}
