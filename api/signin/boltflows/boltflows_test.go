package boltflows_test

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin/boltflows"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func open(t *testing.T) (*boltflows.Store, *bbolt.DB) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	s, err := boltflows.Open(db)
	require.NoError(t, err)
	return s, db
}

func id(n int) (out [32]byte) {
	binary.BigEndian.PutUint64(out[:], uint64(n))
	return out
}

func TestAFlowServesOnce(t *testing.T) {
	s, db := open(t)
	ctx := t.Context()
	require.NoError(t, s.PutFlow(ctx, id(1), []byte("one"), start, start.Add(time.Minute)))
	_, ok, err := s.TakeFlow(ctx, id(2), start)
	require.NoError(t, err)
	assert.False(t, ok, "one that is not there")

	again, err := boltflows.Open(db) // as after a restart
	require.NoError(t, err)
	var taken atomic.Int32
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			value, ok, err := again.TakeFlow(ctx, id(1), start)
			assert.NoError(t, err)
			if ok {
				taken.Add(1)
				assert.Equal(t, "one", string(value))
			}
		})
	}
	wait.Wait()
	assert.Equal(t, int32(1), taken.Load(), "of all who come at once one gets it")
}

func TestAFlowExpires(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	end := start.Add(time.Minute)
	require.NoError(t, s.PutFlow(ctx, id(1), []byte("one"), start, end))
	require.NoError(t, s.PutFlow(ctx, id(2), []byte("two"), start, end))
	_, ok, err := s.TakeFlow(ctx, id(1), end.Add(-1))
	require.NoError(t, err)
	assert.True(t, ok)
	_, ok, err = s.TakeFlow(ctx, id(2), end)
	require.NoError(t, err)
	assert.False(t, ok)
}

// A flood of starts does not fill the file: what ends first is forgotten.
func TestFlowsAreBounded(t *testing.T) {
	s, db := open(t)
	const limit = 100
	s.SetLimit(limit)
	ctx := t.Context()
	for n := range limit + 50 {
		require.NoError(t, s.PutFlow(ctx, id(n), []byte("x"), start, start.Add(time.Minute+time.Duration(n))))
	}
	assert.Equal(t, limit, count(t, db))
	for n, want := range map[int]bool{0: false, 49: false, 50: true, limit + 49: true} {
		_, ok, err := s.TakeFlow(ctx, id(n), start)
		require.NoError(t, err)
		assert.Equal(t, want, ok, n)
	}
	require.NoError(t, s.PutFlow(ctx, id(0), []byte("x"), start.Add(time.Hour), start.Add(2*time.Hour)))
	assert.Equal(t, 1, count(t, db), "all others have expired")
}

// count checks that both buckets and the counter agree, and returns how many
// flows there are.
func count(t *testing.T, db *bbolt.DB) (n int) {
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("signin"))
		flows, ends := b.Bucket([]byte("flows")), b.Bucket([]byte("ends"))
		err := ends.ForEach(func(key, value []byte) error {
			n++
			require.Len(t, key, 40)
			require.Empty(t, value)
			require.Equal(t, key[:8], flows.Get(key[8:])[:8])
			return nil
		})
		require.Equal(t, n, flows.Stats().KeyN)
		require.Equal(t, uint64(n), ends.Sequence())
		return err
	}))
	return n
}

// The store agrees with a map, whatever is done.
func TestRandomOperations(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	s, db := open(t)
	type flow struct {
		value string
		end   time.Time
	}
	model, now := map[[32]byte]flow{}, start
	for range 2000 {
		now = now.Add(time.Duration(r.IntN(5)) * time.Second)
		key := id(r.IntN(20))
		if r.IntN(2) == 0 {
			f := flow{string(rune('a' + r.IntN(26))), now.Add(time.Duration(r.IntN(60)) * time.Second)}
			model[key] = f
			require.NoError(t, s.PutFlow(t.Context(), key, []byte(f.value), now, f.end))
			continue
		}
		f, there := model[key]
		delete(model, key)
		value, ok, err := s.TakeFlow(t.Context(), key, now)
		require.NoError(t, err)
		require.Equal(t, there && f.end.After(now), ok)
		if ok {
			require.Equal(t, f.value, string(value))
		}
	}
	count(t, db)
}
