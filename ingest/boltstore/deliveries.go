package boltstore

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// keepIDs is how many deliveries are known by their id.
const keepIDs = 50_000

// A header is what is stored of a delivery before its body.
type header struct {
	Source   string    `json:"source"`
	Event    string    `json:"event"`
	ID       string    `json:"id"`
	Instance string    `json:"instance,omitempty"`
	Lane     string    `json:"lane"`
	Received time.Time `json:"receivedAt"`
}

func sequenceKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func idKey(source, id string) []byte { return []byte(source + "\x00" + id) }

func encodeDelivery(d webhook.Delivery) ([]byte, error) {
	h, err := json.Marshal(header{d.Source, d.Event, d.ID, d.Instance, d.Lane, d.Received})
	if err != nil {
		return nil, fmt.Errorf("encode webhook %s: %w", d.ID, err)
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(h)+len(d.Body)), uint32(len(h)))
	return append(append(out, h...), d.Body...), nil
}

var errCut = errors.New("a webhook is not as it was stored")

// decodeDelivery returns the delivery, whose body is a part of data.
func decodeDelivery(data []byte) (webhook.Delivery, error) {
	if len(data) < 4 {
		return webhook.Delivery{}, errCut
	}
	n := binary.BigEndian.Uint32(data)
	if uint64(n) > uint64(len(data)-4) {
		return webhook.Delivery{}, errCut
	}
	var h header
	if err := json.Unmarshal(data[4:4+n], &h); err != nil {
		return webhook.Delivery{}, fmt.Errorf("%w: %w", errCut, err)
	}
	return webhook.Delivery{
		Source: h.Source, Event: h.Event, ID: h.ID, Instance: h.Instance, Lane: h.Lane, Received: h.Received, Body: data[4+n:],
	}, nil
}

// Append keeps a delivery behind all others, unless its id is known.
func (s *Store) Append(d webhook.Delivery) (stored webhook.Stored, known bool, err error) {
	data, err := encodeDelivery(d)
	if err != nil {
		return stored, false, err
	}
	key := idKey(d.Source, d.ID)
	err = s.db.View(func(tx *bbolt.Tx) error {
		known = tx.Bucket(ids).Get(key) != nil
		return nil
	})
	if err != nil || known {
		return stored, known, err
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if known = tx.Bucket(ids).Get(key) != nil; known {
			return nil
		}
		b := tx.Bucket(deliveries)
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		stored = webhook.Stored{Sequence: n, Lane: d.Lane, Bytes: len(d.Body)}
		return errors.Join(
			b.Put(sequenceKey(n), data), tx.Bucket(ids).Put(key, sequenceKey(n)),
			tx.Bucket(order).Put(sequenceKey(n), key), dropOldIDs(tx, n),
		)
	})
	return stored, known, err
}

// dropOldIDs forgets the ids that are too old once n has come.
func dropOldIDs(tx *bbolt.Tx, n uint64) error {
	if n <= keepIDs {
		return nil
	}
	last := sequenceKey(n - keepIDs)
	c := tx.Bucket(order).Cursor()
	for k, id := c.First(); k != nil && bytes.Compare(k, last) <= 0; k, id = c.First() {
		if err := tx.Bucket(ids).Delete(id); err != nil {
			return err
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// Pending yields all deliveries in order.
func (s *Store) Pending(yield func(webhook.Stored) bool) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(deliveries).Cursor()
		for k, data := c.First(); k != nil; k, data = c.Next() {
			d, err := decodeDelivery(data)
			if err != nil {
				return err
			}
			if !yield(webhook.Stored{Sequence: binary.BigEndian.Uint64(k), Lane: d.Lane, Bytes: len(d.Body)}) {
				return nil
			}
		}
		return nil
	})
}

// Delivery returns one delivery.
func (s *Store) Delivery(sequence uint64) (d webhook.Delivery, found bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		data := tx.Bucket(deliveries).Get(sequenceKey(sequence))
		if data == nil {
			return nil
		}
		found = true
		d, err = decodeDelivery(bytes.Clone(data))
		return err
	})
	return d, found && err == nil, err
}

// Remove drops deliveries; their ids are still known.
func (s *Store) Remove(sequences []uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, n := range sequences {
			if err := tx.Bucket(deliveries).Delete(sequenceKey(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Reject drops a delivery and its id.
func (s *Store) Reject(sequence uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		key := sequenceKey(sequence)
		if id := tx.Bucket(order).Get(key); id != nil {
			if err := tx.Bucket(ids).Delete(id); err != nil {
				return err
			}
		}
		return errors.Join(tx.Bucket(order).Delete(key), tx.Bucket(deliveries).Delete(key))
	})
}
