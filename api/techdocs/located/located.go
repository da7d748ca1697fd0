package located

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Annotation is the annotation that says where the documentation is.
const Annotation = "backstage.io/techdocs-ref"

// Types of locations.
const (
	TypeURL = "url" // a folder at a Git host
	TypeDir = "dir" // a folder of the disk
)

// Of returns where the documentation of an entity is. Resolve makes an absolute
// URL of a target and the URL that it is relative to. The error is
// catalog.ErrNotFound for an entity without the annotation, and
// catalog.ErrInput for one whose annotation cannot be used.
func Of(e catalog.Entity, resolve func(target, base string) (string, error)) (catalog.LocationRef, error) {
	text := e.Annotation(Annotation)
	if text == "" {
		return catalog.LocationRef{}, catalog.NewError(catalog.NameNotFound, fmt.Sprintf("No location annotation provided in entity: %s", e.Ref()))
	}
	ref, err := catalog.ParseLocationRef(text)
	if err != nil {
		return ref, input(e, err.Error())
	}
	switch ref.Type {
	case TypeURL:
		return ref, nil
	case TypeDir:
		return relative(e, ref.Target, resolve)
	}
	return ref, input(e, fmt.Sprintf("its type must be url or dir, not %q", ref.Type))
}

func input(e catalog.Entity, reason string) error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf("Annotation %s of %s cannot be used: %s", Annotation, e.Ref(), reason))
}

// relative resolves a dir: reference.
func relative(e catalog.Entity, target string, resolve func(target, base string) (string, error)) (catalog.LocationRef, error) {
	managed, err := catalog.ParseLocationRef(e.Annotation(catalog.AnnotationManagedBy))
	if err != nil {
		return managed, input(e, "the entity has no "+catalog.AnnotationManagedBy+" that it could be relative to")
	}
	if managed.Type == "file" || managed.Type == "directory" {
		return onDisk(e, target, filepath.Dir(managed.Target))
	}
	base := managed
	if text := e.Annotation(catalog.AnnotationSourceLocation); text != "" {
		if base, err = catalog.ParseLocationRef(text); err != nil {
			return base, input(e, catalog.AnnotationSourceLocation+": "+err.Error())
		}
	}
	if base.Type != TypeURL {
		return base, input(e, fmt.Sprintf("dir: is relative to %s, which is no URL", base))
	}
	resolved, err := resolve(target, base.Target)
	if err != nil {
		return base, input(e, err.Error())
	}
	return catalog.LocationRef{Type: TypeURL, Target: resolved}, nil
}

// onDisk resolves a path below a folder, and refuses those that lead out.
// Links are looked at when the folder is read.
func onDisk(e catalog.Entity, target, folder string) (catalog.LocationRef, error) {
	path := filepath.Join(folder, filepath.FromSlash(target))
	if filepath.IsAbs(target) || path != folder && !strings.HasPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator)) {
		return catalog.LocationRef{}, catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf(
			"Annotation %s of %s leads out of the folder that its descriptor is in", Annotation, e.Ref()))
	}
	return catalog.LocationRef{Type: TypeDir, Target: path}, nil
}
