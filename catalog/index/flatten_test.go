package index_test

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// rowsOf returns the rows of a document as text, in order: key=value, with the
// original behind / where it differs, and key alone for NULL.
func rowsOf(rows []index.Row) []string {
	out := []string{}
	for _, r := range rows {
		s := r.Key
		if !r.Null {
			s += "=" + r.Value
			if r.Original != r.Value {
				s += "/" + r.Original
			}
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// both flattens in both ways, which must agree.
func both(t testing.TB, doc []byte) ([]index.Row, error) {
	o, err := jsonvalue.ParseObject(doc)
	require.NoError(t, err)
	want, wantErr := index.Flatten(catalog.Entity{Object: o})
	got, gotErr := index.FlattenJSON(jsonvalue.Append(nil, o))
	if wantErr != nil {
		require.Equal(t, wantErr, gotErr)
		return nil, wantErr
	}
	require.NoError(t, gotErr)
	require.Equal(t, want, got)
	return want, nil
}

func TestFlatten(t *testing.T) {
	own := []string{"metadata.name=x", "metadata.namespace=n", "metadata.uid=u"}
	long := strings.Repeat("a", 201)
	for _, tt := range []struct {
		name, spec string
		want       []string
	}{
		{"nested", `{"a":{"b":["c",{"d":1}],"e":7}}`, []string{"spec.a.b=c", "spec.a.b.c=true", "spec.a.b.d=1", "spec.a.e=7"}},
		{"scalars in lists", `{"x":[3,true,null]}`, []string{"spec.x", "spec.x=3", "spec.x=true"}},
		{"lists in lists", `{"x":[["p","q"],[["p"]]]}`, []string{"spec.x=p", "spec.x=q", "spec.x.p=true", "spec.x.q=true"}},
		{"null", `{"x":null}`, []string{"spec.x"}},
		{"empty text", `{"x":""}`, []string{"spec.x="}},
		{"empty text in a list", `{"x":[""]}`, []string{"spec.x=", "spec.x.=true"}},
		{"nothing", `{"x":{},"y":[],"z":[[]]}`, nil},
		{"casing", `{"X":["Go","gO"]}`, []string{"spec.x=go/Go", "spec.x.go=true"}},
		{"first original wins", `{"x":["B","b","a"]}`, []string{"spec.x=a", "spec.x=b/B", "spec.x.a=true", "spec.x.b=true"}},
		{"numbers as scripts write them", `{"x":[1.50,1e21,-0,12345678901234567890,1e-7]}`, []string{"spec.x=0", "spec.x=1.5", "spec.x=1e+21", "spec.x=1e-7", "spec.x=12345678901234567000"}},
		{"long value", `{"x":"` + long + `","y":"` + long[1:] + `"}`, []string{"spec.x", "spec.y=" + long[1:]}},
		{"length counts in UTF-16", `{"x":"` + strings.Repeat("😀", 100) + `","y":"` + strings.Repeat("😀", 101) + `"}`, []string{"spec.x=" + strings.Repeat("😀", 100), "spec.y"}},
		{"long key", `{"` + long[:195] + `":1,"` + long[:196] + `":1}`, []string{"spec." + long[:195] + "=1"}},
		{"long item of a list", `{"x":["` + long + `"]}`, []string{"spec.x"}},
		{"key with dots", `{"a.b":1,"a":{"c":2}}`, []string{"spec.a.b=1", "spec.a.c=2"}},
		{"item whose key is there already", `{"x.go":"v","x":["go"]}`, []string{"spec.x=go", "spec.x.go=v"}},
		{"item whose key comes later", `{"x":["go"],"x.go":"v"}`, []string{"spec.x=go", "spec.x.go=true", "spec.x.go=v"}},
		{"escapes", `{"x":"a\"\n\u00dcb\ud83d\ude00"}`, []string{"spec.x=a\"\nüb😀/a\"\nÜb😀"}},
		{"names that are left out elsewhere count here", `{"status":1,"metadata":{"name":"y"}}`, []string{"spec.metadata.name=y", "spec.status=1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := both(t, []byte(`{"metadata":{"name":"x","namespace":"n","uid":"u","etag":"e"},"spec":`+tt.spec+`}`))
			require.NoError(t, err)
			require.Equal(t, slices.Sorted(slices.Values(append(slices.Clone(own), tt.want...))), rowsOf(rows))
		})
	}
}

func TestFlattenEnvelope(t *testing.T) {
	for _, tt := range []struct {
		name, doc string
		want      []string
	}{
		{"relations and what is left out", `{"kind":"API","metadata":{"name":"X","uid":"u","tags":["t"]},"relations":[{"type":"ownedBy","targetRef":"group:default/A"},{"type":"ownedBy","targetRef":"group:default/a"}],"status":{"items":[1]},"attachments":{"a":1}}`,
			[]string{"kind=api/API", "metadata.name=x/X", "metadata.namespace", "metadata.namespace=default", "metadata.tags.t=true", "metadata.tags=t", "metadata.uid=u", "relations.ownedby=group:default/a/group:default/A"}},
		{"no metadata", `{}`, []string{"metadata.name", "metadata.namespace", "metadata.namespace=default", "metadata.uid"}},
		{"root keys with dots", `{"metadata.name":"no","metadata.other":1}`, []string{"metadata.name", "metadata.namespace", "metadata.namespace=default", "metadata.other=1", "metadata.uid"}},
		{"metadata that is a list", `{"metadata":[{"name":"no","x":1}]}`, []string{"metadata.name", "metadata.namespace", "metadata.namespace=default", "metadata.uid", "metadata.x=1"}},
		{"names of other types", `{"metadata":{"name":{"a":1},"namespace":5,"uid":[1]},"relations":7}`, []string{"metadata.name", "metadata.namespace=5", "metadata.namespace=default", "metadata.uid"}},
		{"empty keys", `{"":{"":1},"a":{"":2}}`, []string{"=1", "a.=2", "metadata.name", "metadata.namespace", "metadata.namespace=default", "metadata.uid"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := both(t, []byte(tt.doc))
			require.NoError(t, err)
			require.Equal(t, tt.want, rowsOf(rows))
		})
	}
}

func TestFlattenRefusesKeysThatDifferInCasing(t *testing.T) {
	for _, tt := range []struct{ name, doc, keys string }{
		{"one", `{"spec":{"Foo":1,"foo":1}}`, "'spec.foo'"},
		{"several", `{"spec":{"Foo":1,"foo":1,"FOO":2,"a":{"B":1},"A":{"b":1}}}`, "'spec.foo', 'spec.foo', 'spec.a.b'"},
		{"relations", `{"relations":[{"type":"ownedBy","targetRef":"a"},{"type":"OwnedBy","targetRef":"b"}]}`, "'relations.ownedby'"},
		{"keys that are too long to be rows", `{"spec":{"` + strings.Repeat("a", 300) + `":1,"` + strings.Repeat("A", 300) + `":1}}`, "'spec." + strings.Repeat("a", 300) + "'"},
		{"with an item of a list", `{"spec":{"x":["Go"],"x.go":1}}`, "'spec.x.go'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := both(t, []byte(tt.doc))
			require.ErrorIs(t, err, catalog.ErrInput)
			require.EqualError(t, err, "Entity has duplicate keys that vary only in casing, "+tt.keys)
		})
	}
}

func TestFlattenJSONRefuses(t *testing.T) {
	for _, doc := range []string{``, `[]`, `1`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":[`, `{"a":[1`, `{"a":"x`, `{"a":x}`, `{"a":1}}`, `{"a":1}{}`, `{"relations":[{"type":]}`, `{"a":1,}`, strings.Repeat(`{"a":`, 600) + `1` + strings.Repeat(`}`, 600)} {
		_, err := index.FlattenJSON([]byte(doc))
		require.Error(t, err, doc)
	}
}

// An entity with very many rows costs time by their number, and no more.
func TestFlattenOfManyRows(t *testing.T) {
	var list []any
	for i := range 20_000 {
		list = append(list, strconv.Itoa(i%15_000))
	}
	o := jsonvalue.NewObject(jsonvalue.Member{Key: "spec", Value: jsonvalue.NewObject(jsonvalue.Member{Key: "x", Value: list})})
	rows, err := both(t, jsonvalue.Append(nil, o))
	require.NoError(t, err)
	require.Len(t, rows, 2*15_000+4)
}

func FuzzFlatten(f *testing.F) {
	f.Add([]byte(`{"kind":"API","metadata":{"name":"X","namespace":"","tags":["Go","go",["x"]]},"spec":{"a.b":1,"a":{"b":[null,true,1e3]}},"relations":[{"type":"a","targetRef":"b"}]}`))
	f.Add([]byte(`{"":[{"":"\ud800"}],"metadata":[{"name":1}],"Σ":"İ","metadata.name":2}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		// It must not panic whatever it gets.
		_, _ = index.FlattenJSON(doc)
		o, err := jsonvalue.ParseObject(doc)
		if err != nil {
			return
		}
		rows, err := both(t, jsonvalue.Append(nil, o))
		want, ok := modelRows(jsonvalue.Append(nil, o))
		require.Equal(t, ok, err == nil)
		if ok {
			byRow := func(a, b index.Row) int {
				return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Original, b.Original))
			}
			slices.SortStableFunc(rows, byRow)
			slices.SortStableFunc(want, byRow)
			require.Equal(t, want, rows)
		}
	})
}
