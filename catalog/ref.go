package catalog

import (
	"fmt"
	"strings"
)

// An EntityRef names an entity. Two refs name the same entity when their
// String is equal; the fields keep the casing in which they were written.
type EntityRef struct{ Kind, Namespace, Name string }

// String returns the canonical form kind:namespace/name, in lower case.
func (r EntityRef) String() string {
	return strings.ToLower(r.Kind + ":" + r.Namespace + "/" + r.Name)
}

// ParseEntityRef reads a ref of the form [<kind>:][<namespace>/]<name>. What
// is missing comes from the defaults; a namespace is finally "default". An
// error is returned for a ref with an empty part, and for one without a kind
// where there is no default kind.
func ParseEntityRef(s, defaultKind, defaultNamespace string) (EntityRef, error) {
	if s == "" {
		return EntityRef{}, &Error{Name: NameError, Message: "Entity reference must not be empty"}
	}
	kind, namespace, name, ok := splitEntityRef(s)
	if !ok {
		return EntityRef{}, &Error{Name: NameTypeError, Message: fmt.Sprintf(
			`Entity reference "%s" was not on the form [<kind>:][<namespace>/]<name>`, s)}
	}
	if kind == "" {
		kind = defaultKind
	}
	if namespace == "" {
		namespace = defaultNamespace
	}
	if namespace == "" {
		namespace = DefaultNamespace
	}
	if kind == "" {
		return EntityRef{}, &Error{Name: NameError, Message: fmt.Sprintf(
			`Entity reference "%s" had missing or empty kind (e.g. did not start with "component:" or similar)`, s)}
	}
	return EntityRef{Kind: kind, Namespace: namespace, Name: name}, nil
}

// splitEntityRef takes the first colon as the end of the kind, unless a slash
// comes before it: then the colon belongs to the name.
func splitEntityRef(s string) (kind, namespace, name string, ok bool) {
	colon, slash := strings.IndexByte(s, ':'), strings.IndexByte(s, '/')
	if slash >= 0 && slash < colon {
		colon = -1
	}
	rest := s
	if colon >= 0 {
		if kind = s[:colon]; kind == "" {
			return "", "", "", false
		}
		rest = s[colon+1:]
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		if namespace = rest[:i]; namespace == "" {
			return "", "", "", false
		}
		rest = rest[i+1:]
	}
	return kind, namespace, rest, rest != ""
}

// A Relation is a typed connection between two entities, as emitted by the
// entity that declares it. Source and Target are canonical entity refs; the
// target need not exist.
type Relation struct{ Source, Type, Target string }
