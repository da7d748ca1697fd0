package nunjucks

import (
	lru "container/list"
	"sync"
)

// A cache keeps the templates used last, bounded in number and in bytes of
// source. A nil cache keeps nothing.
type cache struct {
	mu        sync.Mutex
	templates int
	bytes     int
	used      int
	byKey     map[cacheKey]*lru.Element
	order     lru.List // of *Template, used last first
}

type cacheKey struct{ name, source string }

func newCache(templates, bytes int) *cache {
	if templates < 0 {
		return nil
	}
	if templates == 0 {
		templates = 512
	}
	if bytes <= 0 {
		bytes = 8 << 20
	}
	return &cache{templates: templates, bytes: bytes, byKey: map[cacheKey]*lru.Element{}}
}

func (c *cache) get(name, source string) *Template {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[cacheKey{name, source}]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*Template)
}

func (c *cache) put(t *Template) {
	if c == nil || len(t.src) > c.bytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{t.name, t.src}
	if c.byKey[key] != nil {
		return
	}
	c.byKey[key] = c.order.PushFront(t)
	c.used += len(t.src)
	for c.used > c.bytes || len(c.byKey) > c.templates {
		last := c.order.Back()
		old := c.order.Remove(last).(*Template)
		delete(c.byKey, cacheKey{old.name, old.src})
		c.used -= len(old.src)
	}
}
