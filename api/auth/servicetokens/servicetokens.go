package servicetokens

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth"
)

// A Record is what is kept of a token.
type Record struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	// Hash is the SHA-256 of the token.
	Hash    []byte    `json:"hash"`
	Created time.Time `json:"createdAt"`
	// Expires is zero for a token that does not.
	Expires time.Time `json:"expiresAt,omitzero"`
	// CreatedBy is the subject of who issued it.
	CreatedBy string `json:"createdBy"`
	// Restrictions are nil if there are none.
	Restrictions []auth.Restriction `json:"-"`
}

// stored is a Record as it is kept.
type stored struct {
	plainRecord
	Restrictions []auth.AccessRestriction `json:"accessRestrictions,omitempty"`
}

type plainRecord Record

// MarshalJSON writes all of the record, with restrictions as the configuration
// spells them.
func (r Record) MarshalJSON() ([]byte, error) {
	return json.Marshal(stored{plainRecord(r), auth.Spelled(r.Restrictions)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Record) UnmarshalJSON(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*r = Record(s.plainRecord)
	r.Restrictions = auth.Meant(s.Restrictions)
	return nil
}

// A Store keeps records. Implementations are durable when they return.
type Store interface {
	PutToken(ctx context.Context, r Record) error
	// DeleteToken removes a record if there is one.
	DeleteToken(ctx context.Context, id string) error
	Tokens(ctx context.Context) ([]Record, error)
}

// Errors that callers may want to tell apart.
var (
	// ErrUnknown is returned by Revoke for an id that no token has.
	ErrUnknown = errors.New("there is no such service token")
	// ErrRequest is in every error about a Request that makes no sense.
	ErrRequest = errors.New("service token")
)

// prefix begins every token, so that they are found where they should not be.
const prefix = "grm_"

const (
	idBytes     = 6
	secretBytes = 32
	maxTokens   = 10_000
	// MaxLifetime is the longest that a token may live that expires at all.
	MaxLifetime = 10 * 365 * 24 * time.Hour
	// keepExpired is how long an expired token is still shown.
	keepExpired = 30 * 24 * time.Hour
)

// Options are what a Registry needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Store keeps the records. Required.
	Store Store
	// Plugins are those that restrictions may name; nil: any.
	Plugins []string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Registry knows all tokens.
type Registry struct {
	o Options

	writing sync.Mutex // held while the store is written
	mu      sync.RWMutex
	records map[string]Record
}

var _ auth.Issued = (*Registry)(nil)

// Open reads the tokens that there are.
func Open(ctx context.Context, o Options) (*Registry, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	list, err := o.Store.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("read service tokens: %w", err)
	}
	r := &Registry{o: o, records: map[string]Record{}}
	for _, record := range list {
		if len(record.Hash) != sha256.Size {
			return nil, fmt.Errorf("read service tokens: %s has no hash", record.ID)
		}
		r.records[record.ID] = record
	}
	return r, nil
}

// A Request says what a token should be.
type Request struct {
	// Subject names the service, in logs and to policies: up to 200 visible
	// characters of ASCII. Required.
	Subject string
	// Lifetime is how long it holds; 0: until it is revoked.
	Lifetime time.Duration
	// Restrictions narrow what it may do; nil: not at all.
	Restrictions []auth.Restriction
	// By is who asks.
	By string
}

var subject = regexp.MustCompile(`^[!-~]{1,200}$`)

func (r *Registry) check(q Request) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrRequest, fmt.Sprintf(format, args...))
	}
	switch {
	case !subject.MatchString(q.Subject):
		return refuse("the subject needs 1 to 200 visible characters of ASCII, and no blanks")
	case strings.HasPrefix(q.Subject, "plugin:"), strings.HasPrefix(q.Subject, "user:"):
		return refuse("the subject %q is what a plugin or a user would be called: take another", q.Subject)
	case q.Lifetime < 0, q.Lifetime > MaxLifetime:
		return refuse("it must expire within 10 years, and not before it begins")
	case q.Restrictions != nil && len(q.Restrictions) == 0:
		return refuse("with no plugin in its restrictions it could do nothing: name one, or leave them out")
	}
	if err := auth.CheckRestrictions(q.Restrictions); err != nil {
		return refuse("%s", err)
	}
	for _, restriction := range q.Restrictions {
		if r.o.Plugins != nil && !slices.Contains(r.o.Plugins, restriction.Plugin) {
			return refuse("there is no plugin %q: there are %s", restriction.Plugin, strings.Join(r.o.Plugins, ", "))
		}
	}
	return nil
}

// Issue makes a token. It is returned this once. Tokens that expired a month
// ago are forgotten on the way.
func (r *Registry) Issue(ctx context.Context, q Request) (token string, record Record, err error) {
	if err := r.check(q); err != nil {
		return "", Record{}, err
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.forgetExpired(ctx); err != nil {
		return "", Record{}, err
	}
	if len(r.List()) >= maxTokens {
		return "", Record{}, fmt.Errorf("%w: there are %d already: revoke some", ErrRequest, maxTokens)
	}
	id := r.newID()
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	token = prefix + id + "_" + hex.EncodeToString(secret)
	hash := sha256.Sum256([]byte(token))
	now := r.o.Now().UTC().Truncate(time.Second)
	record = Record{ID: id, Subject: q.Subject, Hash: hash[:], Created: now, CreatedBy: q.By, Restrictions: q.Restrictions}
	if q.Lifetime > 0 {
		record.Expires = now.Add(q.Lifetime)
	}
	if err := r.o.Store.PutToken(ctx, record); err != nil {
		return "", Record{}, fmt.Errorf("store service token: %w", err)
	}
	r.mu.Lock()
	r.records[id] = record
	r.mu.Unlock()
	return token, record, nil
}

// newID returns an id that no token has.
func (r *Registry) newID() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for {
		b := make([]byte, idBytes)
		_, _ = rand.Read(b) // never fails
		if id := hex.EncodeToString(b); r.records[id].ID == "" {
			return id
		}
	}
}

func (r *Registry) forgetExpired(ctx context.Context) error {
	for _, record := range r.List() {
		if !record.Expires.IsZero() && r.o.Now().Sub(record.Expires) > keepExpired {
			if err := r.remove(ctx, record.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove needs the writing lock.
func (r *Registry) remove(ctx context.Context, id string) error {
	if err := r.o.Store.DeleteToken(ctx, id); err != nil {
		return fmt.Errorf("remove service token %s: %w", id, err)
	}
	r.mu.Lock()
	delete(r.records, id)
	r.mu.Unlock()
	return nil
}

// Revoke ends a token, and returns what it was.
func (r *Registry) Revoke(ctx context.Context, id string) (Record, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.RLock()
	record, ok := r.records[id]
	r.mu.RUnlock()
	if !ok {
		return Record{}, ErrUnknown
	}
	return record, r.remove(ctx, id)
}

// List returns all records, the oldest first.
func (r *Registry) List() []Record {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]Record, 0, len(r.records))
	for _, record := range r.records {
		out = append(out, record)
	}
	slices.SortFunc(out, func(a, b Record) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Match returns the service that a token stands for now, and whether it is a
// token of ours that holds.
func (r *Registry) Match(token string) (auth.Principal, bool) {
	rest, ok := strings.CutPrefix(token, prefix)
	if !ok {
		return auth.Principal{}, false
	}
	id, _, _ := strings.Cut(rest, "_")
	r.mu.RLock()
	record, ok := r.records[id]
	r.mu.RUnlock()
	hash := sha256.Sum256([]byte(token))
	if !ok || subtle.ConstantTimeCompare(hash[:], record.Hash) != 1 ||
		!record.Expires.IsZero() && !r.o.Now().Before(record.Expires) {
		return auth.Principal{}, false
	}
	return auth.Principal{Kind: auth.Service, Subject: record.Subject, Restrictions: record.Restrictions, Expires: record.Expires}, true
}
