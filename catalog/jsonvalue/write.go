package jsonvalue

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Append appends v as compact JSON, in the form of JavaScript's
// JSON.stringify, and returns the extended slice.
func Append(dst []byte, v any) []byte { return appendValue(dst, v, false) }

// AppendCanonical is Append with the keys of every object in ascending order
// of their bytes: equal values give equal bytes.
func AppendCanonical(dst []byte, v any) []byte { return appendValue(dst, v, true) }

// MarshalJSON makes an object usable with encoding/json; the order of its keys
// is kept.
func (o *Object) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	return Append(nil, o), nil
}

func appendValue(dst []byte, v any, sorted bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(dst, "null"...)
		}
		return AppendNumber(dst, v)
	case string:
		return AppendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, v[i], sorted)
		}
		return append(dst, ']')
	case *Object:
		return appendObject(dst, v, sorted)
	}
	return appendValue(dst, FromPlain(v), sorted)
}

func appendObject(dst []byte, o *Object, sorted bool) []byte {
	if o == nil {
		return append(dst, "null"...)
	}
	members := o.members
	switch {
	case !sorted:
		members = o.Members()
	case !slices.IsSortedFunc(members, byKey):
		members = slices.SortedFunc(slices.Values(members), byKey)
	}
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, m.Key)
		dst = append(dst, ':')
		dst = appendValue(dst, m.Value, sorted)
	}
	return append(dst, '}')
}

func byKey(a, b Member) int {
	switch {
	case a.Key < b.Key:
		return -1
	case a.Key > b.Key:
		return 1
	}
	return 0
}

// FormatNumber returns f as JavaScript converts a number to a string.
func FormatNumber(f float64) string { return string(AppendNumber(nil, f)) }

// AppendNumber appends f as JavaScript converts a number to a string: the
// shortest digits that read back, with an exponent only below 1e-6 and from
// 1e21 on.
func AppendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0')
	}
	if abs := math.Abs(f); abs >= 1e21 || abs < 1e-6 {
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		// JavaScript writes 1e-7 where Go writes 1e-07.
		if n := len(dst); n >= 4 && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
			dst = append(dst[:n-2], dst[n-1])
		}
		return dst
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string with JavaScript's escapes. Bytes
// that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscaped(dst, c)
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
