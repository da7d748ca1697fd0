package index

import "sync/atomic"

// fieldText is what a version of a field knows of its index of text parts.
type fieldText struct {
	index *textIndex // nil while the field has a single term
	added uint32     // how many terms the field was ever given since index was made
	log   []uint32   // the last of them
}

// A textIndex finds the terms of one field by parts of their values. All
// versions of the field share it.
type textIndex struct {
	wanted atomic.Bool
}

// add notes a term that the field was given.
func (t *fieldText) add(term uint32) {}
