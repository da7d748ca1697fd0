package process

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Rules say which kinds of entities may come from which locations. They do not
// change and are safe for concurrent use.
type Rules struct{ list []Rule }

// A Rule allows kinds from locations.
type Rule struct {
	Allow []AllowedKind
	// Locations are those that the rule is for; nil: any, empty: none.
	Locations []LocationMatch
}

// An AllowedKind is a kind and, unless it is "", a spec.type. Case does not
// count.
type AllowedKind struct{ Kind, SpecType string }

// A LocationMatch matches locations of a type, "" for any, with an exact
// target, or one that a glob matches as a whole and whatever its case; "" for
// any.
type LocationMatch struct{ Type, Exact, Pattern string }

// DefaultRules allow what may come from anywhere where nothing is said.
func DefaultRules() []Rule {
	return []Rule{{Allow: []AllowedKind{{Kind: "Component"}, {Kind: "API"}, {Kind: "Location"}}}}
}

// NewRules returns rules of which any that matches allows.
func NewRules(list []Rule) (*Rules, error) {
	for i, rule := range list {
		for _, l := range rule.Locations {
			if l.Exact != "" && l.Pattern != "" {
				return nil, fmt.Errorf("rule %d has a location with an exact target and a pattern; it can have one of them", i)
			}
			if l.Pattern != "" && !doublestar.ValidatePattern(l.Pattern) {
				return nil, fmt.Errorf("rule %d: %q is not a glob pattern", i, l.Pattern)
			}
		}
	}
	return &Rules{list: list}, nil
}

// Allows tells whether the entity may come from a location, which is the origin
// of the entity that emits it.
func (r *Rules) Allows(entity catalog.Entity, origin catalog.LocationRef) bool {
	for _, rule := range r.list {
		if rule.covers(origin) && rule.allows(entity) {
			return true
		}
	}
	return false
}

func (r Rule) allows(entity catalog.Entity) bool {
	for _, a := range r.Allow {
		if !strings.EqualFold(a.Kind, entity.Kind()) {
			continue
		}
		if a.SpecType == "" || strings.EqualFold(a.SpecType, entity.Spec().String("type")) {
			return true
		}
	}
	return false
}

func (r Rule) covers(origin catalog.LocationRef) bool {
	if r.Locations == nil {
		return true
	}
	for _, l := range r.Locations {
		if l.matches(origin) {
			return true
		}
	}
	return false
}

func (l LocationMatch) matches(at catalog.LocationRef) bool {
	switch {
	case l.Type != "" && l.Type != at.Type:
		return false
	case l.Exact != "":
		return l.Exact == at.Target
	case l.Pattern != "":
		return doublestar.MatchUnvalidated(strings.ToLower(l.Pattern), strings.ToLower(at.Target))
	}
	return true
}
