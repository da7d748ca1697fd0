package index

import "slices"

// A node is part of a persistent B+tree of numbers. What they are sorted by is
// known to the comparison functions that the operations are given.
type node struct {
	owner *token
	// items are the numbers of a leaf; in an inner node the first number
	// below each kid.
	items []uint32
	kids  []*node // nil in a leaf
}

const (
	nodeMax  = 64
	nodeMin  = 16
	bulkFill = 56 // leaves room for what comes
)

// A compare tells how what is looked for stands to an item: negative before
// it, zero at it, positive after it.
type compare func(item uint32) int

// newTree builds a tree of sorted numbers, nil for none.
func newTree(items []uint32) *node {
	if len(items) == 0 {
		return nil
	}
	var level []*node
	for part := range slices.Chunk(items, bulkFill) {
		level = append(level, &node{items: slices.Clone(part)})
	}
	for len(level) > 1 {
		var up []*node
		for part := range slices.Chunk(level, bulkFill) {
			up = append(up, newInner(slices.Clone(part)))
		}
		level = up
	}
	return level[0]
}

func newInner(kids []*node) *node {
	n := &node{kids: kids, items: make([]uint32, len(kids))}
	for i, k := range kids {
		n.items[i] = k.items[0]
	}
	return n
}

// lower returns how many items stand before what is looked for.
func (n *node) lower(c compare) int {
	lo, hi := 0, len(n.items)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if c(n.items[mid]) > 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// kid returns the place of the kid that what is looked for belongs to.
func (n *node) kid(c compare) int {
	lo, hi := 1, len(n.items)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if c(n.items[mid]) >= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// find returns the item at which c is zero.
func (n *node) find(c compare) (item uint32, ok bool) {
	if n == nil {
		return 0, false
	}
	for n.kids != nil {
		n = n.kids[n.kid(c)]
	}
	i := n.lower(c)
	if i == len(n.items) || c(n.items[i]) != 0 {
		return 0, false
	}
	return n.items[i], true
}

// editable returns the node itself if the edit owns it, else a copy.
func (n *node) editable(own *token) *node {
	if n.owner == own {
		return n
	}
	return &node{owner: own, items: append(make([]uint32, 0, len(n.items)+1), n.items...), kids: slices.Clone(n.kids)}
}

// insert returns the tree with the item, which stands where c says and is not
// in it yet.
func (n *node) insert(item uint32, c compare, own *token) *node {
	if n == nil {
		return &node{owner: own, items: []uint32{item}}
	}
	n, right := n.put(item, c, own)
	if right == nil {
		return n
	}
	root := newInner([]*node{n, right})
	root.owner = own
	return root
}

func (n *node) put(item uint32, c compare, own *token) (left, right *node) {
	n = n.editable(own)
	if n.kids == nil {
		n.items = slices.Insert(n.items, n.lower(c), item)
		return n, n.split(own)
	}
	i := n.kid(c)
	kid, extra := n.kids[i].put(item, c, own)
	n.kids[i], n.items[i] = kid, kid.items[0]
	if extra != nil {
		n.kids = slices.Insert(n.kids, i+1, extra)
		n.items = slices.Insert(n.items, i+1, extra.items[0])
	}
	return n, n.split(own)
}

// split moves the upper half of a node that is too large to a new one.
func (n *node) split(own *token) *node {
	if len(n.items) <= nodeMax {
		return nil
	}
	half := len(n.items) / 2
	right := &node{owner: own, items: slices.Clone(n.items[half:])}
	n.items = n.items[:half:half]
	if n.kids != nil {
		right.kids = slices.Clone(n.kids[half:])
		n.kids = slices.Clone(n.kids[:half])
	}
	return right
}

// remove returns the tree without the item at which c is zero; it must be
// there.
func (n *node) remove(c compare, own *token) *node {
	n = n.cut(c, own)
	switch {
	case len(n.items) == 0:
		return nil
	case len(n.kids) == 1:
		return n.kids[0]
	}
	return n
}

func (n *node) cut(c compare, own *token) *node {
	n = n.editable(own)
	if n.kids == nil {
		i := n.lower(c)
		n.items = slices.Delete(n.items, i, i+1)
		return n
	}
	i := n.kid(c)
	kid := n.kids[i].cut(c, own)
	n.kids[i] = kid
	if len(kid.items) > 0 {
		n.items[i] = kid.items[0]
	}
	if len(kid.items) < nodeMin && len(n.kids) > 1 {
		n.join(max(i-1, 0), own)
	}
	return n
}

// join makes one node of kids i and i+1, or two of even size where it would be
// too large.
func (n *node) join(i int, own *token) {
	left, right := n.kids[i].editable(own), n.kids[i+1]
	left.items = append(left.items, right.items...)
	left.kids = append(left.kids, right.kids...)
	n.kids[i], n.items[i] = left, left.items[0]
	if extra := left.split(own); extra != nil {
		n.kids[i+1], n.items[i+1] = extra, extra.items[0]
		return
	}
	n.kids = slices.Delete(n.kids, i+1, i+2)
	n.items = slices.Delete(n.items, i+1, i+2)
}

// maxHeight is beyond that of any tree of 2^32 items.
const maxHeight = 10

// A treeCursor stands at an item of a tree, or at neither end when ok is
// false.
type treeCursor struct {
	nodes [maxHeight]*node
	at    [maxHeight]int
	depth int
	ok    bool
}

// seek returns a cursor at the first item that does not stand before what is
// looked for.
func (n *node) seek(c compare) treeCursor {
	var t treeCursor
	if n == nil {
		return t
	}
	for n.kids != nil {
		t.push(n, n.kid(c))
		n = n.kids[t.at[t.depth-1]]
	}
	t.push(n, n.lower(c))
	t.ok = true
	if t.at[t.depth-1] == len(n.items) {
		t.at[t.depth-1]--
		t.next()
	}
	return t
}

// first returns a cursor at the first item.
func (n *node) first() treeCursor { return n.seek(func(uint32) int { return -1 }) }

// last returns a cursor at the last item.
func (n *node) last() treeCursor {
	var t treeCursor
	if n == nil {
		return t
	}
	for {
		t.push(n, len(n.items)-1)
		if n.kids == nil {
			t.ok = true
			return t
		}
		n = n.kids[len(n.kids)-1]
	}
}

// seekBack returns a cursor at the last item that stands before what is looked
// for.
func (n *node) seekBack(c compare) treeCursor {
	t := n.seek(c)
	if !t.ok {
		return n.last()
	}
	t.prev()
	return t
}

func (t *treeCursor) push(n *node, at int) {
	t.nodes[t.depth], t.at[t.depth] = n, at
	t.depth++
}

func (t *treeCursor) item() uint32 { return t.nodes[t.depth-1].items[t.at[t.depth-1]] }

// next moves to the next item; after the last ok is false.
func (t *treeCursor) next() {
	leaf := t.depth
	for d := leaf - 1; d >= 0; d-- {
		if t.at[d]+1 == len(t.nodes[d].items) {
			continue
		}
		t.at[d]++
		for d < leaf-1 {
			t.nodes[d+1], t.at[d+1] = t.nodes[d].kids[t.at[d]], 0
			d++
		}
		return
	}
	t.ok = false
}

// prev moves to the item before; before the first ok is false.
func (t *treeCursor) prev() {
	leaf := t.depth
	for d := leaf - 1; d >= 0; d-- {
		if t.at[d] == 0 {
			continue
		}
		t.at[d]--
		for d < leaf-1 {
			n := t.nodes[d].kids[t.at[d]]
			t.nodes[d+1], t.at[d+1] = n, len(n.items)-1
			d++
		}
		return
	}
	t.ok = false
}

// each calls visit for all items in order until it returns false.
func (n *node) each(visit func(item uint32) bool) bool {
	if n == nil {
		return true
	}
	if n.kids == nil {
		for _, item := range n.items {
			if !visit(item) {
				return false
			}
		}
		return true
	}
	for _, k := range n.kids {
		if !k.each(visit) {
			return false
		}
	}
	return true
}

// size returns the number of items.
func (n *node) size() int {
	if n == nil {
		return 0
	}
	if n.kids == nil {
		return len(n.items)
	}
	total := 0
	for _, k := range n.kids {
		total += k.size()
	}
	return total
}
