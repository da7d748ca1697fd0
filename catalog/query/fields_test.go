package query_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

const fieldsDocument = `{"apiVersion":"v1","kind":"Component","metadata":{"name":"cart","title":null,"annotations":{"github.com/project-slug":"a/b","a":{"b":"short"},"a.b":"long","x.y.z":1},"tags":["go","java"],"links":[{"url":"u0","title":"t0"},{"url":"u1"}],"":{"":5}},"spec":{"type":"service","deep":{"er":{"est":true}}},"relations":[]}`

func TestProjection(t *testing.T) {
	for _, tt := range []struct{ name, fields, want string }{
		{"one", "kind", `{"kind":"Component"}`},
		{"nested, in the order of the document", "spec.type,metadata.name,kind", `{"kind":"Component","metadata":{"name":"cart"},"spec":{"type":"service"}}`},
		{"object", "spec.deep", `{"spec":{"deep":{"er":{"est":true}}}}`},
		{"key with dots", "metadata.annotations.github.com/project-slug", `{"metadata":{"annotations":{"github.com/project-slug":"a/b"}}}`},
		{"the shortest key wins", "metadata.annotations.a.b", `{"metadata":{"annotations":{"a":{"b":"short"}}}}`},
		{"and there is no way back", "metadata.annotations.a.c", `{}`},
		{"glued twice", "metadata.annotations.x.y.z", `{"metadata":{"annotations":{"x.y.z":1}}}`},
		{"case counts", "KIND,Kind", `{}`},
		{"null is kept", "metadata.title", `{"metadata":{"title":null}}`},
		{"nothing there", "no.such,spec.type.more", `{}`},
		{"empty lists are lists", "relations", `{"relations":[]}`},
		{"arrays come whole", "metadata.tags", `{"metadata":{"tags":["go","java"]}}`},
		{"no way into arrays by name", "metadata.links.url", `{}`},
		{"arrays by index", "metadata.tags.0", `{"metadata":{"tags":["go"]}}`},
		{"gaps are null", "metadata.links.1.url", `{"metadata":{"links":[null,{"url":"u1"}]}}`},
		{"several indexes", "metadata.links.0.title,metadata.links.1", `{"metadata":{"links":[{"title":"t0"},{"url":"u1"}]}}`},
		{"index behind the end", "metadata.tags.7", `{}`},
		{"odd indexes", "metadata.tags.00,metadata.tags.-1,metadata.tags.1e0,metadata.tags.99999999999", `{}`},
		{"whole and part", "metadata.tags,metadata.tags.0", `{"metadata":{"tags":["go","java"]}}`},
		{"part and whole", "spec.type,spec", `{"spec":{"type":"service","deep":{"er":{"est":true}}}}`},
		{"space and repetition", " kind ,, kind", `{"kind":"Component"}`},
		{"trailing dot", "spec.", `{}`},
		{"empty keys", "metadata..", `{"metadata":{"":{"":5}}}`},
		{"into a scalar", "kind.length", `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := query.ParseFields([]string{tt.fields})
			require.NoError(t, err)
			got, err := p.Append([]byte("before"), []byte(fieldsDocument))
			require.NoError(t, err)
			require.Equal(t, "before"+tt.want, string(got))
		})
	}
}

func TestParseFields(t *testing.T) {
	for _, params := range [][]string{nil, {""}, {" , ,"}} {
		p, err := query.ParseFields(params)
		require.NoError(t, err)
		require.Nil(t, p, "no fields are all fields")
		got, err := p.Append(nil, []byte(`{"a":1}`))
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`, string(got))
	}
	_, err := query.ParseFields([]string{"kind", "spec.a[0]"})
	require.ErrorIs(t, err, catalog.ErrInput)
	require.EqualError(t, err, `Invalid field "spec.a[0]", array type fields are not supported`)
	many := make([]string, 1_001)
	for i := range many {
		many[i] = "f" + strconv.Itoa(i)
	}
	_, err = query.ParseFields(many)
	require.ErrorIs(t, err, catalog.ErrInput)
}

func TestProjectionOfWhatIsNoJSON(t *testing.T) {
	p, err := query.ParseFields([]string{"a.b", "c.0"})
	require.NoError(t, err)
	for _, doc := range []string{``, `{`, `{"a"`, `{"a":`, `{"a":{`, `{"a":{"b"`, `{"a":{"b":"x`, `{"c":[`, `{"c":[1`, `{a:1}`, `{"a":1 "b":2}`, strings.Repeat(`{"a":`, 600)} {
		got, err := p.Append([]byte("x"), []byte(doc))
		require.Error(t, err, doc)
		require.Equal(t, "x", string(got), doc)
	}
}

// project does on trees what Projection does on text.
func project(v any, paths []string) (any, bool) {
	switch v := v.(type) {
	case *jsonvalue.Object:
		return projectObject(v, paths)
	case []any:
		var out []any
		for i, x := range v {
			name := strconv.Itoa(i)
			var rest []string
			whole := false
			for _, p := range paths {
				if p == name {
					whole = true
				} else if tail, ok := strings.CutPrefix(p, name+"."); ok && tail != "" {
					rest = append(rest, tail)
				}
			}
			selected, hit := x, whole
			if !whole && rest != nil {
				selected, hit = project(x, rest)
			}
			if hit && i <= 10_000 {
				for len(out) < i {
					out = append(out, nil)
				}
				out = append(out, selected)
			}
		}
		return out, out != nil
	}
	return nil, false
}

func projectObject(o *jsonvalue.Object, paths []string) (any, bool) {
	whole, rest := map[string]bool{}, map[string][]string{}
	for _, p := range paths {
		segments := strings.Split(p, ".")
		for n := 1; n <= len(segments); n++ {
			key := strings.Join(segments[:n], ".")
			if !o.Has(key) {
				continue
			}
			if n == len(segments) {
				whole[key] = true
			} else {
				rest[key] = append(rest[key], strings.Join(segments[n:], "."))
			}
			break
		}
	}
	out := jsonvalue.NewObject()
	for key, v := range o.All() {
		if whole[key] {
			out.Set(key, v)
		} else if rest[key] != nil {
			if x, hit := project(v, rest[key]); hit {
				out.Set(key, x)
			}
		}
	}
	return out, out.Len() > 0
}

func FuzzProjection(f *testing.F) {
	f.Add([]byte(fieldsDocument), "metadata.annotations.a.b,spec,metadata.links.1.url,metadata..")
	f.Add([]byte(`{"a":{"b":1},"a.b":2,"\u0061c":[[1,{"x":3}]]}`), "a.b,ac.0.1.x")
	f.Fuzz(func(t *testing.T, doc []byte, fields string) {
		o, err := jsonvalue.ParseObject(doc)
		if err != nil {
			return
		}
		p, err := query.ParseFields([]string{fields})
		if err != nil || p == nil {
			return
		}
		var paths []string
		for _, field := range strings.Split(fields, ",") {
			if field = strings.TrimFunc(field, isScriptSpace); field != "" {
				paths = append(paths, field)
			}
		}
		stored := jsonvalue.Append(nil, o)
		got, err := p.Append(nil, stored)
		require.NoError(t, err)
		want, hit := project(o, paths)
		if !hit {
			want = jsonvalue.NewObject()
		}
		require.Equal(t, string(jsonvalue.Append(nil, want)), string(got))
	})
}

func isScriptSpace(r rune) bool {
	return strings.ContainsRune("\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff", r)
}

func BenchmarkProjection(b *testing.B) {
	p, err := query.ParseFields([]string{"kind,metadata.name,metadata.namespace,spec.type,relations"})
	require.NoError(b, err)
	doc := []byte(fieldsDocument)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		if dst, err = p.Append(dst[:0], doc); err != nil {
			b.Fatal(err)
		}
	}
}
