package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

func testChanges(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"every field comes back", testChangeFields},
		{"changes come in order from any revision on", testChangesFrom},
		{"trimming takes the oldest, up to a revision and a number", testTrim},
		{"a long log is trimmed piece by piece", testTrimLong},
	})
}

func testChangeFields(t *testing.T, s store.Store) {
	for i, c := range []*store.Change{
		{Revision: 1, Ref: sampleRef},
		{Revision: 2, At: 1_700_000_000_123, UID: uid(7), Ref: sampleRef, Before: []byte(`{"kind":"Component"}`)},
		{Revision: 3, At: -1, UID: uid(7), Ref: "component:default/ü", Deleted: true, Before: []byte("{}")},
		{Revision: 4, At: math.MaxInt64, Ref: sampleRef, Deleted: true},
		{Revision: 1 << 40, At: math.MinInt64, Ref: sampleRef},
		{Revision: math.MaxUint64, Ref: sampleRef},
		{Revision: 4, Ref: "in place of another"},
	} {
		both(t, s, func(tx store.WriteTx) { ok(t, tx.AppendChange(c)) }, func(tx store.ReadTx) {
			var got *store.Change
			ok(t, tx.Changes(c.Revision, func(c *store.Change) bool {
				kept := *c
				if c.Before != nil {
					kept.Before = copied(c.Before)
				}
				got = &kept
				return false
			}))
			require.Equal(t, c, got, "case %d", i)
		})
	}
}

// revisions lists the log from a revision on.
func revisions(t *testing.T, tx store.ReadTx, from uint64) (list []int) {
	t.Helper()
	ok(t, tx.Changes(from, func(c *store.Change) bool {
		list = append(list, int(c.Revision))
		return true
	}))
	return list
}

func appendChanges(t *testing.T, tx store.WriteTx, revisions ...int) {
	t.Helper()
	for _, n := range revisions {
		ok(t, tx.AppendChange(&store.Change{Revision: uint64(n), Ref: sampleRef, Before: fmt.Append(nil, n)}))
	}
}

func testChangesFrom(t *testing.T, s store.Store) {
	both(t, s, func(tx store.WriteTx) { appendChanges(t, tx, 3, 300, 1, 70000, 256, 255) }, func(tx store.ReadTx) {
		for from, want := range map[uint64][]int{
			0: {1, 3, 255, 256, 300, 70000}, 1: {1, 3, 255, 256, 300, 70000}, 2: {3, 255, 256, 300, 70000}, 256: {256, 300, 70000},
			257: {300, 70000}, 70000: {70000}, 70001: nil, math.MaxUint64: nil,
		} {
			require.Equal(t, want, revisions(t, tx, from), "from %d", from)
		}
	})
}

func testTrim(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { appendChanges(t, tx, 1, 2, 3, 5, 8, 256, 300) })
	for _, step := range []struct {
		why     string
		through uint64
		limit   int
		removed int
		left    []int
	}{
		{"nothing is as old", 0, 10, 0, []int{1, 2, 3, 5, 8, 256, 300}},
		{"none are asked for", 100, 0, 0, []int{1, 2, 3, 5, 8, 256, 300}},
		{"the revision counts too", 1, 10, 1, []int{2, 3, 5, 8, 256, 300}},
		{"the limit ends it, and the oldest go first", 100, 2, 2, []int{5, 8, 256, 300}},
		{"between two revisions", 6, 10, 1, []int{8, 256, 300}},
		{"numbers, not bytes, decide", 256, 10, 2, []int{300}},
		{"again", 256, 10, 0, []int{300}},
		{"all of it", math.MaxUint64, 10, 1, nil},
		{"an empty log", math.MaxUint64, 10, 0, nil},
	} {
		both(t, s, func(tx store.WriteTx) {
			removed, err := tx.TrimChanges(step.through, step.limit)
			require.NoError(t, err)
			require.Equal(t, step.removed, removed, step.why)
		}, func(tx store.ReadTx) { require.Equal(t, step.left, revisions(t, tx, 0), step.why) })
	}
}

func testTrimLong(t *testing.T, s store.Store) {
	const n, piece, left = 5000, 700, 123
	update(t, s, func(tx store.WriteTx) {
		for i := range n {
			appendChanges(t, tx, i+1)
		}
	})
	total := 0
	update(t, s, func(tx store.WriteTx) {
		for {
			removed, err := tx.TrimChanges(n-left, piece)
			require.NoError(t, err)
			require.LessOrEqual(t, removed, piece)
			if total += removed; removed == 0 {
				return
			}
			require.Equal(t, total+1, revisions(t, tx, 0)[0])
		}
	})
	require.Equal(t, n-left, total)
	view(t, s, func(tx store.ReadTx) { require.Len(t, revisions(t, tx, 0), left) })
}

// testSequences asks of each sequence that it stops when its yield has seen
// enough, and yields all otherwise.
func testSequences(t *testing.T, open func(t *testing.T) store.Store) {
	const n = 300
	s := open(t)
	source := store.Source{Provider: "p"}
	for name, seq := range map[string]struct {
		put func(tx store.WriteTx, i int) error
		run func(tx store.ReadTx, yield func() bool) error
	}{
		"states": {func(tx store.WriteTx, i int) error {
			return tx.PutState(&store.State{Ref: fmt.Sprint("component:default/", i), UID: uid(i)})
		}, func(tx store.ReadTx, yield func() bool) error {
			return tx.States("", func(*store.State) bool { return yield() })
		}},
		"documents": {func(tx store.WriteTx, i int) error { return tx.PutDocument(uid(i), 1, []byte("{}")) },
			func(tx store.ReadTx, yield func() bool) error {
				return tx.Documents(func(catalog.UID, uint64, []byte) bool { return yield() })
			}},
		"children": {func(tx store.WriteTx, i int) error { return tx.PutChild(source, fmt.Sprint(i)) },
			func(tx store.ReadTx, yield func() bool) error {
				return tx.Children(source, func(string) bool { return yield() })
			}},
		"sources": {func(tx store.WriteTx, i int) error {
			if i > 0 { // and p, of the children
				return tx.PutChild(store.Source{Entity: fmt.Sprint(i)}, "x")
			}
			return tx.PutChild(source, "0")
		}, func(tx store.ReadTx, yield func() bool) error {
			return tx.Sources(func(store.Source) bool { return yield() })
		}},
		"relations": {func(tx store.WriteTx, i int) error {
			return tx.PutReverseRelations("x", fmt.Sprint(i), manyRelations("x", 1))
		}, func(tx store.ReadTx, yield func() bool) error {
			return tx.ReverseRelations("x", func(string, []catalog.Relation) bool { return yield() })
		}},
		"refresh keys": {func(tx store.WriteTx, i int) error { return tx.PutRefreshKey("k", fmt.Sprint(i)) },
			func(tx store.ReadTx, yield func() bool) error {
				return tx.RefreshKeyHolders("k", func(string) bool { return yield() })
			}},
		"locations": {func(tx store.WriteTx, i int) error {
			return tx.PutLocation(located(fmt.Sprint(i), "url", fmt.Sprint(i)))
		},
			func(tx store.ReadTx, yield func() bool) error {
				return tx.Locations(func(catalog.Location) bool { return yield() })
			}},
		"changes": {func(tx store.WriteTx, i int) error { return tx.AppendChange(&store.Change{Revision: uint64(i + 1)}) },
			func(tx store.ReadTx, yield func() bool) error {
				return tx.Changes(0, func(*store.Change) bool { return yield() })
			}},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, s, func(tx store.WriteTx) {
				for _, i := range rand.Perm(n) {
					ok(t, seq.put(tx, i))
				}
			}, func(tx store.ReadTx) {
				for _, stop := range []int{1, 2, n - 1, n, n + 1} {
					seen := 0
					ok(t, seq.run(tx, func() bool {
						seen++
						return seen < stop
					}))
					require.Equal(t, min(stop, n), seen)
				}
			})
		})
	}
}
