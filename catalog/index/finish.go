package index

import "slices"

// finish does what was noted.
func (e *edit) finish() {
	for _, number := range sortedKeys(e.fields) {
		e.widen(number)
	}
	for _, number := range sortedKeys(e.terms) {
		e.finishTerm(number, e.terms[number])
	}
	for _, number := range sortedKeys(e.fields) {
		e.finishField(number)
	}
	if len(e.gone)+len(e.come) == 0 {
		return
	}
	slices.Sort(e.gone)
	e.s.all = e.s.all.apply(e.gone, e.come)
	e.s.allEdition = e.s.edition
	for i, id := range e.gone {
		page := id >> entityPageBits
		if i > 0 && e.gone[i-1]>>entityPageBits == page || e.s.anyOn(page) {
			continue
		}
		e.s.entities.drop(page, e.own)
	}
}

func sortedKeys[V any](m map[uint32]V) []uint32 {
	keys := make([]uint32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// anyOn tells whether there is an entity on a page; the last page counts as
// used.
func (s *Snapshot) anyOn(page uint32) bool {
	first := page << entityPageBits
	if s.born>>entityPageBits == page {
		return true
	}
	any := false
	s.all.from(first, func(id uint32) bool {
		any = id < first+entityPageSize
		return false
	})
	return any
}

// widen gives a field that had a single term and gets more the sets that it
// could do without, as they were before.
func (e *edit) widen(number uint32) {
	d := e.fields[number]
	f := e.s.field(number)
	if !f.single() || f.values == nil && (f.sole == 0 || f.null == 0) {
		return
	}
	valued := e.s.withValueBefore(d.before)
	f.wide = &wide{has: valued, valued: valued, text: fieldText{index: &textIndex{}}}
	if d.before.null != 0 {
		f.has = e.s.posting(d.before.null - 1)
	}
}

// withValueBefore is withValue for a field with a single term.
func (s *Snapshot) withValueBefore(f *field) *set {
	if f.sole == 0 {
		return nil
	}
	return s.posting(f.sole - 1)
}

func (e *edit) finishTerm(number uint32, d *delta) {
	if len(d.remove) == 0 && len(d.add) == 0 && !d.isNew {
		return
	}
	var old *set
	if !d.isNew {
		old = e.s.posting(number)
	}
	slices.Sort(d.remove)
	slices.Sort(d.add)
	ids := old.apply(d.remove, d.add)
	_, t := e.s.term(number)
	f := e.editField(t.field)
	f.rows = uint32(int(f.rows) + ids.len() - old.len())
	switch ids.len() {
	case 0:
		e.freeTerm(number)
	case 1:
		e.s.setOne(number, ids.nth(0), e.own)
	default:
		e.s.setPosting(number, ids, e.own)
	}
}

// freeTerm takes a term that no entity has any more out of its field.
func (e *edit) freeTerm(number uint32) {
	_, t := e.s.term(number)
	f := e.editField(t.field)
	e.fields[f.number].terms--
	switch {
	case t.null:
		f.null = 0
	case f.values != nil:
		f.values = f.values.remove(e.s.compareTerm(e.s.value(number), e.s.original(number)), e.own)
	default:
		f.sole = 0
	}
	p := e.s.terms.edit(number>>termPageBits, e.own, (*termPage).clone)
	p.terms[number%termPageSize] = term{one: e.s.freeTerm}
	if p.sets != nil {
		p.sets[number%termPageSize] = nil
	}
	e.s.freeTerm = number + 1
}

// finishField brings the sets of a field up to date, and takes it away when it
// has no terms any more.
func (e *edit) finishField(number uint32) {
	f, d := e.s.field(number), e.fields[number]
	if f.values == nil && f.sole == 0 && f.null == 0 {
		e.s.keys = e.s.keys.remove(e.s.compareKey(f.key), e.own)
		e.s.putField(&field{number: number, free: e.s.freeField}, e.own)
		e.s.freeField = number + 1
		return
	}
	if f.single() || len(d.has.add)+len(d.has.remove)+len(d.valued.add)+len(d.valued.remove) == 0 {
		return
	}
	for _, x := range []*delta{&d.has, &d.valued} {
		slices.Sort(x.remove)
		slices.Sort(x.add)
	}
	same := f.has == f.valued && slices.Equal(d.has.add, d.valued.add) && slices.Equal(d.has.remove, d.valued.remove)
	f.has = f.has.apply(d.has.remove, d.has.add)
	if same {
		f.valued = f.has
	} else {
		f.valued = f.valued.apply(d.valued.remove, d.valued.add)
	}
}
