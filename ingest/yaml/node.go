package yaml

import (
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A style is how a node is written.
type style int

const (
	styleNone style = iota // nothing is written: null
	stylePlain
	styleQuoted // or a block scalar
	styleAlias
	styleCollection
)

// A node is what was read: text for scalars whose tag is not applied yet,
// value for all others.
type node struct {
	style      style
	text       string
	value      any
	start, end int
	broken     bool // goes over several lines
	tree       *Tree
}

// props are the anchor and the tag of a node.
type props struct {
	anchor, tag string
	tagged      bool
	anchorAt    int // where the anchor stands
	start       int // where the first of them stands
	found       bool
	nodes       int // the budget when the node began
}

// finish applies the properties to a node that was read.
func (p *parser) finish(n node, pr props) (node, error) {
	if err := p.spend(1 + len(n.text)/bytesPerNode); err != nil {
		return n, err
	}
	if n.style <= styleQuoted {
		n.value = p.resolve(n, pr)
	}
	p.plant(&n)
	if pr.anchor == "" {
		return n, nil
	}
	if n.style == styleAlias {
		return n, p.failAt(n.start, "An alias node must not specify any properties")
	}
	if p.anchors == nil {
		p.anchors = map[string]anchored{}
	}
	p.anchors[pr.anchor] = anchored{n.value, max(1, pr.nodes-p.nodes)}
	return n, nil
}

// property reads an anchor or a tag into pr.
func (p *parser) property(pr *props) error {
	start := p.pos
	if !pr.found {
		pr.found, pr.start, pr.nodes = true, start, p.nodes
	}
	if p.src[p.pos] == '&' {
		return p.anchor(pr)
	}
	tag, err := p.tag()
	if err != nil {
		return err
	}
	if pr.tagged {
		return p.fail(start, p.pos, "A node can have at most one tag")
	}
	pr.tag, pr.tagged = tag, true
	return p.separated()
}

func (p *parser) anchor(pr *props) error {
	start := p.pos
	name := p.name()
	switch {
	case name == "":
		return p.failAt(start, "Anchor cannot be an empty string")
	case pr.anchor != "":
		return p.fail(start, p.pos, "A node can have at most one anchor")
	}
	pr.anchor, pr.anchorAt = name, start
	return p.separated()
}

// name reads the name after & or *.
func (p *parser) name() string {
	p.pos++
	start := p.pos
	for !p.blankAt(p.pos) && !isFlowIndicator(p.src[p.pos]) {
		p.pos++
	}
	return string(p.src[start:p.pos])
}

func (p *parser) separated() error {
	if p.blankAt(p.pos) || isFlowIndicator(p.src[p.pos]) && p.src[p.pos] != '[' && p.src[p.pos] != '{' {
		return nil
	}
	return p.failAt(p.pos-1, "Tags and anchors must be separated from the next token by white space")
}

const coreTags = "tag:yaml.org,2002:"

// tag reads a tag and returns its full name, "" for the non-specific "!".
func (p *parser) tag() (string, error) {
	start := p.pos
	if p.at(1) == '<' {
		for !p.blankAt(p.pos) && p.src[p.pos] != '>' {
			p.pos++
		}
		if p.at(0) != '>' {
			return "", p.fail(start, p.pos, "Verbatim tags must end with a >")
		}
		p.pos++
		return string(p.src[start+2 : p.pos-1]), nil
	}
	for !p.blankAt(p.pos) && !isFlowIndicator(p.src[p.pos]) {
		p.pos++
	}
	text := string(p.src[start:p.pos])
	at := strings.LastIndexByte(text, '!') + 1
	handle, suffix := text[:at], text[at:]
	if prefix, ok := p.handles[handle]; ok {
		return prefix + suffix, nil
	}
	switch {
	case handle == "!!" && suffix != "":
		return coreTags + suffix, nil
	case handle == "!" && suffix == "":
		return "", nil
	case handle == "!":
		return text, nil
	case suffix == "":
		return "", p.fail(start, p.pos, "The %s tag has no suffix", text)
	}
	return "", p.fail(start, p.pos, "Could not resolve tag: %s", text)
}

// alias reads an alias and what it stands for. One that stands for nothing is
// an error of the document only where its syntax is right.
func (p *parser) alias() (node, error) {
	start := p.pos
	name := p.name()
	if name == "" {
		return node{}, p.failAt(start, "Alias cannot be an empty string")
	}
	a, ok := p.anchors[name]
	if !ok && p.unknown == nil {
		p.unknown = &ReferenceError{"Unresolved alias (the anchor must be set before the alias): " + name}
	}
	value, err := p.clone(a)
	return node{style: styleAlias, value: value, start: start, end: p.pos}, err
}

// An object under construction: the keys of a mapping must differ as values,
// while their strings may be equal, as those of 1 and "1" are.
type object struct {
	*jsonvalue.Object
	odd  map[any]bool // keys that are not strings; every key once there is one
	tree *Tree
}

// has tells whether the key occurred before, and notes that it has occurred
// now. Keys that are aliases or collections never equal another.
func (o *object) has(key node) bool {
	if key.style >= styleAlias {
		return false
	}
	text, isString := key.value.(string)
	if isString && o.odd == nil {
		return o.Has(text)
	}
	if o.odd == nil {
		o.odd = map[any]bool{}
		for _, m := range o.Members() {
			o.odd[m.Key] = true
		}
	}
	found := o.odd[key.value]
	o.odd[key.value] = true
	return found
}

// set gives the entry of that key the value.
func (p *parser) set(o *object, key, value node) error {
	text := keyText(key)
	o.Set(text, value.value)
	p.grow(o, key, value)
	if key.style < styleAlias {
		return nil
	}
	return p.spend(len(text) / bytesPerNode)
}

// keyText returns the string that a key becomes.
func keyText(key node) string {
	switch v := key.value.(type) {
	case string:
		return v
	case nil:
		if key.style == stylePlain && key.text != "" {
			return notFinite(key.text)
		}
		return ""
	case float64:
		return jsonvalue.FormatNumber(v)
	}
	if key.style >= styleAlias {
		return flowText(key.value)
	}
	return string(jsonvalue.Append(nil, key.value))
}

// notFinite returns how JavaScript spells a number that JSON has not, and ""
// for null.
func notFinite(text string) string {
	switch {
	case strings.EqualFold(text, ".nan"):
		return "NaN"
	case strings.HasPrefix(text, "-."):
		return "-Infinity"
	case strings.ContainsRune(text, '.') || text[0] >= '0' && text[0] <= '9':
		return "Infinity"
	}
	return ""
}

// flowText writes a collection that is a key, as the reference does: in flow
// style with blanks inside the brackets.
func flowText(v any) string {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = flowText(v[i])
		}
		return "[ " + strings.Join(parts, ", ") + " ]"
	case *jsonvalue.Object:
		if v.Len() == 0 {
			return "{}"
		}
		var parts []string
		for key, x := range v.All() {
			if x != nil {
				key += ": " + flowText(x)
			}
			parts = append(parts, key)
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case string:
		return v
	}
	return string(jsonvalue.Append(nil, v))
}
