package index

// A token stands for one edit. What carries the token of the running edit was
// made by it, is seen by nobody else, and may be changed in place.
type token struct{ _ byte }

const (
	branchBits = 6
	branchSize = 1 << branchBits
)

// A table is a persistent array of pages.
type table[P any] struct {
	owner    *token // of the slice of branches
	branches []*branch[P]
}

type branch[P any] struct {
	owner *token
	own   uint64 // bit i: page i belongs to the owner too
	pages [branchSize]*P
}

// page returns page i, nil if there is none.
func (t *table[P]) page(i uint32) *P {
	if b := i >> branchBits; int(b) < len(t.branches) {
		if branch := t.branches[b]; branch != nil {
			return branch.pages[i%branchSize]
		}
	}
	return nil
}

// edit returns page i to be changed by the edit; it makes what is missing.
func (t *table[P]) edit(i uint32, own *token, clone func(*P) *P) *P {
	b := t.branch(i>>branchBits, own)
	slot, bit := i%branchSize, uint64(1)<<(i%branchSize)
	if b.own&bit == 0 || b.pages[slot] == nil {
		if p := b.pages[slot]; p != nil {
			b.pages[slot] = clone(p)
		} else {
			b.pages[slot] = new(P)
		}
		b.own |= bit
	}
	return b.pages[slot]
}

// drop removes page i.
func (t *table[P]) drop(i uint32, own *token) { t.branch(i>>branchBits, own).pages[i%branchSize] = nil }

func (t *table[P]) branch(i uint32, own *token) *branch[P] {
	if t.owner != own {
		t.branches = append(make([]*branch[P], 0, len(t.branches)+1), t.branches...)
		t.owner = own
	}
	for int(i) >= len(t.branches) {
		t.branches = append(t.branches, nil)
	}
	b := t.branches[i]
	switch {
	case b == nil:
		b = &branch[P]{owner: own}
	case b.owner != own:
		b = &branch[P]{owner: own, pages: b.pages}
	}
	t.branches[i] = b
	return b
}
