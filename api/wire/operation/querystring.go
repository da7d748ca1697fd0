package operation

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxParameters is how many parameters of a query string are read; the rest is
// ignored.
const maxParameters = 1000

// maxIndex is the largest index of the form p[0]=a that still makes a list.
const maxIndex = 20

// A queryValue is one parameter with all its values, as they were repeated or
// written with brackets.
type queryValue struct {
	name   string
	values []string
	// list: written with brackets, or more than once.
	list bool
	// object: written with a bracket that is no index; brackets are then what
	// stood behind the name of each value.
	object   bool
	brackets []string

	indexes []int
}

// parseQuery reads a query string into parameters in order of their first
// appearance. The forms p=a&p=b, p[]=a and p[0]=a all make lists. What cannot
// be decoded is taken as it stands.
func parseQuery(raw string) []queryValue {
	var out []queryValue
	for count := 0; raw != "" && count < maxParameters; {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		count++
		key, value, _ := strings.Cut(part, "=")
		key = unescape(key)
		name, index, bracket := splitBracket(key)
		if name == "" {
			continue
		}
		i := slices.IndexFunc(out, func(q queryValue) bool { return q.name == name })
		if i < 0 {
			out = append(out, queryValue{name: name})
			i = len(out) - 1
		}
		out[i].add(unescape(value), index, bracket)
		out[i].brackets = append(out[i].brackets, key[len(name):])
	}
	for i := range out {
		out[i].sort()
	}
	return out
}

type bracketForm uint8

const (
	noBracket bracketForm = iota
	emptyBracket
	indexBracket
	otherBracket
)

// splitBracket splits p[0] into p and 0.
func splitBracket(key string) (name string, index int, form bracketForm) {
	open := strings.IndexByte(key, '[')
	if open <= 0 || !strings.Contains(key[open:], "]") {
		return key, 0, noBracket
	}
	name, inner := key[:open], key[open:]
	if inner == "[]" {
		return name, 0, emptyBracket
	}
	n, err := strconv.Atoi(inner[1 : len(inner)-1])
	if err != nil || n < 0 || n > maxIndex || inner[len(inner)-1] != ']' {
		return name, 0, otherBracket
	}
	return name, n, indexBracket
}

func (q *queryValue) add(value string, index int, form bracketForm) {
	q.list = q.list || form == emptyBracket || form == indexBracket || len(q.values) > 0
	q.object = q.object || form == otherBracket
	if form != indexBracket {
		index = len(q.values)
	}
	q.values = append(q.values, value)
	q.indexes = append(q.indexes, index)
}

// sort brings values with indexes into their order.
func (q *queryValue) sort() {
	if q.object || slices.IsSorted(q.indexes) {
		return
	}
	order := make([]int, len(q.values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return q.indexes[a] - q.indexes[b] })
	values := make([]string, len(order))
	for i, from := range order {
		values[i] = q.values[from]
	}
	q.values = values
}

func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return strings.ReplaceAll(s, "+", " ")
}
