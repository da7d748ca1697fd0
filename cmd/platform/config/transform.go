package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A transformer turns what a file says into nodes: it substitutes variables
// and reads what is included.
type transformer struct {
	env  func(string) (string, bool)
	file string // base name, for errors about keys
}

// maxDepth bounds how deep objects, arrays and includes lie in each other, so
// that a file that includes itself comes to an end.
const maxDepth = 64

// apply returns the node for value, nil where a variable is not defined. Dir
// is the folder of the file that value stands in, key its path, for errors.
func (t transformer) apply(value any, dir, key string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%q lies more than %d levels deep, or includes itself", key, maxDepth)
	}
	switch v := value.(type) {
	case string:
		text, ok := t.substitute(v)
		if !ok {
			return nil, nil
		}
		return t.node(text), nil
	case []any:
		return t.array(v, dir, key, depth)
	case *jsonvalue.Object:
		if directive, ok := directiveOf(v); ok {
			return t.include(directive, v, dir, key, depth)
		}
		return t.object(v, dir, key, depth)
	}
	return t.node(value), nil
}

func (t transformer) node(value any) *node { return &node{value: value, file: t.file} }

func (t transformer) array(list []any, dir, key string, depth int) (*node, error) {
	out := make([]*node, 0, len(list))
	for i, value := range list {
		n, err := t.apply(value, dir, fmt.Sprintf("%s[%d]", key, i), depth+1)
		if err != nil {
			return nil, err
		}
		if n != nil {
			out = append(out, n)
		}
	}
	n := t.node(out)
	n.short = len(out) < len(list)
	return n, nil
}

func (t transformer) object(o *jsonvalue.Object, dir, key string, depth int) (*node, error) {
	out := newObject()
	for name, value := range o.All() {
		n, err := t.apply(value, dir, join(key, name), depth+1)
		if err != nil {
			return nil, err
		}
		if n == nil {
			out.dropped = append(out.dropped, name)
			continue
		}
		out.set(name, n)
	}
	return t.node(out), nil
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// variable matches ${VAR}, ${VAR:-fallback} and, to be left alone, $${VAR}.
var variable = regexp.MustCompile(`\$?\$\{[^{}]*\}`)

// substitute replaces the variables in text. It is false when one of them is
// not defined.
func (t transformer) substitute(text string) (result string, ok bool) {
	ok = true
	result = variable.ReplaceAllStringFunc(text, func(m string) string {
		if strings.HasPrefix(m, "$$") {
			return m[1:]
		}
		name, fallback, hasFallback := strings.Cut(m[2:len(m)-1], ":-")
		value, defined := t.lookup(name)
		if hasFallback && value == "" {
			value, defined = fallback, fallback != ""
		}
		ok = ok && defined
		return value
	})
	return result, ok
}

// lookup returns the value of a variable without the blanks around it.
func (t transformer) lookup(name string) (string, bool) {
	if t.env == nil {
		return "", false
	}
	value, ok := t.env(strings.TrimSpace(name))
	return strings.TrimSpace(value), ok
}

// directiveOf returns the first key that begins with a dollar.
func directiveOf(o *jsonvalue.Object) (string, bool) {
	for name := range o.All() {
		if strings.HasPrefix(name, "$") {
			return name, true
		}
	}
	return "", false
}

// include resolves an object such as {$file: path}.
func (t transformer) include(directive string, o *jsonvalue.Object, dir, key string, depth int) (*node, error) {
	if o.Len() != 1 {
		return nil, fmt.Errorf("%s at %q must be the only key there", directive, key)
	}
	raw, ok := o.Value(directive).(string)
	if !ok {
		return nil, fmt.Errorf("%s at %q needs a string", directive, key)
	}
	argument, ok := t.substitute(raw)
	if !ok {
		return nil, fmt.Errorf("%s at %q uses a variable that is not defined: %s", directive, key, raw)
	}
	switch directive {
	case "$env":
		value, ok := t.lookup(argument)
		if !ok {
			return nil, nil
		}
		return t.node(value), nil
	case "$file":
		data, err := readBounded(relativeTo(dir, argument))
		if err != nil {
			return nil, fmt.Errorf("$file at %q: %w", key, err)
		}
		return t.node(strings.TrimRight(string(data), " \t\r\n\v\f")), nil
	case "$include":
		return t.includeFile(argument, dir, key, depth)
	}
	return nil, fmt.Errorf("%s at %q is not one of $env, $file, $include", directive, key)
}

func (t transformer) includeFile(argument, dir, key string, depth int) (*node, error) {
	name, fragment, _ := strings.Cut(argument, "#")
	switch filepath.Ext(name) {
	case ".json", ".yaml", ".yml":
	default:
		return nil, fmt.Errorf("$include at %q: %s is not a .json, .yaml or .yml file", key, name)
	}
	path := relativeTo(dir, name)
	value, err := readYAML(path)
	if err != nil {
		return nil, fmt.Errorf("$include at %q: %w", key, err)
	}
	if fragment != "" {
		for segment := range strings.SplitSeq(fragment, ".") {
			o, ok := value.(*jsonvalue.Object)
			if !ok || !o.Has(segment) {
				return nil, fmt.Errorf("$include at %q: %s has no value at %s", key, name, fragment)
			}
			value = o.Value(segment)
		}
	}
	return t.apply(value, filepath.Dir(path), key, depth+1)
}

func relativeTo(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
