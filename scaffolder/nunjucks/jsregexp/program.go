package jsregexp

// An opcode is what one instruction of the matcher does.
type opcode uint8

const (
	opMatch     opcode = iota
	opChar             // one unit
	opClass            // one unit of a set
	opSplit            // go on at x, or else at y
	opJump             // go on at x
	opMark             // remember the position in register x
	opCapture          // group y is from register x to here
	opReset            // groups x to y have captured nothing
	opLoop             // decide whether to go round: see loop
	opLoopEnd          // a round is over
	opRun              // greedy or lazy run of one-unit matches: see run
	opLineStart        // ^
	opLineEnd          // $
	opBoundary         // \b or \B
	opLook             // the lookaround's body is next, its rest at x
	opBack             // group x again
)

type instruction struct {
	op       opcode
	char     uint16
	negative bool // opBoundary, opLook
	back     bool // towards the start, inside of look-behind
	lazy     bool
	x, y     int
	set      *set
	min, max int // opLoop, opRun
}

// A compiler turns nodes into instructions.
type compiler struct {
	code       []instruction
	registers  int
	ignoreCase bool
	multiline  bool
}

func (c *compiler) emit(in instruction) int {
	c.code = append(c.code, in)
	return len(c.code) - 1
}

func (c *compiler) register() int {
	c.registers++
	return c.registers - 1
}

// node compiles n. Inside of look-behind, back is set and sequences run from
// their end.
func (c *compiler) node(n *node, back bool) {
	switch n.kind {
	case nodeChar:
		c.emit(c.single(n, back))
	case nodeClass:
		c.emit(c.single(n, back))
	case nodeSequence:
		for i := range n.subs {
			if back {
				i = len(n.subs) - 1 - i
			}
			c.node(n.subs[i], back)
		}
	case nodeChoice:
		c.choice(n, back)
	case nodeGroup:
		r := c.register()
		c.emit(instruction{op: opMark, x: r})
		c.node(n.subs[0], back)
		c.emit(instruction{op: opCapture, x: r, y: n.group})
	case nodeRepeat:
		c.repeat(n, back)
	case nodeLineStart:
		c.emit(instruction{op: opLineStart})
	case nodeLineEnd:
		c.emit(instruction{op: opLineEnd})
	case nodeBoundary:
		c.emit(instruction{op: opBoundary, negative: n.negative})
	case nodeLook:
		at := c.emit(instruction{op: opLook, negative: n.negative})
		c.node(n.subs[0], n.behind)
		c.emit(instruction{op: opMatch})
		c.code[at].x = len(c.code)
	case nodeBackReference:
		c.emit(instruction{op: opBack, x: n.group, back: back})
	}
}

// single is the instruction that matches one unit.
func (c *compiler) single(n *node, back bool) instruction {
	if n.kind == nodeChar {
		ch := n.char
		if c.ignoreCase {
			ch = canonical(ch)
		}
		return instruction{op: opChar, char: ch, back: back}
	}
	return instruction{op: opClass, set: n.set, back: back}
}

func (c *compiler) choice(n *node, back bool) {
	var ends []int
	for i, sub := range n.subs {
		if i == len(n.subs)-1 {
			c.node(sub, back)
			break
		}
		split := c.emit(instruction{op: opSplit})
		c.code[split].x = len(c.code)
		c.node(sub, back)
		ends = append(ends, c.emit(instruction{op: opJump}))
		c.code[split].y = len(c.code)
	}
	for _, at := range ends {
		c.code[at].x = len(c.code)
	}
}

// repeat compiles a quantifier: as a run if its operand is one unit, else as
//
//	loop → body … loopEnd → loop, or on
//
// with the number of rounds and the start of the last one in two registers.
func (c *compiler) repeat(n *node, back bool) {
	if n.max == 0 {
		return
	}
	if sub := n.subs[0]; sub.kind == nodeChar || sub.kind == nodeClass {
		in := c.single(sub, back)
		in.x = int(in.op)
		in.op, in.min, in.max, in.lazy = opRun, n.min, n.max, n.lazy
		c.emit(in)
		return
	}
	rounds, start := c.register(), c.register()
	c.emit(instruction{op: opMark, x: rounds, negative: true}) // no rounds yet
	loop := c.emit(instruction{op: opLoop, x: rounds, min: n.min, max: n.max, lazy: n.lazy})
	c.emit(instruction{op: opMark, x: start})
	if n.lastGroup >= n.firstGroup {
		c.emit(instruction{op: opReset, x: n.firstGroup, y: n.lastGroup})
	}
	c.node(n.subs[0], back)
	c.emit(instruction{op: opLoopEnd, x: rounds, y: start, min: n.min, max: loop})
	c.code[loop].y = len(c.code)
}
