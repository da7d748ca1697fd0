package scaffolder

import (
	"fmt"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// APIVersion is the one version of templates that there is.
const APIVersion = "scaffolder.backstage.io/v1beta3"

// StartOver is the recovery strategy with which a retry begins anew for those
// who watch.
const StartOver = "startOver"

// A Template is a template entity, taken apart.
type Template struct {
	Entity catalog.Entity
	// Pages are the pages of parameters, Steps the steps, as they stand in the
	// entity. They must not be changed.
	Pages, Steps []*jsonvalue.Object
}

// IsTemplateKind tells whether a kind is that of templates.
func IsTemplateKind(kind string) bool { return strings.EqualFold(kind, "template") }

// NewTemplate takes an entity apart. An entity of another kind or apiVersion is
// an InputError.
func NewTemplate(e catalog.Entity) (*Template, error) {
	if !IsTemplateKind(e.Kind()) {
		return nil, catalog.NewError(catalog.NameInput, "Invalid kind, only 'Template' kind is supported")
	}
	if v := e.APIVersion(); v != APIVersion {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("Unsupported apiVersion field in schema entity, %s", v))
	}
	return &Template{Entity: e, Pages: objects(e.Spec().Value("parameters")), Steps: objects(e.Spec().Value("steps"))}, nil
}

// objects returns an object, or those in a list.
func objects(v any) []*jsonvalue.Object {
	switch v := v.(type) {
	case *jsonvalue.Object:
		return []*jsonvalue.Object{v}
	case []any:
		var out []*jsonvalue.Object
		for _, x := range v {
			if o, ok := x.(*jsonvalue.Object); ok {
				out = append(out, o)
			}
		}
		return out
	}
	return nil
}

// Tags returns the permission tags of a page or a step.
func Tags(o *jsonvalue.Object) []string {
	list, _ := o.Object("backstage:permissions").Value("tags").([]any)
	var tags []string
	for _, t := range list {
		if s, ok := t.(string); ok {
			tags = append(tags, s)
		}
	}
	return tags
}

// Filter returns the template with the pages and steps that may be seen.
func (t *Template) Filter(page, step func(tags []string) bool) *Template {
	return &Template{Entity: t.Entity, Pages: filter(t.Pages, page), Steps: filter(t.Steps, step)}
}

func filter(list []*jsonvalue.Object, visible func([]string) bool) []*jsonvalue.Object {
	out := make([]*jsonvalue.Object, 0, len(list))
	for _, o := range list {
		if visible(Tags(o)) {
			out = append(out, o)
		}
	}
	return out
}

// Recovery returns the template's recovery strategy, "" for none.
func (t *Template) Recovery() string {
	return t.Entity.Spec().Object("EXPERIMENTAL_recovery").String("EXPERIMENTAL_strategy")
}

// BaseURL returns what relative URLs in the template are relative to, "" where
// that is not known.
func (t *Template) BaseURL() string {
	l := t.Entity.Annotation(catalog.AnnotationSourceLocation)
	if l == "" {
		l = t.Entity.Annotation(catalog.AnnotationManagedBy)
	}
	kind, target, _ := strings.Cut(l, ":")
	switch kind {
	case "url":
		return target
	case "file":
		return "file://" + target
	}
	return ""
}
