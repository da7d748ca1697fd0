package nunjucks

import (
	"maps"
	"slices"
	"strings"
)

// A varTable holds variables by name. It is looked through one by one while
// they are few, which they nearly always are.
type varTable struct {
	list  []variable
	index map[string]int // nil while they are few
}

type variable struct {
	name  string
	value Value
}

// find returns the variable of this name, or nil.
func (t *varTable) find(name string) *variable {
	if t.index != nil {
		if i, ok := t.index[name]; ok {
			return &t.list[i]
		}
		return nil
	}
	for i := range t.list {
		if t.list[i].name == name {
			return &t.list[i]
		}
	}
	return nil
}

func (t *varTable) set(name string, v Value) {
	if at := t.find(name); at != nil {
		at.value = v
		return
	}
	t.list = append(t.list, variable{name, v})
	switch n := len(t.list); {
	case t.index != nil:
		t.index[name] = n - 1
	case n > few:
		t.index = make(map[string]int, 2*n)
		for i := range t.list {
			t.index[t.list[i].name] = i
		}
	}
}

func (t *varTable) clone() varTable {
	return varTable{slices.Clone(t.list), maps.Clone(t.index)}
}

// A frame holds variables by name for those that look them up that way.
type frame struct {
	parent *frame
	vars   varTable
	// isolated frames do not let a set inside them reach what is around.
	isolated bool
	// top frames are those of whole templates: a set there reaches the context.
	top bool
}

// local returns the frame's own value of name; undefined counts as absent.
func (f *frame) local(name string) *Value {
	if v := f.vars.find(name); v != nil && v.value.kind != KindUndefined {
		return &v.value
	}
	return nil
}

func (f *frame) lookup(name string) Value {
	for ; f != nil; f = f.parent {
		if v := f.local(name); v != nil {
			return *v
		}
	}
	return undefined
}

func (f *frame) set(name string, v Value) { f.vars.set(name, v) }

// assign sets name where it is already set, here or further out, else here.
// Only the innermost frame's isolation matters.
func (f *frame) assign(name string, v Value) {
	if at := f.local(name); at != nil {
		*at = v
		return
	}
	if !f.isolated {
		for g := f.parent; g != nil; g = g.parent {
			if at := g.local(name); at != nil {
				*at = v
				return
			}
		}
	}
	f.set(name, v)
}

// variables are a template's context: what it was given and what its tags set.
type variables struct {
	given    Value // an object
	own      varTable
	exported []string
	// exporting: the template is being imported.
	exporting bool
}

func (vs *variables) get(name string) (Value, bool) {
	if v := vs.own.find(name); v != nil {
		return v.value, true
	}
	if vs.given.kind == KindObject {
		return vs.given.obj().get(name)
	}
	return undefined, false
}

func (vs *variables) set(name string, v Value) { vs.own.set(name, v) }

// fork returns a context of its own for an included template.
func (vs *variables) fork() *variables {
	return &variables{given: vs.given, own: vs.own.clone()}
}

func (vs *variables) export(name string) {
	if vs.exporting && !strings.HasPrefix(name, "_") {
		vs.exported = append(vs.exported, name)
	}
}

// exports returns what a template that was imported offers.
func (vs *variables) exports() *object {
	o := newObject(len(vs.exported))
	for _, name := range vs.exported {
		v, _ := vs.get(name)
		o.set(name, v)
	}
	return o
}
