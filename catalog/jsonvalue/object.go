package jsonvalue

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"sync/atomic"
)

// A Member is one key of an object with its value.
type Member struct {
	Key   string
	Value any
}

// An Object is a JSON object that remembers the order of its keys. The zero
// value is an empty object.
type Object struct {
	// members stand in the order in which their keys were set first.
	members []Member
	// positions is kept for objects that are too large to look through.
	positions map[string]int
	// indexes counts the leading members whose keys are ascending array
	// indexes; scattered says that there are others further on. Then members
	// are not in the order of JavaScript, and ordered is, once somebody asked.
	// To bring every single one to its place would take time that is quadratic
	// in what a client sends.
	indexes   int
	scattered bool
	ordered   atomic.Pointer[[]Member]
}

// indexedFrom is the number of keys from which a lookup by map is cheaper than
// a look at each of them.
const indexedFrom = 24

// NewObject returns an object with these members, later ones over earlier
// ones of the same key.
func NewObject(members ...Member) *Object {
	o := &Object{members: make([]Member, 0, len(members))}
	for _, m := range members {
		o.Set(m.Key, m.Value)
	}
	return o
}

// Len returns how many keys the object has. A nil object has none.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Get returns the value of key and whether the key is there.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// Value returns the value of key, nil when the key is absent.
func (o *Object) Value(key string) any {
	v, _ := o.Get(key)
	return v
}

// Has tells whether the key is there, with whatever value.
func (o *Object) Has(key string) bool { return o.find(key) >= 0 }

// String returns the value of key if it is a string, else "".
func (o *Object) String(key string) string {
	s, _ := o.Value(key).(string)
	return s
}

// Object returns the value of key if it is an object, else nil, which reads
// like an empty object.
func (o *Object) Object(key string) *Object {
	x, _ := o.Value(key).(*Object)
	return x
}

// Set gives key the value. An existing key keeps its place; a new one comes
// last, or among the leading array indexes when it is one.
func (o *Object) Set(key string, value any) {
	if o.scattered {
		o.ordered.Store(nil)
	}
	if i := o.find(key); i >= 0 {
		o.members[i].Value = value
		return
	}
	if n, ok := arrayIndex(key); ok && !o.scattered {
		if o.comesNext(n) {
			o.indexes++
		} else {
			o.scattered = true
		}
	}
	o.members = append(o.members, Member{key, value})
	o.reindex(len(o.members) - 1)
}

// comesNext tells whether a new array index n belongs behind all members.
func (o *Object) comesNext(n uint64) bool {
	if len(o.members) != o.indexes {
		return false
	}
	if o.indexes == 0 {
		return true
	}
	last, _ := arrayIndex(o.members[o.indexes-1].Key)
	return last < n
}

// Delete removes key and tells whether it was there.
func (o *Object) Delete(key string) bool {
	i := o.find(key)
	if i < 0 {
		return false
	}
	o.ordered.Store(nil)
	if i < o.indexes {
		o.indexes--
	}
	o.members = slices.Delete(o.members, i, i+1)
	o.positions = nil
	o.reindex(0)
	return true
}

// All yields the members in order.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o.Members() {
			if !yield(m.Key, m.Value) {
				return
			}
		}
	}
}

// Members returns the members in order. The caller must not change the slice.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	if !o.scattered {
		return o.members
	}
	if list := o.ordered.Load(); list != nil {
		return *list
	}
	list := slices.Clone(o.members)
	slices.SortStableFunc(list, byIndex)
	o.ordered.Store(&list) // whoever else got here has the same
	return list
}

// byIndex puts array indexes first, in ascending order.
func byIndex(a, b Member) int {
	m, aIs := arrayIndex(a.Key)
	n, bIs := arrayIndex(b.Key)
	switch {
	case aIs && bIs:
		return cmp.Compare(m, n)
	case aIs:
		return -1
	case bIs:
		return 1
	}
	return 0
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.positions != nil {
		if i, ok := o.positions[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].Key == key {
			return i
		}
	}
	return -1
}

// reindex brings the map of positions up to date from place at on.
func (o *Object) reindex(at int) {
	if len(o.members) < indexedFrom {
		o.positions = nil
		return
	}
	if o.positions == nil {
		o.positions, at = make(map[string]int, 2*len(o.members)), 0
	}
	for i := at; i < len(o.members); i++ {
		o.positions[o.members[i].Key] = i
	}
}

// arrayIndex tells whether JavaScript takes key for an array index: the
// shortest decimal form of an integer below 2^32-1.
func arrayIndex(key string) (uint64, bool) {
	if key == "" || len(key) > 10 || key[0] < '0' || key[0] > '9' || (key[0] == '0' && len(key) > 1) {
		return 0, false
	}
	n, err := strconv.ParseUint(key, 10, 64)
	return n, err == nil && n < 1<<32-1
}

// Clone returns a deep copy of v.
func Clone(v any) any {
	switch v := v.(type) {
	case *Object:
		return v.Clone()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = Clone(v[i])
		}
		return out
	}
	return v
}

// Clone returns a deep copy of the object.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	out := &Object{members: make([]Member, len(o.members), len(o.members)+2), indexes: o.indexes, scattered: o.scattered}
	for i, m := range o.members {
		out.members[i] = Member{m.Key, Clone(m.Value)}
	}
	out.reindex(0)
	return out
}

// Equal tells whether a and b hold the same data; the order of keys does not
// count.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case *Object:
		b, ok := b.(*Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for k, v := range a.All() {
			if w, ok := b.Get(k); !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	}
	if _, isObject := b.(*Object); isObject {
		return false
	}
	if _, isArray := b.([]any); isArray {
		return false
	}
	return a == b
}
