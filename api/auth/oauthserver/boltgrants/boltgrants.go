package boltgrants

import (
	"context"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/api/auth/oauthserver"
)

var root = []byte("oauth")

// A Store is an oauthserver.Store in a bbolt database. It is safe for
// concurrent use.
type Store struct{ db *bbolt.DB }

var _ oauthserver.Store = (*Store)(nil)

// Open makes the buckets where they are missing.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(root)
		if err != nil {
			return err
		}
		for _, kind := range oauthserver.Kinds() {
			if _, err := b.CreateBucketIfNotExists([]byte(kind)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of OAuth: %w", err)
	}
	return &Store{db}, nil
}

// Update runs fn in a transaction.
func (s *Store) Update(ctx context.Context, fn func(oauthserver.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error { return fn(records{tx.Bucket(root)}) })
}

// View runs fn on one moment.
func (s *Store) View(ctx context.Context, fn func(oauthserver.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.View(func(tx *bbolt.Tx) error { return fn(records{tx.Bucket(root)}) })
}

type records struct{ root *bbolt.Bucket }

// Get returns a record, nil for none.
func (r records) Get(k oauthserver.Kind, id string) []byte {
	return r.root.Bucket([]byte(k)).Get([]byte(id))
}

// Put stores a record.
func (r records) Put(k oauthserver.Kind, id string, data []byte) error {
	return r.root.Bucket([]byte(k)).Put([]byte(id), data)
}

// Delete deletes a record, if it is there.
func (r records) Delete(k oauthserver.Kind, id string) error {
	return r.root.Bucket([]byte(k)).Delete([]byte(id))
}

// All returns the records of a kind, in the order of their ids.
func (r records) All(k oauthserver.Kind) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c := r.root.Bucket([]byte(k)).Cursor()
		for id, data := c.First(); id != nil; id, data = c.Next() {
			if !yield(string(id), data) {
				return
			}
		}
	}
}
