package nunjucks

import "slices"

// exec runs a for loop. Its frame lives as long as the loop, so what one turn
// sets is there in the next.
func (s *forStmt) exec(a *activation) error {
	u := a.unit
	v, err := s.list.eval(a)
	if err != nil {
		return err
	}
	u.frame = &frame{parent: u.frame}
	n, err := s.iterate(a, v)
	if err == nil && n == 0 {
		err = a.run(s.otherwise)
	}
	u.frame = u.frame.parent
	return err
}

// iterate runs the body for each element and returns their number. With
// several names the elements of arrays are unpacked and objects yield keys
// and values; with one, objects count as arrays if they have a length.
func (s *forStmt) iterate(a *activation, v Value) (int, error) {
	t := turns{stmt: s, act: a}
	switch {
	case !truthy(v):
		return 0, nil
	case v.kind == KindSafe:
		v = list(codePoints(v.str()))
	case v.isIterator():
		v = list(v.obj().iter.take())
	}
	switch {
	case v.kind == KindArray && len(s.names) > 1:
		return t.unpack(v.arr())
	case v.kind == KindArray:
		return t.array(v.arr())
	case s.async && len(s.names) != 2 && hasMembers(v):
		return 0, a.fail(s.node, throw("an asynchronous loop over %s needs two names", withArticle(v.kind)))
	case len(s.names) > 1 || s.async:
		return t.members(v)
	case v.kind == KindString:
		return t.text(v.str())
	case v.kind == KindObject:
		return t.arrayLike(v.obj())
	}
	return 0, nil
}

// hasMembers tells whether there is something to go over by key.
func hasMembers(v Value) bool {
	return v.kind == KindString && v.bits > 0 || v.kind == KindObject && len(v.obj().keys) > 0
}

// turns runs the turns of one loop.
type turns struct {
	stmt *forStmt
	act  *activation
}

// turn runs the body once with these values of the loop's variables.
func (t *turns) turn(i, n int, byName bool, values ...Value) error {
	a, s := t.act, t.stmt
	rt := a.rt
	if rt.loops--; rt.loops < 0 {
		return a.fail(s.node, limitError("loops", "loops run too often"))
	}
	if err := rt.spend(1, 0); err != nil {
		return a.fail(s.node, err)
	}
	for k, v := range values {
		a.locals[s.slots[k]] = v
		if byName && s.byName[k] {
			a.unit.frame.set(s.names[k], v)
		}
	}
	if s.loop {
		if err := t.describe(i, n); err != nil {
			return a.fail(s.node, err)
		}
	}
	return a.run(s.body)
}

// loopKeys are shared by all loop objects, none of which can change them.
var loopKeys = []string{"index", "index0", "revindex", "revindex0", "first", "last", "length"}

// describe sets the members of loop. It is one object for all turns, unless
// the template sets a variable of that name.
func (t *turns) describe(i, n int) error {
	f := t.act.unit.frame
	length := num(float64(n))
	if n < 0 {
		length = nan
	}
	vals := [...]Value{integer(i + 1), integer(i), integer(n - i), integer(n - i - 1),
		BoolValue(i == 0), BoolValue(i == n-1), length}
	at := f.local("loop")
	if at == nil || !truthy(*at) {
		o := &object{keys: loopKeys[:len(loopKeys):len(loopKeys)], vals: make([]Value, len(loopKeys))}
		copy(o.vals, vals[:])
		f.set("loop", obj(o))
		return nil
	}
	if at.kind == KindObject {
		if o := at.obj(); len(o.keys) == len(loopKeys) && &o.keys[0] == &loopKeys[0] {
			copy(o.vals, vals[:])
			return nil
		}
	}
	for k, key := range loopKeys {
		if err := t.act.rt.setMember(*at, key, vals[k]); err != nil {
			return err
		}
	}
	return nil
}

// setMember is v.key = to, which a loop does to a variable called loop.
func (rt *runtime) setMember(v Value, key string, to Value) error {
	switch {
	case v.kind != KindObject && v.kind != KindArray:
		return throw("loop is set to %s, which cannot have members", withArticle(v.kind))
	case frozen(v):
		rt.touched = true
		return throw("loop is set to a value that is shared")
	case v.kind == KindObject:
		v.obj().set(key, to)
		return nil
	}
	a := v.arr()
	if key == "length" {
		n := int(max(0, to.num()))
		if n > len(a.elems) {
			a.elems = append(a.elems, make([]Value, n-len(a.elems))...)
		}
		a.elems = a.elems[:n]
		return rt.spend(1, 24*n)
	}
	if a.props == nil {
		a.props = newObject(len(loopKeys))
	}
	a.props.set(key, to)
	return nil
}

func (t *turns) array(arr *array) (int, error) {
	n := len(arr.elems)
	for i := 0; i < len(arr.elems); i++ { // the body may change the array
		if err := t.turn(i, n, true, arr.elems[i]); err != nil {
			return n, err
		}
	}
	return n, nil
}

// unpack spreads each element over the loop's names. The frame does not learn
// them, as in the reference.
func (t *turns) unpack(arr *array) (int, error) {
	n := len(arr.elems)
	values := make([]Value, len(t.stmt.names))
	for i := 0; i < len(arr.elems); i++ {
		elem := arr.elems[i]
		if elem.IsNullish() {
			return n, t.act.fail(t.stmt.node, throw("cannot unpack %s", elem.kind))
		}
		for k := range values {
			values[k], _ = t.act.rt.plainIndex(elem, k)
		}
		if err := t.turn(i, n, t.stmt.async, values...); err != nil {
			return n, err
		}
	}
	return n, nil
}

// members yields the keys and values of an object, or the positions and units
// of a string.
func (t *turns) members(v Value) (int, error) {
	if v.kind == KindString {
		u := units(v.str())
		for i, c := range u {
			err := t.turn(i, len(u), true, t.two(str(formatNumber(float64(i))), str(unitString(c)))...)
			if err != nil {
				return len(u), err
			}
		}
		return len(u), nil
	}
	if v.kind != KindObject {
		return 0, nil
	}
	o := v.obj()
	keys, _ := o.members()
	keys = slices.Clone(keys) // the body may change the object
	for i, k := range keys {
		value, ok := o.get(k)
		if !ok {
			continue
		}
		if err := t.turn(i, len(keys), true, t.two(str(k), value)...); err != nil {
			return len(keys), err
		}
	}
	return len(keys), nil
}

// two is a key and value as values of the loop's first two names; of further
// ones nothing is known.
func (t *turns) two(k, v Value) []Value {
	return []Value{k, v}[:min(2, len(t.stmt.names))]
}

func (t *turns) text(s string) (int, error) {
	if isASCII(s) {
		for i := range len(s) {
			if err := t.turn(i, len(s), true, str(s[i:i+1])); err != nil {
				return len(s), err
			}
		}
		return len(s), nil
	}
	u := units(s)
	for i, c := range u {
		if err := t.turn(i, len(u), true, str(unitString(c))); err != nil {
			return len(u), err
		}
	}
	return len(u), nil
}

// arrayLike runs over the elements of an object that has a length.
func (t *turns) arrayLike(o *object) (int, error) {
	l, _ := o.get("length")
	if !truthy(l) {
		return 0, nil
	}
	f, err := t.act.rt.number(l)
	if err != nil {
		return 0, t.act.fail(t.stmt.node, err)
	}
	for i := 0; float64(i) < f; i++ {
		v, _ := o.get(formatNumber(float64(i)))
		if err := t.turn(i, int(min(f, 1<<52)), true, v); err != nil {
			return 1, err
		}
	}
	return 1, nil
}

// codePoints returns the code points of s as strings.
func codePoints(s string) []Value {
	var out []Value
	for len(s) > 0 {
		_, n := decode(s)
		out = append(out, str(s[:n]))
		s = s[n:]
	}
	return out
}
