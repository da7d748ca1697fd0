package found

import (
	"iter"
	"net/url"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

// Type is the type of the documents.
const Type = "techdocs"

const (
	// maxSections bounds the documents of one site, maxText the text of one, in
	// bytes.
	maxSections = 50_000
	maxText     = 100 << 10
)

// DefaultLocation is where a page of the documentation is shown.
const DefaultLocation = "/docs/:namespace/:kind/:name/:path"

// Documents are what can be found.
type Documents struct {
	location string

	mu    sync.Mutex
	index *search.Index
	keys  map[string]map[string]bool // by entity ref
}

// New returns the documents of an index, which nobody else changes. Location
// is the template of their addresses; "" is DefaultLocation.
func New(x *search.Index, location string) *Documents {
	if location == "" {
		location = DefaultLocation
	}
	return &Documents{location: location, index: x, keys: map[string]map[string]bool{}}
}

// Put replaces the documents of an entity.
func (d *Documents) Put(e catalog.Entity, sections iter.Seq[site.Section]) {
	ref := e.Ref().String()
	keys, list := map[string]bool{}, []search.Document(nil)
	for s := range sections {
		if len(list) == maxSections {
			break
		}
		key := ref + " " + s.Path
		if keys[key] {
			continue
		}
		keys[key] = true
		list = append(list, search.Document{Key: key, Resource: ref, Body: d.body(e, s)})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var gone []string
	for key := range d.keys[ref] {
		if !keys[key] {
			gone = append(gone, key)
		}
	}
	d.index.Apply(list, gone)
	d.keys[ref] = keys
}

// Remove removes the documents of an entity.
func (d *Documents) Remove(ref string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var gone []string
	for key := range d.keys[ref] {
		gone = append(gone, key)
	}
	delete(d.keys, ref)
	if gone != nil {
		d.index.Apply(nil, gone)
	}
}

// Has tells whether an entity has documents.
func (d *Documents) Has(ref string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keys[ref] != nil
}

// body is the document as it is shown.
func (d *Documents) body(e catalog.Entity, s site.Section) *jsonvalue.Object {
	ref, spec, meta := e.Ref(), e.Spec(), e.Metadata()
	kind := spec.String("type")
	if kind == "" {
		kind = "other"
	}
	title := meta.String("title")
	if title == "" {
		title = ref.Name
	}
	namespace, lower, name := strings.ToLower(ref.Namespace), strings.ToLower(ref.Kind), strings.ToLower(ref.Name)
	text := s.Text
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	body := jsonvalue.NewObject(
		jsonvalue.Member{Key: "title", Value: s.Title},
		jsonvalue.Member{Key: "text", Value: text},
		jsonvalue.Member{Key: "path", Value: s.Path},
		jsonvalue.Member{Key: "location", Value: strings.NewReplacer(
			":namespace", url.PathEscape(namespace), ":kind", url.PathEscape(lower), ":name", url.PathEscape(name), ":path", escapePath(s.Path),
		).Replace(d.location)},
		jsonvalue.Member{Key: "namespace", Value: namespace},
		jsonvalue.Member{Key: "kind", Value: lower},
		jsonvalue.Member{Key: "name", Value: name},
		jsonvalue.Member{Key: "entityTitle", Value: title},
		jsonvalue.Member{Key: "componentType", Value: kind},
		jsonvalue.Member{Key: "type", Value: kind},
		jsonvalue.Member{Key: "lifecycle", Value: spec.String("lifecycle")},
		jsonvalue.Member{Key: "owner", Value: owner(e)},
	)
	if annotations := meta.Object("annotations"); annotations != nil {
		body.Set("annotations", annotations)
	}
	return body
}

// escapePath escapes a path with a fragment.
func escapePath(p string) string {
	path, fragment, has := strings.Cut(p, "#")
	u := url.URL{Path: path}
	escaped := strings.TrimPrefix(u.EscapedPath(), "./")
	if has {
		escaped += "#" + (&url.URL{Fragment: fragment}).EscapedFragment()
	}
	return escaped
}

// owner is the name of the first owner.
func owner(e catalog.Entity) string {
	relations, _ := e.Value("relations").([]any)
	for _, v := range relations {
		r, ok := v.(*jsonvalue.Object)
		if !ok || r.String("type") != "ownedBy" {
			continue
		}
		if ref, err := catalog.ParseEntityRef(r.String("targetRef"), "group", ""); err == nil {
			return ref.Name
		}
	}
	return ""
}
