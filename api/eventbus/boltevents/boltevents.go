package boltevents

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/greenroom-idp/greenroom/api/eventbus"
	"go.etcd.io/bbolt"
)

var (
	root          = []byte("eventbus")
	events        = []byte("events")
	subscriptions = []byte("subscriptions")
)

// A Store is an eventbus.Store in a bbolt database.
type Store struct{ db *bbolt.DB }

var _ eventbus.Store = (*Store)(nil)

// Open makes the buckets where they are missing. The database stays the
// caller's to close.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(root)
		if err != nil {
			return err
		}
		_, first := b.CreateBucketIfNotExists(events)
		_, second := b.CreateBucketIfNotExists(subscriptions)
		return errors.Join(first, second)
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of events: %w", err)
	}
	return &Store{db}, nil
}

type head struct {
	At       int64    `json:"at"`
	Topic    string   `json:"topic"`
	Notified []string `json:"notified,omitempty"`
}

type subscription struct {
	Topics []string `json:"topics"`
	Read   uint64   `json:"read"`
}

// Load implements eventbus.Store.
func (s *Store) Load() (list []eventbus.Stored, subs []eventbus.Subscription, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		err := b.Bucket(events).ForEach(func(k, v []byte) error {
			e, err := decode(k, v)
			list = append(list, e)
			return err
		})
		return errors.Join(err, b.Bucket(subscriptions).ForEach(func(k, v []byte) error {
			sub, err := decodeSubscription(k, v)
			subs = append(subs, sub)
			return err
		}))
	})
	return list, subs, err
}

func decodeSubscription(k, v []byte) (eventbus.Subscription, error) {
	var sub subscription
	if err := json.Unmarshal(v, &sub); err != nil {
		return eventbus.Subscription{}, fmt.Errorf("stored subscription %q: %w", k, err)
	}
	return eventbus.Subscription{ID: string(k), Topics: sub.Topics, Read: sub.Read}, nil
}

// Check reports every event and subscription that cannot be read. A database
// without any has none that cannot.
func Check(db *bbolt.DB, report func(string)) error {
	return db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		if b == nil {
			return nil
		}
		tell := func(err error) error {
			if err != nil {
				report(err.Error())
			}
			return nil
		}
		for name, decodes := range map[string]func(k, v []byte) error{
			string(events):        func(k, v []byte) error { _, err := decode(k, v); return err },
			string(subscriptions): func(k, v []byte) error { _, err := decodeSubscription(k, v); return err },
		} {
			list := b.Bucket([]byte(name))
			if list == nil {
				report("the bucket eventbus/" + name + " is missing")
				continue
			}
			if err := list.ForEach(func(k, v []byte) error { return tell(decodes(k, v)) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func decode(k, v []byte) (e eventbus.Stored, err error) {
	var h head
	text, payload, err := split(v)
	if err == nil && len(k) != 8 {
		err = errors.New("key is no sequence")
	}
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return e, fmt.Errorf("stored event %x: %w", k, err)
	}
	return eventbus.Stored{Sequence: binary.BigEndian.Uint64(k), At: time.UnixMilli(h.At).UTC(), Topic: h.Topic, Notified: h.Notified, Bytes: len(payload)}, nil
}

func split(v []byte) (head, payload []byte, err error) {
	if len(v) < 4 || uint64(len(v)-4) < uint64(binary.BigEndian.Uint32(v)) {
		return nil, nil, errors.New("value is cut short")
	}
	end := 4 + int(binary.BigEndian.Uint32(v))
	return v[4:end], v[end:], nil
}

// Payload implements eventbus.Store.
func (s *Store) Payload(sequence uint64) (payload []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket(root).Bucket(events).Get(key(sequence))
		if v == nil {
			return nil
		}
		_, stored, err := split(v)
		payload = bytes.Clone(stored)
		return err
	})
	return payload, err
}

func key(sequence uint64) []byte { return binary.BigEndian.AppendUint64(nil, sequence) }

// Apply implements eventbus.Store.
func (s *Store) Apply(c eventbus.Change) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		list, subs := tx.Bucket(root).Bucket(events), tx.Bucket(root).Bucket(subscriptions)
		var errs []error
		if c.Add != nil {
			errs = append(errs, add(list, c.Add))
		}
		for _, n := range c.Remove {
			errs = append(errs, list.Delete(key(n)))
		}
		for _, sub := range c.Put {
			text, err := json.Marshal(subscription{sub.Topics, sub.Read})
			errs = append(errs, err, subs.Put([]byte(sub.ID), text))
		}
		for _, id := range c.Drop {
			errs = append(errs, subs.Delete([]byte(id)))
		}
		return errors.Join(errs...)
	})
}

func add(list *bbolt.Bucket, e *eventbus.Added) error {
	text, err := json.Marshal(head{e.At.UnixMilli(), e.Topic, e.Notified})
	if err != nil {
		return err
	}
	value := make([]byte, 0, 4+len(text)+len(e.Payload))
	value = binary.BigEndian.AppendUint32(value, uint32(len(text)))
	value = append(append(value, text...), e.Payload...)
	return list.Put(key(e.Sequence), value)
}
