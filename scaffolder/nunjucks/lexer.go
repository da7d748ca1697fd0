package nunjucks

import "strings"

// Tags are the six delimiters. Empty ones have their default: {% %}, {{ }},
// {# #}.
type Tags struct {
	BlockStart, BlockEnd       string
	VariableStart, VariableEnd string
	CommentStart, CommentEnd   string
}

// ScaffolderTags are the delimiters of Backstage's software templates.
func ScaffolderTags() Tags { return Tags{VariableStart: "${{"} }

func (t Tags) withDefaults() Tags {
	for _, d := range []struct {
		at   *string
		text string
	}{
		{&t.BlockStart, "{%"}, {&t.BlockEnd, "%}"},
		{&t.VariableStart, "{{"}, {&t.VariableEnd, "}}"},
		{&t.CommentStart, "{#"}, {&t.CommentEnd, "#}"},
	} {
		if *d.at == "" {
			*d.at = d.text
		}
	}
	return t
}

// A syntax is what a lexer needs to know beside the source.
type syntax struct {
	tags                     Tags
	trimBlocks, lstripBlocks bool
	// stops tells which bytes may end a run of text.
	stops [256]bool
}

func newSyntax(tags Tags, trimBlocks, lstripBlocks bool) syntax {
	t := tags.withDefaults()
	s := syntax{tags: t, trimBlocks: trimBlocks, lstripBlocks: lstripBlocks}
	for _, delimiter := range [...]string{t.BlockStart, t.VariableStart, t.CommentStart, t.CommentEnd} {
		s.stops[delimiter[0]] = true
	}
	return s
}

// A lexer cuts a source into tokens. Outside of tags it yields data and
// comments, inside of them what expressions are made of.
type lexer struct {
	src string
	pos int
	// end is the delimiter that ends the tag around, of which there is none
	// if it is empty.
	end     string
	endKind tokenKind
	syntax  *syntax
}

// next reads the next token into t; white space inside of tags is skipped.
func (l *lexer) next(t *token) *Error {
	if l.end != "" {
		l.code(t)
		return nil
	}
	switch {
	case l.pos >= len(l.src):
		l.take(t, tokEOF, 0)
		return nil
	case l.opening(t):
		return nil
	case strings.HasPrefix(l.src[l.pos:], l.syntax.tags.CommentStart):
		return l.comment(t)
	}
	return l.data(t)
}

// opening takes the start of a block or variable, if the lexer stands at one.
func (l *lexer) opening(t *token) bool {
	rest := l.src[l.pos:]
	tags := &l.syntax.tags
	kind, n := tokBlockStart, len(tags.BlockStart)
	l.end, l.endKind = tags.BlockEnd, tokBlockEnd
	if !strings.HasPrefix(rest, tags.BlockStart) {
		kind, n = tokVarStart, len(tags.VariableStart)
		l.end, l.endKind = tags.VariableEnd, tokVarEnd
		if !strings.HasPrefix(rest, tags.VariableStart) {
			l.end = ""
			return false
		}
	}
	if n < len(rest) && rest[n] == '-' {
		n++
	}
	l.take(t, kind, n)
	return true
}

// take makes a token of the next n bytes.
func (l *lexer) take(t *token, kind tokenKind, n int) {
	start := l.pos
	l.pos += n
	t.kind, t.pos, t.end, t.text = kind, int32(start), int32(l.pos), l.src[start:l.pos]
}

// comment takes a comment whose start the lexer stands at. Its end shares no
// character with its start: {#} goes on.
func (l *lexer) comment(t *token) *Error {
	tags := &l.syntax.tags
	from := l.pos + len(tags.CommentStart)
	end := strings.Index(l.src[from:], tags.CommentEnd)
	if end < 0 {
		return syntaxError(l.pos, len(l.src), "comment is never closed").
			withHint("end it with " + tags.CommentEnd)
	}
	l.take(t, tokComment, from+end+len(tags.CommentEnd)-l.pos)
	return nil
}

// data takes text up to the next tag or comment.
func (l *lexer) data(t *token) *Error {
	start, i := l.pos, l.pos
	tags := &l.syntax.tags
	for ; i < len(l.src); i++ {
		if !l.syntax.stops[l.src[i]] {
			continue
		}
		rest := l.src[i:]
		block := strings.HasPrefix(rest, tags.BlockStart)
		if block && l.syntax.lstripBlocks {
			return l.strippedData(t, start, i)
		}
		if block || strings.HasPrefix(rest, tags.VariableStart) || strings.HasPrefix(rest, tags.CommentStart) {
			break
		}
		if strings.HasPrefix(rest, tags.CommentEnd) {
			return syntaxError(i, i+len(tags.CommentEnd), "unexpected end of comment").
				withHint("no comment is open here; in text, write it as a string expression")
		}
	}
	l.take(t, tokData, i-start)
	return nil
}

// strippedData takes the text from start to a block tag at end, without the
// white space between the start of the line and the tag.
func (l *lexer) strippedData(t *token, start, end int) *Error {
	line := start + strings.LastIndexByte(l.src[start:end], '\n') + 1
	inside := line == start && start > 0 && l.src[start-1] != '\n'
	l.take(t, tokData, end-start)
	if inside || line == end || trim(l.src[line:end]) != "" {
		return nil
	}
	t.text = l.src[start:line]
	if t.text == "" {
		return l.next(t)
	}
	return nil
}

// code takes a token between delimiters.
func (l *lexer) code(t *token) {
	l.skipSpace()
	if l.pos >= len(l.src) {
		l.take(t, tokEOF, 0)
		return
	}
	c := l.src[l.pos]
	switch {
	case c == '"' || c == '\'':
		l.quoted(t, c)
		return
	case (c == l.end[0] || c == '-') && l.closing(t):
		return
	case c == 'r' && l.pos+1 < len(l.src) && l.src[l.pos+1] == '/':
		l.regexp(t)
		return
	case c >= 128 || operators[c] == nil:
		l.word(t)
		return
	}
	for _, op := range operators[c] {
		if len(op.text) == 1 || strings.HasPrefix(l.src[l.pos:], op.text) {
			l.take(t, op.kind, len(op.text))
			return
		}
	}
}

// skipSpace passes what separates tokens: not all that JavaScript calls white
// space.
func (l *lexer) skipSpace() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			l.pos++
		case c == 0xC2 && l.pos+1 < len(l.src) && l.src[l.pos+1] == 0xA0:
			l.pos += 2
		default:
			return
		}
	}
}

// closing takes the end of a tag. Those of other tags are no ends in there, so
// that a block may have {a: {b: 1}}. After a block, trimBlocks drops a line end.
func (l *lexer) closing(t *token) bool {
	rest := l.src[l.pos:]
	n := len(l.end)
	if !strings.HasPrefix(rest, l.end) {
		if n++; rest[0] != '-' || !strings.HasPrefix(rest[1:], l.end) {
			return false
		}
	}
	l.take(t, l.endKind, n)
	l.end = ""
	if t.kind == tokBlockEnd && l.syntax.trimBlocks {
		l.skipLineEnd()
	}
	return true
}

func (l *lexer) skipLineEnd() {
	if strings.HasPrefix(l.src[l.pos:], "\r\n") {
		l.pos += 2
	} else if strings.HasPrefix(l.src[l.pos:], "\n") {
		l.pos++
	}
}

// quoted takes a string. One that is never closed ends with the source; the
// parser then misses the end of the tag.
func (l *lexer) quoted(t *token, quote byte) {
	start := l.pos
	body := l.src[start+1:]
	if i := strings.IndexByte(body, quote); i >= 0 && strings.IndexByte(body[:i], '\\') < 0 {
		l.take(t, tokString, i+2)
		t.text = body[:i]
		return
	}
	var out []byte
	i := 0
	for ; i < len(body) && body[i] != quote; i++ {
		c := body[i]
		if c == '\\' {
			if i++; i == len(body) {
				break
			}
			switch c = body[i]; c {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			}
		}
		out = append(out, c)
	}
	l.take(t, tokString, min(start+i+2, len(l.src))-start)
	t.text = string(out)
}

// regexp takes a literal r/…/flags, to the first slash without a backslash
// right before it.
func (l *lexer) regexp(t *token) {
	start := l.pos
	i := start + 2
	for i < len(l.src) && (l.src[i] != '/' || l.src[i-1] == '\\') {
		i++
	}
	body := l.src[start+2 : i]
	i = min(i+1, len(l.src))
	for i < len(l.src) && strings.IndexByte("gimy", l.src[i]) >= 0 {
		i++
	}
	l.take(t, tokRegex, i-start)
	t.text = body
}

// flags returns those of a regular expression token.
func (l *lexer) flags(t token) string {
	return l.src[min(int(t.pos)+len("r//")+len(t.text), int(t.end)):t.end]
}

// word takes everything up to the next white space or operator: a number, a
// literal or a name.
func (l *lexer) word(t *token) {
	i, numeric := l.pos, true
	for ; i < len(l.src); i++ {
		c := l.src[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' {
			numeric = numeric && c <= '9'
			continue
		}
		if c < 128 && (operators[c] != nil || c == ' ' || c == '\n' || c == '\t' || c == '\r') {
			break
		}
		if c == 0xC2 && i+1 < len(l.src) && l.src[i+1] == 0xA0 {
			break
		}
		numeric = false
	}
	if !numeric {
		l.take(t, tokName, i-l.pos)
		switch t.text {
		case "true", "false":
			t.kind = tokBool
		case "none", "null":
			t.kind = tokNone
		}
		return
	}
	if i < len(l.src) && l.src[i] == '.' {
		i++
		l.take(t, tokFloat, i+digits(l.src[i:])-l.pos)
		return
	}
	l.take(t, tokInt, i-l.pos)
}
