package index

import (
	"math/bits"
	"slices"
)

// and returns what is in both sets.
func (s *set) and(t *set) *set {
	if s.len() > t.len() {
		s, t = t, s
	}
	switch {
	case s == nil:
		return nil
	case s.blocks == nil:
		return newSet(intersect(s.ids, t))
	}
	out := make([]block, 0, min(len(s.blocks), len(t.blocks)))
	eachPair(s, t, func(a, b *block) {
		if x, ok := andBlock(a, b); ok {
			out = append(out, x)
		}
	})
	return setOf(out)
}

func intersect(ids []uint32, t *set) []uint32 {
	var out []uint32
	for i, id := range ids {
		if t.has(id) {
			if out == nil {
				out = make([]uint32, 0, len(ids)-i)
			}
			out = append(out, id)
		}
	}
	return out
}

// eachPair calls visit for the blocks that both sets, made of blocks, have.
func eachPair(s, t *set, visit func(a, b *block)) {
	for i, j := 0, 0; i < len(s.blocks) && j < len(t.blocks); {
		a, b := &s.blocks[i], &t.blocks[j]
		switch {
		case a.high < b.high:
			i++
		case a.high > b.high:
			j++
		default:
			visit(a, b)
			i++
			j++
		}
	}
}

func andBlock(a, b *block) (block, bool) {
	switch {
	case a.full():
		return *b, true
	case b.full():
		return *a, true
	}
	var x, y, out bitmap
	v, w := a.spread(&x), b.spread(&y)
	for i := range out {
		out[i] = v[i] & w[i]
	}
	return gather(a.high, &out)
}

// andLen returns how many numbers are in both sets.
func (s *set) andLen(t *set) int {
	if s.len() > t.len() {
		s, t = t, s
	}
	n := 0
	switch {
	case s == nil:
		return 0
	case s == t:
		return s.n
	case s.blocks == nil:
		for _, id := range s.ids {
			if t.has(id) {
				n++
			}
		}
		return n
	}
	eachPair(s, t, func(a, b *block) { n += andBlockLen(a, b) })
	return n
}

func andBlockLen(a, b *block) int {
	if a.n > b.n {
		a, b = b, a
	}
	n := 0
	switch {
	case b.full():
		return int(a.n)
	case a.packed():
		for i := range a.n {
			if b.has(a.low(i)) {
				n++
			}
		}
		return n
	}
	v, w := (*bitmap)(a.words), (*bitmap)(b.words)
	for i := range v {
		n += bits.OnesCount64(v[i] & w[i])
	}
	return n
}

// minus returns what is in s and not in t.
func (s *set) minus(t *set) *set {
	switch {
	case s == nil || t == nil:
		return s
	case s.blocks == nil:
		return newSet(slices.DeleteFunc(slices.Clone(s.ids), t.has))
	}
	return s.combine(t, func(v, w uint64) uint64 { return v &^ w }, true)
}

// or returns what is in one of the sets.
func (s *set) or(t *set) *set {
	switch {
	case s == nil:
		return t
	case t == nil:
		return s
	case s.blocks == nil && t.blocks == nil:
		return newSet(merge(s.ids, t.ids))
	}
	return s.combine(t, func(v, w uint64) uint64 { return v | w }, false)
}

func merge(a, b []uint32) []uint32 {
	out := make([]uint32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case a[0] > b[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// combine applies op to the blocks of s and t; leftOnly drops those that only
// t has.
func (s *set) combine(t *set, op func(v, w uint64) uint64, leftOnly bool) *set {
	left, right := s.asBlocks(), t.asBlocks()
	out := make([]block, 0, len(left)+len(right))
	for len(left) > 0 || len(right) > 0 {
		switch {
		case len(right) == 0 || len(left) > 0 && left[0].high < right[0].high:
			out, left = append(out, left[0]), left[1:]
		case len(left) == 0 || left[0].high > right[0].high:
			if !leftOnly {
				out = append(out, right[0])
			}
			right = right[1:]
		default:
			var x, y, z bitmap
			v, w := left[0].spread(&x), right[0].spread(&y)
			for i := range z {
				z[i] = op(v[i], w[i])
			}
			if b, ok := gather(left[0].high, &z); ok {
				out = append(out, b)
			}
			left, right = left[1:], right[1:]
		}
	}
	return setOf(out)
}

// asBlocks returns the set as blocks, whatever its size.
func (s *set) asBlocks() []block {
	if s.blocks != nil {
		return s.blocks
	}
	var out []block
	for ids := s.ids; len(ids) > 0; {
		high, i := ids[0]>>blockBits, 0
		var words bitmap
		for ; i < len(ids) && ids[i]>>blockBits == high; i++ {
			low := ids[i] % blockSize
			words[low>>6] |= 1 << (low & 63)
		}
		b, _ := gather(high, &words)
		out = append(out, b)
		ids = ids[i:]
	}
	return out
}

// union returns what is in one of many sets.
func union(sets []*set) *set {
	switch len(sets) {
	case 0:
		return nil
	case 1:
		return sets[0]
	}
	total, blocks := 0, false
	for _, s := range sets {
		total += s.len()
		blocks = blocks || s != nil && s.blocks != nil
	}
	if !blocks {
		ids := make([]uint32, 0, total)
		for _, s := range sets {
			if s != nil {
				ids = append(ids, s.ids...)
			}
		}
		return newSet(sorted(ids))
	}
	half := len(sets) / 2
	return union(sets[:half]).or(union(sets[half:]))
}

// sorted sorts numbers in place and drops repetitions.
func sorted(ids []uint32) []uint32 {
	if !slices.IsSorted(ids) {
		slices.Sort(ids)
	}
	return slices.Compact(ids)
}

// apply returns the set with some numbers removed and then others added; both
// lists are sorted. What does not change is shared.
func (s *set) apply(remove, add []uint32) *set {
	if s == nil {
		return newSet(slices.Clone(add))
	}
	if s.blocks == nil && len(add) <= smallSet {
		ids := slices.DeleteFunc(slices.Clone(s.ids), func(id uint32) bool {
			_, found := slices.BinarySearch(remove, id)
			return found
		})
		return newSet(merge(ids, add))
	}
	changed := &set{blocks: slices.Clone(s.asBlocks())}
	changed.change(remove, func(w *bitmap, low uint32) { w[low>>6] &^= 1 << (low & 63) })
	changed.change(add, func(w *bitmap, low uint32) { w[low>>6] |= 1 << (low & 63) })
	return setOf(slices.DeleteFunc(changed.blocks, func(b block) bool { return b.n == 0 }))
}

// change applies op to the bitmaps of the blocks that the numbers belong to.
func (s *set) change(ids []uint32, op func(w *bitmap, low uint32)) {
	for len(ids) > 0 {
		high, n := ids[0]>>blockBits, 0
		at := 0
		if len(s.blocks) > 0 {
			at = s.block(high)
		}
		if at == len(s.blocks) || s.blocks[at].high != high {
			s.blocks = slices.Insert(s.blocks, at, block{high: high})
		}
		var scratch bitmap
		words := *s.blocks[at].spread(&scratch)
		for ; n < len(ids) && ids[n]>>blockBits == high; n++ {
			op(&words, ids[n]%blockSize)
		}
		s.blocks[at], _ = gather(high, &words)
		ids = ids[n:]
	}
}
