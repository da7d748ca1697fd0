package boltstore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
)

// openStore opens a file for the length of a test.
func openStore(t testing.TB, path string) *boltstore.Store {
	t.Helper()
	db, err := boltstore.OpenFile(path, false)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s, err := boltstore.New(db)
	require.NoError(t, err)
	return s
}

func newStore(t testing.TB) *boltstore.Store {
	return openStore(t, filepath.Join(t.TempDir(), "store.db"))
}

func TestStoreKeepsThePromisesOfStores(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t) })
}
