package rawjson

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = jsonvalue.MaxDepth

// ErrSyntax is returned, wrapped, where the text is not JSON.
var ErrSyntax = errors.New("not JSON")

func syntax(at int) error { return fmt.Errorf("%w at byte %d", ErrSyntax, at) }

// Space returns the first place from at on that is not white space.
func Space(data []byte, at int) int {
	for at < len(data) && data[at] <= ' ' {
		at++
	}
	return at
}

// Begin returns the first byte of the value at at, after white space, and its
// place; 0 where the text ends.
func Begin(data []byte, at int) (byte, int) {
	at = Space(data, at)
	if at >= len(data) {
		return 0, at
	}
	return data[at], at
}

// Skip returns the place behind the value that begins at at.
func Skip(data []byte, at int) (int, error) {
	if at >= len(data) {
		return at, syntax(at)
	}
	switch data[at] {
	case '"':
		_, _, end, err := String(data, at)
		return end, err
	case '{', '[':
		return skipNested(data, at)
	}
	end := scalarEnd(data, at)
	if end == at {
		return at, syntax(at)
	}
	return end, nil
}

func skipNested(data []byte, at int) (int, error) {
	depth := 0
	for at < len(data) {
		switch data[at] {
		case '"':
			_, _, end, err := String(data, at)
			if err != nil {
				return at, err
			}
			at = end
			continue
		case '{', '[':
			if depth++; depth > MaxDepth {
				return at, jsonvalue.ErrTooDeep
			}
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1, nil
			}
		}
		at++
	}
	return at, syntax(at)
}

func scalarEnd(data []byte, at int) int {
	for at < len(data) {
		switch data[at] {
		case ',', '}', ']', ':', '"', '{', '[', ' ', '\t', '\r', '\n':
			return at
		}
		at++
	}
	return at
}

// String returns what stands between the quotes of the string at at, whether
// it has escapes, and the place behind it.
func String(data []byte, at int) (raw []byte, escaped bool, end int, err error) {
	if at >= len(data) || data[at] != '"' {
		return nil, false, at, syntax(at)
	}
	at++
	for from := at; ; {
		i := bytes.IndexByte(data[from:], '"')
		if i < 0 {
			return nil, false, len(data), syntax(len(data))
		}
		from += i
		backslashes := 0
		for from-backslashes > at && data[from-backslashes-1] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			raw = data[at:from]
			return raw, bytes.IndexByte(raw, '\\') >= 0, from + 1, nil
		}
		from++
	}
}

// AppendString appends the text of the string at at, decoded, and returns the
// place behind it.
func AppendString(dst, data []byte, at int) (text []byte, end int, err error) {
	raw, escaped, end, err := String(data, at)
	if err != nil {
		return dst, end, err
	}
	if !escaped && utf8.Valid(raw) {
		return append(dst, raw...), end, nil
	}
	v, err := jsonvalue.Parse(data[at:end])
	if err != nil {
		return dst, end, err
	}
	s, _ := v.(string)
	return append(dst, s...), end, nil
}

// A Walk goes through the members of an object or the elements of an array. It
// does not enter them: Next must be told where each ends.
type Walk struct {
	data    []byte
	closing byte
	started bool
	scratch []byte
	// Key is the key of the member, decoded, valid until Next; Quote is its
	// place. Value is the place of the value.
	Key          []byte
	Quote, Value int
}

// Members returns a walk through the object at at, and Elements one through the
// array there.
func Members(data []byte, at int) Walk  { return Walk{data: data, closing: '}', Value: at} }
func Elements(data []byte, at int) Walk { return Walk{data: data, closing: ']', Value: at} }

// Next moves to the first value, or to the one behind the value that ends at
// end; what is given to the first call does not count. It returns false at the
// end, with the place behind it.
func (w *Walk) Next(end int) (more bool, after int, err error) {
	var at int
	if !w.started {
		w.started = true
		if at = Space(w.data, w.Value+1); at < len(w.data) && w.data[at] == w.closing {
			return false, at + 1, nil
		}
	} else if at, more, err = next(w.data, end, w.closing); err != nil || !more {
		return false, at, err
	}
	if w.closing == '}' {
		if at, err = w.key(at); err != nil {
			return false, at, err
		}
	}
	w.Value = Space(w.data, at)
	return true, 0, nil
}

// key reads the key at at and returns the place behind its colon.
func (w *Walk) key(at int) (int, error) {
	w.Quote = Space(w.data, at)
	key, escaped, end, err := String(w.data, w.Quote)
	if err != nil {
		return at, err
	}
	if w.Key = key; escaped {
		if w.scratch, _, err = AppendString(w.scratch[:0], w.data, w.Quote); err != nil {
			return at, err
		}
		w.Key = w.scratch
	}
	if at = Space(w.data, end); at >= len(w.data) || w.data[at] != ':' {
		return at, syntax(at)
	}
	return at + 1, nil
}

// next steps over the comma behind a value, and then more is true, or over the
// closing bracket.
func next(data []byte, at int, closing byte) (after int, more bool, err error) {
	at = Space(data, at)
	switch {
	case at < len(data) && data[at] == ',':
		return at + 1, true, nil
	case at < len(data) && data[at] == closing:
		return at + 1, false, nil
	}
	return at, false, syntax(at)
}
