package catalogapi

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
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
