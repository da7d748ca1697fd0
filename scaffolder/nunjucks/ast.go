package nunjucks

// An expr is a node with a value, a stmt one that produces output or sets
// variables. The parser makes both, the compiler fills in the fields that say
// where variables live, and after that a tree does not change any more.
type (
	expr interface {
		eval(a *activation) (Value, error)
		span() node
	}
	stmt interface {
		exec(a *activation) error
		span() node
	}
)

// A node is a place in the source, in bytes.
type node struct{ pos, end int32 }

func (n node) span() node { return n }

// Expressions.
type (
	// literalExpr is a string, number, boolean or null.
	literalExpr struct {
		node
		value Value
	}
	// regexpExpr makes a new regular expression each time, since matching
	// changes its lastIndex.
	regexpExpr struct {
		node
		source *pattern
	}
	nameExpr struct {
		node
		name  string
		where binding
	}
	// groupExpr is (a, b): the value of the last.
	groupExpr struct {
		node
		items []expr
	}
	arrayExpr struct {
		node
		items []expr
	}
	// dictExpr is an object, or the keyword arguments of a call.
	dictExpr struct {
		node
		keys     []string
		vals     []expr
		keywords bool
		badKey   *Error // reported when the tree is compiled
	}
	memberExpr struct {
		node
		target expr
		key    expr
		// name is the key if it is a string literal or stands after a dot, and
		// static what strings, arrays and so on have by that name.
		name   string
		dotted bool
		static *members
	}
	sliceExpr struct {
		node
		target            expr
		start, stop, step expr // nil where left out
	}
	callExpr struct {
		node
		callee expr
		args   []expr
	}
	// superExpr is super(): the text of the block that this one overrides,
	// which is rendered when the block begins.
	superExpr struct {
		node
		where binding
	}
	filterExpr struct {
		node
		name   string
		args   []expr // the first is what is filtered
		filter *function
	}
	testExpr struct {
		node
		subject expr
		// name is empty where the right side names no test; the reference then
		// looks up the test "undefined", and so do we.
		name string
		args []expr
		test *function
	}
	// chainExpr is a op b op c of one precedence, from left to right.
	chainExpr struct {
		node
		level chainLevel
		first expr
		rest  []chainLink
	}
	chainLink struct {
		op      tokenKind
		operand expr
	}
	// logicExpr is a chain of "and" or of "or".
	logicExpr struct {
		node
		or    bool
		items []expr
	}
	notExpr struct {
		node
		operand expr
	}
	// signExpr is unary minus or plus.
	signExpr struct {
		node
		minus   bool
		operand expr
	}
	// stepExpr is - - x or + + x: the reference's generated code makes it a
	// decrement or increment of a local variable. Three signs have no operand.
	stepExpr struct {
		node
		by      float64
		operand expr
	}
	powerExpr struct {
		node
		base, exponent expr
	}
	floorExpr struct {
		node
		quotient expr
	}
	inExpr struct {
		node
		item, collection expr
	}
	condExpr struct {
		node
		cond, then, otherwise expr // otherwise may be nil
	}
	// captureExpr is the text that statements produce.
	captureExpr struct {
		node
		body []stmt
	}
	// callerExpr is the body of a call block as a function.
	callerExpr struct {
		node
		macro *macro
	}
)

// A chainLevel is the JavaScript precedence of a chain.
type chainLevel uint8

const (
	levelEquality chainLevel = iota
	levelRelation
	levelAdd
	levelMultiply
)

// Statements.
type (
	textStmt struct {
		node
		text string
	}
	outputStmt struct {
		node
		value expr
		// tag: a filter or call block, and no interpolation.
		tag bool
	}
	ifStmt struct {
		node
		branches  []branch
		otherwise []stmt
	}
	branch struct {
		cond expr
		body []stmt
	}
	forStmt struct {
		node
		names     []string
		slots     []int
		list      expr
		body      []stmt
		otherwise []stmt
		// async is asyncEach or asyncAll, which bind names a little differently.
		async bool
		// byName: the loop's variables can be asked for by name at run time.
		byName []bool
		// loop: somebody asks for "loop".
		loop bool
	}
	setStmt struct {
		node
		targets []string
		where   []binding
		value   expr // a captureExpr in the block form
	}
	macroStmt struct {
		node
		macro *macro
		slot  int
		// inScope: the definition is inside a loop, so the name is local to it.
		inScope bool
	}
	switchStmt struct {
		node
		subject   expr
		cases     []branch
		otherwise []stmt
	}
	blockStmt struct {
		node
		block *block
		// nested blocks are rendered in place even below an extends tag.
		nested bool
	}
	extendsStmt struct {
		node
		template expr
	}
	includeStmt struct {
		node
		template      expr
		ignoreMissing bool
	}
	importStmt struct {
		node
		template    expr
		target      string
		slot        int
		inScope     bool
		withContext bool
	}
	fromStmt struct {
		node
		template    expr
		names       []importName
		inScope     bool
		withContext bool
	}
	importName struct {
		name, alias string
		slot        int
	}
)

// A macro is the definition of a macro or of a call block's body.
type macro struct {
	name     string
	params   []string
	slots    []int
	keywords []string // parameters with defaults
	defaults []expr
	body     []stmt
	locals   int
	// byName says which parameters can be asked for by name at run time.
	byName []bool
	// caller bodies see the variables around them.
	caller bool
}

// A block is a {% block %} of a template.
type block struct {
	node
	name   string
	body   []stmt
	locals int
	// super: the text of the overridden block is needed, in this slot.
	super     bool
	superSlot int
}

// A binding says where a name's value lives.
type binding struct {
	kind bindingKind
	hops int // how many call bodies outwards
	slot int
}

type bindingKind uint8

const (
	// inContext: no tag of the template sets the name.
	inContext bindingKind = iota
	// byName: a tag sets it, whether before this place only a run can tell.
	byName
	// inSlot: a loop, macro parameter, macro or import in sight defines it.
	inSlot
)
