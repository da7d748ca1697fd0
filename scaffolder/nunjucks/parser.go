package nunjucks

import (
	"slices"
	"strings"
)

// maxChain bounds what the parser builds without nesting: filters after one
// value, members of members.
const maxChain = 2000

// A parser turns tokens into statements and expressions by recursive descent,
// one token ahead.
type parser struct {
	lex    lexer
	peeked token
	ahead  bool
	// lexError is the first fault of the lexer, which after it is at its end.
	lexError *Error
	// closers are the tags that end the statements being parsed.
	closers []string
	// dropSpace: the tag before ended with a dash.
	dropSpace  bool
	depth      int
	limits     *Limits
	blocks     []*block
	blockNames names
	nodes      slabs
	*stacks
	// outer is the outermost block around, whose super() all in it mean.
	outer *block
}

// parse returns the statements of a source.
func parse(src string, syn *syntax, limits *Limits, on *stacks) ([]stmt, []*block, *Error) {
	p := parser{lex: lexer{src: src, syntax: syn}, limits: limits, stacks: on}
	body, err := p.statements()
	if p.lexError != nil {
		err = p.lexError
	}
	return body, p.blocks, err
}

func (p *parser) peek() *token {
	if !p.ahead {
		p.fetch()
	}
	return &p.peeked
}

func (p *parser) next() token {
	if !p.ahead {
		p.fetch()
	}
	p.ahead = false
	return p.peeked
}

// fetch reads the next token. After a fault of the lexer that is the end.
func (p *parser) fetch() {
	p.ahead = true
	err := p.lex.next(&p.peeked)
	if err == nil {
		return
	}
	if p.lexError == nil {
		p.lexError = err
	}
	p.lex.pos = len(p.lex.src)
	p.lex.take(&p.peeked, tokEOF, 0)
}

// skip passes the next token if it is of this kind.
func (p *parser) skip(kind tokenKind) bool {
	if p.peek().kind != kind {
		return false
	}
	p.ahead = false
	return true
}

// skipWord passes the next token if it is this name.
func (p *parser) skipWord(word string) bool {
	if t := p.peek(); t.kind != tokName || t.text != word {
		return false
	}
	p.ahead = false
	return true
}

func (p *parser) atWord(word string) bool {
	t := p.peek()
	return t.kind == tokName && t.text == word
}

func (t *token) span() node { return node{t.pos, t.end} }

func (p *parser) unexpected(t token, wanted string) *Error {
	if t.kind == tokEOF {
		return syntaxError(int(t.pos), int(t.end), "unexpected end of template, expected %s", wanted)
	}
	if t.kind == tokBlockEnd || t.kind == tokVarEnd {
		return syntaxError(int(t.pos), int(t.end), "unexpected end of tag, expected %s", wanted)
	}
	return syntaxError(int(t.pos), int(t.end), "unexpected %q, expected %s", excerpt(p.lex.src[t.pos:t.end]), wanted)
}

// enter counts a level of nesting; leave undoes it.
func (p *parser) enter() *Error {
	if p.depth++; p.depth > p.limits.Nesting {
		return tooDeep(p.peek().span())
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func tooDeep(at node) *Error {
	e := syntaxError(int(at.pos), int(at.end), "template is nested too deeply").withHint("limit nesting")
	e.cause = ErrLimit
	return e
}

// statements parses up to the end of the source or a tag in p.closers, whose
// name is then the next token.
func (p *parser) statements() ([]stmt, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	mark := len(p.stmts)
	for {
		t := p.next()
		switch t.kind {
		case tokEOF:
			return p.gathered(mark), nil
		case tokData:
			p.stmts = append(p.stmts, p.data(t))
		case tokComment:
			p.dropSpace = p.dashEnds(t.text, p.lex.syntax.tags.CommentEnd)
		case tokBlockStart:
			p.dropSpace = false
			s, closed, err := p.statement()
			if err != nil || closed {
				return p.gathered(mark), err
			}
			p.stmts = append(p.stmts, s)
		case tokVarStart:
			s, err := p.output(t)
			if err != nil {
				return nil, err
			}
			p.stmts = append(p.stmts, s)
		default:
			return nil, p.unexpected(t, "text")
		}
	}
}

// gathered takes the statements above mark off their stack.
func (p *parser) gathered(mark int) []stmt {
	body := p.nodes.bodies.copyOf(p.stmts[mark:])
	p.stmts = p.stmts[:mark]
	return body
}

// list takes the expressions above mark off their stack.
func (p *parser) list(mark int) []expr {
	items := p.nodes.lists.copyOf(p.exprs[mark:])
	p.exprs = p.exprs[:mark]
	return items
}

// data makes a statement of text, less the white space that dashes of the
// tags around it remove.
func (p *parser) data(t token) stmt {
	text := t.text
	if p.dropSpace {
		text = trimStart(text)
		p.dropSpace = false
	}
	if p.dashFollows() {
		text = trimEnd(text)
	}
	return p.nodes.texts.put(textStmt{node{t.pos, t.end}, text})
}

// dashFollows tells whether the next tag or comment begins with a dash.
func (p *parser) dashFollows() bool {
	t := p.peek()
	switch t.kind {
	case tokBlockStart, tokVarStart:
		return t.text[len(t.text)-1] == '-'
	case tokComment:
		return t.text[len(p.lex.syntax.tags.CommentStart)] == '-'
	}
	return false
}

// dashEnds tells whether there is a dash right before the end delimiter.
func (p *parser) dashEnds(text, end string) bool {
	at := len(text) - len(end) - 1
	return at >= 0 && text[at] == '-'
}

func (p *parser) output(start token) (stmt, *Error) {
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	t := p.next()
	if t.kind != tokVarEnd {
		return nil, p.unexpected(t, "end of variable").withHint(p.outputHint(t))
	}
	p.dropSpace = t.text[0] == '-' && len(t.text) > len(p.lex.syntax.tags.VariableEnd)
	return p.nodes.outputs.put(outputStmt{node: node{start.pos, t.end}, value: e}), nil
}

// outputHint guesses what the author of an expression that goes on after its
// end had in mind.
func (p *parser) outputHint(t token) string {
	switch t.text {
	case "&&", "&":
		return "write and"
	case "||", "|":
		return "write or"
	case "?":
		return "write a if condition else b"
	case "=":
		return "compare with ==, assign with {% set %}"
	case "if":
		return "put a nested condition in parentheses"
	}
	if t.kind == tokRightCurly || t.kind == tokColon {
		return "put a space between the braces of an object and those of the tag"
	}
	return ""
}

// mayBeTemplate tells whether rendering source could change it.
func (e *Env) mayBeTemplate(source string) bool {
	t := &e.syntax.tags
	for _, delimiter := range [...]string{t.BlockStart, t.VariableStart, t.CommentStart, t.CommentEnd} {
		if strings.Contains(source, delimiter) {
			return true
		}
	}
	return false
}

// endTag passes the end of a tag called name.
func (p *parser) endTag(name string) *Error {
	t := p.next()
	if t.kind != tokBlockEnd {
		return p.unexpected(t, "end of "+name+" tag")
	}
	p.dropSpace = t.text[0] == '-' && len(t.text) > len(p.lex.syntax.tags.BlockEnd)
	return nil
}

// closeTag passes the name and end of a closing tag.
func (p *parser) closeTag(opened node, name string) *Error {
	t := p.next()
	if t.kind == tokEOF {
		return syntaxError(int(opened.pos), int(opened.end), "%s is never closed", name).withHint("add {% end" + name + " %}")
	}
	if t.kind != tokName {
		return p.unexpected(t, "name of a tag")
	}
	return p.endTag(t.text)
}

// until parses statements up to one of these tags.
func (p *parser) until(closers ...string) ([]stmt, *Error) {
	outer := p.closers
	p.closers = closers
	body, err := p.statements()
	p.closers = outer
	return body, err
}

// statement parses a tag after its opening delimiter. It reports closed where
// the tag is one of p.closers.
func (p *parser) statement() (s stmt, closed bool, err *Error) {
	t := *p.peek()
	if t.kind != tokName {
		return nil, false, p.unexpected(t, "name of a tag")
	}
	if slices.Contains(p.closers, t.text) {
		return nil, true, nil
	}
	p.next()
	s, err = p.tag(t)
	return s, false, err
}

func (p *parser) tag(t token) (stmt, *Error) {
	switch t.text {
	case "raw", "verbatim":
		return p.raw(t)
	case "if", "ifAsync":
		return p.ifTag(t)
	case "for", "asyncEach", "asyncAll":
		return p.forTag(t)
	case "block":
		return p.blockTag(t)
	case "extends":
		return p.extendsTag(t)
	case "include":
		return p.includeTag(t)
	case "set":
		return p.setTag(t)
	case "macro":
		return p.macroTag(t)
	case "call":
		return p.callTag(t)
	case "import":
		return p.importTag(t)
	case "from":
		return p.fromTag(t)
	case "filter":
		return p.filterTag(t)
	case "switch":
		return p.switchTag(t)
	}
	e := syntaxError(int(t.pos), int(t.end), "unknown block tag: %s", t.text)
	switch {
	case strings.HasPrefix(t.text, "end") || t.text == "else" || t.text == "elif" || t.text == "elseif":
		return nil, e.withHint("nothing that it could end or continue is open here")
	case t.text == "do" || t.text == "with" || t.text == "autoescape" || t.text == "break" || t.text == "continue":
		return nil, e.withHint("nunjucks has no such tag")
	}
	return nil, e.withHint(suggest(t.text, tagNames))
}

var tagNames = []string{"raw", "verbatim", "if", "for", "block", "extends", "include", "set", "macro",
	"call", "import", "from", "filter", "switch", "asyncEach", "asyncAll"}
