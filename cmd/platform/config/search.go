package config

import "slices"

// Search is what search.* says.
type Search struct {
	// MaxTermLength and MaxPageLimit bound a query; 0: the defaults.
	MaxTermLength, MaxPageLimit int
	// Location is the template of the locations of entities; "": the default.
	Location string
	// Filter is which entities can be found: those for which one of these
	// holds. It has, by key, the values of which one must be there, none for
	// that there is any. nil: all entities.
	Filter []map[string][]string
}

// filterExists is the value that stands for any.
const filterExists = "CATALOG_FILTER_EXISTS"

func (r *reader) search(v Value) Search {
	s := Search{
		MaxTermLength: r.positive(v.At("maxTermLength")),
		MaxPageLimit:  r.positive(v.At("maxPageLimit")),
		Location:      r.text(v.At("collators.catalog.locationTemplate"), ""),
	}
	filter := v.At("collators.catalog.filter")
	switch {
	case !filter.Exists():
	case filter.IsArray():
		for item := range r.items(filter) {
			s.Filter = append(s.Filter, r.filter(item))
		}
	default:
		s.Filter = append(s.Filter, r.filter(filter))
	}
	return s
}

// positive reads a whole number of 1 or more, 0 where there is none.
func (r *reader) positive(v Value) int {
	n := r.integer(v, 0)
	if v.Exists() && n < 1 {
		r.fault(v.Fault("%d is not a whole number from 1 on", n))
		return 0
	}
	return n
}

func (r *reader) filter(v Value) map[string][]string {
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return nil
	}
	out := map[string][]string{}
	for _, key := range v.Keys() {
		if out[key] = r.list(v.Child(key)); slices.Contains(out[key], filterExists) {
			out[key] = nil
		}
	}
	return out
}
