package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

const environPrefix = "APP_CONFIG_"

// segment is what one part of a key may look like.
var segment = regexp.MustCompile(`(?i)^[a-z][a-z0-9]*(?:[-_:][a-z][a-z0-9]*)*$`)

// fromEnviron returns the tree that the variables APP_CONFIG_* make, nil for
// none. They are taken as they are, without transforms.
func fromEnviron(environ []string) (*node, error) {
	var root *node
	environ = slices.Clone(environ)
	slices.Sort(environ)
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, environPrefix) {
			continue
		}
		value, err := environValue(name, text)
		if err != nil {
			return nil, err
		}
		path := strings.Split(name[len(environPrefix):], "_")
		for _, part := range slices.Backward(path) {
			if !segment.MatchString(part) {
				return nil, fmt.Errorf("variable %s: %q is not a configuration key", name, part)
			}
			o := newObject()
			o.set(part, value)
			value = &node{value: o, file: "env"}
		}
		root = merge(root, value)
	}
	return root, nil
}

// environValue reads JSON, and takes what is none for a string.
func environValue(name, text string) (*node, error) {
	if !json.Valid([]byte(text)) {
		return &node{value: text, file: "env"}, nil
	}
	value, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("variable %s: %w", name, err)
	}
	if value == nil {
		return nil, fmt.Errorf("variable %s: null is not allowed", name)
	}
	return plainNode(value), nil
}

func plainNode(value any) *node {
	n := &node{file: "env", value: value}
	switch v := value.(type) {
	case []any:
		list := make([]*node, len(v))
		for i := range v {
			list[i] = plainNode(v[i])
		}
		n.value = list
	case *jsonvalue.Object:
		o := newObject()
		for key, child := range v.All() {
			o.set(key, plainNode(child))
		}
		n.value = o
	}
	return n
}
