package index

// A cache keeps results that are dear to make.
type cache struct{}

func newCache() *cache { return &cache{} }
