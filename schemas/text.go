package schemas

import (
	"encoding/json"
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
		return strconv.FormatFloat(v, 'f', -1, 64)
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
