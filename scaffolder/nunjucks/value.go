package nunjucks

import (
	"math"
	"strconv"
	"unsafe"
)

// A Kind says what a Value is.
type Kind uint8

// The kinds of values a template can hold.
const (
	KindUndefined Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindSafe // a string that autoescaping leaves alone
	KindArray
	KindObject
	KindFunction
	KindRegexp
)

var kindNames = [...]string{"undefined", "null", "boolean", "number", "string", "safe string",
	"array", "object", "function", "regular expression"}

// String returns the kind's name as error messages use it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// A Value is one JavaScript value as templates see it. The zero Value is
// undefined. Values that a Go program can hold never change and may be shared
// between goroutines; == on Values has no meaning, use StrictEqual.
//
// The pointer's type follows from the kind: bytes for strings (bits holds
// their number), *array, *object, *function, *regexpObject. Only this file
// makes or casts it.
type Value struct {
	_    [0]func() // forbids ==
	kind Kind
	bits uint64
	ptr  unsafe.Pointer
}

// A Member is one key of an object with its value.
type Member struct {
	Key   string
	Value Value
}

// UndefinedValue returns undefined, which is also the zero Value.
func UndefinedValue() Value { return Value{} }

// NullValue returns null.
func NullValue() Value { return Value{kind: KindNull} }

// BoolValue returns a boolean.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: KindBool, bits: 1}
	}
	return Value{kind: KindBool}
}

// NumberValue returns a number; all numbers are doubles.
func NumberValue(f float64) Value { return Value{kind: KindNumber, bits: math.Float64bits(f)} }

// StringValue returns a string. Bytes that are not UTF-8 become U+FFFD.
func StringValue(s string) Value { return str(toWellFormed(s)) }

// SafeValue returns a string that autoescaping leaves alone, like the result
// of a macro.
func SafeValue(s string) Value { return newSafe(toWellFormed(s)) }

// ArrayValue returns an array of these elements, which it copies.
func ArrayValue(elems ...Value) Value {
	a := &array{elems: make([]Value, len(elems)), frozen: true}
	copy(a.elems, elems)
	return arr(a)
}

// ObjectValue returns an object with these members, later ones over earlier
// ones of the same key. Keys that look like array indexes come first, in
// ascending order, as everywhere in JavaScript.
func ObjectValue(members ...Member) Value {
	o := newObject(len(members))
	for _, m := range members {
		o.set(toWellFormed(m.Key), m.Value)
	}
	return obj(o.freeze())
}

// FuncValue returns a function that templates may call, under a name for
// error messages.
func FuncValue(name string, f Func) Value {
	return fn(&function{name: name, call: hostCall(f, 0), host: true})
}

// Kind tells what v is.
func (v Value) Kind() Kind { return v.kind }

// IsUndefined tells whether v is undefined.
func (v Value) IsUndefined() bool { return v.kind == KindUndefined }

// IsNullish tells whether v is undefined or null.
func (v Value) IsNullish() bool { return v.kind <= KindNull }

// Bool returns a boolean's value, and false for all other kinds. See Truthy.
func (v Value) Bool() bool { return v.kind == KindBool && v.bits != 0 }

// Number returns a number's value and whether v is one.
func (v Value) Number() (float64, bool) { return v.num(), v.kind == KindNumber }

// Text returns the text of a string or safe string and whether v is one.
// Halves of surrogate pairs that stand alone have become U+FFFD.
func (v Value) Text() (string, bool) {
	if !v.isText() {
		return "", false
	}
	return wellFormed(v.str()), true
}

// Len returns the number of elements of an array or of keys of an object,
// and 0 for all other kinds.
func (v Value) Len() int {
	switch v.kind {
	case KindArray:
		return len(v.arr().elems)
	case KindObject:
		return len(v.obj().keys)
	}
	return 0
}

// Index returns element i of an array; undefined outside it and for all other
// kinds.
func (v Value) Index(i int) Value {
	if v.kind != KindArray || i < 0 || i >= len(v.arr().elems) {
		return Value{}
	}
	return v.arr().elems[i]
}

// Get returns the value of an object's key; undefined when it is absent and
// for all other kinds.
func (v Value) Get(key string) Value {
	if v.kind != KindObject {
		return Value{}
	}
	got, _ := v.obj().get(key)
	return got
}

// Has tells whether v is an object with this key.
func (v Value) Has(key string) bool {
	if v.kind != KindObject {
		return false
	}
	_, ok := v.obj().get(key)
	return ok
}

// Members iterates over an object's keys in JavaScript's order.
func (v Value) Members() func(yield func(string, Value) bool) {
	return func(yield func(string, Value) bool) {
		if v.kind != KindObject {
			return
		}
		keys, vals := v.obj().members()
		for i, k := range keys {
			if !yield(wellFormed(k), vals[i]) {
				return
			}
		}
	}
}

// An array is what a Value of KindArray points to. What is frozen may be
// shared between renders and goroutines and never changes.
type array struct {
	elems  []Value
	frozen bool
	props  *object // named members, as the results of searches have them
}

// A function is what a Value of KindFunction points to.
type function struct {
	name string
	call native
	// macro is set for functions that templates define.
	macro *closure
	// mutates marks methods that change the array or object they are called on.
	mutates bool
	// host marks functions and filters written by the host.
	host bool
	// length is what JavaScript has for the number of parameters.
	length int
}

// A native is a function in Go. The arguments live only until it returns.
type native func(rt *runtime, args []Value) (Value, error)

var (
	undefined = Value{}
	null      = Value{kind: KindNull}
	empty     = Value{kind: KindString}
	yes       = Value{kind: KindBool, bits: 1}
	no        = Value{kind: KindBool}
	nan       = NumberValue(math.NaN())
)

func str(s string) Value {
	return Value{kind: KindString, bits: uint64(len(s)), ptr: unsafe.Pointer(unsafe.StringData(s))}
}

func safe(s string) Value {
	return Value{kind: KindSafe, bits: uint64(len(s)), ptr: unsafe.Pointer(unsafe.StringData(s))}
}

func num(f float64) Value          { return Value{kind: KindNumber, bits: math.Float64bits(f)} }
func integer(i int) Value          { return num(float64(i)) }
func arr(a *array) Value           { return Value{kind: KindArray, ptr: unsafe.Pointer(a)} }
func list(elems []Value) Value     { return arr(&array{elems: elems}) }
func obj(o *object) Value          { return Value{kind: KindObject, ptr: unsafe.Pointer(o)} }
func fn(f *function) Value         { return Value{kind: KindFunction, ptr: unsafe.Pointer(f)} }
func regex(r *regexpObject) Value  { return Value{kind: KindRegexp, ptr: unsafe.Pointer(r)} }
func (v Value) num() float64       { return math.Float64frombits(v.bits) }
func (v Value) str() string        { return unsafe.String((*byte)(v.ptr), int(v.bits)) }
func (v Value) arr() *array        { return (*array)(v.ptr) }
func (v Value) obj() *object       { return (*object)(v.ptr) }
func (v Value) fn() *function      { return (*function)(v.ptr) }
func (v Value) re() *regexpObject  { return (*regexpObject)(v.ptr) }
func (v Value) isText() bool       { return v.kind == KindString || v.kind == KindSafe }
func (v Value) isPrimitive() bool  { return v.kind <= KindString }
func (v Value) isNumber() bool     { return v.kind == KindNumber }
func (v Value) same(w Value) bool  { return v.kind == w.kind && v.ptr == w.ptr }
func pair(k string, v Value) Value { return list([]Value{str(k), v}) }

// Member returns what v.key is in a template, methods excepted: an object's
// member, an array's element by its decimal index, and the length of arrays
// and strings.
func (v Value) Member(key string) Value {
	if v.IsNullish() {
		return undefined
	}
	got, _ := (&runtime{}).member(v, toWellFormed(key), nil)
	return got
}
