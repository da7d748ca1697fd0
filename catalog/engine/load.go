package engine

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// settingFingerprint keeps Options.Fingerprint of the last start.
const settingFingerprint = "fingerprint"

// load fills the index from the stored documents.
func (e *Engine) load(ctx context.Context) error {
	return e.store.View(func(tx store.ReadTx) error {
		e.uids = catalog.NewUIDSource(e.now, tx.LastUID())
		var failed error
		err := e.index.Load(tx.Revision(), func(yield func(index.Document) bool) {
			failed = tx.Documents(func(uid catalog.UID, _ uint64, doc []byte) bool {
				if failed = ctx.Err(); failed != nil {
					return false
				}
				return yield(index.Document{UID: uid, JSON: doc})
			})
		})
		if err != nil {
			return fmt.Errorf("load index: %w", err)
		}
		if failed != nil {
			return fmt.Errorf("load documents: %w", failed)
		}
		return nil
	})
}

// resumeChunk is how many records one transaction of resume touches.
const resumeChunk = 2000

// resume goes through the stored records and takes up the work that they ask
// for: what was due when the last process ended, refreshes, orphans, and, when
// the fingerprint has changed, everything.
func (e *Engine) resume(ctx context.Context) error {
	var stored string
	err := e.store.View(func(tx store.ReadTx) error {
		stored = string(tx.Setting(settingFingerprint))
		return nil
	})
	if err != nil {
		return err
	}
	marked := stored != e.opts.Fingerprint && !e.opts.ReadOnly
	if marked {
		if err := e.markAll(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return e.store.View(func(tx store.ReadTx) error {
		return tx.States("", func(s *store.State) bool {
			switch {
			case s.Due && !marked: // what was marked is in the queue, or past it
				e.queue.push(s.Ref)
			case s.Due:
			case refreshed(s):
				e.queue.schedule(s.Ref, e.now().Add(e.interval()))
			}
			if s.Parent.IsZero() && !e.keepOrphans {
				e.orphans.add(s.Ref)
			}
			return ctx.Err() == nil
		})
	})
}

// refreshed tells whether processing this entity again can come out otherwise
// although nobody changed it: it read something, or it failed.
func refreshed(s *store.State) bool { return len(s.RefreshKeys) > 0 || s.Errors != nil }

// markAll makes every entity due, in transactions of bounded size, and keeps
// the new fingerprint once all are.
func (e *Engine) markAll(ctx context.Context) error {
	from, more := "", true
	for more && ctx.Err() == nil {
		err := e.update(func(t *txn) error {
			var refs []string
			more = false
			err := t.tx.States(from, func(s *store.State) bool {
				if len(refs) == resumeChunk {
					from, more = s.Ref, true
					return false
				}
				refs = append(refs, s.Ref)
				return true
			})
			if err != nil {
				return err
			}
			return t.dueAgain(refs...)
		})
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return e.update(func(t *txn) error {
		return t.tx.PutSetting(settingFingerprint, []byte(e.opts.Fingerprint))
	})
}

// dueAgain makes records due whatever the outcome of their last run was.
func (t *txn) dueAgain(refs ...string) error {
	for _, ref := range refs {
		s, err := t.state(ref)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		s.ResultHash = store.Digest{}
		t.markDue(s)
	}
	return nil
}
