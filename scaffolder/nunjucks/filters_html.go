package nunjucks

import (
	"math"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks/jsregexp"
)

var htmlEscapes = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&#39;", "<", "&lt;", ">", "&gt;", `\`, "&#92;")

func escapeHTML(s string) string { return htmlEscapes.Replace(s) }

// plainText is what the escaping filters take for the text of a value.
func (rt *runtime) plainText(v Value) (string, error) {
	if v.IsNullish() {
		return "", nil
	}
	return rt.text(v)
}

func filterEscape(rt *runtime, args []Value) (Value, error) {
	if v := arg(args, 0); v.kind == KindSafe {
		return v, nil
	}
	return filterForceEscape(rt, args)
}

func filterForceEscape(rt *runtime, args []Value) (Value, error) {
	s, err := rt.plainText(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	s = escapeHTML(s)
	return newSafe(s), rt.spend(1, len(s))
}

func filterSafe(rt *runtime, args []Value) (Value, error) {
	if v := arg(args, 0); v.kind == KindSafe {
		return v, nil
	}
	s, err := rt.plainText(arg(args, 0))
	return newSafe(s), err
}

func filterNl2br(rt *runtime, args []Value) (Value, error) {
	v := arg(args, 0)
	if v.IsNullish() {
		return empty, nil
	}
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "<br />\n")
	return like(v, s), rt.spend(1, len(s))
}

func filterStriptags(rt *runtime, args []Value) (Value, error) {
	v := blank(arg(args, 0))
	s, err := wantText(v)
	if err != nil {
		return undefined, err
	}
	if err := rt.spend(1, len(s)); err != nil {
		return undefined, err
	}
	s = trim(dropTags(s))
	if truthy(arg(args, 1)) {
		s = squeezeLines(s)
	} else {
		s = squeezeSpace(s)
	}
	return like(v, s), nil
}

// dropTags removes tags and comments. A < that begins neither stays.
func dropTags(s string) string {
	var out strings.Builder
	noTag, noComment := false, false
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i:]
		n := 0
		if strings.HasPrefix(s, "<!--") && !noComment {
			if n = strings.Index(s[4:], "-->") + 7; n == 6 {
				n, noComment = 0, true
			}
		} else if size := tagName(s); size > 0 && !noTag {
			if n = strings.IndexByte(s[size:], '>') + size + 1; n == size {
				n, noTag = 0, true
			}
		}
		if n == 0 {
			out.WriteByte('<')
			n = 1
		}
		s = s[n:]
	}
	out.WriteString(s)
	return out.String()
}

// tagName returns the length of the start of a tag up to the end of its name,
// 0 if s begins with none.
func tagName(s string) int {
	i := 1
	if i < len(s) && s[i] == '/' {
		i++
	}
	start := i
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || i > start && s[i] >= '0' && s[i] <= '9') {
		i++
	}
	if i == start || i < len(s) && s[i] == '_' {
		return 0
	}
	return i
}

func squeezeSpace(s string) string {
	out := make([]byte, 0, len(s))
	space := false
	for len(s) > 0 {
		r, n := decode(s)
		if !isSpace(r) {
			out = append(out, s[:n]...)
		} else if !space {
			out = append(out, ' ')
		}
		space = isSpace(r)
		s = s[n:]
	}
	return string(out)
}

// squeezeLines removes spaces around lines, squeezes those within and leaves
// at most one empty line in a row.
func squeezeLines(s string) string {
	var out strings.Builder
	at := 0
	for i := 0; i <= len(s); i++ {
		size := 1
		if i < len(s) {
			var r rune
			if r, size = decode(s[i:]); r != '\n' && r != '\r' && r != 0x2028 && r != 0x2029 {
				i += size - 1
				continue
			}
		}
		line := strings.Trim(s[at:i], " ")
		for strings.Contains(line, "  ") {
			line = strings.ReplaceAll(line, "  ", " ")
		}
		out.WriteString(line)
		if i < len(s) {
			out.WriteString(s[i : i+size])
		}
		i += size - 1
		at = i + 1
	}
	text := strings.ReplaceAll(out.String(), "\r\n", "\n")
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	return text
}

// The patterns by which urlize recognises what to link.
var (
	emailPattern = mustPattern(`^[\w.!#$%&'*+\-\/=?^`+"`"+`{|}~]+@[a-z\d\-]+(?:\.[a-z\d\-]+)+$`, "i")
	tldPattern   = mustPattern(`\.(?:org|net|com)(?::|\/|$)`, "")
)

func mustPattern(source, flags string) *jsregexp.Regexp {
	re, err := jsregexp.Compile(source, flags)
	if err != nil {
		panic(err) // the patterns above are constants
	}
	return re
}

func (rt *runtime) fits(re *jsregexp.Regexp, s string) (bool, error) {
	m, err := rt.find(&regexpObject{pattern: &pattern{re: re}}, units(s), 0, false)
	return m != nil, err
}

func filterUrlize(rt *runtime, args []Value) (Value, error) {
	s, err := wantText(arg(args, 0))
	if err != nil {
		return undefined, err
	}
	limit, err := rt.urlizeLimit(arg(args, 1))
	if err != nil {
		return undefined, err
	}
	rel := ""
	if v := arg(args, 2); v.Bool() {
		rel = ` rel="nofollow"`
	}
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 {
			end = len(s)
		}
		word, err := rt.linked(s[:end], limit, rel)
		if err == nil {
			err = rt.spend(1, len(word))
		}
		if err != nil {
			return undefined, err
		}
		out.WriteString(word)
		s = s[end:]
		rest := trimStart(s)
		out.WriteString(s[:len(s)-len(rest)])
		s = rest
	}
	return str(out.String()), nil
}

func (rt *runtime) urlizeLimit(v Value) (int, error) {
	if v.kind == KindUndefined || v.kind == KindNumber && math.IsNaN(v.num()) {
		return math.MaxInt32, nil
	}
	return rt.whole(v, 0, math.MaxInt32)
}

// linked wraps a word in a link if it is an address.
func (rt *runtime) linked(word string, limit int, rel string) (string, error) {
	url := withoutPunctuation(word)
	short := slice(url, 0, min(limit, length(url)))
	link := func(to string) (string, error) {
		return `<a href="` + to + `"` + rel + `>` + short + `</a>`, nil
	}
	if strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://") {
		return link(url)
	}
	if strings.HasPrefix(url, "www.") {
		return link("http://" + url)
	}
	if email, err := rt.fits(emailPattern, url); email || err != nil {
		return `<a href="mailto:` + url + `">` + url + `</a>`, err
	}
	if tld, err := rt.fits(tldPattern, url); tld || err != nil {
		s, _ := link("http://" + url)
		return s, err
	}
	return word, nil
}

// withoutPunctuation drops one opening and one closing mark around a word.
func withoutPunctuation(word string) string {
	if word == "" {
		return word
	}
	for _, open := range []string{"(", "<", "&lt;"} {
		if rest, ok := strings.CutPrefix(word, open); ok {
			word = rest
			break
		}
	}
	for _, end := range []string{".", ",", ")", "&gt;"} {
		if rest, ok := strings.CutSuffix(word, end); ok {
			return rest
		}
	}
	return word
}
