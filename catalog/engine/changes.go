package engine

import (
	"context"

	"github.com/greenroom-idp/greenroom/catalog/store"
)

// Changes yields the change log from a revision on, oldest first, for those
// who follow the catalog or look back. The entries are the caller's to keep.
func (e *Engine) Changes(ctx context.Context, from uint64, yield func(*store.Change) bool) error {
	return e.store.View(func(tx store.ReadTx) error {
		return tx.Changes(from, func(c *store.Change) bool {
			c.Before = append([]byte(nil), c.Before...)
			return ctx.Err() == nil && yield(c)
		})
	})
}

// trimSome removes at most trimChunk entries of the change log that are too
// old or too many, and returns how many.
func (e *Engine) trimSome() (removed int, err error) {
	through, err := e.trimmable()
	if err != nil || through == 0 {
		return 0, err
	}
	err = e.update(func(t *txn) error {
		removed, err = t.tx.TrimChanges(through, trimChunk)
		return err
	})
	return removed, err
}

// trimmable returns the last revision that need not be kept, 0 for none. It
// looks at no more entries than one transaction removes.
func (e *Engine) trimmable() (through uint64, err error) {
	oldest := e.now().Add(-e.opts.KeepChangesFor).UnixMilli()
	err = e.store.View(func(tx store.ReadTx) error {
		var firstKept uint64
		if n := tx.Revision(); n > uint64(e.opts.KeepChanges) {
			firstKept = n - uint64(e.opts.KeepChanges) + 1
		}
		seen := 0
		return tx.Changes(0, func(c *store.Change) bool {
			if c.Revision >= firstKept && c.At >= oldest {
				return false
			}
			through = c.Revision
			seen++
			return seen < trimChunk
		})
	})
	return through, err
}
