package catalogapi

import (
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// UnprocessedFailed answers GET /entities/unprocessed/failed.
func (a *API) UnprocessedFailed(c *gin.Context) (any, error) { return a.unprocessed(c, "failed") }

// UnprocessedPending answers GET /entities/unprocessed/pending.
func (a *API) UnprocessedPending(c *gin.Context) (any, error) { return a.unprocessed(c, "pending") }

func (a *API) unprocessed(c *gin.Context, state string) (any, error) {
	if err := a.requireUnprocessed(c, unprocessedRead); err != nil {
		return nil, err
	}
	rows, err := a.Engine.Unprocessed(c.Request.Context(), state, c.Query("owner"))
	if err != nil {
		return nil, err
	}
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = unprocessedJSON(row)
	}
	return wire.Obj("type", state, "entities", list), nil
}

// unprocessedJSON writes a row under the names of the columns it has in the
// reference.
func unprocessedJSON(u engine.Unprocessed) *jsonvalue.Object {
	o := wire.Obj("entity_id", u.EntityID.String(), "entity_ref", u.EntityRef)
	if u.UnprocessedEntity != nil {
		o.Set("unprocessed_entity", u.UnprocessedEntity)
	}
	o.Set("unprocessed_hash", u.UnprocessedHash)
	if u.ProcessedEntity != nil {
		o.Set("processed_entity", u.ProcessedEntity)
	}
	o.Set("result_hash", orNull(u.ResultHash, u.ResultHash != ""))
	if u.Errors != nil {
		o.Set("errors", u.Errors)
	}
	o.Set("next_update_at", timestamp(u.NextUpdateAt))
	o.Set("last_discovery_at", timestamp(u.LastDiscoveryAt))
	o.Set("location_key", orNull(u.LocationKey, u.HasLocationKey))
	return o
}

func orNull(s string, there bool) any {
	if !there {
		return nil
	}
	return s
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// DeleteUnprocessed answers DELETE /entities/unprocessed/delete/{entity_id}.
func (a *API) DeleteUnprocessed(c *gin.Context) (any, error) {
	if err := a.requireUnprocessed(c, unprocessedDelete); err != nil {
		return nil, err
	}
	text, ok := wire.Param(c, "entity_id")
	if !ok {
		return nil, wire.InputError("malformed uri'")
	}
	uid, err := catalog.ParseUID(text)
	if err != nil {
		return wire.NoContent(), nil
	}
	if err := a.Engine.DeleteUnprocessed(c.Request.Context(), uid); err != nil {
		return nil, err
	}
	return wire.NoContent(), nil
}

func (a *API) requireUnprocessed(c *gin.Context, p permission.Permission) error {
	d, err := a.decide(c, p)
	if err != nil {
		return err
	}
	if d.Result != permission.Allow {
		return wire.NotAllowed("Unauthorized")
	}
	return nil
}
