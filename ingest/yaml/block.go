package yaml

import (
	"bytes"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A place is where a node in block style stands.
type place int

const (
	atRoot      place = iota
	afterMarker       // at the root, on the line of the marker "---"
	inSequence        // after "-"
	inKey             // after "?", or after ":" when "?" came before
	inValue           // after a key and ":"
)

// A heading is what comes before the content of a block node.
type heading struct {
	parent int   // column of the collection that the node is in, -1 at the root
	at     place // what it comes after
	fresh  bool  // the content starts a line, or the document
	tab    int   // a tab before the content, or -1
	outer  props // properties on lines before the content
	inner  props // properties on the line of the content
	column int   // of the content with its inner properties
	second int   // where the line after the one before starts
}

// blockNode reads a node that is inside a collection at the column parent. It
// reads nothing when the next token is outside that collection.
func (p *parser) blockNode(parent int, at place) (node, error) {
	if err := p.enter(); err != nil {
		return node{}, err
	}
	defer p.leave()
	h := heading{parent: parent, at: at, fresh: at == atRoot, outer: props{nodes: p.nodes}}
	for {
		g, err := p.skip()
		if err != nil {
			return node{}, err
		}
		if g.newline {
			h.fresh, h.second = true, g.second
			if err := h.nextLine(p); err != nil {
				return node{}, err
			}
		}
		if p.pos >= len(p.src) || g.newline && !p.inside(h) {
			if g.tab >= 0 && p.pos < len(p.src) && g.newline {
				return node{}, p.failAt(g.tab, "Tabs are not allowed as indentation")
			}
			p.reset(g.from)
			p.emptyAt = p.pos
			return p.empty(h)
		}
		h.tab = g.tab
		if !h.inner.found {
			h.column = p.column()
		}
		if c := p.src[p.pos]; c != '&' && c != '!' {
			return p.content(h)
		}
		if g.tab >= 0 {
			return node{}, p.failAt(g.tab, "Tabs are not allowed as indentation")
		}
		if err := p.property(&h.inner); err != nil {
			return node{}, err
		}
	}
}

// nextLine makes the properties on the line that ended those of the node.
func (h *heading) nextLine(p *parser) error {
	merged, err := p.merge(h.outer, h.inner)
	h.outer, h.inner = merged, props{}
	return err
}

func (p *parser) merge(outer, inner props) (props, error) {
	if !inner.found {
		return outer, nil
	}
	if outer.anchor != "" && inner.anchor != "" {
		return outer, p.fail(inner.anchorAt, inner.anchorAt+1+len(inner.anchor), "A node can have at most one anchor")
	}
	if outer.tagged && inner.tagged {
		return outer, p.failAt(inner.start, "A node can have at most one tag")
	}
	if outer.anchor == "" {
		outer.anchor, outer.anchorAt = inner.anchor, inner.anchorAt
	}
	if !outer.tagged {
		outer.tag, outer.tagged = inner.tag, inner.tagged
	}
	outer.found = true
	return outer, nil
}

// inside tells whether the token that starts the current line belongs to the
// node: it is indented more than the collection around it, or a sequence that
// is the value of a key at the same column.
func (p *parser) inside(h heading) bool {
	column := p.column()
	return column > h.parent || column == h.parent && (h.at == inValue || h.at == inKey) && p.indicator('-')
}

func (p *parser) empty(h heading) (node, error) {
	pr, err := p.merge(h.outer, h.inner)
	if err != nil {
		return node{}, err
	}
	return p.finish(node{style: styleNone, start: p.pos, end: p.pos}, pr)
}

// compact tells whether a block collection may start on the current line.
func (h heading) compact() bool {
	return h.fresh || h.at == inSequence || h.at == inKey
}

func (p *parser) content(h heading) (node, error) {
	switch c := p.src[p.pos]; {
	case p.indicator('-'):
		if err := p.collectionAllowed(h, p.pos, "Unexpected block-seq-ind on same line with key"); err != nil {
			return node{}, err
		}
		if h.inner.found {
			return node{}, p.failAt(p.pos, "Unexpected block-seq-ind on same line with key")
		}
		return p.blockSequence(h)
	case p.indicator('?') || p.indicator(':'):
		if err := p.collectionAllowed(h, p.pos, compactMapping); err != nil {
			return node{}, err
		}
		return p.blockMapping(h, node{style: styleNone}, c == '?')
	case c == '|' || c == '>':
		pr, err := p.merge(h.outer, h.inner)
		if err != nil {
			return node{}, err
		}
		n, err := p.blockScalar(h.parent)
		if err != nil {
			return n, err
		}
		return p.finish(n, pr)
	}
	return p.leafOrMapping(h)
}

const compactMapping = "Nested mappings are not allowed in compact mappings"

// collectionAllowed checks that a block collection may start here.
func (p *parser) collectionAllowed(h heading, at int, sameLine string) error {
	if !h.compact() {
		if h.at == afterMarker {
			return p.failAt(at, "Block collection cannot start on same line with directives-end marker")
		}
		return p.failAt(at, "%s", sameLine)
	}
	if h.tab >= 0 {
		return p.failAt(h.tab, "Tabs are not allowed as indentation")
	}
	return nil
}

// leafOrMapping reads a scalar, alias or flow collection, and the mapping
// whose first key it is when ":" follows.
func (p *parser) leafOrMapping(h heading) (node, error) {
	start := p.pos
	if h.inner.found {
		start = h.inner.start
	}
	if h.tab >= 0 && h.fresh && h.tab-p.lineStart <= max(h.parent, 0) && !(h.parent < 0 && (p.src[p.pos] == '[' || p.src[p.pos] == '{')) {
		return node{}, p.failAt(h.tab, "Tabs are not allowed as indentation")
	}
	n, err := p.leaf(h.parent + 1)
	if err != nil {
		return n, err
	}
	if !p.keyFollows() {
		pr, err := p.merge(h.outer, h.inner)
		if err != nil {
			return n, err
		}
		if err := p.restOfLine(); err != nil {
			return n, err
		}
		return p.finish(n, pr)
	}
	if err := p.collectionAllowed(h, start, compactMapping); err != nil {
		return n, err
	}
	if err := p.checkKey(n); err != nil {
		return n, err
	}
	if n, err = p.finish(n, h.inner); err != nil {
		return n, err
	}
	return p.blockMapping(h, n, false)
}

// keyFollows tells whether what was read is a key: ":" comes next on its line.
// If so, that is where the parser is then.
func (p *parser) keyFollows() bool {
	from := p.mark()
	for isBlank(p.at(0)) {
		p.pos++
	}
	if p.indicator(':') {
		return true
	}
	p.reset(from)
	return false
}

// maxImplicitKey is how far from its start the ":" of a key may be.
const maxImplicitKey = 1024

func (p *parser) checkKey(n node) error {
	if n.broken {
		return p.fail(n.start, n.end, "Implicit keys need to be on a single line")
	}
	if p.pos-n.start > maxImplicitKey {
		return p.fail(n.start, n.end, "The : indicator must be at most 1024 chars after the start of an implicit block mapping key")
	}
	return nil
}

// restOfLine checks that nothing but a comment comes after a node in its line.
func (p *parser) restOfLine() error {
	from := p.mark()
	g, err := p.skip()
	if err != nil {
		return err
	}
	if !g.newline && p.pos < len(p.src) {
		return p.unexpected()
	}
	p.reset(from)
	return nil
}

// blockSequence reads the items of a sequence whose first "-" is here.
func (p *parser) blockSequence(h heading) (node, error) {
	column, list, n := p.column(), []any{}, node{style: styleCollection, start: p.pos, tree: p.seed()}
	for {
		p.pos++
		item, err := p.blockNode(column, inSequence)
		if err != nil {
			return n, err
		}
		list = append(list, item.value)
		n.tree.add(item)
		g, err := p.skip()
		if err != nil {
			return n, err
		}
		if p.pos < len(p.src) && p.column() >= column && g.tab >= 0 {
			return n, p.failAt(g.tab, "Tabs are not allowed as indentation")
		}
		if p.pos >= len(p.src) || p.column() < column || p.column() == column && !p.indicator('-') {
			p.reset(g.from)
			break
		}
		if p.column() > column {
			return n, p.failAt(g.second, "Sequence item without - indicator")
		}
	}
	n.value, n.end = list, p.pos
	return p.finish(n, h.outer)
}

// blockMapping reads the entries of a mapping. Its first key is the node
// first, followed by ":" here; or "?" or ":" is here and the key not yet read.
func (p *parser) blockMapping(h heading, first node, explicit bool) (node, error) {
	o, n := object{Object: jsonvalue.NewObject(), tree: p.seed()}, node{style: styleCollection, start: p.pos}
	if n.tree = o.tree; o.tree != nil && first.style != styleNone {
		o.tree.Start = first.start
	}
	key := first
	for {
		value, err := p.entry(&o, h.column, &key, explicit)
		if err != nil {
			return n, err
		}
		if err := p.set(&o, key, value); err != nil {
			return n, err
		}
		more, err := p.nextEntry(h, value.style != styleCollection)
		if err != nil {
			return n, err
		}
		if !more {
			break
		}
		if key, explicit, err = p.nextKey(h.column); err != nil {
			return n, err
		}
	}
	n.value, n.end = o.Object, p.pos
	return p.finish(n, h.outer)
}

// entry reads the rest of an entry: an explicit key and its value, or the
// value after the ":" that is here.
func (p *parser) entry(o *object, column int, key *node, explicit bool) (node, error) {
	at := inValue
	if explicit {
		p.pos++
		k, err := p.blockNode(column, inKey)
		if err != nil {
			return node{}, err
		}
		*key, at = k, inKey
	}
	if key.style != styleNone && o.has(*key) || key.style == styleNone && o.has(node{style: stylePlain}) {
		return node{}, p.failAt(p.keyPlace(*key), "Map keys must be unique")
	}
	if explicit {
		g, err := p.skip()
		if err != nil {
			return node{}, err
		}
		if p.pos >= len(p.src) || p.column() != column || !p.indicator(':') {
			p.reset(g.from)
			return node{}, p.spend(1)
		}
	}
	p.pos++
	return p.blockNode(column, at)
}

// keyPlace returns where an error shows a key: where it starts or, when it is
// on the line after a value that is not written, behind that.
func (p *parser) keyPlace(key node) int {
	between := bytes.TrimRight(p.src[min(p.emptyAt, key.start):key.start], " ")
	if string(between) == "\n" || string(between) == "\r\n" {
		return p.emptyAt
	}
	return key.start
}

// nextEntry goes to the next entry of a mapping. It is false, and the parser
// where it was, when the mapping has ended.
func (p *parser) nextEntry(h heading, leafBefore bool) (bool, error) {
	g, err := p.skip()
	if err != nil {
		return false, err
	}
	column := p.column()
	if p.pos >= len(p.src) || g.tab < 0 && column < h.column && (column <= h.parent || h.parent < 0) {
		p.reset(g.from)
		return false, nil
	}
	place, afterEmpty := g.second, p.emptyAt == g.from.pos
	if afterEmpty {
		place = p.emptyAt
	}
	switch {
	case !g.newline:
		return false, p.unexpected()
	case g.tab >= 0:
		return false, p.failAt(g.tab, "Tabs are not allowed as indentation")
	case p.indicator('-'):
		if column < h.column && h.at == inSequence && column == h.parent {
			p.reset(g.from)
			return false, nil
		}
		if column == 0 && leafBefore && !afterEmpty {
			return false, p.failAt(place, "Implicit keys need to be on a single line")
		}
		return false, p.failAt(place, "A block sequence may not be used as an implicit map key")
	case column < h.column && h.at == inSequence:
		return false, p.failAt(place, "Sequence item without - indicator")
	case column != h.column:
		return false, p.failAt(place, "All mapping items must start at the same column")
	}
	return true, nil
}

// nextKey reads the key of an entry that is not the first. Afterwards ":" is
// here, or "?" of a key that is explicit.
func (p *parser) nextKey(column int) (key node, explicit bool, err error) {
	var pr props
	for {
		switch c := p.src[p.pos]; {
		case p.indicator('?'):
			return node{style: styleNone}, true, nil
		case p.indicator(':'):
			key, err = p.finish(node{style: styleNone, start: p.pos, end: p.pos}, pr)
			return key, false, err
		case c != '&' && c != '!':
			return p.implicitKey(column, pr)
		}
		if err := p.property(&pr); err != nil {
			return key, false, err
		}
		g, err := p.skip()
		if err != nil {
			return key, false, err
		}
		if g.newline || p.pos >= len(p.src) {
			return key, false, p.failAt(pr.start, "Implicit map keys need to be followed by map values")
		}
	}
}

func (p *parser) implicitKey(column int, pr props) (node, bool, error) {
	if c := p.src[p.pos]; c == '|' || c == '>' {
		return node{}, false, p.failAt(p.pos, "Implicit keys need to be on a single line")
	}
	if err := p.reservedKey(column); err != nil {
		return node{}, false, err
	}
	n, err := p.leaf(p.keyContinuation(column))
	if err != nil {
		return n, false, err
	}
	follows := p.keyFollows()
	if n.broken || follows {
		if err := p.checkKey(n); err != nil {
			return n, false, err
		}
	}
	if !follows {
		if err := p.restOfLine(); err != nil {
			return n, false, err
		}
		return n, false, p.fail(n.start, n.end, "Implicit map keys need to be followed by map values")
	}
	n, err = p.finish(n, pr)
	return n, false, err
}

// reservedKey is the error for a key that starts with a character that no
// plain scalar starts with, and goes over several lines.
func (p *parser) reservedKey(column int) error {
	if c := p.src[p.pos]; c != '%' && c != '@' && c != '`' {
		return nil
	}
	from := p.mark()
	n := p.plain(p.keyContinuation(column), false)
	p.reset(from)
	if n.broken {
		return p.fail(n.start, n.end, "Implicit keys need to be on a single line")
	}
	return nil
}

// keyContinuation returns how far a line must be indented to continue the
// scalar here, that stands where a key is expected. A scalar of one character
// is not continued at its own column in the reference.
func (p *parser) keyContinuation(column int) int {
	if p.blankAt(p.pos + 1) {
		return column + 1
	}
	return column
}
