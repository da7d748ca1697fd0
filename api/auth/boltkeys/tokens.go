package boltkeys

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"go.etcd.io/bbolt"
)

var tokens = []byte("tokens")

var _ servicetokens.Store = (*Store)(nil)

// PutToken records a service token.
func (s *Store) PutToken(_ context.Context, r servicetokens.Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode token %s: %w", r.ID, err)
	}
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(root).Bucket(tokens).Put([]byte(r.ID), data) })
}

// DeleteToken removes the record of a service token if there is one.
func (s *Store) DeleteToken(_ context.Context, id string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(root).Bucket(tokens).Delete([]byte(id)) })
}

// Tokens returns the records of all service tokens.
func (s *Store) Tokens(context.Context) ([]servicetokens.Record, error) { return ReadTokens(s.db) }

// ReadTokens is Tokens for a database that may be open for reading alone, and
// in which there may be no records at all.
func ReadTokens(db *bbolt.DB) (out []servicetokens.Record, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		if b != nil {
			b = b.Bucket(tokens)
		}
		if b == nil {
			return nil
		}
		return b.ForEach(func(id, data []byte) error {
			var r servicetokens.Record
			if err := json.Unmarshal(data, &r); err != nil {
				return fmt.Errorf("decode service token %s: %w", id, err)
			}
			if r.ID != string(id) {
				return fmt.Errorf("service token %s is recorded as %q", id, r.ID)
			}
			out = append(out, r)
			return nil
		})
	})
	return out, err
}
