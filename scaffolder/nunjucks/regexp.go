package nunjucks

import (
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks/jsregexp"
)

// A pattern is a compiled regular expression literal.
type pattern struct {
	re            *jsregexp.Regexp
	source, flags string
}

func compilePattern(source, flags string) (*pattern, error) {
	re, err := jsregexp.Compile(source, flags)
	if err != nil {
		return nil, err
	}
	if source == "" {
		source = "(?:)"
	}
	return &pattern{re: re, source: strings.ReplaceAll(source, "\n", `\n`), flags: sortedFlags(flags)}, nil
}

// sortedFlags brings flags into the order in which JavaScript shows them.
func sortedFlags(flags string) string {
	out := ""
	for _, f := range "gimy" {
		if strings.ContainsRune(flags, f) {
			out += string(f)
		}
	}
	return out
}

func (p *pattern) global() bool { return strings.Contains(p.flags, "g") }
func (p *pattern) sticky() bool { return strings.Contains(p.flags, "y") }

// A regexpObject is what a Value of KindRegexp points to: a pattern, and where
// the next search with the flag g or y begins.
type regexpObject struct {
	*pattern
	lastIndex int
}

func (r *regexpObject) String() string { return "/" + r.source + "/" + r.flags }

func (r *regexpObject) property(name string) (Value, bool) {
	switch name {
	case "source":
		return str(r.source), true
	case "flags":
		return str(r.flags), true
	case "lastIndex":
		return integer(r.lastIndex), true
	case "global":
		return BoolValue(r.global()), true
	case "sticky":
		return BoolValue(r.sticky()), true
	case "ignoreCase":
		return BoolValue(strings.Contains(r.flags, "i")), true
	case "multiline":
		return BoolValue(strings.Contains(r.flags, "m")), true
	}
	return undefined, false
}

// find searches u from unit from on, within the time that a match may take.
func (rt *runtime) find(r *regexpObject, u []uint16, from int, sticky bool) ([]int, error) {
	var stop time.Time
	m, err := r.re.Find(u, from, sticky, func() error {
		if stop.IsZero() {
			stop = time.Now().Add(rt.limits.Regexp)
		} else if time.Now().After(stop) {
			return limitError("regexp", "regular expression takes too long")
		}
		return rt.spend(pollEvery, 0)
	})
	if err != nil {
		return nil, err
	}
	end := len(u)
	if m != nil {
		end = m[1]
	}
	return m, rt.spend(1+max(0, end-from)/256, 0)
}

// exec is RegExp.prototype.exec up to the result: where the match is.
func (rt *runtime) exec(r *regexpObject, u []uint16) ([]int, error) {
	stateful := r.global() || r.sticky()
	from := 0
	if stateful {
		from = r.lastIndex
	}
	if from > len(u) {
		r.lastIndex = 0
		return nil, nil
	}
	m, err := rt.find(r, u, from, r.sticky())
	if stateful {
		r.lastIndex = 0
		if m != nil {
			r.lastIndex = m[1]
		}
	}
	return m, err
}

// matches returns the first match, or with the flag g all of them.
func (rt *runtime) matches(r *regexpObject, u []uint16) ([][]int, error) {
	if !r.global() {
		m, err := rt.exec(r, u)
		if m == nil || err != nil {
			return nil, err
		}
		return [][]int{m}, nil
	}
	var all [][]int
	for at := 0; at <= len(u); {
		m, err := rt.find(r, u, at, r.sticky())
		if m == nil || err != nil {
			r.lastIndex = 0
			return all, err
		}
		if err := rt.spend(1, 16*len(m)); err != nil {
			return nil, err
		}
		all = append(all, m)
		if at = m[1]; m[0] == m[1] {
			at++
		}
	}
	r.lastIndex = 0
	return all, nil
}

// group returns the text of a group of a match, undefined if it took no part.
func group(u []uint16, m []int, i int) Value {
	if m[2*i] < 0 {
		return undefined
	}
	return str(fromUnits(u[m[2*i]:m[2*i+1]]))
}

var regexpMethods = []method{
	{name: "test", call: reTest},
	{name: "exec", call: reExec},
	{name: "toString", call: toText},
}

func reTest(rt *runtime, this Value, args []Value) (Value, error) {
	s, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	m, err := rt.exec(this.re(), units(s))
	return BoolValue(m != nil), err
}

func reExec(rt *runtime, this Value, args []Value) (Value, error) {
	s, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	u := units(s)
	m, err := rt.exec(this.re(), u)
	return rt.matchValue(this.re(), s, u, m), err
}

// matchValue is the result of exec: an array with named members.
func (rt *runtime) matchValue(r *regexpObject, s string, u []uint16, m []int) Value {
	if m == nil {
		return null
	}
	elems := make([]Value, len(m)/2)
	for i := range elems {
		elems[i] = group(u, m, i)
	}
	groups := undefined
	for i, name := range r.re.Names() {
		if name == "" {
			continue
		}
		if groups.kind == KindUndefined {
			groups = obj(newObject(1))
		}
		groups.obj().set(name, elems[i])
	}
	props := newObject(3)
	props.set("index", integer(m[0]))
	props.set("input", str(s))
	props.set("groups", groups)
	return arr(&array{elems: elems, props: props})
}
