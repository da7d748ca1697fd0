package boltkeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
	"go.etcd.io/bbolt"
)

var (
	root       = []byte("auth")
	keys       = []byte("keys")
	users      = []byte("users")
	pluginKeys = []byte("pluginKeys")
)

// A Store is an auth.Store in a bbolt database. It is safe for concurrent use.
type Store struct{ db *bbolt.DB }

var _ auth.Store = (*Store)(nil)

// Open makes the buckets where they are missing. The database stays the
// caller's to close.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(root)
		if err != nil {
			return err
		}
		_, keysErr := b.CreateBucketIfNotExists(keys)
		_, usersErr := b.CreateBucketIfNotExists(users)
		_, pluginsErr := b.CreateBucketIfNotExists(pluginKeys)
		_, tokensErr := b.CreateBucketIfNotExists(tokens)
		return errors.Join(keysErr, usersErr, pluginsErr, tokensErr)
	})
	if err != nil {
		return nil, fmt.Errorf("open auth bucket: %w", err)
	}
	return &Store{db}, nil
}

// PutKey adds a public key of user tokens and forgets those that expired before
// now.
func (s *Store) PutKey(_ context.Context, key auth.PublicKey, now time.Time) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return putKey(tx.Bucket(root).Bucket(keys), key, now) })
}

// Keys returns all keys of user tokens.
func (s *Store) Keys(context.Context) (out []auth.PublicKey, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		out, err = readKeys(tx.Bucket(root).Bucket(keys))
		return err
	})
	return out, err
}

// Plugin returns where the keys of a plugin are kept, with which it signs what
// it sends to other backends.
func (s *Store) Plugin(id string) auth.KeyStore { return pluginStore{s.db, []byte(id)} }

// pluginStore keeps keys in a bucket of their own, made with the first.
type pluginStore struct {
	db *bbolt.DB
	id []byte
}

func (s pluginStore) PutKey(_ context.Context, key auth.PublicKey, now time.Time) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.Bucket(root).Bucket(pluginKeys).CreateBucketIfNotExists(s.id)
		if err != nil {
			return fmt.Errorf("bucket of plugin %s: %w", s.id, err)
		}
		return putKey(b, key, now)
	})
}

func (s pluginStore) Keys(context.Context) (out []auth.PublicKey, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(root).Bucket(pluginKeys).Bucket(s.id); b != nil {
			out, err = readKeys(b)
		}
		return err
	})
	return out, err
}

func putKey(b *bbolt.Bucket, key auth.PublicKey, now time.Time) error {
	data, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("encode key %s: %w", key.ID, err)
	}
	all, err := readKeys(b)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.Expires.Before(now) {
			if err := b.Delete([]byte(k.ID)); err != nil {
				return err
			}
		}
	}
	return b.Put([]byte(key.ID), data)
}

func readKeys(b *bbolt.Bucket) (out []auth.PublicKey, err error) {
	err = b.ForEach(func(id, data []byte) error {
		var k auth.PublicKey
		if err := json.Unmarshal(data, &k); err != nil {
			return fmt.Errorf("decode key %s: %w", id, err)
		}
		out = append(out, k)
		return nil
	})
	return out, err
}

// PutUser records what a user owns. An equal record is not written again.
func (s *Store) PutUser(_ context.Context, info auth.UserInfo) error {
	data, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("encode user %s: %w", info.Subject, err)
	}
	same := false
	err = s.db.View(func(tx *bbolt.Tx) error {
		same = string(tx.Bucket(root).Bucket(users).Get([]byte(info.Subject))) == string(data)
		return nil
	})
	if err != nil || same {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(root).Bucket(users).Put([]byte(info.Subject), data)
	})
}

// User returns the record of a user, and whether there is one.
func (s *Store) User(_ context.Context, subject string) (info auth.UserInfo, ok bool, err error) {
	return ReadUser(s.db, subject)
}

// ReadUser is User for a database that may be open for reading alone, and in
// which there may be no records at all.
func ReadUser(db *bbolt.DB, subject string) (info auth.UserInfo, ok bool, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		if b != nil {
			b = b.Bucket(users)
		}
		if b == nil {
			return nil
		}
		data := b.Get([]byte(subject))
		if data == nil {
			return nil
		}
		ok = true
		if err := json.Unmarshal(data, &info); err != nil {
			return fmt.Errorf("decode user %s: %w", subject, err)
		}
		return nil
	})
	return info, ok && err == nil, err
}
