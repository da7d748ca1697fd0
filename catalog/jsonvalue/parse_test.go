package jsonvalue_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDepthIsBounded(t *testing.T) {
	for _, tc := range []struct{ open, inner, close string }{
		{`[`, `1`, `]`}, {`{"a":`, `1`, `}`}, {`[{"a":`, `null`, `}]`}, {`[`, ``, `]`},
	} {
		levels := strings.Count(tc.open, "[") + strings.Count(tc.open, "{")
		nested := func(n int) []byte {
			return []byte(strings.Repeat(tc.open, n/levels) + tc.inner + strings.Repeat(tc.close, n/levels))
		}
		_, err := jsonvalue.Parse(nested(jsonvalue.MaxDepth))
		assert.NoError(t, err, "%d levels of %s", jsonvalue.MaxDepth, tc.open)
		for _, n := range []int{jsonvalue.MaxDepth + 2, 1_000_000} {
			_, err = jsonvalue.Parse(nested(n))
			assert.ErrorIs(t, err, jsonvalue.ErrTooDeep, "%d levels of %s", n, tc.open)
		}
		_, err = jsonvalue.Parse([]byte(strings.Repeat(tc.open, 1_000_000)))
		assert.ErrorIs(t, err, jsonvalue.ErrTooDeep, "without an end")
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{``, "Unexpected end of JSON input"},
		{`{"a":1`, "Unexpected end of JSON input"},
		{`"abc`, "Unexpected end of JSON input"},
		{`"a\u12`, "Unexpected end of JSON input"},
		{`-`, "Unexpected end of JSON input"},
		{`[1,}`, "Unexpected token } in JSON at position 3"},
		{`{"a" 1}`, "Unexpected token 1 in JSON at position 5"},
		{`{"é":x}`, "Unexpected token x in JSON at position 6"},
		{`[😀]`, "Unexpected token 😀 in JSON at position 1"},
		{"\xff", "Unexpected token \uFFFD in JSON at position 0"},
		{`1 2`, "Unexpected token 2 in JSON at position 2"},
	} {
		_, err := jsonvalue.Parse([]byte(tc.text))
		assert.EqualError(t, err, tc.want, "%q", tc.text)
		if errors.Is(err, jsonvalue.ErrUnexpectedEnd) {
			continue
		}
		var syntax *jsonvalue.SyntaxError
		require.ErrorAs(t, err, &syntax)
	}
	for _, text := range []string{`[]`, `1`, `"{}"`, `null`} {
		_, err := jsonvalue.ParseObject([]byte(text))
		assert.EqualError(t, err, "not a JSON object", "%s", text)
	}
}

// Text of JavaScript is UTF-16; what is no Unicode cannot be told in UTF-8.
func TestTextThatIsNoUnicode(t *testing.T) {
	for text, want := range map[string]string{
		`"\ud800"`: `"�"`, `"\udc00"`: `"�"`, `"\ud800x"`: `"�x"`, `"\ud800\ud800"`: `"��"`, `"\ud800\u0041"`: `"�A"`, `"\udc00\ud800"`: `"��"`,
		"\"a\xffb\"": `"a�b"`, "\"\\n\xc3\"": `"\n�"`, "{\"\xff\":1}": `{"�":1}`,
	} {
		assert.Equal(t, want, print(parse(t, text)), "%q", text)
	}
	assert.Equal(t, `"a�b"`, string(jsonvalue.AppendString(nil, "a\xffb")), "also where it did not come from a text")
	assert.Equal(t, `"���"`, string(jsonvalue.AppendString(nil, "\xe2\x82�")))
}

// FuzzParse: what is read prints as JSON that reads as the same and prints as
// the same, and everybody else reads the same in it.
func FuzzParse(f *testing.F) {
	for _, text := range readRecorded(f).Texts {
		if len(text) == 2 || len(text[0]) > 4 {
			f.Add([]byte(text[0]))
		}
	}
	f.Add([]byte("{\"a\":[1.50,\"\\ud83d\\ude00\\ud800\xff\"],\"2\":{},\"1\":1e400}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := jsonvalue.Parse(data)
		if std := json.Valid(data); err != nil {
			require.True(t, !std || errors.Is(err, jsonvalue.ErrTooDeep), "%q is JSON: %v", data, err)
			return
		} else if !std {
			t.Fatalf("%q is not JSON", data)
		}
		text := jsonvalue.Append(nil, v)
		again, err := jsonvalue.Parse(text)
		require.NoError(t, err)
		require.Equal(t, string(text), print(again))
		require.True(t, jsonvalue.Equal(jsonvalue.FromPlain(jsonvalue.Plain(again)), again))
		require.Equal(t, string(jsonvalue.AppendCanonical(nil, again)), string(jsonvalue.AppendCanonical(nil, jsonvalue.FromPlain(jsonvalue.Plain(again)))))
		var plain any
		require.NoError(t, json.Unmarshal(text, &plain))
		require.Equal(t, plain, jsonvalue.Plain(again))
		require.True(t, jsonvalue.Equal(jsonvalue.Clone(again), again))
	})
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"\\\b\f\n\r\t\x00\x1f\x7f", "é😀\u2028", "\xff\xc3", "<>&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		require.NoError(t, json.Unmarshal(jsonvalue.AppendString(nil, s), &back))
		require.Equal(t, string([]rune(s)), back, "one for each bad byte")
	})
}

// The worst order of keys: a client decides it.
func BenchmarkParseReversedIndexes(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var text strings.Builder
			text.WriteString(`{"x":0`)
			for i := n; i > 0; i-- {
				fmt.Fprintf(&text, `,"%d":0`, i)
			}
			text.WriteByte('}')
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				v, err := jsonvalue.Parse([]byte(text.String()))
				if err != nil {
					b.Fatal(err)
				}
				if first := v.(*jsonvalue.Object).Members()[0].Key; first != "1" {
					b.Fatal(first)
				}
			}
		})
	}
}
