package nunjucks

import (
	"regexp"
	"strings"
)

// The regular expressions below look for what ends a raw block, as the
// reference does: with the default delimiters, whichever are configured.
var rawEnds = map[string]*regexp.Regexp{
	"raw":      regexp.MustCompile(`\{%[\s\v\x{A0}\x{FEFF}\p{Z}]*(raw|endraw)[\s\v\x{A0}\x{FEFF}\p{Z}]*%\}`),
	"verbatim": regexp.MustCompile(`\{%[\s\v\x{A0}\x{FEFF}\p{Z}]*(verbatim|endverbatim)[\s\v\x{A0}\x{FEFF}\p{Z}]*%\}`),
}

// raw parses text that is not to be looked into, up to its own end tag. Raw
// blocks of one name nest. Without an end the tag has no effect.
func (p *parser) raw(t token) (stmt, *Error) {
	if err := p.endTag(t.text); err != nil {
		return nil, err
	}
	start := p.lex.pos
	at, level := start, 1
	for level > 0 {
		m := rawEnds[t.text].FindStringSubmatchIndex(p.lex.src[at:])
		if m == nil {
			if level == 1 && at == start {
				return &textStmt{t.span(), ""}, nil
			}
			break
		}
		if p.lex.src[at+m[2]:at+m[3]] == t.text {
			level++
			at += m[1]
			continue
		}
		if level--; level == 0 {
			if strings.Contains(p.lex.src[at+m[0]:at+m[1]], "\n") {
				return nil, syntaxError(at+m[0], at+m[1], "the tag that ends %s must be on one line", t.text)
			}
			p.lex.pos = at + m[1]
			return &textStmt{node{t.pos, int32(p.lex.pos)}, p.lex.src[start : at+m[0]]}, nil
		}
		at += m[1]
	}
	p.lex.pos = at
	return &textStmt{node{t.pos, int32(at)}, p.lex.src[start:at]}, nil
}

func (p *parser) ifTag(t token) (stmt, *Error) {
	s := &ifStmt{node: t.span()}
	for {
		cond, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err = p.endTag(t.text); err != nil {
			return nil, err
		}
		body, err := p.until("elif", "elseif", "else", "endif")
		if err != nil {
			return nil, err
		}
		s.branches = append(s.branches, branch{cond, body})
		if !p.atWord("elif") && !p.atWord("elseif") {
			break
		}
		t = p.next()
	}
	if p.atWord("else") {
		var err *Error
		if s.otherwise, err = p.elseBody("endif"); err != nil {
			return nil, err
		}
	}
	return s, p.closeTag(s.node, "if")
}

// elseBody parses {% else %} and what follows up to the closer.
func (p *parser) elseBody(closer string) ([]stmt, *Error) {
	t := p.next()
	if err := p.endTag(t.text); err != nil {
		return nil, err
	}
	return p.until(closer)
}

func (p *parser) forTag(t token) (stmt, *Error) {
	s := &forStmt{node: t.span(), async: t.text != "for"}
	closer := map[string]string{"for": "endfor", "asyncEach": "endeach", "asyncAll": "endall"}[t.text]
	if err := p.loopNames(s); err != nil {
		return nil, err
	}
	if !p.skipWord("in") {
		return nil, p.unexpected(*p.peek(), `"in"`)
	}
	var err *Error
	if s.list, err = p.expression(); err != nil {
		return nil, err
	}
	if err = p.endTag(t.text); err != nil {
		if p.atWord("if") || p.atWord("recursive") {
			err.Hint = "for takes no condition; put an if inside"
		}
		return nil, err
	}
	if s.body, err = p.until(closer, "else"); err != nil {
		return nil, err
	}
	if p.atWord("else") {
		if s.otherwise, err = p.elseBody(closer); err != nil {
			return nil, err
		}
	}
	return s, p.closeTag(s.node, strings.TrimPrefix(closer, "end"))
}

// loopNames parses the variables of a loop. All but the first may be strings.
func (p *parser) loopNames(s *forStmt) *Error {
	for {
		e, err := p.primary(true)
		if err != nil {
			return err
		}
		name, ok := keyName(e)
		if _, plain := e.(*nameExpr); !ok || (!plain && len(s.names) == 0) {
			at := e.span()
			return syntaxError(int(at.pos), int(at.end), "a loop variable must be a name")
		}
		s.names = append(s.names, name)
		if !p.skip(tokComma) {
			return nil
		}
	}
}

func (p *parser) blockTag(t token) (stmt, *Error) {
	e, err := p.primary(true)
	if err != nil {
		return nil, err
	}
	name, ok := e.(*nameExpr)
	if !ok || !identifier("b_"+name.name) {
		at := e.span()
		return nil, syntaxError(int(at.pos), int(at.end), "a block needs a name")
	}
	b := &block{node: t.span(), name: name.name}
	if p.blockNames.has(b.name) {
		return nil, syntaxError(int(t.pos), int(name.end), "block %q defined more than once", b.name)
	}
	p.blockNames.add(b.name)
	p.blocks = append(p.blocks, b)
	s := &blockStmt{node: t.span(), block: b, nested: p.outer != nil}
	if p.outer == nil {
		p.outer = b
		defer func() { p.outer = nil }()
	}
	if err = p.endTag("block"); err != nil {
		return nil, err
	}
	if b.body, err = p.until("endblock"); err != nil {
		return nil, err
	}
	if p.peek().kind == tokEOF {
		return nil, p.closeTag(t.span(), "block")
	}
	p.skipWord("endblock")
	p.skipWord(b.name)
	return s, p.endTag("endblock")
}

func (p *parser) extendsTag(t token) (stmt, *Error) {
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	return &extendsStmt{t.span(), e}, p.endTag(t.text)
}

func (p *parser) includeTag(t token) (stmt, *Error) {
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	s := &includeStmt{node: t.span(), template: e}
	s.ignoreMissing = p.skipWord("ignore") && p.skipWord("missing")
	return s, p.endTag(t.text)
}

func (p *parser) setTag(t token) (stmt, *Error) {
	s := &setStmt{node: t.span()}
	for {
		e, err := p.primary(true)
		if err != nil {
			return nil, err
		}
		name, ok := keyName(e)
		if !ok {
			at := e.span()
			return nil, syntaxError(int(at.pos), int(at.end), "only variables can be set").
				withHint("members of objects cannot be assigned")
		}
		s.targets = append(s.targets, name)
		if !p.skip(tokComma) {
			break
		}
	}
	var err *Error
	if p.skip(tokAssign) {
		if s.value, err = p.expression(); err != nil {
			return nil, err
		}
		return s, p.endTag(t.text)
	}
	if p.peek().kind != tokBlockEnd {
		return nil, p.unexpected(*p.peek(), `"=" or the end of the tag`)
	}
	// The reference overlooks a dash here.
	p.next()
	body, err := p.until("endset")
	if err != nil {
		return nil, err
	}
	s.value = &captureExpr{t.span(), body}
	return s, p.closeTag(t.span(), "set")
}

func (p *parser) macroTag(t token) (stmt, *Error) {
	e, err := p.primary(false)
	if err != nil {
		return nil, err
	}
	name, ok := keyName(e)
	if !ok || p.peek().kind != tokLeftParen {
		return nil, p.unexpected(*p.peek(), "the name and parameters of the macro")
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	m := &macro{name: name}
	if err = m.parameters(args); err != nil {
		return nil, err
	}
	if err = p.endTag("macro"); err != nil {
		return nil, err
	}
	if m.body, err = p.until("endmacro"); err != nil {
		return nil, err
	}
	return &macroStmt{node: t.span(), macro: m}, p.closeTag(t.span(), "macro")
}

// parameters takes over a signature: names, then name=default.
func (m *macro) parameters(args []expr) *Error {
	for i, arg := range args {
		if d, ok := arg.(*dictExpr); ok && i == len(args)-1 {
			if d.badKey != nil {
				return d.badKey
			}
			m.keywords, m.defaults = d.keys, d.vals
			return nil
		}
		n, ok := arg.(*nameExpr)
		if !ok || !identifier("l_"+n.name) {
			at := arg.span()
			return syntaxError(int(at.pos), int(at.end), "a parameter must be a name")
		}
		m.params = append(m.params, n.name)
	}
	return nil
}

// callTag parses a call whose body becomes the keyword argument "caller".
func (p *parser) callTag(t token) (stmt, *Error) {
	m := &macro{name: "caller", caller: true}
	if p.peek().kind == tokLeftParen {
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		if err = m.parameters(args); err != nil {
			return nil, err
		}
	}
	e, err := p.primary(true)
	if err != nil {
		return nil, err
	}
	call, ok := e.(*callExpr)
	if !ok {
		at := e.span()
		return nil, syntaxError(int(at.pos), int(at.end), "a call block must call a macro")
	}
	if err = p.endTag("call"); err != nil {
		return nil, err
	}
	if m.body, err = p.until("endcall"); err != nil {
		return nil, err
	}
	if err = p.closeTag(t.span(), "call"); err != nil {
		return nil, err
	}
	call.keyword("caller", &callerExpr{t.span(), m})
	return &outputStmt{t.span(), call, true}, nil
}

// keyword adds a keyword argument to a call.
func (c *callExpr) keyword(name string, value expr) {
	if n := len(c.args); n > 0 {
		if d, ok := c.args[n-1].(*dictExpr); ok && d.keywords {
			d.keys, d.vals = append(d.keys, name), append(d.vals, value)
			return
		}
	}
	c.args = append(c.args, &dictExpr{node: c.node, keys: []string{name}, vals: []expr{value}, keywords: true})
}

func (p *parser) importTag(t token) (stmt, *Error) {
	s := &importStmt{node: t.span()}
	var err *Error
	if s.template, err = p.expression(); err != nil {
		return nil, err
	}
	if !p.skipWord("as") {
		return nil, p.unexpected(*p.peek(), `"as" and a name`)
	}
	target, err := p.expression()
	if err != nil {
		return nil, err
	}
	name, ok := keyName(target)
	if !ok {
		at := target.span()
		return nil, syntaxError(int(at.pos), int(at.end), "an import needs a name")
	}
	s.target = name
	if s.withContext, _, err = p.contextClause(); err != nil {
		return nil, err
	}
	return s, p.endTag(t.text)
}

// contextClause parses "with context" or "without context".
func (p *parser) contextClause() (with, some bool, err *Error) {
	switch {
	case p.skipWord("with"):
		with = true
	case !p.skipWord("without"):
		return false, false, nil
	}
	if !p.skipWord("context") {
		return false, true, p.unexpected(*p.peek(), `"context"`)
	}
	return with, true, nil
}

func (p *parser) fromTag(t token) (stmt, *Error) {
	s := &fromStmt{node: t.span()}
	var err *Error
	if s.template, err = p.expression(); err != nil {
		return nil, err
	}
	if !p.skipWord("import") {
		return nil, p.unexpected(*p.peek(), `"import" and names`)
	}
	for p.peek().kind != tokBlockEnd {
		if len(s.names) > 0 && !p.skip(tokComma) {
			return nil, p.unexpected(*p.peek(), `"," or the end of the tag`)
		}
		if err = p.importedName(s); err != nil {
			return nil, err
		}
		if s.withContext, _, err = p.contextClause(); err != nil {
			return nil, err
		}
	}
	if len(s.names) == 0 {
		return nil, p.unexpected(*p.peek(), "names to import")
	}
	return s, p.endTag(t.text)
}

// importedName parses name [as alias].
func (p *parser) importedName(s *fromStmt) *Error {
	e, err := p.primary(true)
	if err != nil {
		return err
	}
	at := e.span()
	name, ok := keyName(e)
	if !ok || strings.HasPrefix(name, "_") {
		return syntaxError(int(at.pos), int(at.end), "only names without a leading underscore can be imported")
	}
	n := importName{name: name, alias: name}
	if p.skipWord("as") {
		if e, err = p.primary(true); err != nil {
			return err
		}
		if n.alias, ok = keyName(e); !ok {
			return syntaxError(int(at.pos), int(at.end), "an alias must be a name")
		}
	}
	s.names = append(s.names, n)
	return nil
}

func (p *parser) filterTag(t token) (stmt, *Error) {
	f, err := p.filterName()
	if err != nil {
		return nil, err
	}
	captured := &captureExpr{node: t.span()}
	if f.args, err = p.filterArguments(captured); err != nil {
		return nil, err
	}
	if err = p.endTag("filter"); err != nil {
		return nil, err
	}
	if captured.body, err = p.until("endfilter"); err != nil {
		return nil, err
	}
	return &outputStmt{t.span(), f, true}, p.closeTag(t.span(), "filter")
}

// switchTag parses a switch. What stands before the first case is dropped. A
// default that comes first is taken for a case of a variable of that name, as
// in the reference.
func (p *parser) switchTag(t token) (stmt, *Error) {
	s := &switchStmt{node: t.span()}
	var err *Error
	if s.subject, err = p.expression(); err != nil {
		return nil, err
	}
	if err = p.endTag("switch"); err != nil {
		return nil, err
	}
	if _, err = p.until("case", "default", "endswitch"); err != nil {
		return nil, err
	}
	for {
		p.skipWord("case")
		var c branch
		if c.cond, err = p.expression(); err != nil {
			return nil, err
		}
		if err = p.endTag("case"); err != nil {
			return nil, err
		}
		if c.body, err = p.until("case", "default", "endswitch"); err != nil {
			return nil, err
		}
		s.cases = append(s.cases, c)
		if !p.atWord("case") {
			break
		}
	}
	if p.atWord("default") {
		if s.otherwise, err = p.elseBody("endswitch"); err != nil {
			return nil, err
		}
	}
	return s, p.closeTag(t.span(), "switch")
}

// identifier tells whether JavaScript takes s for one. The reference makes
// identifiers of the names of blocks and parameters.
func identifier(s string) bool {
	for _, r := range s {
		if r < 128 && !(r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return false
		}
	}
	return true
}
