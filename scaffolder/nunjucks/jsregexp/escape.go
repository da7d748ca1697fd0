package jsregexp

import "fmt"

// escape parses what follows a backslash outside of a class.
func (p *parser) escape() (*node, error) {
	if !p.more() {
		return nil, fmt.Errorf(`\ at end of pattern`)
	}
	c := p.src[p.pos]
	if s := escapedSet(c); s != nil {
		p.pos++
		return &node{kind: nodeClass, set: s}, nil
	}
	if c >= '1' && c <= '9' {
		n, end, _ := p.decimal(p.pos)
		if n <= p.total {
			p.pos = end
			return &node{kind: nodeBackReference, group: n}, nil
		}
	}
	if c == 'k' && p.named {
		p.pos++
		if !p.skip("<") {
			return nil, fmt.Errorf("invalid named reference")
		}
		name, err := p.groupName()
		ref := &node{kind: nodeBackReference, name: name}
		p.refs = append(p.refs, ref)
		return ref, err
	}
	return &node{kind: nodeChar, char: p.escapedChar(false)}, nil
}

// escapedChar reads a character after a backslash.
func (p *parser) escapedChar(inClass bool) uint16 {
	c := p.src[p.pos]
	p.pos++
	switch c {
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	case 'x':
		return p.hex(2, c)
	case 'u':
		return p.hex(4, c)
	case 'c':
		return p.control(inClass)
	}
	if c >= '0' && c <= '7' {
		return p.octal(c - '0')
	}
	return c
}

// hex reads n hexadecimal digits; without them the letter stands for itself.
func (p *parser) hex(n int, otherwise uint16) uint16 {
	if len(p.src)-p.pos < n {
		return otherwise
	}
	v := uint16(0)
	for _, c := range p.src[p.pos : p.pos+n] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | (c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | (c | 0x20 - 'a' + 10)
		default:
			return otherwise
		}
	}
	p.pos += n
	return v
}

// control reads the letter after \c; without one the backslash stands for
// itself.
func (p *parser) control(inClass bool) uint16 {
	if p.more() {
		c := p.src[p.pos]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if letter || inClass && (c >= '0' && c <= '9' || c == '_') {
			p.pos++
			return c & 0x1F
		}
	}
	p.pos--
	return '\\'
}

// octal reads up to two more digits, as long as the value stays below 256.
func (p *parser) octal(v uint16) uint16 {
	for n := 0; n < 2 && p.more(); n++ {
		c := p.src[p.pos]
		if c < '0' || c > '7' || v*8+c-'0' > 0xFF {
			break
		}
		v = v*8 + c - '0'
		p.pos++
	}
	return v
}

// class parses the rest of [...].
func (p *parser) class() (*node, error) {
	b := &setBuilder{}
	negative := p.skip("^")
	for {
		if !p.more() {
			return nil, fmt.Errorf("unterminated character class")
		}
		if p.skip("]") {
			return &node{kind: nodeClass, set: b.build(negative)}, nil
		}
		lo, s, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if !p.at("-") || p.at("-]") {
			b.add(lo, lo, s)
			continue
		}
		p.pos++
		if !p.more() {
			return nil, fmt.Errorf("unterminated character class")
		}
		hi, t, err := p.classAtom()
		if err != nil {
			return nil, err
		}
		if s != nil || t != nil { // a dash beside a set stands for itself
			b.add(lo, lo, s)
			b.add('-', '-', nil)
			b.add(hi, hi, t)
			continue
		}
		if lo > hi {
			return nil, fmt.Errorf("range out of order in character class")
		}
		b.add(lo, hi, nil)
	}
}

// classAtom reads one character or set inside of a class.
func (p *parser) classAtom() (uint16, *set, error) {
	c := p.src[p.pos]
	p.pos++
	if c != '\\' {
		return c, nil, nil
	}
	if !p.more() {
		return 0, nil, fmt.Errorf(`\ at end of pattern`)
	}
	c = p.src[p.pos]
	if s := escapedSet(c); s != nil {
		p.pos++
		return 0, s, nil
	}
	if c == 'b' {
		p.pos++
		return '\b', nil, nil
	}
	return p.escapedChar(true), nil, nil
}
