package nunjucks

import (
	"math"
	"strconv"
)

// expression parses a whole expression: a [if b [else c]].
func (p *parser) expression() (expr, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e, err := p.or()
	if err != nil || !p.skipWord("if") {
		return e, err
	}
	c := &condExpr{node: e.span(), then: e}
	if c.cond, err = p.or(); err != nil {
		return nil, err
	}
	if p.skipWord("else") {
		c.otherwise, err = p.or()
	}
	return c, err
}

func (p *parser) or() (expr, *Error) {
	e, err := p.and()
	if err != nil || !p.atWord("or") {
		return e, err
	}
	l := &logicExpr{node: e.span(), or: true, items: []expr{e}}
	for p.skipWord("or") {
		if e, err = p.and(); err != nil {
			return nil, err
		}
		l.items = append(l.items, e)
	}
	return l, nil
}

func (p *parser) and() (expr, *Error) {
	e, err := p.not()
	if err != nil || !p.atWord("and") {
		return e, err
	}
	l := &logicExpr{node: e.span(), items: []expr{e}}
	for p.skipWord("and") {
		if e, err = p.not(); err != nil {
			return nil, err
		}
		l.items = append(l.items, e)
	}
	return l, nil
}

func (p *parser) not() (expr, *Error) {
	if !p.atWord("not") {
		return p.in()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.next()
	e, err := p.not()
	if err != nil {
		return nil, err
	}
	return negate(e, t.span()), nil
}

// negate puts a "not" before e. In the reference's generated code it binds to
// the first operand of a chain: not a == b is (not a) == b.
func negate(e expr, at node) expr {
	if c, ok := e.(*chainExpr); ok {
		c.first = negate(c.first, at)
		return c
	}
	return &notExpr{at, e}
}

func (p *parser) in() (expr, *Error) {
	e, err := p.is()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := *p.peek()
		inverted := p.skipWord("not")
		if !p.skipWord("in") {
			if inverted {
				return nil, p.unexpected(*p.peek(), `"in" after "not"`)
			}
			return e, nil
		}
		if n > maxChain {
			return nil, tooDeep(t.span())
		}
		right, err := p.is()
		if err != nil {
			return nil, err
		}
		e = &inExpr{t.span(), e, right}
		if inverted {
			e = &notExpr{t.span(), e}
		}
	}
}

func (p *parser) is() (expr, *Error) {
	e, err := p.compare()
	if err != nil || !p.atWord("is") {
		return e, err
	}
	t := p.next()
	inverted := p.skipWord("not")
	right, err := p.compare()
	if err != nil {
		return nil, err
	}
	e = newTest(t, e, right)
	if inverted {
		e = &notExpr{t.span(), e}
	}
	return e, nil
}

// newTest reads the right side of "is" as the reference does: a call's or
// filter's name and arguments, or whatever stands there as a name.
func newTest(t token, subject, right expr) expr {
	test := &testExpr{node: right.span(), subject: subject}
	switch r := right.(type) {
	case *nameExpr:
		test.name = r.name
	case *literalExpr:
		test.name = literalText(r.value)
	case *callExpr:
		if n, ok := r.callee.(*nameExpr); ok {
			test.name = n.name
		} else if l, ok := r.callee.(*literalExpr); ok {
			test.name = literalText(l.value)
		}
		test.args = r.args
	case *filterExpr:
		test.name, test.args = r.name, r.args
	}
	if test.name == "" {
		test.name = "undefined"
	}
	return test
}

// literalText is String(v) for literals.
func literalText(v Value) string {
	s, _ := (*runtime)(nil).text(v)
	return s
}

// compare parses a chain of comparisons and groups it as JavaScript does,
// where < binds tighter than ==.
func (p *parser) compare() (expr, *Error) {
	e, err := p.concat()
	if err != nil {
		return nil, err
	}
	for {
		t := *p.peek()
		if t.kind < tokEqual || t.kind > tokGreaterEqual {
			return e, nil
		}
		p.next()
		right, err := p.concat()
		if err != nil {
			return nil, err
		}
		if t.kind <= tokStrictNotEqual {
			e = join(levelEquality, e, t, right)
			continue
		}
		if c, ok := e.(*chainExpr); ok && c.level == levelEquality {
			last := &c.rest[len(c.rest)-1]
			last.operand = join(levelRelation, last.operand, t, right)
		} else {
			e = join(levelRelation, e, t, right)
		}
	}
}

// join appends an operation to a chain of the same level. A right operand
// that is itself such a chain, without parentheses, is spliced in: whatever
// the grammar says, JavaScript evaluates from left to right.
func join(level chainLevel, left expr, op token, right expr) expr {
	c, ok := left.(*chainExpr)
	if !ok || c.level != level {
		c = &chainExpr{node: node{left.span().pos, op.end}, level: level, first: left}
	}
	if r, ok := right.(*chainExpr); ok && r.level == level {
		c.rest = append(append(c.rest, chainLink{op.kind, r.first}), r.rest...)
		return c
	}
	c.rest = append(c.rest, chainLink{op.kind, right})
	return c
}

// concat parses everything that binds tighter than comparisons. Each of the
// functions below parses one level of the grammar: the rest of it after a
// first operand of the next level has begun with e.
func (p *parser) concat() (expr, *Error) {
	e, err := p.unary(true)
	if err != nil || !isArithmetic(p.peek().kind) {
		return e, err
	}
	return p.concatFrom(e)
}

func isArithmetic(k tokenKind) bool { return k >= tokTilde && k <= tokPower }

func (p *parser) concatFrom(e expr) (expr, *Error) {
	return p.chain(levelAdd, tokTilde, e, p.addFrom)
}

func (p *parser) addFrom(e expr) (expr, *Error) {
	return p.chain(levelAdd, tokPlus, e, p.subtractFrom)
}

func (p *parser) subtractFrom(e expr) (expr, *Error) {
	return p.chain(levelAdd, tokMinus, e, p.multiplyFrom)
}

func (p *parser) multiplyFrom(e expr) (expr, *Error) {
	return p.chain(levelMultiply, tokStar, e, p.divideFrom)
}

func (p *parser) divideFrom(e expr) (expr, *Error) {
	return p.chain(levelMultiply, tokSlash, e, p.floorFrom)
}

func (p *parser) moduloFrom(e expr) (expr, *Error) {
	return p.chain(levelMultiply, tokPercent, e, p.powerFrom)
}

// chain parses operands joined by one operator.
func (p *parser) chain(level chainLevel, op tokenKind, first expr, from func(expr) (expr, *Error)) (expr, *Error) {
	e, err := from(first)
	for err == nil && p.peek().kind == op {
		t := p.next()
		var right expr
		if right, err = p.unary(true); err != nil {
			break
		}
		if right, err = from(right); err == nil {
			e = join(level, e, t, right)
		}
	}
	return e, err
}

func (p *parser) floorFrom(e expr) (expr, *Error) {
	e, err := p.moduloFrom(e)
	for n := 0; err == nil && p.peek().kind == tokFloor; n++ {
		t := p.next()
		if n > maxChain {
			return nil, tooDeep(t.span())
		}
		var right expr
		if right, err = p.unary(true); err != nil {
			break
		}
		if right, err = p.moduloFrom(right); err == nil {
			t.kind = tokSlash
			e = &floorExpr{t.span(), join(levelMultiply, e, t, right)}
		}
	}
	return e, err
}

func (p *parser) powerFrom(e expr) (expr, *Error) {
	for n := 0; p.peek().kind == tokPower; n++ {
		t := p.next()
		if n > maxChain {
			return nil, tooDeep(t.span())
		}
		right, err := p.unary(true)
		if err != nil {
			return nil, err
		}
		e = &powerExpr{t.span(), e, right}
	}
	return e, nil
}

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
			e, err = signed(t, e)
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
func signed(t token, e expr) (expr, *Error) {
	minus := t.kind == tokMinus
	inner, ok := e.(*signExpr)
	if !ok || inner.minus != minus {
		if s, ok := e.(*stepExpr); ok && (s.by < 0) == minus {
			return nil, syntaxError(int(t.pos), int(t.end), "three signs in a row")
		}
		return &signExpr{t.span(), minus, e}, nil
	}
	by := 1.0
	if minus {
		by = -1
	}
	switch x := inner.operand.(type) {
	case *nameExpr:
		return &stepExpr{t.span(), by, x}, nil
	case *memberExpr, *callExpr, *filterExpr, *sliceExpr:
		return &stepExpr{t.span(), by, nil}, nil
	}
	return nil, syntaxError(int(t.pos), int(t.end), "two equal signs in a row").withHint("write 0 - (-x)")
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
		return &literalExpr{at, str(t.text)}, nil
	case tokInt, tokFloat:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			f = math.Inf(1)
		}
		return &literalExpr{at, num(f)}, nil
	case tokBool:
		return &literalExpr{at, BoolValue(t.text == "true")}, nil
	case tokNone:
		return &literalExpr{at, null}, nil
	case tokName:
		name, err := unescapeName(t)
		return &nameExpr{node: at, name: name}, err
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

// unescapeName reads backslashes in a name, which ends up between quotes in
// the reference's generated code; a quote would end it too early.
func unescapeName(t token) (string, *Error) {
	plain := true
	for i := 0; i < len(t.text); i++ {
		plain = plain && t.text[i] != '"' && t.text[i] != '\\'
	}
	if plain {
		return t.text, nil
	}
	return "", syntaxError(int(t.pos), int(t.end), "quotes and backslashes cannot be part of a name")
}

// postfix parses calls, indexes and members after a value.
func (p *parser) postfix(e expr) (expr, *Error) {
	for n := 0; ; n++ {
		t := *p.peek()
		var err *Error
		switch t.kind {
		case tokLeftParen:
			var args []expr
			if args, err = p.arguments(); err == nil {
				e, err = p.newCall(node{e.span().pos, t.end}, e, args)
			}
		case tokLeftBracket:
			p.next()
			e, err = p.index(e, t)
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
func (p *parser) newCall(at node, callee expr, args []expr) (expr, *Error) {
	if n, ok := callee.(*nameExpr); ok && n.name == "super" && p.outer != nil {
		p.outer.super = true
		return &superExpr{node: at}, nil
	}
	if refersToNull(callee) {
		return nil, syntaxError(int(at.pos), int(at.end), "none has no members that could be called")
	}
	return &callExpr{at, callee, args}, nil
}

// refersToNull tells whether the literal null is part of what is called. The
// reference cannot name such a thing, even where it is never run.
func refersToNull(e expr) bool {
	switch e := e.(type) {
	case *literalExpr:
		return e.value.kind == KindNull
	case *memberExpr:
		return refersToNull(e.target) || e.key != nil && refersToNull(e.key)
	case *callExpr:
		return refersToNull(e.callee)
	}
	return false
}

func (p *parser) member(target expr) (expr, *Error) {
	t := p.next()
	if t.kind != tokName {
		err := p.unexpected(t, "a name after the dot")
		if t.kind == tokInt || t.kind == tokBool || t.kind == tokNone {
			err.Hint = "write ['" + t.text + "']"
		}
		return nil, err
	}
	return namedMember(node{target.span().pos, t.end}, target, t.text), nil
}

func namedMember(at node, target expr, name string) *memberExpr {
	return &memberExpr{node: at, target: target, name: name, static: membersNamed(name)}
}

func newMember(at node, target, key expr) *memberExpr {
	if l, ok := key.(*literalExpr); ok && l.value.kind == KindString && l.value.bits > 0 {
		return namedMember(at, target, l.value.str())
	}
	return &memberExpr{node: at, target: target, key: key}
}

// index parses what is between brackets after a value: a key or a slice.
func (p *parser) index(target expr, open token) (expr, *Error) {
	var parts [3]expr
	colons := 0
	for {
		t := *p.peek()
		switch {
		case closes(t.kind):
			p.next()
			at := node{target.span().pos, t.end}
			if colons > 0 {
				return &sliceExpr{at, target, parts[0], parts[1], parts[2]}, nil
			}
			if parts[0] == nil {
				return nil, p.unexpected(t, "an index")
			}
			return newMember(at, target, parts[0]), nil
		case t.kind == tokColon && colons < 2:
			p.next()
			colons++
		case parts[colons] != nil:
			return nil, p.unexpected(t, `"]"`)
		default:
			e, err := p.expression()
			if err != nil {
				return nil, err
			}
			parts[colons] = e
		}
	}
}

// closes tells whether a token ends an aggregate. The reference does not mind
// which closing bracket it is, and published templates may rely on it.
func closes(k tokenKind) bool {
	return k == tokRightParen || k == tokRightBracket || k == tokRightCurly
}

// aggregate parses what an opening bracket begins: a group, array or object.
func (p *parser) aggregate(open token) (expr, *Error) {
	var items []expr
	var d *dictExpr
	if open.kind == tokLeftCurly {
		d = &dictExpr{}
	}
	for n := 0; ; n++ {
		if closes(p.peek().kind) {
			t := p.next()
			return finishAggregate(node{open.pos, t.end}, open.kind, items, d)
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
		items = append(items, e)
	}
}

func finishAggregate(at node, open tokenKind, items []expr, d *dictExpr) (expr, *Error) {
	switch open {
	case tokLeftBracket:
		return &arrayExpr{at, items}, nil
	case tokLeftCurly:
		d.node = at
		return d, nil
	}
	if len(items) == 0 {
		return nil, syntaxError(int(at.pos), int(at.end), "empty parentheses")
	}
	return &groupExpr{at, items}, nil
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
	return p.argumentsAfter(nil)
}

// argumentsAfter parses arguments and appends them to those there already are.
func (p *parser) argumentsAfter(args []expr) ([]expr, *Error) {
	open := p.next()
	var kw *dictExpr
	for n := 0; ; n++ {
		if p.skip(tokRightParen) {
			break
		}
		if n > 0 && !p.skip(tokComma) {
			return nil, p.unexpected(*p.peek(), `"," or ")"`)
		}
		arg, err := p.expression()
		if err != nil {
			return nil, err
		}
		if !p.skip(tokAssign) {
			args = append(args, arg)
			continue
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		if kw == nil {
			kw = &dictExpr{node: open.span(), keywords: true}
		}
		kw.add(arg, value)
	}
	if kw != nil {
		args = append(args, kw)
	}
	return args, nil
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
	f := &filterExpr{node: t.span(), name: t.text}
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
	args := make([]expr, 1, 2)
	args[0] = subject
	some := false
	for p.peek().kind == tokLeftParen {
		var err *Error
		if args, err = p.argumentsAfter(args[:1]); err != nil {
			return nil, err
		}
		some = true
	}
	if t := p.peek(); some && (t.kind == tokDot || t.kind == tokLeftBracket) {
		return nil, p.unexpected(*t, "the end of the filter").withHint("put the filtered value in parentheses")
	}
	return args, nil
}
