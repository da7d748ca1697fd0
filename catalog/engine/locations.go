package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// LocationProvider is the name under which registered locations feed in their
// Location entities.
const LocationProvider = "DefaultLocationStore"

// Strategies for RegisterLocation of what is registered already.
const (
	OnConflictRefresh = "refresh"
	OnConflictReject  = "reject"
)

// RegisterLocation keeps a location and makes it due. One that exists is
// catalog.ErrConflict, or, with OnConflictRefresh, refreshed; an empty
// strategy is the one of the options. A type that may not be registered is
// catalog.ErrInput.
func (e *Engine) RegisterLocation(ctx context.Context, ref catalog.LocationRef, onConflict string) (catalog.Location, error) {
	if err := e.checkLocation(ref); err != nil {
		return catalog.Location{}, err
	}
	refresh := onConflict == OnConflictRefresh || (onConflict == "" && e.opts.RefreshOnConflict)
	if err := ctx.Err(); err != nil {
		return catalog.Location{}, err
	}
	var location catalog.Location
	err := e.update(func(t *txn) error {
		t.demand = waiting(ctx)
		existing, found, err := t.tx.LocationByRef(ref)
		switch {
		case err != nil:
			return err
		case found && !refresh:
			return locationExists(ref)
		case found:
			location = existing
			return t.dueAgain(existing.EntityRef)
		}
		location = catalog.Location{ID: uuid.NewString(), Type: ref.Type, Target: ref.Target, EntityRef: ref.EntityRef()}
		return t.addLocation(location)
	})
	return location, unwrapDomain(err)
}

func locationExists(ref catalog.LocationRef) error {
	return catalog.NewError(catalog.NameConflict, "Location "+ref.String()+" already exists")
}

// checkLocation refuses types that may not be registered, and no target at
// all.
func (e *Engine) checkLocation(ref catalog.LocationRef) error {
	if !slices.Contains(e.opts.LocationTypes, ref.Type) {
		list, _ := json.Marshal(e.opts.LocationTypes)
		return catalog.NewError(catalog.NameInput, "Registered locations must be of an allowed type "+string(list))
	}
	if ref.Target == "" {
		return catalog.NewError(catalog.NameInput, "The location has an empty target")
	}
	return nil
}

func (t *txn) addLocation(l catalog.Location) error {
	if err := t.tx.PutLocation(l); err != nil {
		return err
	}
	return t.addAll(store.Source{Provider: LocationProvider}, []incoming{locationIncoming(l)})
}

// locationIncoming is the Location entity of a registered location. It has the
// name under which the location was first registered.
func locationIncoming(l catalog.Location) incoming {
	entity := catalog.LocationEntity(l.Ref(), "", "", "")
	if ref, err := catalog.ParseEntityRef(l.EntityRef, "", ""); err == nil {
		entity.Metadata().Set("name", ref.Name)
	}
	return newIncoming(l.EntityRef, entity, l.Ref().String())
}

// UpdateLocation gives a registered location another type and target. Its
// Location entity keeps its name. An unknown id is catalog.ErrNotFound, a
// location that another id has is catalog.ErrConflict.
func (e *Engine) UpdateLocation(ctx context.Context, id string, ref catalog.LocationRef) (catalog.Location, error) {
	if err := e.checkLocation(ref); err != nil {
		return catalog.Location{}, err
	}
	if err := ctx.Err(); err != nil {
		return catalog.Location{}, err
	}
	var location catalog.Location
	err := e.update(func(t *txn) error {
		t.demand = waiting(ctx)
		old, found, err := t.tx.Location(id)
		if err != nil {
			return err
		}
		if !found {
			return noLocation(id)
		}
		other, taken, err := t.tx.LocationByRef(ref)
		if err != nil {
			return err
		}
		if taken && other.ID != id {
			return locationExists(ref)
		}
		location = catalog.Location{ID: id, Type: ref.Type, Target: ref.Target, EntityRef: old.EntityRef}
		if location == old {
			return nil
		}
		if err := t.removeFrom(store.Source{Provider: LocationProvider}, old.EntityRef); err != nil {
			return err
		}
		return t.addLocation(location)
	})
	return location, unwrapDomain(err)
}

func noLocation(id string) error {
	return catalog.NewError(catalog.NameNotFound, "Found no location with ID "+id)
}

// DeleteLocation forgets a registered location, and removes its Location
// entity with everything only reachable through it. An unknown id is
// catalog.ErrNotFound.
func (e *Engine) DeleteLocation(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return unwrapDomain(e.update(func(t *txn) error {
		l, found, err := t.tx.Location(id)
		if err != nil {
			return err
		}
		if !found {
			return noLocation(id)
		}
		if err := t.tx.DeleteLocation(l); err != nil {
			return err
		}
		return t.removeFrom(store.Source{Provider: LocationProvider}, l.EntityRef)
	}))
}

// Location returns a registered location; an unknown id is
// catalog.ErrNotFound.
func (e *Engine) Location(_ context.Context, id string) (l catalog.Location, err error) {
	err = e.store.View(func(tx store.ReadTx) error {
		var found bool
		if l, found, err = tx.Location(id); err == nil && !found {
			return noLocation(id)
		}
		return err
	})
	return l, err
}

// Locations returns all registered locations in order of id.
func (e *Engine) Locations(context.Context) (list []catalog.Location, err error) {
	err = e.store.View(func(tx store.ReadTx) error {
		return tx.Locations(func(l catalog.Location) bool {
			list = append(list, l)
			return true
		})
	})
	return list, err
}

// LocationByRef finds a registered location by exact type and target.
func (e *Engine) LocationByRef(_ context.Context, ref catalog.LocationRef) (l catalog.Location, found bool, err error) {
	err = e.store.View(func(tx store.ReadTx) error {
		l, found, err = tx.LocationByRef(ref)
		return err
	})
	return l, found, err
}

// A DryRun is what registering a location would bring.
type DryRun struct {
	// Exists tells that the location is registered already.
	Exists bool
	// Location has the location's own ref as its id.
	Location catalog.Location
	// Entities are the Location entity and then its descendants, processed and
	// not stitched.
	Entities []catalog.Entity
}

// maxDryRun bounds the entities of a dry run.
const maxDryRun = 20_000

// DryRunLocation reads and processes the location and all that it leads to,
// and stores nothing. Any error in the tree is catalog.ErrInput.
func (e *Engine) DryRunLocation(ctx context.Context, ref catalog.LocationRef) (DryRun, error) {
	if err := e.checkLocation(ref); err != nil {
		return DryRun{}, err
	}
	_, exists, err := e.LocationByRef(ctx, ref)
	if err != nil {
		return DryRun{}, err
	}
	run := DryRun{Exists: exists, Location: catalog.Location{
		ID: ref.String(), Type: ref.Type, Target: ref.Target, EntityRef: ref.EntityRef(),
	}}
	ctx = process.WithDemand(ctx, process.Demand{Since: e.now(), Urgent: true})
	seen := map[string]bool{}
	stack := []*jsonvalue.Object{catalog.LocationEntity(ref, "", "", "").Object}
	for len(stack) > 0 {
		next := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		result := e.processor.Process(ctx, process.Input{Entity: catalog.Entity{Object: next}})
		if err := ctx.Err(); err != nil {
			return DryRun{}, context.Cause(ctx)
		}
		if !result.OK {
			return DryRun{}, joinErrors(result.Errors)
		}
		entityRef := result.Entity.Ref().String()
		if seen[entityRef] {
			return DryRun{}, catalog.NewError(catalog.NameInput, "Duplicate nested entity: "+entityRef)
		}
		seen[entityRef] = true
		run.Entities = append(run.Entities, result.Entity)
		if len(run.Entities)+len(stack)+len(result.Children) > maxDryRun {
			return DryRun{}, catalog.NewError(catalog.NameInput,
				fmt.Sprintf("The location leads to more than %d entities, too many for a dry run", maxDryRun))
		}
		for _, c := range result.Children {
			stack = append(stack, c.Entity.Object)
		}
	}
	return run, nil
}

// joinErrors makes one error of those of a run.
func joinErrors(errs []error) error {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = catalog.Describe(err)
	}
	return catalog.NewError(catalog.NameInput, strings.Join(texts, ", "))
}
