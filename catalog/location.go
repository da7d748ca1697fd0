package catalog

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A LocationRef says where a descriptor is read from: a type such as url, file
// or directory, and a target in the form that the type has.
type LocationRef struct{ Type, Target string }

// String returns <type>:<target>.
func (l LocationRef) String() string { return l.Type + ":" + l.Target }

// A Location is one that was registered: ID is a UUID, EntityRef the canonical
// ref of the Location entity that stands for it.
type Location struct{ ID, Type, Target, EntityRef string }

// Ref returns the location's type and target.
func (l Location) Ref() LocationRef { return LocationRef{l.Type, l.Target} }

// ParseLocationRef reads <type>:<target>, split at the first colon. URLs
// without the prefix "url:" and javascript targets are refused.
func ParseLocationRef(s string) (LocationRef, error) {
	kind, target, _ := strings.Cut(s, ":")
	kind, target = strings.TrimSpace(kind), strings.TrimSpace(target)
	if kind == "" || target == "" {
		return LocationRef{}, &Error{Name: NameTypeError, Message: fmt.Sprintf(
			"Unable to parse location ref '%s', expected '<type>:<target>', e.g. 'url:https://host/path'", s)}
	}
	if kind == "http" || kind == "https" {
		return LocationRef{}, &Error{Name: NameTypeError, Message: fmt.Sprintf(
			"Invalid location ref '%s', please prefix it with 'url:', e.g. 'url:%s'", s, s)}
	}
	if IsScriptURL(target) {
		return LocationRef{}, &Error{Name: NameTypeError, Message: fmt.Sprintf(
			"Invalid location ref '%s', target is a javascript: URL", s)}
	}
	return LocationRef{kind, target}, nil
}

// scriptURL allows for what browsers ignore in a scheme: leading blanks and
// control characters, and tabs and line breaks anywhere.
var scriptURL = regexp.MustCompile(`(?i)^[\x00-\x20]*j[\r\n\t]*a[\r\n\t]*v[\r\n\t]*a[\r\n\t]*s[\r\n\t]*c[\r\n\t]*r[\r\n\t]*i[\r\n\t]*p[\r\n\t]*t[\r\n\t]*:`)

// IsScriptURL tells whether a browser would run the URL as a script.
func IsScriptURL(url string) bool { return scriptURL.MatchString(url) }

// GeneratedName returns the name of the Location entity that stands for l.
func (l LocationRef) GeneratedName() string {
	sum := sha1.Sum([]byte(l.String()))
	return "generated-" + hex.EncodeToString(sum[:])
}

// EntityRef returns the canonical ref of the Location entity that stands for l.
func (l LocationRef) EntityRef() string {
	return EntityRef{Kind: "Location", Namespace: DefaultNamespace, Name: l.GeneratedName()}.String()
}

// LocationEntity returns the unprocessed Location entity that stands for l.
// Its managed-by annotations name the parent's location and origin, or l
// itself where they are empty. Presence is "required", "optional" or "".
func LocationEntity(l LocationRef, presence, managedBy, origin string) Entity {
	if managedBy == "" {
		managedBy = l.String()
	}
	if origin == "" {
		origin = l.String()
	}
	spec := jsonvalue.NewObject(
		jsonvalue.Member{Key: "type", Value: l.Type},
		jsonvalue.Member{Key: "target", Value: l.Target},
	)
	if presence != "" {
		spec.Set("presence", presence)
	}
	return Entity{jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"},
		jsonvalue.Member{Key: "kind", Value: "Location"},
		jsonvalue.Member{Key: "metadata", Value: jsonvalue.NewObject(
			jsonvalue.Member{Key: "name", Value: l.GeneratedName()},
			jsonvalue.Member{Key: "annotations", Value: jsonvalue.NewObject(
				jsonvalue.Member{Key: AnnotationManagedBy, Value: managedBy},
				jsonvalue.Member{Key: AnnotationManagedByOrigin, Value: origin},
			)},
		)},
		jsonvalue.Member{Key: "spec", Value: spec},
	)}
}
