package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Query is what is asked for.
type Query struct {
	// Term is what somebody typed. Without a word in it all documents are
	// found, in order of their titles.
	Term string
	// Filters all hold.
	Filters []Filter
	// Offset is how many documents to pass over, and Limit how many to return
	// at most.
	Offset, Limit int
	// Pre and Post are put around the words of a highlight that were found.
	Pre, Post string
}

// A Filter holds for the documents of which a field has all words of one of
// the values. A value without a word holds for all.
type Filter struct {
	Field  string
	Values []string
}

// A Scope is the documents of one type that a query may find.
type Scope struct {
	Type     string
	Snapshot *Snapshot
	// Visible tells which of some resources the asker may see, with one answer
	// for each; nil: all of them.
	Visible func(ctx context.Context, resources []string) ([]bool, error)
}

// A Result is one page of what was found.
type Result struct {
	Hits []Hit
	// Total is how many documents were found and may be seen.
	Total int
}

// A Hit is a document that was found.
type Hit struct {
	Type string
	// Body is the document's, as JSON. It must not be changed.
	Body []byte
	// Highlights are the fields in which something was found.
	Highlights []jsonvalue.Member
}

// Find ranks what a query finds in some scopes. The error is that of a Visible
// function, or of the context.
func Find(ctx context.Context, scopes []Scope, q Query) (Result, error) {
	f := finder{query: q, scopes: scopes}
	for _, w := range parseTerm(q.Term) {
		f.words = append(f.words, newQueryWord(w))
	}
	defer f.release()
	f.open()
	if len(f.words) == 0 {
		f.findAll()
	} else if err := f.rank(ctx); err != nil {
		return Result{}, err
	}
	if err := f.hide(ctx); err != nil {
		return Result{}, err
	}
	return f.page()
}

// A finder answers one query.
type finder struct {
	query  Query
	words  []queryWord
	scopes []Scope
	units  []*unit
	// documents is how many there are in all scopes.
	documents int
	found     []candidate
	// uncounted are how many were found beside those: documents that come too
	// late in the order for this page.
	uncounted int
}

// A unit is one part of one scope, and what is known of its documents while a
// query is answered.
type unit struct {
	part
	scope int
	// allowed are the documents that the filters hold for, with filtered true
	// where there are filters.
	allowed  bitmap
	filtered bool

	// By document: the best that the word at hand has found, and in which
	// fields as it stands; the score of all words so far, and how many were
	// found, in the title alone, and in the first name alone.
	best    []float32
	exact   []uint16
	score   []float32
	matched []matches
	now     []uint32 // documents that have the word at hand
	touched []uint32 // those that have any
}

type matches struct{ all, title, name uint8 }

// A candidate is a document that was found.
type candidate struct {
	score float32
	unit  uint32
	doc   uint32
}

var units = sync.Pool{New: func() any { return new(unit) }}

// open prepares the units.
func (f *finder) open() {
	for i := range f.scopes {
		f.documents += f.scopes[i].Snapshot.Len()
		for _, p := range f.scopes[i].Snapshot.parts {
			u := units.Get().(*unit)
			u.part, u.scope = p, i
			u.filter(f.query.Filters)
			if len(f.words) > 0 {
				u.reserve(len(p.docs))
			}
			f.units = append(f.units, u)
		}
	}
}

// release gives the units back, as empty as they were.
func (f *finder) release() {
	for _, u := range f.units {
		for _, doc := range u.touched {
			u.score[doc], u.matched[doc] = 0, matches{}
		}
		for _, doc := range u.now {
			u.best[doc], u.exact[doc] = 0, 0
		}
		u.part, u.allowed, u.filtered = part{}, nil, false
		u.now, u.touched = u.now[:0], u.touched[:0]
		units.Put(u)
	}
}

func (u *unit) reserve(n int) {
	if len(u.best) < n {
		u.best, u.exact = make([]float32, n), make([]uint16, n)
		u.score, u.matched = make([]float32, n), make([]matches, n)
	}
}

// shows tells whether a document is alive and passes the filters.
func (u *unit) shows(doc uint32) bool {
	return !u.dead.has(doc) && (!u.filtered || u.allowed.has(doc))
}

// findAll finds all documents. They are in order within a unit, so where all
// of them may be seen those behind the end of the page need only be counted.
func (f *finder) findAll() {
	for i, u := range f.units {
		most := len(u.docs)
		if f.scopes[u.scope].Visible == nil {
			most = min(most, f.query.Offset+f.query.Limit)
		}
		f.found = slices.Grow(f.found, most)
		for doc := range uint32(len(u.docs)) {
			switch {
			case !u.shows(doc):
			case most == 0:
				f.uncounted++
			default:
				most--
				f.found = append(f.found, candidate{0, uint32(i), doc})
			}
		}
	}
}

// rank finds the documents that have one of the words.
func (f *finder) rank(ctx context.Context) error {
	for i := range f.words {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		have := 0
		for _, u := range f.units {
			have += u.look(&f.words[i])
		}
		n, all := float64(have), float64(f.documents)
		weight := float32(math.Log(1 + (all-n+0.5)/(n+0.5)))
		for _, u := range f.units {
			u.settle(weight)
		}
	}
	for i, u := range f.units {
		f.found = slices.Grow(f.found, len(u.touched))
		for _, doc := range u.touched {
			if u.shows(doc) {
				f.found = append(f.found, candidate{u.total(doc, len(f.words)), uint32(i), doc})
			}
		}
	}
	return nil
}

// look notes who has a word, and returns how many of them are alive.
func (u *unit) look(q *queryWord) (alive int) {
	u.eachVariant(q, func(v variant) {
		for _, p := range u.list(v.word) {
			if p.impact == 0 || u.dead.has(p.doc) {
				continue
			}
			if u.best[p.doc] == 0 {
				u.now = append(u.now, p.doc)
			}
			u.best[p.doc] = max(u.best[p.doc], v.quality*float32(p.impact)/maxImpact)
			if v.quality == sameWord {
				u.exact[p.doc] |= p.fields
			}
		}
	})
	return len(u.now)
}

// settle adds what was noted to the scores.
func (u *unit) settle(weight float32) {
	for _, doc := range u.now {
		m := &u.matched[doc]
		if m.all == 0 {
			u.touched = append(u.touched, doc)
		}
		m.all++
		if u.exact[doc]&(1<<placeTitle) != 0 {
			m.title++
		}
		if u.exact[doc]&(1<<placeNames) != 0 {
			m.name++
		}
		u.score[doc] += weight * u.best[doc]
		u.best[doc], u.exact[doc] = 0, 0
	}
	u.now = u.now[:0]
}

// wholeName is by how much it counts that title or name is all that was asked
// for, and nothing else.
const wholeName = 1.5

// total returns the score of a document: the more of the words it has the
// better.
func (u *unit) total(doc uint32, words int) float32 {
	m, e := u.matched[doc], &u.docs[doc]
	score := u.score[doc] * float32(m.all) / float32(words)
	n := uint8(words)
	if m.title == n && e.titleWords == n || m.name == n && e.nameWords == n {
		score *= wholeName
	}
	return score
}

// hide leaves out what the asker may not see.
func (f *finder) hide(ctx context.Context) error {
	for i := range f.scopes {
		visible := f.scopes[i].Visible
		if visible == nil {
			continue
		}
		resources := make([]string, 0, len(f.found))
		for _, c := range f.found {
			if u := f.units[c.unit]; u.scope == i {
				resources = append(resources, u.docs[c.doc].resource)
			}
		}
		if len(resources) == 0 {
			continue
		}
		seen, err := visible(ctx, resources)
		if err != nil {
			return err
		}
		next := 0
		f.found = slices.DeleteFunc(f.found, func(c candidate) bool {
			if f.units[c.unit].scope != i {
				return false
			}
			next++
			return !seen[next-1]
		})
	}
	return ctx.Err()
}

// compare orders candidates: the better one first.
func (f *finder) compare(a, b candidate) int {
	if c := cmp.Compare(b.score, a.score); c != 0 {
		return c
	}
	if a.unit == b.unit {
		return cmp.Compare(a.doc, b.doc)
	}
	u, v := f.units[a.unit], f.units[b.unit]
	return cmp.Or(compareEntries(&u.docs[a.doc], &v.docs[b.doc]), cmp.Compare(u.scope, v.scope))
}

// page returns the hits of the page.
func (f *finder) page() (Result, error) {
	r := Result{Total: len(f.found) + f.uncounted}
	if f.query.Offset >= r.Total || f.query.Limit <= 0 {
		return r, nil
	}
	end := f.query.Offset + min(f.query.Limit, r.Total-f.query.Offset)
	marks := newMarker(f.words, f.query.Pre, f.query.Post)
	for _, c := range f.first(end)[f.query.Offset:] {
		u := f.units[c.unit]
		hit := Hit{Type: f.scopes[u.scope].Type, Body: u.docs[c.doc].body}
		var err error
		if hit.Highlights, err = marks.highlights(hit.Body); err != nil {
			return Result{}, err
		}
		r.Hits = append(r.Hits, hit)
	}
	return r, nil
}

// first returns the n best candidates in order.
func (f *finder) first(n int) []candidate {
	best := make([]candidate, 0, min(len(f.found), 2*n))
	full := false
	for _, c := range f.found {
		if full && f.compare(c, best[n-1]) >= 0 {
			continue
		}
		if best = append(best, c); len(best) == 2*n {
			slices.SortFunc(best, f.compare)
			best, full = best[:n], true
		}
	}
	slices.SortFunc(best, f.compare)
	return best[:n]
}
