package yaml_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

func TestResolution(t *testing.T) {
	for _, c := range []struct{ in, want, why string }{
		{"yes", `"yes"`, "booleans of YAML 1.1 are strings"},
		{"no", `"no"`, ""},
		{"on", `"on"`, ""},
		{"off", `"off"`, ""},
		{"y", `"y"`, ""},
		{"True", "true", "three spellings of a boolean"},
		{"FALSE", "false", ""},
		{"tRue", `"tRue"`, "and no others"},
		{"NULL", "null", ""},
		{"~", "null", ""},
		{"", "null", "nothing is null"},
		{"0777", "777", "a leading zero is decimal"},
		{"08", "8", ""},
		{"0o17", "15", ""},
		{"0x1F", "31", ""},
		{"-0x1F", `"-0x1F"`, "no sign before a radix"},
		{"0x", `"0x"`, ""},
		{"0b11", `"0b11"`, "no binary numbers"},
		{"1_000", `"1_000"`, "no separators"},
		{"1:30", `"1:30"`, "no base 60"},
		{"2020-01-01", `"2020-01-01"`, "no dates"},
		{"1.0", "1", ""},
		{"1.", "1", ""},
		{".5", "0.5", ""},
		{"+12", "12", ""},
		{"1e3", "1000", ""},
		{"1e", `"1e"`, ""},
		{"-", "[null]", "a sequence of nothing"},
		{".", `"."`, ""},
		{"12345678901234567890", "12345678901234567000", "numbers are doubles"},
		{"0xFFFFFFFFFFFFFFFFFFFF", "1.2089258196146292e+24", ""},
		{".inf", "null", "JSON has no infinity"},
		{"-.INF", "null", ""},
		{".nan", "null", ""},
		{".iNF", `".iNF"`, ""},
		{"1e999", "null", ""},
		{`"1"`, `"1"`, "what is quoted is a string"},
		{"!!str 1", `"1"`, "and what is tagged so"},
		{"!!int '1'", "1", ""},
		{"!!bool yes", `"yes"`, "a tag that does not fit leaves a string"},
	} {
		in := "x: " + c.in
		if c.in == "-" {
			in = "x:\n  -"
		}
		docs := yaml.Parse([]byte(in), yaml.Limits{})
		require.Len(t, docs, 1, c.in)
		require.NoError(t, docs[0].Err, c.in)
		require.Equal(t, `{"x":`+c.want+`}`, string(jsonvalue.Append(nil, docs[0].Value)), "%s %s", c.in, c.why)
	}
}

func TestVersion11(t *testing.T) {
	docs := yaml.Parse([]byte("%YAML 1.1\n---\na: yes\nb: 017\nc: 1_000\nd: 0b11\n---\na: yes"), yaml.Limits{})
	require.Len(t, docs, 2)
	require.Equal(t, `{"a":true,"b":15,"c":1000,"d":3}`, string(jsonvalue.Append(nil, docs[0].Value)))
	require.Equal(t, `{"a":"yes"}`, string(jsonvalue.Append(nil, docs[1].Value)), "a directive is for one document")
}

// TestDocuments: an error is that of one document, and lines count from the
// start of the stream.
func TestDocuments(t *testing.T) {
	in := "# first\n\na: 1\n---\n# second\nb: [\n---\n---\n\nc: |\n  text\n   --- no marker\n...\n# only a comment\n---\nd: 'a\n---\ne: 5\n"
	var got []string
	for _, d := range yaml.Parse([]byte(in), yaml.Limits{}) {
		verdict := "error"
		if d.Err == nil {
			verdict = string(jsonvalue.Append(nil, d.Value))
		}
		got = append(got, fmt.Sprintf("%d %s", d.Line, verdict))
	}
	require.Equal(t, []string{`3 {"a":1}`, "6 error", `10 {"c":"text\n --- no marker\n"}`, "16 error", `18 {"e":5}`}, got)
}

func TestAliasesShareNothing(t *testing.T) {
	docs := yaml.Parse([]byte("a: &x {k: [1]}\nb: *x\n"), yaml.Limits{})
	o := docs[0].Value.(*jsonvalue.Object)
	o.Object("a").Set("k", "changed")
	require.Equal(t, `{"k":[1]}`, string(jsonvalue.Append(nil, o.Value("b"))))
}

func TestInvalidUTF8(t *testing.T) {
	docs := yaml.Parse([]byte("a: 1\nb: x\xffy\n"), yaml.Limits{})
	require.Len(t, docs, 1)
	require.EqualError(t, docs[0].Err, "Invalid UTF-8 byte at line 2, column 5")
}

// TestBounds: hostile streams end in an error and never take memory out of
// proportion.
func TestBounds(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range 30 {
		fmt.Fprintf(&laughs, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i, i)
	}
	for _, c := range []struct{ name, in string }{
		{"alias bomb", laughs.String()},
		{"alias bomb of text", "a: &a " + strings.Repeat("x", 1<<20) + "\nb:\n" + strings.Repeat("- *a\n", 10_000)},
		{"alias bomb of keys", keyBomb(60)},
		{"deep flow", strings.Repeat("[", 1_000_000)},
		{"deep flow mappings", strings.Repeat("{a: ", 1_000_000)},
		{"deep block", strings.Repeat("- ", 1_000_000)},
		{"deep keys", strings.Repeat("? ", 1_000_000)},
		{"staircase", staircase(2000)},
		{"many scalars", "[" + strings.Repeat("a,", 4_000_000) + "]"},
		{"many keys without value", "{" + strings.Repeat("\"\":,", 2_000_000) + "}"},
		{"many documents", strings.Repeat("a\n---\n", 1_000_000)},
		{"many broken documents", strings.Repeat("]\n---\n", 1_000_000)},
		{"too large", strings.Repeat("a", 11<<20)},
		{"one long broken line", strings.Repeat("a", 9<<20) + ": b: c"},
		{"never closed", "a: \"" + strings.Repeat("b\n  ", 1_000_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := []byte(c.in)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			docs := yaml.Parse(in, yaml.Limits{})
			runtime.ReadMemStats(&after)
			require.NotEmpty(t, docs)
			require.Error(t, docs[len(docs)-1].Err)
			require.Less(t, len(docs[len(docs)-1].Err.Error()), 2000)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(150<<20))
		})
	}
}

// keyBomb doubles the text of a key with each line.
func keyBomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n")
	for i := range n {
		fmt.Fprintf(&b, "a%d: &a%d {[*a%d, *a%d]: x}\n", i+1, i+1, i, i)
	}
	return b.String()
}

func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestManyFinePartsAreNoBomb(t *testing.T) {
	docs := yaml.Parse([]byte("a: &x {k: v}\nlist:\n"+strings.Repeat("  - *x\n", 10_000)), yaml.Limits{})
	require.NoError(t, docs[0].Err)
}

func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/reference.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if v, err := jsonvalue.ParseObject(line); err == nil && i%5 == 0 {
			f.Add([]byte(v.String("in")))
		}
	}
	limits := yaml.Limits{Bytes: 1 << 16, Nodes: 10_000, Documents: 100, Depth: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		line := 0
		for _, d := range yaml.Parse(data, limits) {
			if d.Line < line {
				t.Fatalf("line %d after line %d", d.Line, line)
			}
			line = d.Line
			if d.Err != nil {
				continue
			}
			text := jsonvalue.Append(nil, d.Value)
			again := yaml.Parse(text, yaml.Limits{Nodes: 20_000, Depth: 60})
			if len(again) != 1 || again[0].Err != nil || !jsonvalue.Equal(d.Value, again[0].Value) {
				t.Fatalf("%q is %s, and that is %v", data, text, again)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var in strings.Builder
	for i := range 100 {
		fmt.Fprintf(&in, "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: service-%d\n  title: Service %d\n  description: Handles the ledger of every cart, and tells search about it\n  annotations:\n    github.com/project-slug: acme/service-%d\n    backstage.io/techdocs-ref: dir:.\n  tags: [go, internal]\n  links:\n    - {url: 'https://dash.example.com/%d', title: Dashboard, icon: dashboard}\nspec:\n  type: service\n  lifecycle: production\n  owner: team-%d\n  providesApis: [api-%d]\n  dependsOn: ['resource:db-%d', 'component:service-%d']\n", i, i, i, i, i%7, i, i, i+1)
	}
	data := []byte(in.String())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if docs := yaml.Parse(data, yaml.Limits{}); len(docs) != 100 {
			b.Fatal(len(docs))
		}
	}
}

func TestBlockScalarOfBlankLines(t *testing.T) {
	docs := yaml.Parse([]byte("a:\n  - |+\n    \nb: c\n"), yaml.Limits{})
	require.Len(t, docs, 1)
	require.Equal(t, `{"a":["\n"],"b":"c"}`, string(jsonvalue.Append(nil, docs[0].Value)), "blank lines alone tell how far a block is indented")
}
