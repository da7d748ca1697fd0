package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// base is the address under which schemas know one another. Nothing is read
// from it.
const base = "schema:///"

// wrapperName is the name of the schema that adds what holds for every entity
// to that of a custom kind.
func wrapperName(name string) string { return "whole-" + name }

// A compiler compiles documents by their names.
type compiler struct {
	*jsonschema.Compiler
	order map[string][]string
}

func newCompiler(own map[string]*document, custom []*document) (*compiler, error) {
	c := &compiler{Compiler: jsonschema.NewCompiler(), order: map[string][]string{}}
	c.Draft = jsonschema.Draft7
	c.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("there is no schema %s here, and none is fetched", url)
	}
	for d := range maps.Values(own) {
		if err := c.addDocument(d); err != nil {
			return nil, fmt.Errorf("built-in schema %s: %w", d.file, err)
		}
	}
	for _, d := range custom {
		if err := c.addCustom(d); err != nil {
			return nil, fmt.Errorf("schema %s: %w", d.file, err)
		}
	}
	return c, nil
}

// addCustom adds the document of a custom kind and its wrapper.
func (c *compiler) addCustom(d *document) error {
	if id, ok := d.root["$id"]; ok {
		// An id would move the base of its references away from our names.
		if _, ok := id.(string); !ok {
			return errors.New("$id must be a string")
		}
		delete(d.root, "$id")
		raw, err := json.Marshal(d.root)
		if err != nil {
			return err
		}
		return c.addBoth(d, raw)
	}
	return c.addBoth(d, d.raw)
}

func (c *compiler) addBoth(d *document, raw []byte) error {
	if err := c.addRaw(d.name, raw, d.raw); err != nil {
		return err
	}
	wrapper, err := json.Marshal(map[string]any{"allOf": []any{
		map[string]any{"$ref": base + "Entity"}, map[string]any{"$ref": base + d.name},
	}})
	if err != nil {
		return err
	}
	return c.addRaw(wrapperName(d.name), wrapper, wrapper)
}

func (c *compiler) addDocument(d *document) error { return c.addRaw(d.name, d.raw, d.raw) }

// addRaw adds a schema, whose order of keys is that of the text ordered.
func (c *compiler) addRaw(name string, raw, ordered []byte) error {
	if err := propertyOrder(ordered, base+name+"#", c.order); err != nil {
		return err
	}
	return c.AddResource(base+name, bytes.NewReader(raw))
}

func (c *compiler) compile(name string) (*schema, error) {
	s, err := c.Compile(base + name)
	if err != nil {
		var invalid *jsonschema.ValidationError
		if errors.As(err, &invalid) {
			return nil, fmt.Errorf("not a JSON Schema: %w", invalid)
		}
		return nil, err
	}
	return &schema{Schema: s, order: c.order}, nil
}
