package nunjucks

import "math"

// power is JavaScript's **. That is not always the double nearest to the true
// result: engines compute it by the method of the fdlibm library, and whoever
// prints all digits sees the difference. So it is done here in the same steps,
// as the exponential of y times the logarithm of x to base 2, which is held in
// two doubles. Each product is rounded before it is added to something, even
// where the processor could do without.
func power(x, y float64) float64 {
	switch {
	case math.IsNaN(y) || math.IsInf(y, 0) && math.Abs(x) == 1:
		return math.NaN()
	case y == 1 || y == -1 || y == 0 || x == 0 || x == 1 || math.IsNaN(x) || math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Pow(x, y)
	case y == 0.5:
		return math.Sqrt(x)
	case y == 2:
		return x * x
	}
	sign := 1.0
	if x < 0 {
		if y != math.Trunc(y) {
			return math.NaN()
		}
		if math.Mod(y, 2) != 0 {
			sign = -1
		}
		x = -x
	}
	if math.Abs(y) > 1<<64 && (x < 1-0x1p-20 || x >= 1+0x1p-20) || x == 1 {
		return sign * math.Pow(x, y) // 0, 1 or infinite, whatever the digits of x
	}
	var high, low float64
	if math.Abs(y) > 1<<31 && math.Abs(x-1) < 0x1p-20 {
		high, low = logNearOne(x)
	} else {
		high, low = log2(x)
	}
	y1 := upper(y)
	low = float64((y-y1)*high) + float64(y*low)
	high = float64(y1 * high)
	return sign * exp2(high, low)
}

// upper returns f without the lower half of its bits.
func upper(f float64) float64 {
	return math.Float64frombits(math.Float64bits(f) &^ math.MaxUint32)
}

// polynomial returns c[0] + t(c[1] + t(c[2] + …)).
func polynomial(t float64, c ...float64) float64 {
	sum := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		sum = c[i] + float64(t*sum)
	}
	return sum
}

// logNearOne is log2 of an x that differs little from 1, by its series.
func logNearOne(x float64) (high, low float64) {
	const (
		perLn     = 1.44269504088896338700 // 1/ln 2, then in two parts
		perLnHigh = 1.44269502162933349609
		perLnLow  = 1.92596299112661746887e-08
	)
	t := x - 1
	w := float64(t*t) * (0.5 - float64(t*(0.3333333333333333333333-float64(t*0.25))))
	u := float64(perLnHigh * t)
	v := float64(t*perLnLow) - float64(w*perLn)
	high = upper(u + v)
	return high, v - (high - u)
}

// log2 returns the logarithm of x > 0 to base 2 in two parts, the upper with
// 21 bits. It splits x into a power of two and a rest near 1 or 1.5, whose
// logarithm is known.
func log2(x float64) (high, low float64) {
	const (
		scale     = 9.61796693925975554329e-01 // 2/(3 ln 2), then in two parts
		scaleHigh = 9.61796700954437255859e-01
		scaleLow  = -7.02846165095275826516e-09
	)
	exponent := 0.0
	if x < 0x1p-1022 {
		x *= 1 << 53
		exponent = -53
	}
	word := uint32(math.Float64bits(x) >> 32)
	exponent += float64(int(word>>20) - 1023)
	mantissa := word & 0xFFFFF
	word = mantissa | 0x3FF00000
	near, knownHigh, knownLow, index := 1.0, 0.0, 0.0, uint32(0)
	switch {
	case mantissa > 0x3988E && mantissa < 0xBB67A: // between √1.5 and √3
		near, knownHigh, knownLow, index = 1.5, 5.84962487220764160156e-01, 1.35003920212974897128e-08, 1
	case mantissa >= 0xBB67A:
		exponent++
		word -= 0x00100000
	}
	x = math.Float64frombits(uint64(word)<<32 | math.Float64bits(x)&math.MaxUint32)

	// s = (x-near)/(x+near) in two parts, from a sum that is rounded likewise.
	u, v := x-near, 1/(x+near)
	s := float64(u * v)
	sHigh := upper(s)
	sum := math.Float64frombits(uint64((word>>1|0x20000000)+0x00080000+index<<18) << 32)
	rest := x - (sum - near)
	sLow := float64(v * ((u - float64(sHigh*sum)) - float64(sHigh*rest)))

	// 3 + s² + … in two parts, times s in two parts.
	square := float64(s * s)
	r := float64(square*square) * polynomial(square, 5.99999999999994648725e-01, 4.28571428578550184252e-01,
		3.33333329818377432918e-01, 2.72728123808534006489e-01, 2.30660745775561754067e-01, 2.06975017800338417784e-01)
	r += float64(sLow * (sHigh + s))
	square = float64(sHigh * sHigh)
	sum = upper(3 + square + r)
	rest = r - ((sum - 3) - square)
	u = float64(sHigh * sum)
	v = float64(sLow*sum) + float64(rest*s)
	p := upper(u + v)
	pLow := v - (p - u)
	z := float64(scaleHigh * p)
	zLow := float64(scaleLow*p) + float64(pLow*scale) + knownLow
	high = upper(z + zLow + knownHigh + exponent)
	return high, zLow - (((high - exponent) - knownHigh) - z)
}

// exp2 is two to the power of high + low.
func exp2(high, low float64) float64 {
	const (
		ln2     = 6.93147180559945286227e-01 // then in two parts
		ln2High = 6.93147182464599609375e-01
		ln2Low  = -1.90465429995776804525e-09
		// past is how far beyond the greatest exponent a result still rounds
		// to a finite one.
		past = 8.0085662595372944372e-17
	)
	z := low + high
	switch {
	case z >= 1024 && (z > 1024 || low+past > z-high):
		return math.Inf(1)
	case z <= -1075 && (z < -1075 || low <= z-high):
		return 0
	}
	whole := 0.0
	if math.Abs(z) > 0.5 {
		whole = math.Trunc(z + math.Copysign(0.5, z))
		high -= whole
	}
	t := upper(low + high)
	u := float64(t * ln2High)
	v := float64((low-(t-high))*ln2) + float64(t*ln2Low)
	z = u + v
	w := v - (z - u)
	t = float64(z * z)
	t1 := z - float64(t*polynomial(t, 1.66666666666666019037e-01, -2.77777777770155933842e-03,
		6.61375632143793436117e-05, -1.65339022054652515390e-06, 4.13813679705723846039e-08))
	// fdlibm subtracts the last term from the quotient, V8 from the divisor.
	r := float64(z*t1) / ((t1 - 2) - (w + float64(z*w)))
	return math.Ldexp(1-(r-z), int(whole))
}
