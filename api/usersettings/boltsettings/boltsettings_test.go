package boltsettings_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/api/usersettings"
	"github.com/greenroom-idp/greenroom/api/usersettings/boltsettings"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func open(t testing.TB, path string) (*boltsettings.Store, *bbolt.DB) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	s, err := boltsettings.Open(db)
	require.NoError(t, err)
	return s, db
}

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, db := open(t, path)
	ctx := t.Context()
	name := usersettings.Name{Bucket: "a", Key: "b"}
	other := usersettings.Name{Bucket: "ab", Key: ""} // the same bytes, divided otherwise
	values := func(user string, names ...usersettings.Name) string {
		list, err := s.Values(ctx, user, names)
		require.NoError(t, err)
		return fmt.Sprintf("%s", list)
	}
	require.Equal(t, "[]", values("jane", name), "a user without settings")
	require.NoError(t, s.Put(ctx, "jane", name, []byte("1")))
	require.NoError(t, s.Put(ctx, "jane", other, []byte("null")))
	require.NoError(t, s.Put(ctx, "joe", name, []byte(`"joe"`)))
	require.Equal(t, `[1 null  1]`, values("jane", name, other, usersettings.Name{Bucket: "c"}, name))
	require.Equal(t, `["joe" ]`, values("joe", name, other), "nobody sees what is another's")

	require.NoError(t, s.Put(ctx, "jane", name, []byte("2")))
	require.NoError(t, s.Delete(ctx, "joe", name))
	require.NoError(t, s.Delete(ctx, "joe", name), "there need not be one")
	require.NoError(t, s.Delete(ctx, "nobody", name))
	require.Equal(t, "[2]", values("jane", name))
	require.Equal(t, "[]", values("joe", name))
	long := usersettings.Name{Bucket: strings.Repeat("x", 70_000), Key: "b"}
	require.Equal(t, "[ 2]", values("jane", long, name), "what is too long to be a key is not there")

	require.NoError(t, db.Close())
	s, _ = open(t, path)
	require.Equal(t, "[2 null]", values("jane", name, other))
}

func TestEqualValueIsNotWritten(t *testing.T) {
	s, db := open(t, filepath.Join(t.TempDir(), "db"))
	name := usersettings.Name{Bucket: "a", Key: "b"}
	require.NoError(t, s.Put(t.Context(), "jane", name, []byte("1")))
	written := func() int64 {
		stats := db.Stats()
		return stats.TxStats.GetWrite()
	}
	before := written()
	require.NoError(t, s.Put(t.Context(), "jane", name, []byte("1")))
	require.NoError(t, s.Delete(t.Context(), "jane", usersettings.Name{Bucket: "a", Key: "gone"}))
	require.Equal(t, before, written())
}

func TestFull(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "db"))
	ctx := t.Context()
	key := func(i int) usersettings.Name { return usersettings.Name{Bucket: "a", Key: fmt.Sprint(i)} }
	for i := range usersettings.MaxPerUser {
		require.NoError(t, s.Put(ctx, "jane", key(i), []byte("1")))
	}
	require.ErrorIs(t, s.Put(ctx, "jane", key(-1), []byte("1")), usersettings.ErrFull)
	require.NoError(t, s.Put(ctx, "jane", key(0), []byte("2")), "what is there may change")
	require.NoError(t, s.Put(ctx, "joe", key(0), []byte("2")), "others have room of their own")
	require.NoError(t, s.Delete(ctx, "jane", key(5)))
	require.NoError(t, s.Put(ctx, "jane", key(-1), []byte("1")), "one that goes makes room")
	require.ErrorIs(t, s.Put(ctx, "jane", key(5), []byte("1")), usersettings.ErrFull)
}

func TestConcurrentUse(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "db"))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				name := usersettings.Name{Bucket: "a", Key: fmt.Sprint(j)}
				if err := s.Put(t.Context(), "jane", name, []byte(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
				if _, err := s.Values(t.Context(), "jane", []usersettings.Name{name}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
