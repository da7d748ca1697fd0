package nunjucks

import (
	"math"
	"strconv"
)

func (p *parser) unary(filters bool) (expr, *Error) {
	var e expr
	var err *Error
	if t := *p.peek(); t.kind == tokMinus || t.kind == tokPlus {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		p.next()
		if e, err = p.unary(false); err == nil {
			e = signed(t, e)
		}
	} else {
		e, err = p.primary(true)
	}
	if err != nil || !filters {
		return e, err
	}
	return p.filters(e)
}

// signed puts a sign before e. Two equal signs in a row are JavaScript's
// decrement or increment, which only a name can be subject to.
func signed(t token, e expr) expr {
	minus := t.kind == tokMinus
	by := 1.0
	if minus {
		by = -1
	}
	switch inner := e.(type) {
	case *signExpr:
		if inner.minus == minus {
			return &stepExpr{t.span(), by, inner.operand}
		}
	case *stepExpr:
		if inner.by == by {
			return &stepExpr{t.span(), by, nil}
		}
	}
	return &signExpr{t.span(), minus, e}
}

// primary parses a literal, name or aggregate with what is called on it.
func (p *parser) primary(postfix bool) (expr, *Error) {
	t := p.next()
	e, err := p.atom(t)
	if err != nil || !postfix {
		return e, err
	}
	return p.postfix(e)
}

func (p *parser) atom(t token) (expr, *Error) {
	at := t.span()
	switch t.kind {
	case tokString:
		return p.nodes.literals.put(literalExpr{at, str(t.text)}), nil
	case tokInt, tokFloat:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			f = math.Inf(1)
		}
		return p.nodes.literals.put(literalExpr{at, num(f)}), nil
	case tokBool:
		return p.nodes.literals.put(literalExpr{at, BoolValue(t.text == "true")}), nil
	case tokNone:
		return p.nodes.literals.put(literalExpr{at, null}), nil
	case tokName:
		return p.nodes.names.put(nameExpr{node: at, name: t.text}), checkName(t)
	case tokRegex:
		source, err := compilePattern(t.text, p.lex.flags(t))
		if err != nil {
			return nil, syntaxError(int(t.pos), int(t.end), "%s", err)
		}
		return &regexpExpr{at, source}, nil
	case tokLeftParen, tokLeftBracket, tokLeftCurly:
		return p.aggregate(t)
	}
	return nil, p.unexpected(t, "an expression")
}

// checkName refuses names that would end the string that they are in the
// reference's generated code, or be no part of one.
func checkName(t token) *Error {
	for i := 0; i < len(t.text); i++ {
		if t.text[i] == '\\' {
			i++
			if i < len(t.text) && t.text[i] != 'x' && t.text[i] != 'u' {
				continue
			}
		} else if t.text[i] != '"' {
			continue
		}
		return syntaxError(int(t.pos), int(t.end), "%s is no name of a variable", excerpt(t.text))
	}
	return nil
}

// postfix parses calls, indexes and members after a value.
func (p *parser) postfix(e expr) (expr, *Error) {
	for n := 0; ; n++ {
		t := *p.peek()
		var err *Error
		switch t.kind {
		case tokLeftParen:
			var args []expr
			args, err = p.arguments()
			e = p.newCall(node{e.span().pos, t.end}, e, args)
		case tokLeftBracket:
			p.next()
			e, err = p.index(e)
		case tokDot:
			p.next()
			e, err = p.member(e)
		default:
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		if n > maxChain {
			return nil, tooDeep(t.span())
		}
	}
}

// newCall makes a call, or a super() if that is called inside a block.
func (p *parser) newCall(at node, callee expr, args []expr) expr {
	if n, ok := callee.(*nameExpr); ok && n.name == "super" && p.outer != nil {
		p.outer.super = true
		return &superExpr{node: at}
	}
	return &callExpr{at, callee, args}
}

// member parses the name after a dot. Words that are literals elsewhere are
// names there, as in release 4.2.0.
func (p *parser) member(target expr) (expr, *Error) {
	t := p.next()
	if t.kind != tokName && t.kind != tokBool && t.kind != tokNone {
		err := p.unexpected(t, "a name after the dot")
		if t.kind == tokInt {
			err.Hint = "write ['" + t.text + "']"
		}
		return nil, err
	}
	m := p.namedMember(node{target.span().pos, t.end}, target, t.text)
	m.dotted = true
	return m, nil
}

func (p *parser) namedMember(at node, target expr, name string) *memberExpr {
	return p.nodes.members.put(memberExpr{node: at, target: target, name: name, static: membersNamed(name)})
}

func (p *parser) newMember(at node, target, key expr) *memberExpr {
	if l, ok := key.(*literalExpr); ok && l.value.kind == KindString && l.value.bits > 0 {
		return p.namedMember(at, target, l.value.str())
	}
	return p.nodes.members.put(memberExpr{node: at, target: target, key: key})
}

// index parses what is between brackets after a value: a key or a slice.
func (p *parser) index(target expr) (expr, *Error) {
	var parts [3]expr
	slice := false
	for i := 0; ; i++ {
		t := *p.peek()
		at := node{target.span().pos, t.end}
		switch {
		case slice && p.skip(tokRightBracket):
			return &sliceExpr{at, target, parts[0], parts[1], parts[2]}, nil
		case !slice && closes(t.kind):
			p.next()
			return p.newMember(at, target, parts[0]), nil
		case i == len(parts) || i > 0 && !slice:
			return nil, p.unexpected(t, `"]"`)
		case p.skip(tokColon):
			slice = true
			continue
		}
		var err *Error
		if parts[i], err = p.expression(); err != nil {
			return nil, err
		}
		slice = p.skip(tokColon) || slice
	}
}

// closes tells whether a token ends an aggregate. The reference does not mind
// which closing bracket it is, and published templates may rely on it.
func closes(k tokenKind) bool {
	return k == tokRightParen || k == tokRightBracket || k == tokRightCurly
}

// aggregate parses what an opening bracket begins: a group, array or object.
func (p *parser) aggregate(open token) (expr, *Error) {
	mark := len(p.exprs)
	var d *dictExpr
	if open.kind == tokLeftCurly {
		d = &dictExpr{}
	}
	for n := 0; ; n++ {
		if closes(p.peek().kind) {
			t := p.next()
			return finishAggregate(node{open.pos, t.end}, open.kind, p.list(mark), d), nil
		}
		if n > 0 && !p.skip(tokComma) {
			return nil, p.unexpected(*p.peek(), `"," or a closing bracket`)
		}
		if open.kind == tokLeftCurly {
			if err := p.entry(d); err != nil {
				return nil, err
			}
			continue
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		p.exprs = append(p.exprs, e)
	}
}

func finishAggregate(at node, open tokenKind, items []expr, d *dictExpr) expr {
	switch open {
	case tokLeftBracket:
		return &arrayExpr{at, items}
	case tokLeftCurly:
		d.node = at
		return d
	}
	return &groupExpr{at, items}
}

// entry parses one key: value of an object.
func (p *parser) entry(d *dictExpr) *Error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	key, err := p.primary(true)
	if err != nil {
		return err
	}
	if !p.skip(tokColon) {
		return p.unexpected(*p.peek(), `":" after the key`)
	}
	value, err := p.expression()
	if err != nil {
		return err
	}
	d.add(key, value)
	return nil
}

// add appends an entry. A key that is neither name nor string is an error,
// but only where the object is compiled.
func (d *dictExpr) add(key, value expr) {
	name, ok := keyName(key)
	if !ok && d.badKey == nil {
		at := key.span()
		d.badKey = syntaxError(int(at.pos), int(at.end), "keys must be names or strings")
	}
	d.keys = append(d.keys, name)
	d.vals = append(d.vals, value)
}

// keyName returns what a name or string literal says.
func keyName(e expr) (string, bool) {
	switch k := e.(type) {
	case *nameExpr:
		return k.name, true
	case *literalExpr:
		if k.value.kind == KindString {
			return k.value.str(), true
		}
	}
	return "", false
}

// arguments parses a call's arguments in parentheses. Keyword arguments come
// last, as one object.
func (p *parser) arguments() ([]expr, *Error) {
	mark := len(p.exprs)
	err := p.gatherArguments()
	return p.list(mark), err
}

// gatherArguments parses arguments onto the stack.
func (p *parser) gatherArguments() *Error {
	open := p.next()
	var kw *dictExpr
	for n := 0; ; n++ {
		if p.skip(tokRightParen) {
			break
		}
		if n > 0 && !p.skip(tokComma) {
			return p.unexpected(*p.peek(), `"," or ")"`)
		}
		arg, err := p.expression()
		if err != nil {
			return err
		}
		if !p.skip(tokAssign) {
			p.exprs = append(p.exprs, arg)
			continue
		}
		value, err := p.expression()
		if err != nil {
			return err
		}
		if kw == nil {
			kw = &dictExpr{node: open.span(), keywords: true}
		}
		kw.add(arg, value)
	}
	if kw != nil {
		p.exprs = append(p.exprs, kw)
	}
	return nil
}

// filters parses | name(args) after a value, as often as it comes.
func (p *parser) filters(e expr) (expr, *Error) {
	for n := 0; p.skip(tokPipe); n++ {
		f, err := p.filterName()
		if err != nil {
			return nil, err
		}
		if n > maxChain {
			return nil, tooDeep(f.node)
		}
		if f.args, err = p.filterArguments(e); err != nil {
			return nil, err
		}
		e = f
	}
	return e, nil
}

func (p *parser) filterName() (*filterExpr, *Error) {
	t := p.next()
	if t.kind != tokName {
		return nil, p.unexpected(t, "the name of a filter")
	}
	f := p.nodes.filters.put(filterExpr{node: t.span(), name: t.text})
	for p.skip(tokDot) {
		if t = p.next(); t.kind != tokName {
			return nil, p.unexpected(t, "the name of a filter")
		}
		f.name += "." + t.text
		f.end = t.end
	}
	return f, nil
}

// filterArguments parses a filter's arguments, if any, to come after what is
// filtered. Of several argument lists in a row the last counts.
func (p *parser) filterArguments(subject expr) ([]expr, *Error) {
	mark := len(p.exprs)
	p.exprs = append(p.exprs, subject)
	some := false
	for p.peek().kind == tokLeftParen {
		p.exprs = p.exprs[:mark+1]
		if err := p.gatherArguments(); err != nil {
			return nil, err
		}
		some = true
	}
	if t := p.peek(); some && (t.kind == tokDot || t.kind == tokLeftBracket) {
		return nil, p.unexpected(*t, "the end of the filter").withHint("put the filtered value in parentheses")
	}
	return p.list(mark), nil
}
