package jsonvalue_test

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded is what testdata/reference/json.mjs wrote: doubles as their bits and
// as text, and texts with what JSON.stringify makes of what JSON.parse reads,
// alone where it reads nothing.
type recorded struct {
	Numbers [][2]string
	Texts   [][]string
}

func readRecorded(t testing.TB) (r recorded) {
	t.Helper()
	raw, err := os.ReadFile("testdata/reference/json.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &r))
	require.Greater(t, len(r.Numbers), 300, "the file is whole")
	require.Greater(t, len(r.Texts), 5000, "the file is whole")
	return r
}

func TestNumbersAreWrittenLikeInJavaScript(t *testing.T) {
	for _, n := range readRecorded(t).Numbers {
		bits, err := strconv.ParseUint(n[0], 16, 64)
		require.NoError(t, err)
		f := math.Float64frombits(bits)
		assert.Equal(t, n[1], jsonvalue.FormatNumber(f))
		assert.Equal(t, "x"+n[1], string(jsonvalue.AppendNumber([]byte("x"), f)), "it appends")
		want := n[1]
		if math.IsNaN(f) || math.IsInf(f, 0) {
			want = "null"
		}
		assert.Equal(t, want, string(jsonvalue.Append(nil, f)), "in JSON")
	}
}

func TestTextsAreReadAndWrittenLikeInJavaScript(t *testing.T) {
	for _, text := range readRecorded(t).Texts {
		v, err := jsonvalue.Parse([]byte(text[0]))
		if len(text) == 1 {
			assert.Error(t, err, "%q is not JSON", text[0])
			continue
		}
		if assert.NoError(t, err, "%q is JSON", text[0]) {
			assert.Equal(t, text[1], string(jsonvalue.Append(nil, v)), "%q", text[0])
		}
	}
}
