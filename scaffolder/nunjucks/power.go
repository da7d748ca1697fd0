package nunjucks

import (
	"math"
	"math/big"
)

// power is JavaScript's **. Go's own loses the last bits, so where the result
// is not exact anyway it is computed with more of them and rounded once.
func power(x, y float64) float64 {
	if math.IsNaN(y) || (math.IsInf(y, 0) && math.Abs(x) == 1) {
		return math.NaN()
	}
	r := math.Pow(x, y)
	switch {
	case y == 0 || r == 0 || x == 1 || !finite(x) || !finite(y) || !finite(r):
		return r
	case r == math.Trunc(r) && math.Abs(r) < 1<<53 && x == math.Trunc(x) && y == math.Trunc(y):
		return r
	case y == math.Trunc(y) && math.Abs(y) <= 64:
		return wholePower(x, int(y))
	}
	f, _ := exp(new(big.Float).Mul(wide(y), ln(math.Abs(x)))).Float64()
	return math.Copysign(f, r)
}

// wholePower multiplies exactly.
func wholePower(x float64, y int) float64 {
	const precision = 53 * 64
	z := new(big.Float).SetPrec(precision).SetInt64(1)
	b := new(big.Float).SetPrec(precision).SetFloat64(x)
	n := max(y, -y)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			z.Mul(z, b)
		}
		b.Mul(b, b)
	}
	if y < 0 {
		z.Quo(wide(1), z)
	}
	f, _ := z.Float64()
	return f
}

// widePrecision is that of the logarithms below, in bits.
const widePrecision = 192

func wide(f float64) *big.Float { return new(big.Float).SetPrec(widePrecision).SetFloat64(f) }

// ln is the natural logarithm of f > 0: that of its mantissa, near 1, and
// that of its power of two.
func ln(f float64) *big.Float {
	m, e := math.Frexp(f)
	if m < 0.75 {
		m, e = 2*m, e-1
	}
	z := new(big.Float).Sub(wide(m), wide(1))
	l := atanh2(z.Quo(z, new(big.Float).Add(wide(m), wide(1))))
	return l.Add(l, new(big.Float).Mul(wide(float64(e)), ln2()))
}

func ln2() *big.Float { return atanh2(new(big.Float).Quo(wide(1), wide(3))) }

// atanh2 is twice the area hyperbolic tangent of a small z: 2(z + z³/3 + …).
func atanh2(z *big.Float) *big.Float {
	square := new(big.Float).Mul(z, z)
	sum, power := wide(0), new(big.Float).Set(z)
	for k := 1.0; k < 150; k += 2 {
		sum.Add(sum, new(big.Float).Quo(power, wide(k)))
		power.Mul(power, square)
	}
	return sum.Mul(sum, wide(2))
}

// exp is e^t: a power of two times the series for what is left.
func exp(t *big.Float) *big.Float {
	n, _ := new(big.Float).Quo(t, ln2()).Float64()
	n = math.Round(n)
	rest := new(big.Float).Sub(t, new(big.Float).Mul(wide(n), ln2()))
	sum, term := wide(1), wide(1)
	for k := 1.0; k < 50; k++ {
		term.Mul(term, new(big.Float).Quo(rest, wide(k)))
		sum.Add(sum, term)
	}
	return new(big.Float).SetMantExp(sum, int(n))
}
