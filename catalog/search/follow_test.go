package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
	"github.com/stretchr/testify/require"
)

// A ledger is a store that is written to as the engine does.
type ledger struct {
	*storetest.Memory
	t testing.TB
}

func newLedger(t testing.TB) *ledger { return &ledger{storetest.NewMemory(), t} }

func uidOf(n int) (u catalog.UID) {
	copy(u[8:], fmt.Sprintf("%08d", n))
	return u
}

// put stores the n-th entity under a description, "" removes it.
func (l *ledger) put(n int, description string) {
	l.t.Helper()
	name := fmt.Sprint("entity-", n)
	require.NoError(l.t, l.Update(func(tx store.WriteTx) error {
		revision := tx.Revision() + 1
		c := &store.Change{Revision: revision, UID: uidOf(n), Ref: "component:default/" + name, Deleted: description == ""}
		err := tx.DeleteDocument(c.UID)
		if description != "" {
			err = tx.PutDocument(c.UID, revision, fmt.Appendf(nil,
				`{"kind":"Component","metadata":{"name":%q,"description":%q},"spec":{}}`, name, description))
		}
		return errors.Join(err, tx.AppendChange(c), tx.SetRevision(revision))
	}))
}

func (l *ledger) trim() {
	require.NoError(l.t, l.Update(func(tx store.WriteTx) error {
		_, err := tx.TrimChanges(tx.Revision(), 1<<30)
		return err
	}))
}

func newFollower(l *ledger) *follower {
	return &follower{FollowOptions: FollowOptions{Store: l, Index: New(), Location: DefaultLocation, Logger: slog.New(slog.DiscardHandler)}}
}

func (f *follower) texts(t testing.TB) map[string]string {
	r, err := Find(context.Background(), []Scope{{Snapshot: f.Index.Snapshot()}}, Query{Limit: 10_000})
	require.NoError(t, err)
	out := map[string]string{}
	for _, h := range r.Hits {
		o, err := jsonvalue.ParseObject(h.Body)
		require.NoError(t, err)
		out[o.String("title")] = o.String("text")
	}
	return out
}

func TestFollowerKeepsUp(t *testing.T) {
	l := newLedger(t)
	l.put(1, "first")
	l.put(2, "second")
	f := newFollower(l)
	require.NoError(t, f.fill(t.Context()))
	require.Equal(t, map[string]string{"entity-1": "first", "entity-2": "second"}, f.texts(t))

	l.put(1, "other")
	l.put(2, "")
	l.put(3, "third")
	l.put(3, "")
	l.put(3, "third again")
	more, err := f.round(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, map[string]string{"entity-1": "other", "entity-3": "third again"}, f.texts(t))

	before := f.Index.Snapshot()
	more, err = f.round(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	require.Same(t, before, f.Index.Snapshot(), "nothing new changes nothing")
}

func TestFollowerBehindTheLogBeginsAnew(t *testing.T) {
	l := newLedger(t)
	l.put(1, "first")
	f := newFollower(l)
	require.NoError(t, f.fill(t.Context()))
	l.put(1, "")
	l.put(2, "second")
	l.trim()
	_, err := f.round(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"entity-2": "second"}, f.texts(t), "all of the log is gone")

	l.put(2, "")
	l.trim()
	l.put(3, "third")
	_, err = f.round(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"entity-3": "third"}, f.texts(t), "a part of the log is gone")
}

func TestFollowerTakesManyChangesInRounds(t *testing.T) {
	l := newLedger(t)
	f := newFollower(l)
	require.NoError(t, f.fill(t.Context()))
	want, n := map[string]string{}, followChunk+10
	require.NoError(t, l.Update(func(tx store.WriteTx) error {
		for i := range n {
			name := fmt.Sprint("entity-", i)
			want[name] = "many"
			c := &store.Change{Revision: uint64(i + 1), UID: uidOf(i), Ref: "component:default/" + name}
			if err := errors.Join(tx.AppendChange(c), tx.PutDocument(c.UID, c.Revision, fmt.Appendf(nil,
				`{"kind":"Component","metadata":{"name":%q,"description":"many"},"spec":{}}`, name))); err != nil {
				return err
			}
		}
		return tx.SetRevision(uint64(n))
	}))
	more, err := f.round(t.Context())
	require.NoError(t, err)
	require.True(t, more)
	more, err = f.round(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, want, f.texts(t))
}

// Whatever happens, in whatever portions, the index ends equal to the store.
func TestFollowerAgreesWithTheStore(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	l, model := newLedger(t), map[string]string{}
	f := newFollower(l)
	require.NoError(t, f.fill(t.Context()))
	for range 120 {
		for range r.IntN(5) {
			n, text := r.IntN(20), pick(r, verbs)
			name := fmt.Sprint("entity-", n)
			if model[name] = text; r.IntN(3) == 0 {
				text = ""
				delete(model, name)
			}
			l.put(n, text)
		}
		if r.IntN(10) == 0 {
			l.trim()
		}
		_, err := f.round(t.Context())
		require.NoError(t, err)
		require.Equal(t, model, f.texts(t))
	}
}

// A meddler changes the store between two looks at it.
type meddler struct {
	*ledger
	looks int
	do    func(look int)
}

func (m *meddler) View(fn func(store.ReadTx) error) error {
	m.looks++
	m.do(m.looks)
	return m.ledger.View(fn)
}

func TestChangesWhileTheIndexIsFilled(t *testing.T) {
	l := newLedger(t)
	want := map[string]string{}
	for n := range readChunk + 2 {
		l.put(n, "old")
		want[fmt.Sprint("entity-", n)] = "old"
	}
	f := newFollower(l)
	f.Store = &meddler{ledger: l, do: func(look int) {
		switch look {
		case 2: // the entities are known, and none is read
			l.put(0, "")
			l.put(1, "new")
			l.put(readChunk+1, "new")
		case 3: // all but two are read
			l.put(2, "new")
			l.put(readChunk, "")
			l.put(readChunk+2, "new")
		}
	}}
	require.NoError(t, f.fill(t.Context()))
	for more := true; more; {
		var err error
		more, err = f.round(t.Context())
		require.NoError(t, err)
	}
	delete(want, "entity-0")
	delete(want, fmt.Sprint("entity-", readChunk))
	for _, n := range []int{1, 2, readChunk + 1, readChunk + 2} {
		want[fmt.Sprint("entity-", n)] = "new"
	}
	require.Equal(t, want, f.texts(t))
}

func TestFollow(t *testing.T) {
	l := newLedger(t)
	l.put(1, "kept")
	l.put(2, "left out")
	require.NoError(t, l.Update(func(tx store.WriteTx) error {
		return tx.PutDocument(uidOf(3), 2, []byte(`no JSON`))
	}))
	ctx, cancel := context.WithCancel(t.Context())
	x, done := New(), make(chan error, 1)
	go func() {
		done <- Follow(ctx, FollowOptions{Store: l, Index: x, Keep: func(e catalog.Entity) bool {
			return e.Metadata().String("description") == "kept"
		}}, nil)
	}()
	<-x.Filled()
	require.Equal(t, 1, x.Snapshot().Len(), "an entity that cannot be read does not keep the others out")
	cancel()
	require.NoError(t, <-done)
}

func TestFollowSaysThatTheStoreFailed(t *testing.T) {
	failed := errors.New("disk")
	require.ErrorIs(t, Follow(t.Context(), FollowOptions{Store: failingStore{failed}, Index: New()}, nil), failed)
}

type failingStore struct{ err error }

func (s failingStore) View(func(store.ReadTx) error) error { return s.err }
