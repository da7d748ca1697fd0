package catalogapi

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

func locationJSON(l catalog.Location) *jsonvalue.Object {
	return wire.Obj("id", l.ID, "type", l.Type, "target", l.Target, "entityRef", l.EntityRef)
}

// mayReadLocations tells whether the caller may; nothing is shown who may not.
func (a *API) mayReadLocations(c *gin.Context) (bool, error) {
	d, err := a.decide(c, locationRead)
	return d.Result == permission.Allow, err
}

// Locations answers GET /locations.
func (a *API) Locations(c *gin.Context) (any, error) {
	if _, err := opLocations.Read(c); err != nil {
		return nil, err
	}
	out := []any{}
	if may, err := a.mayReadLocations(c); err != nil || !may {
		return out, err
	}
	all, err := a.Engine.Locations(c.Request.Context())
	if err != nil {
		return nil, err
	}
	for _, l := range all {
		out = append(out, wire.Obj("data", locationJSON(l)))
	}
	return out, nil
}

// Location answers GET /locations/{id}.
func (a *API) Location(c *gin.Context) (any, error) {
	if _, err := opLocation.Read(c); err != nil {
		return nil, err
	}
	id, _ := wire.Param(c, "id")
	may, err := a.mayReadLocations(c)
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, noLocation(id)
	}
	l, err := a.Engine.Location(c.Request.Context(), id)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, noLocation(id)
	}
	if err != nil {
		return nil, err
	}
	return locationJSON(l), nil
}

func noLocation(id string) error {
	return wire.NotFound("Found no location with ID " + id)
}

// LocationByEntity answers GET /locations/by-entity/{kind}/{namespace}/{name}:
// the registered location that the entity ultimately comes from.
func (a *API) LocationByEntity(c *gin.Context) (any, error) {
	if _, err := opLocationByEntity.Read(c); err != nil {
		return nil, err
	}
	may, err := a.mayReadLocations(c)
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, wire.NotFound("")
	}
	ref := refOfParams(c)
	entity, err := a.entity(c, ref)
	if err != nil {
		return nil, err
	}
	origin := entity.Annotation(catalog.AnnotationManagedByOrigin)
	if origin == "" {
		return nil, wire.NotFound("found no origin annotation for ref " + ref)
	}
	at, err := catalog.ParseLocationRef(origin)
	if err != nil {
		return nil, err
	}
	l, ok, err := a.Engine.LocationByRef(c.Request.Context(), at)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wire.NotFound("Found no location with type " + at.Type + " and target " + at.Target)
	}
	return locationJSON(l), nil
}

// CreateLocation answers POST /locations.
func (a *API) CreateLocation(c *gin.Context) (any, error) {
	in, err := opCreateLocation.Read(c)
	if err != nil {
		return nil, err
	}
	if err := checkLocationBody(in.Body, true); err != nil {
		return nil, err
	}
	dry := wire.IsTrue(in.Text("dryRun"))
	l := catalog.LocationRef{Type: in.Body.String("type"), Target: in.Body.String("target")}
	auditLocation(c, l)
	if !dry && a.Readonly {
		return nil, errReadonly
	}
	if err := a.require(c, locationCreate, ""); err != nil {
		return nil, err
	}
	if err := a.checkLocation(l); err != nil {
		return nil, err
	}
	if dry {
		return a.dryRun(c, l)
	}
	onConflict := in.Text("onConflict")
	if onConflict == "" {
		onConflict = a.OnConflict
	}
	created, err := a.Engine.RegisterLocation(c.Request.Context(), l, onConflict)
	if err != nil {
		return nil, err
	}
	return wire.Created(wire.Obj("location", locationJSON(created), "entities", []any{})), nil
}

func (a *API) dryRun(c *gin.Context, l catalog.LocationRef) (any, error) {
	run, err := a.Engine.DryRunLocation(c.Request.Context(), l)
	if err != nil {
		return nil, err
	}
	entities := make([]any, len(run.Entities))
	for i, e := range run.Entities {
		entities[i] = e.Object
	}
	return wire.Created(wire.Obj("exists", run.Exists, "location", locationJSON(run.Location), "entities", entities)), nil
}

var errReadonly = wire.NotAllowed("This operation not allowed in readonly mode")

// checkLocation tells whether a location may be registered at all.
func (a *API) checkLocation(l catalog.LocationRef) error {
	if !slices.Contains(a.LocationTypes, l.Type) {
		return wire.InputError("Registered locations must be of an allowed type " +
			string(jsonvalue.Append(nil, wire.Strings(a.LocationTypes))))
	}
	if strings.TrimSpace(l.Target) == "" {
		return wire.InputError("request/body/target must not be empty")
	}
	if catalog.IsScriptURL(l.Target) {
		return wire.InputError("request/body/target must not be a javascript: URL")
	}
	return nil
}

// checkLocationBody refuses keys that a location does not have. The message
// lists the faults as the validator of the reference prints them.
func checkLocationBody(body *jsonvalue.Object, presence bool) error {
	var faults, surplus []any
	for key, value := range body.All() {
		switch {
		case key == "type" || key == "target":
		case key == "presence" && presence:
			if fault := checkPresence(value); fault != nil {
				faults = append(faults, fault)
			}
		default:
			surplus = append(surplus, key)
		}
	}
	if surplus != nil {
		names := make([]string, len(surplus))
		for i, key := range surplus {
			names[i] = fmt.Sprintf("'%s'", key)
		}
		faults = append(faults, wire.Obj("code", "unrecognized_keys", "keys", surplus, "path", []any{},
			"message", "Unrecognized key(s) in object: "+strings.Join(names, ", ")))
	}
	if faults == nil {
		return nil
	}
	return wire.InputError("Malformed request: " + indented(faults))
}

func checkPresence(v any) any {
	const want = "'required' | 'optional'"
	s, ok := v.(string)
	switch {
	case s == "required" || s == "optional":
		return nil
	case !ok:
		return wire.Obj("expected", want, "received", operation.TypeOf(v), "code", "invalid_type", "path", []any{"presence"},
			"message", "Expected "+want+", received "+operation.TypeOf(v))
	}
	return wire.Obj("received", s, "code", "invalid_enum_value", "options", []any{"required", "optional"},
		"path", []any{"presence"}, "message", "Invalid enum value. Expected "+want+", received '"+s+"'")
}

// auditLocation tells the audit log which location a request is about.
func auditLocation(c *gin.Context, l catalog.LocationRef) {
	audit.About(c.Request.Context(), slog.Group("location", slog.String("type", l.Type), slog.String("target", wire.LoggedURL(l.Target))))
}

// UpdateLocation answers PUT /locations/{id}.
func (a *API) UpdateLocation(c *gin.Context) (any, error) {
	in, err := opUpdateLocation.Read(c)
	if err != nil {
		return nil, err
	}
	l := catalog.LocationRef{Type: in.Body.String("type"), Target: in.Body.String("target")}
	auditLocation(c, l)
	if a.Readonly {
		return nil, errReadonly
	}
	if err := a.require(c, locationCreate, ""); err != nil {
		return nil, err
	}
	if err := a.checkLocation(l); err != nil {
		return nil, err
	}
	id, _ := wire.Param(c, "id")
	updated, err := a.Engine.UpdateLocation(c.Request.Context(), id, l)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, noLocation(id)
	}
	if err != nil {
		return nil, err
	}
	return locationJSON(updated), nil
}

// DeleteLocation answers DELETE /locations/{id}.
func (a *API) DeleteLocation(c *gin.Context) (any, error) {
	if _, err := opDeleteLocation.Read(c); err != nil {
		return nil, err
	}
	if a.Readonly {
		return nil, errReadonly
	}
	if err := a.require(c, locationDelete, ""); err != nil {
		return nil, err
	}
	id, _ := wire.Param(c, "id")
	err := a.Engine.DeleteLocation(c.Request.Context(), id)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, noLocation(id)
	}
	if err != nil {
		return nil, err
	}
	return wire.NoContent(), nil
}
