package yaml_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// places lists every value of a document with where it is written.
func places(data []byte, path string, v any, t *yaml.Tree) []string {
	line, column := yaml.Position(data, t.Start)
	out := []string{fmt.Sprintf("%s %d:%d", path, line, column)}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			if i < len(t.Items) {
				out = append(out, places(data, fmt.Sprintf("%s/%d", path, i), x, t.Items[i])...)
			}
		}
	case *jsonvalue.Object:
		for key, x := range v.All() {
			if m, ok := t.Member(key); ok {
				line, column := yaml.Position(data, m.KeyStart)
				out = append(out, fmt.Sprintf("%s/%s# %d:%d", path, key, line, column))
				out = append(out, places(data, path+"/"+key, x, m.Tree)...)
			}
		}
	}
	return out
}

func TestTrees(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a scalar", "\n  x", " 2:3"},
		{"blocks", "a: 1\nb:\n  - x\n  - c: |\n      text\n", " 1:1, /a# 1:1, /a 1:4, /b# 2:1, /b 3:3, /b/0 3:5, /b/1 4:5, /b/1/c# 4:5, /b/1/c 4:8"},
		{"a sequence at the column of its key", "a:\n- b: 'x'\n  c: y\n", " 1:1, /a# 1:1, /a 2:1, /a/0 2:3, /a/0/b# 2:3, /a/0/b 2:6, /a/0/c# 3:3, /a/0/c 3:6"},
		{"flows", `{a: [1, {b: "x"}, c: d], e}`, " 1:1, /a# 1:2, /a 1:5, /a/0 1:6, /a/1 1:9, /a/1/b# 1:10, /a/1/b 1:13, /a/2 1:19, /a/2/c# 1:19, /a/2/c 1:22, /e# 1:26, /e 1:26"},
		{"columns count code points", "{é: ü, a: b}", " 1:1, /é# 1:2, /é 1:5, /a# 1:8, /a 1:11"},
		{"tags and anchors stand before", "a: !!str &x 1\nb: *x\n", " 1:1, /a# 1:1, /a 1:13, /b# 2:1, /b 2:4"},
		{"what an alias stands for has no places", "a: &x {b: 1}\nc: *x\n", " 1:1, /a# 1:1, /a 1:7, /a/b# 1:8, /a/b 1:11, /c# 2:1, /c 2:4"},
		{"nothing is written", "a:\nb: {c: , d}\n", " 1:1, /a# 1:1, /a 1:3, /b# 2:1, /b 2:4, /b/c# 2:5, /b/c 2:8, /b/d# 2:10, /b/d 2:10"},
		{"explicit keys", "? a\n: b\n? c\n", " 1:1, /a# 1:3, /a 2:3, /c# 3:3, /c 3:3"},
		{"a byte-order mark", "\xef\xbb\xbfa: b", " 1:1, /a# 1:1, /a 1:4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs := yaml.ParseTrees([]byte(c.text), yaml.Limits{})
			require.Len(t, docs, 1)
			require.NoError(t, docs[0].Err)
			require.Equal(t, c.want, strings.Join(places([]byte(c.text), "", docs[0].Value, docs[0].Tree), ", "))
			require.Nil(t, yaml.Parse([]byte(c.text), yaml.Limits{})[0].Tree)
		})
	}
	second := yaml.ParseTrees([]byte("a: 1\n---\nb: 2\n"), yaml.Limits{})[1]
	require.Equal(t, 9, second.Tree.Start, "offsets are those of the stream")
	line, column := yaml.Position([]byte("ab"), 99)
	require.Equal(t, [2]int{1, 3}, [2]int{line, column}, "what is beyond the end is the end")
	_, ok := (*yaml.Tree)(nil).Member("a")
	require.False(t, ok)
}

// Whoever wants trees gets the same values and errors.
func FuzzTrees(f *testing.F) {
	for _, text := range []string{"a: [1, {b: c}]\n", "- &x a\n- *x\n", "? [a]\n: b", "{a, b: }", "a: |\n  b\n---\n- c", "a: b: c", "[a: b, ? c]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, trees := yaml.Parse(data, yaml.Limits{}), yaml.ParseTrees(data, yaml.Limits{})
		require.Equal(t, len(plain), len(trees))
		for i, d := range trees {
			require.Equal(t, plain[i].Err, d.Err)
			require.True(t, bytes.Equal(jsonvalue.Append(nil, plain[i].Value), jsonvalue.Append(nil, d.Value)))
			require.Equal(t, d.Err == nil, d.Tree != nil)
			if d.Tree != nil {
				places(data, "", d.Value, d.Tree)
			}
		}
	})
}
