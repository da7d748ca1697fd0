package jsregexp

import "errors"

// ErrTooComplex is returned for matches that need more memory than a search
// may use.
var ErrTooComplex = errors.New("regular expression is too complex for this text")

// maxStack bounds the choices and changes that a search can go back to.
const maxStack = 1 << 20

// checkEvery is the number of instructions between calls of Find's check.
const checkEvery = 1 << 13

// A choice is a place to go back to.
type choice struct {
	pc, pos int
	trail   int // how much of the trail was there
	// A run that can give up units goes back one at a time until limit.
	run   bool
	limit int
}

// A change is an overwritten slot: a capture, or after those a register.
type change struct{ slot, value int }

// A machine is one search.
type machine struct {
	re      *Regexp
	in      []uint16
	slots   []int // captures as pairs, then registers
	choices []choice
	trail   []change
	left    int // instructions until the next check
	check   func() error
}

func (m *machine) set(slot, value int) {
	m.trail = append(m.trail, change{slot, m.slots[slot]})
	m.slots[slot] = value
}

func (m *machine) undo(to int) {
	for i := len(m.trail) - 1; i >= to; i-- {
		m.slots[m.trail[i].slot] = m.trail[i].value
	}
	m.trail = m.trail[:to]
}

func (m *machine) tick() error {
	if m.left--; m.left > 0 {
		return nil
	}
	m.left = checkEvery
	if len(m.choices) > maxStack || len(m.trail) > maxStack {
		return ErrTooComplex
	}
	if m.check == nil {
		return nil
	}
	return m.check()
}

// run matches from pc at pos and reports where the match ended. Choices made
// before are not touched.
func (m *machine) run(pc, pos int) (end int, ok bool, err error) {
	base := len(m.choices)
	for {
		if err := m.tick(); err != nil {
			return 0, false, err
		}
		in := &m.re.code[pc]
		if in.op == opMatch {
			m.choices = m.choices[:base]
			return pos, true, nil
		}
		next, at, ok, err := m.step(in, pc, pos)
		if err != nil {
			return 0, false, err
		}
		if ok {
			pc, pos = next, at
			continue
		}
		if pc, pos, ok = m.backtrack(base); !ok {
			return 0, false, nil
		}
	}
}

// backtrack returns to the last choice above base.
func (m *machine) backtrack(base int) (pc, pos int, ok bool) {
	n := len(m.choices)
	if n == base {
		return 0, 0, false
	}
	c := &m.choices[n-1]
	m.undo(c.trail)
	pc, pos = c.pc, c.pos
	if !c.run {
		m.choices = m.choices[:n-1]
		return pc, pos, true
	}
	if pos == c.limit {
		m.choices = m.choices[:n-1]
	} else if pos > c.limit {
		c.pos--
	} else {
		c.pos++
	}
	return pc, pos, true
}

func (m *machine) later(pc, pos int) {
	m.choices = append(m.choices, choice{pc: pc, pos: pos, trail: len(m.trail)})
}

// step executes one instruction.
func (m *machine) step(in *instruction, pc, pos int) (next, at int, ok bool, err error) {
	switch in.op {
	case opChar, opClass:
		at, ok = m.one(in, in.op, pos)
		return pc + 1, at, ok, nil
	case opSplit:
		m.later(in.y, pos)
		return in.x, pos, true, nil
	case opJump:
		return in.x, pos, true, nil
	case opMark:
		if in.negative {
			m.set(m.re.slot(in.x), 0)
		} else {
			m.set(m.re.slot(in.x), pos)
		}
	case opCapture:
		from := m.slots[m.re.slot(in.x)]
		m.set(2*in.y, min(from, pos))
		m.set(2*in.y+1, max(from, pos))
	case opReset:
		for g := in.x; g <= in.y; g++ {
			m.set(2*g, -1)
			m.set(2*g+1, -1)
		}
	case opLoop:
		next = m.loop(in, pc, pos)
		return next, pos, true, nil
	case opLoopEnd:
		rounds := m.slots[m.re.slot(in.x)]
		if rounds >= in.min && m.slots[m.re.slot(in.y)] == pos {
			return 0, 0, false, nil // an empty round changes nothing
		}
		m.set(m.re.slot(in.x), rounds+1)
		return in.max, pos, true, nil
	case opRun:
		return m.repeat(in, pc, pos)
	case opLineStart:
		ok = pos == 0 || m.re.multiline && isLineEnd(m.in[pos-1])
		return pc + 1, pos, ok, nil
	case opLineEnd:
		ok = pos == len(m.in) || m.re.multiline && isLineEnd(m.in[pos])
		return pc + 1, pos, ok, nil
	case opBoundary:
		before := pos > 0 && wordSet.has(m.in[pos-1])
		after := pos < len(m.in) && wordSet.has(m.in[pos])
		return pc + 1, pos, (before != after) != in.negative, nil
	case opLook:
		return m.look(in, pc, pos)
	case opBack:
		at, ok = m.again(in, pos)
		return pc + 1, at, ok, nil
	}
	return pc + 1, pos, true, nil
}

// one matches a single unit.
func (m *machine) one(in *instruction, op opcode, pos int) (int, bool) {
	at, next := pos, pos+1
	if in.back {
		at, next = pos-1, pos-1
	}
	if at < 0 || at >= len(m.in) {
		return 0, false
	}
	c := m.in[at]
	if op == opChar {
		return next, c == in.char || m.re.ignoreCase && canonical(c) == in.char
	}
	if m.re.ignoreCase {
		return next, in.set.hasFolded(c)
	}
	return next, in.set.has(c)
}

// loop decides between another round and what comes after.
func (m *machine) loop(in *instruction, pc, pos int) int {
	rounds := m.slots[m.re.slot(in.x)]
	switch {
	case rounds < in.min:
		return pc + 1
	case rounds >= in.max:
		return in.y
	case in.lazy:
		m.later(pc+1, pos)
		return in.y
	}
	m.later(in.y, pos)
	return pc + 1
}

// repeat matches a run of single units. A greedy one takes all it can and
// leaves one choice that gives them back one by one; a lazy one is tried
// again for each further unit.
func (m *machine) repeat(in *instruction, pc, pos int) (next, at int, ok bool, err error) {
	op := opcode(in.x)
	want := in.max
	if in.lazy {
		want = in.min
	}
	n, at := 0, pos
	least := pos
	for n < want {
		if n&(checkEvery-1) == checkEvery-1 {
			if m.left = 1; m.tick() != nil {
				return 0, 0, false, m.check()
			}
		}
		to, ok := m.one(in, op, at)
		if !ok {
			break
		}
		at = to
		if n++; n == in.min {
			least = at
		}
	}
	m.left -= n >> 4
	if n < in.min {
		return 0, 0, false, nil
	}
	if in.lazy {
		m.lazily(in, op, pc, at)
	} else if at != least {
		step := 1
		if in.back {
			step = -1
		}
		m.choices = append(m.choices, choice{pc: pc + 1, pos: at - step, trail: len(m.trail), run: true, limit: least})
	}
	return pc + 1, at, true, nil
}

// lazily leaves the choice of taking more units than the least of a lazy run:
// of all that match, one after the other.
func (m *machine) lazily(in *instruction, op opcode, pc, at int) {
	first, ok := m.one(in, op, at)
	if !ok || in.min >= in.max {
		return
	}
	last := first
	for n := in.min + 1; n < in.max; n++ {
		to, ok := m.one(in, op, last)
		if !ok {
			break
		}
		last = to
	}
	m.choices = append(m.choices, choice{pc: pc + 1, pos: first, trail: len(m.trail), run: true, limit: last})
}

// look runs a lookaround. What a positive one captured stays; there is no
// going back into it.
func (m *machine) look(in *instruction, pc, pos int) (next, at int, ok bool, err error) {
	mark := len(m.trail)
	_, found, err := m.run(pc+1, pos)
	if err != nil {
		return 0, 0, false, err
	}
	if in.negative || !found {
		m.undo(mark)
	}
	return in.x, pos, found != in.negative, nil
}

// again matches what a group has captured.
func (m *machine) again(in *instruction, pos int) (int, bool) {
	from, to := m.slots[2*in.x], m.slots[2*in.x+1]
	if from < 0 {
		return pos, true
	}
	n := to - from
	m.left -= n >> 4 // comparing counts as instructions, too
	start, end := pos, pos+n
	if in.back {
		start, end = pos-n, pos-n
	}
	if start < 0 || start+n > len(m.in) {
		return 0, false
	}
	for i := range n {
		x, y := m.in[from+i], m.in[start+i]
		if x != y && !(m.re.ignoreCase && canonical(x) == canonical(y)) {
			return 0, false
		}
	}
	return end, true
}
