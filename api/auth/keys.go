package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Store keeps what must survive a restart. Implementations are safe for
// concurrent use and durable when they return.
type Store interface {
	// PutKey adds a public key and forgets those that expired before now.
	PutKey(ctx context.Context, key PublicKey, now time.Time) error
	// Keys returns all keys, in any order.
	Keys(ctx context.Context) ([]PublicKey, error)
	// PutUser records what a user is and owns, over what was recorded before.
	PutUser(ctx context.Context, info UserInfo) error
	// User returns that record, and whether there is one.
	User(ctx context.Context, subject string) (UserInfo, bool, error)
}

// A PublicKey verifies tokens until it expires. The point is that of P-256, in
// its uncompressed form of 65 bytes.
type PublicKey struct {
	ID      string    `json:"id"`
	Point   []byte    `json:"point"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// UserInfo is what is known of a user since the last sign-in.
type UserInfo struct {
	Subject   string   `json:"sub"`
	Ownership []string `json:"ent"`
}

type signingKey struct {
	PublicKey
	private *ecdsa.PrivateKey
}

// published is how many token lifetimes after its creation a key is forgotten:
// one in which it signs, one in which its last token ends, and one to spare.
const published = 3

// A keyring signs with one key for one token lifetime, and verifies with all
// that are still published.
type keyring struct {
	store    Store
	lifetime time.Duration
	now      func() time.Time

	mu      sync.RWMutex
	current *signingKey
	public  []verifyingKey // oldest first
}

type verifyingKey struct {
	PublicKey
	key *ecdsa.PublicKey
}

func openKeyring(ctx context.Context, store Store, lifetime time.Duration, now func() time.Time) (*keyring, error) {
	stored, err := store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	k := &keyring{store: store, lifetime: lifetime, now: now}
	for _, p := range stored {
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), p.Point)
		if err != nil {
			return nil, fmt.Errorf("stored signing key %s: %w", p.ID, err)
		}
		k.public = append(k.public, verifyingKey{p, key})
	}
	slices.SortFunc(k.public, func(a, b verifyingKey) int { return a.Created.Compare(b.Created) })
	return k, nil
}

// signer returns the key that signs now, a new one if the last has served its
// time. A new key is published before it is used.
func (k *keyring) signer(ctx context.Context) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if k.current != nil && now.Before(k.current.Created.Add(k.lifetime)) {
		return k.current, nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	key := &signingKey{PublicKey{uuid.NewString(), point, now, now.Add(published * k.lifetime)}, private}
	if err := k.store.PutKey(ctx, key.PublicKey, now); err != nil {
		return nil, fmt.Errorf("store signing key: %w", err)
	}
	k.public = slices.DeleteFunc(k.public, func(v verifyingKey) bool { return v.Expires.Before(now) })
	k.public = append(k.public, verifyingKey{key.PublicKey, &private.PublicKey})
	k.current = key
	return key, nil
}

// verifier returns the published key of that id, nil if there is none.
func (k *keyring) verifier(id string) *ecdsa.PublicKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	now := k.now()
	for _, v := range k.public {
		if v.ID == id && now.Before(v.Expires) {
			return v.key
		}
	}
	return nil
}

// A jwk is a public key in the form of RFC 7517.
type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
	ID    string `json:"kid"`
	Alg   string `json:"alg"`
}

type keySet struct {
	Keys []jwk `json:"keys"`
}

func (k *keyring) set() keySet {
	k.mu.RLock()
	defer k.mu.RUnlock()
	out := keySet{Keys: []jwk{}}
	now := k.now()
	for _, v := range k.public {
		if now.Before(v.Expires) {
			out.Keys = append(out.Keys, jwk{"EC", "P-256",
				base64.RawURLEncoding.EncodeToString(v.Point[1:33]),
				base64.RawURLEncoding.EncodeToString(v.Point[33:65]), v.ID, "ES256"})
		}
	}
	return out
}
