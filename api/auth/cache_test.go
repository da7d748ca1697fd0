package auth

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTokenCacheIsBounded(t *testing.T) {
	c := newTokenCache(100)
	now := time.Unix(1000, 0)
	hash := func(i int) tokenHash { return sha256.Sum256([]byte(strconv.Itoa(i))) }
	used := &verified{principal: Principal{Subject: "in use"}}
	c.put(hash(0), used)
	for i := 1; i < 10_000; i++ {
		c.put(hash(i), &verified{})
		assert.LessOrEqual(t, len(c.young)+len(c.old), 100)
		v, ok := c.get(hash(0), now)
		assert.True(t, ok, "a token in use stays")
		assert.Same(t, used, v)
	}
	_, ok := c.get(hash(1), now)
	assert.False(t, ok, "one that is not goes")
}

func TestTokenCacheForgetsExpired(t *testing.T) {
	c := newTokenCache(10)
	h := tokenHash(sha256.Sum256([]byte("x")))
	end := time.Unix(1000, 0)
	c.put(h, &verified{principal: Principal{Expires: end}})
	_, ok := c.get(h, end.Add(-time.Nanosecond))
	assert.True(t, ok)
	_, ok = c.get(h, end)
	assert.False(t, ok)
}
