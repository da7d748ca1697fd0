package search

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// FollowOptions say what a follower follows. Store and Index are required.
type FollowOptions struct {
	// Store holds the catalog. Only View is called.
	Store interface {
		View(fn func(store.ReadTx) error) error
	}
	// Index is filled with documents of the entities, and kept equal to them.
	Index *Index
	// Location is the template of locations; "" is DefaultLocation.
	Location string
	// Keep tells which entities can be found; nil: all.
	Keep func(catalog.Entity) bool
	// Logger is told of entities that cannot be read; nil: nobody is.
	Logger *slog.Logger
}

// Follow fills an index with the entities of the stored catalog, and then
// brings it up to date whenever changed holds a value, until the context ends.
// It is an error only that the catalog cannot be read. No other goroutine may
// change the index meanwhile.
func Follow(ctx context.Context, o FollowOptions, changed <-chan struct{}) error {
	if o.Location == "" {
		o.Location = DefaultLocation
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &follower{FollowOptions: o}
	if err := f.fill(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	f.Index.MarkFilled()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if err := f.catchUp(ctx); err != nil {
			return err
		}
	}
}

type follower struct {
	FollowOptions
	revision uint64 // that the index shows
}

// While an index is filled so many entities are read at a time, and so many
// documents added; a round of catching up looks at so many entities. All of
// them bound how long the store is kept open, for which writers may wait.
const (
	readChunk   = 512
	fillChunk   = 16 * readChunk
	followChunk = 2048
)

// fill makes the index anew, beside the one that is there, and then shows it.
// Entities that change meanwhile are looked at again afterwards, since the
// revision is that of the begin.
func (f *follower) fill(ctx context.Context) error {
	var uids []catalog.UID
	err := f.Store.View(func(tx store.ReadTx) error {
		f.revision = tx.Revision()
		return tx.Documents(func(uid catalog.UID, _ uint64, _ []byte) bool {
			uids = append(uids, uid)
			return ctx.Err() == nil
		})
	})
	if err != nil {
		return fmt.Errorf("read entities for search: %w", err)
	}
	fresh := New()
	var pending []Document
	for chunk := range slices.Chunk(uids, readChunk) {
		documents, err := f.read(chunk)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if pending = append(pending, documents...); len(pending) >= fillChunk {
			fresh.Apply(pending, nil)
			pending = nil
		}
	}
	fresh.Apply(pending, nil)
	f.Index.newest.Store(fresh.Snapshot())
	return nil
}

// read returns the documents of some entities, as far as they are still there.
func (f *follower) read(uids []catalog.UID) (documents []Document, err error) {
	err = f.Store.View(func(tx store.ReadTx) error {
		for _, uid := range uids {
			json, _ := tx.Document(uid)
			if json == nil {
				continue
			}
			if d, ok := f.document(json); ok {
				documents = append(documents, d)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read entities for search: %w", err)
	}
	return documents, nil
}

// document makes the document of a stored entity, ok false where there is to
// be none.
func (f *follower) document(json []byte) (d Document, ok bool) {
	o, err := jsonvalue.ParseObject(json)
	if err != nil {
		f.Logger.Warn("stored entity cannot be searched", slog.Any("error", err))
		return Document{}, false
	}
	entity := catalog.Entity{Object: o}
	if f.Keep != nil && !f.Keep(entity) {
		return Document{}, false
	}
	return FromEntity(entity, f.Location), true
}

// catchUp applies changes until there are none. Between rounds it rests, so
// that what changes again and again in a burst is looked at once, and the work
// of those who make the changes goes on; but not for so long that anybody
// notices.
func (f *follower) catchUp(ctx context.Context) error {
	const shortestRest, longestRest = 100 * time.Millisecond, 400 * time.Millisecond
	for more := true; more; {
		begin := time.Now()
		var err error
		if more, err = f.round(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(max(4*time.Since(begin), shortestRest), longestRest)):
		}
	}
	return nil
}

// round applies some changes, and tells whether there may be more.
func (f *follower) round(ctx context.Context) (more bool, err error) {
	var put []Document
	var remove []string
	var complete bool
	err = f.Store.View(func(tx store.ReadTx) error {
		var latest map[string]*store.Change
		var err error
		latest, complete, err = f.changes(ctx, tx)
		put, remove = f.documentsOf(tx, latest)
		more = f.revision < tx.Revision()
		return err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("read changes for search: %w", err)
	case ctx.Err() != nil:
		return false, nil
	case !complete:
		return false, f.fill(ctx)
	}
	if len(put)+len(remove) > 0 {
		f.Index.Apply(put, remove)
	}
	return more, nil
}

// changes returns the latest change of each entity that has changed, up to a
// number of them. It is not complete where the log does not reach back to
// where the index stands.
func (f *follower) changes(ctx context.Context, tx store.ReadTx) (latest map[string]*store.Change, complete bool, err error) {
	latest, complete = map[string]*store.Change{}, true
	err = tx.Changes(f.revision+1, func(c *store.Change) bool {
		if complete = c.Revision == f.revision+1; !complete || len(latest) == followChunk {
			return false
		}
		c.Before = nil // not valid beyond this call
		latest[c.Ref], f.revision = c, c.Revision
		return ctx.Err() == nil
	})
	if len(latest) == 0 && f.revision < tx.Revision() {
		complete = false
	}
	return latest, complete, err
}

// documentsOf returns what became of entities that have changed.
func (f *follower) documentsOf(tx store.ReadTx, latest map[string]*store.Change) (put []Document, remove []string) {
	for ref, c := range latest {
		var json []byte
		if !c.Deleted {
			json, _ = tx.Document(c.UID)
		}
		if json == nil {
			remove = append(remove, ref)
			continue
		}
		if d, ok := f.document(json); ok {
			put = append(put, d)
		} else {
			remove = append(remove, ref)
		}
	}
	return put, remove
}
