package index

import (
	"math/bits"
	"slices"
)

// A set is an immutable set of entity numbers. A nil set is empty. Small ones
// are sorted lists, larger ones lists of blocks.
type set struct {
	n      int
	ids    []uint32 // where blocks is nil
	blocks []block
}

// smallSet is up to how many numbers a set is a list.
const smallSet = 512

const (
	blockBits  = 12
	blockSize  = 1 << blockBits // numbers
	blockWords = blockSize / 64
	// packedMax is up to how many numbers a block lists them, four to a word.
	packedMax = 96
)

// A block holds the numbers of a set that agree in all but the lowest bits. It
// is never empty. Its form follows from n: all numbers need no words, few are
// listed in ascending order as 16 bits each, others are a bitmap.
type block struct {
	high  uint32 // number >> blockBits
	n     uint32
	words []uint64
}

type bitmap [blockWords]uint64

func (b *block) full() bool   { return b.n == blockSize }
func (b *block) packed() bool { return b.n <= packedMax }

// low returns the i-th listed number of a packed block.
func (b *block) low(i uint32) uint32 { return uint32(b.words[i>>2]>>(16*(i&3))) & 0xffff }

func (b *block) has(low uint32) bool {
	switch {
	case b.full():
		return true
	case !b.packed():
		return b.words[low>>6]>>(low&63)&1 != 0
	}
	lo, hi := uint32(0), b.n
	for lo < hi {
		mid := (lo + hi) >> 1
		if b.low(mid) < low {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < b.n && b.low(lo) == low
}

// spread returns the block as a bitmap, its own or the given one filled.
func (b *block) spread(scratch *bitmap) *bitmap {
	switch {
	case b.full():
		for i := range scratch {
			scratch[i] = ^uint64(0)
		}
		return scratch
	case !b.packed():
		return (*bitmap)(b.words)
	}
	*scratch = bitmap{}
	for i := range b.n {
		low := b.low(i)
		scratch[low>>6] |= 1 << (low & 63)
	}
	return scratch
}

// gather makes a block of a bitmap; ok is false if it is empty. The bitmap may
// be changed afterwards.
func gather(high uint32, words *bitmap) (b block, ok bool) {
	n := words.count()
	b = block{high: high, n: uint32(n)}
	switch {
	case n == 0 || b.full():
	case b.packed():
		b.words = make([]uint64, (n+3)/4)
		i := 0
		words.each(func(low uint32) bool {
			b.words[i>>2] |= uint64(low) << (16 * (i & 3))
			i++
			return true
		})
	default:
		b.words = slices.Clone(words[:])
	}
	return b, n > 0
}

func (w *bitmap) count() int {
	n := 0
	for _, x := range w {
		n += bits.OnesCount64(x)
	}
	return n
}

func (w *bitmap) each(visit func(low uint32) bool) bool {
	for i, x := range w {
		for ; x != 0; x &= x - 1 {
			if !visit(uint32(i<<6 | bits.TrailingZeros64(x))) {
				return false
			}
		}
	}
	return true
}

// newSet returns the set of sorted numbers without repetition. It keeps the
// slice.
func newSet(ids []uint32) *set {
	switch {
	case len(ids) == 0:
		return nil
	case len(ids) <= smallSet:
		return &set{n: len(ids), ids: ids}
	}
	s := &set{n: len(ids), blocks: make([]block, 0, ids[len(ids)-1]>>blockBits-ids[0]>>blockBits+1)}
	var words bitmap
	for len(ids) > 0 {
		high, i := ids[0]>>blockBits, 0
		for ; i < len(ids) && ids[i]>>blockBits == high; i++ {
			low := ids[i] % blockSize
			words[low>>6] |= 1 << (low & 63)
		}
		b, _ := gather(high, &words)
		s.blocks = append(s.blocks, b)
		words, ids = bitmap{}, ids[i:]
	}
	s.blocks = slices.Clip(s.blocks)
	return s
}

// setOf returns the set of blocks that are in order; it keeps the slice.
func setOf(blocks []block) *set {
	n := 0
	for i := range blocks {
		n += int(blocks[i].n)
	}
	if n == 0 {
		return nil
	}
	s := &set{n: n, blocks: blocks}
	if n <= smallSet {
		return &set{n: n, ids: s.slice()}
	}
	return s
}

func (s *set) len() int {
	if s == nil {
		return 0
	}
	return s.n
}

func (s *set) has(id uint32) bool {
	if s == nil {
		return false
	}
	if s.blocks == nil {
		_, found := slices.BinarySearch(s.ids, id)
		return found
	}
	i := s.block(id >> blockBits)
	return i < len(s.blocks) && s.blocks[i].high == id>>blockBits && s.blocks[i].has(id%blockSize)
}

// block returns the place of the first block that is not below high. In a
// dense set that is where it would be with no gap.
func (s *set) block(high uint32) int {
	if guess := high - s.blocks[0].high; high >= s.blocks[0].high && int(guess) < len(s.blocks) && s.blocks[guess].high == high {
		return int(guess)
	}
	lo, hi := 0, len(s.blocks)
	for lo < hi {
		mid := (lo + hi) >> 1
		if s.blocks[mid].high < high {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// each calls visit for all numbers in order until it returns false.
func (s *set) each(visit func(id uint32) bool) bool { return s.from(0, visit) }

// from is each for the numbers from id on.
func (s *set) from(id uint32, visit func(id uint32) bool) bool {
	if s == nil {
		return true
	}
	if s.blocks == nil {
		i, _ := slices.BinarySearch(s.ids, id)
		for _, x := range s.ids[i:] {
			if !visit(x) {
				return false
			}
		}
		return true
	}
	for i := s.block(id >> blockBits); i < len(s.blocks); i++ {
		if !s.blocks[i].from(id, visit) {
			return false
		}
	}
	return true
}

func (b *block) from(id uint32, visit func(id uint32) bool) bool {
	base, low := b.high<<blockBits, uint32(0)
	if id > base {
		low = id - base
	}
	if b.packed() {
		for i := range b.n {
			if x := b.low(i); x >= low && !visit(base|x) {
				return false
			}
		}
		return true
	}
	var scratch bitmap
	words := b.spread(&scratch)
	for i := low >> 6; i < blockWords; i++ {
		x := words[i]
		if i == low>>6 {
			x &= ^uint64(0) << (low & 63)
		}
		for ; x != 0; x &= x - 1 {
			if !visit(base | i<<6 | uint32(bits.TrailingZeros64(x))) {
				return false
			}
		}
	}
	return true
}

// downFrom calls visit for the numbers up to id in descending order until it
// returns false.
func (s *set) downFrom(id uint32, visit func(id uint32) bool) bool {
	if s == nil {
		return true
	}
	if s.blocks == nil {
		i, found := slices.BinarySearch(s.ids, id)
		if found {
			i++
		}
		for i--; i >= 0; i-- {
			if !visit(s.ids[i]) {
				return false
			}
		}
		return true
	}
	i := s.block(id >> blockBits)
	if i == len(s.blocks) || s.blocks[i].high > id>>blockBits {
		i--
	}
	for ; i >= 0; i-- {
		if !s.blocks[i].downFrom(id, visit) {
			return false
		}
	}
	return true
}

func (b *block) downFrom(id uint32, visit func(id uint32) bool) bool {
	base, low := b.high<<blockBits, uint32(blockSize-1)
	if id < base|low {
		low = id - base
	}
	var scratch bitmap
	words := b.spread(&scratch)
	for i := int(low >> 6); i >= 0; i-- {
		x := words[i]
		if i == int(low>>6) {
			x &= ^uint64(0) >> (63 - low&63)
		}
		for x != 0 {
			top := uint32(63 - bits.LeadingZeros64(x))
			if !visit(base | uint32(i)<<6 | top) {
				return false
			}
			x &^= 1 << top
		}
	}
	return true
}

// slice returns all numbers in order.
func (s *set) slice() []uint32 {
	if s == nil {
		return nil
	}
	if s.blocks == nil {
		return s.ids
	}
	out := make([]uint32, 0, s.n)
	s.each(func(id uint32) bool { out = append(out, id); return true })
	return out
}

// nth returns the number that i others come before; i is less than len.
func (s *set) nth(i int) uint32 {
	if s.blocks == nil {
		return s.ids[i]
	}
	for j := range s.blocks {
		b := &s.blocks[j]
		if i >= int(b.n) {
			i -= int(b.n)
			continue
		}
		return b.high<<blockBits | b.nth(i)
	}
	panic("index: no such number in the set")
}

func (b *block) nth(i int) uint32 {
	switch {
	case b.full():
		return uint32(i)
	case b.packed():
		return b.low(uint32(i))
	}
	for w, x := range b.words {
		if n := bits.OnesCount64(x); i >= n {
			i -= n
			continue
		}
		for ; i > 0; i-- {
			x &= x - 1
		}
		return uint32(w<<6 | bits.TrailingZeros64(x))
	}
	panic("index: no such number in the block")
}
