package boltnotices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/greenroom-idp/greenroom/api/notifications"
	"go.etcd.io/bbolt"
)

var (
	root       = []byte("notifications")
	users      = []byte("users")
	broadcasts = []byte("broadcasts")
	seen       = []byte("seen")
	settings   = []byte("settings")
)

// A Store is a notifications.Store in a bbolt database.
type Store struct{ db *bbolt.DB }

var _ notifications.Store = (*Store)(nil)

// Open makes the buckets where they are missing. The database stays the
// caller's to close.
func Open(db *bbolt.DB) (*Store, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(root)
		if err != nil {
			return err
		}
		for _, name := range [][]byte{users, broadcasts, seen, settings} {
			_, e := b.CreateBucketIfNotExists(name)
			err = errors.Join(err, e)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of notifications: %w", err)
	}
	return &Store{db}, nil
}

// Inbox returns what a user sees, newest first.
func (s *Store) Inbox(_ context.Context, user string) (list []notifications.Notification, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		read := func(n entry) error {
			out, err := n.notification()
			list = append(list, out)
			return err
		}
		v := open(tx, user)
		return errors.Join(v.own(read), v.toAll(read))
	})
	slices.SortStableFunc(list, func(a, b notifications.Notification) int { return b.Created.Compare(a.Created) })
	return list, err
}

// Status counts what a user sees.
func (s *Store) Status(_ context.Context, user string) (out notifications.Status, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		count := func(n entry) error {
			if n.read == 0 {
				out.Unread++
			} else {
				out.Read++
			}
			return nil
		}
		v := open(tx, user)
		return errors.Join(v.own(count), v.toAll(count))
	})
	return out, err
}

// A view is what one user sees, in one transaction.
type view struct {
	user             string
	mine, all, marks *bbolt.Bucket // mine and marks may be nil
}

func open(tx *bbolt.Tx, user string) view {
	b := tx.Bucket(root)
	return view{user, b.Bucket(users).Bucket([]byte(user)), b.Bucket(broadcasts), b.Bucket(seen).Bucket([]byte(user))}
}

// own calls fn for what was sent to the user, newest first.
func (v view) own(fn func(entry) error) error { return each(v.mine, v.user, fn) }

// toAll calls fn for what was sent to everybody, in the state in which the
// user left it. What was updated after it was read is unread.
func (v view) toAll(fn func(entry) error) error {
	return each(v.all, "", func(n entry) error {
		if v.marks != nil {
			if state := v.marks.Get(n.id()); len(state) == 16 {
				n.read, n.saved = number(state), number(state[8:])
			}
		}
		if n.read < n.updated {
			n.read = 0
		}
		return fn(n)
	})
}

// each calls fn for the notifications of a bucket, newest first.
func each(b *bbolt.Bucket, user string, fn func(entry) error) error {
	if b == nil {
		return nil
	}
	c := b.Cursor()
	for k, v := last(c); k != nil && k[0] == noticeKey; k, v = c.Prev() {
		n, err := decode(user, k, v)
		if err != nil {
			return err
		}
		if err := fn(n); err != nil {
			return err
		}
	}
	return nil
}

// last moves to the newest notification.
func last(c *bbolt.Cursor) (k, v []byte) {
	if k, _ = c.Seek([]byte{noticeKey + 1}); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// Add stores notifications in turn, all or none.
func (s *Store) Add(_ context.Context, list []notifications.Notification) ([]notifications.Notification, error) {
	out := make([]notifications.Notification, len(list))
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for i := range list {
			b := tx.Bucket(root).Bucket(broadcasts)
			if list[i].User != "" {
				var err error
				if b, err = tx.Bucket(root).Bucket(users).CreateBucketIfNotExists([]byte(list[i].User)); err != nil {
					return fmt.Errorf("bucket of %s: %w", list[i].User, err)
				}
			}
			var err error
			if out[i], err = add(b, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func add(b *bbolt.Bucket, n *notifications.Notification) (notifications.Notification, error) {
	if n.Payload.Scope != "" {
		scope := scopeKey(n.Origin, n.Payload.Scope)
		if key := slices.Clone(b.Get(scope)); key != nil {
			return replace(b, key, n)
		}
	}
	e, err := encode(n)
	if err != nil {
		return *n, err
	}
	if b.Sequence() >= notifications.MaxPerUser {
		if k, v := b.Cursor().First(); k != nil && k[0] == noticeKey {
			if err := remove(b, slices.Clone(k), slices.Clone(v)); err != nil {
				return *n, err
			}
		}
	}
	if n.Payload.Scope != "" {
		if err := b.Put(scopeKey(n.Origin, n.Payload.Scope), e.key); err != nil {
			return *n, err
		}
	}
	if err := b.SetSequence(b.Sequence() + 1); err != nil {
		return *n, err
	}
	return *n, b.Put(e.key, e.value())
}

// replace gives an earlier notification what a later one of its scope says.
func replace(b *bbolt.Bucket, key []byte, by *notifications.Notification) (notifications.Notification, error) {
	before, err := decode(by.User, key, b.Get(key))
	if err != nil {
		return *by, err
	}
	n, err := before.notification()
	if err != nil {
		return *by, err
	}
	scope, icon := n.Payload.Scope, n.Payload.Icon
	n.Payload, n.Updated, n.Read = by.Payload, by.Created, time.Time{}
	n.Payload.Scope, n.Payload.Icon = scope, icon
	e, err := encode(&n)
	if err != nil {
		return n, err
	}
	return n, b.Put(key, e.value())
}

// remove takes a notification out of its bucket.
func remove(b *bbolt.Bucket, key, value []byte) error {
	if e, err := decode("", key, value); err == nil {
		if n, err := e.notification(); err == nil && n.Payload.Scope != "" {
			if err := b.Delete(scopeKey(n.Origin, n.Payload.Scope)); err != nil {
				return err
			}
		}
	}
	if err := b.SetSequence(b.Sequence() - 1); err != nil {
		return err
	}
	return b.Delete(key)
}

// Mark changes states.
func (s *Store) Mark(_ context.Context, user string, ids []string, m notifications.Mark) error {
	wanted := map[[16]byte]bool{}
	for _, id := range ids {
		if u, err := uuid.Parse(id); err == nil {
			wanted[u] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		v := open(tx, user)
		var mine, all []entry
		collect := func(into *[]entry) func(entry) error {
			return func(n entry) error {
				if wanted[[16]byte(n.id())] {
					n.key, n.rest = slices.Clone(n.key), slices.Clone(n.rest)
					n.mark(m)
					*into = append(*into, n)
				}
				return nil
			}
		}
		if err := errors.Join(v.own(collect(&mine)), v.toAll(collect(&all))); err != nil {
			return err
		}
		for _, n := range mine {
			if err := v.mine.Put(n.key, n.value()); err != nil {
				return err
			}
		}
		return putMarks(tx, user, all)
	})
}

// putMarks stores what a user made of broadcasts.
func putMarks(tx *bbolt.Tx, user string, all []entry) error {
	if len(all) == 0 {
		return nil
	}
	marks, err := tx.Bucket(root).Bucket(seen).CreateBucketIfNotExists([]byte(user))
	if err != nil {
		return fmt.Errorf("bucket of %s: %w", user, err)
	}
	for _, n := range all {
		if err := marks.Put(n.id(), appendNumber(appendNumber(nil, n.read), n.saved)); err != nil {
			return err
		}
	}
	return nil
}

// Settings returns what a user set.
func (s *Store) Settings(_ context.Context, user string) (out notifications.Settings, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		data := tx.Bucket(root).Bucket(settings).Get([]byte(user))
		if data == nil {
			return nil
		}
		if err := json.Unmarshal(data, &out); err != nil {
			return fmt.Errorf("notification settings of %s: %w", user, err)
		}
		return nil
	})
	return out, err
}

// PutSettings stores settings over those before.
func (s *Store) PutSettings(_ context.Context, user string, v notifications.Settings) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(root).Bucket(settings).Put([]byte(user), data)
	})
}
