package search

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func wordsOf(text string) []string {
	var out []string
	eachWord(text, func(w word) bool {
		out = append(out, w.text)
		return true
	})
	return out
}

func TestWords(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"signs alone", " -./:%*! ", nil},
		{"case is no matter", "Cart API", []string{"cart", "api"}},
		{"names are split where people split them", "cart-api_v2.internal", []string{"cart", "api", "v2", "internal"}},
		{"refs are words", "group:default/team-a", []string{"group", "default", "team", "a"}},
		{"accents are left out, since many keyboards lack them", "Zürich café", []string{"zurich", "cafe"}},
		{"an accent may be a letter of its own", "Zu\u0308rich", []string{"zurich"}},
		{"wide and joined forms are those they stand for", "ＡＰＩ ﬁle", []string{"api", "file"}},
		{"scripts without blanks: a word for each letter", "支付API 服务", []string{"支", "付", "api", "服", "务"}},
		{"other scripts", "Платёж сервис", []string{"платеж", "сервис"}},
		{"bytes that are no text are passed over", "ab\xffcd\xc3", []string{"ab", "cd"}},
		{"a mark alone is no word", "\u0301 x", []string{"x"}},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, wordsOf(tc.text)) })
	}
}

func TestLongWordsAreCut(t *testing.T) {
	for _, letter := range []string{"x", "é", "ж", "支"} {
		for _, w := range wordsOf(strings.Repeat(letter, 1000))[:1] {
			require.LessOrEqual(t, len(w), maxWord)
			require.True(t, utf8.ValidString(w), "cut at a letter")
		}
	}
}

func TestHumps(t *testing.T) {
	for text, want := range map[string][]string{
		"PaymentService": {"payment", "service"},
		"aiResourceURL":  {"ai", "resource", "url"},
		"payment":        nil,
		"API":            nil,
	} {
		var got []string
		humps(text, func(s string) { got = append(got, s) })
		require.Equal(t, want, got, text)
	}
}

func TestParseTerm(t *testing.T) {
	for _, tc := range []struct {
		name, term string
		want       []string
	}{
		{"blanks", "   ", nil},
		{"each word once", "cart CART cart-api", []string{"cart", "api"}},
		{"words of every text are left out", "the cart of a guest", []string{"cart", "guest"}},
		{"unless there is nothing else: somebody may still be typing", "the", []string{"the"}},
		{"operators of other engines are no words", `+cart -"api" title:x*`, []string{"cart", "api", "title", "x"}},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, parseTerm(tc.term)) })
	}
	require.Len(t, parseTerm(strings.Repeat("ab cd 支付服务款单 x1 ", 1)+numbers(100)), maxQueryWords)
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("n", i%7+1) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + " ")
	}
	return b.String()
}

// What is typed is untrusted: its words are bounded, in the form in which they
// are compared, and where they say they are.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"", "cart-api", "Zu\u0308rich", "支付", "the", "ab\xffcd", "İstanbul ß ﬁ", "PaymentService", strings.Repeat("é", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		eachWord(text, func(w word) bool {
			require.True(t, w.start >= end && w.end > w.start && w.end <= len(text), "words are in order and do not overlap")
			end = w.end
			require.NotEmpty(t, w.text)
			require.LessOrEqual(t, len(w.text), maxWord)
			require.True(t, utf8.ValidString(w.text))
			require.Equal(t, w.text, fold(text[w.start:w.end]))
			q := newQueryWord(w.text)
			require.Equal(t, float32(sameWord), q.quality(w.text))
			return true
		})
		terms := parseTerm(text)
		require.LessOrEqual(t, len(terms), maxQueryWords)
		seen := map[string]bool{}
		for _, w := range terms {
			require.False(t, seen[w], "each once")
			seen[w] = true
		}
		m := newMarker([]queryWord{newQueryWord("cart")}, "<0a5ff0e3-mark>", "</0a5ff0e3-mark>")
		marked, _ := m.mark(text, false)
		require.Equal(t, text, strings.NewReplacer(m.pre, "", m.post, "").Replace(marked), "marking adds marks and nothing else")
	})
}
