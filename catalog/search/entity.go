package search

import (
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// TypeCatalog is the type of documents that entities become.
const TypeCatalog = "software-catalog"

// DefaultLocation is where the page of an entity is.
const DefaultLocation = "/catalog/:namespace/:kind/:name"

// FromEntity returns the document of an entity. Its location is a template in
// which :namespace, :kind and :name stand for those of the entity.
func FromEntity(entity catalog.Entity, location string) Document {
	ref := entity.Ref()
	spec, meta := entity.Spec(), entity.Metadata()
	title := meta.String("title")
	if title == "" {
		title = ref.Name
	}
	kind := spec.String("type")
	if kind == "" {
		kind = "other"
	}
	body := jsonvalue.NewObject(
		jsonvalue.Member{Key: fieldTitle, Value: title},
		jsonvalue.Member{Key: fieldText, Value: entityText(entity)},
		jsonvalue.Member{Key: "componentType", Value: kind},
		jsonvalue.Member{Key: "type", Value: kind},
		jsonvalue.Member{Key: "namespace", Value: ref.Namespace},
		jsonvalue.Member{Key: "kind", Value: ref.Kind},
		jsonvalue.Member{Key: "lifecycle", Value: spec.String("lifecycle")},
		jsonvalue.Member{Key: "owner", Value: spec.String("owner")},
		jsonvalue.Member{Key: fieldLocation, Value: locationOf(ref, location)},
	)
	return Document{Key: ref.String(), Names: []string{ref.Name}, Resource: ref.String(), Body: body}
}

// entityText is what is said of an entity: its description, and for users and
// groups who they are.
func entityText(entity catalog.Entity) string {
	parts := []string{entity.Metadata().String("description")}
	profile := entity.Spec().Object("profile")
	isUser := strings.EqualFold(entity.Kind(), "User")
	if isUser || strings.EqualFold(entity.Kind(), "Group") {
		parts = append(parts, profile.String("displayName"))
	}
	if isUser {
		parts = append(parts, profile.String("email"))
	}
	text := ""
	for _, p := range parts {
		if p != "" && text != "" {
			text += " : "
		}
		text += p
	}
	return text
}

func locationOf(ref catalog.EntityRef, template string) string {
	return strings.ToLower(strings.NewReplacer(
		":namespace", url.PathEscape(ref.Namespace),
		":kind", url.PathEscape(ref.Kind),
		":name", url.PathEscape(ref.Name),
	).Replace(template))
}
