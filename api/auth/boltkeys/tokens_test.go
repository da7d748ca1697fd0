package boltkeys_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func TestPluginKeysAreApart(t *testing.T) {
	s, db := open(t)
	catalog, search := s.Plugin("catalog"), s.Plugin("search")
	keys, err := catalog.Keys(t.Context())
	require.NoError(t, err)
	assert.Empty(t, keys)
	a, b := key("a", created.Add(time.Hour)), key("b", created.Add(time.Hour))
	require.NoError(t, catalog.PutKey(t.Context(), a, created))
	require.NoError(t, search.PutKey(t.Context(), b, created))
	s, err = boltkeys.Open(db) // as after a restart
	require.NoError(t, err)
	for _, tc := range []struct {
		store auth.KeyStore
		want  []auth.PublicKey
	}{{s.Plugin("catalog"), []auth.PublicKey{a}}, {s.Plugin("search"), []auth.PublicKey{b}}, {s, nil}} {
		got, err := tc.store.Keys(t.Context())
		require.NoError(t, err)
		assert.Equal(t, tc.want, got)
	}
	last := key("last", created.Add(5*time.Hour))
	require.NoError(t, catalog.PutKey(t.Context(), last, created.Add(2*time.Hour)))
	got, err := catalog.Keys(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []auth.PublicKey{last}, got, "expired keys go when one is added")
	assert.Error(t, s.Plugin("").PutKey(t.Context(), a, created), "a plugin without a name")
}

func TestKeysOfOtherAlgorithms(t *testing.T) {
	s, _ := open(t)
	k := auth.PublicKey{ID: "rsa", Algorithm: "RS256", DER: []byte{1, 2, 3}, Created: created, Expires: created.Add(time.Hour)}
	require.NoError(t, s.PutKey(t.Context(), k, created))
	got, err := s.Keys(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []auth.PublicKey{k}, got)
}

func TestServiceTokens(t *testing.T) {
	s, db := open(t)
	r := servicetokens.Record{ID: "a", Subject: "ci", Hash: []byte("hash"), Created: created, Expires: created.Add(time.Hour), CreatedBy: "admin",
		Restrictions: []auth.Restriction{{Plugin: "catalog", Permissions: []string{"p"}, Actions: []string{"read"}}}}
	bare := servicetokens.Record{ID: "b", Subject: "ci", Hash: []byte("hash"), Created: created, CreatedBy: "admin"}
	require.NoError(t, s.PutToken(t.Context(), r))
	require.NoError(t, s.PutToken(t.Context(), bare))
	s, err := boltkeys.Open(db)
	require.NoError(t, err)
	got, err := s.Tokens(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []servicetokens.Record{r, bare}, got)
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	require.NoError(t, s.DeleteToken(t.Context(), "a"), "what is not there is gone")
	got, err = s.Tokens(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []servicetokens.Record{bare}, got)

	put(t, db, "tokens", "c", `{"id":"c"`)
	_, err = s.Tokens(t.Context())
	assert.ErrorContains(t, err, "service token c")
	put(t, db, "tokens", "c", `{"id":"d"}`)
	_, err = s.Tokens(t.Context())
	assert.ErrorContains(t, err, `service token c is recorded as "d"`)
}

// Files of releases before there were tokens have no bucket for them.
func TestTokensOfAnOlderStore(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "x.db"))
	defer func() { assert.NoError(t, db.Close()) }()
	got, err := boltkeys.ReadTokens(db)
	require.NoError(t, err)
	assert.Empty(t, got)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("auth"))
		return err
	}))
	got, err = boltkeys.ReadTokens(db)
	require.NoError(t, err)
	assert.Empty(t, got)
}
