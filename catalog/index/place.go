package index

import "strings"

// putTerm writes a term; the original is nil where it equals the value. Its
// posting is written afterwards.
func (s *Snapshot) putTerm(number, field uint32, null bool, value, original []byte, own *token) {
	p := s.terms.edit(number>>termPageBits, own, (*termPage).clone)
	p.put(number%termPageSize, field, null, value, original)
}

func (p *termPage) put(slot, field uint32, null bool, value, original []byte) {
	p.terms[slot] = term{
		field: field, at: uint32(len(p.text)), value: uint16(len(value)), original: uint16(len(original)), null: null, used: true,
	}
	p.text = append(append(p.text, value...), original...)
}

// clone returns a copy for an edit. The texts of terms that are gone are left
// behind once they are the larger part.
func (p *termPage) clone() *termPage {
	c := *p
	if p.sets != nil {
		sets := *p.sets
		c.sets = &sets
	}
	live := 0
	for i := range p.terms {
		if t := &p.terms[i]; t.used {
			live += int(t.value) + int(t.original)
		}
	}
	if 2*live >= len(p.text) {
		// Without room, so that nothing is appended to the text of p.
		c.text = p.text[:len(p.text):len(p.text)]
		return &c
	}
	c.text = make([]byte, 0, live+64)
	for i := range c.terms {
		if t := &c.terms[i]; t.used {
			at := t.at
			t.at = uint32(len(c.text))
			c.text = append(c.text, p.text[at:at+uint32(t.value)+uint32(t.original)]...)
		}
	}
	return &c
}

// setOne gives a term the only entity that has it.
func (s *Snapshot) setOne(number uint32, id ID, own *token) {
	p := s.terms.edit(number>>termPageBits, own, (*termPage).clone)
	p.terms[number%termPageSize].one = id
	if p.sets != nil {
		p.sets[number%termPageSize] = nil
	}
}

// setPosting gives a term its entities, two or more.
func (s *Snapshot) setPosting(number uint32, ids *set, own *token) {
	p := s.terms.edit(number>>termPageBits, own, (*termPage).clone)
	if p.sets == nil {
		p.sets = new([termPageSize]*set)
	}
	p.sets[number%termPageSize] = ids
}

func (s *Snapshot) putEntity(id ID, e entity, own *token) {
	p := s.entities.edit(id>>entityPageBits, own, func(p *entityPage) *entityPage { c := *p; return &c })
	p[id%entityPageSize] = e
}

func (s *Snapshot) putField(f *field, own *token) {
	p := s.fields.edit(f.number>>fieldPageBits, own, func(p *fieldPage) *fieldPage { c := *p; return &c })
	p[f.number%fieldPageSize] = f
}

// unionOf returns the entities that have one of some terms.
func (s *Snapshot) unionOf(terms []uint32) *set {
	switch len(terms) {
	case 0:
		return nil
	case 1:
		return s.posting(terms[0])
	}
	var ones []uint32
	var sets []*set
	for _, t := range terms {
		if id, ok := s.alone(t); ok {
			ones = append(ones, id)
		} else {
			sets = append(sets, s.posting(t))
		}
	}
	if ones != nil {
		sets = append(sets, newSet(sorted(ones)))
	}
	return union(sets)
}

// valueTerms returns the terms of a field with this value, one for each
// original casing.
func (s *Snapshot) valueTerms(dst []uint32, f *field, value string) []uint32 {
	if f.values == nil {
		if f.sole != 0 && s.value(f.sole-1) == value {
			dst = append(dst, f.sole-1)
		}
		return dst
	}
	c := f.values.seek(s.notBefore(value))
	for ; c.ok && s.value(c.item()) == value; c.next() {
		dst = append(dst, c.item())
	}
	return dst
}

// notBefore finds the place of the first term whose value is not below value.
func (s *Snapshot) notBefore(value string) compare {
	return func(number uint32) int {
		if strings.Compare(value, s.value(number)) > 0 {
			return 1
		}
		return -1
	}
}
