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

// Members calls visit for every member of the object at at, with its key,
// decoded, and the place of its value; visit returns the place behind the
// value, or a negative one to end the walk. The key is valid until visit
// returns. Members returns the place behind the object, 0 after an ended walk.
func Members(data []byte, at int, visit func(key []byte, value int) (int, error)) (int, error) {
	var scratch [64]byte
	at = Space(data, at+1)
	if at < len(data) && data[at] == '}' {
		return at + 1, nil
	}
	for {
		key, escaped, end, err := String(data, Space(data, at))
		if err != nil {
			return at, err
		}
		if escaped {
			if key, _, err = AppendString(scratch[:0], data, Space(data, at)); err != nil {
				return at, err
			}
		}
		at = Space(data, end)
		if at >= len(data) || data[at] != ':' {
			return at, syntax(at)
		}
		if at, err = visit(key, Space(data, at+1)); err != nil || at < 0 {
			return 0, err
		}
		var more bool
		if at, more, err = next(data, at, '}'); err != nil || !more {
			return at, err
		}
	}
}

// Elements calls visit for every element of the array at at, like Members.
func Elements(data []byte, at int, visit func(value int) (int, error)) (int, error) {
	at = Space(data, at+1)
	if at < len(data) && data[at] == ']' {
		return at + 1, nil
	}
	for {
		var err error
		if at, err = visit(Space(data, at)); err != nil || at < 0 {
			return 0, err
		}
		var more bool
		if at, more, err = next(data, at, ']'); err != nil || !more {
			return at, err
		}
	}
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
