package builder_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
)

// TestFollow goes through the life of an entity: its site is put into the
// search at the start, again when the entity changes, rebuilt when it is
// pushed to, and removed with it.
func TestFollow(t *testing.T) {
	w := newWorld(t, nil)
	e := w.booking()
	w.host.has(pages)
	_, _, err := w.sync(e)
	require.NoError(t, err)
	require.Equal(t, "put "+ref, <-w.finder.heard)
	w.reopen()

	db := storetest.NewMemory()
	revision := uint64(0)
	change := func(c store.Change, trim bool) {
		revision++
		c.Revision = revision
		require.NoError(t, db.Update(func(tx store.WriteTx) error {
			if err := tx.AppendChange(&c); err != nil {
				return err
			}
			if trim {
				if _, err := tx.TrimChanges(revision-1, 100); err != nil {
					return err
				}
			}
			return tx.SetRevision(revision)
		}))
	}
	changed, filled := make(chan struct{}, 1), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Follow(ctx, db, changed, func() { close(filled) }) }()
	<-filled
	require.Equal(t, "put "+ref, <-w.finder.heard)
	require.NotEmpty(t, w.finder.of(ref))

	change(store.Change{Ref: "component:default/other"}, false)
	change(store.Change{Ref: ref}, false)
	changed <- struct{}{}
	require.Equal(t, "put "+ref, <-w.finder.heard, "the entity may say something else of itself")

	w.host.has(map[string]string{"docs/index.md": "# Start\n\nfresh"})
	w.Pushed("https://github.com/o/another")
	w.Pushed("https://github.com/o/R")
	require.Equal(t, "put "+ref, <-w.finder.heard)
	require.Equal(t, []string{"|fresh"}, w.finder.of(ref))
	require.Equal(t, 2, w.host.fetched)

	change(store.Change{Ref: "component:default/x"}, false)
	change(store.Change{Ref: "component:default/x"}, true)
	changed <- struct{}{}
	require.Equal(t, "put "+ref, <-w.finder.heard, "all are looked at where the log does not reach back")

	w.mu.Lock()
	delete(w.entities, ref)
	w.mu.Unlock()
	change(store.Change{Ref: ref, Deleted: true}, false)
	changed <- struct{}{}
	require.Equal(t, "remove "+ref, <-w.finder.heard)
	require.False(t, w.Has(ref))
	w.reopenAfter(stop, ended)
	require.Empty(t, w.Refs())
}

func (w *world) reopenAfter(stop func(), ended chan error) {
	stop()
	require.NoError(w.t, <-ended)
	w.reopen()
}

func TestSitesWithoutDocumentationAreRemoved(t *testing.T) {
	w := newWorld(t, nil)
	e := w.booking()
	w.host.has(pages)
	_, _, err := w.sync(e)
	require.NoError(t, err)
	<-w.finder.heard
	w.entity("booking", "", "url:https://github.com/o/r/blob/main/catalog-info.yaml")
	w.CheckAll()
	require.Equal(t, "remove "+ref, <-w.finder.heard)
	require.False(t, w.Has(ref))
	w.Check(ref) // has nothing to do
	w.Drop(ref)
}
