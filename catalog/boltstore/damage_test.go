package boltstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
)

// A row is one record as the file has it.
type row struct {
	bucket     string
	key, value []byte
}

func (r row) put(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(r.bucket)).Put(r.key, r.value) })
}

func (r row) delete(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(r.bucket)).Delete(r.key) })
}

// rows lists up to n records of each bucket.
func rows(t *testing.T, db *bbolt.DB, n int) (list []row) {
	t.Helper()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			c, left := b.Cursor(), n
			for k, v := c.First(); k != nil && left > 0; k, v = c.Next() {
				list = append(list, row{string(name), bytes.Clone(k), bytes.Clone(v)})
				left--
			}
			return nil
		})
	}))
	return list
}

// noticed does all that can be done with a damaged store, and tells whether
// anything came of it. It is the place where a panic would arise.
func noticed(t *testing.T, db *bbolt.DB) bool {
	t.Helper()
	s, err := boltstore.New(db)
	if err != nil {
		return true
	}
	err = s.View(func(tx store.ReadTx) error {
		_, err := storetest.Read(tx, storetest.Names{Settings: []string{"fingerprint"}})
		return err
	})
	undone := errors.New("undone")
	written := s.Update(func(tx store.WriteTx) error { // it may succeed or not
		_, trimmed := tx.TrimChanges(3, 10)
		return errors.Join(undone, trimmed, fill(tx, 6))
	})
	require.ErrorIs(t, written, undone)
	return len(violations(t, s)) > 0 || err != nil
}

// damagedStore holds few records, so that each can be damaged in many ways.
func damagedStore(t *testing.T) *bbolt.DB {
	t.Helper()
	db := openDB(t, filePath(t))
	db.NoSync = true // it is thrown away
	require.NoError(t, storeIn(t, db).Update(func(tx store.WriteTx) error { return fill(tx, 4) }))
	require.False(t, noticed(t, db))
	return db
}

// positions are those of a record's bytes, or a fair choice where it is long.
func positions(random *rand.Rand, n int) []int {
	list := random.Perm(n)
	return list[:min(n, 24)]
}

// Nothing but the forms with a hash in their state has a checksum: a flipped
// bit in these buckets can leave what reads as well as before. There it must
// do no harm; everywhere else it must be noticed.
func mayChangeUnnoticed(bucket string) bool {
	switch bucket {
	case "catalog/meta": // settings
	case "catalog/states": // times, failures, location keys and errors stand alone
	case "catalog/processed", "catalog/caches", "catalog/changes": // texts inside of JSON
	case "catalog/locations": // entity refs
	default:
		return false
	}
	return true
}

func TestFlippedBits(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	db := damagedStore(t)
	for _, r := range rows(t, db, 4) {
		for _, at := range positions(random, len(r.value)) {
			damaged := row{r.bucket, r.key, bytes.Clone(r.value)}
			damaged.value[at] ^= 1 << random.IntN(8)
			require.NoError(t, damaged.put(db))
			if !noticed(t, db) {
				require.True(t, mayChangeUnnoticed(r.bucket), "nobody noticed %s %q with byte %d as %#x", r.bucket, r.key, at, damaged.value[at])
			}
			require.NoError(t, r.put(db))
		}
	}
	require.False(t, noticed(t, db), "all damage was mended")
}

func TestFlippedBitsInKeys(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	db := damagedStore(t)
	for _, r := range rows(t, db, 4) {
		for _, at := range positions(random, len(r.key)) {
			damaged := row{r.bucket, bytes.Clone(r.key), r.value}
			damaged.key[at] ^= 1 << random.IntN(8)
			before := rowAt(t, db, damaged)
			require.NoError(t, errors.Join(r.delete(db), damaged.put(db)))
			if !noticed(t, db) {
				// A setting of another name, a cache of another entity, a change of another revision.
				require.Contains(t, []string{"catalog/meta", "catalog/caches", "catalog/changes"}, r.bucket, "nobody noticed %s %q as %q", r.bucket, r.key, damaged.key)
			}
			require.NoError(t, damaged.delete(db))
			if before != nil {
				require.NoError(t, before.put(db))
			}
			require.NoError(t, r.put(db))
		}
	}
	require.False(t, noticed(t, db), "all damage was mended")
}

// rowAt is what the damaged key displaces, nil for nothing.
func rowAt(t *testing.T, db *bbolt.DB, r row) (found *row) {
	t.Helper()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket([]byte(r.bucket)).Get(r.key); v != nil {
			found = &row{r.bucket, bytes.Clone(r.key), bytes.Clone(v)}
		}
		return nil
	}))
	return found
}

func TestTruncatedRecords(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	db := damagedStore(t)
	for _, r := range rows(t, db, 4) {
		for _, size := range positions(random, len(r.value)) {
			require.NoError(t, row{r.bucket, r.key, r.value[:size]}.put(db))
			if !noticed(t, db) {
				// A setting, and a change that then replaced nothing, are as good when shorter.
				require.Contains(t, []string{"catalog/meta", "catalog/changes"}, r.bucket, "nobody noticed %s %q with %d of %d bytes", r.bucket, r.key, size, len(r.value))
			}
			require.NoError(t, r.put(db))
		}
	}
	require.False(t, noticed(t, db), "all damage was mended")
}

func TestMissingRecords(t *testing.T) {
	db := damagedStore(t)
	for _, r := range rows(t, db, 100) {
		require.NoError(t, r.delete(db))
		if !noticed(t, db) {
			require.Contains(t, []string{"catalog/meta", "catalog/caches", "catalog/changes"}, r.bucket, "nobody noticed that %s %q is missing", r.bucket, r.key)
		}
		require.NoError(t, r.put(db))
	}
	require.False(t, noticed(t, db), "all damage was mended")
}

// A length that damage has made gigantic must not be believed.
func TestDamagedLengthsAllocateNothing(t *testing.T) {
	db := damagedStore(t)
	huge := []byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0} // 4 GiB, packed
	for _, bucket := range []string{"catalog/unprocessed", "catalog/processed", "catalog/caches"} {
		require.NoError(t, row{bucket, []byte(componentRef(1)), huge}.put(db))
	}
	s := storeIn(t, db)
	require.NoError(t, s.View(func(tx store.ReadTx) error {
		for _, get := range []func(string) ([]byte, error){tx.Unprocessed, tx.Processed, tx.Cache} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := get(componentRef(1))
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, "damaged record")
			require.Nil(t, got)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(store.MaxFormBytes))
		}
		return nil
	}))
	require.Contains(t, fmt.Sprint(violations(t, s)), "catalog/caches of "+componentRef(1))
}
