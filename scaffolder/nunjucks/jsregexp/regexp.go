package jsregexp

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// A Regexp is a compiled pattern.
type Regexp struct {
	code       []instruction
	groups     int
	names      []string
	registers  int
	ignoreCase bool
	multiline  bool
	// prefix is the unit that every match begins with, if there is one.
	prefix    uint16
	hasPrefix bool
}

// Compile parses a pattern. Of the flags i and m change how it matches; g and
// y are accepted, others and doubled ones are errors.
func Compile(pattern, flags string) (*Regexp, error) {
	for i, f := range flags {
		if !strings.ContainsRune("gimy", f) || strings.ContainsRune(flags[i+1:], f) {
			return nil, fmt.Errorf("invalid regular expression flags %q", flags)
		}
	}
	tree, p, err := parse(utf16.Encode([]rune(pattern)))
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression /%s/: %w", pattern, err)
	}
	c := compiler{ignoreCase: strings.Contains(flags, "i"), multiline: strings.Contains(flags, "m")}
	c.node(tree, false)
	c.emit(instruction{op: opMatch})
	re := &Regexp{code: c.code, groups: p.groups + 1, names: p.names, registers: c.registers,
		ignoreCase: c.ignoreCase, multiline: c.multiline}
	if first := c.code[0]; first.op == opChar && !c.ignoreCase {
		re.prefix, re.hasPrefix = first.char, true
	}
	return re, nil
}

// Groups returns the number of capturing groups, the whole match counted.
func (re *Regexp) Groups() int { return re.groups }

// Names returns the groups' names, "" for those without, the whole match
// first. The caller must not change them.
func (re *Regexp) Names() []string { return re.names }

func (re *Regexp) slot(register int) int { return 2*re.groups + register }

// Find returns the first match in text that begins at or after unit from, or
// exactly there if sticky: for each group the units where it begins and ends,
// -1 if it took no part. Without a match it returns nil. From time to time it
// calls check, and gives up with its error if that returns one.
func (re *Regexp) Find(text []uint16, from int, sticky bool, check func() error) ([]int, error) {
	m := &machine{re: re, in: text, check: check, left: checkEvery,
		slots: make([]int, 2*re.groups+re.registers)}
	for at := from; at <= len(text); at++ {
		if re.hasPrefix && !sticky {
			for at < len(text) && text[at] != re.prefix {
				at++
			}
		}
		for i := range m.slots {
			m.slots[i] = -1
		}
		m.trail, m.choices = m.trail[:0], m.choices[:0]
		end, ok, err := m.run(0, at)
		if err != nil {
			return nil, err
		}
		if ok {
			m.slots[0], m.slots[1] = at, end
			return m.slots[: 2*re.groups : 2*re.groups], nil
		}
		if sticky {
			break
		}
	}
	return nil, nil
}
