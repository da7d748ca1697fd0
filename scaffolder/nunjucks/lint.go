package nunjucks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Rule names what the linter looks for.
type Rule string

// The linter's rules.
const (
	// UnknownFilter, UnknownTest and UnknownFunction: rendering fails where
	// it gets there.
	UnknownFilter   Rule = "unknown-filter"
	UnknownTest     Rule = "unknown-test"
	UnknownFunction Rule = "unknown-function"
	// UndefinedVariable: nothing provides the name, so it is empty.
	UndefinedVariable Rule = "undefined-variable"
	// Unreachable: text or a branch that is never rendered.
	Unreachable Rule = "unreachable"
	// Precedence: a not that negates less than it seems to.
	Precedence Rule = "precedence"
	// IgnoredArgument: an argument without effect.
	IgnoredArgument Rule = "ignored-argument"
	// Deprecated is for what works here, but no longer in current releases of
	// the scaffolder.
	Deprecated Rule = "deprecated"
)

// An Issue is something in a template that is probably not meant.
type Issue struct {
	Rule Rule
	// Line and Column count from 1, as in Error.
	Line, Column int
	// Text is the part of the source that the issue is about.
	Text          string
	Message, Hint string
	// Path are the names that lead to an UndefinedVariable, from its root.
	Path []string
}

// String returns "line:column: message; hint (rule)".
func (i Issue) String() string {
	s := fmt.Sprintf("%d:%d: %s", i.Line, i.Column, i.Message)
	if i.Hint != "" {
		s += "; " + i.Hint
	}
	return s + " (" + string(i.Rule) + ")"
}

// A Shape says which members an object has. The shape nil has any.
type Shape map[string]Shape

// maxIssues is how many Lint returns at most.
const maxIssues = 1000

// Lint returns what is probably wrong with the template, in the order of the
// source; of very much only the beginning. The variables that a rendering will be given have the members of
// provided; nil stands for any.
func (t *Template) Lint(provided Shape) []Issue {
	l := &linter{tmpl: t, provided: provided, defined: map[string]bool{}, called: map[expr]bool{}}
	l.collect()
	v := visitor{stmt: l.stmt, expr: l.expr}
	v.stmts(t.body)
	l.afterExtends(t.body)
	slices.SortStableFunc(l.issues, func(a, b Issue) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.issues
}

type linter struct {
	tmpl     *Template
	provided Shape
	defined  map[string]bool // by tags, anywhere in the template
	called   map[expr]bool   // callees, which are reported as functions
	foreign  bool            // other templates may define names
	issues   []Issue
}

func (l *linter) report(rule Rule, at node, hint, format string, args ...any) {
	if len(l.issues) == maxIssues {
		return
	}
	e := place(&Error{pos: -1}, l.tmpl.name, l.tmpl.src, at)
	l.issues = append(l.issues, Issue{Rule: rule, Line: e.Line, Column: e.Column, Text: e.Text,
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

// about says what path of names the last issue is about.
func (l *linter) about(e expr) {
	last := &l.issues[len(l.issues)-1]
	if last.Rule != UndefinedVariable || last.Path != nil {
		return // there are too many to add one
	}
	for {
		switch at := e.(type) {
		case *nameExpr:
			last.Path = append(last.Path, at.name)
			slices.Reverse(last.Path)
			return
		case *memberExpr:
			last.Path = append(last.Path, at.name)
			e = at.target
		default:
			return
		}
	}
}

// Constant returns the value of a template that is one interpolation whose
// value is always the same.
func (t *Template) Constant() (Value, bool) {
	if t.sole == nil {
		return undefined, false
	}
	return constant(t.sole)
}

// Fixed tells whether every rendering has text that stands outside of tags, be
// it blanks. Such a template makes a text, and never an empty one.
func (t *Template) Fixed() bool {
	return slices.ContainsFunc(t.body, func(s stmt) bool {
		text, ok := s.(*textStmt)
		return ok && text.text != ""
	})
}

// collect finds the names that tags define.
func (l *linter) collect() {
	v := visitor{expr: func(e expr) {
		if c, ok := e.(*callerExpr); ok {
			l.define(append(c.macro.params, c.macro.keywords...)...)
		}
	}}
	v.stmt = func(s stmt) {
		switch s := s.(type) {
		case *setStmt:
			l.define(s.targets...)
		case *forStmt:
			l.define("loop")
			l.define(s.names...)
		case *macroStmt:
			l.define(s.macro.name, "caller")
			l.define(append(s.macro.params, s.macro.keywords...)...)
		case *importStmt:
			l.define(s.target)
		case *fromStmt:
			for _, n := range s.names {
				l.define(n.alias)
			}
		case *extendsStmt:
			l.foreign = true
		}
	}
	v.stmts(l.tmpl.body)
}

func (l *linter) define(names ...string) {
	for _, n := range names {
		l.defined[n] = true
	}
}

func (l *linter) stmt(s stmt) {
	switch s := s.(type) {
	case *ifStmt:
		l.branches(s.branches, s.otherwise)
	case *switchStmt:
		l.cases(s)
	case *forStmt:
		if s.async {
			l.report(Deprecated, s.node, "write for", "asyncEach and asyncAll are gone")
		}
		if a, ok := s.list.(*arrayExpr); ok && len(a.items) == 0 && len(s.body) > 0 {
			l.report(Unreachable, s.body[0].span(), "", "the list is empty")
		}
	case *includeStmt:
		l.needsLoader(s.node, "include")
	case *importStmt:
		l.needsLoader(s.node, "import")
	case *fromStmt:
		l.needsLoader(s.node, "from")
	case *extendsStmt:
		l.needsLoader(s.node, "extends")
	}
}

func (l *linter) needsLoader(at node, tag string) {
	if l.tmpl.env.loader == nil {
		l.report(Deprecated, at, "", "%s cannot work here, as there is no loader for other templates", tag)
	}
}

// branches looks for conditions that are always true or always false.
func (l *linter) branches(branches []branch, otherwise []stmt) {
	for i, b := range branches {
		v, ok := constant(b.cond)
		switch {
		case !ok:
			continue
		case !truthy(v):
			l.report(Unreachable, b.cond.span(), "", "the condition is never true")
		case i+1 < len(branches):
			l.report(Unreachable, branches[i+1].cond.span(), "", "a condition before this one is always true")
			return
		case len(otherwise) > 0:
			l.report(Unreachable, otherwise[0].span(), "", "the condition is always true")
			return
		}
	}
}

func (l *linter) cases(s *switchStmt) {
	var seen []Value
	for i, c := range s.cases {
		if n, ok := c.cond.(*nameExpr); ok && i == 0 && n.name == "default" && !l.defined["default"] {
			l.report(Unreachable, c.cond.span(), "move it to the end", "default before the first case is compared with a variable called default")
		}
		v, ok := constant(c.cond)
		if !ok {
			continue
		}
		if slices.ContainsFunc(seen, func(w Value) bool { return strictEqual(v, w) }) {
			l.report(Unreachable, c.cond.span(), "", "there is a case for this value before")
		}
		seen = append(seen, v)
	}
}

// constant returns the value of an expression that has always the same.
func constant(e expr) (Value, bool) {
	switch e := e.(type) {
	case *literalExpr:
		return e.value, true
	case *groupExpr:
		return constant(e.items[len(e.items)-1])
	case *notExpr:
		v, ok := constant(e.operand)
		return BoolValue(!truthy(v)), ok
	case *logicExpr:
		for _, item := range e.items {
			v, ok := constant(item)
			if !ok || truthy(v) == e.or {
				return v, ok
			}
		}
		return constant(e.items[len(e.items)-1])
	}
	return undefined, false
}

// afterExtends reports what a template that extends another one prints
// outside of blocks.
func (l *linter) afterExtends(body []stmt) {
	extends := false
	for _, s := range body {
		switch s := s.(type) {
		case *extendsStmt:
			extends = true
		case *textStmt:
			if extends && trim(s.text) != "" {
				l.report(Unreachable, s.node, "put it into a block", "text outside of blocks is not rendered below extends")
			}
		case *outputStmt:
			if extends {
				l.report(Unreachable, s.node, "put it into a block", "output outside of blocks is not rendered below extends")
			}
		}
	}
}

func (l *linter) expr(e expr) {
	env := l.tmpl.env
	switch e := e.(type) {
	case *filterExpr:
		if e.filter == nil {
			l.report(UnknownFilter, e.node, env.filterHint(e.name), "unknown filter %q", e.name)
		}
		l.arguments(e)
	case *testExpr:
		if e.test == nil {
			l.report(UnknownTest, e.node, suggest(e.name, env.testNames()), "unknown test %q", e.name)
		}
	case *callExpr:
		l.called[e.callee] = true
		l.method(e.callee)
	case *nameExpr:
		l.name(e)
	case *memberExpr:
		l.member(e)
	case *chainExpr:
		if n, ok := e.first.(*notExpr); ok {
			l.report(Precedence, n.node, "put what it is meant to negate in parentheses",
				"not applies to the first operand only, not to the comparison or sum")
		}
	case *condExpr:
		if v, ok := constant(e.cond); ok && !truthy(v) {
			l.report(Unreachable, e.then.span(), "", "the condition is never true")
		} else if ok && e.otherwise != nil {
			l.report(Unreachable, e.otherwise.span(), "", "the condition is always true")
		}
	case *sliceExpr:
		if !env.compat {
			l.report(Deprecated, e.node, "write .slice(from, to)", "slices are not known to releases before 4.0.3")
		}
	}
}

// arguments reports those that a filter does not look at.
func (l *linter) arguments(e *filterExpr) {
	most, ok := map[string]int{"selectattr": 1, "rejectattr": 1, "upper": 0, "lower": 0, "trim": 0, "title": 0,
		"capitalize": 0, "length": 0, "first": 0, "last": 0, "list": 0, "reverse": 0, "safe": 0, "string": 0}[e.name]
	if !ok || e.filter == nil || e.filter.host || len(e.args)-1 <= most {
		return
	}
	at := e.args[most+1].span()
	hint := ""
	if most == 1 {
		hint = "it only tells whether the attribute is true; use an if inside of a for loop"
	}
	l.report(IgnoredArgument, at, hint, "%s ignores this argument", e.name)
}

// currentMethods are those that some value has in release 4.2.0.
var currentMethods = strings.Fields(`charAt charCodeAt concat endsWith includes indexOf lastIndexOf replace slice split
	startsWith substring toLowerCase toUpperCase trim trimEnd trimStart toExponential toFixed toPrecision toString at
	copyWithin fill flat join pop push reverse shift sort splice unshift test get has set delete clear keys values entries
	add next reset`)

// currentPython are the methods of its compatible mode.
var currentPython = strings.Fields("append count find index insert pop remove get has_key items keys values")

// methodHints say what to write instead of a method that is gone.
var methodHints = map[string]string{
	"replaceAll": "write value | replace(old, new)",
	"substr":     "write .substring(from, to)",
	"match":      "write r/…/.test(value)",
	"search":     "write .indexOf(text)",
	"trimLeft":   "write .trimStart()",
	"trimRight":  "write .trimEnd()",
}

// method reports the call of one that only old releases and this package know.
func (l *linter) method(callee expr) {
	e, ok := callee.(*memberExpr)
	if !ok || e.static == nil || slices.Contains(currentMethods, e.name) ||
		l.tmpl.env.compat && slices.Contains(currentPython, e.name) || e.static.onlyPython() {
		return
	}
	l.report(Deprecated, e.node, methodHints[e.name], "release 4.2.0 has no method %s", e.name)
}

func (l *linter) name(e *nameExpr) {
	env := l.tmpl.env
	_, global := env.globals[e.name]
	_, given := l.provided[e.name]
	if e.where.kind == inSlot || l.defined[e.name] || global || given || l.foreign ||
		env.compat && pythonLiteral(e.name).kind != KindUndefined || e.name == "undefined" {
		return
	}
	if l.called[e] {
		hint := suggest(e.name, slices.Sorted(maps.Keys(env.globals)))
		if env.filters[e.name] != nil {
			hint = e.name + " is a filter; write value | " + e.name
		}
		if l.provided != nil || env.filters[e.name] != nil {
			l.report(UnknownFunction, e.node, hint, "there is no function %s", e.name)
		}
		return
	}
	if l.provided != nil {
		hint := suggest(e.name, slices.Sorted(maps.Keys(l.provided)))
		l.report(UndefinedVariable, e.node, hint, "nothing provides %s", e.name)
		l.about(e)
	}
}

// member checks the members of provided variables, as far as their shape is
// known.
func (l *linter) member(e *memberExpr) {
	if e.static != nil || e.name == "length" {
		return // a method, or what every array has
	}
	shape := l.shape(e.target)
	if _, ok := shape[e.name]; shape == nil || ok || e.name == "" {
		return
	}
	hint := suggest(e.name, slices.Sorted(maps.Keys(shape)))
	l.report(UndefinedVariable, e.node, hint, "nothing provides %s", describe(e))
	l.about(e)
}

// shape returns that of a path of members; nil where it is not known.
func (l *linter) shape(e expr) Shape {
	switch e := e.(type) {
	case *nameExpr:
		if e.where.kind != inSlot && !l.defined[e.name] {
			return l.provided[e.name]
		}
	case *memberExpr:
		if e.name != "" {
			return l.shape(e.target)[e.name]
		}
	}
	return nil
}
