package nunjucks

// An iterator is what makes an object one of JavaScript's iterators, as the
// methods of arrays and strings return them: for goes over it once, next()
// takes one element, and it has no members of its own.
type iterator struct {
	of   string // what it goes over, as its text has it
	rest []Value
}

// newIterator returns an iterator and pays for its elements.
func (rt *runtime) newIterator(of string, elems []Value) (Value, error) {
	o := newObject(0)
	o.iter = &iterator{of: of, rest: elems}
	return obj(o), rt.spend(1+len(elems)/8, 24*len(elems))
}

// isIterator tells whether v is one, which filters that want plain objects
// refuse.
func (v Value) isIterator() bool { return v.kind == KindObject && v.obj().iter != nil }

// take returns the elements that are left and leaves none.
func (it *iterator) take() []Value {
	rest := it.rest
	it.rest = nil
	return rest
}

var iteratorMethods = []method{
	{name: "next", call: iteratorNext},
	{name: "toString", call: toText},
}

func iteratorNext(_ *runtime, this Value, _ []Value) (Value, error) {
	it := this.obj().iter
	step := newObject(2)
	step.set("value", arg(it.rest, 0))
	step.set("done", BoolValue(len(it.rest) == 0))
	it.rest = it.rest[min(1, len(it.rest)):]
	return obj(step), nil
}
