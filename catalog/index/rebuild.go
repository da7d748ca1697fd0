package index

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
)

// rebuild makes the next snapshot from nothing but rows.
func (s *Snapshot) rebuild(revision uint64, changes []Change) *Snapshot {
	type source struct {
		uid  catalog.UID
		ref  string
		rows []Row
	}
	var all []source
	replaced := map[catalog.UID]bool{}
	for _, c := range changes {
		replaced[c.UID] = true
		if c.Rows != nil {
			all = append(all, source{c.UID, c.Ref, c.Rows})
		}
	}
	s.all.each(func(id uint32) bool {
		if e := s.entity(id); !replaced[e.uid] {
			all = append(all, source{e.uid, e.ref, s.Rows(id)})
		}
		return true
	})
	slices.SortFunc(all, func(a, b source) int { return bytes.Compare(a.uid[:], b.uid[:]) })
	l := newLoader()
	for i, x := range all {
		l.addRows(loaded{place: i, uid: x.uid, ref: x.ref}, x.rows)
	}
	return build(s, revision, []*loader{l})
}

// addRows is add for rows instead of a document.
func (l *loader) addRows(e loaded, rows []Row) {
	f := l.flat
	e.loader, e.from = l, len(l.rows)
	for _, r := range rows {
		f.text = append(append(f.text[:0], r.Value...), r.Original...)
		number, _ := f.fields.number([]byte(r.Key))
		x := flatRow{field: number, value: uint32(len(r.Value)), original: uint32(len(r.Original)), null: r.Null}
		if r.Original == r.Value {
			x.original = 0
		}
		l.rows = append(l.rows, l.term(x))
	}
	e.to = len(l.rows)
	l.entities = append(l.entities, e)
}

// Rows returns the rows of an entity, in order of key and value.
func (s *Snapshot) Rows(id ID) []Row {
	terms := s.entity(id).terms
	out := make([]Row, len(terms))
	for i, number := range terms {
		_, t := s.term(number)
		out[i] = Row{Key: s.field(t.field).key, Null: t.null}
		if !t.null {
			out[i].Value, out[i].Original = s.value(number), s.original(number)
		}
	}
	slices.SortFunc(out, compareRows)
	return out
}

func compareRows(a, b Row) int {
	if c := cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Original, b.Original)); c != 0 || a.Null == b.Null {
		return c
	}
	if a.Null {
		return 1
	}
	return -1
}
