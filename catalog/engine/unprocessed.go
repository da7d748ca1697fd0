package engine

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// States of entities that are not served.
const (
	StateFailed  = "failed"  // processed, and never with success
	StatePending = "pending" // not processed yet
)

// An Unprocessed is the record of an entity that is not served.
type Unprocessed struct {
	EntityID          catalog.UID
	EntityRef         string
	UnprocessedEntity *jsonvalue.Object
	UnprocessedHash   string            // hex
	ProcessedEntity   *jsonvalue.Object // nil if there is none
	ResultHash        string            // hex, empty if there is none
	Errors            []any             // nil if there are none
	NextUpdateAt      time.Time
	LastDiscoveryAt   time.Time
	LocationKey       string
	HasLocationKey    bool
}

// Unprocessed returns the records of entities in that state whose spec.owner
// is owner, of all owners where it is empty, in order of ref.
func (e *Engine) Unprocessed(ctx context.Context, state, owner string) (list []Unprocessed, err error) {
	err = e.store.View(func(tx store.ReadTx) error {
		var failed error
		err := tx.States("", func(s *store.State) bool {
			if notServed(s) != state {
				return ctx.Err() == nil
			}
			var row *Unprocessed
			if row, failed = e.unprocessed(tx, s); failed != nil {
				return false
			}
			if owner == "" || (catalog.Entity{Object: row.UnprocessedEntity}).Spec().String("owner") == owner {
				list = append(list, *row)
			}
			return ctx.Err() == nil
		})
		if failed != nil {
			return failed
		}
		return err
	})
	return list, err
}

// notServed returns the state of a record, "" if its entity is served.
func notServed(s *store.State) string {
	switch {
	case s.ContentHash != store.Digest{}:
		return ""
	case s.Errors != nil || s.Processed:
		return StateFailed
	}
	return StatePending
}

func (e *Engine) unprocessed(tx store.ReadTx, s *store.State) (*Unprocessed, error) {
	row := &Unprocessed{
		EntityID: s.UID, EntityRef: s.Ref, UnprocessedHash: hex.EncodeToString(s.UnprocessedHash[:]),
		LastDiscoveryAt: time.UnixMilli(s.LastDiscovery), LocationKey: s.LocationKey, HasLocationKey: !s.Keyless,
	}
	if s.ResultHash != (store.Digest{}) {
		row.ResultHash = hex.EncodeToString(s.ResultHash[:])
	}
	if row.NextUpdateAt = e.queue.dueAt(s.Ref); row.NextUpdateAt.IsZero() {
		row.NextUpdateAt = e.now()
	}
	var err error
	if row.UnprocessedEntity, err = storedObject(tx.Unprocessed(s.Ref)); err != nil {
		return nil, err
	}
	if row.ProcessedEntity, err = storedObject(tx.Processed(s.Ref)); err != nil {
		return nil, err
	}
	if s.Errors != nil {
		v, err := jsonvalue.Parse(s.Errors)
		if err != nil {
			return nil, err
		}
		row.Errors, _ = v.([]any)
	}
	return row, nil
}

func storedObject(json []byte, err error) (*jsonvalue.Object, error) {
	if err != nil || json == nil {
		return nil, err
	}
	return jsonvalue.ParseObject(json)
}

// DeleteUnprocessed removes the record with that uid, served or not. An
// unknown uid is no error.
func (e *Engine) DeleteUnprocessed(ctx context.Context, uid catalog.UID) error {
	return e.DeleteEntity(ctx, uid)
}
