package site_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
)

var renderer = markdown.New(markdown.Options{})

func options() site.Options {
	return site.Options{
		Name: "Sample", Renderer: renderer, Parallel: 2, Context: "x",
		EditURL: func(p string) string { return "https://git.example/edit/" + p },
		ViewURL: func(p string) string { return "https://git.example/view/" + p },
	}
}

func build(t testing.TB, tree site.Memory) *site.Site {
	t.Helper()
	s, err := site.Build(t.Context(), tree, nil, options())
	require.NoError(t, err)
	return s
}

func read(t testing.TB, s *site.Site, path string) string {
	t.Helper()
	f, err := s.Open(path)
	require.NoError(t, err, path)
	defer f.Close()
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(data)
}

// navigation is the titles of the navigation of a page, with what they lead to.
func navigation(t *testing.T, s *site.Site, path string) string {
	html := read(t, s, path)
	_, html, _ = strings.Cut(html, `md-nav--primary`)
	html, _, _ = strings.Cut(html, `md-sidebar--secondary`)
	var out []string
	for line := range strings.Lines(html) {
		if !strings.Contains(line, "md-nav__link") {
			continue
		}
		_, href, _ := strings.Cut(line, `href="`)
		href, _, _ = strings.Cut(href, `"`)
		_, title, _ := strings.Cut(line, `md-ellipsis">`)
		title, _, _ = strings.Cut(title, "<")
		if !strings.Contains(line, "href") {
			href = "+"
		}
		out = append(out, title+" "+href)
	}
	return strings.Join(out, ", ")
}

func TestAddresses(t *testing.T) {
	s := build(t, site.Memory{
		"mkdocs.yml": "site_name: My site\n", "docs/index.md": "# Start", "docs/guide/README.md": "# Guide",
		"docs/guide/first-steps.md": "text", "docs/zoo.md": "# Zoo", "docs/guide/img/a.png": "png", "docs/.hidden.md": "# No", "docs/a b.md": "# Blank",
		"src/main.go": "package main", "README.md": "# Not it",
	})
	require.Equal(t, "My site", s.Name)
	require.Equal(t, []string{"a b/index.html", "guide/first-steps/index.html", "guide/img/a.png", "guide/index.html", "index.html",
		"search/search_index.json", "techdocs_metadata.json", "zoo/index.html"}, slices.Delete(s.Files(), 1, 2), "all but the style sheet")
	require.Equal(t, "Start ./, Blank a b/, Zoo zoo/, Guide +, Guide guide/, First steps guide/first-steps/", navigation(t, s, "index.html"))
	require.Equal(t, "Start ../../, Blank ../../a b/, Zoo ../../zoo/, Guide +, Guide ../, First steps ./", navigation(t, s, "guide/first-steps/index.html"))
	require.Equal(t, "png", read(t, s, "guide/img/a.png"))
	for _, path := range []string{"mkdocs.yml", ".hidden/index.html", "src/main.go", "README.md", "docs/index.md", "guide", "../mkdocs.yml", "", "techdocs_metadata.json"} {
		_, err := s.Open(path)
		require.ErrorIs(t, err, fs.ErrNotExist, path)
	}
}

func TestNavigation(t *testing.T) {
	pages := site.Memory{"docs/index.md": "# Start", "docs/a.md": "# A", "docs/b/c.md": "---\ntitle: See\n---\n# C", "docs/d.md": "# D"}
	for _, tc := range []struct{ name, config, want, problem string }{
		{"none", "site_name: x", "Start ./, A a/, D d/, B +, See b/c/", ""},
		{"no configuration", "", "Start ./, A a/, D d/, B +, See b/c/", ""},
		{"titles, sections, addresses", "nav:\n- Home: index.md\n- Part:\n  - a.md\n  - Deeper:\n    - Cee: b/c.md\n- Web: https://x.example/\n",
			"Home ./, Part +, A a/, Deeper +, Cee b/c/, Web https://x.example/", ""},
		{"a folder", "nav:\n- index.md\n- Bees: b/\n- b\n", "Start ./, Bees +, See b/c/, B +, See b/c/", ""},
		{"a page that is not there", "nav:\n- index.md\n- Gone: gone.md\n- ../../etc/passwd\n", "Start ./", "mkdocs.yml: nav: gone.md is not there"},
		{"an empty section", "nav:\n- index.md\n- Empty: []\n- Null: \n", "Start ./", ""},
		{"tags of Python, variables and unknown plugins", "site_name: !ENV [NAME, x]\nplugins:\n- techdocs-core\n- no-such: {a: b}\nmarkdown_extensions:\n" +
			"- pymdownx.emoji:\n    emoji_index: !!python/name:materialx.emoji.twemoji\n    f: !!python/object/apply:os.system [id]\nnav:\n- index.md\n", "Start ./", ""},
		{"aliases", "x: &x\n- a.md\n- d.md\nnav:\n- index.md\n- One: *x\n- Two: *x\n", "Start ./, One +, A a/, D d/, Two +, A a/, D d/", ""},
		{"another folder", "docs_dir: docs/b\n", "See ./", ""},
		{"the folder of the file", "docs_dir: .\nnav:\n- docs/a.md\n", "A ", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := maps.Clone(pages)
			if tc.config != "" {
				tree["mkdocs.yml"] = tc.config
			}
			s := build(t, tree)
			page := s.Files()[0]
			for _, f := range s.Files() {
				if strings.HasSuffix(f, "index.html") && (f == "index.html" || page == s.Files()[0]) {
					page = f
				}
			}
			require.Contains(t, navigation(t, s, page), tc.want)
			if tc.problem != "" {
				require.Contains(t, s.Problems, tc.problem)
			}
		})
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		config string
		want   error
	}{
		"no YAML":          {"a: [", site.ErrConfig},
		"a list":           {"- a", site.ErrConfig},
		"outside":          {"docs_dir: ../../etc", site.ErrConfig},
		"absolute":         {"docs_dir: /etc", site.ErrConfig},
		"outside, hidden":  {`docs_dir: a\..\..\..\etc`, site.ErrConfig},
		"include outside":  {"nav:\n- X: '!include ../../other/mkdocs.yml'\n", site.ErrConfig},
		"include nothing":  {"nav:\n- X: '!include ./nothing/mkdocs.yml'\n", site.ErrConfig},
		"nav is a text":    {"nav: index.md", site.ErrConfig},
		"nav is too deep":  {deepNav(40), site.ErrConfig},
		"nav is too long":  {"nav:\n" + strings.Repeat("- a.md\n", 30_000), site.ErrConfig},
		"nav multiplies":   {bomb(), site.ErrConfig},
		"nav holds itself": {"nav: &n\n- a.md\n- Again: *n\n", site.ErrConfig},
		"no such folder":   {"docs_dir: nothing", site.ErrNoPages},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := site.Build(t.Context(), site.Memory{"mkdocs.yml": tc.config, "docs/index.md": "# x"}, nil, options())
			require.ErrorIs(t, err, tc.want)
			require.True(t, site.IsConfigured(err))
		})
	}
}

func deepNav(n int) string {
	var b strings.Builder
	b.WriteString("nav:\n")
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "- x:\n")
	}
	b.WriteString(strings.Repeat(" ", n) + "- index.md\n")
	return b.String()
}

// bomb is a navigation whose aliases stand for 10^9 entries.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [index.md]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [", i+1, i+1)
		for j := range 10 {
			fmt.Fprintf(&b, "{x%d: *a%d},", j, i)
		}
		b.WriteString("]\n")
	}
	b.WriteString("nav: *a9\n")
	return b.String()
}

func TestReadmeStandsForTheIndex(t *testing.T) {
	s := build(t, site.Memory{"README.md": "# Read me\n\n[more](docs/more.md)", "docs/more.md": "# More\n\n[up](../README.md)"})
	require.Equal(t, "Read me ./, More more/", navigation(t, s, "index.html"))
	require.Contains(t, read(t, s, "index.html"), `<a href="more/">more</a>`)
	require.Contains(t, read(t, s, "more/index.html"), `<a href="../">up</a>`)
	s = build(t, site.Memory{"README.md": "# Alone"})
	require.Equal(t, "Sample", s.Name)
	require.Contains(t, read(t, s, "index.html"), "Alone")
}

func TestLinks(t *testing.T) {
	tree := site.Memory{"docs/index.md": "# x", "docs/img/a b.png": "p", "docs/other.md": "# o", "docs/sub/index.md": "# s", "docs/sub/deep.md": "# d",
		"docs/files/x.pdf": "pdf", "docs/pic.svg": "<svg/>"}
	for _, tc := range []struct{ from, link, want, problem string }{
		{"page.md", "[x](other.md)", `href="../other/"`, ""},
		{"page.md", "[x](other.md#part)", `href="../other/#part"`, ""},
		{"page.md", "[x](./sub/deep.md)", `href="../sub/deep/"`, ""},
		{"page.md", "[x](sub/)", `href="../sub/"`, ""},
		{"page.md", "[x](sub/index.md)", `href="../sub/"`, ""},
		{"page.md", "[x](index.md)", `href="../"`, ""},
		{"page.md", "[x](/other.md)", `href="../other/"`, ""},
		{"sub/page.md", "[x](../other.md?a=b#c)", `href="../../other/?a=b#c"`, ""},
		{"sub/page.md", "[x](deep.md)", `href="../deep/"`, ""},
		{"page.md", "[x](page.md#own)", `href="./#own"`, ""},
		{"page.md", "[x](#own)", `href="#own"`, ""},
		{"page.md", "![x](img/a%20b.png)", `src="../img/a%20b.png"`, ""},
		{"page.md", "![x](pic.svg)", `src="../pic.svg"`, ""},
		{"page.md", "[x](files/x.pdf)", `<a href="../files/x.pdf" download="">`, ""},
		{"page.md", "[x](https://x.example/other.md)", `href="https://x.example/other.md"`, ""},
		{"page.md", "[x](//x.example/other.md)", `href="//x.example/other.md"`, ""},
		{"page.md", "[x](mailto:a@b.example)", `href="mailto:a@b.example"`, ""},
		{"page.md", "[x](../src/main.go#L3)", `href="https://git.example/view/src/main.go#L3"`, ""},
		{"page.md", "[x](../../../etc/passwd)", `href="../../../etc/passwd"`, ""},
		{"page.md", "[x](gone.md)", `href="gone.md"`, "docs/page.md: gone.md is not there"},
		{"page.md", "![x](gone.png)", `src="gone.png"`, "docs/page.md: gone.png is not there"},
		{"page.md", "[x](/docs/other.md)", `href="../other/"`, ""},
		{"page.md", "<img src=\"img/a%20b.png\">", `src="../img/a%20b.png"`, ""},
		{"page.md", "<img src=\"../img/a%20b.png\">", `src="../img/a%20b.png"`, ""},
		{"page.md", "<a href=\"other.md\">x</a>", `href="../other/"`, ""},
		{"page.md", "<a href=\"../other/\">x</a>", `href="../other/"`, ""},
		{"page.md", "<img src=\"gone.png\">", `src="gone.png"`, ""},
		{"page.md", "[x]: other.md\n\n[x]", `href="../other/"`, ""},
	} {
		t.Run(tc.link, func(t *testing.T) {
			tree := maps.Clone(tree)
			tree["docs/"+tc.from] = "# Page\n\n" + tc.link
			s := build(t, tree)
			html := read(t, s, strings.TrimSuffix(tc.from, ".md")+"/index.html")
			_, html, _ = strings.Cut(html, "<article")
			require.Contains(t, html, tc.want)
			if tc.problem != "" {
				require.Contains(t, s.Problems, tc.problem)
			} else {
				require.Empty(t, s.Problems)
			}
		})
	}
}

func TestPage(t *testing.T) {
	s := build(t, site.Memory{"mkdocs.yml": "site_name: A & B\nsite_description: '\"quoted\"'\nnav: [index.md, {'<i>Second</i>': b.md}]\n",
		"docs/index.md": "Text before.\n\n## Part <script>\n\n### Deeper\n\n## Part <script>\n", "docs/b.md": "---\nhide: [navigation, toc]\n---\n# B"})
	html := read(t, s, "index.html")
	for _, want := range []string{
		"<title>A &amp; B</title>", `content="&#34;quoted&#34;"`, `href="assets/stylesheets/main.`, "<h1>Home</h1>",
		`<a href="https://git.example/edit/docs/index.md" title="Edit this page"`, `<a href="#part-script" class="md-nav__link">`, `<a href="#part-script_1"`, `<h3 id="deeper">`,
		`<a href="#deeper"`, "&lt;i&gt;Second&lt;/i&gt;", `rel="next"`, `<article class="md-content__inner md-typeset">`,
	} {
		require.Contains(t, html, want)
	}
	require.NotContains(t, html, "<script")
	require.NotContains(t, html, " hidden>")
	second := read(t, s, "b/index.html")
	require.Contains(t, second, "<title>B - A &amp; B</title>")
	require.Equal(t, 2, strings.Count(second, " hidden>"))
	require.Contains(t, second, `rel="prev"`)
	_, css, _ := strings.Cut(html, `href="assets/stylesheets/main.`)
	css, _, _ = strings.Cut(css, `"`)
	require.Regexp(t, `^[0-9a-f]{8}\.min\.css$`, css, "the reader lets no other name through")
	require.Contains(t, read(t, s, "assets/stylesheets/main."+css), ".md-typeset")
	require.NotContains(t, read(t, s, "assets/stylesheets/main."+css), "@import")
}

func TestSearchIndex(t *testing.T) {
	s := build(t, site.Memory{"docs/index.md": "# Start\n\nIntro &amp; *more*.\n\n## One\n\nFirst `code`.\n\n!!! note \"Careful\"\n    Inner.\n\n```go\nx := 1\n```\n\n## Two\n\n| a | b |\n|---|---|\n| c | d |\n",
		"docs/b/c.md": "Only text <b>here</b>."})
	var got []string
	for section := range s.Sections() {
		got = append(got, fmt.Sprintf("%s|%s|%s", section.Path, section.Title, section.Text))
	}
	require.Equal(t, []string{"|Start|Intro & more.", "#one|One|First code. Careful Inner. x := 1", "#two|Two|a b c d", "b/c/|C|Only text here."}, got)
	require.Contains(t, read(t, s, "search/search_index.json"), `{"location":"#one","title":"One","text":"First code. Careful Inner. x := 1"}`)
}

func TestInclude(t *testing.T) {
	s := build(t, site.Memory{
		"mkdocs.yml": "site_name: All\nnav:\n- index.md\n- Team A: '!include ./teams/a/mkdocs.yml'\n- '!include teams/b/mkdocs.yml'\n", "docs/index.md": "# Start\n\n[a](../teams/a/docs/x.md)",
		"teams/a/mkdocs.yml": "site_name: team-a\nnav:\n- X: x.md\n- Loop: '!include ../../mkdocs.yml'\n", "teams/a/docs/x.md": "# X\n\n![p](p.png)", "teams/a/docs/p.png": "p",
		"teams/b/mkdocs.yml": "site_name: Team B\n", "teams/b/docs/index.md": "# B",
	})
	require.Equal(t, "Start ./, Team A +, X team-a/x/, Team B +, B team-b/", navigation(t, s, "index.html"))
	require.Contains(t, read(t, s, "index.html"), `<a href="team-a/x/">a</a>`)
	require.Contains(t, read(t, s, "team-a/x/index.html"), `src="../p.png"`)
	require.Equal(t, "p", read(t, s, "team-a/p.png"))
}

func TestLimits(t *testing.T) {
	tree := site.Memory{"docs/index.md": "# x"}
	for i := range site.MaxPages {
		tree[fmt.Sprintf("docs/%d.md", i)] = "x"
	}
	_, err := site.Build(t.Context(), tree, nil, options())
	require.ErrorIs(t, err, site.ErrLimit)
	tree = site.Memory{"docs/index.md": "# x"}
	for i := range site.MaxFiles {
		tree[fmt.Sprintf("docs/%d.png", i)] = "x"
	}
	_, err = site.Build(t.Context(), tree, nil, options())
	require.ErrorIs(t, err, site.ErrLimit)
	_, err = site.Build(t.Context(), site.Memory{"docs/index.md": "# x", "docs/a.bin": strings.Repeat("x", site.MaxFile+1)}, nil, options())
	require.ErrorIs(t, err, site.ErrLimit)
	_, err = site.Build(t.Context(), site.Memory{"docs/index.md": "# x", "mkdocs.yml": "site_name: x\n" + strings.Repeat("# x\n", 1<<19)}, nil, options())
	require.ErrorIs(t, err, site.ErrLimit)
}

func TestPageThatCannotBeShown(t *testing.T) {
	s := build(t, site.Memory{"docs/index.md": "# Start", "docs/huge.md": strings.Repeat("x ", markdown.MaxSource), "docs/deep.md": strings.Repeat("> ", 500) + "x"})
	require.Len(t, s.Problems, 2)
	require.Contains(t, read(t, s, "huge/index.html"), "This page cannot be shown")
	require.Contains(t, read(t, s, "deep/index.html"), "nested too deep")
	require.Contains(t, read(t, s, "index.html"), "Start")
}

func TestOnlyWhatChangedIsRendered(t *testing.T) {
	tree := site.Memory{"docs/index.md": "# Start", "docs/a.md": "# A", "docs/b.md": "# B"}
	first := build(t, tree)
	require.Zero(t, first.Reused)
	tree = maps.Clone(tree)
	tree["docs/a.md"] = "# New"
	second, err := site.Build(t.Context(), tree, first, options())
	require.NoError(t, err)
	require.Equal(t, 2, second.Reused)
	require.NotEqual(t, first.Digest, second.Digest)
	require.Contains(t, navigation(t, second, "b/index.html"), "New ../a/")
	require.Equal(t, read(t, build(t, tree), "b/index.html"), read(t, second, "b/index.html"), "as if made anew")
	third, err := site.Build(t.Context(), tree, second, options())
	require.NoError(t, err)
	require.Equal(t, second.Digest, third.Digest)
	tree["docs/c.md"] = "# C" // links may now lead there
	fourth, err := site.Build(t.Context(), tree, third, options())
	require.NoError(t, err)
	require.Zero(t, fourth.Reused)
}

func TestBuildEnds(t *testing.T) {
	ctx, cancel := cancelled()
	defer cancel()
	_, err := site.Build(ctx, site.Memory{"docs/index.md": "# x"}, nil, options())
	require.True(t, errors.Is(err, errEnough))
}
