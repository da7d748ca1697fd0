package catalog

import (
	"context"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// A Catalog is what the actions need of the software catalog, in the name of
// an initiator. Implementations are safe for concurrent use and end when ctx
// does.
type Catalog interface {
	// EntitiesByRefs returns the entities of these refs, in their order. For
	// each that does not exist, or that the initiator may not read, there is an
	// Entity with a nil Object.
	EntitiesByRefs(ctx context.Context, by action.Initiator, refs []catalog.EntityRef) ([]catalog.Entity, error)
	// RegisterLocation registers a location. One that is registered already is
	// catalog.ErrConflict.
	RegisterLocation(ctx context.Context, by action.Initiator, location catalog.LocationRef) error
	// PreviewLocation returns the entities that registering the location would
	// bring, and registers nothing.
	PreviewLocation(ctx context.Context, by action.Initiator, location catalog.LocationRef) ([]catalog.Entity, error)
}

// A Resolver puts URLs of Git hosts together. Implementations are safe for
// concurrent use.
type Resolver interface {
	// ResolveURL returns the URL of what lies at path from base, from the root
	// of its repository where path begins with a slash. The answer is false
	// where no integration knows the host of base.
	ResolveURL(path, base string) (url string, ok bool, err error)
}

// Options say what the actions work with. Both are required.
type Options struct {
	Catalog  Catalog
	Resolver Resolver
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	return []action.Action{register(o), write(), fetch(o.Catalog)}
}

// mustParse reads a schema that stands in the code.
func mustParse(schema string) *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(schema))
	if err != nil {
		panic(err)
	}
	return o
}
