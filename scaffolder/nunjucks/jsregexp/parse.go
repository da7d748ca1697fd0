package jsregexp

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf16"
)

// MaxSource is the greatest length of a pattern, in UTF-16 units.
const MaxSource = 16384

// maxNesting bounds how deeply groups may lie in each other.
const maxNesting = 200

// maxRepeat stands for "without end" in quantifiers.
const maxRepeat = 1 << 30

// A nodeKind says what a node of a parsed pattern matches.
type nodeKind uint8

const (
	nodeEmpty nodeKind = iota
	nodeChar
	nodeClass
	nodeSequence
	nodeChoice
	nodeGroup // captures
	nodeRepeat
	nodeLineStart
	nodeLineEnd
	nodeBoundary
	nodeLook
	nodeBackReference
)

type node struct {
	kind nodeKind
	char uint16
	set  *set
	subs []*node
	// group is the number of a capturing group or of a back reference.
	group int
	// name is that of a back reference by name, resolved after parsing.
	name     string
	min, max int
	lazy     bool
	// negative also stands for \B; behind for look-behind.
	negative, behind bool
	// firstGroup and lastGroup are the groups inside of a repetition.
	firstGroup, lastGroup int
}

type parser struct {
	src    []uint16
	pos    int
	groups int      // capturing groups opened so far
	total  int      // in the whole pattern
	names  []string // by group, "" for those without
	named  bool     // some group has a name, so \k means something
	depth  int
	refs   []*node
}

func parse(src []uint16) (*node, *parser, error) {
	if len(src) > MaxSource {
		return nil, nil, fmt.Errorf("pattern is longer than %d units", MaxSource)
	}
	p := &parser{src: src, names: []string{""}}
	p.count()
	n, err := p.choice()
	if err == nil && p.pos < len(src) {
		err = fmt.Errorf("unmatched ) in pattern")
	}
	if err != nil {
		return nil, nil, err
	}
	for _, ref := range p.refs {
		if ref.group = slices.Index(p.names, ref.name); ref.group < 0 {
			return nil, nil, fmt.Errorf("no group is called %q", ref.name)
		}
	}
	return n, p, nil
}

// count finds how many groups there are, on which the meaning of \1 depends.
func (p *parser) count() {
	inClass := false
	for i := 0; i < len(p.src); i++ {
		switch p.src[i] {
		case '\\':
			i++
		case '[':
			inClass = true
		case ']':
			inClass = false
		case '(':
			if inClass {
				continue
			}
			if i+1 < len(p.src) && p.src[i+1] == '?' {
				if !(i+3 < len(p.src) && p.src[i+2] == '<' && p.src[i+3] != '=' && p.src[i+3] != '!') {
					continue
				}
				p.named = true
			}
			p.total++
		}
	}
}

func (p *parser) more() bool { return p.pos < len(p.src) }

// at tells whether the pattern goes on with s.
func (p *parser) at(s string) bool {
	if len(p.src)-p.pos < len(s) {
		return false
	}
	for i := range len(s) {
		if p.src[p.pos+i] != uint16(s[i]) {
			return false
		}
	}
	return true
}

func (p *parser) skip(s string) bool {
	if !p.at(s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) choice() (*node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("groups are nested too deeply")
	}
	defer func() { p.depth-- }()
	var options []*node
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		options = append(options, n)
		if !p.skip("|") {
			break
		}
	}
	if len(options) == 1 {
		return options[0], nil
	}
	return &node{kind: nodeChoice, subs: options}, nil
}

func (p *parser) sequence() (*node, error) {
	n := &node{kind: nodeSequence}
	for p.more() && !p.at("|") && !p.at(")") {
		before := p.groups
		t, quantifiable, err := p.term()
		if err != nil {
			return nil, err
		}
		if t, err = p.quantified(t, quantifiable, before); err != nil {
			return nil, err
		}
		n.subs = append(n.subs, t)
	}
	if len(n.subs) == 1 {
		return n.subs[0], nil
	}
	return n, nil
}

// term parses an assertion or atom, and tells whether it may be repeated.
func (p *parser) term() (n *node, quantifiable bool, err error) {
	switch {
	case p.skip("^"):
		return &node{kind: nodeLineStart}, false, nil
	case p.skip("$"):
		return &node{kind: nodeLineEnd}, false, nil
	case p.skip(`\b`):
		return &node{kind: nodeBoundary}, false, nil
	case p.skip(`\B`):
		return &node{kind: nodeBoundary, negative: true}, false, nil
	case p.skip("(?="):
		n, err = p.group(&node{kind: nodeLook})
		return n, true, err
	case p.skip("(?!"):
		n, err = p.group(&node{kind: nodeLook, negative: true})
		return n, true, err
	case p.skip("(?<="):
		n, err = p.group(&node{kind: nodeLook, behind: true})
		return n, false, err
	case p.skip("(?<!"):
		n, err = p.group(&node{kind: nodeLook, behind: true, negative: true})
		return n, false, err
	}
	n, err = p.atom()
	return n, true, err
}

// group parses the rest of a group into n.
func (p *parser) group(n *node) (*node, error) {
	body, err := p.choice()
	if err != nil {
		return nil, err
	}
	if !p.skip(")") {
		return nil, fmt.Errorf("unterminated group")
	}
	n.subs = []*node{body}
	return n, nil
}

func (p *parser) atom() (*node, error) {
	switch c := p.src[p.pos]; c {
	case '.':
		p.pos++
		return &node{kind: nodeClass, set: dotSet}, nil
	case '[':
		p.pos++
		return p.class()
	case '\\':
		p.pos++
		return p.escape()
	case '(':
		return p.parenthesis()
	case '*', '+', '?':
		return nil, fmt.Errorf("nothing to repeat")
	case '{':
		if _, _, n := p.braces(); n > 0 {
			return nil, fmt.Errorf("nothing to repeat")
		}
		p.pos++
		return &node{kind: nodeChar, char: c}, nil
	default:
		p.pos++
		return &node{kind: nodeChar, char: c}, nil
	}
}

func (p *parser) parenthesis() (*node, error) {
	p.pos++
	if p.skip("?:") {
		n, err := p.group(&node{kind: nodeSequence})
		return n, err
	}
	name := ""
	if p.skip("?<") {
		var err error
		if name, err = p.groupName(); err != nil {
			return nil, err
		}
		if slices.Contains(p.names, name) {
			return nil, fmt.Errorf("two groups are called %q", name)
		}
	} else if p.at("?") {
		return nil, fmt.Errorf("invalid group")
	}
	p.groups++
	p.names = append(p.names, name)
	return p.group(&node{kind: nodeGroup, group: p.groups})
}

// groupName reads up to >.
func (p *parser) groupName() (string, error) {
	start := p.pos
	for p.more() && p.src[p.pos] != '>' {
		p.pos++
	}
	name := string(utf16.Decode(p.src[start:p.pos]))
	if !p.skip(">") || name == "" {
		return "", fmt.Errorf("invalid name of a group")
	}
	for i, r := range name {
		if !(unicode.IsLetter(r) || r == '_' || r == '$' || i > 0 && unicode.IsDigit(r)) {
			return "", fmt.Errorf("invalid name of a group")
		}
	}
	return name, nil
}

// quantified wraps t in the quantifier that follows, if one does.
func (p *parser) quantified(t *node, quantifiable bool, groupsBefore int) (*node, error) {
	lo, hi := 0, maxRepeat
	switch {
	case p.skip("*"):
	case p.skip("+"):
		lo = 1
	case p.skip("?"):
		hi = 1
	default:
		var n int
		if lo, hi, n = p.braces(); n == 0 {
			return t, nil
		}
		p.pos += n
	}
	if !quantifiable {
		return nil, fmt.Errorf("nothing to repeat")
	}
	if lo > hi {
		return nil, fmt.Errorf("numbers out of order in quantifier")
	}
	return &node{kind: nodeRepeat, subs: []*node{t}, min: lo, max: hi, lazy: p.skip("?"),
		firstGroup: groupsBefore + 1, lastGroup: p.groups}, nil
}

// braces reads {n}, {n,} or {n,m} and returns its length, 0 if it is none.
func (p *parser) braces() (lo, hi, size int) {
	if !p.at("{") {
		return 0, 0, 0
	}
	i := p.pos + 1
	lo, i, ok := p.decimal(i)
	if !ok {
		return 0, 0, 0
	}
	hi = lo
	if i < len(p.src) && p.src[i] == ',' {
		hi = maxRepeat
		if n, j, ok := p.decimal(i + 1); ok {
			hi, i = n, j
		} else {
			i++
		}
	}
	if i >= len(p.src) || p.src[i] != '}' {
		return 0, 0, 0
	}
	return lo, hi, i + 1 - p.pos
}

func (p *parser) decimal(i int) (n, end int, ok bool) {
	start := i
	for ; i < len(p.src) && p.src[i] >= '0' && p.src[i] <= '9'; i++ {
		n = min(n*10+int(p.src[i]-'0'), maxRepeat)
	}
	return n, i, i > start
}
