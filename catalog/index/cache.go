package index

import (
	"container/list"
	"slices"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A cache keeps results that are dear to make, for the snapshots that they are
// right for: those in which none of the fields that they were made of has
// changed. All snapshots share one.
type cache struct {
	mu      sync.Mutex
	entries map[string]*list.Element // of *cached
	recent  list.List                // least recently used last
	size    int                      // bytes
}

type cached struct {
	key    string
	basis  basis
	result any
	size   int
}

// A basis is what a result was made of: the editions of the set of all
// entities and of the fields of some keys, 0 where there is none. It does not
// point at them, since an old version that is kept keeps others.
type basis []uint64

func newCache() *cache { return &cache{entries: map[string]*list.Element{}} }

const (
	minCache = 2 << 20 // bytes
	maxCache = 64 << 20
	// cachePerEntity is how many bytes each entity lets the cache grow.
	cachePerEntity = 48
	// cacheEntry is about what an entry needs beside its result.
	cacheEntry = 256
)

func (s *Snapshot) cacheLimit() int {
	return max(minCache, min(maxCache, cachePerEntity*s.all.len()))
}

// What a cached result is, the first byte of its key.
const (
	cachedSet   = 's' // *set, of a filter
	cachedHits  = 'h' // []Hit, of a filter in ascending order of a field
	cachedFacet = 'f' // []FacetValue
)

// remember returns the result of a filter and another key from the cache; if
// it is not there, it is made, with the number of bytes that it needs.
func (s *Snapshot) remember(kind byte, f query.Filter, key string, make func() (result any, size int)) any {
	var space [256]byte
	name := append(append(append(space[:0], kind), key...), 0)
	name = query.AppendKey(name, f)
	var editions [8]uint64
	b := append(basis(editions[:0]), s.allEdition)
	note := func(key string) {
		edition := uint64(0)
		if f := s.lookup(key); f != nil {
			edition = f.edition
		}
		b = append(b, edition)
	}
	if key != "" {
		note(key)
	}
	query.Keys(f, note)
	if result, ok := s.cache.find(name, b); ok {
		return result
	}
	result, size := make()
	size += len(name) + 8*len(b) + cacheEntry
	if limit := s.cacheLimit(); size <= limit/4 {
		b = slices.Clone(b)
		s.cache.keep(&cached{key: string(name), basis: b, result: result, size: size}, limit)
	}
	return result
}

func (c *cache) find(key []byte, b basis) (result any, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[string(key)]
	if !ok || !slices.Equal(e.Value.(*cached).basis, b) {
		return nil, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached).result, true
}

func (c *cache) keep(x *cached, limit int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[x.key]; ok {
		c.drop(old)
	}
	c.entries[x.key] = c.recent.PushFront(x)
	for c.size += x.size; c.size > limit; {
		c.drop(c.recent.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	x := c.recent.Remove(e).(*cached)
	delete(c.entries, x.key)
	c.size -= x.size
}

// size returns about how many bytes a set needs.
func (s *set) size() int {
	if s == nil {
		return 0
	}
	n := 64 + 4*len(s.ids)
	for i := range s.blocks {
		n += 32 + 8*len(s.blocks[i].words)
	}
	return n
}
