package nunjucks

import "slices"

// A method is a function that belongs to values of a kind.
type method struct {
	name string
	call func(rt *runtime, this Value, args []Value) (Value, error)
	// mutates marks those that change the array or object they belong to.
	mutates bool
}

// members are the methods that go by one name.
type members struct {
	onString, onNumber, onArray, onObject, onIterator, onRegexp, onBool, onFunction *method
	// python methods exist in the cookiecutter-compatible mode.
	pythonArray, pythonObject *method
	mutates                   bool
}

// memberTable has every name that some kind of value has a method for.
var memberTable = buildMemberTable()

func buildMemberTable() map[string]*members {
	table := map[string]*members{}
	for _, group := range []struct {
		methods []method
		at      func(*members) **method
	}{
		{stringMethods, func(m *members) **method { return &m.onString }},
		{localeStringMethods, func(m *members) **method { return &m.onString }},
		{patternStringMethods, func(m *members) **method { return &m.onString }},
		{numberMethods, func(m *members) **method { return &m.onNumber }},
		{arrayMethods, func(m *members) **method { return &m.onArray }},
		{arrayChanges, func(m *members) **method { return &m.onArray }},
		{arrayCallbacks, func(m *members) **method { return &m.onArray }},
		{objectMethods, func(m *members) **method { return &m.onObject }},
		{iteratorMethods, func(m *members) **method { return &m.onIterator }},
		{regexpMethods, func(m *members) **method { return &m.onRegexp }},
		{boolMethods, func(m *members) **method { return &m.onBool }},
		{functionMethods, func(m *members) **method { return &m.onFunction }},
		{pythonArrayMethods, func(m *members) **method { return &m.pythonArray }},
		{pythonObjectMethods, func(m *members) **method { return &m.pythonObject }},
	} {
		for i := range group.methods {
			m := &group.methods[i]
			if table[m.name] == nil {
				table[m.name] = &members{}
			}
			*group.at(table[m.name]) = m
			table[m.name].mutates = table[m.name].mutates || m.mutates
		}
	}
	return table
}

func membersNamed(name string) *members { return memberTable[name] }

// of returns the method that values of v's kind have.
func (ms *members) of(v Value) *method {
	if ms == nil {
		return nil
	}
	switch v.kind {
	case KindString, KindSafe:
		return ms.onString
	case KindNumber:
		return ms.onNumber
	case KindArray:
		return ms.onArray
	case KindObject:
		if ms.onIterator != nil && v.isIterator() {
			return ms.onIterator
		}
		return ms.onObject
	case KindRegexp:
		return ms.onRegexp
	case KindBool:
		return ms.onBool
	case KindFunction:
		return ms.onFunction
	}
	return nil
}

// member looks a name up on a value: its own members come before methods.
// What JavaScript inherits beside methods (constructor, prototypes) does not
// exist.
func (rt *runtime) member(v Value, name string, ms *members) (Value, *method) {
	if rt.env != nil && rt.env.compat && ms != nil {
		if m := ms.python(v); m != nil {
			return undefined, m
		}
	}
	switch v.kind {
	case KindObject:
		if got, ok := v.obj().get(name); ok {
			return got, nil
		}
	case KindArray:
		if name == "length" {
			return integer(len(v.arr().elems)), nil
		}
		if i, ok := arrayIndex(name); ok {
			return v.Index(int(i)), nil
		}
		if got, ok := v.arr().props.lookup(name); ok {
			return got, nil
		}
	case KindString:
		if m := rt.hostMethod(name); m != nil {
			return undefined, m
		}
		if name == "length" {
			return integer(length(v.str())), nil
		}
		if i, ok := arrayIndex(name); ok {
			return stringAt(v.str(), int(i)), nil
		}
	case KindSafe:
		if m := rt.hostMethod(name); m != nil {
			return undefined, m
		}
		switch name {
		case "length":
			return integer(length(v.str())), nil
		case "val":
			return str(v.str()), nil
		}
	case KindRegexp:
		if got, ok := v.re().property(name); ok {
			return got, nil
		}
	case KindFunction:
		switch name {
		case "name":
			return str(v.fn().name), nil
		case "length":
			return integer(v.fn().length), nil
		}
	}
	return undefined, ms.of(v)
}

// hostMethod returns the method of that name that the host gave to strings.
func (rt *runtime) hostMethod(name string) *method {
	if rt.env == nil {
		return nil
	}
	return rt.env.strings[name]
}

// onlyPython tells whether there is no such method but in the compatible mode.
func (ms *members) onlyPython() bool {
	rest := *ms
	rest.pythonArray, rest.pythonObject, rest.mutates = nil, nil, false
	return rest == members{}
}

func (ms *members) python(v Value) *method {
	switch v.kind {
	case KindArray:
		return ms.pythonArray
	case KindObject, KindSafe:
		return ms.pythonObject
	}
	return nil
}

// stringAt is s[i].
func stringAt(s string, i int) Value {
	u, ok := unitAt(s, i)
	if !ok {
		return undefined
	}
	return str(unitString(u))
}

// index looks a computed key up on a value that is neither undefined nor null.
func (rt *runtime) index(v, key Value) (Value, *method, error) {
	if key.kind == KindNumber {
		if f := key.num(); f >= 0 && f < 1<<31 && f == float64(int(f)) {
			if got, ok := rt.plainIndex(v, int(f)); ok {
				return got, nil, nil
			}
		}
	}
	name, err := rt.propertyKey(key)
	if err != nil {
		return undefined, nil, err
	}
	got, m := rt.member(v, name, membersNamed(name))
	return got, m, nil
}

// plainIndex returns element i of an array, string or object, and whether v
// is one.
func (rt *runtime) plainIndex(v Value, i int) (Value, bool) {
	switch v.kind {
	case KindArray:
		return v.Index(i), true
	case KindString:
		return stringAt(v.str(), i), true
	case KindObject:
		got, _ := v.obj().get(formatNumber(float64(i)))
		return got, true
	}
	return undefined, false
}

// invoke calls the method on this. A method that would change something
// shared makes the rendering start over on a copy of its variables.
func (m *method) invoke(rt *runtime, this Value, args []Value) (Value, error) {
	if m.mutates && frozen(this) {
		rt.touched = true
		return undefined, throw("%s cannot change a value that is shared", m.name)
	}
	return m.call(rt, this, args)
}

// bind makes the method a value.
func (m *method) bind(this Value) Value {
	return fn(&function{name: m.name, mutates: m.mutates, call: func(rt *runtime, args []Value) (Value, error) {
		return m.invoke(rt, this, args)
	}})
}

func frozen(v Value) bool {
	return v.kind == KindArray && v.arr().frozen || v.kind == KindObject && v.obj().frozen
}

// thaw copies a value that is shared, at all depths, so that a rendering may
// change it.
func thaw(v Value) Value { return copyValue(v, false, nil) }

// freeze copies what may still change, for a host to keep. Functions of the
// template are null in it, as they live as long as its rendering, and regular
// expressions are their text.
func freeze(v Value) Value { return copyValue(v, true, nil) }

// copyValue copies containers whose frozenness is not the wanted one. Within
// a container that is frozen everything is.
func copyValue(v Value, frozen bool, path []Value) Value {
	if slices.ContainsFunc(path, v.same) || len(path) > maxJSONDepth {
		return null // a cycle, or as good as one
	}
	switch v.kind {
	case KindArray:
		a := v.arr()
		if a.frozen && frozen {
			return v
		}
		c := &array{elems: make([]Value, len(a.elems)), frozen: frozen}
		path = append(path, v)
		for i, e := range a.elems {
			c.elems[i] = copyValue(e, frozen, path)
		}
		return arr(c)
	case KindObject:
		o := v.obj()
		if o.frozen && frozen {
			return v
		}
		keys, vals := o.members()
		c := newObject(len(keys))
		path = append(path, v)
		for i, k := range keys {
			c.set(k, copyValue(vals[i], frozen, path))
		}
		c.frozen = frozen
		return obj(c)
	case KindFunction:
		if frozen && !v.fn().host {
			return null
		}
	case KindRegexp:
		if frozen {
			return str(v.re().String())
		}
	}
	return v
}

// describe names what an expression refers to, for error messages.
func describe(e expr) string {
	switch e := e.(type) {
	case *nameExpr:
		return e.name
	case *memberExpr:
		if e.name != "" {
			return describe(e.target) + "." + e.name
		}
		return describe(e.target) + "[" + describe(e.key) + "]"
	case *callExpr:
		return describe(e.callee) + "()"
	case *literalExpr:
		return literalText(e.value)
	}
	return "the expression"
}
