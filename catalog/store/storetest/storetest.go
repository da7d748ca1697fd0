package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// Run asks an implementation for all that store.Store promises. The function
// opens a new and empty store, and sees to its end with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, group := range []struct {
		name string
		run  func(t *testing.T, open func(t *testing.T) store.Store)
	}{
		{"an empty store", testEmpty},
		{"transactions", testTransactions},
		{"values", testValues},
		{"states", testStates},
		{"uids", testUIDs},
		{"documents", testDocuments},
		{"children", testChildren},
		{"relations", testRelations},
		{"refresh keys", testRefreshKeys},
		{"locations", testLocations},
		{"changes", testChanges},
		{"sequences", testSequences},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, open) })
	}
	t.Run("random operations", func(t *testing.T) { Random(t, open, rand.Uint64()) })
}

// A behaviour is one promise and how to see that it is kept.
type behaviour struct {
	name string
	run  func(t *testing.T, s store.Store)
}

func runAll(t *testing.T, open func(t *testing.T) store.Store, behaviours []behaviour) {
	for _, b := range behaviours {
		t.Run(b.name, func(t *testing.T) { b.run(t, open(t)) })
	}
}

func view(t *testing.T, s store.Store, fn func(tx store.ReadTx)) {
	t.Helper()
	require.NoError(t, s.View(func(tx store.ReadTx) error {
		fn(tx)
		return nil
	}))
}

func update(t *testing.T, s store.Store, fn func(tx store.WriteTx)) {
	t.Helper()
	require.NoError(t, s.Update(func(tx store.WriteTx) error {
		fn(tx)
		return nil
	}))
}

// ok wants none of these errors.
func ok(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// both checks in the transaction that writes, and again in one that reads.
func both(t *testing.T, s store.Store, write func(tx store.WriteTx), check func(tx store.ReadTx)) {
	t.Helper()
	update(t, s, func(tx store.WriteTx) {
		write(tx)
		check(tx)
	})
	view(t, s, check)
}

// contents reads a committed state.
func contents(t *testing.T, s store.Store, names Names) (c *Contents) {
	t.Helper()
	view(t, s, func(tx store.ReadTx) { c = read(t, tx, names) })
	return c
}

func read(t *testing.T, tx store.ReadTx, names Names) *Contents {
	t.Helper()
	c, err := Read(tx, names)
	require.NoError(t, err)
	return c
}

// uid returns a uid; a higher n gives a higher one.
func uid(n int) (u catalog.UID) {
	u[6], u[8] = 0x40, 0x80
	u[3], u[4], u[5] = byte(n>>16), byte(n>>8), byte(n)
	return u
}

func digest(n byte) (d store.Digest) {
	for i := range d {
		d[i] = n
	}
	return d
}

// sampleNames lead to all that writeSample writes.
func sampleNames() Names {
	return Names{
		Settings: []string{"fingerprint"}, Refs: []string{"component:default/a", "component:default/b", "group:default/g"},
		UIDs: []catalog.UID{uid(1), uid(2)}, RefreshKeys: []string{"url:https://host/a"},
		Locations: []catalog.LocationRef{{Type: "url", Target: "https://host/a"}},
	}
}

// writeSample writes a record of every type; variant changes them all.
func writeSample(t *testing.T, tx store.WriteTx, variant int) {
	t.Helper()
	const ref = "component:default/a"
	form := func(name string) []byte { return fmt.Appendf(nil, `{%q:%d}`, name, variant) }
	source := store.Source{Provider: "files"}
	relations := []catalog.Relation{{Source: "group:default/g", Type: "ownerOf", Target: fmt.Sprint("component:default/", variant)}}
	ok(t,
		tx.SetRevision(uint64(10+variant)),
		tx.PutSetting("fingerprint", form("setting")),
		tx.PutState(&store.State{Ref: ref, UID: uid(1), Parent: source, LocationKey: fmt.Sprint("key ", variant),
			Relations: relations, RefreshKeys: []string{"url:https://host/a"}}),
		tx.PutUnprocessed(ref, form("unprocessed")),
		tx.PutProcessed(ref, form("processed")),
		tx.PutCache(ref, form("cache")),
		tx.PutDocument(uid(1), uint64(10+variant), form("document")),
		tx.PutChild(source, fmt.Sprint(ref, variant)),
		tx.PutReverseRelations("group:default/g", ref, relations),
		tx.PutRefreshKey("url:https://host/a", fmt.Sprint(ref, variant)),
		tx.PutLocation(catalog.Location{ID: "id", Type: "url", Target: "https://host/a", EntityRef: fmt.Sprint("location:default/", variant)}),
		tx.AppendChange(&store.Change{Revision: uint64(10 + variant), At: int64(variant), UID: uid(1), Ref: ref, Before: form("before")}),
	)
}

func testEmpty(t *testing.T, open func(t *testing.T) store.Store) {
	s := open(t)
	check := func(tx store.ReadTx) {
		got := read(t, tx, sampleNames())
		require.Equal(t, read(t, NewMemory().committed.Load(), sampleNames()), got)
		require.Zero(t, tx.Revision())
		require.Equal(t, catalog.UID{}, tx.LastUID())
		require.Nil(t, tx.Setting("fingerprint"))
		l, found, err := tx.Location("none")
		require.NoError(t, err)
		require.False(t, found)
		require.Zero(t, l)
		l, found, err = tx.LocationByRef(catalog.LocationRef{})
		require.NoError(t, err)
		require.False(t, found, "not even for the ref that is no ref")
		require.Zero(t, l)
	}
	both(t, s, func(tx store.WriteTx) {
		ok(t, // deletes of what is not there do nothing
			tx.DeleteState(&store.State{Ref: "component:default/a", UID: uid(1)}),
			tx.PutCache("component:default/a", nil),
			tx.DeleteDocument(uid(1)),
			tx.DeleteChild(store.Source{Provider: "files"}, "component:default/a"),
			tx.PutReverseRelations("group:default/g", "component:default/a", nil),
			tx.DeleteRefreshKey("key", "component:default/a"),
			tx.DeleteLocation(catalog.Location{ID: "id", Type: "url", Target: "https://host/a"}),
		)
		n, err := tx.TrimChanges(1<<63, 10)
		ok(t, err)
		require.Zero(t, n)
	}, check)
}
