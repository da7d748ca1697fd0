package config

import "slices"

// A node is a value of the tree with the file that it comes from. Its value is
// nil (which hides what earlier sources say), bool, float64, string, []*node
// or *object. Nodes do not change once they have been merged.
type node struct {
	value any
	file  string
	// short tells that an array has lost elements whose variable is not
	// defined.
	short bool
}

// An object keeps its keys in the order of the files.
type object struct {
	keys   []string
	fields map[string]*node
	// dropped are keys that the file has and the object has not: null ones,
	// and those whose variable is not defined.
	dropped []string
}

func newObject() *object { return &object{fields: map[string]*node{}} }

func (o *object) set(key string, n *node) {
	if _, ok := o.fields[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.fields[key] = n
}

// kind names the type of the value in errors.
func (n *node) kind() string {
	switch v := n.value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		if v == "" {
			return "empty-string"
		}
		return "string"
	case []*node:
		return "array"
	}
	return "object"
}

// merge lays over over under: objects deeply, everything else as a whole.
func merge(under, over *node) *node {
	switch {
	case over == nil:
		return under
	case under == nil:
		return over
	}
	low, lowOK := under.value.(*object)
	high, highOK := over.value.(*object)
	if !lowOK || !highOK {
		return over
	}
	out := &object{keys: slices.Clone(low.keys), fields: make(map[string]*node, len(low.fields))}
	for _, key := range low.keys {
		out.fields[key] = low.fields[key]
	}
	for _, key := range high.keys {
		out.set(key, merge(low.fields[key], high.fields[key]))
	}
	return &node{value: out, file: over.file}
}

// prune drops the keys whose value is null, since those read as absent.
func prune(n *node) *node {
	switch v := n.value.(type) {
	case *object:
		out := newObject()
		out.dropped = slices.Clone(v.dropped)
		for _, key := range v.keys {
			if child := v.fields[key]; child.value != nil {
				out.set(key, prune(child))
			} else {
				out.dropped = append(out.dropped, key)
			}
		}
		return &node{value: out, file: n.file}
	case []*node:
		out := make([]*node, len(v))
		for i, child := range v {
			out[i] = prune(child)
		}
		return &node{value: out, file: n.file, short: n.short}
	}
	return n
}
