package catalogapi

import (
	"context"
	"errors"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
)

// An Engine changes the catalog. Errors that are *catalog.Error go to the
// client as they are.
type Engine interface {
	// RegisterLocation stores a location; onConflict is "reject" or "refresh".
	RegisterLocation(ctx context.Context, l catalog.LocationRef, onConflict string) (catalog.Location, error)
	UpdateLocation(ctx context.Context, id string, l catalog.LocationRef) (catalog.Location, error)
	DeleteLocation(ctx context.Context, id string) error
	// DryRunLocation reads and processes a location without storing anything.
	DryRunLocation(ctx context.Context, l catalog.LocationRef) (engine.DryRun, error)
	// Location returns the location of that id, or an error that is
	// catalog.ErrNotFound.
	Location(ctx context.Context, id string) (catalog.Location, error)
	// Locations returns all of them, sorted by id.
	Locations(ctx context.Context) ([]catalog.Location, error)
	LocationByRef(ctx context.Context, l catalog.LocationRef) (catalog.Location, bool, error)
	// Refresh schedules an entity, by its canonical ref, and its locations.
	Refresh(ctx context.Context, ref string) error
	// DeleteEntity deletes by uid; an unknown one is no error.
	DeleteEntity(ctx context.Context, uid catalog.UID) error
	// Unprocessed lists entities whose processing "failed" or is "pending";
	// an owner that is not empty is compared to their spec.owner.
	Unprocessed(ctx context.Context, state, owner string) ([]engine.Unprocessed, error)
	DeleteUnprocessed(ctx context.Context, uid catalog.UID) error
}

// A Validator processes an entity without storing anything, as if it had been
// read from a location, and returns what is wrong with it.
type Validator interface {
	Validate(ctx context.Context, entity catalog.Entity, locationRef string) []error
}

// An Authenticator turns a token that came in a body into who sent it.
type Authenticator interface {
	Authenticate(token, plugin string) (auth.Principal, error)
}

// Options are what an API needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Reader, Engine, Validator, Decider and Authenticator. Required.
	Reader        Reader
	Engine        Engine
	Validator     Validator
	Decider       permission.Decider
	Authenticator Authenticator
	// LocationTypes that may be registered; nil: url.
	LocationTypes []string
	// OnConflict is what happens to a location that is there already when the
	// client does not say: "reject" or "refresh"; "": reject.
	OnConflict string
	// Readonly refuses to register, change and delete locations; false: not.
	Readonly bool
	// HostType returns the type of Git host that a URL is on, such as "github"
	// or "gitlab", "" if on none that is known; nil: none is known.
	HostType func(*url.URL) string
	// BasePath is the path of the mount in openapi.json; "": /api/catalog.
	BasePath string
}

// API answers for the catalog.
type API struct {
	Options
	description any
}

// New checks the options.
func New(o Options) (*API, error) {
	if o.Reader == nil || o.Engine == nil || o.Validator == nil || o.Decider == nil || o.Authenticator == nil {
		return nil, errors.New("catalog API needs reader, engine, validator, decider and authenticator")
	}
	switch o.OnConflict {
	case "":
		o.OnConflict = "reject"
	case "reject", "refresh":
	default:
		return nil, errors.New("location conflict strategy must be reject or refresh")
	}
	if o.LocationTypes == nil {
		o.LocationTypes = []string{"url"}
	}
	if o.BasePath == "" {
		o.BasePath = "/api/catalog"
	}
	if o.HostType == nil {
		o.HostType = func(*url.URL) string { return "" }
	}
	return &API{Options: o, description: operation.Describe("catalog", "Entities, how they relate, and the locations they are read from.",
		o.BasePath, operations())}, nil
}

// OpenAPI answers GET /openapi.json.
func (a *API) OpenAPI(*gin.Context) (any, error) { return a.description, nil }

// decide asks whether the caller may do something in general.
func (a *API) decide(c *gin.Context, p permission.Permission) (permission.Decision, error) {
	ctx := c.Request.Context()
	return a.Decider.Decide(ctx, auth.PrincipalFrom(ctx), p, "")
}

// require returns the error of a denied permission unless the caller may.
func (a *API) require(c *gin.Context, p permission.Permission, resourceRef string) error {
	return a.requireOf(c, auth.PrincipalFrom(c.Request.Context()), p, resourceRef)
}

func (a *API) requireOf(c *gin.Context, who auth.Principal, p permission.Permission, resourceRef string) error {
	d, err := a.Decider.Decide(c.Request.Context(), who, p, resourceRef)
	if err != nil {
		return err
	}
	if d.Result != permission.Allow {
		return errDenied
	}
	return nil
}

var errDenied = wire.NotAllowed("")
