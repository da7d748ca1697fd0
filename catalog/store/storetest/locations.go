package storetest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

func testLocations(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"every field comes back, by id and by ref", testLocationFields},
		{"locations that look alike are not taken for one another", testLocationLookalikes},
		{"a changed location is not found by its old ref", testLocationChanged},
		{"two locations exchange their refs", testLocationsExchanged},
		{"a deleted location is gone, whatever the caller thinks of it", testLocationDeleted},
	})
}

// checkLocations wants these and no others.
func checkLocations(t *testing.T, tx store.ReadTx, want ...catalog.Location) {
	t.Helper()
	var got []catalog.Location
	ok(t, tx.Locations(collect(&got)))
	slices.SortFunc(want, func(a, b catalog.Location) int { return strings.Compare(a.ID, b.ID) })
	require.Equal(t, want, got)
	for _, l := range want {
		same, found, err := tx.Location(l.ID)
		require.NoError(t, err)
		require.True(t, found, l.ID)
		require.Equal(t, l, same)
		same, found, err = tx.LocationByRef(l.Ref())
		require.NoError(t, err)
		require.True(t, found, "%.100q", l.Ref())
		require.Equal(t, l, same)
	}
}

func noLocation(t *testing.T, tx store.ReadTx, refs ...catalog.LocationRef) {
	t.Helper()
	for _, ref := range refs {
		l, found, err := tx.LocationByRef(ref)
		require.NoError(t, err)
		require.False(t, found, "%.100q", ref)
		require.Zero(t, l)
	}
}

func located(id, kind, target string) catalog.Location {
	return catalog.Location{ID: id, Type: kind, Target: target, EntityRef: "location:default/generated-" + id}
}

func testLocationFields(t *testing.T, s store.Store) {
	all := []catalog.Location{
		located("9", "url", "https://host/a"), located("1", "file", "/a b/ü\".yaml"), located("5", "url", "a\x01<>&\u2028"),
		located("55", "url", strings.Repeat("x", 100_000)), located("6", "url", ""), {ID: "7", Type: "none", Target: "x"},
	}
	both(t, s, func(tx store.WriteTx) {
		for _, i := range rand.Perm(len(all)) {
			ok(t, tx.PutLocation(all[i]), tx.PutLocation(all[i]))
		}
	}, func(tx store.ReadTx) { checkLocations(t, tx, slices.Clone(all)...) })
}

func testLocationLookalikes(t *testing.T, s store.Store) {
	long := "https://host/" + strings.Repeat("x", 5000)
	all := []catalog.Location{
		located("1", "url", long+"1"), located("2", "url", long+"2"), located("3", "file", long+"1"), located("4", "url", long),
		located("5", "url", "a"), located("6", "url", "ab"), located("7", "u", "rl:a"), located("8", "a:b", "c"), located("9", "a", "b:c"),
		located("a", "sha1", catalog.Hash("url:"+long+"1")), located("b", "sha1", catalog.Hash([]any{"url", long + "1"})),
		located("c", "", "x"), located("d", ":", "x"), located("e", "", ":x"),
	}
	for i := 1023; i < 1026; i++ { // about as long as a key can be
		all = append(all, located("l"+string(rune('a'+i-1023)), "url", strings.Repeat("y", i-len("url:"))))
	}
	both(t, s, func(tx store.WriteTx) {
		for _, l := range all {
			ok(t, tx.PutLocation(l))
		}
	}, func(tx store.ReadTx) {
		checkLocations(t, tx, slices.Clone(all)...)
		noLocation(t, tx, catalog.LocationRef{Type: "URL", Target: "a"}, catalog.LocationRef{Type: "url", Target: "A"},
			catalog.LocationRef{Type: "url", Target: "abc"}, catalog.LocationRef{Type: "url", Target: long + "3"},
			catalog.LocationRef{Type: "", Target: "url:a"}, catalog.LocationRef{Type: "url:a"})
	})
}

func testLocationChanged(t *testing.T, s store.Store) {
	long := strings.Repeat("z", 2000)
	steps := []catalog.Location{
		located("1", "url", "https://host/a"), located("1", "file", "https://host/a"), located("1", "file", long), located("1", "url", long),
		located("1", "url", "b"), located("1", "url", "https://host/a"), {ID: "1", Type: "url", Target: "https://host/a", EntityRef: "location:default/new"},
	}
	beside := located("2", "url", "https://host/beside")
	update(t, s, func(tx store.WriteTx) { ok(t, tx.PutLocation(beside)) })
	for i, l := range steps {
		both(t, s, func(tx store.WriteTx) { ok(t, tx.PutLocation(l)) }, func(tx store.ReadTx) {
			checkLocations(t, tx, l, beside)
			if i > 0 && steps[i-1].Ref() != l.Ref() {
				noLocation(t, tx, steps[i-1].Ref())
			}
		})
	}
}

func testLocationsExchanged(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) {
		ok(t, tx.PutLocation(located("1", "url", "a")), tx.PutLocation(located("2", "url", "b")))
	})
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.PutLocation(located("1", "url", "b")), tx.PutLocation(located("2", "url", "a")))
	},
		func(tx store.ReadTx) { checkLocations(t, tx, located("1", "url", "b"), located("2", "url", "a")) })
	both(t, s, func(tx store.WriteTx) { ok(t, tx.DeleteLocation(located("2", "url", "a"))) }, func(tx store.ReadTx) {
		checkLocations(t, tx, located("1", "url", "b"))
		noLocation(t, tx, catalog.LocationRef{Type: "url", Target: "a"})
	})
}

func testLocationDeleted(t *testing.T, s store.Store) {
	a, b := located("1", "url", "a"), located("2", "url", "b")
	update(t, s, func(tx store.WriteTx) { ok(t, tx.PutLocation(a), tx.PutLocation(b)) })
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.DeleteLocation(located("3", "url", "b")), tx.DeleteLocation(catalog.Location{ID: "1", Type: "url", Target: "b"}))
	}, func(tx store.ReadTx) {
		checkLocations(t, tx, b)
		noLocation(t, tx, a.Ref())
	})
	both(t, s, func(tx store.WriteTx) { ok(t, tx.PutLocation(located("4", "url", "a"))) },
		func(tx store.ReadTx) { checkLocations(t, tx, b, located("4", "url", "a")) })
}
