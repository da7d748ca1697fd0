package markdown

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"golang.org/x/text/unicode/norm"
)

// ids gives headings the ids that MkDocs gives them, so that links from
// elsewhere hold: letters, digits, underscores and dashes, in lower case,
// accents left out, and _1, _2 and so on behind those that are there already.
// Where nothing would be left, letters of other scripts stay.
type ids struct{ used map[string]bool }

func newIDs() *ids { return &ids{map[string]bool{}} }

// maxID bounds the length of an id, in bytes.
const maxID = 200

// Generate returns a new id.
func (x *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	id := slug(string(value))
	for n, base := 0, id; id == "" || x.used[id]; {
		n++
		id = base + "_" + strconv.Itoa(n)
	}
	x.used[id] = true
	return []byte(id)
}

// Put notes an id that an author has chosen.
func (x *ids) Put(value []byte) { x.used[string(value)] = true }

func slug(s string) string {
	plain := norm.NFKD.String(s)
	if id := reduce(plain, func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_')
	}); id != "" {
		return id
	}
	return reduce(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' })
}

// reduce keeps some characters, and joins with dashes what blanks and dashes
// have separated.
func reduce(s string, keep func(rune) bool) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		switch {
		case keep(r):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		case r == '-' || unicode.IsSpace(r):
			gap = true
		}
		if b.Len() >= maxID {
			break
		}
	}
	return b.String()
}
