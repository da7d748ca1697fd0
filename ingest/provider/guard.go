package provider

import (
	"maps"
	"slices"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/engine"
)

// A Guard says which listings are held. It holds those that remove at least
// AtLeast entities, and more than Share of all that the provider feeds in.
type Guard struct {
	Share   float64 // from 0 to 1; 1 holds nothing
	AtLeast int
}

// DefaultGuard is that of an installation that says nothing about it.
func DefaultGuard() Guard { return Guard{Share: 0.3, AtLeast: 20} }

// holds tells whether removing so many of so many is too much.
func (g Guard) holds(removed, before int) bool {
	return removed > 0 && removed >= g.AtLeast && float64(removed) > g.Share*float64(before)
}

// A Held is a listing that was not published because it would have removed too
// much. Only what it would have removed is kept.
type Held struct {
	// Since is when a listing was held first, Seen when the last one was.
	Since time.Time `json:"since"`
	Seen  time.Time `json:"seen"`
	// Before is how many entities the provider feeds in, Listed how many the
	// listing has.
	Before int `json:"before"`
	Listed int `json:"listed"`
	// Removals are the canonical refs that would go, sorted.
	Removals []string `json:"removals"`
}

// A difference is what a listing changes.
type difference struct {
	added, kept int
	removals    []string // sorted
}

// diff compares a listing with what the provider feeds in.
func diff(before []string, l Listing) difference {
	was, gone := make(map[string]bool, len(before)), map[string]bool{}
	for _, ref := range before {
		was[ref] = true
		gone[ref] = !l.Delta
	}
	for _, ref := range l.Removed {
		gone[ref] = was[ref]
	}
	var d difference
	seen := make(map[string]bool, len(l.Added))
	for _, entity := range l.Added {
		ref := entity.Entity.Ref().String()
		gone[ref] = false
		switch {
		case seen[ref]:
		case was[ref]:
			d.kept++
		default:
			d.added++
		}
		seen[ref] = true
	}
	for ref, is := range gone {
		if is {
			d.removals = append(d.removals, ref)
		}
	}
	slices.Sort(d.removals)
	return d
}

// An overlay holds what events changed since a poll began, by canonical ref:
// nil for what they removed.
type overlay map[string]*engine.Deferred

func (o overlay) note(c Change) {
	for _, ref := range c.Removed {
		o[ref] = nil
	}
	for i := range c.Added {
		o[c.Added[i].Entity.Ref().String()] = &c.Added[i]
	}
}

// over returns the listing with what the events say in place of what it says
// of the same entities, since it may have been read before they happened.
func (o overlay) over(l Listing) Listing {
	if len(o) == 0 {
		return l
	}
	out := l
	out.Added = make([]engine.Deferred, 0, len(l.Added)+len(o))
	for _, d := range l.Added {
		if _, changed := o[d.Entity.Ref().String()]; !changed {
			out.Added = append(out.Added, d)
		}
	}
	out.Removed = slices.DeleteFunc(slices.Clone(l.Removed), func(ref string) bool {
		_, changed := o[ref]
		return changed
	})
	for _, ref := range slices.Sorted(maps.Keys(o)) {
		if d := o[ref]; d != nil {
			out.Added = append(out.Added, *d)
		}
	}
	return out
}
