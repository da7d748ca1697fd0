package schemas

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// text writes a JSON value as JavaScript does where it needs a string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return number(v)
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return rational(r)
		}
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			if v[i] != nil {
				parts[i] = text(v[i])
			}
		}
		return strings.Join(parts, ",")
	}
	return "[object Object]"
}

// number writes a number as JavaScript does: with an exponent only where it
// would be long otherwise.
func number(f float64) string {
	if f == 0 {
		return "0" // also for -0
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	return digits + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
}
