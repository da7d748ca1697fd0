package actions

import (
	"fmt"

	"github.com/bmatcuk/doublestar/v4"
)

// A Filter chooses actions: those that a rule of Include matches, or all if
// there is none, without those that a rule of Exclude matches. The zero value
// takes all.
type Filter struct{ Include, Exclude []Rule }

// A Rule matches actions by all that it says of them.
type Rule struct {
	// ID is a glob pattern of ids, such as catalog:*; "": any.
	ID string
	// What the action says of itself; nil: either.
	ReadOnly, Idempotent, Destructive *bool
}

func (f Filter) check() error {
	for _, list := range [][]Rule{f.Include, f.Exclude} {
		for _, r := range list {
			if !doublestar.ValidatePattern(r.ID) {
				return fmt.Errorf("%q is not a glob pattern of ids of actions", r.ID)
			}
		}
	}
	return nil
}

// Takes tells whether the filter chooses an action.
func (f Filter) Takes(a *Action) bool {
	for _, r := range f.Exclude {
		if r.matches(a) {
			return false
		}
	}
	for _, r := range f.Include {
		if r.matches(a) {
			return true
		}
	}
	return len(f.Include) == 0
}

func (r Rule) matches(a *Action) bool {
	is := func(want *bool, got bool) bool { return want == nil || *want == got }
	return (r.ID == "" || doublestar.MatchUnvalidated(r.ID, a.ID())) &&
		is(r.ReadOnly, a.ReadOnly) && is(r.Idempotent, a.Idempotent) && is(r.Destructive, a.Destructive)
}
