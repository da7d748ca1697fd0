package nunjucks

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// appendNumber writes f as JavaScript does: shortest digits that read back
// the same, with an exponent from 1e21 on and below 1e-6.
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case f == 0:
		return append(dst, '0')
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if i := int64(f); float64(i) == f && i > -1e15 && i < 1e15 {
		return strconv.AppendInt(dst, i, 10)
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	var buf [32]byte
	return append(dst, trimExponent(strconv.AppendFloat(buf[:0], f, 'e', -1, 64))...)
}

// trimExponent turns Go's two-digit exponent (e-07) into JavaScript's (e-7).
func trimExponent(b []byte) []byte {
	n := len(b)
	if n >= 4 && b[n-2] == '0' && (b[n-3] == '+' || b[n-3] == '-') {
		b[n-2] = b[n-1]
		return b[:n-1]
	}
	return b
}

func formatNumber(f float64) string {
	if i := int(f); float64(i) == f && i >= 0 && i < 10 {
		return singles['0'+i : '1'+i]
	}
	var buf [32]byte
	return string(appendNumber(buf[:0], f))
}

// parseNumber is what JavaScript's Number(s) does.
func parseNumber(s string) float64 {
	s = trim(s)
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' {
		base := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[s[1]]
		if base != 0 {
			return parseDigits(s[2:], base)
		}
	}
	if n := decimalPrefix(s); n == len(s) {
		return parseDecimal(s)
	}
	return math.NaN()
}

// parseFloat reads the longest decimal number that s begins with.
func parseFloat(s string) float64 {
	s = trimStart(s)
	n := decimalPrefix(s)
	if n == 0 {
		return math.NaN()
	}
	return parseDecimal(s[:n])
}

// parseDecimal reads what decimalPrefix has measured.
func parseDecimal(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64) // out of range is ±Inf, as wanted
	return f
}

// decimalPrefix returns how many bytes of s form a decimal number or Infinity.
func decimalPrefix(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if strings.HasPrefix(s[i:], "Infinity") {
		return i + len("Infinity")
	}
	whole := digits(s[i:])
	i += whole
	fraction := 0
	if i < len(s) && s[i] == '.' {
		fraction = digits(s[i+1:])
		if whole+fraction > 0 {
			i += 1 + fraction
		}
	}
	if whole+fraction == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if n := digits(s[j:]); n > 0 {
			i = j + n
		}
	}
	return i
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// parseInt reads the longest integer in this base that s begins with. Base 0
// means 10, or 16 after 0x.
func parseInt(s string, base int) float64 {
	s = trimStart(s)
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if (base == 0 || base == 16) && len(s) >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		s, base = s[2:], 16
	}
	if base == 0 {
		base = 10
	}
	if base < 2 || base > 36 {
		return math.NaN()
	}
	n := 0
	for n < len(s) && digitValue(s[n]) < base {
		n++
	}
	f := parseDigits(s[:n], base)
	if negative {
		return -f
	}
	return f
}

// parseDigits reads s, all of it, in this base; NaN if it is something else.
func parseDigits(s string, base int) float64 {
	if s == "" {
		return math.NaN()
	}
	for i := 0; i < len(s); i++ {
		if digitValue(s[i]) >= base {
			return math.NaN()
		}
	}
	if base == 10 {
		return parseDecimal(s)
	}
	if n, err := strconv.ParseUint(s, base, 53); err == nil {
		return float64(n)
	}
	s = strings.TrimLeft(s, "0")
	switch {
	case base&(base-1) != 0:
		return inexactDigits(s, base)
	case len(s) > 1100:
		return math.Inf(1)
	}
	n, ok := new(big.Int).SetString(s, base)
	if !ok {
		return math.NaN()
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f
}

// inexactDigits reads more digits than a double holds, in a base that is no
// power of two, as engines do: a few at a time, rounded after each.
func inexactDigits(s string, base int) float64 {
	const most = math.MaxUint32 / 36
	f := 0.0
	for s != "" {
		part, by := 0, 1
		for s != "" && by*base <= most {
			part = part*base + digitValue(s[0])
			by *= base
			s = s[1:]
		}
		f = float64(f*float64(by)) + float64(part)
	}
	return f
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 99
}

// roundHalfUp is Math.round: halves go towards +∞.
func roundHalfUp(f float64) float64 {
	floor := math.Floor(f)
	if f-floor >= 0.5 {
		floor++
	}
	return math.Copysign(floor, f)
}

// decimal returns all digits of f > 0 as d.ddd × 10^exp.
func decimal(f float64) (digits []byte, exp int) {
	all := strconv.FormatFloat(f, 'e', 800, 64)
	mark := strings.IndexByte(all, 'e')
	exp, _ = strconv.Atoi(all[mark+1:])
	return append([]byte{all[0]}, all[2:mark]...), exp
}

// exactDigits returns f > 0 as d.ddd × 10^exp with n digits, where halves are
// rounded up. Go rounds exact halves to even, so it is asked for all digits.
func exactDigits(f float64, n int) (digits []byte, exp int) {
	digits, exp = decimal(f)
	return roundDigits(digits, n, exp)
}

// roundDigits cuts decimal digits to n of them, which may be none or fewer.
func roundDigits(digits []byte, n, exp int) ([]byte, int) {
	if n < 0 {
		return nil, exp
	}
	up := digits[n] >= '5'
	digits = digits[:n]
	if !up {
		return digits, exp
	}
	for i := n - 1; i >= 0; i-- {
		if digits[i] != '9' {
			digits[i]++
			return digits, exp
		}
		digits[i] = '0'
	}
	return append([]byte{'1'}, digits...), exp + 1
}

// toFixed writes |f| < 1e21 with n digits after the point.
func toFixed(f float64, n int) string {
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	body := ""
	if f > 0 {
		all, exp := decimal(f)
		d, _ := roundDigits(all, exp+1+n, exp) // one more of them after a carry
		body = string(d)
	}
	if n > 0 {
		if len(body) <= n {
			body = strings.Repeat("0", n+1-len(body)) + body
		}
		body = body[:len(body)-n] + "." + body[len(body)-n:]
	}
	if body == "" {
		body = "0"
	}
	return sign + body
}

// toExponential writes f with n digits after the point, as many as needed if
// n is negative.
func toExponential(f float64, n int) string {
	if n < 0 {
		var buf [32]byte
		b := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
		return string(trimExponent(b))
	}
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	d, exp := []byte(strings.Repeat("0", n+1)), 0
	if f > 0 {
		d, exp = exactDigits(f, n+1)
		d = d[:n+1]
	}
	return sign + exponentForm(d, exp)
}

func exponentForm(d []byte, exp int) string {
	out := string(d[:1])
	if len(d) > 1 {
		out += "." + string(d[1:])
	}
	if exp < 0 {
		return out + "e-" + strconv.Itoa(-exp)
	}
	return out + "e+" + strconv.Itoa(exp)
}

// toPrecision writes f with n significant digits.
func toPrecision(f float64, n int) string {
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	d, exp := []byte(strings.Repeat("0", n)), 0
	if f > 0 {
		d, exp = exactDigits(f, n)
		d = d[:n]
	}
	switch {
	case exp < -6 || exp >= n:
		return sign + exponentForm(d, exp)
	case exp == n-1:
		return sign + string(d)
	case exp >= 0:
		return sign + string(d[:exp+1]) + "." + string(d[exp+1:])
	}
	return sign + "0." + strings.Repeat("0", -exp-1) + string(d)
}

const radixDigits = "0123456789abcdefghijklmnopqrstuvwxyz"

// toRadix writes a finite f in another base. The fraction has as many digits
// as tell f from its neighbours.
func toRadix(f float64, base int) string {
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	whole := math.Floor(f)
	rest := f - whole
	delta := max(0.5*(math.Nextafter(f, math.Inf(1))-f), math.SmallestNonzeroFloat64)
	if rest < delta {
		return sign + radixWhole(whole, base)
	}
	fraction := radixFraction(rest, delta, base)
	if fraction == nil { // rounded up to the next whole number
		return sign + radixWhole(whole+1, base)
	}
	return sign + radixWhole(whole, base) + "." + string(fraction)
}

// radixWhole writes a whole number. Digits far beyond what a double can hold
// are 0, those a little beyond are what is left when engines divide.
func radixWhole(f float64, base int) string {
	by := float64(base)
	zeros := 0
	for ; f/by >= 1<<53; zeros++ {
		f /= by
	}
	var out []byte
	for {
		digit := math.Mod(f, by)
		out = append(out, radixDigits[int(digit)])
		if f = (f - digit) / by; !(f > 0) {
			break
		}
	}
	slices.Reverse(out)
	return string(out) + strings.Repeat("0", zeros)
}

func radixFraction(rest, delta float64, base int) []byte {
	var out []byte
	for {
		rest *= float64(base)
		delta *= float64(base)
		digit := int(rest)
		out = append(out, radixDigits[digit])
		rest -= float64(digit)
		if rest > 0.5 || (rest == 0.5 && digit&1 == 1) {
			if rest+delta > 1 {
				return carry(out, base)
			}
		}
		if rest < delta {
			return out
		}
	}
}

// carry adds one to the last digit; nil if that reaches the point.
func carry(out []byte, base int) []byte {
	for i := len(out) - 1; i >= 0; i-- {
		if d := digitValue(out[i]) + 1; d < base {
			out[i] = radixDigits[d]
			return out[:i+1]
		}
	}
	return nil
}
