package markdown

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/yuin/goldmark/util"
)

const (
	// maxHighlighted is the largest block of code, in bytes, that is
	// highlighted. Longer ones are shown plain.
	maxHighlighted = 64 << 10
	// maxLineNumber bounds the number that lines are counted from, and how
	// many lines may be marked.
	maxLineNumber = 1_000_000
)

// A fence is what the first line of a block of code says.
type fence struct {
	language, title string
	numbered        bool
	first           int // number of the first line
	marked          map[int]bool
	classes         string
	id              string
}

var (
	fenceWord   = regexp.MustCompile(`^[^\s{=]+`)
	fenceOption = regexp.MustCompile(`([\w-]+)=(?:"([^"]*)"|'([^']*)'|([^\s}]+))`)
)

// parseFence reads the info of a fence in one of its forms: go title="x",
// {.go .class title="x"}, or go {.class}.
func parseFence(info string) fence {
	f := fence{first: 1}
	info = strings.TrimSpace(info)
	f.language = fenceWord.FindString(info)
	rest := info[len(f.language):]
	for _, m := range fenceOption.FindAllStringSubmatch(rest, -1) {
		f.option(strings.ToLower(m[1]), m[2]+m[3]+m[4])
	}
	if open := strings.IndexByte(rest, '{'); open >= 0 {
		bare := fenceOption.ReplaceAllString(strings.Trim(rest[open:], "{} "), "")
		var classes []string
		for _, word := range strings.Fields(bare) {
			switch {
			case strings.HasPrefix(word, "#"):
				f.id = word[1:]
			case f.language == "":
				f.language = strings.TrimPrefix(word, ".")
			default:
				classes = append(classes, strings.TrimPrefix(word, "."))
			}
		}
		f.classes = strings.Join(classes, " ")
	}
	return f
}

func (f *fence) option(name, value string) {
	switch name {
	case "title":
		f.title = value
	case "linenums":
		if n, err := strconv.Atoi(strings.Fields(value + " 1")[0]); err == nil && n > 0 && n < maxLineNumber {
			f.numbered, f.first = true, n
		}
	case "hl_lines":
		f.marked = map[int]bool{}
		for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' }) {
			from, to, isRange := strings.Cut(part, "-")
			a, err := strconv.Atoi(from)
			b := a
			if isRange && err == nil {
				b, err = strconv.Atoi(to)
			}
			for n := a; err == nil && n <= b && n < maxLineNumber && len(f.marked) < maxHighlighted; n++ {
				f.marked[n] = true
			}
		}
	}
}

// diagrams are languages that the browser draws.
var diagrams = map[string]bool{"mermaid": true}

// writeCode writes a block of code.
func writeCode(w util.BufWriter, info string, code []byte) {
	f := parseFence(info)
	if diagrams[strings.ToLower(f.language)] {
		writeAll(w, `<pre class="`, escape(strings.ToLower(f.language)), `"><code>`, escape(string(code)), "</code></pre>\n")
		return
	}
	class := "highlight"
	if f.language != "" {
		class = "language-" + f.language + " " + class
	}
	if f.classes != "" {
		class += " " + f.classes
	}
	writeAll(w, `<div class="`, escape(class), `"`)
	if f.id != "" {
		writeAll(w, ` id="`, escape(f.id), `"`)
	}
	writeAll(w, ">")
	if f.title != "" {
		writeAll(w, `<span class="filename">`, escape(f.title), "</span>")
	}
	if f.numbered {
		writeAll(w, `<table class="highlighttable"><tbody><tr><td class="linenos"><div class="linenodiv"><pre>`)
		for i := range strings.Count(strings.TrimSuffix(string(code), "\n"), "\n") + 1 {
			writeAll(w, "<span>", strconv.Itoa(f.first+i), "</span>\n")
		}
		writeAll(w, `</pre></div></td><td class="code"><div>`)
	}
	writeAll(w, "<pre><code>")
	writeHighlighted(w, f, string(code))
	writeAll(w, "</code></pre>")
	if f.numbered {
		writeAll(w, "</div></td></tr></tbody></table>")
	}
	writeAll(w, "</div>\n")
}

// writeHighlighted writes code with its words in elements that say what they
// are, by the names that Pygments has for them.
func writeHighlighted(w util.BufWriter, f fence, code string) {
	lines := plainLines(code)
	if lexer := lexers.Get(f.language); f.language != "" && lexer != nil && len(code) <= maxHighlighted {
		if words, ok := tokenise(lexer, code); ok {
			lines = chroma.SplitTokensIntoLines(words)
		}
	}
	for i, line := range lines {
		marked := f.marked[i+1]
		if marked {
			writeAll(w, `<span class="hll">`)
		}
		for _, word := range line {
			class := chroma.StandardTypes[word.Type]
			if class == "" || word.Type.InCategory(chroma.Text) || word.Type == chroma.Background {
				writeAll(w, escape(word.Value))
				continue
			}
			writeAll(w, `<span class="`, class, `">`, escape(word.Value), "</span>")
		}
		if marked {
			writeAll(w, "</span>")
		}
	}
}

// lexerTime is how long a lexer may take for one block: some have expressions
// for which there is code that keeps them busy for minutes.
const lexerTime = 2 * time.Second

// tokenise splits code into words; ok is false if that does not come to an end.
func tokenise(lexer chroma.Lexer, code string) (words []chroma.Token, ok bool) {
	next, err := chroma.Coalesce(lexer).Tokenise(nil, code)
	if err != nil {
		return nil, false
	}
	deadline := time.Now().Add(lexerTime)
	for word := next(); word != chroma.EOF; word = next() {
		words = append(words, word)
		if len(words)%64 == 0 && time.Now().After(deadline) {
			return nil, false
		}
	}
	return words, true
}

func plainLines(code string) (lines [][]chroma.Token) {
	for line := range strings.Lines(code) {
		lines = append(lines, []chroma.Token{{Type: chroma.Text, Value: line}})
	}
	return lines
}

// writeAll writes strings. The error of a buffered writer is that of its flush.
func writeAll(w util.BufWriter, parts ...string) {
	for _, s := range parts {
		_, _ = w.WriteString(s)
	}
}

func escape(s string) string { return string(util.EscapeHTML([]byte(s))) }
