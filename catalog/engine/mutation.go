package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// A Mutation is what a provider says of the entities that it feeds in.
type Mutation struct {
	// Full tells that Added is all there is: what this provider fed in before
	// and does not name now is removed.
	Full bool
	// Added are new and changed entities; equal ones cost nothing.
	Added []Deferred
	// Removed are canonical entity refs, for mutations that are not full.
	Removed []string
}

// A Deferred is an unprocessed entity from a provider. It must have the
// annotations managed-by-location and managed-by-origin-location.
type Deferred struct {
	Entity      catalog.Entity
	LocationKey string // empty: anyone may take the entity over
}

// ApplyMutation stores what a provider feeds in, removes what it takes back
// together with everything only reachable through it, and makes what is new
// due. All of it is stored when it returns, or nothing is.
func (e *Engine) ApplyMutation(ctx context.Context, provider string, m Mutation) error {
	if provider == "" {
		return fmt.Errorf("apply mutation: a provider needs a name")
	}
	added := make([]incoming, 0, len(m.Added))
	for _, d := range m.Added {
		if err := checkEnvelope(d.Entity); err != nil {
			return err
		}
		added = append(added, newIncoming(d.Entity.Ref().String(), d.Entity, d.LocationKey))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	source := store.Source{Provider: provider}
	return e.update(func(t *txn) error {
		t.demand = process.DemandOf(ctx)
		if m.Full {
			if err := t.removeMissing(source, added); err != nil {
				return err
			}
		}
		for _, ref := range m.Removed {
			if err := t.removeFrom(source, ref); err != nil {
				return err
			}
		}
		if err := t.addAll(source, added); err != nil {
			return err
		}
		return t.restoreLocations()
	})
}

// restoreLocations brings back the Location entities of registered locations
// that went because a provider had them too.
func (t *txn) restoreLocations() error {
	if !slices.ContainsFunc(t.gone, isLocation) {
		return nil
	}
	var registered []incoming
	err := t.tx.Locations(func(l catalog.Location) bool {
		if slices.Contains(t.gone, l.EntityRef) {
			registered = append(registered, locationIncoming(l))
		}
		return true
	})
	if err != nil {
		return err
	}
	return t.addAll(store.Source{Provider: LocationProvider}, registered)
}

func checkEnvelope(entity catalog.Entity) error {
	switch {
	case entity.Object == nil:
		return catalog.NewError(catalog.NameTypeError, "Malformed entity envelope, the entity is not an object")
	case entity.APIVersion() == "", entity.Kind() == "", entity.Name() == "":
		return catalog.NewError(catalog.NameTypeError, "Malformed entity envelope, apiVersion, kind and metadata.name are required")
	case entity.Annotation(catalog.AnnotationManagedBy) == "", entity.Annotation(catalog.AnnotationManagedByOrigin) == "":
		return catalog.NewError(catalog.NameTypeError, "Malformed entity envelope, the location annotations are missing")
	}
	return nil
}

// removeMissing removes what source fed in and does not add again. An entity
// whose location key changed is removed too: it comes back as a new one.
func (t *txn) removeMissing(source store.Source, added []incoming) error {
	keys := make(map[string]incoming, len(added))
	for _, in := range added {
		keys[in.ref] = in
	}
	before, err := t.children(source)
	if err != nil {
		return err
	}
	for _, ref := range before {
		if in, again := keys[ref]; again {
			s, err := t.state(ref)
			if err != nil {
				return err
			}
			if s != nil && (s.Keyless || mayUpdate(s, in)) {
				continue
			}
		}
		if err := t.removeTree(ref); err != nil {
			return err
		}
	}
	return nil
}

// removeFrom removes ref if source is its parent.
func (t *txn) removeFrom(source store.Source, ref string) error {
	s, err := t.state(ref)
	if err != nil || s == nil || s.Parent != source {
		return err
	}
	return t.removeTree(ref)
}

func (t *txn) addAll(source store.Source, added []incoming) error {
	for _, in := range inOrder(added) {
		s, err := t.state(in.ref)
		if err != nil {
			return err
		}
		// What is there already, and the same, keeps its parent, unless it has
		// none.
		if s != nil && s.UnprocessedHash == in.hash && !s.Parent.IsZero() && mayUpdate(s, in) {
			continue
		}
		if _, err := t.upsert(in, source); err != nil {
			return err
		}
	}
	return nil
}

// RetainProviders removes the entities of all providers but these. It is for
// the start of the program: a provider that is configured no more leaves
// nothing behind.
func (e *Engine) RetainProviders(ctx context.Context, names []string) error {
	keep := map[string]bool{LocationProvider: true}
	for _, name := range names {
		keep[name] = true
	}
	var gone []store.Source
	err := e.store.View(func(tx store.ReadTx) error {
		return tx.Sources(func(s store.Source) bool {
			if s.Provider != "" && !keep[s.Provider] {
				gone = append(gone, s)
			}
			return ctx.Err() == nil
		})
	})
	if err != nil {
		return err
	}
	for _, source := range gone {
		e.log.Warn("removing the entities of a provider that is not configured any more", "provider", source.Provider)
		if err := e.ApplyMutation(ctx, source.Provider, Mutation{Full: true}); err != nil {
			return err
		}
	}
	return nil
}
