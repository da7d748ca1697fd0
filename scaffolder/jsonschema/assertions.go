package jsonschema

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

func (w *walker) typeOf(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	types, ok := s.Value("type").([]any)
	if !ok {
		types = []any{s.Value("type")}
	}
	names, texts := make([]any, len(types)), make([]string, len(types))
	for i, t := range types {
		if w.isType(v, t, at) {
			return
		}
		names[i] = typeName(t)
		if names[i] != nil {
			texts[i] = text(names[i])
		}
	}
	w.fail(v, s, at, "type", names, "is not of a type(s) "+strings.Join(texts, ","))
}

func typeName(t any) any {
	if o, ok := t.(*jsonvalue.Object); ok {
		if id := idOf(o); id != "" {
			return "<" + id + ">"
		}
	}
	if !truthy(t) {
		return nil
	}
	return text(t)
}

// isType tells whether a value is of a type, which may be a schema. Types that
// nobody knows hold every value.
func (w *walker) isType(v, t any, at place) bool {
	switch t := t.(type) {
	case *jsonvalue.Object:
		return w.passes(v, t, at)
	case string:
		return hasType(v, t)
	}
	return true
}

func hasType(v any, name string) bool {
	var ok bool
	switch name {
	case "string":
		_, ok = v.(string)
	case "number":
		_, ok = v.(float64)
	case "integer":
		var f float64
		f, ok = v.(float64)
		ok = ok && f == math.Trunc(f)
	case "boolean":
		_, ok = v.(bool)
	case "array":
		_, ok = v.([]any)
	case "object":
		_, ok = v.(*jsonvalue.Object)
	case "null":
		ok = v == nil
	case "date": // an object of JavaScript, which JSON never holds
	default:
		return true
	}
	return ok
}

func (w *walker) enum(v any, s *jsonvalue.Object, at place) {
	if isAbsent(v) {
		return
	}
	list, ok := s.Value("enum").([]any)
	if !ok {
		w.err = &SchemaError{"enum expects an array"}
		return
	}
	texts := make([]string, len(list))
	for i, one := range list {
		if jsonvalue.Equal(v, one) {
			return
		}
		texts[i] = text(one)
	}
	w.fail(v, s, at, "enum", list, "is not one of enum values: "+strings.Join(texts, ","))
}

func (w *walker) constant(v any, s *jsonvalue.Object, at place) {
	if want := s.Value("const"); !isAbsent(v) && !jsonvalue.Equal(v, want) {
		w.fail(v, s, at, "const", want, "does not exactly match expected constant: "+text(want))
	}
}

// number returns the argument of a keyword; without one that is a number every
// comparison with it is false.
func number(s *jsonvalue.Object, name string) float64 {
	if f, ok := s.Value(name).(float64); ok {
		return f
	}
	return math.NaN()
}

type check = func(w *walker, v any, s *jsonvalue.Object, at place)

func bound(name string) check {
	relation, exclusive, meets := "greater", "exclusiveMinimum", func(a, b float64) bool { return a >= b }
	if name == "maximum" {
		relation, exclusive, meets = "less", "exclusiveMaximum", func(a, b float64) bool { return a <= b }
	}
	return func(w *walker, v any, s *jsonvalue.Object, at place) {
		f, ok := v.(float64)
		limit := number(s, name)
		switch {
		case !ok:
		case s.Value(exclusive) == true: // draft 4
			if !meets(f, limit) || f == limit {
				w.fail(v, s, at, name, s.Value(name), "must be "+relation+" than "+text(s.Value(name)))
			}
		case !meets(f, limit):
			w.fail(v, s, at, name, s.Value(name), "must be "+relation+" than or equal to "+text(s.Value(name)))
		}
	}
}

func strictBound(name string) check {
	relation := "greater"
	if name == "exclusiveMaximum" {
		relation = "less"
	}
	return func(w *walker, v any, s *jsonvalue.Object, at place) {
		f, ok := v.(float64)
		if _, draft4 := s.Value(name).(bool); draft4 || !ok {
			return
		}
		limit := number(s, name)
		if relation == "greater" && f > limit || relation == "less" && f < limit {
			return
		}
		w.fail(v, s, at, name, s.Value(name), "must be strictly "+relation+" than "+text(s.Value(name)))
	}
}

func multiple(name string) check {
	message := "is not a multiple of (divisible by) "
	if name == "divisibleBy" {
		message = "is not divisible by (multiple of) "
	}
	return func(w *walker, v any, s *jsonvalue.Object, at place) {
		f, ok := v.(float64)
		if !ok {
			return
		}
		divisor := number(s, name)
		if divisor == 0 {
			w.err = &SchemaError{name + " cannot be zero"}
			return
		}
		// As whole numbers, so that 0.3 is a multiple of 0.1.
		scale := math.Pow(10, float64(max(decimals(f), decimals(divisor))))
		if math.Mod(math.Round(f*scale), math.Round(divisor*scale)) != 0 {
			w.fail(v, s, at, name, s.Value(name), message+quoteValue(s.Value(name)))
		}
	}
}

// decimals returns how many digits a number has behind the point.
func decimals(f float64) int {
	mantissa, exponent, _ := strings.Cut(jsonvalue.FormatNumber(f), "e-")
	n := 0
	for _, c := range exponent {
		n = n*10 + int(c-'0')
	}
	if _, fraction, ok := strings.Cut(mantissa, "."); ok {
		n += len(fraction)
	}
	return n
}

func textLength(name string) check {
	return func(w *walker, v any, s *jsonvalue.Object, at place) {
		if t, ok := v.(string); ok {
			w.count(v, s, at, name, utf8.RuneCountInString(t), "length")
		}
	}
}

func itemCount(name string) check {
	return func(w *walker, v any, s *jsonvalue.Object, at place) {
		if list, ok := v.([]any); ok {
			w.count(v, s, at, name, len(list), "length")
		}
	}
}

func propertyCount(name string) check {
	return func(w *walker, v any, s *jsonvalue.Object, at place) {
		if o, ok := v.(*jsonvalue.Object); ok {
			w.count(v, s, at, name, o.Len(), "property length")
		}
	}
}

func (w *walker) count(v any, s *jsonvalue.Object, at place, name string, n int, what string) {
	limit, extreme := number(s, name), "minimum"
	ok := float64(n) >= limit
	if strings.HasPrefix(name, "max") {
		extreme, ok = "maximum", float64(n) <= limit
	}
	if !ok {
		w.fail(v, s, at, name, s.Value(name), "does not meet "+extreme+" "+what+" of "+text(s.Value(name)))
	}
}

func (w *walker) uniqueItems(v any, s *jsonvalue.Object, at place) {
	list, ok := v.([]any)
	if !ok || s.Value("uniqueItems") != true {
		return
	}
	seen := make(map[string]bool, len(list))
	for _, x := range list {
		key := string(jsonvalue.AppendCanonical(nil, x))
		if seen[key] {
			w.fail(v, s, at, "uniqueItems", nil, "contains duplicate item")
			return
		}
		seen[key] = true
	}
}

func (w *walker) pattern(v any, s *jsonvalue.Object, at place) {
	t, ok := v.(string)
	if !ok {
		return
	}
	pattern := text(s.Value("pattern"))
	if !w.matches(pattern, t) && w.err == nil {
		w.fail(v, s, at, "pattern", s.Value("pattern"), "does not match pattern "+quote(pattern))
	}
}

func (w *walker) format(v any, s *jsonvalue.Object, at place) {
	t, ok := v.(string)
	if name := s.String("format"); ok && !hasFormat(t, name) {
		w.fail(v, s, at, "format", name, "does not conform to the "+quote(name)+" format")
	}
}
