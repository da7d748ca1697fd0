package engine

import (
	"context"
	"errors"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// maxRefreshDepth bounds the chain of parents that a refresh walks.
const maxRefreshDepth = 32

// Refresh makes an entity and the Locations that it comes from due now. The
// ref must be canonical. Unknown refs, orphans, and entities whose chain of
// parents is broken are catalog.ErrNotFound.
func (e *Engine) Refresh(ctx context.Context, ref string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return unwrapDomain(e.update(func(t *txn) error {
		t.demand = waiting(ctx)
		s, err := t.state(ref)
		if err != nil {
			return err
		}
		if s == nil || s.Parent.IsZero() {
			return catalog.NewError(catalog.NameNotFound, "Entity "+ref+" not found")
		}
		t.markDue(s)
		return t.refreshAncestors(ref, s.Parent)
	}))
}

// waiting is the demand of one who waits for what is due: a user, or a webhook
// that says since when.
func waiting(ctx context.Context) process.Demand {
	return process.Demand{Since: process.DemandOf(ctx).Since, Urgent: true}
}

func (t *txn) refreshAncestors(ref string, parent store.Source) error {
	for range maxRefreshDepth {
		if parent.Entity == "" {
			return nil
		}
		s, err := t.state(parent.Entity)
		if err != nil {
			return err
		}
		if s == nil || s.Parent.IsZero() {
			return catalog.NewError(catalog.NameNotFound,
				"Entity "+ref+" has a broken parent reference chain at "+parent.Entity)
		}
		if isLocation(s.Ref) {
			t.markDue(s)
		}
		parent = s.Parent
	}
	return catalog.NewError(catalog.NameInput, "Entity "+ref+" has too many levels of parents")
}

func isLocation(ref string) bool {
	const prefix = "location:"
	return len(ref) > len(prefix) && ref[:len(prefix)] == prefix
}

// RefreshKeys makes every entity due now that holds one of the refresh keys.
// It is how watchers and webhooks say that a source has changed.
func (e *Engine) RefreshKeys(ctx context.Context, keys []string) error {
	var refs []string
	err := e.store.View(func(tx store.ReadTx) error {
		for _, key := range keys {
			err := tx.RefreshKeyHolders(key, func(ref string) bool {
				refs = append(refs, ref)
				return ctx.Err() == nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	e.queue.ask(waiting(ctx), refs...)
	return ctx.Err()
}

// DeleteEntity removes one entity, without what it emits, which becomes an
// orphan. Its parent is made due, and brings it back if it still emits it. An
// unknown uid is no error.
func (e *Engine) DeleteEntity(ctx context.Context, uid catalog.UID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.update(func(t *txn) error {
		s, err := t.state(t.tx.RefOf(uid))
		if err != nil || s == nil {
			return err
		}
		parent := s.Parent
		children, err := t.children(store.Source{Entity: s.Ref})
		if err != nil {
			return err
		}
		if err := t.remove(s.Ref); err != nil {
			return err
		}
		for _, ref := range children {
			child, err := t.state(ref)
			if err != nil {
				return err
			}
			if child != nil {
				if err := t.reparent(child, store.Source{}); err != nil {
					return err
				}
			}
		}
		if parent.Entity == "" {
			return nil
		}
		return t.dueAgain(parent.Entity)
	})
}

// unwrapDomain gives callers the error that was meant for them, without the
// words of the transaction around it.
func unwrapDomain(err error) error {
	var domain *catalog.Error
	if errors.As(err, &domain) {
		return domain
	}
	return err
}
