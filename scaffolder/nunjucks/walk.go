package nunjucks

// A visitor is called for every node of a tree, outer ones first.
type visitor struct {
	stmt func(stmt)
	expr func(expr)
}

func (v *visitor) stmts(body []stmt) {
	for _, s := range body {
		v.stmt(s)
		v.insideStmt(s)
	}
}

func (v *visitor) insideStmt(s stmt) {
	switch s := s.(type) {
	case *outputStmt:
		v.exprs(s.value)
	case *ifStmt:
		v.branches(s.branches, s.otherwise)
	case *switchStmt:
		v.exprs(s.subject)
		v.branches(s.cases, s.otherwise)
	case *forStmt:
		v.exprs(s.list)
		v.stmts(s.body)
		v.stmts(s.otherwise)
	case *setStmt:
		v.exprs(s.value)
	case *macroStmt:
		v.macro(s.macro)
	case *blockStmt:
		v.stmts(s.block.body)
	case *extendsStmt:
		v.exprs(s.template)
	case *includeStmt:
		v.exprs(s.template)
	case *importStmt:
		v.exprs(s.template)
	case *fromStmt:
		v.exprs(s.template)
	}
}

func (v *visitor) branches(branches []branch, otherwise []stmt) {
	for _, b := range branches {
		v.exprs(b.cond)
		v.stmts(b.body)
	}
	v.stmts(otherwise)
}

func (v *visitor) macro(m *macro) {
	v.exprs(m.defaults...)
	v.stmts(m.body)
}

func (v *visitor) exprs(list ...expr) {
	for _, e := range list {
		if e != nil {
			v.expr(e)
			v.insideExpr(e)
		}
	}
}

func (v *visitor) insideExpr(e expr) {
	switch e := e.(type) {
	case *groupExpr:
		v.exprs(e.items...)
	case *arrayExpr:
		v.exprs(e.items...)
	case *dictExpr:
		v.exprs(e.vals...)
	case *memberExpr:
		v.exprs(e.target, e.key)
	case *sliceExpr:
		v.exprs(e.target, e.start, e.stop, e.step)
	case *callExpr:
		v.exprs(e.callee)
		v.exprs(e.args...)
	case *filterExpr:
		v.exprs(e.args...)
	case *testExpr:
		v.exprs(e.subject)
		v.exprs(e.args...)
	case *chainExpr:
		v.exprs(e.first)
		for _, link := range e.rest {
			v.exprs(link.operand)
		}
	case *logicExpr:
		v.exprs(e.items...)
	case *notExpr:
		v.exprs(e.operand)
	case *signExpr:
		v.exprs(e.operand)
	case *stepExpr:
		v.exprs(e.operand)
	case *powerExpr:
		v.exprs(e.base, e.exponent)
	case *floorExpr:
		v.exprs(e.quotient)
	case *inExpr:
		v.exprs(e.item, e.collection)
	case *condExpr:
		v.exprs(e.cond, e.then, e.otherwise)
	case *captureExpr:
		v.stmts(e.body)
	case *callerExpr:
		v.macro(e.macro)
	}
}
