package schemas

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// Bounds on a folder of schemas.
const (
	// MaxFiles is how many custom kinds there can be.
	MaxFiles = 1000
	// MaxFileSize is how large the file of one may be, in bytes.
	MaxFileSize = 1 << 20
)

//go:embed kinds/*.json
var files embed.FS

// A document is one schema as it was read.
type document struct {
	name string // by which others refer to it
	file string
	raw  []byte
	root map[string]any
}

// embedded returns our own schemas by name.
func embedded() (map[string]*document, error) {
	sub, err := fs.Sub(files, "kinds")
	if err != nil {
		return nil, err
	}
	list, err := load(sub)
	if err != nil {
		return nil, err
	}
	docs := make(map[string]*document, len(list))
	for _, d := range list {
		d.name = strings.TrimSuffix(d.file, ".json")
		docs[d.name] = d
	}
	return docs, nil
}

// load reads every file *.json at the root of fsys, in order of their names.
func load(fsys fs.FS) ([]*document, error) {
	names, err := fs.Glob(fsys, "*.json")
	if err == nil && len(names) == 0 {
		// Glob passes over a folder that cannot be read.
		if _, err = fs.ReadDir(fsys, "."); err == nil {
			err = errors.New("no file *.json in it")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("folder of schemas: %w", err)
	}
	if len(names) > MaxFiles {
		return nil, fmt.Errorf("folder of schemas: %d files, more than %d", len(names), MaxFiles)
	}
	docs := make([]*document, 0, len(names))
	for _, name := range names {
		d, err := readDocument(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		docs = append(docs, d)
	}
	return docs, nil
}

func readDocument(fsys fs.FS, name string) (*document, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxFileSize {
		return nil, fmt.Errorf("larger than %d bytes", MaxFileSize)
	}
	d := &document{file: name, raw: raw, name: "custom-" + url.PathEscape(name)}
	if err := json.Unmarshal(raw, &d.root); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if d.root == nil {
		return nil, errors.New("not a JSON object: null")
	}
	return d, nil
}

// identify finds the kind and apiVersions that the schema is for, in its own
// properties or in those of the members of its allOf.
func (d *document) identify() (kind string, apiVersions []string, err error) {
	kinds := d.allowed("kind")
	apiVersions = d.allowed("apiVersion")
	switch {
	case len(kinds) != 1:
		return "", nil, fmt.Errorf(`properties.kind must have a const, or an enum of one string, but allows %d`, len(kinds))
	case len(apiVersions) == 0:
		return "", nil, errors.New(`properties.apiVersion must have a const, or an enum of strings`)
	}
	return kinds[0], apiVersions, nil
}

func (d *document) allowed(property string) []string {
	if list := allowedIn(d.root, property); list != nil {
		return list
	}
	parts, _ := d.root["allOf"].([]any)
	for _, p := range parts {
		part, _ := p.(map[string]any)
		if list := allowedIn(part, property); list != nil {
			return list
		}
	}
	return nil
}

// allowedIn returns the non-empty strings that the const or the enum of a
// property of the schema allows.
func allowedIn(schema map[string]any, property string) []string {
	properties, _ := schema["properties"].(map[string]any)
	p, _ := properties[property].(map[string]any)
	values, _ := p["enum"].([]any)
	if c, ok := p["const"]; ok {
		values = []any{c}
	}
	var list []string
	for _, v := range values {
		if s, ok := v.(string); ok && s != "" {
			list = append(list, s)
		}
	}
	return list
}

// propertyOrder walks a JSON document and notes, for each object under a key
// "properties", the order of its keys by the location of the object that holds
// it, as the library writes locations.
func propertyOrder(raw []byte, location string, order map[string][]string) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := walkOrder(dec, location, "", "", order)
	return err
}

// walkOrder reads the next value of dec, at location under key in parent, and
// returns its keys if it is an object.
func walkOrder(dec *json.Decoder, location, parent, key string, order map[string][]string) ([]string, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	var keys []string
	switch tok {
	case json.Delim('{'):
		for dec.More() {
			tok, err := dec.Token()
			if err != nil {
				return nil, err
			}
			k, _ := tok.(string)
			keys = append(keys, k)
			if _, err := walkOrder(dec, location+"/"+escape(k), location, k, order); err != nil {
				return nil, err
			}
		}
		if key == "properties" {
			order[parent] = keys
		}
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if _, err := walkOrder(dec, location+"/"+strconv.Itoa(i), location, "", order); err != nil {
				return nil, err
			}
		}
	default:
		return nil, nil
	}
	_, err = dec.Token()
	return keys, err
}

// escape writes a token of a JSON pointer in a URL fragment as the library
// does.
func escape(token string) string { return url.PathEscape(escapePointer(token)) }

func escapePointer(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}
