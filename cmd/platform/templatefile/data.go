package templatefile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

// Data are the values of a YAML or JSON file that goes with a template, at least
// one.
type Data struct {
	Values []any
	source source
	trees  []*yaml.Tree
}

// ReadData reads a file, or the standard input for "-". An error names the file,
// and the place in it; one of the file system is returned as it is.
func ReadData(path string, stdin io.Reader) (*Data, error) {
	d := &Data{source: source{shown: path}}
	in := stdin
	if path == Stdin {
		d.source.shown = "<stdin>"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	var err error
	if d.source.data, err = io.ReadAll(io.LimitReader(in, MaxFileBytes+1)); err != nil {
		return nil, fmt.Errorf("%s: %w", d.source.shown, err)
	}
	if len(d.source.data) > MaxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", d.source.shown, MaxFileBytes)
	}
	for _, doc := range yaml.ParseTrees(d.source.data, yaml.Limits{Bytes: MaxFileBytes}) {
		var syntax *yaml.SyntaxError
		switch {
		case errors.As(doc.Err, &syntax):
			return nil, fmt.Errorf("%s:%d:%d: the file is no YAML: %s", d.source.shown, syntax.Line, syntax.Column, syntax.Reason)
		case doc.Err != nil:
			return nil, fmt.Errorf("%s: %w", d.source.shown, doc.Err)
		}
		d.Values, d.trees = append(d.Values, doc.Value), append(d.trees, doc.Tree)
	}
	if len(d.Values) == 0 {
		return nil, fmt.Errorf("%s is empty", d.source.shown)
	}
	return d, nil
}

// Object returns the one object that the file holds.
func (d *Data) Object() (*jsonvalue.Object, error) {
	o, ok := d.Values[0].(*jsonvalue.Object)
	if !ok || len(d.Values) != 1 {
		return nil, fmt.Errorf("%s must hold one object, as name: my-service", d.source.shown)
	}
	return o, nil
}

// Objects returns the objects that the documents of the file are.
func (d *Data) Objects() (out []*jsonvalue.Object, err error) {
	for i, v := range d.Values {
		o, ok := v.(*jsonvalue.Object)
		if !ok {
			return nil, fmt.Errorf("%s: document %d is no object", d.source.shown, i+1)
		}
		out = append(out, o)
	}
	return out, nil
}

// Place returns where the value at a path of the first document is, or the one
// that is nearest above it.
func (d *Data) Place(path []string) lint.Place {
	p := places{root: graft{&d.source, d.trees[0]}}
	return p.Place(path, lint.Spot{})
}
