package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

func is(key string, values ...string) query.Filter { return query.In{Key: key, Values: values} }

func TestParseFilter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		params []string
		want   query.Filter
	}{
		{"nothing", nil, nil},
		{"value", []string{"kind=component"}, is("kind", "component")},
		{"case is folded", []string{"Kind=COMPONENT"}, is("kind", "component")},
		{"key alone", []string{"metadata.tags"}, query.Exists{Key: "metadata.tags"}},
		{"empty value", []string{"kind="}, is("kind", "")},
		{"different keys are joined", []string{"kind=api,spec.type=grpc"}, query.And{is("kind", "api"), is("spec.type", "grpc")}},
		{"one key is a choice", []string{"kind=api,kind=component"}, is("kind", "api", "component")},
		{"values win over the key alone", []string{"kind,kind=api,kind"}, is("kind", "api")},
		{"keys are told apart with their case", []string{"kind=api,KIND=component"}, query.And{is("kind", "api"), is("kind", "component")}},
		{"several parameters are a choice", []string{"kind=api", "kind=user,spec.x"}, query.Or{is("kind", "api"), query.And{is("kind", "user"), query.Exists{Key: "spec.x"}}}},
		{"space is trimmed", []string{" kind = my component ,, "}, is("kind", "my component")},
		{"only the first = splits", []string{"a=b=c"}, is("a", "b=c")},
		{"empty sets are dropped", []string{",", "kind=api", " , "}, is("kind", "api")},
		{"nothing but empty sets", []string{",", ""}, nil},
		{"wide letters", []string{"spec.x=ÜNÏ"}, is("spec.x", "ünï")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := query.ParseFilter(tt.params)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)

			// What cursors hold means the same.
			p, ok, err := query.FilterPredicate(tt.params)
			require.NoError(t, err)
			require.True(t, ok)
			c := query.Cursor{Query: p}
			again, err := c.Filter()
			require.NoError(t, err)
			require.Equal(t, plain(tt.want), plain(again))

			legacy, err := query.LegacyFilter(tt.params)
			require.NoError(t, err)
			c = query.Cursor{Legacy: legacy}
			again, err = c.Filter()
			require.NoError(t, err)
			require.Equal(t, plain(tt.want), plain(again))
		})
	}
}

// plain takes away And and Or of a single filter.
func plain(f query.Filter) query.Filter {
	switch x := f.(type) {
	case query.And:
		if len(x) == 1 {
			return plain(x[0])
		}
		out := make(query.And, len(x))
		for i := range x {
			out[i] = plain(x[i])
		}
		return out
	case query.Or:
		if len(x) == 1 {
			return plain(x[0])
		}
		out := make(query.Or, len(x))
		for i := range x {
			out[i] = plain(x[i])
		}
		return out
	}
	return f
}

func TestParseFilterRefuses(t *testing.T) {
	for _, tt := range []struct{ param, message string }{
		{"=a", "Invalid filter, '=a' is not a valid statement (expected a string on the form a=b or a= or a)"},
		{"kind=api, = x ", "Invalid filter, '= x' is not a valid statement (expected a string on the form a=b or a= or a)"},
		{strings.Repeat("a,", 60_000), "Invalid filter, it has more than 50000 terms"},
	} {
		_, err := query.ParseFilter([]string{tt.param})
		require.ErrorIs(t, err, catalog.ErrInput)
		require.EqualError(t, err, tt.message)
	}
}

func TestFilterPredicateOfOperators(t *testing.T) {
	_, ok, err := query.FilterPredicate([]string{"$all=x"})
	require.NoError(t, err)
	require.False(t, ok, "a key that looks like an operator cannot be said in a predicate")
}

func parse(t testing.TB, text string) any {
	v, err := jsonvalue.Parse([]byte(text))
	require.NoError(t, err)
	return v
}

func TestParsePredicate(t *testing.T) {
	for _, tt := range []struct {
		predicate string
		want      query.Filter
	}{
		{`{}`, query.And{}},
		{`{"kind":"Component"}`, is("kind", "component")},
		{`{"Kind":7}`, is("kind", "7")},
		{`{"a":1e21,"b":true}`, query.And{is("a", "1e+21"), is("b", "true")}},
		{`{"$all":[]}`, query.And{}},
		{`{"$any":[]}`, query.Or{}},
		{`{"$not":{}}`, query.Not{Filter: query.And{}}},
		{`{"$any":[{"a":"x"},{"$not":{"b":"y"}}]}`, query.Or{is("a", "x"), query.Not{Filter: is("b", "y")}}},
		{`{"a":{"$exists":true}}`, query.Exists{Key: "a"}},
		{`{"a":{"$exists":false}}`, query.Not{Filter: query.Exists{Key: "a"}}},
		{`{"a":{"$in":["X",2,false]}}`, is("a", "x", "2", "false")},
		{`{"a":{"$in":[]}}`, query.In{Key: "a", Values: []string{}}},
		{`{"a":{"$hasPrefix":"Pay%_"}}`, query.HasPrefix{Key: "a", Prefix: "pay%_"}},
		{`{"a":{"$contains":"Go"}}`, is("a", "go")},
		{`{"a":{"$hasPrefix":"x","$in":["y"],"surplus":1}}`, is("a", "y")},
		{`{"a":{"$in":["y"],"$exists":true}}`, query.Exists{Key: "a"}},
		{`{"relations":{"$contains":{"type":"ownedBy"}}}`, query.Exists{Key: "relations.ownedby"}},
		{`{"Relations":{"$contains":{"TYPE":"ownedBy","TargetRef":"Group:default/A"}}}`, is("relations.ownedby", "group:default/a")},
		{`{"relations":{"$contains":{"type":"ownedBy","targetRef":{"$in":["A","b"]}}}}`, is("relations.ownedby", "a", "b")},
		{`{"relations":"x"}`, is("relations", "x")},
	} {
		t.Run(tt.predicate, func(t *testing.T) {
			got, err := query.ParsePredicate(parse(t, tt.predicate))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	f, err := query.ParsePredicate(nil)
	require.NoError(t, err)
	require.Equal(t, query.All{}, f)
}

const wrapValue = `Invalid filter predicate: top-level primitive values are not supported. Wrap the value in a field expression, e.g. { "kind": "component" }`

func TestParsePredicateRefuses(t *testing.T) {
	nested := strings.Repeat(`{"$not":`, 200) + `{}` + strings.Repeat(`}`, 200)
	for _, tt := range []struct{ name, predicate, message string }{
		{"unknown operator", `{"$bogus":1}`, `Invalid query: Validation error: Invalid at "$bogus"`},
		{"unknown operator on a value", `{"kind":{"$bogus":1}}`, `Invalid query: Validation error: Expected string, received object at "kind", or Expected number, received object at "kind", or Expected boolean, received object at "kind", or Required at "kind.$exists", or Required at "kind.$in", or Required at "kind.$contains", or Required at "kind.$hasPrefix", or Invalid at "kind"; Expected never, received object at "kind", or Expected string, received object, or Expected number, received object, or Expected boolean, received object, or Required at "$all"; Unrecognized key(s) in object: 'kind', or Required at "$any"; Unrecognized key(s) in object: 'kind', or Required at "$not"; Unrecognized key(s) in object: 'kind'`},
		{"null", `{"kind":null}`, `Invalid query: Validation error: Expected string, received null at "kind", or Expected number, received null at "kind", or Expected boolean, received null at "kind", or Expected object, received null at "kind", or Invalid at "kind"; Expected never, received null at "kind", or Expected string, received object, or Expected number, received object, or Expected boolean, received object, or Required at "$all"; Unrecognized key(s) in object: 'kind', or Required at "$any"; Unrecognized key(s) in object: 'kind', or Required at "$not"; Unrecognized key(s) in object: 'kind'`},
		{"text", `"kind"`, wrapValue},
		{"text inside", `{"$any":[{"a":"b"},"kind"]}`, wrapValue},
		{"number after not", `{"$not":1}`, wrapValue},
		{"list", `[]`, "Invalid query: "},
		{"operator beside a key", `{"$all":[],"kind":"a"}`, `Invalid query: Validation error: Invalid at "$all"`},
		{"operator without a list", `{"$all":{}}`, `Invalid query: Validation error: Expected array, received object at "$all"`},
		{"null in a list", `{"a":{"$in":[null]}}`, "Invalid query: "},
		{"exists of text", `{"a":{"$exists":"true"}}`, "Invalid query: "},
		{"prefix of a number", `{"a":{"$hasPrefix":1}}`, "Invalid query: "},
		{"list as a value", `{"a":["b"]}`, "Invalid query: "},
		{"object form elsewhere", `{"Spec.x":{"$contains":{"type":"a"}}}`, `Object form of $contains is not supported for field "Spec.x"`},
		{"relation without a type", `{"relations":{"$contains":{"targetRef":"a"}}}`, `The $contains operator for "relations" requires a "type" string property`},
		{"relation of a type that is none", `{"relations":{"$contains":{"type":1}}}`, `The $contains operator for "relations" requires a "type" string property`},
		{"relation with more", `{"relations":{"$contains":{"type":"a","other":"b"}}}`, `Unsupported key "other" in $contains for "relations". Only "type" and "targetRef" are supported`},
		{"relation to nobody", `{"relations":{"$contains":{"type":"a","targetRef":{"$in":[]}}}}`, `Empty "$in" array for $contains on "relations" is not allowed`},
		{"too deep", nested, "Invalid query: nested deeper than 100 operators"},
		{"too many", `{"a":{"$in":[` + strings.Repeat(`"x",`, 50_000) + `"x"]}}`, "Invalid filter, it has more than 50000 terms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := query.ParsePredicate(parse(t, tt.predicate))
			require.ErrorIs(t, err, catalog.ErrInput)
			if strings.HasSuffix(tt.message, ": ") {
				require.ErrorContains(t, err, tt.message)
				return
			}
			require.EqualError(t, err, tt.message)
		})
	}
}

func TestLower(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "abc": "abc", "aBC": "abc", "ÄÖ": "äö", "İx": "i\u0307x", "ΣΑΣ ΣΑ": "σας σα", "Σ": "σ", "ẞ": "ß", "\U00010400": "\U00010428",
	} {
		require.Equal(t, want, query.Lower(in), in)
	}
}

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		term, value string
		want        bool
	}{
		{"pay", "payment", true}, {"PAY", "payment", true}, {" ment ", "payment", true}, {"payx", "payment", false},
		{"p%t", "payment", true}, {"p_y", "payment", true}, {"p_m", "payment", false}, {"%", "", true}, {"_", "", false},
		{"_", "ü", true}, {"a__b", "aüéb", true}, {"a_b", "aüéb", false}, {"n%p", "payment", false}, {"%%t%%", "payment", true},
		{"a%a", "a", false}, {"a%a", "aa", true}, {"aab", "aaab", true}, {"_b%_d", "abcd", true}, {"_b%_c", "abc", false}, {`\`, `a\b`, true},
	} {
		p, ok := query.NewPattern(tt.term)
		require.True(t, ok)
		require.Equal(t, tt.want, p.Match(tt.value), "%q in %q", tt.term, tt.value)
	}
	_, ok := query.NewPattern(" \t\uFEFF ")
	require.False(t, ok, "a blank term is no condition")
	p, _ := query.NewPattern(strings.Repeat("a", 201))
	require.False(t, p.Possible())
	p, _ = query.NewPattern(strings.Repeat("%a", 200))
	require.True(t, p.Possible())
}

func TestTextFilter(t *testing.T) {
	pattern, _ := query.NewPattern("pay")
	for _, tt := range []struct {
		name  string
		text  *query.Text
		order *query.Order
		want  query.Filter
	}{
		{"none", nil, nil, nil},
		{"blank", &query.Text{Term: " "}, nil, nil},
		{"default field", &query.Text{Term: "pay"}, nil, query.Matches{Keys: []string{"metadata.uid"}, Pattern: pattern}},
		{"order field", &query.Text{Term: "Pay"}, &query.Order{Field: "Metadata.Name"}, query.Matches{Keys: []string{"metadata.name"}, Pattern: pattern}},
		{"fields", &query.Text{Term: "pay", Fields: []string{" A.b", "c"}}, nil, query.Matches{Keys: []string{"a.b", "c"}, Pattern: pattern}},
		{"no fields", &query.Text{Term: "pay", Fields: []string{}}, nil, query.Matches{Keys: []string{}, Pattern: pattern}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.text.Filter(tt.order)) })
	}
}

func TestOrders(t *testing.T) {
	for param, want := range map[string]query.Order{
		"a": {Field: "a"}, "a,asc": {Field: "a"}, "a,desc": {Field: "a", Descending: true}, ",asc": {},
	} {
		got, err := query.ParseOrderField(param)
		require.NoError(t, err)
		require.Equal(t, want, got, param)
	}
	for _, param := range []string{"a,up", "a,", "a,asc,desc"} {
		_, err := query.ParseOrderField(param)
		if param == "a," {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "Invalid order field order, must be asc or desc")
	}
	got, err := query.ParseListOrder("desc:a:b")
	require.NoError(t, err)
	require.Equal(t, query.Order{Field: "a:b", Descending: true}, got)
	for _, param := range []string{"up:a", "asc:", "a", "ASC:a"} {
		_, err := query.ParseListOrder(param)
		require.EqualError(t, err, fmt.Sprintf(`Invalid order parameter "%s", expected "<asc or desc>:<field name>"`, param))
	}
}

// Filters that differ have keys that differ: a cache would mix them up.
func TestAppendKeyTellsFiltersApart(t *testing.T) {
	p, _ := query.NewPattern("x")
	filters := []query.Filter{
		query.None{}, query.And{}, query.Or{}, query.Not{}, query.And{query.Or{}}, query.Or{query.And{}}, query.And{query.Or{}, query.Or{}},
		query.Exists{Key: "ab"}, query.Exists{Key: "a"}, is("a", "b"), is("ab"), is("a", "b", "c"), is("a", "bc"), is("a", ""), is("a"),
		query.HasPrefix{Key: "a", Prefix: "b"}, query.HasPrefix{Key: "ab"}, query.Matches{Keys: []string{"a"}, Pattern: p},
		query.Matches{Keys: []string{"a", "x"}, Pattern: p}, query.Matches{Pattern: p}, query.And{is("a", "b"), is("c", "d")}, query.And{is("a", "b", "c")},
	}
	seen := map[string]query.Filter{}
	for _, f := range filters {
		key := string(query.AppendKey(nil, f))
		require.NotContains(t, seen, key, "%#v and %#v", f, seen[key])
		seen[key] = f
	}
}

func TestLocationPredicate(t *testing.T) {
	l := catalog.Location{ID: "Ab-1", Type: "url", Target: "https://Example.com/a.yaml", EntityRef: "location:default/generated-x"}
	for _, tt := range []struct {
		predicate string
		want      bool
	}{
		{`{}`, true}, {`{"type":"URL"}`, true}, {`{"TYPE":"url","target":"https://example.com/A.yaml"}`, true}, {`{"type":"file"}`, false},
		{`{"id":"ab-1"}`, true}, {`{"id":{"$in":["ab-1"]}}`, false}, {`{"id":{"$in":["Ab-1"]}}`, true}, {`{"type":{"$in":["URL",1]}}`, true},
		{`{"target":{"$hasPrefix":"HTTPS://EXAMPLE"}}`, true}, {`{"target":{"$hasPrefix":""}}`, true}, {`{"type":{"$contains":"url"}}`, false},
		{`{"type":{"$exists":true}}`, true}, {`{"type":{"$exists":false}}`, false}, {`{"$all":[]}`, false}, {`{"$any":[]}`, false},
		{`{"$not":{"$any":[]}}`, true}, {`{"$not":{"type":"url"}}`, false}, {`{"$all":[{"type":"url"},{"entityRef":"LOCATION:default/generated-x"}]}`, true},
		{`{"$any":[{"type":"file"},{"type":"url"}]}`, true},
	} {
		p, err := query.ParseLocationPredicate(parse(t, tt.predicate))
		require.NoError(t, err)
		require.Equal(t, tt.want, p(l), tt.predicate)
	}
	for predicate, message := range map[string]string{
		`{"kind":"x"}`:       `Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got 'kind'`,
		`{"$bogus":1}`:       `Invalid query: Validation error: Invalid at "$bogus"`,
		`"x"`:                wrapValue,
		`{"$any":[7]}`:       wrapValue,
		`{"$all":"x"}`:       `Invalid query: Validation error: Expected array, received string at "$all"`,
		`{"$not":[]}`:        `Invalid query: Validation error: Expected object, received array at "$not", or Expected string, received array at "$not", or Expected number, received array at "$not", or Expected boolean, received array at "$not"`,
		`{"$any":[{"a":1}]}`: `Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got 'a'`,
	} {
		_, err := query.ParseLocationPredicate(parse(t, predicate))
		require.ErrorIs(t, err, catalog.ErrInput)
		require.EqualError(t, err, message, predicate)
	}
	_, err := query.ParseLocationPredicate(parse(t, `{"type":{"$in":[null]}}`))
	require.ErrorContains(t, err, "Invalid query: ")
}
