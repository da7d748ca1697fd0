package boltsettings

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/greenroom-idp/greenroom/api/usersettings"
	"go.etcd.io/bbolt"
)

var root = []byte("user-settings")

// A Store is a usersettings.Store in a bbolt database.
type Store struct{ db *bbolt.DB }

var _ usersettings.Store = (*Store)(nil)

// Open makes the bucket where it is missing. The database stays the caller's
// to close.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(root)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of user settings: %w", err)
	}
	return &Store{db}, nil
}

func encode(n usersettings.Name) []byte {
	key := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(n.Bucket)+len(n.Key)), uint16(len(n.Bucket)))
	return append(append(key, n.Bucket...), n.Key...)
}

// storable tells whether a name can be a key. Others are never there.
func storable(n usersettings.Name) bool {
	return len(n.Bucket) <= usersettings.MaxName && len(n.Key) <= usersettings.MaxName
}

// Values returns values as JSON, nil where there is none.
func (s *Store) Values(_ context.Context, user string, names []usersettings.Name) ([][]byte, error) {
	out := make([][]byte, len(names))
	return out, s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root).Bucket([]byte(user))
		if b == nil {
			return nil
		}
		for i, n := range names {
			if storable(n) {
				out[i] = bytes.Clone(b.Get(encode(n)))
			}
		}
		return nil
	})
}

// Put stores a value. An equal one is not written again.
func (s *Store) Put(ctx context.Context, user string, name usersettings.Name, value []byte) error {
	before, err := s.Values(ctx, user, []usersettings.Name{name})
	if err != nil || before[0] != nil && bytes.Equal(before[0], value) {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.Bucket(root).CreateBucketIfNotExists([]byte(user))
		if err != nil {
			return fmt.Errorf("bucket of %s: %w", user, err)
		}
		key := encode(name)
		if b.Get(key) == nil {
			if b.Sequence() >= usersettings.MaxPerUser {
				return usersettings.ErrFull
			}
			if err := b.SetSequence(b.Sequence() + 1); err != nil {
				return err
			}
		}
		return b.Put(key, value)
	})
}

// Delete forgets a setting. Where there is none, nothing is written.
func (s *Store) Delete(ctx context.Context, user string, name usersettings.Name) error {
	before, err := s.Values(ctx, user, []usersettings.Name{name})
	if err != nil || before[0] == nil {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root).Bucket([]byte(user))
		key := encode(name)
		if b == nil || b.Get(key) == nil {
			return nil
		}
		if err := b.SetSequence(b.Sequence() - 1); err != nil {
			return err
		}
		return b.Delete(key)
	})
}
