package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/greenroom-idp/greenroom/api/auth/keyset"
)

// A KeyStore keeps the public halves of signing keys. Implementations are safe
// for concurrent use and durable when they return.
type KeyStore interface {
	// PutKey adds a public key and forgets those that expired before now.
	PutKey(ctx context.Context, key PublicKey, now time.Time) error
	// Keys returns all keys, in any order.
	Keys(ctx context.Context) ([]PublicKey, error)
}

// A Store keeps what must survive a restart. The keys are those of user
// tokens. Implementations are safe for concurrent use and durable when they
// return.
type Store interface {
	KeyStore
	// PutUser records what a user is and owns, over what was recorded before.
	PutUser(ctx context.Context, info UserInfo) error
	// User returns that record, and whether there is one.
	User(ctx context.Context, subject string) (UserInfo, bool, error)
}

// A PublicKey verifies tokens until it expires.
type PublicKey struct {
	ID string `json:"id"`
	// Point is that of a key for ES256 on P-256, in its uncompressed form of 65
	// bytes; nil for other algorithms.
	Point []byte `json:"point,omitempty"`
	// Algorithm and DER are those of other keys: the name as in tokens, and the
	// SubjectPublicKeyInfo.
	Algorithm string    `json:"alg,omitempty"`
	DER       []byte    `json:"spki,omitempty"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires"`
}

// UserInfo is what is known of a user since the last sign-in.
type UserInfo struct {
	Subject   string   `json:"sub"`
	Ownership []string `json:"ent"`
}

const defaultAlgorithm = "ES256"

// newPublicKey returns the stored form of a key.
func newPublicKey(id, algorithm string, public crypto.PublicKey, created, expires time.Time) (PublicKey, error) {
	p := PublicKey{ID: id, Created: created, Expires: expires}
	var err error
	if k, ok := public.(*ecdsa.PublicKey); ok && algorithm == defaultAlgorithm {
		p.Point, err = k.Bytes()
		return p, err
	}
	p.Algorithm = algorithm
	p.DER, err = x509.MarshalPKIXPublicKey(public)
	return p, err
}

// parsed returns the key and its algorithm.
func (p PublicKey) parsed() (public crypto.PublicKey, algorithm string, err error) {
	if p.DER == nil {
		public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), p.Point)
		return public, defaultAlgorithm, err
	}
	public, err = x509.ParsePKIXPublicKey(p.DER)
	if err == nil && !keyset.Allows(public, p.Algorithm) {
		err = fmt.Errorf("it is not one for %q", p.Algorithm)
	}
	return public, p.Algorithm, err
}

type signingKey struct {
	id, algorithm string
	private       crypto.Signer
	created       time.Time
}

// published is how many token lifetimes after its creation a key is forgotten:
// one in which it signs, one in which its last token ends, and one to spare.
const published = 3

// A keyring signs with one key for one token lifetime, and verifies with all
// that are still published. One with keys from files has no other ones.
type keyring struct {
	store     KeyStore // nil: the keys are fixed
	algorithm string
	lifetime  time.Duration
	now       func() time.Time
	use       string // what the published keys say that they are for

	mu      sync.RWMutex
	current *signingKey
	public  []verifyingKey // oldest first
}

type verifyingKey struct {
	id, algorithm string
	key           crypto.PublicKey
	created       time.Time
	expires       time.Time // zero: never
}

func (v verifyingKey) holds(now time.Time) bool { return v.expires.IsZero() || now.Before(v.expires) }

func openKeyring(ctx context.Context, store KeyStore, algorithm string, lifetime time.Duration, now func() time.Time) (*keyring, error) {
	if algorithm == "" {
		algorithm = defaultAlgorithm
	}
	if !slices.Contains(keyset.Algorithms(), algorithm) {
		return nil, fmt.Errorf("algorithm %q for tokens is not one of %s", algorithm, strings.Join(keyset.Algorithms(), ", "))
	}
	stored, err := store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	k := &keyring{store: store, algorithm: algorithm, lifetime: lifetime, now: now}
	for _, p := range stored {
		key, alg, err := p.parsed()
		if err != nil {
			return nil, fmt.Errorf("stored signing key %s: %w", p.ID, err)
		}
		k.public = append(k.public, verifyingKey{p.ID, alg, key, p.Created, p.Expires})
	}
	slices.SortFunc(k.public, func(a, b verifyingKey) int { return a.created.Compare(b.created) })
	return k, nil
}

// signer returns the key that signs now, a new one if the last has served its
// time. A new key is published before it is used.
func (k *keyring) signer(ctx context.Context) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if k.current != nil && (k.store == nil || now.Before(k.current.created.Add(k.lifetime))) {
		return k.current, nil
	}
	private, err := generate(k.algorithm)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	key := &signingKey{uuid.NewString(), k.algorithm, private, now}
	expires := now.Add(published * k.lifetime)
	public, err := newPublicKey(key.id, key.algorithm, private.Public(), now, expires)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	if err := k.store.PutKey(ctx, public, now); err != nil {
		return nil, fmt.Errorf("store signing key: %w", err)
	}
	k.public = slices.DeleteFunc(k.public, func(v verifyingKey) bool { return !v.holds(now) })
	k.public = append(k.public, verifyingKey{key.id, key.algorithm, private.Public(), now, expires})
	k.current = key
	return key, nil
}

const rsaBits = 2048

func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return rsa.GenerateKey(rand.Reader, rsaBits)
}

// verifier returns the published key of that id for that algorithm, nil if
// there is none.
func (k *keyring) verifier(id, algorithm string) crypto.PublicKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	now := k.now()
	for _, v := range k.public {
		if v.id == id && v.algorithm == algorithm && v.holds(now) {
			return v.key
		}
	}
	return nil
}

// set returns the published keys in the form of RFC 7517.
func (k *keyring) set() jose.JSONWebKeySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	out := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	now := k.now()
	for _, v := range k.public {
		if v.holds(now) {
			out.Keys = append(out.Keys, jose.JSONWebKey{Key: v.key, KeyID: v.id, Algorithm: v.algorithm, Use: k.use})
		}
	}
	return out
}

// memoryKeys is a KeyStore that is gone with the process.
type memoryKeys struct {
	mu   sync.Mutex
	keys []PublicKey
}

// MemoryKeys returns a KeyStore that is gone with the process. Tokens from
// before a restart end with it.
func MemoryKeys() KeyStore { return &memoryKeys{} }

func (m *memoryKeys) PutKey(_ context.Context, key PublicKey, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = append(slices.DeleteFunc(m.keys, func(k PublicKey) bool { return k.Expires.Before(now) }), key)
	return nil
}

func (m *memoryKeys) Keys(context.Context) ([]PublicKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.keys), nil
}
