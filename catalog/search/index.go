package search

import (
	"slices"
	"sync"
	"sync/atomic"
)

// An Index holds the documents of one type; New makes one.
type Index struct {
	newest atomic.Pointer[Snapshot]
	filled chan struct{}
	once   sync.Once
}

// New returns an index of no documents.
func New() *Index {
	x := &Index{filled: make(chan struct{})}
	x.newest.Store(&Snapshot{})
	return x
}

// Snapshot returns the newest snapshot. It never waits.
func (x *Index) Snapshot() *Snapshot { return x.newest.Load() }

// Filled is closed once the index holds all documents that there were when it
// was opened.
func (x *Index) Filled() <-chan struct{} { return x.filled }

// MarkFilled closes Filled.
func (x *Index) MarkFilled() { x.once.Do(func() { close(x.filled) }) }

// A Snapshot is an index at one moment.
type Snapshot struct{ parts []part }

// Len returns the number of documents.
func (s *Snapshot) Len() int {
	n := 0
	for i := range s.parts {
		n += s.parts[i].live
	}
	return n
}

// Replace makes the index one of these documents and nothing else.
func (x *Index) Replace(documents []Document) {
	next := &Snapshot{}
	if s := buildSegment(documents); len(s.docs) > 0 {
		next.parts = []part{{segment: s, live: len(s.docs)}}
	}
	x.newest.Store(next)
}

// Apply removes the documents of some keys, and then adds documents, which
// replace those with their keys.
func (x *Index) Apply(put []Document, remove []string) {
	dead := slices.Clone(remove)
	for i := range put {
		dead = append(dead, put[i].Key)
	}
	next := &Snapshot{parts: bury(x.Snapshot().parts, dead)}
	if s := buildSegment(put); len(s.docs) > 0 {
		next.parts = append(next.parts, part{segment: s, live: len(s.docs)})
	}
	next.parts = compact(next.parts)
	x.newest.Store(next)
}

// bury returns the parts without the documents of some keys.
func bury(parts []part, keys []string) []part {
	out := slices.Clone(parts)
	for i := range out {
		p := &out[i]
		owned := false
		for _, key := range keys {
			doc, ok := p.find(key)
			if !ok || p.dead.has(doc) {
				continue
			}
			if !owned {
				dead := newBitmap(len(p.docs))
				copy(dead, p.dead)
				p.dead, owned = dead, true
			}
			p.dead.set(doc)
			p.live--
		}
	}
	return slices.DeleteFunc(out, func(p part) bool { return p.live == 0 })
}

// fanOut is how many parts of a like size there may be, and by what factor
// sizes are alike.
const fanOut = 4

// compact joins parts where there are many of a like size, and rewrites those
// that are more dead than alive.
func compact(parts []part) []part {
	for i := range parts {
		if p := parts[i]; p.live*2 < len(p.docs) {
			parts[i] = join(parts[i : i+1])
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.live - a.live })
	for {
		from := crowd(parts)
		if from < 0 {
			return parts
		}
		parts = append(parts[:from:from], join(parts[from:]))
	}
}

// crowd returns from where on the smallest parts are to be joined, -1 if there
// is room. Parts are in descending order of size.
func crowd(parts []part) int {
	alike := 0
	for from := len(parts) - 1; from >= 0; from-- {
		alike++
		if from > 0 && tier(parts[from-1]) == tier(parts[from]) {
			continue
		}
		if alike >= fanOut {
			return from
		}
		alike = 0
	}
	return -1
}

// tier is the same for parts of a like size.
func tier(p part) (t int) {
	for n := p.live; n >= fanOut; n /= fanOut {
		t++
	}
	return t
}

func join(parts []part) part {
	s := mergeParts(parts)
	return part{segment: s, live: len(s.docs)}
}
