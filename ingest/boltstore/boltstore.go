package boltstore

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

const format = 1

var (
	meta       = []byte("ingest/meta")
	formatKey  = []byte("format")
	records    = []byte("ingest/records")
	held       = []byte("ingest/held")
	deliveries = []byte("ingest/deliveries")
	ids        = []byte("ingest/ids")
	order      = []byte("ingest/order")
)

func buckets() [][]byte { return [][]byte{meta, records, held, deliveries, ids, order} }

// A Store is a provider.Store and a webhook.Store.
type Store struct{ db *bbolt.DB }

var (
	_ provider.Store = (*Store)(nil)
	_ webhook.Store  = (*Store)(nil)
)

// ErrFormat is returned for a bucket that another release has written.
var ErrFormat = errors.New("the crawlers' records have another format")

// Open makes the buckets where they are missing. The database stays the
// caller's to close.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		m := tx.Bucket(meta)
		switch is := m.Get(formatKey); {
		case is == nil:
			return m.Put(formatKey, binary.BigEndian.AppendUint32(nil, format))
		case len(is) != 4 || binary.BigEndian.Uint32(is) != format:
			return fmt.Errorf("%w: %x", ErrFormat, is)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open ingest buckets: %w", err)
	}
	return &Store{db}, nil
}

// Records returns the records of all providers.
func (s *Store) Records() (map[string]provider.Record, error) {
	return readAll[provider.Record](s.db, records)
}

// Held returns all listings that are held.
func (s *Store) Held() (map[string]provider.Held, error) {
	return readAll[provider.Held](s.db, held)
}

func readAll[T any](db *bbolt.DB, name []byte) (map[string]T, error) {
	out := map[string]T{}
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(name).ForEach(func(key, data []byte) error {
			var v T
			if err := json.Unmarshal(data, &v); err != nil {
				return fmt.Errorf("decode %s of %s: %w", name, key, err)
			}
			out[string(key)] = v
			return nil
		})
	})
	return out, err
}

// PutRecord keeps the record of a provider.
func (s *Store) PutRecord(name string, r provider.Record) error { return s.put(records, name, r) }

// PutHeld keeps a held listing; nil deletes it.
func (s *Store) PutHeld(name string, h *provider.Held) error {
	if h == nil {
		return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(held).Delete([]byte(name)) })
	}
	return s.put(held, name, h)
}

func (s *Store) put(in []byte, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s of %s: %w", in, name, err)
	}
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(in).Put([]byte(name), data) })
}

// Forget removes all there is of a provider.
func (s *Store) Forget(name string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(records).Delete([]byte(name)), tx.Bucket(held).Delete([]byte(name)))
	})
}
