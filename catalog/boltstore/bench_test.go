package boltstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

const benchEntities = 10_000

func benchStore(b *testing.B) *boltstore.Store {
	b.Helper()
	s := newStore(b)
	require.NoError(b, s.Update(func(tx store.WriteTx) error { return fill(tx, benchEntities) }))
	b.ReportAllocs()
	return s
}

// BenchmarkUpdate writes all records of 1000 entities that exist, in one
// transaction, with its sync.
func BenchmarkUpdate(b *testing.B) {
	const batch = 1000
	s, n := benchStore(b), 0
	for b.Loop() {
		require.NoError(b, s.Update(func(tx store.WriteTx) error {
			for range batch {
				if err := putComponent(tx, n%benchEntities, tx.Revision()+1); err != nil {
					return err
				}
				n++
			}
			_, err := tx.TrimChanges(tx.Revision()-benchEntities, batch)
			return err
		}))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/entity")
}

// BenchmarkUpdateOne is the least that a commit costs.
func BenchmarkUpdateOne(b *testing.B) {
	s, n := benchStore(b), 0
	for b.Loop() {
		n++
		require.NoError(b, s.Update(func(tx store.WriteTx) error { return putComponent(tx, n%benchEntities, tx.Revision()+1) }))
	}
}

func BenchmarkViewDocument(b *testing.B) {
	s, n, size := benchStore(b), 0, 0
	for b.Loop() {
		n = (n + 7919) % benchEntities
		err := s.View(func(tx store.ReadTx) error {
			doc, _ := tx.Document(uid(100 + n))
			size += len(doc)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	require.Positive(b, size)
}

// BenchmarkView20Documents is a page of a list.
func BenchmarkView20Documents(b *testing.B) {
	s, n, size := benchStore(b), 0, 0
	for b.Loop() {
		n = (n + 7919) % benchEntities
		err := s.View(func(tx store.ReadTx) error {
			for i := range 20 {
				doc, _ := tx.Document(uid(100 + (n+i*31)%benchEntities))
				size += len(doc)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	require.Positive(b, size)
}

func BenchmarkStates(b *testing.B) {
	s := benchStore(b)
	for b.Loop() {
		count := 0
		require.NoError(b, s.View(func(tx store.ReadTx) error {
			return tx.States("", func(*store.State) bool {
				count++
				return true
			})
		}))
		require.Equal(b, benchEntities+1, count)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchEntities, "ns/state")
}

func BenchmarkCheck(b *testing.B) {
	s := benchStore(b)
	for b.Loop() {
		require.Empty(b, violations(b, s))
	}
}
