package process

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxPlaceholders bounds the files that one entity may take in.
const maxPlaceholders = 1000

// placeholders replaces every object {"$text": where}, and the same with $json
// and $yaml, by what the file there holds. What was loaded is not looked
// through again.
func (p *Pipeline) placeholders(ctx context.Context, r *run) error {
	f := filler{p: p, ctx: ctx, r: r}
	return f.fillMembers(r.entity.Object)
}

// refused returns an error in the words of the reference, which begin with a
// capital letter.
func refused(format string, args ...any) error {
	return catalog.NewError(catalog.NameError, fmt.Sprintf(format, args...))
}

// A filler walks through one entity.
type filler struct {
	p     *Pipeline
	ctx   context.Context
	r     *run
	count int
}

func (f *filler) fillMembers(o *jsonvalue.Object) error {
	for _, m := range o.Members() {
		value, err := f.fill(m.Value)
		if err != nil {
			return err
		}
		o.Set(m.Key, value)
	}
	return nil
}

// fill returns what takes the place of v, which it changes inside.
func (f *filler) fill(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			value, err := f.fill(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = value
		}
	case *jsonvalue.Object:
		if kind, marked := marker(v); kind != "" {
			return f.load(kind, v.Value(kind))
		} else if marked {
			return v, nil
		}
		return v, f.fillMembers(v)
	}
	return v, nil
}

// marker returns the one key of a placeholder. An object with a key that
// begins with a dollar sign and is none is marked: it is left alone.
func marker(o *jsonvalue.Object) (kind string, marked bool) {
	for _, m := range o.Members() {
		if strings.HasPrefix(m.Key, "$") {
			marked = true
		}
	}
	if !marked || o.Len() != 1 {
		return "", marked
	}
	switch key := o.Members()[0].Key; key {
	case "$text", "$json", "$yaml":
		return key, true
	}
	return "", true
}

// load returns what the file that a placeholder names holds.
func (f *filler) load(kind string, where any) (any, error) {
	path, ok := where.(string)
	if !ok {
		return nil, refused("Placeholder %s expected a string value parameter, in the form of an absolute URL or a relative path", kind)
	}
	if f.count++; f.count > maxPlaceholders {
		return nil, refused("Placeholder %s is one of more than %d in this entity", kind, maxPlaceholders)
	}
	base := f.r.location.Target
	url, err := f.resolve(kind, path, base)
	if err != nil {
		return nil, err
	}
	data, err := f.p.reader.ReadURL(f.ctx, url)
	if err != nil {
		return nil, refused("Placeholder %s could not read location %s, %s", kind, path, catalog.Describe(err))
	}
	f.r.keys = append(f.r.keys, "url:"+url)
	return f.parse(kind, path, data)
}

var absoluteURL = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

// resolve returns the URL that a placeholder means.
func (f *filler) resolve(kind, path, base string) (string, error) {
	if f.r.location.Type != "url" && !absoluteURL.MatchString(path) {
		return "", refused("Placeholder %s could not form a URL out of %s and %s, TypeError: Invalid URL", kind, base, path)
	}
	url, err := f.p.reader.ResolveURL(path, base)
	if err != nil {
		return "", refused("Placeholder %s could not form a URL out of %s and %s, %s", kind, base, path, catalog.Describe(err))
	}
	if same, known := f.p.reader.SameRepository(url, base); known && !same {
		return "", refused("Placeholder %s could not read location %s, NotAllowedError: "+
			"Placeholder may only reference files from the same repository as the entity", kind, path)
	}
	return url, nil
}

func (f *filler) parse(kind, path string, data []byte) (any, error) {
	switch kind {
	case "$json":
		value, err := jsonvalue.Parse(data)
		if err != nil {
			return nil, refused("Placeholder %s failed to parse JSON data at %s, SyntaxError: %v", kind, path, err)
		}
		return value, nil
	case "$yaml":
		values, err := f.p.parseYAML(data)
		if err != nil {
			return nil, refused("Placeholder %s failed to parse YAML data at %s, %v", kind, path, err)
		}
		if len(values) != 1 {
			return nil, refused("Placeholder %s expected to find exactly one document of data at %s, found %d", kind, path, len(values))
		}
		return values[0], nil
	}
	return strings.ToValidUTF8(string(data), "\uFFFD"), nil
}
