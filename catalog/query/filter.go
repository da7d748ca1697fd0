package query

import (
	"encoding/binary"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Filter is a condition on the index rows of one entity. It is one of All,
// None, And, Or, Not, Exists, In, HasPrefix and Matches. A nil Filter is All.
type Filter interface {
	// appendKey appends bytes that are equal for equal filters alone.
	appendKey(dst []byte) []byte
}

type (
	// All matches every entity.
	All struct{}
	// None matches no entity.
	None struct{}
	// And matches what all of its filters match; none: every entity.
	And []Filter
	// Or matches what one of its filters matches; none: no entity.
	Or []Filter
	// Not matches what its filter does not match.
	Not struct{ Filter Filter }
	// Exists matches entities that have a row of that key, be its value NULL.
	Exists struct{ Key string }
	// In matches entities that have a row of that key with one of the values.
	In struct {
		Key    string
		Values []string
	}
	// HasPrefix matches entities that have a row of that key whose value, not
	// NULL, begins with the prefix.
	HasPrefix struct{ Key, Prefix string }
	// Matches matches entities that have a row of one of the keys whose value
	// has a part that the pattern matches.
	Matches struct {
		Keys    []string
		Pattern Pattern
	}
)

// Both is the filter that matches what a and b match.
func Both(a, b Filter) Filter {
	switch {
	case isAll(a):
		return b
	case isAll(b):
		return a
	}
	return And{a, b}
}

func isAll(f Filter) bool {
	if f == nil {
		return true
	}
	_, ok := f.(All)
	return ok
}

// AppendKey appends to dst a form of f that can be the key of a cache: equal
// bytes mean equal filters.
func AppendKey(dst []byte, f Filter) []byte {
	if f == nil {
		return append(dst, '*')
	}
	return f.appendKey(dst)
}

// Keys calls visit for every key that f looks at, some of them several times.
func Keys(f Filter, visit func(key string)) {
	switch f := f.(type) {
	case And:
		for _, x := range f {
			Keys(x, visit)
		}
	case Or:
		for _, x := range f {
			Keys(x, visit)
		}
	case Not:
		Keys(f.Filter, visit)
	case Exists:
		visit(f.Key)
	case In:
		visit(f.Key)
	case HasPrefix:
		visit(f.Key)
	case Matches:
		for _, key := range f.Keys {
			visit(key)
		}
	}
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTexts(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendText(dst, s)
	}
	return dst
}

func appendFilters(dst []byte, list []Filter) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, f := range list {
		dst = AppendKey(dst, f)
	}
	return dst
}

func (All) appendKey(dst []byte) []byte      { return append(dst, '*') }
func (None) appendKey(dst []byte) []byte     { return append(dst, '0') }
func (f And) appendKey(dst []byte) []byte    { return appendFilters(append(dst, '&'), f) }
func (f Or) appendKey(dst []byte) []byte     { return appendFilters(append(dst, '|'), f) }
func (f Not) appendKey(dst []byte) []byte    { return AppendKey(append(dst, '!'), f.Filter) }
func (f Exists) appendKey(dst []byte) []byte { return appendText(append(dst, '?'), f.Key) }
func (f In) appendKey(dst []byte) []byte {
	return appendTexts(appendText(append(dst, '='), f.Key), f.Values)
}
func (f HasPrefix) appendKey(dst []byte) []byte {
	return appendText(appendText(append(dst, '^'), f.Key), f.Prefix)
}
func (f Matches) appendKey(dst []byte) []byte {
	return appendText(appendTexts(append(dst, '~'), f.Keys), f.Pattern.String())
}

func inputError(message string) *catalog.Error { return catalog.NewError(catalog.NameInput, message) }
