package view

import (
	"context"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A Lookup is a request for entities by ref, taken as they are.
type Lookup struct {
	Selection
	Refs   []string
	Fields []string // as given, with commas; nil: all
}

// ByRefs returns entities in the order of their refs: {items}, null for each
// that is not there or that the selection leaves out.
func (v *View) ByRefs(ctx context.Context, q Lookup) (Page, error) {
	projection, err := query.ParseFields(q.Fields)
	if err != nil {
		return Page{}, err
	}
	f, err := q.filter()
	if err != nil {
		return Page{}, err
	}
	if f, err = permitted(f, q.Only); err != nil {
		return Page{}, err
	}
	return v.build(ctx, func(dst []byte, s *index.Snapshot, m Moment) ([]byte, error) {
		in := s.Select(f)
		dst = append(dst, `{"items":[`...)
		for i, ref := range q.Refs {
			if i > 0 {
				dst = append(dst, ',')
			}
			id, ok := s.ByRef(ref)
			if !ok || !in.Has(id) {
				dst = append(dst, "null"...)
				continue
			}
			if dst, err = appendDocument(dst, s, m, id, projection); err != nil {
				return nil, err
			}
		}
		return append(dst, "]}"...), nil
	})
}

// ByRef returns the entity of a canonical ref, a nil body if there is none or
// only, unless nil a predicate that it must match, leaves it out.
func (v *View) ByRef(ctx context.Context, ref string, only *jsonvalue.Object) (Page, error) {
	return v.one(ctx, only, func(s *index.Snapshot) (index.ID, bool) { return s.ByRef(ref) })
}

// ByUID is ByRef for a uid in either case.
func (v *View) ByUID(ctx context.Context, uid string, only *jsonvalue.Object) (Page, error) {
	u, err := catalog.ParseUID(strings.ToLower(uid))
	if err != nil {
		return Page{}, nil
	}
	return v.one(ctx, only, func(s *index.Snapshot) (index.ID, bool) { return s.ByUID(u) })
}

func (v *View) one(ctx context.Context, only *jsonvalue.Object, find func(*index.Snapshot) (index.ID, bool)) (Page, error) {
	f, err := permitted(nil, only)
	if err != nil {
		return Page{}, err
	}
	return v.build(ctx, func(dst []byte, s *index.Snapshot, m Moment) ([]byte, error) {
		id, ok := find(s)
		if !ok || f != nil && !s.Select(f).Has(id) {
			return nil, nil
		}
		return appendDocument(dst, s, m, id, nil)
	})
}

// Matching tells which of some refs exist and match a predicate, nil for any.
func (v *View) Matching(ctx context.Context, refs []string, predicate *jsonvalue.Object) ([]bool, error) {
	f, err := permitted(nil, predicate)
	if err != nil {
		return nil, err
	}
	s := v.index.Snapshot()
	in := s.Select(f)
	out := make([]bool, len(refs))
	if manyRefs(len(refs), in.Len()) {
		chosen := make(map[string]struct{}, in.Len())
		for id := range in.All {
			chosen[s.Ref(id)] = struct{}{}
		}
		for i, ref := range refs {
			_, out[i] = chosen[ref]
		}
		return out, ctx.Err()
	}
	for i, ref := range refs {
		id, ok := s.ByRef(ref)
		out[i] = ok && in.Has(id)
	}
	return out, ctx.Err()
}

// manyRefs tells whether so many refs are looked up quicker in a table of all
// that are selected, which takes time to make, than one by one in the index.
func manyRefs(refs, selected int) bool { return refs > 256 && refs > selected/16 }

// Ancestry returns where an entity comes from: {rootEntityRef, items}, of which
// each holds an entity and the refs of its parents. The error is
// catalog.ErrNotFound if there is no such entity, and catalog.ErrNotAllowed if
// only hides it; ancestors that it hides are left out.
func (v *View) Ancestry(ctx context.Context, ref string, only *jsonvalue.Object) (Page, error) {
	f, err := permitted(nil, only)
	if err != nil {
		return Page{}, err
	}
	return v.build(ctx, func(dst []byte, s *index.Snapshot, m Moment) ([]byte, error) {
		in := s.Select(f)
		root, ok := s.ByRef(ref)
		if !ok {
			return nil, catalog.NewError(catalog.NameNotFound, "No such entity "+ref)
		}
		if !in.Has(root) {
			return nil, catalog.NewError(catalog.NameNotAllowed, "")
		}
		dst = jsonvalue.AppendString(append(dst, `{"rootEntityRef":`...), ref)
		dst = append(dst, `,"items":[`...)
		w := ancestryWalk{s: s, m: m, in: in, seen: map[index.ID]bool{root: true}}
		if dst, err = w.append(dst, root); err != nil {
			return nil, err
		}
		return append(dst, "]}"...), nil
	})
}

type ancestryWalk struct {
	s    *index.Snapshot
	m    Moment
	in   index.Selection
	seen map[index.ID]bool
}

// append appends an entity and its ancestors, each once, depth first.
func (w *ancestryWalk) append(dst []byte, root index.ID) ([]byte, error) {
	first := true
	for stack := []index.ID{root}; len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var err error
		if dst, err = appendDocument(append(dst, `{"entity":`...), w.s, w.m, id, nil); err != nil {
			return nil, err
		}
		dst = append(dst, `,"parentEntityRefs":[`...)
		none := true
		for _, ref := range w.m.Parents(w.s.Ref(id)) {
			parent, ok := w.s.ByRef(ref)
			if !ok || !w.in.Has(parent) {
				continue
			}
			if !none {
				dst = append(dst, ',')
			}
			none = false
			dst = jsonvalue.AppendString(dst, ref)
			if !w.seen[parent] {
				w.seen[parent] = true
				stack = append(stack, parent)
			}
		}
		dst = append(dst, "]}"...)
	}
	return dst, nil
}

// Counts are the numbers of what is served.
type Counts struct {
	Kinds     []index.FacetValue // entities of each kind, in its casing
	Relations int
}

// Counts counts what is served now.
func (v *View) Counts() Counts {
	s := v.index.Snapshot()
	return Counts{Kinds: s.Facets(nil, []string{"kind"})[0], Relations: s.CountRows("relations.")}
}
