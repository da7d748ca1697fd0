package nunjucks

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// These methods depend on a locale or on Unicode's tables beyond case. The
// locale is American English, where the reference runs.

var localeStringMethods = []method{
	{name: "localeCompare", call: ofText(strLocaleCompare)},
	{name: "normalize", call: ofText(strNormalize)},
	{name: "toLocaleLowerCase", call: ofText(strLocaleLower)},
	{name: "toLocaleUpperCase", call: ofText(strLocaleUpper)},
}

// onlyEnglish refuses other locales and options, with which the result would
// not be what the template asks for.
func (rt *runtime) onlyEnglish(method string, args []Value) error {
	if len(args) == 0 || args[0].IsUndefined() && arg(args, 1).IsUndefined() {
		return nil
	}
	locale, err := rt.text(args[0])
	if err != nil {
		return err
	}
	if locale != "en" && locale != "en-US" || !arg(args, 1).IsUndefined() {
		return throw("%s knows no locale but en-US, and no options", method)
	}
	return nil
}

func strLocaleLower(rt *runtime, s string, args []Value) (Value, error) {
	if err := rt.onlyEnglish("toLocaleLowerCase", args); err != nil {
		return undefined, err
	}
	return strLower(rt, s, nil)
}

func strLocaleUpper(rt *runtime, s string, args []Value) (Value, error) {
	if err := rt.onlyEnglish("toLocaleUpperCase", args); err != nil {
		return undefined, err
	}
	return strUpper(rt, s, nil)
}

// collators are costly to make and serve one goroutine at a time.
var collators = sync.Pool{New: func() any { return collate.New(language.AmericanEnglish) }}

func strLocaleCompare(rt *runtime, s string, args []Value) (Value, error) {
	t, err := rt.text(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	if err := rt.onlyEnglish("localeCompare", args[min(1, len(args)):]); err != nil {
		return undefined, err
	}
	if err := rt.spend(1, len(s)+len(t)); err != nil {
		return undefined, err
	}
	c := collators.Get().(*collate.Collator)
	defer collators.Put(c)
	return integer(c.CompareString(s, t)), nil
}

var normalForms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

func strNormalize(rt *runtime, s string, args []Value) (Value, error) {
	name := "NFC"
	if v := arg(args, 0); v.kind != KindUndefined {
		var err error
		if name, err = rt.text(v); err != nil {
			return undefined, err
		}
	}
	form, ok := normalForms[name]
	if !ok {
		return undefined, throw("normalize knows NFC, NFD, NFKC and NFKD, not %q", name)
	}
	s = form.String(s)
	return str(s), rt.spend(1, len(s))
}

// numToLocaleString writes thousands apart and at most three digits after the
// point.
func numToLocaleString(rt *runtime, this Value, args []Value) (Value, error) {
	if err := rt.onlyEnglish("toLocaleString", args); err != nil {
		return undefined, err
	}
	f := this.num()
	sign := ""
	if math.Signbit(f) {
		sign = "-"
	}
	switch {
	case math.IsNaN(f):
		return str("NaN"), nil
	case math.IsInf(f, 0):
		return str(sign + "∞"), nil
	}
	return str(sign + grouped(math.Abs(f))), nil
}

// grouped rounds the shortest digits of f >= 0, halves up, and puts commas
// between groups of three.
func grouped(f float64) string {
	const places = 3
	digits := strconv.AppendFloat(nil, f, 'f', -1, 64)
	point := bytes.IndexByte(digits, '.')
	var fraction []byte
	if point < 0 {
		point = len(digits)
	} else {
		digits = append(digits[:point], digits[point+1:]...)
		if keep := point + places; len(digits) > keep {
			var carried int
			digits, carried = roundDigits(digits, keep, 0)
			point += carried
		}
		fraction = bytes.TrimRight(digits[point:], "0")
	}
	var out strings.Builder
	for i, d := range digits[:point] {
		if i > 0 && (point-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteByte(d)
	}
	if len(fraction) > 0 {
		out.WriteByte('.')
		out.Write(fraction)
	}
	return out.String()
}
