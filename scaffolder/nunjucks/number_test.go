package nunjucks_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Numbers come out to the last digit as in V8, the errors of its arithmetic
// included.
func TestNumbers(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"power that rounds right", "${{ 5 ** -11 }}", "2.048e-8"},
		{"power that rounds wrong", "${{ 2 ** 2.5 }}", "5.65685424949238"},
		{"power of a negative number", "${{ (0 - 5) ** 26 }}", "1490116119384765400"},
		{"root of a negative number", "${{ (0 - 2) ** 0.5 }}", "NaN"},
		{"root of minus infinity", "${{ (0 - 1 / 0) ** 0.5 }}", "Infinity"},
		{"power near one", "${{ 1.000000011298304 ** 1447996786.7868679 }}", "12735550.556441054"},
		{"power too large", "${{ 10 ** 309 }}", "Infinity"},
		{"power too small", "${{ 10 ** -324 }}", "0"},
		{"subnormal power", "${{ 2 ** -1074 }}", "5e-324"},
		{"one to the infinite", "${{ 1 ** (1 / 0) }}", "NaN"},
		{"radix of a fraction", "${{ (0.1).toString(3) }}", "0.0022002200220022002200220022002201"},
		{"radix beyond 53 bits", "${{ (2 ** 53 + 8) .toString(3) }}", "1121202011211211122211100012101211"},
		{"digits that are left of a division", "${{ (2 ** 71).toString(17) }}", "2e8f22029d483a0000"},
		{"exact half", "${{ (2.5).toFixed(0) }}${{ (0 - 2.5).toFixed(0) }}", "3-3"},
		{"half that is none", "${{ (1.005).toFixed(2) }}", "1.00"},
		{"more digits than a double has", "${{ '0g23456789abcdefg9' | int(0, 17) }}", "784851801775892600000"},
		{"thousands", "${{ (1234567.8915).toLocaleString() }}", "1,234,567.892"},
		{"carry into a group", "${{ (999.9995).toLocaleString('en-US') }}", "1,000"},
		{"infinite in words", "${{ (1 / 0).toLocaleString() }}", "∞"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := render(t, scaffolder(), c.source, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := render(t, scaffolder(), "${{ (1.5).toLocaleString('de') }}", nil)
	require.ErrorContains(t, err, "no locale but en-US")
}
