package boltevents_test

import (
	"path/filepath"
	"testing"

	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/eventbus/boltevents"
	"github.com/greenroom-idp/greenroom/api/eventbus/bustest"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	var db *bbolt.DB
	bustest.TestStore(t, func() eventbus.Store {
		if db != nil {
			require.NoError(t, db.Close())
		}
		var err error
		db, err = bbolt.Open(path, 0o600, nil)
		require.NoError(t, err)
		s, err := boltevents.Open(db)
		require.NoError(t, err)
		return s
	})
	require.NoError(t, boltevents.Check(db, func(v string) { t.Error(v) }))
	require.NoError(t, db.Close())
}

// What is broken in the file is named, and not taken for something else.
func TestBrokenEvents(t *testing.T) {
	for name, entry := range map[string]struct{ bucket, key, value string }{
		"a value that is too short": {"events", "\x00\x00\x00\x00\x00\x00\x00\x01", "\x00"},
		"a head beyond the value":   {"events", "\x00\x00\x00\x00\x00\x00\x00\x01", "\xff\xff\xff\xff{}"},
		"a head that is no JSON":    {"events", "\x00\x00\x00\x00\x00\x00\x00\x01", "\x00\x00\x00\x02xx"},
		"a key that is no sequence": {"events", "1", "\x00\x00\x00\x02{}"},
		"a subscription":            {"subscriptions", "s", "{"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := bbolt.Open(filepath.Join(t.TempDir(), "events.db"), 0o600, nil)
			require.NoError(t, err)
			defer db.Close()
			s, err := boltevents.Open(db)
			require.NoError(t, err)
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("eventbus")).Bucket([]byte(entry.bucket)).Put([]byte(entry.key), []byte(entry.value))
			}))
			_, _, err = s.Load()
			require.ErrorContains(t, err, "stored ")
			var found []string
			require.NoError(t, boltevents.Check(db, func(v string) { found = append(found, v) }))
			require.Len(t, found, 1)
			require.Contains(t, found[0], "stored ")
		})
	}
}
