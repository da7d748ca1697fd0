package catalogapi

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Lookup returns the entity of a canonical ref as far as who may read it, for
// other plugins that act for somebody; ok is false where there is none that may
// be read.
func (a *API) Lookup(ctx context.Context, who auth.Principal, ref string) (e catalog.Entity, ok bool, err error) {
	d, err := a.Decider.Decide(ctx, who, entityRead, "")
	if err != nil || d.Result == permission.Deny {
		return e, false, err
	}
	var only *jsonvalue.Object
	if d.Result == permission.Conditional {
		if only, err = predicateOf(d.Criteria, false); err != nil {
			return e, false, err
		}
	}
	page, err := a.Reader.ByRef(ctx, ref, only)
	if err != nil {
		return e, false, err
	}
	if page.Release != nil {
		defer page.Release()
	}
	if page.Body == nil {
		return e, false, nil
	}
	e.Object, err = jsonvalue.ParseObject(page.Body)
	return e, err == nil, err
}

// Register registers a location for who may do so. One that is registered
// already is catalog.ErrConflict.
func (a *API) Register(ctx context.Context, who auth.Principal, l catalog.LocationRef) error {
	_, err := a.register(ctx, who, l, "reject")
	return err
}

func (a *API) register(ctx context.Context, who auth.Principal, l catalog.LocationRef, onConflict string) (catalog.Location, error) {
	if a.Readonly {
		return catalog.Location{}, errReadonly
	}
	if err := a.mayRegister(ctx, who, l); err != nil {
		return catalog.Location{}, err
	}
	return a.Engine.RegisterLocation(ctx, l, onConflict)
}

// Preview returns what a location would bring, for who may register it.
func (a *API) Preview(ctx context.Context, who auth.Principal, l catalog.LocationRef) ([]catalog.Entity, error) {
	if err := a.mayRegister(ctx, who, l); err != nil {
		return nil, err
	}
	run, err := a.Engine.DryRunLocation(ctx, l)
	return run.Entities, err
}

func (a *API) mayRegister(ctx context.Context, who auth.Principal, l catalog.LocationRef) error {
	d, err := a.Decider.Decide(ctx, who, locationCreate, "")
	if err != nil {
		return err
	}
	if d.Result != permission.Allow {
		return wire.NotAllowed("The permission catalog.location.create is needed to register a location")
	}
	return a.checkLocation(l)
}
