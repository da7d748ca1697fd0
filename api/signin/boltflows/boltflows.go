package boltflows

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"go.etcd.io/bbolt"
)

// Limit is how many flows are kept.
const Limit = 10_000

var (
	root  = []byte("signin")
	flows = []byte("flows")
	ends  = []byte("ends")
)

// A Store is a signin.FlowStore in a bbolt database.
type Store struct {
	db   *bbolt.DB
	most uint64
}

var _ signin.FlowStore = (*Store)(nil)

// Open makes the buckets where they are missing. The database stays the
// caller's to close.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(root)
		if err != nil {
			return err
		}
		_, flowsErr := b.CreateBucketIfNotExists(flows)
		_, endsErr := b.CreateBucketIfNotExists(ends)
		return errors.Join(flowsErr, endsErr)
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of sign-ins: %w", err)
	}
	return &Store{db, Limit}, nil
}

// PutFlow keeps a value until it expires.
func (s *Store) PutFlow(_ context.Context, id [32]byte, sealed []byte, now, expires time.Time) error {
	end := stamp(expires)
	return s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		if err := forget(b, id); err != nil {
			return err
		}
		if err := sweep(b, stamp(now), s.most-1); err != nil {
			return err
		}
		return errors.Join(b.Bucket(flows).Put(id[:], append(end, sealed...)), b.Bucket(ends).Put(append(stamp(expires), id[:]...), nil),
			b.Bucket(ends).SetSequence(b.Bucket(ends).Sequence()+1))
	})
}

// TakeFlow returns a value that has not expired, and forgets it.
func (s *Store) TakeFlow(_ context.Context, id [32]byte, now time.Time) (sealed []byte, ok bool, err error) {
	there := false
	err = s.db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(root).Bucket(flows).Get(id[:]) != nil
		return nil
	})
	if err != nil || !there {
		return nil, false, err // a guess costs no write
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		value := b.Bucket(flows).Get(id[:])
		if len(value) < 8 {
			return nil
		}
		if ok = bytes.Compare(value[:8], stamp(now)) > 0; ok {
			sealed = bytes.Clone(value[8:])
		}
		return forget(b, id)
	})
	return sealed, ok && err == nil, err
}

// forget takes a flow out of both buckets.
func forget(b *bbolt.Bucket, id [32]byte) error {
	value := b.Bucket(flows).Get(id[:])
	if len(value) < 8 {
		return nil
	}
	key := append(bytes.Clone(value[:8]), id[:]...)
	return errors.Join(b.Bucket(ends).Delete(key), b.Bucket(flows).Delete(id[:]), b.Bucket(ends).SetSequence(b.Bucket(ends).Sequence()-1))
}

// sweep forgets what has expired, and what ends first until no more than most
// are left. The sequence number of the bucket of ends counts them.
func sweep(b *bbolt.Bucket, now []byte, most uint64) error {
	for {
		key, _ := b.Bucket(ends).Cursor().First()
		if key == nil || bytes.Compare(key[:8], now) > 0 && b.Bucket(ends).Sequence() <= most {
			return nil
		}
		if err := forget(b, [32]byte(key[8:])); err != nil {
			return err
		}
	}
}

func stamp(t time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())) }
