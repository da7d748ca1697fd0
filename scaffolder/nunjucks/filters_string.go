package nunjucks

import (
	"math"
	"strings"
)

func filterLower(rt *runtime, args []Value) (Value, error) {
	s, err := wantText(blank(arg(args, 0)))
	if err != nil {
		return undefined, err
	}
	return str(toLower(s)), rt.spend(1, len(s))
}

func filterUpper(rt *runtime, args []Value) (Value, error) {
	s, err := wantText(blank(arg(args, 0)))
	if err != nil {
		return undefined, err
	}
	return str(toUpper(s)), rt.spend(1, len(s))
}

// capitalize makes the first unit upper case and the rest lower case.
func capitalize(s string) string {
	if isASCII(s) {
		return capitalizeASCII(s, false)
	}
	s = toLower(s)
	if _, n := decode(s); n < 4 {
		return toUpper(s[:n]) + s[n:]
	}
	return s // half a pair has no case
}

// capitalizeASCII is capitalize for ASCII, of each word if all is set.
func capitalizeASCII(s string, all bool) string {
	out := []byte(s)
	first := true
	for i, c := range out {
		switch {
		case first && c >= 'a' && c <= 'z':
			out[i] = c - 'a' + 'A'
		case !first && c >= 'A' && c <= 'Z':
			out[i] = c - 'A' + 'a'
		}
		first = all && c == ' '
	}
	return string(out)
}

func filterCapitalize(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	return like(v, capitalize(s)), rt.spend(1, len(s))
}

func filterTitle(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	if isASCII(s) {
		return like(v, capitalizeASCII(s, true)), rt.spend(1, len(s))
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		words[i] = capitalize(w)
	}
	return like(v, strings.Join(words, " ")), rt.spend(1+len(words)/8, len(s))
}

func filterTrim(rt *runtime, args []Value) (Value, error) {
	s, err := wantText(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	return like(args[0], trim(s)), rt.spend(1, len(s))
}

func filterCenter(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	width := 80.0
	var err error
	if w := arg(args, 1); truthy(w) {
		if width, err = rt.number(w); err != nil {
			return undefined, err
		}
	}
	n, err := rt.lengthOf(v)
	if err != nil || n >= width {
		return v, err
	}
	s, err := rt.text(v)
	if err != nil {
		return undefined, err
	}
	spaces := width - n
	before, err := rt.spaces(spaces/2 - math.Mod(spaces, 2))
	if err != nil {
		return undefined, err
	}
	after, err := rt.spaces(spaces / 2)
	return like(v, before+s+after), err
}

// spaces returns n spaces, rounded up.
func (rt *runtime) spaces(n float64) (string, error) {
	if !(n > 0) {
		return "", nil
	}
	if err := rt.spend(1, int(min(n, math.MaxInt32))); err != nil {
		return "", err
	}
	return strings.Repeat(" ", int(math.Ceil(n))), nil
}

func filterIndent(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	if v.kind == KindString && v.str() == "" {
		return empty, nil
	}
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	width := 4.0
	if w := arg(args, 1); truthy(w) {
		if width, err = rt.number(w); err != nil {
			return undefined, err
		}
	}
	pad, err := rt.spaces(width)
	if err != nil {
		return undefined, err
	}
	if err := rt.spend(1, strings.Count(s, "\n")*len(pad)+len(s)); err != nil {
		return undefined, err
	}
	s = strings.ReplaceAll(s, "\n", "\n"+pad)
	if truthy(arg(args, 2)) {
		s = pad + s
	}
	return like(v, s), nil
}

func filterTruncate(rt *runtime, args []Value) (Value, error) {
	orig := arg(args, 0)
	v := blank(orig)
	limit := 255.0
	var err error
	if n := arg(args, 1); truthy(n) {
		if limit, err = rt.number(n); err != nil {
			return undefined, err
		}
	}
	n, err := rt.lengthOf(v)
	if err != nil || n <= limit {
		return v, err
	}
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	cut, search := 0, int(n)
	if !math.IsNaN(limit) {
		cut = int(max(0, min(limit, n)))
		search = cut
	}
	if !truthy(arg(args, 2)) {
		if i := lastIndexUnits(s, " ", search); i >= 0 {
			cut = i
		}
	}
	end := "..."
	if e := arg(args, 3); !e.IsNullish() {
		p, err := rt.add(empty, e)
		if err != nil {
			return undefined, err
		}
		end = p.str()
	}
	return like(orig, concat(slice(s, 0, cut), end)), rt.spend(1, len(s))
}

func filterWordcount(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	if !truthy(v) {
		return null, nil
	}
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	n, in := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		word := c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if word && !in {
			n++
		}
		in = word
	}
	if n == 0 {
		return null, nil
	}
	return integer(n), rt.spend(1, len(s))
}

func filterReplace(rt *runtime, args []Value) (Value, error) {
	v, old := arg(args, 0), arg(args, 1)
	switch {
	case old.kind == KindRegexp:
		s, err := wantText(v)
		if err != nil {
			return undefined, err
		}
		return rt.replacePattern(s, old.re(), arg(args, 2))
	case old.kind == KindNumber:
		old = str(formatNumber(old.num()))
	case old.kind != KindString:
		return v, nil
	}
	orig := v
	if v.kind == KindNumber {
		v = str(formatNumber(v.num()))
	}
	if !v.isText() {
		return v, nil
	}
	return rt.replaceLiteral(orig, v, old.str(), args)
}

// replaceLiteral replaces a string, at most as often as the fourth argument
// says. The replacement is added as it is, whatever it is.
func (rt *runtime) replaceLiteral(orig, v Value, old string, args []Value) (Value, error) {
	s := v.str()
	with, err := rt.add(empty, arg(args, 2))
	if err != nil {
		return undefined, err
	}
	if old == "" {
		return rt.replaceBetween(orig, s, arg(args, 2))
	}
	most := -1.0
	if m := arg(args, 3); m.kind != KindUndefined {
		if most, err = rt.number(m); err != nil {
			return undefined, err
		}
	}
	count := strings.Count(s, old)
	if count == 0 || most == 0 {
		return v, nil
	}
	switch {
	case math.IsNaN(most):
		return v, nil
	case most != -1:
		count = int(max(0, min(float64(count), math.Ceil(most))))
	}
	if err := rt.spend(1, len(s)+count*len(with.str())); err != nil {
		return undefined, err
	}
	return like(orig, strings.Replace(s, old, with.str(), count)), nil
}

// replaceBetween puts the replacement around every unit.
func (rt *runtime) replaceBetween(orig Value, s string, with Value) (Value, error) {
	u := units(s)
	sep, around := ",", ""
	p, err := rt.add(empty, with)
	if err != nil {
		return undefined, err
	}
	around = p.str()
	if with.kind != KindUndefined {
		sep = around
	}
	if err := rt.spend(1, len(u)*(len(sep)+1)); err != nil {
		return undefined, err
	}
	var out []byte
	for i, c := range u {
		if i > 0 {
			out = appendText(out, sep)
		}
		out = appendUnit(out, c)
	}
	return like(orig, around+string(out)+around), nil
}

func filterReverse(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	elems, err := rt.mapped(v)
	if err != nil {
		return undefined, err
	}
	out := make([]Value, len(elems))
	for i, e := range elems {
		out[len(out)-1-i] = e
	}
	if v.kind == KindString {
		s, err := rt.join(&array{elems: out}, "")
		return str(s), err
	}
	return rt.newArray(out)
}

// urlSafe are the bytes that encodeURIComponent leaves alone.
const urlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"

func encodeURIComponent(s string) (string, error) {
	if wellFormed(s) != s {
		return "", throw("URI malformed")
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c := s[i]; strings.IndexByte(urlSafe, c) >= 0 {
			out = append(out, c)
		} else {
			const hex = "0123456789ABCDEF"
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out), nil
}

func filterUrlencode(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	var pairs []Value
	switch v.kind {
	case KindString:
		s, err := encodeURIComponent(v.str())
		if err != nil {
			return undefined, err
		}
		return str(s), rt.spend(1, len(s))
	case KindArray:
		pairs = v.arr().elems
	case KindObject:
		keys, vals := v.obj().members()
		for i, k := range keys {
			pairs = append(pairs, pair(k, vals[i]))
		}
	case KindSafe:
		pairs = []Value{pair("val", str(v.str())), pair("length", integer(length(v.str())))}
	}
	var parts []string
	for _, p := range pairs {
		if p.IsNullish() {
			return undefined, throw("needs pairs of keys and values")
		}
		k, _ := rt.plainIndex(p, 0)
		val, _ := rt.plainIndex(p, 1)
		s, err := rt.encodePair(k, val)
		if err != nil {
			return undefined, err
		}
		parts = append(parts, s)
	}
	return str(strings.Join(parts, "&")), nil
}

func (rt *runtime) encodePair(k, v Value) (string, error) {
	var out [2]string
	for i, x := range [...]Value{k, v} {
		s, err := rt.text(x)
		if err != nil {
			return "", err
		}
		if out[i], err = encodeURIComponent(s); err != nil {
			return "", err
		}
	}
	s := out[0] + "=" + out[1]
	return s, rt.spend(1, len(s))
}
