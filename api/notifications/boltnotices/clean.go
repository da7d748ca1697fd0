package boltnotices

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Clean forgets what is old, in a transaction for each user, so that others
// who write to the file need not wait for all of it.
func (s *Store) Clean(ctx context.Context, before time.Time) (int, error) {
	total, err := s.clean(before, func(tx *bbolt.Tx) *bbolt.Bucket { return tx.Bucket(root).Bucket(broadcasts) })
	if err != nil {
		return total, err
	}
	names, err := s.names(users)
	for _, name := range names {
		if err != nil || ctx.Err() != nil {
			return total, errors.Join(err, ctx.Err())
		}
		var n int
		n, err = s.clean(before, func(tx *bbolt.Tx) *bbolt.Bucket { return tx.Bucket(root).Bucket(users).Bucket(name) })
		total += n
	}
	return total, errors.Join(err, s.forgetMarks(ctx))
}

// names returns the names of the buckets in a bucket.
func (s *Store) names(of []byte) (out [][]byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(root).Bucket(of).ForEachBucket(func(name []byte) error {
			out = append(out, slices.Clone(name))
			return nil
		})
	})
	return out, err
}

// clean removes what is old from one bucket.
func (s *Store) clean(before time.Time, bucket func(*bbolt.Tx) *bbolt.Bucket) (n int, err error) {
	var old []entry
	err = s.db.View(func(tx *bbolt.Tx) error {
		old, err = oldIn(bucket(tx), before)
		return err
	})
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return len(old), s.db.Update(func(tx *bbolt.Tx) error {
		b := bucket(tx)
		if old, err = oldIn(b, before); err != nil { // it may have changed meanwhile
			return err
		}
		for _, e := range old {
			if err := remove(b, e.key, e.value()); err != nil {
				return err
			}
		}
		return nil
	})
}

func oldIn(b *bbolt.Bucket, before time.Time) (old []entry, err error) {
	cut := before.UnixMilli()
	c := b.Cursor()
	for k, v := c.First(); k != nil && k[0] == noticeKey; k, v = c.Next() {
		e, err := decode("", slices.Clone(k), slices.Clone(v))
		if err != nil {
			return nil, err
		}
		if e.created() > cut {
			break // so are all that follow
		}
		if e.updated <= cut {
			old = append(old, e)
		}
	}
	return old, nil
}

// forgetMarks drops what users made of broadcasts that are gone.
func (s *Store) forgetMarks(ctx context.Context) error {
	names, err := s.names(seen)
	for _, name := range names {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		var stale [][]byte
		err = s.db.View(func(tx *bbolt.Tx) (err error) {
			stale, err = staleMarks(tx, name)
			return err
		})
		if err != nil || len(stale) == 0 {
			continue
		}
		err = s.db.Update(func(tx *bbolt.Tx) error {
			for _, id := range stale { // no broadcast comes back once it is gone
				if err := tx.Bucket(root).Bucket(seen).Bucket(name).Delete(id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}

func staleMarks(tx *bbolt.Tx, user []byte) (stale [][]byte, err error) {
	there := map[string]bool{}
	err = each(tx.Bucket(root).Bucket(broadcasts), "", func(e entry) error {
		there[string(e.id())] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stale, tx.Bucket(root).Bucket(seen).Bucket(user).ForEach(func(id, _ []byte) error {
		if !there[string(id)] {
			stale = append(stale, slices.Clone(id))
		}
		return nil
	})
}
