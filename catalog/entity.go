package catalog

import (
	"crypto/sha1"
	"encoding/hex"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// DefaultNamespace is the namespace of entities and refs that name none.
const DefaultNamespace = "default"

// Annotations that the catalog itself reads or sets.
const (
	AnnotationManagedBy       = "backstage.io/managed-by-location"
	AnnotationManagedByOrigin = "backstage.io/managed-by-origin-location"
	AnnotationViewURL         = "backstage.io/view-url"
	AnnotationEditURL         = "backstage.io/edit-url"
	AnnotationSourceLocation  = "backstage.io/source-location"
	AnnotationOrphan          = "backstage.io/orphan"
)

// An Entity is a described thing in the shape of its descriptor: apiVersion,
// kind, metadata, spec and, once served, relations and status. The accessors
// answer with zero values where a key is absent or of another type, so they
// are safe on unchecked input.
type Entity struct{ *jsonvalue.Object }

// APIVersion returns the entity's apiVersion.
func (e Entity) APIVersion() string { return e.String("apiVersion") }

// Kind returns the entity's kind in the author's casing.
func (e Entity) Kind() string { return e.String("kind") }

// Metadata returns the metadata object, nil if there is none.
func (e Entity) Metadata() *jsonvalue.Object { return e.Object.Object("metadata") }

// Spec returns the spec object, nil if there is none.
func (e Entity) Spec() *jsonvalue.Object { return e.Object.Object("spec") }

// Name returns metadata.name in the author's casing.
func (e Entity) Name() string { return e.Metadata().String("name") }

// Namespace returns metadata.namespace, or the default namespace.
func (e Entity) Namespace() string {
	if ns := e.Metadata().String("namespace"); ns != "" {
		return ns
	}
	return DefaultNamespace
}

// Ref returns the entity's ref with the author's casing.
func (e Entity) Ref() EntityRef {
	return EntityRef{Kind: e.Kind(), Namespace: e.Namespace(), Name: e.Name()}
}

// Annotation returns the annotation of that key, "" if there is none.
func (e Entity) Annotation(key string) string {
	return e.Metadata().Object("annotations").String(key)
}

// SetAnnotation sets an annotation, making metadata and annotations where they
// are missing or not objects.
func (e Entity) SetAnnotation(key, value string) {
	child(child(e.Object, "metadata"), "annotations").Set(key, value)
}

func child(o *jsonvalue.Object, key string) *jsonvalue.Object {
	if x := o.Object(key); x != nil {
		return x
	}
	x := jsonvalue.NewObject()
	o.Set(key, x)
	return x
}

// Clone returns a deep copy.
func (e Entity) Clone() Entity { return Entity{e.Object.Clone()} }

// Hash returns the lower-case hex SHA-1 of the canonical JSON of the value:
// the etag of an entity, and the mark by which equal content is recognised.
func Hash(v any) string {
	sum := sha1.Sum(jsonvalue.AppendCanonical(nil, v))
	return hex.EncodeToString(sum[:])
}
