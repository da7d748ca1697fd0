package glob_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/glob"
)

type listing struct {
	Patterns []string
	Matches  any
}

// differs holds the lists whose answer is deliberately not that of globby.
var differs = map[string]string{
	"src/!(main).go":   "main_test is not main",
	"docs/!(1|2).md":   "and 10 neither 1 nor 2",
	"(group)/page.tsx": "a folder whose name is in parentheses can be named",
	"(group)":          "",
	"(group)/**":       "",
	"./a.txt":          "the name has no dot in front",
	"a.txt !./a.txt":   "",
	"+(a|b).txt":       "not supported, and said so",
	"*(a).txt":         "",
	"a.txt/":           "an error there",
}

// TestReference compares with what globby answered in a tree, the names of
// which are those that ** matches; folders end in a slash.
func TestReference(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	require.NoError(t, err)
	var listings []listing
	require.NoError(t, json.Unmarshal(data, &listings))
	tree := listings[0].Matches.([]any)
	require.Greater(t, len(tree), 30)
	compared := 0
	for _, l := range listings {
		if _, ok := differs[strings.Join(l.Patterns, " ")]; ok {
			continue
		}
		set, err := glob.Compile(l.Patterns)
		require.NoError(t, err, l.Patterns)
		want, _ := l.Matches.([]any)
		for _, entry := range tree {
			name, isFolder := strings.CutSuffix(entry.(string), "/")
			require.Equal(t, slices.Contains(want, entry), set.Match(name, isFolder), "%q and %s", l.Patterns, entry)
		}
		compared++
	}
	require.Greater(t, compared, 60)
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		patterns string
		name     string
		want     bool
		why      string
	}{
		{"src/!(main).go", "src/main_test.go", true, "only the whole name is taken away"},
		{"src/!(main).go", "src/main.go", false, ""},
		{"!(a|b)", "c", false, "in a list it is a negative pattern"},
		{"(group)/page.tsx", "(group)/page.tsx", true, "a name matches itself"},
		{"(group)", "(group)/page.tsx", true, ""},
		{"app/[id]", "app/[id]/page.tsx", true, "and so does the name of a folder, whatever is in it"},
		{"./a.txt", "a.txt", true, ""},
		{"** !./a.txt", "a.txt", false, ""},
		{"a.txt/", "a.txt", false, "a slash asks for a folder"},
		{"{c..a}.txt", "b.txt", true, "ranges run both ways"},
		{"{1..3}.txt", "4.txt", false, ""},
		{"\\*", "*", true, "an escape"},
		{"\\*", "a", false, ""},
		{"/a", "a", false, "absolute patterns match nothing"},
		{"../**", "a", false, "nor do those that lead out"},
		{"", "a", false, "nor does nothing"},
		{"@(a|b)/?(x)c", "b/c", true, ""},
		{"@(a|b)/?(x)c", "b/xc", true, ""},
		{"@(a|b)/?(x)c", "c/xc", false, ""},
	} {
		set, err := glob.Compile(strings.Split(c.patterns, " "))
		require.NoError(t, err, c.patterns)
		require.Equal(t, c.want, set.Match(c.name, false), "%s and %s: %s", c.patterns, c.name, c.why)
	}
	var none *glob.Set
	require.False(t, none.Match("a", false), "no set matches nothing")
}

func TestCompileOne(t *testing.T) {
	set, err := glob.CompileOne("!(keep.txt)")
	require.NoError(t, err)
	require.True(t, set.Match("a.txt", false))
	require.False(t, set.Match("keep.txt", false))
	set, err = glob.CompileOne("!bang.txt")
	require.NoError(t, err)
	require.True(t, set.Match("!bang.txt", false), "a leading ! is part of the name")
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{strings.Repeat("a", 5000), "longer than 4096 bytes"},
		{strings.Repeat("*a", 100), "more than 64 stars"},
		{strings.Repeat("{a,b}", 20), "more than 1000 alternatives"},
		{strings.Repeat("{a,", 600) + strings.Repeat("}", 600) + "{b,c}", "more than 1000 alternatives"},
		{"{1..100000}", "{1..100000} has more than 1000 alternatives"},
		{"+(a|b)", "the group +(a|b) is not supported; write its alternatives as {a,b} or as patterns of their own"},
		{"!!(@(a))", "the group !(@(a) is not supported"},
	} {
		_, err := glob.Compile([]string{c.pattern})
		require.ErrorContains(t, err, c.want)
		require.Less(t, len(err.Error()), 400, "an error does not repeat pages of input")
	}
	_, err := glob.Compile(make([]string, 1001))
	require.EqualError(t, err, "there are more than 1000 patterns")
}

func FuzzMatch(f *testing.F) {
	f.Add("src/**/!(a|{b,c}).go", "src/x/y.go")
	f.Add("{1..9}[!a-c]?(x)", "5dx")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		set, err := glob.Compile([]string{pattern})
		if err != nil {
			return
		}
		set.Match(name, false)
		if literal, err := glob.Compile([]string{pattern}); err == nil && !strings.ContainsAny(pattern, "!./") && pattern != "" {
			require.True(t, literal.Match(pattern, false), "a name matches itself")
		}
	})
}
