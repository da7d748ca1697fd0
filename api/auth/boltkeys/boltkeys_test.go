package boltkeys_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func key(id string, expires time.Time) auth.PublicKey {
	return auth.PublicKey{ID: id, Point: bytes.Repeat([]byte{4}, 65), Created: created, Expires: expires}
}

func openDB(t *testing.T, path string) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	require.NoError(t, err)
	return db
}

// open returns a store in a database of its own.
func open(t *testing.T) (*boltkeys.Store, *bbolt.DB) {
	t.Helper()
	db := openDB(t, filepath.Join(t.TempDir(), "x.db"))
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	s, err := boltkeys.Open(db)
	require.NoError(t, err)
	return s, db
}

// put writes into a bucket of the store behind its back.
func put(t *testing.T, db *bbolt.DB, bucket, k, v string) {
	t.Helper()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("auth")).Bucket([]byte(bucket)).Put([]byte(k), []byte(v))
	}))
}

func TestKeys(t *testing.T) {
	s, _ := open(t)
	keys, err := s.Keys(t.Context())
	require.NoError(t, err)
	assert.Empty(t, keys)

	soon, later := key("soon", created.Add(time.Hour)), key("later", created.Add(3*time.Hour))
	require.NoError(t, s.PutKey(t.Context(), soon, created))
	require.NoError(t, s.PutKey(t.Context(), later, created))
	require.NoError(t, s.PutKey(t.Context(), later, created), "twice the same is one")
	keys, err = s.Keys(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []auth.PublicKey{soon, later}, keys)

	last := key("last", created.Add(5*time.Hour))
	require.NoError(t, s.PutKey(t.Context(), last, soon.Expires), "at its end a key is still there")
	keys, err = s.Keys(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, []auth.PublicKey{soon, later, last}, keys)
	require.NoError(t, s.PutKey(t.Context(), last, later.Expires.Add(time.Nanosecond)))
	keys, err = s.Keys(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []auth.PublicKey{last}, keys, "expired keys go when one is added")
}

func TestUsers(t *testing.T) {
	s, _ := open(t)
	_, ok, err := s.User(t.Context(), "user:default/jane")
	require.NoError(t, err)
	assert.False(t, ok)
	jane := auth.UserInfo{Subject: "user:default/jane", Ownership: []string{"user:default/jane", "group:default/a"}}
	require.NoError(t, s.PutUser(t.Context(), jane))
	require.NoError(t, s.PutUser(t.Context(), auth.UserInfo{Subject: "user:default/Jane"}), "refs are compared as they are")
	got, ok, err := s.User(t.Context(), jane.Subject)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, jane, got)
	jane.Ownership = nil
	require.NoError(t, s.PutUser(t.Context(), jane))
	got, _, err = s.User(t.Context(), jane.Subject)
	require.NoError(t, err)
	assert.Equal(t, jane, got, "the last sign-in counts")

	assert.Error(t, s.PutUser(t.Context(), auth.UserInfo{}), "a user without a name")
	assert.Error(t, s.PutUser(t.Context(), auth.UserInfo{Subject: strings.Repeat("x", bbolt.MaxKeySize+1)}), "one whose name is too long for a key")
	_, ok, err = s.User(t.Context(), "")
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestEqualRecordsAreNotWrittenAgain(t *testing.T) {
	s, db := open(t)
	jane := auth.UserInfo{Subject: "user:default/jane", Ownership: []string{"a"}}
	require.NoError(t, s.PutUser(t.Context(), jane))
	writes := func() (id int) {
		require.NoError(t, db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }))
		return id
	}
	before := writes()
	require.NoError(t, s.PutUser(t.Context(), jane))
	assert.Equal(t, before, writes())
	jane.Ownership = []string{"b"}
	require.NoError(t, s.PutUser(t.Context(), jane))
	assert.Greater(t, writes(), before)
}

func TestReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := openDB(t, path)
	s, err := boltkeys.Open(db)
	require.NoError(t, err)
	k, jane := key("k", created.Add(time.Hour)), auth.UserInfo{Subject: "user:default/jane", Ownership: []string{"a"}}
	require.NoError(t, s.PutKey(t.Context(), k, created))
	require.NoError(t, s.PutUser(t.Context(), jane))
	require.NoError(t, db.Close())

	db = openDB(t, path)
	defer func() { assert.NoError(t, db.Close()) }()
	s, err = boltkeys.Open(db)
	require.NoError(t, err)
	keys, err := s.Keys(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []auth.PublicKey{k}, keys)
	got, ok, err := s.User(t.Context(), jane.Subject)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, jane, got)
}

// Records of the first format, which later releases must still read.
func TestRecordsOfTheFirstFormat(t *testing.T) {
	const path = "testdata/format1.json"
	_, db := open(t)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var records = strings.Split(strings.TrimSpace(string(raw)), "\n")
	require.Len(t, records, 2)
	put(t, db, "keys", "6b5a", records[0])
	put(t, db, "users", "user:default/jane", records[1])
	s, err := boltkeys.Open(db)
	require.NoError(t, err)
	keys, err := s.Keys(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []auth.PublicKey{key("6b5a", created.Add(3*time.Hour))}, keys)
	jane, ok, err := s.User(t.Context(), "user:default/jane")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, auth.UserInfo{Subject: "user:default/jane", Ownership: []string{"user:default/jane"}}, jane)
}

func TestWhatIsNotOursStays(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "x.db"))
	defer func() { assert.NoError(t, db.Close()) }()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("entities"))
		require.NoError(t, err)
		return b.Put([]byte("a"), []byte("b"))
	}))
	s, err := boltkeys.Open(db)
	require.NoError(t, err)
	require.NoError(t, s.PutKey(t.Context(), key("k", created), created))
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		assert.Equal(t, []byte("b"), tx.Bucket([]byte("entities")).Get([]byte("a")))
		return nil
	}))
}

// A damaged record is an error that names it, not a user who owns nothing.
func TestDamage(t *testing.T) {
	s, db := open(t)
	require.NoError(t, s.PutUser(t.Context(), auth.UserInfo{Subject: "user:default/jane"}))
	for _, text := range []string{"", "{", `"x"`, `{"id":5}`} {
		put(t, db, "users", "user:default/jane", `{"sub":`+text)
		info, ok, err := s.User(t.Context(), "user:default/jane")
		assert.ErrorContains(t, err, "user:default/jane", text)
		assert.False(t, ok)
		assert.Empty(t, info.Ownership)
		put(t, db, "keys", "bad-key", text)
		keys, err := s.Keys(t.Context())
		assert.ErrorContains(t, err, "bad-key", text)
		assert.Empty(t, keys, "half the keys would be worse than none: nobody would know")
		assert.ErrorContains(t, s.PutKey(t.Context(), key("new", created), created), "bad-key")
	}
}

func TestClosedDatabase(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "x.db"))
	s, err := boltkeys.Open(db)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	assert.Error(t, s.PutKey(t.Context(), key("k", created), created))
	assert.Error(t, s.PutUser(t.Context(), auth.UserInfo{Subject: "x"}))
	_, err = s.Keys(t.Context())
	assert.Error(t, err)
	_, _, err = s.User(t.Context(), "x")
	assert.Error(t, err)
	_, err = boltkeys.Open(db)
	assert.ErrorContains(t, err, "open auth bucket")
}

func TestStoreIsShared(t *testing.T) {
	s, _ := open(t)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 5 {
				subject := fmt.Sprintf("user:default/u%d", w)
				assert.NoError(t, s.PutUser(t.Context(), auth.UserInfo{Subject: subject, Ownership: []string{fmt.Sprint(i)}}))
				info, ok, err := s.User(t.Context(), subject)
				assert.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, []string{fmt.Sprint(i)}, info.Ownership)
				assert.NoError(t, s.PutKey(t.Context(), key(fmt.Sprintf("k%d-%d", w, i), created), created))
			}
		})
	}
	all.Wait()
	keys, err := s.Keys(t.Context())
	require.NoError(t, err)
	assert.Len(t, keys, 20)
}
