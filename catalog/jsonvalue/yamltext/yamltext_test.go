package yamltext_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue/yamltext"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// TestReference compares with what was recorded from the npm package; see
// testdata/record.mjs.
func TestReference(t *testing.T) {
	f, err := os.Open("testdata/reference.jsonl")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for ; lines.Scan(); n++ {
		v, err := jsonvalue.Parse(lines.Bytes())
		require.NoError(t, err)
		pair := v.([]any)
		require.Equal(t, pair[1], string(yamltext.Append(nil, pair[0])), "value %d: %s", n, jsonvalue.Append(nil, pair[0]))
	}
	require.NoError(t, lines.Err())
	require.Greater(t, n, 350)
}

// Where the reference writes what it cannot read back, we do not follow it.
func TestReadsBack(t *testing.T) {
	for name, v := range map[string]any{
		"blanks on both sides of a line end": strings.Repeat("some words \n more ", 9),
		"a folded block that begins inset":   "  inset " + strings.Repeat("word ", 30) + "\nend",
		"a blank line among inset ones":      "a\n  b\n   \n" + strings.Repeat("word ", 30) + "\nc",
		"a control character that is UTF-8":  "a\u0085b\u009f\u007f",
		"a byte order mark":                  "\ufeffa",
		"an emoji where a word is cut":       strings.Repeat("'\"😀", 40),
		"a key of several lines":             jsonvalue.NewObject(jsonvalue.Member{Key: "a\nb", Value: "x"}),
		"a key longer than a line may be": jsonvalue.NewObject(jsonvalue.Member{Key: strings.Repeat("k", 2000),
			Value: jsonvalue.NewObject(jsonvalue.Member{Key: "a", Value: []any{"b"}})}),
	} {
		t.Run(name, func(t *testing.T) { requireReadsBack(t, v) })
	}
}

// requireReadsBack checks v as a document and as a member of one.
func requireReadsBack(t *testing.T, v any) {
	t.Helper()
	for _, v := range []any{v, jsonvalue.NewObject(jsonvalue.Member{Key: "key", Value: []any{v}}, jsonvalue.Member{Key: "other", Value: v})} {
		text := yamltext.Append(nil, v)
		docs := yaml.Parse(text, yaml.Limits{})
		if v == nil {
			require.Empty(t, docs)
			continue
		}
		require.Len(t, docs, 1, "%q", text)
		require.NoError(t, docs[0].Err, "%s", text)
		require.True(t, jsonvalue.Equal(v, docs[0].Value), "%s\n%s\n%s", jsonvalue.Append(nil, v), jsonvalue.Append(nil, docs[0].Value), text)
	}
}

func FuzzReadsBack(f *testing.F) {
	f.Add(`{"a":["x\ny","007",{"b c":null}],"on":"yes"}`)
	f.Add(`"  a\n\n b \n\n"`)
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := jsonvalue.Parse([]byte(s)); err == nil {
			requireReadsBack(t, v)
		}
		requireReadsBack(t, strings.ToValidUTF8(s, "\uFFFD"))
	})
}
