package nunjucks

import (
	"math"
	"strings"
)

// maxJSONDepth bounds how deeply values may be nested where they are walked:
// for JSON, for copies and for conversions from and to Go.
const maxJSONDepth = 1000

// A jsonWriter writes values like JSON.stringify.
type jsonWriter struct {
	out    []byte
	gap    string // one level of indentation, none for a single line
	indent string
	path   []Value // the containers around, to notice cycles
	spend  func(bytes int) error
	paid   int
}

// appendJSON writes v as JSON. What JSON cannot say is left out of objects and
// null in arrays; at the top nothing is written.
func appendJSON(dst []byte, v Value, gap string) ([]byte, error) {
	w := jsonWriter{out: dst, gap: gap}
	err := w.value(v)
	return w.out, err
}

// stringify is appendJSON on a render's account. The result is undefined
// where JSON.stringify's is.
func (rt *runtime) stringify(v Value, gap string) (Value, error) {
	if !inJSON(v) {
		return undefined, nil
	}
	w := jsonWriter{out: make([]byte, 0, 64), gap: gap, spend: func(n int) error { return rt.spend(1, n) }}
	if err := w.value(v); err != nil {
		return undefined, err
	}
	return str(string(w.out)), nil
}

func inJSON(v Value) bool { return v.kind != KindUndefined && v.kind != KindFunction }

func (w *jsonWriter) value(v Value) error {
	switch v.kind {
	case KindBool:
		if v.Bool() {
			w.out = append(w.out, "true"...)
		} else {
			w.out = append(w.out, "false"...)
		}
	case KindNumber:
		if f := v.num(); math.IsNaN(f) || math.IsInf(f, 0) {
			w.out = append(w.out, "null"...)
		} else {
			w.out = appendNumber(w.out, f)
		}
	case KindString, KindSafe:
		w.out = appendQuoted(w.out, v.str())
	case KindArray:
		return w.array(v)
	case KindObject:
		return w.object(v)
	case KindRegexp:
		w.out = append(w.out, "{}"...)
	default:
		w.out = append(w.out, "null"...)
	}
	return nil
}

func (w *jsonWriter) enter(v Value, open byte) (string, error) {
	for _, outer := range w.path {
		if outer.same(v) {
			return "", throw("converting circular structure to JSON")
		}
	}
	if len(w.path) >= maxJSONDepth {
		return "", limitError("depth", "value is nested too deeply for JSON")
	}
	w.path = append(w.path, v)
	w.out = append(w.out, open)
	before := w.indent
	w.indent += w.gap
	return before, nil
}

func (w *jsonWriter) leave(before string, some bool, end byte) {
	w.path = w.path[:len(w.path)-1]
	w.indent = before
	if some {
		w.newline()
	}
	w.out = append(w.out, end)
}

func (w *jsonWriter) newline() {
	if w.gap != "" {
		w.out = append(w.out, '\n')
		w.out = append(w.out, w.indent...)
	}
}

// separate begins an element and pays for those before.
func (w *jsonWriter) separate(first bool) error {
	if !first {
		w.out = append(w.out, ',')
	}
	w.newline()
	if w.spend == nil {
		return nil
	}
	n := len(w.out) - w.paid
	w.paid = len(w.out)
	return w.spend(n)
}

func (w *jsonWriter) array(v Value) error {
	before, err := w.enter(v, '[')
	if err != nil {
		return err
	}
	elems := v.arr().elems
	for i, e := range elems {
		if err := w.separate(i == 0); err != nil {
			return err
		}
		if err := w.value(e); err != nil {
			return err
		}
	}
	w.leave(before, len(elems) > 0, ']')
	return nil
}

func (w *jsonWriter) object(v Value) error {
	before, err := w.enter(v, '{')
	if err != nil {
		return err
	}
	keys, vals := v.obj().members()
	first := true
	for i, k := range keys {
		if !inJSON(vals[i]) {
			continue
		}
		if err := w.separate(first); err != nil {
			return err
		}
		first = false
		w.out = append(appendQuoted(w.out, k), ':')
		if w.gap != "" {
			w.out = append(w.out, ' ')
		}
		if err := w.value(vals[i]); err != nil {
			return err
		}
	}
	w.leave(before, !first, '}')
	return nil
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes a JSON string. Only what JSON demands is escaped, and
// halves of surrogate pairs, as JavaScript does.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		half := c == 0xED && i+2 < len(s) && s[i+1] >= 0xA0
		if c >= ' ' && c != '"' && c != '\\' && !half {
			continue
		}
		dst = append(dst, s[start:i]...)
		if half {
			r, _ := decode(s[i:])
			dst = append(dst, '\\', 'u', 'd', hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			i += 2
		} else {
			dst = appendEscape(dst, c)
		}
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	if i := strings.IndexByte("\"\\\b\f\n\r\t", c); i >= 0 {
		return append(dst, '\\', `"\bfnrt`[i])
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// jsonGap is the indentation that JSON.stringify derives from its third
// argument.
func jsonGap(v Value) string {
	switch v.kind {
	case KindNumber:
		if n := v.num(); n >= 1 {
			return strings.Repeat(" ", int(min(n, 10)))
		}
	case KindString:
		s := v.str()
		return slice(s, 0, min(length(s), 10))
	}
	return ""
}
