package markdown_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
)

func render(t testing.TB, source string) *markdown.Page {
	t.Helper()
	p, err := markdown.New(markdown.Options{}).Render([]byte(source), markdown.Links{})
	require.NoError(t, err)
	return p
}

func TestSyntax(t *testing.T) {
	for _, tc := range []struct{ name, source, want string }{
		{"admonition", "!!! note\n    Text.\n\n    More.\n\nAfter.",
			"<div class=\"admonition note\">\n<p class=\"admonition-title\">Note</p>\n<p>Text.</p>\n<p>More.</p>\n</div>\n<p>After.</p>\n"},
		{"admonition with a title of its own", "!!! warning inline \"Mind *the* gap\"\n    Text.",
			"<div class=\"admonition warning inline\">\n<p class=\"admonition-title\">Mind <em>the</em> gap</p>\n<p>Text.</p>\n</div>\n"},
		{"admonition without a blank", "!!!note \"\"\n    - Item.", "<div class=\"admonition note\">\n<ul>\n<li>Item.</li>\n</ul>\n</div>\n"},
		{"admonition without a title", "!!! tip \"\"\n    Text.", "<div class=\"admonition tip\">\n<p>Text.</p>\n</div>\n"},
		{"admonition in a list", "- one\n\n    !!! note\n        Text.\n\n- two",
			"<ul>\n<li>\n<p>one</p>\n<div class=\"admonition note\">\n<p class=\"admonition-title\">Note</p>\n<p>Text.</p>\n</div>\n</li>\n<li>\n<p>two</p>\n</li>\n</ul>\n"},
		{"admonition in an admonition", "!!! note\n    !!! tip \"T\"\n        Inner.\n    Outer.",
			"<div class=\"admonition note\">\n<p class=\"admonition-title\">Note</p>\n<div class=\"admonition tip\">\n<p class=\"admonition-title\">T</p>\n<p>Inner.\nOuter.</p>\n</div>\n</div>\n"},
		{"no admonition", "!!! \"Hello\"", "<p>!!! &#34;Hello&#34;</p>\n"},
		{"block that folds", "??? question \"Why?\"\n    Because.", "<details class=\"question\">\n<summary>Why?</summary>\n<p>Because.</p>\n</details>\n"},
		{"block that folds, open", "???+ note\n    Text.", "<details class=\"note\" open=\"\">\n<summary>Note</summary>\n<p>Text.</p>\n</details>\n"},
		{"alert of GitHub", "> [!WARNING]\n> Text.\n> More.",
			"<div class=\"admonition warning\">\n<p class=\"admonition-title\">Warning</p>\n<p>Text.\nMore.</p>\n</div>\n"},
		{"quote", "> [!nothing]\n> Text.", "<blockquote>\n<p>[!nothing]\nText.</p>\n</blockquote>\n"},
		{"marked and inserted", "==a *b*== ^^c^^ ~~d~~ = e", "<p><mark>a <em>b</em></mark> <ins>c</ins> <del>d</del> = e</p>\n"},
		{"attributes of an image", "![Logo](a.png){ width=300 .wide } text", "<p><img src=\"a.png\" alt=\"Logo\" width=\"300\" class=\"wide\"> text</p>\n"},
		{"attributes of a link", "[x](y){: .md-button #go }", "<p><a href=\"y\" id=\"go\" class=\"md-button\">x</a></p>\n"},
		{"braces that are text", "[x](y){z}", "<p><a href=\"y\">x</a>{z}</p>\n"},
		{"attributes of a paragraph", "Text.\n{: .lead }", "<p class=\"lead\">Text.</p>\n"},
		{"attributes of a heading", "## A b {: #own }", "<h2 id=\"own\">A b<a class=\"headerlink\" href=\"#own\" title=\"Permanent link\">¶</a></h2>\n"},
		{"task list", "- [x] done\n- [ ] open", "<ul>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> done</li>\n<li><input disabled=\"\" type=\"checkbox\"> open</li>\n</ul>\n"},
		{"table", "| a | b |\n|:--|--:|\n| 1 | `x|y` |\n", ""},
		{"definition list", "Term\n:   What it is.", "<dl>\n<dt>Term</dt>\n<dd>What it is.</dd>\n</dl>\n"},
		{"emoji", ":rocket:", "<p>🚀</p>\n"},
		{"diagram", "```mermaid\ngraph TD; A-->B\n```", "<pre class=\"mermaid\"><code>graph TD; A--&gt;B\n</code></pre>\n"},
		{"code", "```go title=\"main.go\"\nvar x = 1\n```",
			"<div class=\"language-go highlight\"><span class=\"filename\">main.go</span><pre><code><span class=\"kd\">var</span> <span class=\"nx\">x</span> <span class=\"p\">=</span> <span class=\"mi\">1</span>\n</code></pre></div>\n"},
		{"code in braces", "``` { .yaml .annotate hl_lines=\"1\" }\na: 1\nb: 2\n```", ""},
		{"code of an unknown language", "```klingon\n<a>\n```", "<div class=\"language-klingon highlight\"><pre><code>&lt;a&gt;\n</code></pre></div>\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := string(render(t, tc.source).HTML)
			if tc.want == "" {
				t.Log(got)
				return
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestTabs(t *testing.T) {
	got := string(render(t, "=== \"One\"\n\n    First.\n\n=== \"Two *x*\"\n\n    ```go\n    x\n    ```\n\n===! \"Other\"\n    Third.\n").HTML)
	t.Log(got)
	require.Equal(t, 2, strings.Count(got, "tabbed-set"))
}
