package oauthserver

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// A Kind is a sort of record.
type Kind string

// The kinds of records.
const (
	Clients  Kind = "clients"  // registered clients, by id
	Sessions Kind = "sessions" // users being asked, by the hash of the id
	Codes    Kind = "codes"    // codes to be exchanged, by their hash
	Grants   Kind = "grants"   // what refresh tokens are for, by id
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Clients, Sessions, Codes, Grants} }

// A Store keeps records.
type Store interface {
	// Update runs fn in a transaction that is stored when fn returns nil, and
	// not at all otherwise.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn on one moment.
	View(ctx context.Context, fn func(Tx) error) error
}

// A Tx reads and writes records. What it returns is valid until it ends.
type Tx interface {
	Get(k Kind, id string) []byte // nil for none
	Put(k Kind, id string, data []byte) error
	Delete(k Kind, id string) error
	All(k Kind) iter.Seq2[string, []byte]
}

// A record has a time at which it is gone; zero: none.
type record interface {
	made() time.Time
	ends() time.Time
}

// span is the time of a record.
type span struct {
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

func (s span) made() time.Time { return s.Created }
func (s span) ends() time.Time { return s.Expires }

// get returns a record, and whether it is there and has not ended.
func get[R record](tx Tx, k Kind, id string, now time.Time) (r R, ok bool, err error) {
	data := tx.Get(k, id)
	if data == nil {
		return r, false, nil
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, false, fmt.Errorf("decode record of %s: %w", k, err)
	}
	return r, now.Before(r.ends()), nil
}

func put[R record](tx Tx, k Kind, id string, r R) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record of %s: %w", k, err)
	}
	return tx.Put(k, id, data)
}

// take returns a record and deletes it.
func take[R record](tx Tx, k Kind, id string, now time.Time) (r R, ok bool, err error) {
	if r, ok, err = get[R](tx, k, id, now); err != nil || tx.Get(k, id) == nil {
		return r, false, err
	}
	return r, ok, tx.Delete(k, id)
}

// makeRoom deletes records that have ended, and the oldest of those that count
// while there are as many as there may be.
func makeRoom[R record](tx Tx, k Kind, most int, now time.Time, counts func(R) bool) error {
	var gone []string
	left, oldest := 0, ""
	var since time.Time
	for id, data := range tx.All(k) {
		var r R
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("decode record of %s: %w", k, err)
		}
		switch {
		case !now.Before(r.ends()):
			gone = append(gone, id)
		case counts(r):
			left++
			if oldest == "" || r.made().Before(since) {
				oldest, since = id, r.made()
			}
		}
	}
	if left >= most {
		gone = append(gone, oldest)
	}
	for _, id := range gone {
		if err := tx.Delete(k, id); err != nil {
			return err
		}
	}
	return nil
}

// secret returns 32 random bytes as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// same compares without telling by its time how much is the same.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
