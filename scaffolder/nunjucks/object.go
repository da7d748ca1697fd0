package nunjucks

import (
	"slices"
	"strconv"
)

// indexedFrom is the number of keys from which a map beats looking at each.
const indexedFrom = 12

// An object is what a Value of KindObject points to: keys in JavaScript's
// order, which is array indexes ascending and then the rest as they came.
type object struct {
	keys  []string
	vals  []Value
	index map[string]int // nil while there are few keys
	ints  int            // how many leading keys are array indexes
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
		for at = o.ints; at > 0; at-- {
			if m, _ := arrayIndex(o.keys[at-1]); m < n {
				break
			}
		}
		o.ints++
	}
	o.keys = slices.Insert(o.keys, at, key)
	o.vals = slices.Insert(o.vals, at, v)
	o.reindex(at)
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
