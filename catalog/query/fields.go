package query

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query/rawjson"
)

// Bounds of a projection.
const (
	maxFields = 1_000
	// maxFieldIndex bounds the array index in a path, since what stands
	// before it becomes null.
	maxFieldIndex = 10_000
)

// A Projection selects parts of a document by dotted paths. A path is followed
// from object to object by the shortest of its beginnings that is a key there;
// through arrays by index. Paths mind the case.
type Projection struct{ paths []string }

// ParseFields reads lists of paths, each with commas between them. The result
// is nil if there is none: the document is meant as it is.
func ParseFields(params []string) (*Projection, error) {
	var paths []string
	for _, param := range params {
		for p := range strings.SplitSeq(param, ",") {
			if p = trim(p); p == "" || slices.Contains(paths, p) {
				continue
			}
			if strings.Contains(p, "[") {
				return nil, inputError(`Invalid field "` + p + `", array type fields are not supported`)
			}
			if paths = append(paths, p); len(paths) > maxFields {
				return nil, inputError("Invalid fields, there are more than " + strconv.Itoa(maxFields))
			}
		}
	}
	if paths == nil {
		return nil, nil
	}
	return &Projection{paths}, nil
}

// Append appends to dst what is selected of the document, a JSON object; what
// is not there is left out, and with nothing left it is {}. A nil Projection
// selects all. The error tells that the document is not JSON; dst is then
// returned as it was.
func (p *Projection) Append(dst, doc []byte) ([]byte, error) {
	if p == nil {
		return append(dst, doc...), nil
	}
	x := projector{doc: doc}
	start := len(dst)
	out, hit, err := x.value(dst, rawjson.Space(doc, 0), p.paths, 0)
	switch {
	case err != nil:
		return dst[:start], err
	case !hit:
		return append(dst[:start], "{}"...), nil
	}
	return out, nil
}

type projector struct{ doc []byte }

// A choice is what is selected of one member: the whole, or what the
// remaining paths lead to.
type choice struct {
	key, value int // places; the key's is that of its quote
	end        int // behind the value
	whole      bool
	rest       []string
}

// value appends what the paths select of the value at at, and tells whether
// that is anything.
func (x *projector) value(dst []byte, at int, paths []string, depth int) (out []byte, hit bool, err error) {
	if depth > rawjson.MaxDepth {
		return dst, false, jsonvalue.ErrTooDeep
	}
	c, at := rawjson.Begin(x.doc, at)
	switch c {
	case '{':
		return x.object(dst, at, paths, depth)
	case '[':
		return x.array(dst, at, paths, depth)
	}
	_, err = rawjson.Skip(x.doc, at)
	return dst, false, err
}

func (x *projector) object(dst []byte, at int, paths []string, depth int) ([]byte, bool, error) {
	var space [8]choice
	choices, err := x.choose(space[:0], at, paths)
	if err != nil {
		return dst, false, err
	}
	start := len(dst)
	dst = append(dst, '{')
	for _, c := range choices {
		mark := len(dst)
		if mark > start+1 {
			dst = append(dst, ',')
		}
		_, _, keyEnd, _ := rawjson.String(x.doc, c.key)
		dst = append(append(dst, x.doc[c.key:keyEnd]...), ':')
		if c.whole {
			dst = append(dst, x.doc[c.value:c.end]...)
			continue
		}
		var hit bool
		if dst, hit, err = x.value(dst, c.value, c.rest, depth+1); err != nil {
			return dst, false, err
		}
		if !hit {
			dst = dst[:mark]
		}
	}
	if len(dst) == start+1 {
		return dst[:start], false, nil
	}
	return append(dst, '}'), true, nil
}

// choose finds for each path the shortest of its beginnings that is a key of
// the object at at, and returns the members that are chosen, in their order.
func (x *projector) choose(choices []choice, at int, paths []string) ([]choice, error) {
	var space [16]int
	best := space[:0] // for each path the length of the key chosen so far, -1: none
	for range paths {
		best = append(best, -1)
	}
	open := len(paths) // paths for which a shorter key may come
	w := rawjson.Members(x.doc, at)
	for end := 0; open > 0; {
		more, _, err := w.Next(end)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if end, err = rawjson.Skip(x.doc, w.Value); err != nil {
			return nil, err
		}
		taken := false
		for i, p := range paths {
			n := len(w.Key)
			if best[i] >= 0 && best[i] <= n || !leads(p, w.Key) {
				continue
			}
			best[i], taken = n, true
			if strings.IndexByte(p[:n], '.') < 0 {
				open--
			}
		}
		if taken {
			choices = append(choices, choice{key: w.Quote, value: w.Value, end: end})
		}
	}
	return x.assign(choices, paths, best), nil
}

// leads tells whether the key is the beginning of the path up to a dot, or the
// whole path.
func leads(p string, key []byte) bool {
	n := len(key)
	return len(p) >= n && string(key) == p[:n] && (len(p) == n || p[n] == '.')
}

// assign gives each path to the member that was chosen for it in the end.
func (x *projector) assign(choices []choice, paths []string, best []int) []choice {
	kept := choices[:0]
	var scratch []byte
	for _, c := range choices {
		scratch, _, _ = rawjson.AppendString(scratch[:0], x.doc, c.key)
		for i, p := range paths {
			if best[i] != len(scratch) || p[:best[i]] != string(scratch) {
				continue
			}
			if len(p) == best[i] {
				c.whole = true
			} else {
				c.rest = append(c.rest, p[best[i]+1:])
			}
		}
		if c.whole || c.rest != nil {
			kept = append(kept, c)
		}
	}
	return kept
}

// array selects elements by index. Those before a selected one that are not
// selected become null.
func (x *projector) array(dst []byte, at int, paths []string, depth int) ([]byte, bool, error) {
	byIndex, last := indexes(paths)
	if last < 0 {
		_, err := rawjson.Skip(x.doc, at)
		return dst, false, err
	}
	start, written := len(dst), 0
	dst = append(dst, '[')
	w := rawjson.Elements(x.doc, at)
	for i, end := 0, 0; i <= last; i++ {
		more, _, err := w.Next(end)
		if err != nil {
			return dst[:start], false, err
		}
		if !more {
			break
		}
		if end, err = rawjson.Skip(x.doc, w.Value); err != nil {
			return dst[:start], false, err
		}
		if byIndex[i] == nil {
			continue
		}
		mark := len(dst)
		dst = appendGap(dst, written, i)
		hit := true
		if slices.Contains(byIndex[i], "") {
			dst = append(dst, x.doc[w.Value:end]...)
		} else if dst, hit, err = x.value(dst, w.Value, byIndex[i], depth+1); err != nil {
			return dst[:start], false, err
		}
		if hit {
			written = i + 1
		} else {
			dst = dst[:mark]
		}
	}
	if written == 0 {
		return dst[:start], false, nil
	}
	return append(dst, ']'), true, nil
}

// appendGap appends null for the elements that are missing between the next to
// be written and element i, and the commas before it.
func appendGap(dst []byte, written, i int) []byte {
	for j := written; j <= i; j++ {
		if j > 0 {
			dst = append(dst, ',')
		}
		if j < i {
			dst = append(dst, "null"...)
		}
	}
	return dst
}

// indexes sorts paths by the array index that they begin with; the rest of the
// path is "" where the element as a whole is meant.
func indexes(paths []string) (byIndex map[int][]string, last int) {
	last = -1
	for _, p := range paths {
		digits, rest, deeper := strings.Cut(p, ".")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 || n > maxFieldIndex || strconv.Itoa(n) != digits || deeper && rest == "" {
			continue
		}
		if byIndex == nil {
			byIndex = map[int][]string{}
		}
		byIndex[n] = append(byIndex[n], rest)
		last = max(last, n)
	}
	return byIndex, last
}
