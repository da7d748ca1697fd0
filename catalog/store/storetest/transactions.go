package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/store"
)

func testTransactions(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"what was committed is seen by the next", testCommitted},
		{"a transaction reads its own writes", testOwnWrites},
		{"an error is returned, and undoes everything", testError},
		{"a panic is passed on, and undoes everything", testPanic},
		{"a reader's error is returned, its panic passed on", testReaderFails},
		{"a reader keeps its state while others commit", testReaderKeepsState},
		{"nobody sees what is not committed", testUncommitted},
		{"there is one writer at a time", testOneWriter},
		{"an update that writes nothing changes nothing", testIdleUpdate},
		{"equal puts change nothing", testEqualPuts},
	})
}

func testCommitted(t *testing.T, s store.Store) {
	want := NewMemory()
	for variant := range 3 {
		update(t, s, func(tx store.WriteTx) { writeSample(t, tx, variant) })
		update(t, want, func(tx store.WriteTx) { writeSample(t, tx, variant) })
		require.Equal(t, contents(t, want, sampleNames()), contents(t, s, sampleNames()))
	}
}

func testOwnWrites(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	var within *Contents
	update(t, s, func(tx store.WriteTx) {
		writeSample(t, tx, 2)
		within = read(t, tx, sampleNames())
	})
	require.Equal(t, within, contents(t, s, sampleNames()))
	require.Equal(t, uint64(12), within.Revision, "it did write")
}

func testError(t *testing.T, s store.Store) {
	broken := errors.New("broken")
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	before := contents(t, s, sampleNames())
	err := s.Update(func(tx store.WriteTx) error {
		writeSample(t, tx, 2)
		return fmt.Errorf("it is %w", broken)
	})
	require.ErrorIs(t, err, broken)
	require.Equal(t, before, contents(t, s, sampleNames()))
	stillWrites(t, s)
}

// stillWrites would wait for ever if a writer were still in.
func stillWrites(t *testing.T, s store.Store) {
	t.Helper()
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 9) })
	require.Equal(t, uint64(19), contents(t, s, sampleNames()).Revision)
}

func testPanic(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	before := contents(t, s, sampleNames())
	require.PanicsWithValue(t, "broken", func() {
		_ = s.Update(func(tx store.WriteTx) error {
			writeSample(t, tx, 2)
			panic("broken")
		})
	})
	require.Equal(t, before, contents(t, s, sampleNames()))
	stillWrites(t, s)
}

func testReaderFails(t *testing.T, s store.Store) {
	broken := errors.New("broken")
	require.ErrorIs(t, s.View(func(store.ReadTx) error { return broken }), broken)
	require.PanicsWithValue(t, "broken", func() { _ = s.View(func(store.ReadTx) error { panic("broken") }) })
	stillWrites(t, s)
}

// The update runs inside the reader, so a store whose writer waits for readers
// never comes to an end here.
func testReaderKeepsState(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	view(t, s, func(tx store.ReadTx) {
		before := read(t, tx, sampleNames())
		for variant := range 5 {
			update(t, s, func(tx store.WriteTx) {
				_, err := tx.TrimChanges(100, 100)
				ok(t, err, tx.DeleteState(&store.State{Ref: "component:default/a", UID: uid(1)}), tx.DeleteDocument(uid(1)))
				writeSample(t, tx, 10+variant)
			})
			require.Equal(t, before, read(t, tx, sampleNames()))
			view(t, s, func(later store.ReadTx) { require.Equal(t, uint64(20+variant), later.Revision()) })
		}
	})
}

func testUncommitted(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	before := contents(t, s, sampleNames())
	update(t, s, func(tx store.WriteTx) {
		writeSample(t, tx, 2)
		require.Equal(t, before, contents(t, s, sampleNames()), "a reader beside the writer sees the state before")
	})
	require.Equal(t, uint64(12), contents(t, s, sampleNames()).Revision)
}

// Were two writers in at once, both would read the same number.
func testOneWriter(t *testing.T, s store.Store) {
	const writers, rounds = 4, 25
	errs := make(chan error, writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range rounds {
				if err := s.Update(increment); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	view(t, s, func(tx store.ReadTx) {
		require.Equal(t, strconv.Itoa(writers*rounds), string(tx.Setting("count")))
		require.Equal(t, uint64(writers*rounds), tx.Revision())
	})
}

func increment(tx store.WriteTx) error {
	n, _ := strconv.Atoi(string(tx.Setting("count")))
	if uint64(n) != tx.Revision() {
		return fmt.Errorf("count %d and revision %d are not of one transaction", n, tx.Revision())
	}
	return errors.Join(tx.PutSetting("count", strconv.AppendInt(nil, int64(n+1), 10)), tx.SetRevision(uint64(n+1)))
}

func testIdleUpdate(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	before := contents(t, s, sampleNames())
	update(t, s, func(store.WriteTx) {})
	require.Equal(t, before, contents(t, s, sampleNames()))
}

func testEqualPuts(t *testing.T, s store.Store) {
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	before := contents(t, s, sampleNames())
	update(t, s, func(tx store.WriteTx) {
		writeSample(t, tx, 1)
		writeSample(t, tx, 1)
	})
	require.Equal(t, before, contents(t, s, sampleNames()))
}
