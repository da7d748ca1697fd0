package boltstore_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/ingest/boltstore"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

func openAt(t *testing.T, path string) (*boltstore.Store, *bbolt.DB) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	s, err := boltstore.Open(db)
	require.NoError(t, err)
	return s, db
}

func open(t *testing.T) (*boltstore.Store, *bbolt.DB) {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "test.db"))
}

func violations(t *testing.T, s *boltstore.Store) (out []string) {
	t.Helper()
	require.NoError(t, s.Check(func(v string) { out = append(out, v) }))
	return out
}

var at = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func TestProviders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, db := openAt(t, path)
	record := provider.Record{
		Fingerprint: "f", LastRun: &provider.Run{Started: at, Millis: 1200, Result: provider.ResultHeld, Listed: 3},
		LastSuccess: at, NextRun: at.Add(time.Hour), Failures: 2, LastError: &provider.Failure{At: at, Message: "down"},
	}
	held := provider.Held{Since: at, Seen: at.Add(time.Hour), Before: 100, Listed: 3, Removals: []string{"location:default/a", "location:default/b"}}
	require.NoError(t, s.PutRecord("github-provider:default", record))
	require.NoError(t, s.PutRecord("other", provider.Record{}))
	require.NoError(t, s.PutHeld("github-provider:default", &held))
	require.NoError(t, db.Close())

	s, _ = openAt(t, path)
	records, err := s.Records()
	require.NoError(t, err)
	require.Equal(t, map[string]provider.Record{"github-provider:default": record, "other": {}}, records)
	all, err := s.Held()
	require.NoError(t, err)
	require.Equal(t, map[string]provider.Held{"github-provider:default": held}, all)
	require.Empty(t, violations(t, s))

	require.NoError(t, s.PutHeld("github-provider:default", nil))
	require.NoError(t, s.PutHeld("github-provider:default", nil), "to delete what is not there is no error")
	require.NoError(t, s.Forget("other"))
	all, err = s.Held()
	require.NoError(t, err)
	require.Empty(t, all)
	records, err = s.Records()
	require.NoError(t, err)
	require.Len(t, records, 1)
}

func delivery(n int) webhook.Delivery {
	return webhook.Delivery{
		Source: "github", Event: "push", ID: fmt.Sprint("id-", n), Instance: "https://forge.example", Lane: fmt.Sprint("acme/", n), Received: at, Body: []byte(`{"a":"\u0000"}`),
	}
}

func pending(t *testing.T, s *boltstore.Store) (out []uint64) {
	t.Helper()
	require.NoError(t, s.Pending(func(p webhook.Stored) bool {
		out = append(out, p.Sequence)
		return true
	}))
	return out
}

func TestDeliveries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, db := openAt(t, path)
	for n := 1; n <= 4; n++ {
		stored, known, err := s.Append(delivery(n))
		require.NoError(t, err)
		require.False(t, known)
		require.Equal(t, webhook.Stored{Sequence: uint64(n), Lane: delivery(n).Lane, Bytes: len(delivery(n).Body)}, stored)
	}
	require.NoError(t, s.Remove([]uint64{2}))
	require.NoError(t, s.Reject(3))
	require.NoError(t, db.Close())

	s, _ = openAt(t, path)
	require.Equal(t, []uint64{1, 4}, pending(t, s))
	d, found, err := s.Delivery(4)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, delivery(4), d)
	_, found, err = s.Delivery(2)
	require.NoError(t, err)
	require.False(t, found)
	for n, want := range map[int]bool{1: true, 2: true, 3: false, 4: true} {
		_, known, err := s.Append(delivery(n))
		require.NoError(t, err)
		require.Equal(t, want, known, "delivery %d", n)
	}
	other := delivery(1)
	other.Source = "gitlab"
	_, known, err := s.Append(other)
	require.NoError(t, err)
	require.False(t, known, "ids are unique within a source")
	require.Equal(t, []uint64{1, 4, 5, 6}, pending(t, s), "sequences are not given twice")
	require.Empty(t, violations(t, s))
}

func TestOldIDsAreForgotten(t *testing.T) {
	s, db := open(t)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("ingest/deliveries")).SetSequence(0)
	}))
	_, _, err := s.Append(delivery(1))
	require.NoError(t, err)
	require.NoError(t, s.Remove([]uint64{1}))
	// Nobody waits for 50,000 deliveries: the count goes on from there.
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("ingest/deliveries")).SetSequence(49_999)
	}))
	_, _, err = s.Append(delivery(2))
	require.NoError(t, err)
	_, known, err := s.Append(delivery(1))
	require.NoError(t, err)
	require.True(t, known, "50,000 are remembered")
	_, _, err = s.Append(delivery(3))
	require.NoError(t, err)
	_, known, err = s.Append(delivery(1))
	require.NoError(t, err)
	require.False(t, known, "and not one more")
	require.Empty(t, violations(t, s))
}

func TestCheckNoticesDamage(t *testing.T) {
	cases := []struct {
		name, bucket string
		damage       func(b *bbolt.Bucket) error
	}{
		{"a record that is no JSON", "records", func(b *bbolt.Bucket) error { return b.Put([]byte("p"), []byte("{")) }},
		{"a held listing that is no JSON", "held", func(b *bbolt.Bucket) error { return b.Put([]byte("p"), []byte("{")) }},
		{"a delivery cut short", "deliveries", func(b *bbolt.Bucket) error { return b.Put(sequence(1), []byte{0, 0, 0}) }},
		{"a header beyond the end", "deliveries", func(b *bbolt.Bucket) error { return b.Put(sequence(1), []byte{255, 255, 255, 255, '{'}) }},
		{"a header that is no JSON", "deliveries", func(b *bbolt.Bucket) error { return b.Put(sequence(1), []byte{0, 0, 0, 1, '{'}) }},
		{"a key that is no sequence", "deliveries", func(b *bbolt.Bucket) error { return b.Put([]byte("x"), []byte{0, 0, 0, 2, '{', '}'}) }},
		{"an id that is missing", "ids", func(b *bbolt.Bucket) error { return b.Delete([]byte("github\x00id-1")) }},
		{"an id of nothing", "ids", func(b *bbolt.Bucket) error { return b.Put([]byte("github\x00id-9"), sequence(9)) }},
		{"an order of nothing", "order", func(b *bbolt.Bucket) error { return b.Put(sequence(9), []byte("github\x00id-9")) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, db := open(t)
			_, _, err := s.Append(delivery(1))
			require.NoError(t, err)
			require.NoError(t, s.PutRecord("github-provider:default", provider.Record{}))
			require.Empty(t, violations(t, s))
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				return c.damage(tx.Bucket([]byte("ingest/" + c.bucket)))
			}))
			require.NotEmpty(t, violations(t, s))
		})
	}
}

func sequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func TestCheckOfADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	fail := func(v string) { t.Error(v) }
	require.NoError(t, boltstore.Check(db, fail), "there need not be any records")
	_, err = boltstore.Open(db)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	require.NoError(t, err)
	require.NoError(t, boltstore.Check(db, fail), "nor a database that can be written")
	require.NoError(t, db.Close())
	db, err = bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("ingest/ids")) }))
	require.ErrorContains(t, boltstore.Check(db, fail), "ingest/ids")
}

func TestAnotherFormatIsRefused(t *testing.T) {
	_, db := open(t)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("ingest/meta")).Put([]byte("format"), []byte{0, 0, 0, 2})
	}))
	_, err := boltstore.Open(db)
	require.ErrorIs(t, err, boltstore.ErrFormat)
}

func FuzzDelivery(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, '{', '}', 'x'})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, db := open(t)
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("ingest/deliveries")).Put(sequence(1), data)
		}))
		d, found, err := s.Delivery(1)
		if err != nil {
			require.False(t, found)
			require.NotEmpty(t, violations(t, s))
			return
		}
		require.LessOrEqual(t, len(d.Body), len(data))
	})
}
