package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newRequest has a body of that type, of a length that is announced or not.
func newRequest(body, contentType string, announced bool) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if !announced {
		r.ContentLength = -1
	}
	return r
}

func TestReadJSON(t *testing.T) {
	const limit = 40
	for _, tc := range []struct {
		name, body, contentType string
		want                    string // as JSON; "" if there is no JSON body
		err                     string // the name of the error
	}{
		{name: "an object", body: `{"a":[1]}`, contentType: "application/json", want: `{"a":[1]}`},
		{name: "an array", body: ` [ ] `, contentType: "application/json", want: `[]`},
		{name: "with parameters and in any case", body: `{}`, contentType: "Application/JSON ; charset=UTF-8", want: `{}`},
		{name: "up to the limit", body: `"` + strings.Repeat("x", limit-4) + `"`, contentType: "application/json", err: wire.NameSyntax},
		{name: "of the limit", body: `["` + strings.Repeat("x", limit-4) + `"]`, contentType: "application/json", want: `["` + strings.Repeat("x", limit-4) + `"]`},
		{name: "beyond it", body: `["` + strings.Repeat("x", limit-3) + `"]`, contentType: "application/json", err: wire.NamePayloadTooLarge},
		{name: "blanks beyond it", body: `[]` + strings.Repeat(" ", limit), contentType: "application/json", err: wire.NamePayloadTooLarge},
		{name: "of another type", body: `{}`, contentType: "text/plain"},
		{name: "of no type", body: `{}`},
		{name: "of a type that only begins so", body: `{}`, contentType: "application/json-patch+json"},
		{name: "a scalar", body: `null`, contentType: "application/json", err: wire.NameSyntax},
		{name: "a number", body: ` 5`, contentType: "application/json", err: wire.NameSyntax},
		{name: "no JSON", body: `{a}`, contentType: "application/json", err: wire.NameSyntax},
		{name: "half of it", body: `{"a":`, contentType: "application/json", err: wire.NameSyntax},
		{name: "two values", body: `{}{}`, contentType: "application/json", err: wire.NameSyntax},
		{name: "a byte order mark", body: "\ufeff{}", contentType: "application/json", err: wire.NameSyntax},
		{name: "no text", body: "\xff\xfe", contentType: "application/json", err: wire.NameSyntax},
		{name: "blanks alone", body: "  ", contentType: "application/json", err: wire.NameSyntax},
	} {
		for _, announced := range []bool{true, false} {
			t.Run(tc.name, func(t *testing.T) {
				v, ok, err := wire.ReadJSON(newRequest(tc.body, tc.contentType, announced), limit)
				if tc.err != "" {
					require.Error(t, err)
					assert.Equal(t, tc.err, catalog.ErrorName(err))
					assert.False(t, ok)
					assert.Nil(t, v)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, tc.want != "", ok)
				if ok {
					assert.JSONEq(t, tc.want, string(jsonvalue.Append(nil, v)))
				}
			})
		}
	}
}

func TestReadJSONWithoutABody(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/json")
	_, ok, err := wire.ReadJSON(r, 10)
	require.NoError(t, err)
	assert.False(t, ok, "no body at all")
	r.Header.Set("Content-Length", "0")
	v, ok, err := wire.ReadJSON(r, 10)
	require.NoError(t, err)
	assert.True(t, ok, "an empty one is announced")
	assert.Equal(t, jsonvalue.NewObject(), v)
	assert.True(t, wire.HasBody(r))
	r = newRequest("", "application/json", false)
	v, ok, err = wire.ReadJSON(r, 10)
	require.NoError(t, err)
	assert.True(t, ok, "one that turns out to be empty")
	assert.Equal(t, jsonvalue.NewObject(), v)
}

// A body that is announced larger than allowed is not read at all, and one that
// never ends is not read much further than the limit.
func TestBodiesAreNotReadBeyondTheLimit(t *testing.T) {
	r := newRequest("", "application/json", true)
	r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(errors.New("was read"))), 1<<40
	_, _, err := wire.ReadJSON(r, 1000)
	assert.ErrorIs(t, err, wire.ErrBodyTooLarge)

	endless := &countingReader{}
	r.Body, r.ContentLength = io.NopCloser(endless), -1
	_, _, err = wire.ReadJSON(r, 1000)
	assert.ErrorIs(t, err, wire.ErrBodyTooLarge)
	assert.Less(t, endless.n, 4000)
}

// countingReader gives blanks without end.
type countingReader struct{ n int }

func (r *countingReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	r.n += len(p)
	return len(p), nil
}

func TestBodiesThatBreakOff(t *testing.T) {
	for _, announced := range []int64{-1, 100} {
		r := newRequest("", "application/json", true)
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(io.ErrUnexpectedEOF))), announced
		_, _, err := wire.ReadJSON(r, 1000)
		assert.EqualError(t, err, "request body could not be read")
		assert.ErrorIs(t, err, catalog.ErrInput)
	}
	r := newRequest("", "application/json", true)
	r.Body, r.ContentLength = io.NopCloser(iotest.OneByteReader(strings.NewReader(`{"a":1}`))), 7
	v, ok, err := wire.ReadJSON(r, 1000)
	require.NoError(t, err, "bytes that come one by one")
	assert.True(t, ok)
	assert.Equal(t, `{"a":1}`, string(jsonvalue.Append(nil, v)))
}

func TestSyntaxErrorsQuoteLittle(t *testing.T) {
	for body, want := range map[string]string{
		`"x"`:                   `Unexpected token '"', ""x"" is not valid JSON`,
		` 12345678901234567890`: `Unexpected token '1', "12345678901234567890" is not valid JSON`,
		`123456789012345678901`: `Unexpected token '1', "1234567890"... is not valid JSON`,
		`ééééééééééééééééééééé`: `Unexpected token 'é', "éééééééééé"... is not valid JSON`,
	} {
		_, _, err := wire.ReadJSON(newRequest(body, "application/json", true), 100)
		assert.EqualError(t, err, want)
	}
	_, _, err := wire.ReadJSON(newRequest(`"secret`+strings.Repeat("é", 1000)+`"`, "application/json", true), 10_000)
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 120)
}

func TestParam(t *testing.T) {
	for raw, want := range map[string]string{"plain": "plain", "a%20b": "a b", "a+b": "a+b", "a%2Fb": "a/b", "%2520": "%20", "%C3%A9": "é", "": ""} {
		value, ok := wire.Param(&gin.Context{Params: gin.Params{{Key: "k", Value: raw}}}, "k")
		assert.True(t, ok, raw)
		assert.Equal(t, want, value)
	}
	for _, raw := range []string{"%", "%2", "%zz", "%ff", "%C3", "a%E2%82"} {
		_, ok := wire.Param(&gin.Context{Params: gin.Params{{Key: "k", Value: raw}}}, "k")
		assert.False(t, ok, raw)
	}
	value, ok := wire.Param(&gin.Context{}, "missing")
	assert.True(t, ok)
	assert.Empty(t, value)
}

func TestAppendJSON(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  string
	}{
		{[]byte(`{"as":"it is"}`), `{"as":"it is"}`}, {json.RawMessage(`[1]`), `[1]`}, {nil, `null`}, {true, `true`}, {1.5, `1.5`}, {"<&>\u2028", `"<&>` + "\u2028" + `"`},
		{[]any{1e21, "x"}, `[1e+21,"x"]`}, {wire.Obj("b", 1.0, "a", wire.Obj()), `{"b":1,"a":{}}`},
		{struct {
			A string `json:"a"`
			B []int  `json:"b"`
		}{"<&>", nil}, `{"a":"<&>","b":null}`},
		{map[string]int{"b": 1, "a": 2}, `{"a":2,"b":1}`}, {wire.Strings([]string{"x", "y"}), `["x","y"]`}, {wire.Strings(nil), `[]`},
	} {
		got, err := wire.AppendJSON([]byte("before "), tc.value)
		require.NoError(t, err)
		assert.Equal(t, "before "+tc.want, string(got))
	}
	got, err := wire.AppendJSON([]byte("before"), func() {})
	assert.Error(t, err)
	assert.Equal(t, "before", string(got), "what was there before stays")
}

func TestErrorsHaveTheirNames(t *testing.T) {
	for name, err := range map[string]error{
		catalog.NameInput: wire.InputError("m"), wire.NameAuthentication: wire.Unauthenticated("m"), catalog.NameNotAllowed: wire.NotAllowed("m"),
		catalog.NameNotFound: wire.NotFound("m"), wire.NamePayloadTooLarge: wire.ErrBodyTooLarge, wire.NameNotImplemented: wire.NotImplemented(),
	} {
		assert.Equal(t, name, catalog.ErrorName(err))
	}
	assert.Equal(t, wire.Status{Code: 200}, wire.OK())
	assert.Equal(t, wire.Status{Code: 204}, wire.NoContent())
	assert.Equal(t, wire.Status{Code: 201, Body: "x"}, wire.Created("x"))
	assert.Panics(t, func() { wire.Obj(1, 2) }, "a slip of ours")
}

// FuzzReadJSON: what is read is what JSON says, whatever the length that was
// announced.
func FuzzReadJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[]`, ``, ` `, `"x"`, `{`, "\xff", `[1,2`} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, announced bool) {
		const limit = 64
		r := newRequest(string(data), "application/json", announced)
		v, ok, err := wire.ReadJSON(r, limit)
		switch {
		case len(data) > limit:
			require.ErrorIs(t, err, wire.ErrBodyTooLarge)
		case err != nil:
			require.Equal(t, wire.NameSyntax, catalog.ErrorName(err))
			require.False(t, json.Valid(data) && (strings.TrimSpace(string(data))[0] == '{' || strings.TrimSpace(string(data))[0] == '['), "%q", data)
		case ok && len(data) > 0:
			want, err := jsonvalue.Parse(data)
			require.NoError(t, err)
			require.True(t, jsonvalue.Equal(want, v))
		}
	})
}
