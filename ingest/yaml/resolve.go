package yaml

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// resolve returns the value of a scalar by its tag, or by its form when it is
// plain and has none.
func (p *parser) resolve(n node, pr props) any {
	if !pr.tagged {
		if n.style == stylePlain {
			return p.plainValue(n.text)
		}
		if n.style == styleNone {
			return nil
		}
		return n.text
	}
	if p.version11 {
		return n.text
	}
	v := plainCore(n.text)
	switch pr.tag {
	case coreTags + "null":
		if v == nil && n.style != styleNone && !isNotFinite(n.text) {
			return nil
		}
	case coreTags + "bool":
		if b, ok := v.(bool); ok {
			return b
		}
	case coreTags + "int":
		if f, ok := v.(float64); ok && !isFloat(n.text) {
			return f
		}
	case coreTags + "float":
		if f, ok := v.(float64); ok && isFloat(n.text) {
			return f
		}
		if isNotFinite(n.text) {
			return nil
		}
	}
	return n.text
}

func (p *parser) plainValue(s string) any {
	if p.version11 {
		return plain11(s)
	}
	return plainCore(s)
}

// plainCore resolves a plain scalar by the core schema.
func plainCore(s string) any {
	if s == "" {
		return nil
	}
	switch c := s[0]; {
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		return number(s)
	case len(s) > 5:
		return s
	}
	switch s {
	case "~", "null", "Null", "NULL":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	}
	return s
}

// number resolves a scalar that begins like a number; one that is none stays
// a string.
func number(s string) any {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'o') {
		return radix(s)
	}
	if isNotFinite(s) {
		return nil
	}
	if !isDecimal(s) {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return s
	}
	if math.IsInf(f, 0) {
		return nil
	}
	return f
}

func isNotFinite(s string) bool {
	switch strings.TrimLeft(s, "+-") {
	case ".inf", ".Inf", ".INF":
		return len(s) <= 5
	}
	return s == ".nan" || s == ".NaN" || s == ".NAN"
}

// isDecimal tells whether s is a decimal integer or float of the core schema:
// a sign, digits with a point among them or not, an exponent.
func isDecimal(s string) bool {
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	whole := digits(s)
	s = s[whole:]
	fraction := 0
	if s != "" && s[0] == '.' {
		fraction = digits(s[1:])
		s = s[1+fraction:]
	}
	if whole+fraction == 0 {
		return false
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return s != "" && digits(s) == len(s)
}

// isFloat tells a float from an integer among what isDecimal accepts.
func isFloat(s string) bool {
	return strings.ContainsAny(s, ".eE") && !strings.HasPrefix(s, "0x")
}

func digits(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// radix resolves 0x1F and 0o17.
func radix(s string) any {
	base := 8
	if s[1] == 'x' {
		base = 16
	}
	if strings.ContainsAny(s[2:], "_+-") {
		return s
	}
	if n, err := strconv.ParseUint(s[2:], base, 53); err == nil {
		return float64(n)
	}
	if len(s) > 400 {
		return s
	}
	n, ok := new(big.Int).SetString(s[2:], base)
	if !ok {
		return s
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	if math.IsInf(f, 0) {
		return nil
	}
	return f
}

// plain11 resolves a plain scalar of a %YAML 1.1 document: the booleans and
// numbers that differ.
func plain11(s string) any {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
		return true
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return false
	}
	if s == "" || !strings.ContainsAny(s[:1], "+-.0123456789") {
		return plainCore(s)
	}
	t := strings.ReplaceAll(s, "_", "")
	if n, ok := integer11(t); ok {
		return n
	}
	if strings.HasPrefix(t, "0o") || t == "" {
		return s
	}
	if f, ok := number(t).(float64); ok {
		return f
	}
	if isNotFinite(s) {
		return nil
	}
	return s
}

// integer11 reads 0b11, 0x1F and octal 017, with a sign or without.
func integer11(s string) (any, bool) {
	sign, t := 1.0, s
	if t != "" && (t[0] == '-' || t[0] == '+') {
		if t[0] == '-' {
			sign = -1
		}
		t = t[1:]
	}
	base := 0
	switch {
	case strings.HasPrefix(t, "0b"):
		base, t = 2, t[2:]
	case strings.HasPrefix(t, "0x"):
		base, t = 16, t[2:]
	case len(t) > 1 && t[0] == '0' && digits(t) == len(t):
		base, t = 8, t[1:]
	}
	if base == 0 {
		return nil, false
	}
	n, err := strconv.ParseUint(t, base, 64)
	return sign * float64(n), err == nil
}
