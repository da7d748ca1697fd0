package search

// filter finds the documents for which all filters hold.
func (u *unit) filter(filters []Filter) {
	for _, f := range filters {
		holds, all := u.anyValue(f)
		if all {
			continue
		}
		if u.filtered {
			for i := range holds {
				holds[i] &= u.allowed[i]
			}
		}
		u.allowed, u.filtered = holds, true
	}
}

// anyValue returns the documents of which a field has one of the values; all
// tells that the filter excludes none.
func (u *unit) anyValue(f Filter) (holds bitmap, all bool) {
	holds = newBitmap(len(u.docs))
	place := u.place(f.Field)
	for _, value := range f.Values {
		one := u.allWords(place, value)
		if one == nil {
			return nil, true
		}
		for i := range holds {
			holds[i] |= one[i]
		}
	}
	return holds, false
}

// allWords returns the documents of which a field has all words of a value,
// nil if there are no words in it.
func (u *unit) allWords(place uint16, value string) (holds bitmap) {
	eachWord(value, func(w word) bool {
		one := newBitmap(len(u.docs))
		if at, ok := u.word(w.text); ok {
			for _, p := range u.list(at) {
				if p.fields&place != 0 && (holds == nil || holds.has(p.doc)) {
					one.set(p.doc)
				}
			}
		}
		holds = one
		return true
	})
	return holds
}
