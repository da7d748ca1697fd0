package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// A textItem is one of some texts that are sorted.
type textItem struct {
	word   uint64 // scratch, and then whether the text repeats the one before
	source uint32
	number uint32
}

const (
	isNew   = 0
	repeats = 1
)

// sortTexts sorts items by the bytes of their texts, and marks in their words
// those that are equal to the one before. It looks at eight bytes at a time,
// so that what many texts have in common is compared once and not each time.
func sortTexts(items []textItem, text func(textItem) []byte) { sortTextsFrom(items, 0, text) }

// fewTexts is up to how many items are compared as a whole.
const fewTexts = 12

func sortTextsFrom(items []textItem, depth int, text func(textItem) []byte) {
	for len(items) > fewTexts {
		same := true
		for i := range items {
			items[i].word = wordAt(text(items[i]), depth)
			same = same && items[i].word == items[0].word
		}
		if !same {
			sortWords(items, depth, text)
			return
		}
		ended := endedFirst(items, depth+8, text)
		items, depth = items[ended:], depth+8
	}
	if len(items) > 1 {
		slices.SortFunc(items, func(a, b textItem) int { return bytes.Compare(text(a)[depth:], text(b)[depth:]) })
	}
	for i := range items {
		items[i].word = isNew
		if i > 0 && bytes.Equal(text(items[i-1])[depth:], text(items[i])[depth:]) {
			items[i].word = repeats
		}
	}
}

func sortWords(items []textItem, depth int, text func(textItem) []byte) {
	byWord := func(a, b textItem) int { return cmp.Compare(a.word, b.word) }
	if !slices.IsSortedFunc(items, byWord) {
		slices.SortFunc(items, byWord)
	}
	for from, to := 0, 0; from < len(items); from = to {
		for to = from + 1; to < len(items) && items[to].word == items[from].word; to++ {
		}
		if run := items[from:to]; len(run) == 1 {
			run[0].word = isNew
		} else {
			ended := endedFirst(run, depth+8, text)
			sortTextsFrom(run[ended:], depth+8, text)
		}
	}
}

// wordAt returns eight bytes of a text, with zeros behind its end.
func wordAt(t []byte, depth int) uint64 {
	if len(t) >= depth+8 {
		return binary.BigEndian.Uint64(t[depth:])
	}
	var word uint64
	for i := depth; i < len(t); i++ {
		word |= uint64(t[i]) << (56 - 8*(i-depth))
	}
	return word
}

// endedFirst moves the texts that are no longer than depth to the front, the
// shorter before the longer, marks them, and returns how many there are. All are equal up
// to there, but for zeros at their ends.
func endedFirst(items []textItem, depth int, text func(textItem) []byte) int {
	n := 0
	for i, item := range items {
		if len(text(item)) <= depth {
			items[i], items[n] = items[n], item
			n++
		}
	}
	if n > 1 {
		slices.SortFunc(items[:n], func(a, b textItem) int { return cmp.Compare(len(text(a)), len(text(b))) })
	}
	for i := range n {
		items[i].word = isNew
		if i > 0 && len(text(items[i])) == len(text(items[i-1])) {
			items[i].word = repeats
		}
	}
	return n
}
