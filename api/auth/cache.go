package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// A tokenCache remembers verified tokens by their hash until they expire:
// verifying a signature costs a hundred times as much as this look-up. It is
// bounded: two generations of at most half the size each, the older of which
// is dropped when the younger is full. Tokens in use move to the younger.
type tokenCache struct {
	half int

	mu         sync.RWMutex
	young, old map[tokenHash]*verified
}

type tokenHash [sha256.Size]byte

// verified is what a token proved.
type verified struct {
	principal Principal
	keyID     string
	proof     string // uip of a full user token
	claims    claims
}

func newTokenCache(size int) *tokenCache {
	return &tokenCache{half: max(1, size/2), young: map[tokenHash]*verified{}}
}

func (c *tokenCache) get(h tokenHash, now time.Time) (*verified, bool) {
	c.mu.RLock()
	v, ok := c.young[h]
	aged := false
	if !ok {
		v, aged = c.old[h]
	}
	c.mu.RUnlock()
	if !ok && !aged || !v.principal.Expires.IsZero() && !now.Before(v.principal.Expires) {
		return nil, false
	}
	if aged {
		c.put(h, v)
	}
	return v, true
}

func (c *tokenCache) put(h tokenHash, v *verified) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.young[h]; !there && len(c.young) >= c.half {
		c.old, c.young = c.young, map[tokenHash]*verified{}
	}
	c.young[h] = v
}
