package index

import (
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// Bounds of what is indexed, in UTF-16 units: a row with a longer key is left
// out, a longer value is NULL.
const (
	maxKeyUnits   = 200
	maxValueUnits = 200
)

// A Row is one thing that can be asked of an entity: that it has the key, and
// with which value.
type Row struct {
	// Key is the path of the field in lower case.
	Key string
	// Value is the value in lower case, Original as it stands in the entity.
	// Both are "" where Null is set: the key exists without a value.
	Value, Original string
	Null            bool
}

// Flatten returns the rows of an entity in its served form. The error is
// catalog.ErrInput: two keys differ only in casing.
func Flatten(entity catalog.Entity) ([]Row, error) {
	f := treeFlattener{seen: map[string]string{}}
	f.visit("", entity.Object)
	meta := entity.Metadata()
	f.emit("metadata.name", scalarOrNull(meta.Value("name")))
	f.emit("metadata.namespace", scalarOrNull(meta.Value("namespace")))
	f.emit("metadata.uid", scalarOrNull(meta.Value("uid")))
	if meta.String("namespace") == "" {
		f.emit("metadata.namespace", catalog.DefaultNamespace)
	}
	relations, _ := entity.Value("relations").([]any)
	for _, r := range relations {
		if o, ok := r.(*jsonvalue.Object); ok {
			f.emit("relations."+o.String("type"), o.String("targetRef"))
		}
	}
	if f.conflicts != nil {
		return nil, errDuplicateKeys(f.conflicts)
	}
	return f.rows(), nil
}

func errDuplicateKeys(keys []string) error {
	return catalog.NewError(catalog.NameInput,
		"Entity has duplicate keys that vary only in casing, '"+strings.Join(keys, "', '")+"'")
}

// notIndexed tells whether a path is left out with all that is below it. Some
// of them are added at the end.
func notIndexed(path string) bool {
	switch path {
	case "attachments", "relations", "status", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.etag":
		return true
	}
	return false
}

// A treeFlattener collects what is found in an entity, in order.
type treeFlattener struct {
	found []finding
	// seen holds for each lower-cased key the first spelling; spellings are
	// the others.
	seen      map[string]string
	spellings map[string]bool
	conflicts []string
}

type finding struct {
	key   string // in lower case
	value any    // a scalar or nil
}

func (f *treeFlattener) emit(key string, value any) {
	lower := query.Lower(key)
	if first, ok := f.seen[lower]; !ok {
		f.seen[lower] = key
	} else if first != key && !f.spellings[key] {
		if f.spellings == nil {
			f.spellings = map[string]bool{}
		}
		f.spellings[key] = true
		f.conflicts = append(f.conflicts, lower)
	}
	f.found = append(f.found, finding{lower, value})
}

func (f *treeFlattener) visit(path string, v any) {
	if notIndexed(path) {
		return
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		for key, x := range v.All() {
			if path != "" {
				key = path + "." + key
			}
			f.visit(key, x)
		}
	case []any:
		for _, x := range v {
			f.visit(path, x)
			if s, ok := x.(string); ok {
				key := path + "." + s
				if _, ok := f.seen[query.Lower(key)]; !ok {
					f.emit(key, true)
				}
			}
		}
	default:
		f.emit(path, v)
	}
}

// rows turns the findings into rows, of which those of one key and value are
// one.
func (f *treeFlattener) rows() []Row {
	out := make([]Row, 0, len(f.found))
	type identity struct {
		key, value string
		null       bool
	}
	known := make(map[identity]struct{}, len(f.found))
	for _, x := range f.found {
		if units(x.key) > maxKeyUnits {
			continue
		}
		row := newRow(x.key, x.value)
		id := identity{row.Key, row.Value, row.Null}
		if _, ok := known[id]; ok {
			continue
		}
		known[id] = struct{}{}
		out = append(out, row)
	}
	return out
}

func newRow(key string, value any) Row {
	var original string
	switch v := value.(type) {
	case string:
		original = v
	case float64:
		original = jsonvalue.FormatNumber(v)
	case bool:
		original = "false"
		if v {
			original = "true"
		}
	default:
		return Row{Key: key, Null: true}
	}
	lower := query.Lower(original)
	if units(lower) > maxValueUnits {
		return Row{Key: key, Null: true}
	}
	return Row{Key: key, Value: lower, Original: original}
}

func scalarOrNull(v any) any {
	switch v.(type) {
	case string, float64, bool:
		return v
	}
	return nil
}

// units returns the length of s in UTF-16 units.
func units(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0xf0:
			n += 2
		case c < 0x80 || c >= 0xc0:
			n++
		}
	}
	return n
}
