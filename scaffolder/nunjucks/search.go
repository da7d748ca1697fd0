package nunjucks

import (
	"slices"
	"strings"
)

// indexUnits returns where sub begins in s at or after unit from, or -1.
func indexUnits(s, sub string, from int) int {
	if !isASCII(s) {
		return newSearch(units(sub)).next(units(s), from)
	}
	if from > len(s) {
		return -1
	}
	if i := strings.Index(s[from:], sub); i >= 0 {
		return from + i
	}
	return -1
}

// lastIndexUnits returns where sub last begins in s at or before unit from.
func lastIndexUnits(s, sub string, from int) int {
	if isASCII(s) {
		return strings.LastIndex(s[:min(len(s), from+len(sub))], sub)
	}
	u, v := units(s), units(sub)
	slices.Reverse(u)
	slices.Reverse(v)
	i := newSearch(v).next(u, max(0, len(u)-len(v)-from))
	if i < 0 {
		return -1
	}
	return len(u) - len(v) - i
}

// A search finds units by the method of Knuth, Morris and Pratt: templates
// may search for what nearly matches everywhere.
type search struct {
	units []uint16
	// border is, for each number of units matched, how many of them still are
	// if the next does not match.
	border []int
}

func newSearch(v []uint16) *search {
	s := &search{units: v, border: make([]int, len(v)+1)}
	k := 0
	for i := 1; i < len(v); i++ {
		for k > 0 && v[i] != v[k] {
			k = s.border[k]
		}
		if v[i] == v[k] {
			k++
		}
		s.border[i+1] = k
	}
	return s
}

// next returns where the units begin in u at or after from, or -1.
func (s *search) next(u []uint16, from int) int {
	k := 0
	for i := from; i <= len(u); i++ {
		if k == len(s.units) {
			return i - k
		}
		if i == len(u) {
			break
		}
		for k > 0 && u[i] != s.units[k] {
			k = s.border[k]
		}
		if u[i] == s.units[k] {
			k++
		}
	}
	return -1
}
