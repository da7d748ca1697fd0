package nunjucks

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
	at, mark := e.span(), len(p.exprs)
	p.exprs = append(p.exprs, e)
	for p.skipWord("or") {
		if e, err = p.and(); err != nil {
			return nil, err
		}
		p.exprs = append(p.exprs, e)
	}
	return &logicExpr{node: at, or: true, items: p.list(mark)}, nil
}

func (p *parser) and() (expr, *Error) {
	e, err := p.not()
	if err != nil || !p.atWord("and") {
		return e, err
	}
	at, mark := e.span(), len(p.exprs)
	p.exprs = append(p.exprs, e)
	for p.skipWord("and") {
		if e, err = p.not(); err != nil {
			return nil, err
		}
		p.exprs = append(p.exprs, e)
	}
	return &logicExpr{node: at, or: false, items: p.list(mark)}, nil
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
	case *regexpExpr:
		test.name = "/" + r.source.source + "/" + r.source.flags
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
