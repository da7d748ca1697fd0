package query_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

func encode(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }

func pointer[T any](v T) *T { return &v }

func TestCursorOfTheReference(t *testing.T) {
	c, err := query.ParseCursor(encode(`{"orderFields":[{"field":"metadata.name","order":"desc"}],"isPrevious":true,"query":{"kind":"component"},
		"fullTextFilter":{"term":"","fields":["a"]},"orderFieldValues":["cart-api",null],"firstSortFieldValues":["admin-ui","u1"],"totalItems":3}`))
	require.NoError(t, err)
	require.Equal(t, &query.Order{Field: "metadata.name", Descending: true}, c.Order)
	require.True(t, c.Previous)
	require.Equal(t, []*string{pointer("cart-api"), nil}, c.Position)
	require.Equal(t, []*string{pointer("admin-ui"), pointer("u1")}, c.First)
	require.Equal(t, &query.Text{Fields: []string{"a"}}, c.Text)
	require.True(t, c.HasTotal)
	require.Equal(t, 3.0, c.Total)
	f, err := c.Filter()
	require.NoError(t, err)
	require.Equal(t, is("kind", "component"), f)

	again, err := query.ParseCursor(c.String())
	require.NoError(t, err)
	require.Equal(t, c, again)
}

// Clients decode a cursor with atob and look for a key "query".
func TestCursorText(t *testing.T) {
	c := query.Cursor{Position: []*string{pointer("u?>~")}}
	require.NotContains(t, c.String(), "-")
	require.NotContains(t, c.String(), "_")
	data, err := base64.StdEncoding.DecodeString(c.String())
	require.NoError(t, err)
	require.JSONEq(t, `{"orderFields":[],"isPrevious":false,"orderFieldValues":["u?>~"]}`, string(data))
	c.Query = jsonvalue.NewObject()
	data, err = base64.StdEncoding.DecodeString(c.String())
	require.NoError(t, err)
	require.Contains(t, string(data), `"query":{}`)
}

func TestCursorLegacyFilter(t *testing.T) {
	cursor := func(filter string) string {
		return encode(`{"orderFields":[],"orderFieldValues":["u"],"isPrevious":false,"query":{"a":"b"},"filter":` + filter + `}`)
	}
	for filter, want := range map[string]query.Filter{
		`{"key":"Kind"}`:                       query.Exists{Key: "kind"},
		`{"key":"kind","values":["API","x"]}`:  is("kind", "api", "x"),
		`{"not":{"key":"a"}}`:                  query.Not{Filter: query.Exists{Key: "a"}},
		`{"anyOf":[{"key":"a"},{"allOf":[]}]}`: query.Or{query.Exists{Key: "a"}, query.And{}},
	} {
		c, err := query.ParseCursor(cursor(filter))
		require.NoError(t, err)
		f, err := c.Filter()
		require.NoError(t, err)
		require.Equal(t, query.And{is("a", "b"), want}, f, filter)
	}
	deep := strings.Repeat(`{"not":`, 150) + `{"key":"a"}` + strings.Repeat(`}`, 150)
	for _, filter := range []string{`{}`, `{"key":1}`, `{"key":"a","values":"b"}`, `{"key":"a","values":[1]}`, `{"not":1}`, `{"anyOf":{}}`, `{"allOf":[1]}`, deep} {
		c, err := query.ParseCursor(cursor(filter))
		require.NoError(t, err)
		_, err = c.Filter()
		require.ErrorIs(t, err, catalog.ErrInput)
		require.ErrorContains(t, err, "Malformed cursor: ", filter)
	}
}

func TestMalformedCursors(t *testing.T) {
	const missing = "Malformed cursor: InputError: Malformed cursor: [\n  {\n    \"code\": \"invalid_type\",\n    \"expected\": \"array\",\n    \"received\": \"undefined\",\n    \"path\": [\n      \"orderFields\"\n    ],\n    \"message\": \"Required\"\n  },\n  {\n    \"code\": \"invalid_type\",\n    \"expected\": \"array\",\n    \"received\": \"undefined\",\n    \"path\": [\n      \"orderFieldValues\"\n    ],\n    \"message\": \"Required\"\n  },\n  {\n    \"code\": \"invalid_type\",\n    \"expected\": \"boolean\",\n    \"received\": \"undefined\",\n    \"path\": [\n      \"isPrevious\"\n    ],\n    \"message\": \"Required\"\n  }\n]"
	for _, tt := range []struct{ name, cursor, message string }{
		{"text", encode("not json"), `Malformed cursor: SyntaxError: Unexpected token 'o', "not json" is not valid JSON`},
		{"middle of a long text", encode("[1,2,3,4,5,6,7,8,9,10,x,11,12,13,14,15]"), `Malformed cursor: SyntaxError: Unexpected token 'x', ...",7,8,9,10,x,11,12,13"... is not valid JSON`},
		{"begin of a long text", encode("nothing at all that is json"), `Malformed cursor: SyntaxError: Unexpected token 'o', "nothing at "... is not valid JSON`},
		{"end of a long text", encode("[1,2,3,4,5,6,7,8,9,10,11,x]"), `Malformed cursor: SyntaxError: Unexpected token 'x', ..."8,9,10,11,x]" is not valid JSON`},
		{"half", encode(`{"a":`), "Malformed cursor: SyntaxError: Unexpected end of JSON input"},
		{"no base64 at all", "%%%", "Malformed cursor: SyntaxError: Unexpected end of JSON input"},
		{"empty object", encode("{}"), missing},
		{"list", encode("[]"), "Malformed cursor: "},
		{"null", encode("null"), "Malformed cursor: "},
		{"order without direction", encode(`{"orderFields":[{"field":"a"}],"orderFieldValues":[],"isPrevious":false}`), "Malformed cursor: "},
		{"bad direction", encode(`{"orderFields":[{"field":"a","order":"up"}],"orderFieldValues":[],"isPrevious":false}`), "Malformed cursor: "},
		{"order of numbers", encode(`{"orderFields":[1],"orderFieldValues":[],"isPrevious":false}`), "Malformed cursor: "},
		{"number as position", encode(`{"orderFields":[],"orderFieldValues":[1],"isPrevious":false}`), "Malformed cursor: "},
		{"query of text", encode(`{"orderFields":[],"orderFieldValues":[],"isPrevious":false,"query":"x"}`), "Malformed cursor: "},
		{"term of numbers", encode(`{"orderFields":[],"orderFieldValues":[],"isPrevious":false,"fullTextFilter":{"term":1,"fields":[2]}}`), "Malformed cursor: "},
		{"total of text", encode(`{"orderFields":[],"orderFieldValues":[],"isPrevious":false,"totalItems":"3"}`), "Malformed cursor: "},
		{"too long", strings.Repeat("A", 2<<20), "Malformed cursor: it is longer than 1048576 bytes"},
		{"empty", "", "Cursor cannot be empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := query.ParseCursor(tt.cursor)
			require.ErrorIs(t, err, catalog.ErrInput)
			if tt.message == "Malformed cursor: " {
				require.ErrorContains(t, err, tt.message)
				return
			}
			require.EqualError(t, err, tt.message)
		})
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(encode(`{"orderFields":[{"field":"a","order":"asc"}],"orderFieldValues":["x",null],"isPrevious":false,"query":{"$not":{"a":1}},"fullTextFilter":{"term":"x"}}`))
	f.Add(encode(`{"orderFields":[],"orderFieldValues":[],"isPrevious":true,"filter":{"anyOf":[{"key":"a","values":["b"]}]},"totalItems":1e300}`))
	f.Add("bm90IGpzb24=")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := query.ParseCursor(text)
		if err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
			return
		}
		again, err := query.ParseCursor(c.String())
		require.NoError(t, err)
		require.Equal(t, c.String(), again.String())
		if _, err := c.Filter(); err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
		}
	})
}

func TestPageToken(t *testing.T) {
	token := query.PageToken{Limit: pointer(2), Offset: pointer(2)}
	require.Equal(t, "eyJsaW1pdCI6Miwib2Zmc2V0IjoyfQ==", token.String())
	got, err := query.ParsePageToken(token.String())
	require.NoError(t, err)
	require.Equal(t, token, got)
	got, err = query.ParsePageToken(encode(`{}`))
	require.NoError(t, err)
	require.Equal(t, query.PageToken{}, got)
	got, err = query.ParsePageToken(encode(`{"limit":1e300,"offset":-5}`))
	require.NoError(t, err)
	require.Equal(t, query.PageToken{Limit: pointer(1<<31 - 1), Offset: pointer(0)}, got)
	for text, message := range map[string]string{
		"xyz":                     "Malformed after cursor, could not be parsed",
		encode(`[]`):              "Malformed after cursor, could not be parsed",
		encode(`{"limit":"1"}`):   "Malformed after cursor, limit was not an number",
		encode(`{"offset":null}`): "Malformed after cursor, offset was not an number",
	} {
		_, err := query.ParsePageToken(text)
		require.ErrorIs(t, err, catalog.ErrInput)
		require.EqualError(t, err, message)
	}
}

// A predicate is refused in known words, or means the same each time, in
// whatever order its keys are, and still does when a cursor has carried it.
func FuzzPredicate(f *testing.F) {
	f.Add([]byte(`{"$all":[{"a":{"$in":[1,"b"]}},{"$not":{"c":{"$exists":false}}}]}`))
	f.Add([]byte(`{"relations":{"$contains":{"type":"x","targetRef":{"$in":["y"]}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := jsonvalue.Parse(data)
		if err != nil {
			return
		}
		filter, err := query.ParsePredicate(v)
		if err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
		} else if o, ok := v.(*jsonvalue.Object); ok {
			key := query.AppendKey(nil, filter)
			c, err := query.ParseCursor((&query.Cursor{Position: []*string{}, Query: o}).String())
			require.NoError(t, err)
			carried, err := c.Filter()
			require.NoError(t, err)
			require.Equal(t, string(key), string(query.AppendKey(nil, carried)))
			members := slices.Clone(o.Members())
			slices.Reverse(members)
			turned, err := query.ParsePredicate(jsonvalue.NewObject(members...))
			require.NoError(t, err)
			require.Equal(t, sorted(key), sorted(query.AppendKey(nil, turned)))
		}
		if _, err := query.ParseLocationPredicate(v); err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
		}
	})
}

// sorted are the bytes of a key whatever the order of its parts.
func sorted(key []byte) string {
	slices.Sort(key)
	return string(key)
}

// What a filter parameter means can be said in every form of a cursor.
func FuzzFilter(f *testing.F) {
	f.Add("kind=api,kind", "a=b=c")
	f.Add(" = ", ",")
	f.Fuzz(func(t *testing.T, a, b string) {
		params := []string{a, b}
		want, err := query.ParseFilter(params)
		if err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
			return
		}
		legacy, err := query.LegacyFilter(params)
		require.NoError(t, err)
		c, err := query.ParseCursor((&query.Cursor{Position: []*string{}, Legacy: legacy}).String())
		require.NoError(t, err)
		got, err := c.Filter()
		require.NoError(t, err)
		require.Equal(t, query.AppendKey(nil, plain(got)), query.AppendKey(nil, plain(validUTF8(want))))
	})
}

// validUTF8 is what a filter becomes on its way through JSON.
func validUTF8(f query.Filter) query.Filter {
	fix := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	switch x := f.(type) {
	case query.And:
		for i := range x {
			x[i] = validUTF8(x[i])
		}
	case query.Or:
		for i := range x {
			x[i] = validUTF8(x[i])
		}
	case query.Exists:
		return query.Exists{Key: fix(x.Key)}
	case query.In:
		x.Key = fix(x.Key)
		for i := range x.Values {
			x.Values[i] = fix(x.Values[i])
		}
		return x
	}
	return f
}
