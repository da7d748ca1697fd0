package yaml

import "github.com/greenroom-idp/greenroom/catalog/jsonvalue"

// A flow is a collection in brackets under construction.
type flow struct {
	closing byte
	name    string // as errors call it
	lower   string
	indent  int  // how far its lines must be indented
	root    bool // it is the document
	outer   bool // it is in no other flow collection
}

// flowNode reads the collection that starts here, whose lines, and those of
// collections in it, must be indented by at least indent.
func (p *parser) flowNode(indent int, outer bool) (node, error) {
	if err := p.enter(); err != nil {
		return node{}, err
	}
	defer p.leave()
	n := node{style: styleCollection, start: p.pos}
	line := p.lineStart
	f := flow{closing: ']', name: "Flow sequence", lower: "flow sequence", indent: indent, outer: outer, root: outer && indent == 0}
	var err error
	if p.src[p.pos] == '{' {
		f.closing, f.name, f.lower = '}', "Flow map", "flow map"
		n.value, n.tree, err = p.flowMapping(f)
	} else {
		n.value, n.tree, err = p.flowSequence(f)
	}
	n.end, n.broken = p.pos, p.lineStart != line
	return n, err
}

// flowSkip goes to the next token inside f.
func (p *parser) flowSkip(f flow) (gap, error) {
	g, err := p.skip()
	if err != nil {
		return g, err
	}
	if p.pos >= len(p.src) {
		return g, p.unclosed(f)
	}
	c, column := p.src[p.pos], p.column()
	if g.tab >= 0 && g.newline {
		column = g.tab - p.lineStart
	}
	if g.newline && column < f.indent && !(f.outer && column == f.indent-1 && (c == ']' || c == '}')) {
		return g, p.unclosed(f)
	}
	if (c == ']' || c == '}') && c != f.closing {
		return g, p.unclosed(f)
	}
	return g, nil
}

func (p *parser) unclosed(f flow) error {
	if f.root {
		return p.failAt(p.pos, "%s must end with a %c", f.name, f.closing)
	}
	return p.failAt(p.pos, "%s in block collection must be sufficiently indented and end with a %c", f.name, f.closing)
}

func (p *parser) flowSequence(f flow) (any, *Tree, error) {
	list, tree := []any{}, p.seed()
	for {
		p.pos++ // the bracket or the comma
		if _, err := p.flowSkip(f); err != nil {
			return nil, nil, err
		}
		if p.src[p.pos] == f.closing {
			p.pos++
			return list, tree, p.spend(1)
		}
		item, err := p.flowItem(f)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, item.value)
		tree.add(item)
		if done, err := p.flowNext(f); done || err != nil {
			return list, tree, err
		}
	}
}

// flowNext goes to the comma after an item, or over the closing bracket.
func (p *parser) flowNext(f flow) (done bool, err error) {
	if _, err := p.flowSkip(f); err != nil {
		return false, err
	}
	switch p.src[p.pos] {
	case ',':
		return false, nil
	case f.closing:
		p.pos++
		return true, p.spend(1)
	}
	if err := p.noBlockInFlow(); err != nil {
		return false, err
	}
	return false, p.failAt(p.pos, "Missing , or : between %s items", f.lower)
}

func (p *parser) noBlockInFlow() error {
	if p.indicator('-') {
		return p.fail(p.pos, p.flowTokenEnd(), "Block collections are not allowed within flow collections")
	}
	return nil
}

func (p *parser) flowTokenEnd() int {
	i := p.pos
	for i < len(p.src) && p.src[i] != '\n' && !isFlowIndicator(p.src[i]) {
		i++
	}
	return i
}

// flowItem reads an item of a sequence: a node, or a pair, which is a mapping
// of one key.
func (p *parser) flowItem(f flow) (node, error) {
	if p.indicator('?') {
		o, start := object{Object: jsonvalue.NewObject(), tree: p.seed()}, p.pos
		if err := p.flowPair(f, &o); err != nil {
			return node{}, err
		}
		return node{value: o.Object, start: start, tree: o.tree}, nil
	}
	key, err := p.flowOperand(f)
	if err != nil {
		return node{}, err
	}
	from := p.mark()
	g, err := p.flowSkip(f)
	if err != nil {
		return node{}, err
	}
	if !p.valueFollows(key) {
		p.reset(from)
		return key, nil
	}
	switch {
	case key.broken || g.newline:
		return node{}, p.fail(key.start, key.end, "Implicit keys of flow sequence pairs need to be on a single line")
	case p.pos-key.start > maxImplicitKey:
		return node{}, p.fail(key.start, key.end, "The : indicator must be at most 1024 chars after the start of an implicit flow sequence key")
	}
	value, err := p.flowValue(f)
	if err != nil {
		return node{}, err
	}
	o := object{Object: jsonvalue.NewObject(), tree: p.seed()}
	if o.tree != nil {
		o.tree.Start = key.start
	}
	err = p.set(&o, key, value)
	return node{value: o.Object, start: key.start, tree: o.tree}, err
}

// valueFollows tells whether ":" comes next as the mark of a value. After a
// key in quotes or brackets it need not be followed by a blank.
func (p *parser) valueFollows(key node) bool {
	if p.at(0) != ':' {
		return false
	}
	return p.blankAt(p.pos+1) || isFlowIndicator(p.src[p.pos+1]) || key.style == styleQuoted || key.style == styleCollection
}

// flowValue reads what follows the ":" that is here.
func (p *parser) flowValue(f flow) (node, error) {
	p.pos++
	if _, err := p.flowSkip(f); err != nil {
		return node{}, err
	}
	if p.src[p.pos] == ',' {
		return node{start: p.pos, end: p.pos}, p.spend(1)
	}
	value, err := p.flowOperand(f)
	if err != nil {
		return value, err
	}
	from := p.mark()
	g, err := p.flowSkip(f)
	if err != nil {
		return value, err
	}
	switch c := p.src[p.pos]; {
	case c == ',' || c == f.closing:
	case p.valueFollows(value) && value.broken:
		return value, p.fail(value.start, value.end, "Implicit keys need to be on a single line")
	case p.valueFollows(value):
		return value, p.failAt(value.start, compactMapping)
	case !g.newline || c != '-':
		return value, p.unexpected()
	}
	p.reset(from)
	return value, nil
}

func (p *parser) flowMapping(f flow) (any, *Tree, error) {
	o := object{Object: jsonvalue.NewObject(), tree: p.seed()}
	for {
		p.pos++ // the bracket or the comma
		if _, err := p.flowSkip(f); err != nil {
			return nil, nil, err
		}
		if p.src[p.pos] == f.closing {
			p.pos++
			return o.Object, o.tree, p.spend(1)
		}
		if err := p.flowPair(f, &o); err != nil {
			return nil, nil, err
		}
		if done, err := p.flowNext(f); done || err != nil {
			return o.Object, o.tree, err
		}
	}
}

// flowPair reads an entry into o: a key, and a value when ":" follows.
func (p *parser) flowPair(f flow, o *object) error {
	if p.indicator('?') {
		p.pos++
		if _, err := p.flowSkip(f); err != nil {
			return err
		}
		if c := p.src[p.pos]; c == ',' || c == f.closing {
			o.Set("", nil)
			return p.spend(2)
		}
	}
	key, err := p.flowOperand(f)
	if err != nil {
		return err
	}
	if o.has(key) {
		return p.failAt(key.start, "Map keys must be unique")
	}
	from := p.mark()
	if _, err := p.flowSkip(f); err != nil {
		return err
	}
	if !p.valueFollows(key) {
		p.reset(from)
		if err := p.spend(1); err != nil {
			return err
		}
		return p.set(o, key, node{})
	}
	value, err := p.flowValue(f)
	if err != nil {
		return err
	}
	return p.set(o, key, value)
}

// flowOperand reads one node inside f with its properties. It is empty before
// a comma, a closing bracket and ":".
func (p *parser) flowOperand(f flow) (node, error) {
	pr := props{nodes: p.nodes}
	for c := p.src[p.pos]; c == '&' || c == '!'; c = p.src[p.pos] {
		if err := p.property(&pr); err != nil {
			return node{}, err
		}
		if _, err := p.flowSkip(f); err != nil {
			return node{}, err
		}
	}
	if err := p.noBlockInFlow(); err != nil {
		return node{}, err
	}
	switch c := p.src[p.pos]; {
	case c == ',' && !pr.found:
		return node{}, p.failAt(p.pos, "Unexpected , in %s", f.lower)
	case c == ',' || c == f.closing || c == ':' && (p.blankAt(p.pos+1) || isFlowIndicator(p.src[p.pos+1])):
		return p.finish(node{style: styleNone, start: p.pos, end: p.pos}, pr)
	case c == '[' || c == '{':
		n, err := p.flowNode(f.indent, false)
		if err != nil {
			return n, err
		}
		return p.finish(n, pr)
	}
	n, err := p.scalar(f.indent, true)
	if err != nil {
		return n, err
	}
	return p.finish(n, pr)
}
