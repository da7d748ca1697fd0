package yamltext

import (
	"math"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

const (
	// step is how far a level is indented.
	step = "  "
	// longestKey is how long a key may be to stand before its colon on one
	// line; YAML allows no more.
	longestKey = 1024
)

// Append appends v as one YAML document that ends in a line end, and returns
// the extended slice. Numbers that JSON does not have are .nan and .inf.
func Append(dst []byte, v any) []byte {
	dst = append(dst, node(v, place{start: -1})...)
	return append(dst, '\n')
}

// A place is where in the document a node is written.
type place struct {
	indent string
	// start is how much of the first line is taken before the node; -1 where
	// only the indentation is.
	start int
	// key: the node is a key, on one line.
	key bool
}

func node(v any, p place) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case float64:
		return number(v)
	case string:
		return text(v, p)
	case []any:
		return sequence(v, p)
	case *jsonvalue.Object:
		return mapping(v, p)
	}
	return node(jsonvalue.FromPlain(v), p)
}

func number(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	return jsonvalue.FormatNumber(f)
}

func sequence(list []any, p place) string {
	if len(list) == 0 {
		return "[]"
	}
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString("\n" + p.indent)
		}
		b.WriteString("- " + node(v, place{indent: p.indent + step, start: -1}))
	}
	return b.String()
}

func mapping(o *jsonvalue.Object, p place) string {
	if o.Len() == 0 {
		return "{}"
	}
	var b strings.Builder
	for key, v := range o.All() {
		if b.Len() > 0 {
			b.WriteString("\n" + p.indent)
		}
		b.WriteString(member(key, v, p.indent))
	}
	return b.String()
}

// member is one key of a mapping with its value.
func member(key string, v any, indent string) string {
	below := place{indent: indent + step, start: -1}
	k := text(key, place{indent: below.indent, start: -1, key: true})
	if units(k) > longestKey {
		return "? " + k + "\n" + indent + ": " + node(v, below)
	}
	k += ":"
	if isBlock(v) {
		return k + "\n" + below.indent + node(v, below)
	}
	below.start = units(k) + 1
	written := node(v, below)
	if strings.HasPrefix(written, "\n") {
		return k + written
	}
	return k + " " + written
}

// isBlock tells whether v is written on lines of its own, below its key.
func isBlock(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) > 0
	case *jsonvalue.Object:
		return v.Len() > 0
	case map[string]any:
		return len(v) > 0
	}
	return false
}
