package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// Random does the same random operations to an implementation and to a Memory,
// and wants the same of both after each transaction. It logs the seed, by which
// a failure comes again.
func Random(t *testing.T, open func(t *testing.T) store.Store, seed uint64) {
	t.Logf("storetest.Random with seed %d", seed)
	r := &randomOperations{Rand: rand.New(rand.NewPCG(seed, 0))}
	got, want := open(t), NewMemory()
	for range 60 {
		end := r.IntN(6)
		batch := r.batch(1 + r.IntN(80))
		for _, s := range []store.Store{got, want} {
			apply(t, s, batch, end)
		}
		require.Equal(t, contents(t, want, r.names()), contents(t, got, r.names()), "seed %d", seed)
	}
}

var errGivenUp = errors.New("given up")

// apply commits operations, unless the end is one of two that undo them.
func apply(t *testing.T, s store.Store, batch []operation, end int) {
	t.Helper()
	run := func() error {
		return s.Update(func(tx store.WriteTx) error {
			for _, op := range batch {
				require.NoError(t, op(tx))
			}
			switch end {
			case 0:
				return errGivenUp
			case 1:
				panic("given up")
			}
			return nil
		})
	}
	switch end {
	case 0:
		require.ErrorIs(t, run(), errGivenUp)
	case 1:
		require.PanicsWithValue(t, "given up", func() { _ = run() })
	default:
		require.NoError(t, run())
	}
}

type operation func(tx store.WriteTx) error

// randomOperations draws from few names, so that operations meet.
type randomOperations struct {
	*rand.Rand
	revision uint64
}

func (r *randomOperations) names() Names {
	var n Names
	for i := range 12 {
		n.Refs = append(n.Refs, r.ref(i))
		n.UIDs = append(n.UIDs, uid(i), uid(100+i))
		n.RefreshKeys = append(n.RefreshKeys, r.key(i))
		n.Settings = append(n.Settings, fmt.Sprint("s", i))
		n.Locations = append(n.Locations, r.locationRef(i, false), r.locationRef(i, true))
	}
	return n
}

func (r *randomOperations) ref(i int) string { return "component:default/" + strings.Repeat("a", i) }
func (r *randomOperations) key(i int) string { return "k" + strings.Repeat("\x01", i) }

func (r *randomOperations) source(i int) store.Source {
	if i%3 == 0 {
		return store.Source{Provider: r.ref(i)}
	}
	return store.Source{Entity: r.ref(i)}
}

func (r *randomOperations) locationRef(i int, long bool) catalog.LocationRef {
	if long {
		return catalog.LocationRef{Type: "url", Target: strings.Repeat("x", 1200+i)}
	}
	return catalog.LocationRef{Type: "url", Target: strings.Repeat("x", i)}
}

func (r *randomOperations) value() []byte {
	size := r.IntN(40)
	if r.IntN(8) == 0 {
		size = r.IntN(20_000)
	}
	return []byte(strings.Repeat(string(rune('a'+r.IntN(26))), size))
}

func (r *randomOperations) state(i int) *store.State {
	s := &store.State{Ref: r.ref(i), UID: uid(i), Parent: r.source(r.IntN(12)), Due: r.IntN(2) == 0, Failures: r.IntN(1000),
		Errors: r.value(), LastDiscovery: r.Int64()}
	if r.IntN(4) == 0 {
		s.UID = uid(100 + i) // that no other state has
	}
	s.Relations = manyRelations(s.Ref, r.IntN(10))
	for range r.IntN(4) {
		s.RefreshKeys = append(s.RefreshKeys, r.key(r.IntN(12)))
	}
	return s
}

func (r *randomOperations) batch(n int) (list []operation) {
	for range n {
		list = append(list, r.operation())
	}
	r.revision++
	revision := r.revision
	return append(list, func(tx store.WriteTx) error { return tx.SetRevision(revision) })
}

// operation draws everything now: both stores get the same.
func (r *randomOperations) operation() operation {
	i, j, v, revision := r.IntN(12), r.IntN(12), r.value(), r.Uint64N(40)
	switch r.IntN(16) {
	case 0, 1:
		s := r.state(i)
		return func(tx store.WriteTx) error { return tx.PutState(s) }
	case 2:
		return r.deleteState(i)
	case 3:
		return func(tx store.WriteTx) error { return tx.PutUnprocessed(r.ref(i), v) }
	case 4:
		return func(tx store.WriteTx) error { return tx.PutProcessed(r.ref(i), v) }
	case 5:
		if r.IntN(3) == 0 {
			v = nil
		}
		return func(tx store.WriteTx) error { return tx.PutCache(r.ref(i), v) }
	case 6:
		return func(tx store.WriteTx) error { return tx.PutDocument(uid(i), revision, v) }
	case 7:
		return func(tx store.WriteTx) error { return tx.DeleteDocument(uid(i)) }
	case 8:
		return func(tx store.WriteTx) error { return tx.PutChild(r.source(i), r.ref(j)) }
	case 9:
		return func(tx store.WriteTx) error { return tx.DeleteChild(r.source(i), r.ref(j)) }
	case 10:
		list := manyRelations(r.ref(i), r.IntN(4))
		return func(tx store.WriteTx) error { return tx.PutReverseRelations(r.ref(i), r.ref(j), list) }
	case 11:
		return func(tx store.WriteTx) error { return tx.PutRefreshKey(r.key(i), r.ref(j)) }
	case 12:
		return func(tx store.WriteTx) error { return tx.DeleteRefreshKey(r.key(i), r.ref(j)) }
	case 13:
		return r.location(i)
	case 14:
		c := &store.Change{Revision: revision, At: r.Int64(), UID: uid(i), Ref: r.ref(i), Deleted: r.IntN(2) == 0}
		if r.IntN(3) > 0 {
			c.Before = v
		}
		return func(tx store.WriteTx) error { return tx.AppendChange(c) }
	}
	return r.trimOrSet(i, v, revision)
}

// deleteState deletes the record as it is found.
func (r *randomOperations) deleteState(i int) operation {
	return func(tx store.WriteTx) error {
		s, err := tx.State(r.ref(i))
		if err != nil || s == nil {
			return err
		}
		return tx.DeleteState(s)
	}
}

// location puts or deletes one of which the ref, short or long, is its own.
func (r *randomOperations) location(i int) operation {
	ref := r.locationRef(i, r.IntN(2) == 0)
	l := catalog.Location{ID: fmt.Sprint(i), Type: ref.Type, Target: ref.Target, EntityRef: r.ref(r.IntN(12))}
	if r.IntN(3) == 0 {
		return func(tx store.WriteTx) error { return tx.DeleteLocation(l) }
	}
	return func(tx store.WriteTx) error { return tx.PutLocation(l) }
}

func (r *randomOperations) trimOrSet(i int, v []byte, revision uint64) operation {
	if r.IntN(2) == 0 {
		return func(tx store.WriteTx) error { return tx.PutSetting(fmt.Sprint("s", i), v) }
	}
	return func(tx store.WriteTx) error {
		_, err := tx.TrimChanges(revision, i)
		return err
	}
}
