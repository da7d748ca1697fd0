package nunjucks

import (
	"math"
	"strings"
)

var patternStringMethods = []method{
	{name: "match", call: ofText(strMatch)},
	{name: "matchAll", call: ofText(strMatchAll)},
	{name: "replace", call: ofText(strReplace)},
	{name: "replaceAll", call: ofText(strReplaceAll)},
	{name: "search", call: ofText(strSearch)},
	{name: "split", call: ofText(strSplit)},
}

// toRegexp returns v if it is a regular expression, else one made of its text.
func (rt *runtime) toRegexp(v Value, flags string) (*regexpObject, error) {
	if v.kind == KindRegexp {
		return v.re(), nil
	}
	source := ""
	if v.kind != KindUndefined {
		var err error
		if source, err = rt.text(v); err != nil {
			return nil, err
		}
	}
	p, err := compilePattern(source, flags)
	if err != nil {
		return nil, throw("%s", err)
	}
	return &regexpObject{pattern: p}, nil
}

func strMatch(rt *runtime, s string, args []Value) (Value, error) {
	r, err := rt.toRegexp(arg(args, 0), "")
	if err != nil {
		return undefined, err
	}
	u := units(s)
	if !r.global() {
		m, err := rt.exec(r, u)
		return rt.matchValue(r, s, u, m), err
	}
	all, err := rt.matches(r, u)
	if err != nil || len(all) == 0 {
		return null, err
	}
	out := make([]Value, len(all))
	for i, m := range all {
		out[i] = group(u, m, 0)
	}
	return rt.newArray(out)
}

func strMatchAll(rt *runtime, s string, args []Value) (Value, error) {
	if v := arg(args, 0); v.kind == KindRegexp && !v.re().global() {
		return undefined, throw("matchAll needs a regular expression with the flag g")
	}
	r, err := rt.toRegexp(arg(args, 0), "g")
	if err != nil {
		return undefined, err
	}
	u := units(s)
	all, err := rt.matches(&regexpObject{pattern: r.pattern}, u)
	if err != nil {
		return undefined, err
	}
	out := make([]Value, len(all))
	for i, m := range all {
		out[i] = rt.matchValue(r, s, u, m)
	}
	return rt.newIterator("RegExp String", out)
}

func strSearch(rt *runtime, s string, args []Value) (Value, error) {
	r, err := rt.toRegexp(arg(args, 0), "")
	if err != nil {
		return undefined, err
	}
	m, err := rt.find(r, units(s), 0, r.sticky())
	if m == nil {
		return integer(-1), err
	}
	return integer(m[0]), err
}

func strReplace(rt *runtime, s string, args []Value) (Value, error) {
	if v := arg(args, 0); v.kind == KindRegexp {
		return rt.replacePattern(s, v.re(), arg(args, 1))
	}
	return rt.replaceText(s, args, false)
}

func strReplaceAll(rt *runtime, s string, args []Value) (Value, error) {
	if v := arg(args, 0); v.kind == KindRegexp {
		if !v.re().global() {
			return undefined, throw("replaceAll needs a regular expression with the flag g")
		}
		return rt.replacePattern(s, v.re(), arg(args, 1))
	}
	return rt.replaceText(s, args, true)
}

// replaceText replaces the first or all occurrences of a string.
func (rt *runtime) replaceText(s string, args []Value, all bool) (Value, error) {
	old, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	if err := rt.scan(s, old); err != nil {
		return undefined, err
	}
	u, o := units(s), units(old)
	search := newSearch(o)
	var found [][]int
	for at := search.next(u, 0); at >= 0; at = search.next(u, at+max(1, len(o))) {
		found = append(found, []int{at, at + len(o)})
		if !all {
			break
		}
	}
	return rt.substitute(s, u, found, nil, arg(args, 1))
}

func (rt *runtime) replacePattern(s string, r *regexpObject, by Value) (Value, error) {
	u := units(s)
	found, err := rt.matches(r, u)
	if err != nil {
		return undefined, err
	}
	return rt.substitute(s, u, found, r.re.Names(), by)
}

// substitute puts the replacement where the matches are: a text with $
// patterns, or a function of the match, its groups, its place and the text.
func (rt *runtime) substitute(s string, u []uint16, found [][]int, names []string, by Value) (Value, error) {
	template := ""
	if by.kind != KindFunction {
		var err error
		if template, err = rt.text(by); err != nil {
			return undefined, err
		}
	}
	if len(found) == 0 {
		return str(s), nil
	}
	var out []byte
	last := 0
	for _, m := range found {
		out = appendText(out, fromUnits(u[last:m[0]]))
		with := template
		var err error
		if by.kind == KindFunction {
			with, err = rt.replacement(by, s, u, m)
		} else if strings.Contains(template, "$") {
			with = expand(template, u, m, names)
		}
		if err == nil {
			err = rt.spend(1, len(with))
		}
		if err != nil {
			return undefined, err
		}
		out = appendText(out, with)
		last = m[1]
	}
	out = appendText(out, fromUnits(u[last:]))
	return str(string(out)), rt.spend(0, len(out))
}

func (rt *runtime) replacement(by Value, s string, u []uint16, m []int) (string, error) {
	var args []Value
	for i := range len(m) / 2 {
		args = append(args, group(u, m, i))
	}
	v, err := rt.call(by, append(args, integer(m[0]), str(s)))
	if err != nil {
		return "", err
	}
	return rt.text(v)
}

// expand replaces $$, $&, $`, $', $n, $nn and $<name> in a replacement.
func expand(template string, u []uint16, m []int, names []string) string {
	var out []byte
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c != '$' || i+1 == len(template) {
			out = append(out, c)
			continue
		}
		rest := template[i+1:]
		text, n := "", 1
		switch {
		case rest[0] == '$':
			text = "$"
		case rest[0] == '&':
			text = fromUnits(u[m[0]:m[1]])
		case rest[0] == '`':
			text = fromUnits(u[:m[0]])
		case rest[0] == '\'':
			text = fromUnits(u[m[1]:])
		case rest[0] == '<':
			text, n = namedGroup(rest, u, m, names)
		default:
			text, n = numberedGroup(rest, u, m)
		}
		if n == 0 {
			out = append(out, c)
			continue
		}
		out = appendText(out, text)
		i += n
	}
	return string(out)
}

// numberedGroup reads one or two digits; n is 0 where no group has the number.
func numberedGroup(rest string, u []uint16, m []int) (text string, n int) {
	at := 0
	for k := 1; k <= 2 && k <= digits(rest); k++ {
		if g := parseInt(rest[:k], 10); g >= 1 && int(g) < len(m)/2 {
			at, n = int(g), k
		}
	}
	if n > 0 && m[2*at] >= 0 {
		text = fromUnits(u[m[2*at]:m[2*at+1]])
	}
	return text, n
}

func namedGroup(rest string, u []uint16, m []int, names []string) (text string, n int) {
	end := strings.IndexByte(rest, '>')
	named := false
	for _, name := range names {
		named = named || name != ""
	}
	if end < 0 || !named {
		return "", 0
	}
	for i, name := range names {
		if name == rest[1:end] && name != "" && m[2*i] >= 0 {
			text = fromUnits(u[m[2*i]:m[2*i+1]])
		}
	}
	return text, end + 1
}

func strSplit(rt *runtime, s string, args []Value) (Value, error) {
	limit := math.MaxUint32
	if v := arg(args, 1); v.kind != KindUndefined {
		f, err := rt.number(v)
		if err != nil {
			return undefined, err
		}
		limit = int(toUint32(f))
	}
	sep := arg(args, 0)
	var parts []Value
	var err error
	switch {
	case sep.kind == KindRegexp:
		parts, err = rt.splitPattern(units(s), sep.re(), limit)
	case sep.kind == KindUndefined:
		parts = []Value{str(s)}
	default:
		var by string
		if by, err = rt.text(sep); err == nil {
			parts, err = rt.splitText(s, by)
		}
	}
	if err != nil {
		return undefined, err
	}
	return rt.newArray(parts[:min(limit, len(parts))])
}

// toUint32 is JavaScript's conversion to an unsigned 32-bit number.
func toUint32(f float64) uint32 {
	if !finite(f) {
		return 0
	}
	return uint32(int64(math.Mod(math.Trunc(f), 1<<32)))
}

func (rt *runtime) splitText(s, by string) ([]Value, error) {
	if by == "" {
		u := units(s)
		out := make([]Value, len(u))
		for i, c := range u {
			out[i] = str(unitString(c))
		}
		return out, rt.spend(1, 24*len(u))
	}
	if n := strings.Count(s, by) + 1; isASCII(by) {
		out := make([]Value, 0, n)
		for {
			i := strings.Index(s, by)
			if i < 0 {
				return append(out, str(s)), rt.spend(1, 24*n)
			}
			out = append(out, str(s[:i]))
			s = s[i+len(by):]
		}
	}
	var out []Value
	u, v := units(s), units(by)
	search := newSearch(v)
	last := 0
	for at := search.next(u, 0); at >= 0; at = search.next(u, last) {
		out = append(out, str(fromUnits(u[last:at])))
		last = at + len(v)
	}
	return append(out, str(fromUnits(u[last:]))), rt.spend(1, 24*len(out))
}

// splitPattern splits at matches, which must not be empty at the end of a
// part. What groups capture goes between the parts.
func (rt *runtime) splitPattern(u []uint16, r *regexpObject, limit int) ([]Value, error) {
	var out []Value
	if limit == 0 {
		return nil, nil
	}
	if len(u) == 0 {
		if m, err := rt.find(r, u, 0, true); m != nil || err != nil {
			return nil, err
		}
		return []Value{empty}, nil
	}
	last, at := 0, 0
	for at < len(u) {
		m, err := rt.find(r, u, at, r.sticky())
		if err != nil {
			return nil, err
		}
		if m == nil && r.sticky() { // a sticky split tries every place
			at++
			continue
		}
		if m == nil || m[0] >= len(u) {
			break
		}
		if m[1] == last || m[1] == m[0] && m[0] == last {
			at = max(at, m[0]) + 1
			continue
		}
		out = append(out, str(fromUnits(u[last:m[0]])))
		for i := 1; i < len(m)/2; i++ {
			out = append(out, group(u, m, i))
		}
		if err := rt.spend(1, 24*len(m)); err != nil {
			return nil, err
		}
		if len(out) >= limit {
			return out, nil
		}
		last = m[1]
		if at = last; m[0] == m[1] {
			at++
		}
	}
	return append(out, str(fromUnits(u[last:]))), nil
}
