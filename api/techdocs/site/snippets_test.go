package site_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
)

func TestSnippets(t *testing.T) {
	files := site.Memory{
		"docs/part.md": "Part *one*.", "src/main.go": "package main\n\n// --8<-- [start:setup]\nfunc setup() {}\n// --8<-- [end:setup]\nfunc other() {}\n",
		"docs/outer.md": "Outer.\n\n--8<-- \"docs/part.md\"\n", "docs/loop.md": "Again.\n\n--8<-- \"docs/loop.md\"\n", "CHANGES.md": "## 1.0\n\nFirst.\n",
	}
	for _, tc := range []struct{ name, source, want, problem string }{
		{"a file", "--8<-- \"CHANGES.md\"", "<p>First.</p>", ""},
		{"a file of the documents", "Before.\n\n--8<-- 'part.md'\n\nAfter.", "<p>Before.</p>\n<p>Part <em>one</em>.</p>\n<p>After.</p>", ""},
		{"files in a block", "--8<--\ndocs/part.md\n\nCHANGES.md\n--8<--\n", "<p>Part <em>one</em>.</p>\n<h2 id=\"10\">", ""},
		{"code", "```text\n--8<-- \"src/main.go:setup\"\n```", "<code>func setup() {}\n</code>", ""},
		{"lines", "```text\n--8<-- \"src/main.go:6:6\"\n```", "<code>func other() {}\n</code>", ""},
		{"set in", "- item\n\n    --8<-- \"docs/part.md\"\n", "<li>\n<p>item</p>\n<p>Part <em>one</em>.</p>\n</li>", ""},
		{"a file that includes another", "--8<-- \"docs/outer.md\"", "<p>Outer.</p>\n<p>Part <em>one</em>.</p>", ""},
		{"a file that includes itself", "--8<-- \"docs/loop.md\"", "<p>Again.</p>", "nested too deep"},
		{"no file", "Text.\n\n--8<-- \"gone.md\"\n", "<p>Text.</p>", "snippet gone.md: it is not there"},
		{"no such part", "--8<-- \"src/main.go:gone\"", "", "it has no part gone"},
		{"out of the tree", "--8<-- \"../../etc/passwd\"", "", "it is not there"},
		{"an address", "--8<-- \"https://x.example/y.md\"", "", "addresses are not read"},
		{"without meaning", ";--8<-- \"CHANGES.md\"", "<p>--8&lt;-- &#34;CHANGES.md&#34;</p>", ""},
		{"too many", strings.Repeat("--8<-- \"docs/part.md\"\n\n", 300), "Part", "more than 200 snippets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := maps.Clone(files)
			tree["docs/index.md"] = "# Start\n\n" + tc.source
			delete(tree, "docs/loop.md")
			if strings.Contains(tc.source, "loop") {
				tree["docs/loop.md"] = files["docs/loop.md"]
			}
			s := build(t, tree)
			require.Contains(t, read(t, s, "index.html"), tc.want)
			if tc.problem == "" {
				require.Empty(t, s.Problems)
			} else {
				require.Contains(t, strings.Join(s.Problems, "\n"), tc.problem)
			}
		})
	}
	require.Equal(t, []string{"a.md", "b.go", "c.md"}, site.SnippetFiles([]byte("--8<-- \"a.md\"\n  -8<- 'b.go:1:2'\n--8<--\nc.md\n--8<--\n;--8<-- \"d.md\"\n")))
}

// What includes something is rendered again, since that may have changed.
func TestSnippetsThatChange(t *testing.T) {
	tree := site.Memory{"docs/index.md": "--8<-- \"NEWS.md\"", "docs/a.md": "# A", "NEWS.md": "old"}
	first := build(t, tree)
	tree = maps.Clone(tree)
	tree["NEWS.md"] = "fresh"
	second, err := site.Build(t.Context(), tree, first, options())
	require.NoError(t, err)
	require.Equal(t, 1, second.Reused)
	require.Contains(t, read(t, second, "index.html"), "fresh")
	require.NotEqual(t, first.Digest, second.Digest)
	tree["NEWS.md"] = strings.Repeat("x", markdown.MaxSource+1)
	third := build(t, tree)
	require.Contains(t, strings.Join(third.Problems, "\n"), "larger than")
}
