package process

import (
	"fmt"
	"strconv"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/schemas"
)

func plain(e catalog.Entity) any {
	if e.Object == nil {
		return nil
	}
	return jsonvalue.Plain(e.Object)
}

func asObject(v any) (*jsonvalue.Object, bool) {
	o, ok := v.(*jsonvalue.Object)
	return o, ok
}

// keyOrder says in which order the keys of objects inside a value are written.
func keyOrder(value any) schemas.KeyOrder {
	return func(path []string) []string {
		at := value
		for _, key := range path {
			switch v := at.(type) {
			case *jsonvalue.Object:
				at = v.Value(key)
			case []any:
				i, err := strconv.Atoi(key)
				if err != nil || i < 0 || i >= len(v) {
					return nil
				}
				at = v[i]
			}
		}
		o, ok := asObject(at)
		if !ok {
			return nil
		}
		keys := make([]string, 0, o.Len())
		for key := range o.All() {
			keys = append(keys, key)
		}
		return keys
	}
}

// check applies the policies, and the schema of the kind. A sound entity of a
// known kind costs one look at its schema, which holds the general one; only
// for others it is found out which check comes first.
func (p *Pipeline) check(r *run) error {
	e := r.entity
	r.kind = p.kinds.Kind(e.APIVersion(), e.Kind())
	if r.kind != nil && !p.answers[r.kind.Processor] {
		r.kind = nil
	}
	var broken *schemas.Violation
	if r.kind != nil {
		broken = r.kind.Check(plain(e), keyOrder(e.Object))
	}
	if r.kind == nil || broken != nil {
		if err := p.policies(r); err != nil {
			return err
		}
	} else if err := fieldPolicies(r); err != nil {
		return err
	}
	if ref := e.Ref().String(); ref != r.ref {
		return catalog.NewError(catalog.NameError, "Fatal: The entity kind, namespace, or name changed during processing")
	}
	if broken != nil {
		return p.refuse(r, r.kind.Processor, &catalog.Error{Name: catalog.NameTypeError, Message: broken.Error()})
	}
	if r.kind == nil {
		return p.unrecognized(r)
	}
	return nil
}

func (p *Pipeline) refuse(r *run, processor string, cause error) error {
	return catalog.WrapError(catalog.NameInput,
		fmt.Sprintf("Processor %s threw an error while validating the entity %s", processor, r.ref), cause)
}

// unrecognized is the error of an entity that no kind is for.
func (p *Pipeline) unrecognized(r *run) error {
	if p.kinds.KnowsKind(r.entity.Kind()) && p.modelAnswers(r.entity.Kind()) {
		return p.refuse(r, schemas.Model, catalog.NewError(catalog.NameError, fmt.Sprintf(
			"apiVersion %s is not one of those that kind %s has", r.entity.APIVersion(), r.entity.Kind())))
	}
	return catalog.NewError(catalog.NameInput,
		"No processor recognized the entity "+r.ref+" as valid, possibly caused by a foreign kind or apiVersion")
}

// modelAnswers tells whether the kind belongs to the model processor, to which
// a known kind of an unknown version is an error of its own.
func (p *Pipeline) modelAnswers(kind string) bool {
	for _, version := range []string{"backstage.io/v1alpha1", "backstage.io/v1beta1"} {
		if k := p.kinds.Kind(version, kind); k != nil {
			return k.Processor == schemas.Model && p.answers[schemas.Model]
		}
	}
	return false
}

// policies checks what holds for entities of every kind.
func (p *Pipeline) policies(r *run) error {
	if v := p.kinds.Entity(plain(r.entity), keyOrder(r.entity.Object)); v != nil {
		return violated(r, catalog.NewError(catalog.NameError, "Malformed envelope, "+v.Short()))
	}
	return fieldPolicies(r)
}

func violated(r *run, cause error) error {
	return catalog.WrapError(catalog.NameInput, "Policy check failed for "+r.ref, cause)
}

// fieldPolicies fills in the namespace, and checks the keys at the root and the
// formats of fields. The entity has passed the general schema.
func fieldPolicies(r *run) error {
	if r.entity.Metadata().String("namespace") == "" {
		r.entity.Metadata().Set("namespace", catalog.DefaultNamespace)
	}
	for key := range r.entity.All() {
		switch key {
		case "apiVersion", "kind", "metadata", "spec":
		default:
			return violated(r, catalog.NewError(catalog.NameError, "Unknown field "+key))
		}
	}
	if err := checkFormats(r.entity); err != nil {
		return violated(r, catalog.NewError(catalog.NameError, err.Error()))
	}
	return nil
}

// checkFormats checks the fields that have a format, in the reference's order.
func checkFormats(e catalog.Entity) error {
	meta := e.Metadata()
	for _, f := range []struct {
		field  string
		format schemas.Format
		value  any
	}{
		{"apiVersion", schemas.FormatAPIVersion, e.Value("apiVersion")},
		{"kind", schemas.FormatKind, e.Value("kind")},
		{"metadata.name", schemas.FormatName, meta.Value("name")},
		{"metadata.namespace", schemas.FormatNamespace, meta.Value("namespace")},
	} {
		if err := schemas.CheckField(f.field, f.format, f.value); err != nil {
			return err
		}
	}
	if err := checkPairs("labels", schemas.FormatLabelValue, meta.Object("labels")); err != nil {
		return err
	}
	if err := checkPairs("annotations", schemas.FormatString, meta.Object("annotations")); err != nil {
		return err
	}
	tags, _ := meta.Value("tags").([]any)
	for i, tag := range tags {
		if err := schemas.CheckField("tags."+strconv.Itoa(i), schemas.FormatTag, tag); err != nil {
			return err
		}
	}
	return checkLinks(meta)
}

func checkPairs(field string, format schemas.Format, pairs *jsonvalue.Object) error {
	for key, value := range pairs.All() {
		if err := schemas.CheckField(field+"."+key, schemas.FormatKey, key); err != nil {
			return err
		}
		if err := schemas.CheckField(field+"."+key, format, value); err != nil {
			return err
		}
	}
	return nil
}

func checkLinks(meta *jsonvalue.Object) error {
	links, _ := meta.Value("links").([]any)
	for i, v := range links {
		link, _ := asObject(v)
		field := "links." + strconv.Itoa(i) + "."
		if err := schemas.CheckField(field+"url", schemas.FormatURL, link.Value("url")); err != nil {
			return err
		}
		for _, key := range []string{"title", "icon"} {
			if value := link.Value(key); value != nil {
				if err := schemas.CheckField(field+key, schemas.FormatText, value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
