package boltgrants_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/api/auth/oauthserver"
	"github.com/greenroom-idp/greenroom/api/auth/oauthserver/boltgrants"
)

func open(t *testing.T, path string) (*boltgrants.Store, *bbolt.DB) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	s, err := boltgrants.Open(db)
	require.NoError(t, err)
	return s, db
}

func all(t *testing.T, s *boltgrants.Store, k oauthserver.Kind) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, s.View(t.Context(), func(tx oauthserver.Tx) error {
		for id, data := range tx.All(k) {
			out[id] = string(data)
		}
		return nil
	}))
	return out
}

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s, db := open(t, path)
	require.NoError(t, s.Update(t.Context(), func(tx oauthserver.Tx) error {
		return errors.Join(tx.Put(oauthserver.Codes, "a", []byte("1")), tx.Put(oauthserver.Codes, "b", []byte("2")), tx.Put(oauthserver.Grants, "a", []byte("3")))
	}))
	fault := errors.New("no")
	require.ErrorIs(t, s.Update(t.Context(), func(tx oauthserver.Tx) error {
		return errors.Join(tx.Delete(oauthserver.Codes, "a"), tx.Put(oauthserver.Clients, "c", []byte("4")), fault)
	}), fault)
	require.NoError(t, s.Update(t.Context(), func(tx oauthserver.Tx) error {
		require.Equal(t, "2", string(tx.Get(oauthserver.Codes, "b")))
		require.Nil(t, tx.Get(oauthserver.Codes, ""))
		require.Nil(t, tx.Get(oauthserver.Sessions, "a"))
		return errors.Join(tx.Delete(oauthserver.Codes, "b"), tx.Delete(oauthserver.Codes, "unknown"))
	}))
	require.NoError(t, db.Close())

	s, db = open(t, path)
	defer db.Close()
	require.Equal(t, map[string]string{"a": "1"}, all(t, s, oauthserver.Codes), "what failed is not stored, and the rest is")
	require.Equal(t, map[string]string{"a": "3"}, all(t, s, oauthserver.Grants))
	require.Empty(t, all(t, s, oauthserver.Clients))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Update(gone, func(oauthserver.Tx) error { return nil }), context.Canceled)
	require.ErrorIs(t, s.View(gone, func(oauthserver.Tx) error { return nil }), context.Canceled)
}
