package nunjucks

import (
	"cmp"
	"slices"
	"strconv"
)

// indexedFrom is the number of keys from which a map beats looking at each.
const indexedFrom = 12

// An object is what a Value of KindObject points to. JavaScript's order of keys
// is array indexes ascending and then the rest as they came; it is established
// when somebody asks for it, so that a key costs the same wherever it belongs.
type object struct {
	keys  []string
	vals  []Value
	index map[string]int // nil while there are few keys
	// ints is how many leading keys are ascending array indexes; disordered
	// says that there are others behind them.
	ints       int
	disordered bool
	// frozen objects may be shared between renders and never change.
	frozen bool
	iter   *iterator // of the objects that are iterators
}

func newObject(size int) *object {
	return &object{keys: make([]string, 0, size), vals: make([]Value, 0, size)}
}

// find returns the position of key, or -1.
func (o *object) find(key string) int {
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range o.keys {
		if k == key {
			return i
		}
	}
	return -1
}

func (o *object) get(key string) (Value, bool) {
	if i := o.find(key); i >= 0 {
		return o.vals[i], true
	}
	return Value{}, false
}

func (o *object) set(key string, v Value) {
	if i := o.find(key); i >= 0 {
		o.vals[i] = v
		return
	}
	at := len(o.keys)
	if n, ok := arrayIndex(key); ok {
		switch {
		case o.ints < at:
			o.disordered = true
		case at > 0 && o.indexAt(at-1) > n:
			o.disordered = true
		default:
			o.ints++
		}
	}
	o.keys = append(o.keys, key)
	o.vals = append(o.vals, v)
	o.reindex(at)
}

func (o *object) indexAt(i int) uint64 {
	n, _ := arrayIndex(o.keys[i])
	return n
}

// members returns the keys and values in order. The caller must not change
// them.
func (o *object) members() (keys []string, vals []Value) {
	if o.disordered {
		o.order()
	}
	return o.keys, o.vals
}

// order sorts the keys that are array indexes to the front.
func (o *object) order() {
	type member struct {
		n   uint64
		key string
		val Value
	}
	var ints []member
	rest := newObject(len(o.keys))
	for i, k := range o.keys {
		if n, ok := arrayIndex(k); ok {
			ints = append(ints, member{n, k, o.vals[i]})
			continue
		}
		rest.keys, rest.vals = append(rest.keys, k), append(rest.vals, o.vals[i])
	}
	slices.SortFunc(ints, func(a, b member) int { return cmp.Compare(a.n, b.n) })
	for i, m := range ints {
		o.keys[i], o.vals[i] = m.key, m.val
	}
	copy(o.keys[len(ints):], rest.keys)
	copy(o.vals[len(ints):], rest.vals)
	o.ints, o.disordered = len(ints), false
	o.reindex(0)
}

// freeze makes the object one that may be shared.
func (o *object) freeze() *object {
	o.members()
	o.frozen = true
	return o
}

func (o *object) delete(key string) {
	i := o.find(key)
	if i < 0 {
		return
	}
	if i < o.ints {
		o.ints--
	}
	delete(o.index, key)
	o.keys = slices.Delete(o.keys, i, i+1)
	o.vals = slices.Delete(o.vals, i, i+1)
	o.reindex(i)
}

// reindex brings the map up to date from position at on.
func (o *object) reindex(at int) {
	if o.index == nil {
		if len(o.keys) < indexedFrom {
			return
		}
		o.index = make(map[string]int, 2*indexedFrom)
		at = 0
	}
	for i := at; i < len(o.keys); i++ {
		o.index[o.keys[i]] = i
	}
}

// arrayIndex tells whether key is the decimal form of an array index, which
// JavaScript sorts before other keys, and which one.
func arrayIndex(key string) (uint64, bool) {
	if key == "" || len(key) > 10 || key[0] < '0' || key[0] > '9' || (key[0] == '0' && len(key) > 1) {
		return 0, false
	}
	n, err := strconv.ParseUint(key, 10, 64)
	return n, err == nil && n < 1<<32-1
}
