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
	// audience are the plugins that a plugin token is for; nil: it is no plugin
	// token.
	audience []string
	// until is when the token has to be verified again, since keys of others
	// may have been withdrawn; zero: not before it expires.
	until time.Time
}

// holds tells whether the token need not be verified again.
func (v *verified) holds(now time.Time) bool {
	return (v.principal.Expires.IsZero() || now.Before(v.principal.Expires)) && (v.until.IsZero() || now.Before(v.until))
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
	if !ok && !aged || !v.holds(now) {
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
