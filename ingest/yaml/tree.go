package yaml

import (
	"bytes"
	"unicode/utf8"
)

// A Tree says where a value and those in it are written. What an alias stands
// for is at the alias, and what is in it is at no place of its own.
type Tree struct {
	// Start is the offset in bytes of the value, of its first key, quote or
	// block indicator, without its tag and anchor; behind a byte-order mark.
	Start int
	// Members are those of an object, in the order in which they are written;
	// Items those of an array.
	Members []TreeMember
	Items   []*Tree
}

// A TreeMember is one key of an object, written at the offset KeyStart.
type TreeMember struct {
	Key      string
	KeyStart int
	Tree     *Tree
}

// Member returns that of a key; the last one counts.
func (t *Tree) Member(key string) (TreeMember, bool) {
	if t == nil {
		return TreeMember{}, false
	}
	for i := len(t.Members) - 1; i >= 0; i-- {
		if t.Members[i].Key == key {
			return t.Members[i], true
		}
	}
	return TreeMember{}, false
}

// Position converts an offset of a Tree to a line and a column, which count
// from 1; columns count code points.
func Position(data []byte, offset int) (line, column int) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	before := data[:min(max(offset, 0), len(data))]
	return 1 + bytes.Count(before, newline), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// seed returns the tree of a collection that starts here, nil where nobody
// wants one.
func (p *parser) seed() *Tree {
	if !p.trees {
		return nil
	}
	return &Tree{Start: p.pos}
}

// plant gives a node that was read its tree.
func (p *parser) plant(n *node) {
	if p.trees && n.tree == nil {
		n.tree = &Tree{Start: n.start}
	}
}

// grow adds a member to the tree of an object.
func (p *parser) grow(o *object, key, value node) {
	if o.tree == nil {
		return
	}
	if value.tree == nil { // nothing is written
		value.tree = &Tree{Start: max(key.start, value.start)}
	}
	o.tree.Members = append(o.tree.Members, TreeMember{keyText(key), key.start, value.tree})
}

func (t *Tree) add(item node) {
	if t == nil {
		return
	}
	if item.tree == nil {
		item.tree = &Tree{Start: item.start}
	}
	t.Items = append(t.Items, item.tree)
}
