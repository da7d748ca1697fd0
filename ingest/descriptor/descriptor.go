package descriptor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// Parse returns the documents of a file in order, empty ones left out. Each
// has an entity or an error, which is a *catalog.Error; an error leaves the
// other documents as they are. Location is that of the file, for the errors.
func Parse(data []byte, location catalog.LocationRef, limits yaml.Limits) []process.Document {
	parsed := yaml.Parse(data, limits)
	documents := make([]process.Document, len(parsed))
	for i, d := range parsed {
		documents[i] = process.Document{Line: d.Line}
		switch value, isObject := d.Value.(*jsonvalue.Object); {
		case d.Err != nil:
			documents[i].Err = &catalog.Error{Name: catalog.NameError, Message: message(d.Err, location)}
		case !isObject:
			documents[i].Err = &catalog.Error{Name: catalog.NameError, Message: "Expected object at root, got " + typeOf(d.Value)}
		default:
			documents[i].Entity = catalog.Entity{Object: value}
		}
	}
	return documents
}

// message says what is wrong with a document, as the reference says it.
func message(err error, location catalog.LocationRef) string {
	var reference *yaml.ReferenceError
	if errors.As(err, &reference) {
		return fmt.Sprintf("Unable to read %s, %s", location.Type, err)
	}
	return fmt.Sprintf("YAML error at %s, YAMLParseError: %s", location, err)
}

// typeOf returns the JavaScript type of a value.
func typeOf(v any) string {
	switch v.(type) {
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	}
	return "object"
}

// ParseValues returns the values of all documents that are not null, or the
// error of the first that has one.
func ParseValues(data []byte) ([]any, error) {
	parsed := yaml.Parse(data, yaml.Limits{})
	values := make([]any, len(parsed))
	for i, d := range parsed {
		if d.Err != nil {
			return nil, fmt.Errorf("YAMLParseError: %w", d.Err)
		}
		values[i] = d.Value
	}
	return values, nil
}

// Looks tells whether a document looks like the descriptor of an entity: an
// object with strings apiVersion and kind and an object metadata. Known says
// which apiVersion and kind are entities beyond those of the groups
// backstage.io and *.backstage.io; nil for none.
func Looks(e catalog.Entity, known func(apiVersion, kind string) bool) bool {
	if e.Object == nil || e.APIVersion() == "" || e.Kind() == "" || e.Metadata() == nil {
		return false
	}
	group, _, _ := strings.Cut(e.APIVersion(), "/")
	if group == "backstage.io" || strings.HasSuffix(group, ".backstage.io") {
		return true
	}
	return known != nil && known(e.APIVersion(), e.Kind())
}

// Skeleton tells whether a document is a template of a descriptor: its name,
// kind or namespace still has to be rendered.
func Skeleton(e catalog.Entity) bool {
	for _, s := range []string{e.Kind(), e.Metadata().String("name"), e.Metadata().String("namespace")} {
		if strings.Contains(s, "${{") || strings.Contains(s, "{{") || strings.Contains(s, "{%") {
			return true
		}
	}
	_, unquoted := e.Metadata().Value("name").(*jsonvalue.Object)
	return unquoted
}
