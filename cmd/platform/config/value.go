package config

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Value is a place in the configuration. There may be nothing at it; reading
// it is an error then that says which key is missing, and in which file.
type Value struct {
	node *node
	key  string
	file string // where a missing key belongs
}

// At returns the value at a path of keys joined by dots.
func (c *Config) At(path string) Value {
	return Value{node: c.root, file: c.root.file}.At(path)
}

// At returns the value at a path below v.
func (v Value) At(path string) Value {
	for name := range strings.SplitSeq(path, ".") {
		v = v.Child(name)
	}
	return v
}

// Child returns the value of one key, which may hold any characters.
func (v Value) Child(name string) Value {
	child := Value{key: join(v.key, name), file: v.file}
	if v.node == nil {
		return child
	}
	if o, ok := v.node.value.(*object); ok {
		if n := o.fields[name]; n != nil {
			child.node, child.file = n, n.file
		}
	}
	return child
}

// Exists tells whether there is a value.
func (v Value) Exists() bool { return v.node != nil }

// Key returns the path of the value from the root.
func (v Value) Key() string { return v.key }

// Is tells whether the value is exactly this boolean, number or string.
func (v Value) Is(scalar any) bool { return v.node != nil && v.node.value == scalar }

// Keys returns the keys of an object in order, and none of anything else.
func (v Value) Keys() []string {
	if v.node != nil {
		if o, ok := v.node.value.(*object); ok {
			return o.keys
		}
	}
	return nil
}

// IsObject tells whether the value is an object.
func (v Value) IsObject() bool { return v.kind() == "object" }

// IsArray tells whether the value is an array.
func (v Value) IsArray() bool { return v.kind() == "array" }

func (v Value) kind() string {
	if v.node == nil {
		return "undefined"
	}
	return v.node.kind()
}

// Fault returns an error about this value: its key, its file, and the reason.
func (v Value) Fault(format string, args ...any) error {
	return fmt.Errorf("config key '%s' in '%s': %s", v.key, v.file, fmt.Sprintf(format, args...))
}

func (v Value) missing() error {
	//lint:ignore ST1005 these are the words that operators know and search for
	return fmt.Errorf("Missing required config value at '%s' in '%s'", v.key, v.file)
}

func (v Value) wrongType(wanted string) error {
	if v.node == nil {
		return v.missing()
	}
	//lint:ignore ST1005 these are the words that operators know and search for
	return fmt.Errorf("Invalid type in config for key '%s' in '%s', got %s, wanted %s", v.key, v.file, v.kind(), wanted)
}

// Text returns a string that is not empty.
func (v Value) Text() (string, error) {
	if v.node != nil {
		if s, ok := v.node.value.(string); ok && s != "" {
			return s, nil
		}
	}
	return "", v.wrongType("string")
}

// Number returns a number, or a string that spells one.
func (v Value) Number() (float64, error) {
	if v.node != nil {
		switch x := v.node.value.(type) {
		case float64:
			return x, nil
		case string:
			if n, err := strconv.ParseFloat(strings.TrimSpace(x), 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
				return n, nil
			}
			return 0, v.Fault("'%s' is not a number", x)
		}
	}
	return 0, v.wrongType("number")
}

// Bool returns a boolean, or a string or number that stands for one.
func (v Value) Bool() (bool, error) {
	if v.node != nil {
		switch x := v.node.value.(type) {
		case bool:
			return x, nil
		case float64:
			if x == 0 || x == 1 {
				return x == 1, nil
			}
		case string:
			switch strings.ToLower(strings.TrimSpace(x)) {
			case "true", "yes", "y", "on", "1":
				return true, nil
			case "false", "no", "n", "off", "0":
				return false, nil
			}
			return false, v.Fault("'%s' is not a boolean, such as true or false", x)
		}
	}
	return false, v.wrongType("boolean")
}

// Items yields the elements of an array. An absent one has none.
func (v Value) Items() (iter.Seq[Value], error) {
	none := func(func(Value) bool) {}
	if v.node == nil {
		return none, nil
	}
	list, ok := v.node.value.([]*node)
	if !ok {
		return none, v.wrongType("array")
	}
	return func(yield func(Value) bool) {
		for i, n := range list {
			item := Value{node: n, key: fmt.Sprintf("%s[%d]", v.key, i), file: n.file}
			if !yield(item) {
				return
			}
		}
	}, nil
}

// Texts returns an array of strings that are not empty, or, for a string
// alone, that one.
func (v Value) Texts() ([]string, error) {
	if v.node != nil {
		if _, ok := v.node.value.(string); ok {
			s, err := v.Text()
			return []string{s}, err
		}
	}
	items, err := v.Items()
	if err != nil {
		return nil, err
	}
	var out []string
	for item := range items {
		s, err := item.Text()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Duration returns a duration: an object such as {minutes: 5}, an ISO 8601
// duration such as PT5M, or a string such as "5m" or "2 seconds".
func (v Value) Duration() (time.Duration, error) {
	if v.node == nil {
		return 0, v.missing()
	}
	switch x := v.node.value.(type) {
	case string:
		if d, ok := parseDuration(x); ok {
			return d, nil
		}
		return 0, v.Fault("'%s' is not a duration, such as {minutes: 5}, PT5M or 5m", x)
	case *object:
		return v.durationObject(x)
	}
	return 0, v.wrongType("duration, such as {minutes: 5}, PT5M or 5m")
}

// Milliseconds is like Duration, and takes plain numbers as milliseconds.
func (v Value) Milliseconds() (time.Duration, error) {
	if v.node != nil {
		if n, ok := v.node.value.(float64); ok {
			return clampDuration(n * float64(time.Millisecond)), nil
		}
	}
	return v.Duration()
}

// Plain returns the value as encoding/json would: nil, bool, float64, string,
// []any and map[string]any.
func (v Value) Plain() any {
	if v.node == nil {
		return nil
	}
	return plain(v.node)
}

func plain(n *node) any {
	switch v := n.value.(type) {
	case []*node:
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = plain(child)
		}
		return out
	case *object:
		out := make(map[string]any, len(v.keys))
		for key, child := range v.fields {
			out[key] = plain(child)
		}
		return out
	}
	return n.value
}

// Dropped returns the keys at and below v that have no value, because it is
// null or names a variable that is not defined, and lists that have lost some
// of theirs so. In objects that several files
// have a part of, only null ones are known.
func (v Value) Dropped() []Value {
	if v.node == nil {
		return nil
	}
	var out []Value
	switch x := v.node.value.(type) {
	case *object:
		for _, key := range x.dropped {
			out = append(out, v.Child(key))
		}
		for _, key := range x.keys {
			out = append(out, v.Child(key).Dropped()...)
		}
	case []*node:
		if v.node.short {
			out = append(out, v)
		}
		for i, n := range x {
			out = append(out, Value{node: n, key: fmt.Sprintf("%s[%d]", v.key, i), file: n.file}.Dropped()...)
		}
	}
	return out
}
