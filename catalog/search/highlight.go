package search

import (
	"fmt"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A marker puts marks around the words of texts that a query has found.
type marker struct {
	words     []queryWord
	pre, post string
	known     map[string]bool // whether a word is found
}

func newMarker(words []queryWord, pre, post string) *marker {
	return &marker{words: words, pre: pre, post: post, known: map[string]bool{}}
}

// highlights returns the fields of a body in which something was found, with
// their whole text.
func (m *marker) highlights(body []byte) ([]jsonvalue.Member, error) {
	if len(m.words) == 0 {
		return nil, nil
	}
	o, err := jsonvalue.ParseObject(body)
	if err != nil {
		return nil, fmt.Errorf("document in the search index: %w", err)
	}
	var out []jsonvalue.Member
	for field, v := range o.All() {
		text, ok := v.(string)
		if !ok || field == fieldLocation || field == fieldPath {
			continue
		}
		if marked, any := m.mark(text, field == fieldText); any {
			out = append(out, jsonvalue.Member{Key: field, Value: marked})
		}
	}
	return out, nil
}

// mark marks a text, and tells whether there was anything to mark. A text that
// has the marks in it already is left alone, so that nobody marks what was not
// found.
func (m *marker) mark(text string, isText bool) (string, bool) {
	if strings.Contains(text, m.pre) || strings.Contains(text, m.post) {
		return text, false
	}
	var b strings.Builder
	last, n := 0, 0
	eachWord(text, func(w word) bool {
		if n++; n > maxFieldWords {
			return false
		}
		if !(isText && isStopWord(w.text)) && m.found(w.text, text[w.start:w.end]) {
			b.WriteString(text[last:w.start] + m.pre + text[w.start:w.end] + m.post)
			last = w.end
		}
		return true
	})
	if last == 0 {
		return text, false
	}
	b.WriteString(text[last:])
	return b.String(), true
}

// found tells whether a word, or a part of it, is one that the query means.
func (m *marker) found(folded, written string) bool {
	any := m.knows(folded)
	humps(written, func(part string) { any = any || m.knows(part) })
	return any
}

func (m *marker) knows(w string) bool {
	found, ok := m.known[w]
	for i := 0; !ok && !found && i < len(m.words); i++ {
		found = m.words[i].quality(w) > 0
	}
	m.known[w] = found
	return found
}
