package index

import (
	"bytes"
	"hash/maphash"
)

// A dict numbers byte strings in the order in which they come first.
type dict struct {
	seed  maphash.Seed
	slots []dictSlot // open addressing; a power of two, at most 3/4 full
	ends  []uint32   // where in text each entry ends
	text  []byte
}

type dictSlot struct {
	entry uint32 // 1 + number, 0: free
	hash  uint32
}

func newDict(room int) *dict {
	size := 64
	for size*3 < room*4 {
		size *= 2
	}
	return &dict{seed: maphash.MakeSeed(), slots: make([]dictSlot, size)}
}

func (d *dict) len() int { return len(d.ends) }

// at returns entry i. It is valid as long as the dict.
func (d *dict) at(i uint32) []byte {
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.text[start:d.ends[i]]
}

// number returns the number of key, and whether it is new.
func (d *dict) number(key []byte) (i uint32, isNew bool) {
	hash := uint32(maphash.Bytes(d.seed, key))
	mask := uint32(len(d.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := d.slots[at]
		if slot.entry == 0 {
			i = uint32(len(d.ends))
			d.slots[at] = dictSlot{i + 1, hash}
			d.text = append(roomFor(d.text, len(key)), key...)
			d.ends = append(roomFor(d.ends, 1), uint32(len(d.text)))
			if (len(d.ends)+1)*4 > len(d.slots)*3 {
				d.grow()
			}
			return i, true
		}
		if slot.hash == hash && bytes.Equal(d.at(slot.entry-1), key) {
			return slot.entry - 1, false
		}
	}
}

func (d *dict) grow() {
	old := d.slots
	d.slots = make([]dictSlot, 2*len(old))
	mask := uint32(len(d.slots) - 1)
	for _, slot := range old {
		if slot.entry == 0 {
			continue
		}
		at := slot.hash & mask
		for d.slots[at].entry != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = slot
	}
}

// roomFor returns the slice with room for n more. It doubles what is there,
// where append would grow large slices by less, and copy them more often.
func roomFor[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	return append(make([]T, 0, 2*(len(s)+n)), s...)
}
