package signin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/greenroom-idp/greenroom/api/wire"
)

// A FlowStore keeps what belongs to a start until its callback. It is safe for
// concurrent use, and bounds how many it keeps.
type FlowStore interface {
	// PutFlow keeps a value until it expires. A store that is full forgets the
	// oldest for it.
	PutFlow(ctx context.Context, id [32]byte, sealed []byte, now, expires time.Time) error
	// TakeFlow returns a value that has not expired, and forgets it: of two
	// callers one gets it.
	TakeFlow(ctx context.Context, id [32]byte, now time.Time) (sealed []byte, ok bool, err error)
}

// flows makes the proof of a start, and finds it again at the callback.
type flows struct {
	store FlowStore
	aead  cipher.AEAD // nil: there is no secret
	now   func() time.Time
}

func newFlows(store FlowStore, secret string, now func() time.Time) (*flows, error) {
	f := &flows{store: store, now: now}
	if secret == "" {
		return f, nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "greenroom sign-in flows", 32)
	if err != nil {
		return nil, fmt.Errorf("key of sign-in flows: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of sign-in flows: %w", err)
	}
	f.aead, err = cipher.NewGCM(block)
	return f, err
}

func (f *flows) usable() bool { return f.store != nil && f.aead != nil }

// begin returns the proof of a start with that nonce.
func (f *flows) begin(ctx context.Context, e *environment, nonce string) (Proof, error) {
	if !e.traits.Keeps {
		return derived(e, nonce), nil
	}
	p := Proof{Verifier: base64.RawURLEncoding.EncodeToString(random(32)), Nonce: base64.RawURLEncoding.EncodeToString(random(16))}
	plain, err := json.Marshal(p)
	if err != nil {
		return Proof{}, fmt.Errorf("encode proof: %w", err)
	}
	now := f.now()
	id := sha256.Sum256([]byte(nonce))
	iv := random(f.aead.NonceSize())
	sealed := f.aead.Seal(iv, iv, plain, bound(e, nonce))
	return p, f.store.PutFlow(ctx, id, sealed, now, now.Add(nonceAge))
}

// end returns the proof of the start with that nonce, once.
func (f *flows) end(ctx context.Context, e *environment, nonce string) (Proof, error) {
	if !e.traits.Keeps {
		return derived(e, nonce), nil
	}
	sealed, ok, err := f.store.TakeFlow(ctx, sha256.Sum256([]byte(nonce)), f.now())
	if err != nil {
		return Proof{}, err
	}
	size := f.aead.NonceSize()
	if !ok || len(sealed) < size {
		return Proof{}, wire.NotAllowed("This sign-in has ended or has taken too long: begin again")
	}
	plain, err := f.aead.Open(nil, sealed[:size], sealed[size:], bound(e, nonce))
	if err != nil {
		return Proof{}, wire.NotAllowed("This sign-in began elsewhere: begin again")
	}
	var p Proof
	if err := json.Unmarshal(plain, &p); err != nil {
		return Proof{}, fmt.Errorf("decode proof: %w", err)
	}
	return p, nil
}

// bound is what a sealed proof holds for, and nothing else.
func bound(e *environment, nonce string) []byte {
	return []byte(e.provider + "\x00" + e.name + "\x00" + nonce)
}

// derived returns the proof of a provider that keeps none: only who knows both
// the nonce, which is in a cookie, and the secret of the client can make it.
func derived(e *environment, nonce string) Proof {
	mac := hmac.New(sha256.New, []byte(e.Secret))
	mac.Write([]byte("pkce\x00"))
	mac.Write(bound(e, nonce))
	return Proof{Verifier: base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}
}

// equal compares in a time that does not tell how much is right.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
