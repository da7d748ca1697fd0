package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord is how long, in bytes, a word may be that is told from others by all
// of its letters; what is beyond is cut off.
const maxWord = 64

// A word is a run of letters and digits in a text.
type word struct {
	text       string // folded: lower case, without accents
	start, end int    // in bytes of the text
}

// eachWord yields the words of a text in order. Letters of scripts that put no
// blanks between words are words of their own.
func eachWord(text string, yield func(word) bool) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !partOfWord(r) {
			i += size
			continue
		}
		end := i + size
		for !unspaced(r) && end < len(text) {
			next, n := utf8.DecodeRuneInString(text[end:])
			if !partOfWord(next) || unspaced(next) {
				break
			}
			end += n
		}
		if w := fold(text[i:end]); w != "" && !yield(word{w, i, end}) {
			return
		}
		i = end
	}
}

func partOfWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

func unspaced(r rune) bool {
	return r >= 0x3040 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// fold brings a word into the form in which words are compared.
func fold(s string) string {
	if isASCII(s) {
		return cut(strings.ToLower(s))
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(cut(s)) {
		if !unicode.IsMark(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return cut(b.String())
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cut shortens a word to maxWord bytes or a little less, at a letter.
func cut(s string) string {
	if len(s) <= maxWord {
		return s
	}
	end := maxWord
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// humps yields the parts of a word such as PaymentService, folded; none where
// there is only one.
func humps(s string, yield func(string)) {
	start, parts := 0, 0
	for i := 1; i < len(s); i++ {
		lower, upper := s[i-1] >= 'a' && s[i-1] <= 'z', s[i] >= 'A' && s[i] <= 'Z'
		if !lower || !upper {
			continue
		}
		yield(fold(s[start:i]))
		start, parts = i, parts+1
	}
	if parts > 0 {
		yield(fold(s[start:]))
	}
}

// maxQueryWords is how many words of a query are looked for.
const maxQueryWords = 32

// parseTerm returns the words of a query, each once. Words that are in nearly
// every text count only where there are no others.
func parseTerm(term string) []string {
	var all, telling []string
	seen := map[string]bool{}
	eachWord(term, func(w word) bool {
		if seen[w.text] {
			return true
		}
		seen[w.text] = true
		all = append(all, w.text)
		if !isStopWord(w.text) {
			telling = append(telling, w.text)
		}
		return len(all) < maxQueryWords
	})
	if telling != nil {
		return telling
	}
	return all
}

// isStopWord tells whether a word says nothing about an English text.
func isStopWord(w string) bool {
	switch w {
	case "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "do", "for", "from", "had", "has", "have",
		"he", "her", "his", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or",
		"our", "she", "so", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "us", "was",
		"we", "were", "what", "when", "where", "which", "who", "will", "with", "you", "your":
		return true
	}
	return false
}
