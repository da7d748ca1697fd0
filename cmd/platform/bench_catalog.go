package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	catalogaction "github.com/greenroom-idp/greenroom/scaffolder/action/catalog"
)

// A benchCatalog stands in for the catalog where there is no server: it has the
// entities that the author gives, and notes what is registered.
type benchCatalog struct {
	entities map[string]catalog.Entity // by ref
	files    fileReader
	note     func(string) // is told what was registered; nil: nobody is

	mu         sync.Mutex
	registered []string
}

var _ catalogaction.Catalog = (*benchCatalog)(nil)

// newBenchCatalog makes a catalog of entities. One without a kind or a name is
// an error.
func newBenchCatalog(entities []*jsonvalue.Object) (*benchCatalog, error) {
	c := &benchCatalog{entities: map[string]catalog.Entity{}}
	for i, o := range entities {
		e := catalog.Entity{Object: o}
		if e.Kind() == "" || e.Name() == "" {
			return nil, fmt.Errorf("entity %d has no kind or no metadata.name", i+1)
		}
		c.entities[e.Ref().String()] = e
	}
	return c, nil
}

// EntitiesByRefs implements the catalog of actions.
func (c *benchCatalog) EntitiesByRefs(_ context.Context, _ taskaction.Initiator, refs []catalog.EntityRef) ([]catalog.Entity, error) {
	out := make([]catalog.Entity, len(refs))
	for i, ref := range refs {
		out[i] = c.entities[ref.String()]
	}
	return out, nil
}

// RegisterLocation implements the catalog of actions.
func (c *benchCatalog) RegisterLocation(_ context.Context, _ taskaction.Initiator, l catalog.LocationRef) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.registered = append(c.registered, l.Target)
	if c.note != nil {
		c.note("there is no server to register " + l.Target + "; do so in the portal at /catalog-import")
	}
	return nil
}

// PreviewLocation implements the catalog of actions: it reads the descriptor, as
// the catalog does.
func (c *benchCatalog) PreviewLocation(ctx context.Context, _ taskaction.Initiator, l catalog.LocationRef) ([]catalog.Entity, error) {
	data, err := c.files.ReadURL(ctx, l.Target)
	if err != nil {
		return nil, err
	}
	var out []catalog.Entity
	for _, d := range descriptor.Parse(data, l, yaml.Limits{}) {
		if d.Err != nil {
			return nil, d.Err
		}
		out = append(out, d.Entity)
	}
	return out, nil
}

// user returns the entity of a user. One that is not known has a name, and
// nothing else; known is false then.
func (c *benchCatalog) user(ref catalog.EntityRef) (e catalog.Entity, known bool) {
	if e, known = c.entities[ref.String()]; known {
		return e, true
	}
	return catalog.Entity{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"},
		jsonvalue.Member{Key: "kind", Value: "User"},
		jsonvalue.Member{Key: "metadata", Value: jsonvalue.NewObject(
			jsonvalue.Member{Key: "name", Value: ref.Name}, jsonvalue.Member{Key: "namespace", Value: ref.Namespace})},
		jsonvalue.Member{Key: "spec", Value: jsonvalue.NewObject(jsonvalue.Member{Key: "memberOf", Value: []any{}})},
	)}, false
}
