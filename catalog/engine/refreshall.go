package engine

import (
	"context"
	"errors"

	"github.com/greenroom-idp/greenroom/catalog"
)

// refreshBatch is how many entities one transaction of RefreshAll marks.
const refreshBatch = 500

// RefreshAll makes entities and the Locations that they come from due now, as
// Refresh does for one. Refs must be canonical; unknown ones, and what is above
// a broken chain of parents, are passed over.
func (e *Engine) RefreshAll(ctx context.Context, refs []string) error {
	for len(refs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := refs[:min(refreshBatch, len(refs))]
		refs = refs[len(batch):]
		err := e.update(func(t *txn) error {
			t.demand = waiting(ctx)
			for _, ref := range batch {
				s, err := t.state(ref)
				if err != nil {
					return err
				}
				if s == nil || s.Parent.IsZero() {
					continue
				}
				t.markDue(s)
				if err := ignoreDomain(t.refreshAncestors(ref, s.Parent)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ignoreDomain drops what is wrong with the catalog, and keeps what is wrong
// with the store.
func ignoreDomain(err error) error {
	var domain *catalog.Error
	if errors.As(err, &domain) {
		return nil
	}
	return err
}
