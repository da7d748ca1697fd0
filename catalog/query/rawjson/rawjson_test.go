package rawjson_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query/rawjson"
)

func TestSkip(t *testing.T) {
	for _, tt := range []struct{ text, value string }{
		{`1.5e3,`, `1.5e3`}, {`"a\"]\\",1`, `"a\"]\\"`}, {`{"a":[1,{"b":"}"}]} `, `{"a":[1,{"b":"}"}]}`}, {`[]]`, `[]`}, {`null}`, `null`},
	} {
		end, err := rawjson.Skip([]byte(tt.text), 0)
		require.NoError(t, err, tt.text)
		require.Equal(t, tt.value, tt.text[:end])
	}
	for _, text := range []string{``, `,`, `"a`, `"a\"`, `{"a":1`, `[`, `]`, `{"`} {
		_, err := rawjson.Skip([]byte(text), 0)
		require.ErrorIs(t, err, rawjson.ErrSyntax, text)
	}
	_, err := rawjson.Skip([]byte(strings.Repeat("[", rawjson.MaxDepth+1)), 0)
	require.ErrorIs(t, err, jsonvalue.ErrTooDeep)
}

func TestWalk(t *testing.T) {
	doc := []byte(` { "a" : 1 , "\u0062c" : [ 2 , "x" ] , "" : { } } rest`)
	_, at := rawjson.Begin(doc, 0)
	w := rawjson.Members(doc, at)
	var keys, values []string
	end := 0
	for {
		more, after, err := w.Next(end)
		require.NoError(t, err)
		if !more {
			require.Equal(t, " rest", string(doc[after:]))
			break
		}
		require.Equal(t, byte('"'), doc[w.Quote])
		end, err = rawjson.Skip(doc, w.Value)
		require.NoError(t, err)
		keys, values = append(keys, string(w.Key)), append(values, string(doc[w.Value:end]))
	}
	require.Equal(t, []string{"a", "bc", ""}, keys)
	require.Equal(t, []string{`1`, `[ 2 , "x" ]`, `{ }`}, values)
}

// What Skip steps over in valid JSON is one value, whatever stands behind it.
func FuzzSkip(f *testing.F) {
	f.Add([]byte(`{"a":["\\\"",{"b":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = rawjson.Skip(data, 0) // must end, and stay inside
		v, err := jsonvalue.Parse(data)
		if err != nil {
			return
		}
		text := jsonvalue.Append(nil, v)
		end, err := rawjson.Skip(append(text, ",1]"...), 0)
		require.NoError(t, err)
		require.Equal(t, len(text), end)
	})
}
