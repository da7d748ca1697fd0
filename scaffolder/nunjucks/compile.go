package nunjucks

import "slices"

// A compiler completes a parsed tree: it finds out which names the template
// itself defines and gives them slots, looks filters, tests and methods up,
// and refuses what the reference's generated code could not say.
//
// The reference keeps variables twice: in JavaScript variables where it knows
// the definition (loop variables, parameters, macros, imports), and in frames
// that are searched by name at run time. The two differ where a value is
// undefined and in call bodies and blocks, which see the frames of whoever
// runs them; so both are kept here too, frames only for names that somebody
// looks up that way.
type compiler struct {
	env   *Env
	scope *scope
	// The stack unbound has the names that no definition in sight explains.
	*stacks
	// defined are the names that tags put into frames.
	defined names
	loops   []*forStmt
	macros  []*macro
	// sharesFrames: other templates may look into this one's frames.
	sharesFrames bool
	// setsLoop: some variable is called loop, which disturbs that of for tags.
	setsLoop bool
	// asksLoop: some call body asks for loop, which may be that of any macro.
	asksLoop bool
	mutates  bool
}

// A scope holds the names that one loop, macro or template defines.
type scope struct {
	outer *scope
	unit  *localCount
	count localCount // of the unit, in its outermost scope
	loop  *forStmt   // whose scope it is, if it is that of a loop
	names []string
	slots []int
	// latest is where in names each is found last, nil while they are few.
	latest map[string]int
}

// few is how many names are looked through one by one.
const few = 16

// find returns the slot of the latest definition of name.
func (s *scope) find(name string) (slot int, ok bool) {
	if s.latest != nil {
		i, ok := s.latest[name]
		if !ok {
			return 0, false
		}
		return s.slots[i], true
	}
	for i := len(s.names) - 1; i >= 0; i-- {
		if s.names[i] == name {
			return s.slots[i], true
		}
	}
	return 0, false
}

func (s *scope) add(name string, slot int) {
	s.names = append(s.names, name)
	s.slots = append(s.slots, slot)
	switch n := len(s.names); {
	case s.latest != nil:
		s.latest[name] = n - 1
	case n > few:
		s.latest = make(map[string]int, 2*n)
		for i, name := range s.names {
			s.latest[name] = i
		}
	}
}

// newUnit returns the outermost scope of what has slots of its own.
func newUnit(outer *scope) *scope {
	s := &scope{outer: outer}
	s.unit = &s.count
	return s
}

// A localCount counts the slots of a template, block, macro or call body.
type localCount struct{ n int }

// names is a set of them, looked through one by one while they are few.
type names struct {
	first [few]string
	n     int // how many of first there are
	many  map[string]bool
}

func (n *names) has(name string) bool {
	return slices.Contains(n.first[:n.n], name) || n.many[name]
}

func (n *names) add(name string) {
	switch {
	case n.has(name):
	case n.n < few:
		n.first[n.n] = name
		n.n++
	default:
		if n.many == nil {
			n.many = map[string]bool{}
		}
		n.many[name] = true
	}
}

// superName is how the text of an overridden block is called inside.
const superName = "super()"

func compileTree(env *Env, body []stmt, blocks []*block, on *stacks) (*Template, *Error) {
	c := compiler{env: env, sharesFrames: len(blocks) > 0, stacks: on}
	t := &Template{env: env, body: body, blocks: blocks}
	c.scope = newUnit(nil)
	err := c.stmts(body)
	if err != nil {
		return nil, err
	}
	t.locals = c.scope.unit.n
	for _, b := range blocks {
		if b.locals, err = c.function(nil, func() *Error { return c.block(b) }); err != nil {
			return nil, err
		}
	}
	c.settle()
	t.mutates = c.mutates
	return t, nil
}

// function compiles what has slots of its own and returns their number.
func (c *compiler) function(outer *scope, compile func() *Error) (int, *Error) {
	saved := c.scope
	c.scope = newUnit(outer)
	unit := c.scope.unit
	err := compile()
	c.scope = saved
	return unit.n, err
}

func (c *compiler) block(b *block) *Error {
	if b.super {
		b.superSlot = c.define(superName)
	}
	return c.stmts(b.body)
}

// settle decides, when all names are known, which are looked up in frames.
func (c *compiler) settle() {
	var asked names
	for _, n := range c.unbound {
		if !c.defined.has(n.name) {
			n.where.kind = inContext
		} else {
			asked.add(n.name)
		}
	}
	for _, f := range c.loops {
		f.loop = f.loop || c.sharesFrames || c.setsLoop || c.asksLoop
		f.byName = make([]bool, len(f.names))
		for i, name := range f.names {
			f.byName[i] = c.sharesFrames || asked.has(name) || name == "loop"
		}
	}
	for _, m := range c.macros {
		m.byName = make([]bool, len(m.params))
		for i, name := range m.params {
			m.byName[i] = c.sharesFrames || asked.has(name)
		}
	}
}

// define gives name a slot in the current scope.
func (c *compiler) define(name string) int {
	s := c.scope
	slot := s.unit.n
	s.unit.n++
	s.add(name, slot)
	return slot
}

// resolve finds the definition of name that is in sight.
func (c *compiler) resolve(name string) binding {
	hops, unit := 0, c.scope.unit
	for s := c.scope; s != nil; s = s.outer {
		if s.unit != unit {
			unit = s.unit
			hops++
		}
		if slot, ok := s.find(name); ok {
			return binding{kind: inSlot, hops: hops, slot: slot}
		}
	}
	return binding{kind: byName}
}

func (c *compiler) stmts(body []stmt) *Error {
	for _, s := range body {
		if err := c.stmt(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) stmt(s stmt) *Error {
	switch s := s.(type) {
	case *textStmt:
		return nil
	case *outputStmt:
		return c.expr(s.value)
	case *ifStmt:
		return c.branches(nil, s.branches, s.otherwise)
	case *switchStmt:
		return c.branches(s.subject, s.cases, s.otherwise)
	case *forStmt:
		return c.loop(s)
	case *setStmt:
		return c.set(s)
	case *macroStmt:
		return c.macroTag(s)
	case *blockStmt:
		return nil // compileTree compiles it
	case *extendsStmt:
		c.sharesFrames = true
		return c.expr(s.template)
	case *includeStmt:
		c.sharesFrames = true
		return c.expr(s.template)
	case *importStmt:
		return c.importTag(s)
	case *fromStmt:
		return c.fromTag(s)
	}
	return nil
}

func (c *compiler) branches(subject expr, branches []branch, otherwise []stmt) *Error {
	if err := c.expr(subject); err != nil {
		return err
	}
	for _, b := range branches {
		if err := c.expr(b.cond); err != nil {
			return err
		}
		if err := c.stmts(b.body); err != nil {
			return err
		}
	}
	return c.stmts(otherwise)
}

func (c *compiler) loop(s *forStmt) *Error {
	c.scope = &scope{outer: c.scope, unit: c.scope.unit, loop: s}
	defer func() { c.scope = c.scope.outer }()
	c.loops = append(c.loops, s)
	if err := c.expr(s.list); err != nil {
		return err
	}
	c.defined.add("loop")
	for _, name := range s.names {
		s.slots = append(s.slots, c.define(name))
		c.defined.add(name)
		c.setsLoop = c.setsLoop || name == "loop"
	}
	if err := c.stmts(s.body); err != nil {
		return err
	}
	return c.stmts(s.otherwise)
}

func (c *compiler) set(s *setStmt) *Error {
	for _, name := range s.targets {
		s.where = append(s.where, c.resolve(name))
		c.defined.add(name)
		c.setsLoop = c.setsLoop || name == "loop"
	}
	return c.expr(s.value)
}

func (c *compiler) macroTag(s *macroStmt) *Error {
	if err := c.macro(s.macro, nil); err != nil {
		return err
	}
	s.slot, s.inScope = c.defineGlobal(s.macro.name)
	return nil
}

// defineGlobal defines a macro or import, which is a variable of the context
// unless a loop surrounds it.
func (c *compiler) defineGlobal(name string) (slot int, inScope bool) {
	inScope = c.scope.outer != nil
	if inScope {
		c.defined.add(name)
	}
	return c.define(name), inScope
}

func (c *compiler) macro(m *macro, outer *scope) (err *Error) {
	c.macros = append(c.macros, m)
	m.locals, err = c.function(outer, func() *Error {
		c.defined.add("caller")
		for _, name := range m.params {
			c.defined.add(name)
			m.slots = append(m.slots, c.define(name))
		}
		for i, name := range m.keywords {
			c.defined.add(name)
			if err := c.expr(m.defaults[i]); err != nil {
				return err
			}
		}
		return c.stmts(m.body)
	})
	return err
}

func (c *compiler) importTag(s *importStmt) *Error {
	c.sharesFrames = c.sharesFrames || s.withContext
	if err := c.expr(s.template); err != nil {
		return err
	}
	s.slot, s.inScope = c.defineGlobal(s.target)
	return nil
}

func (c *compiler) fromTag(s *fromStmt) *Error {
	c.sharesFrames = c.sharesFrames || s.withContext
	if err := c.expr(s.template); err != nil {
		return err
	}
	for i := range s.names {
		s.names[i].slot, s.inScope = c.defineGlobal(s.names[i].alias)
	}
	return nil
}

func (c *compiler) exprs(list []expr) *Error {
	for _, e := range list {
		if err := c.expr(e); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) expr(e expr) *Error {
	switch e := e.(type) {
	case *nameExpr:
		c.name(e)
	case *superExpr:
		e.where = c.resolve(superName)
	case *groupExpr:
		if len(e.items) == 0 {
			return syntaxError(int(e.pos), int(e.end), "empty parentheses")
		}
		return c.exprs(e.items)
	case *arrayExpr:
		return c.exprs(e.items)
	case *dictExpr:
		if e.badKey != nil {
			return e.badKey
		}
		return c.exprs(e.vals)
	case *memberExpr:
		return c.member(e)
	case *sliceExpr:
		return c.exprs([]expr{e.target, e.start, e.stop, e.step})
	case *callExpr:
		return c.call(e)
	case *filterExpr:
		e.filter = c.env.filters[e.name]
		return c.exprs(e.args)
	case *testExpr:
		return c.test(e)
	case *chainExpr:
		return c.chain(e)
	case *logicExpr:
		return c.exprs(e.items)
	case *notExpr:
		return c.expr(e.operand)
	case *signExpr:
		return c.expr(e.operand)
	case *stepExpr:
		return c.step(e)
	case *powerExpr:
		return c.exprs([]expr{e.base, e.exponent})
	case *floorExpr:
		return c.expr(e.quotient)
	case *inExpr:
		return c.exprs([]expr{e.item, e.collection})
	case *condExpr:
		return c.exprs([]expr{e.cond, e.then, e.otherwise})
	case *captureExpr:
		return c.stmts(e.body)
	case *callerExpr:
		return c.macro(e.macro, c.scope)
	}
	return nil
}

func (c *compiler) member(e *memberExpr) *Error {
	if e.key == nil && e.name == "" {
		return syntaxError(int(e.pos), int(e.end), "there is nothing between the brackets")
	}
	c.mutates = c.mutates || (e.static != nil && e.static.mutates)
	return c.exprs([]expr{e.target, e.key})
}

func (c *compiler) call(e *callExpr) *Error {
	if refersToNull(e.callee) {
		return syntaxError(int(e.pos), int(e.end), "none has no members that could be called")
	}
	if err := c.expr(e.callee); err != nil {
		return err
	}
	return c.exprs(e.args)
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

// step refuses what JavaScript can neither increment nor fail to increment
// when it gets there.
func (c *compiler) step(e *stepExpr) *Error {
	switch x := e.operand.(type) {
	case *nameExpr:
		c.name(x)
		return nil
	case *memberExpr, *callExpr, *filterExpr, *sliceExpr:
		return c.expr(x)
	}
	return syntaxError(int(e.pos), int(e.end), "equal signs in a row").withHint("write 0 - (-x)")
}

func (c *compiler) name(e *nameExpr) {
	e.where = c.resolve(e.name)
	if e.where.kind != byName {
		return
	}
	c.unbound = append(c.unbound, e)
	if e.name == "loop" {
		c.askLoop()
	}
}

// askLoop notes that what is being compiled asks for loop: that of a loop
// around it or, in a call body, of whoever runs the body.
func (c *compiler) askLoop() {
	for s := c.scope; s != nil; s = s.outer {
		if s.loop != nil && s.unit == c.scope.unit {
			s.loop.loop = true
		}
		c.asksLoop = c.asksLoop || s.unit != c.scope.unit
	}
}

func (c *compiler) test(e *testExpr) *Error {
	if len(e.args) > 1 {
		at := e.args[1].span()
		return syntaxError(int(at.pos), int(at.end), "a test takes one argument")
	}
	e.test = c.env.tests[e.name]
	if err := c.expr(e.subject); err != nil {
		return err
	}
	return c.exprs(e.args)
}

func (c *compiler) chain(e *chainExpr) *Error {
	if err := c.expr(e.first); err != nil {
		return err
	}
	for _, link := range e.rest {
		if err := c.expr(link.operand); err != nil {
			return err
		}
	}
	return nil
}
