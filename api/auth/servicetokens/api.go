package servicetokens

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// An Authenticator finds out who sent a request. *auth.Authority is one.
type Authenticator interface {
	Identify(r *http.Request, plugin string) (auth.Principal, error)
}

// An API answers for the tokens.
type API struct {
	registry *Registry
	callers  Authenticator
	log      *slog.Logger
}

// NewAPI returns an API. Log hears who issued and revoked what.
func NewAPI(r *Registry, callers Authenticator, log *slog.Logger) *API { return &API{r, callers, log} }

// A Description is a Record as it is shown.
type Description struct {
	ID           string                   `json:"id"`
	Subject      string                   `json:"subject"`
	Created      time.Time                `json:"createdAt"`
	Expires      time.Time                `json:"expiresAt,omitzero"`
	CreatedBy    string                   `json:"createdBy"`
	Restrictions []auth.AccessRestriction `json:"accessRestrictions,omitempty"`
}

// Describe returns what may be shown of a record.
func Describe(r Record) Description {
	return Description{r.ID, r.Subject, r.Created, r.Expires, r.CreatedBy, auth.Spelled(r.Restrictions)}
}

// A Listing is the answer of List.
type Listing struct {
	Tokens []Description `json:"tokens"`
}

// A Creation is the body that Create takes.
type Creation struct {
	Subject string `json:"subject"`
	// ExpiresInSeconds is required, but for NeverExpires.
	ExpiresInSeconds int64                    `json:"expiresInSeconds,omitempty"`
	NeverExpires     bool                     `json:"neverExpires,omitempty"`
	Restrictions     []auth.AccessRestriction `json:"accessRestrictions,omitempty"`
}

// A Created is the answer of Create, which alone has the token.
type Created struct {
	Token string `json:"token"`
	Description
}

// admin returns who asks, if that is a service that may do everything.
func (a *API) admin(c *gin.Context) (auth.Principal, error) {
	who, err := a.callers.Identify(c.Request, "auth")
	if err != nil {
		return who, err
	}
	if err := who.NeedService(); err != nil {
		return who, err
	}
	if who.Restrictions != nil || strings.HasPrefix(who.Subject, "plugin:") {
		return who, wire.NotAllowed("Service tokens are issued and revoked with a token from outside that has no access restrictions")
	}
	return who, nil
}

// List answers GET /v1/service-tokens.
func (a *API) List(c *gin.Context) (any, error) {
	if _, err := a.admin(c); err != nil {
		return nil, err
	}
	out := Listing{Tokens: []Description{}}
	for _, r := range a.registry.List() {
		out.Tokens = append(out.Tokens, Describe(r))
	}
	return out, nil
}

// Create answers POST /v1/service-tokens.
func (a *API) Create(c *gin.Context) (any, error) {
	who, err := a.admin(c)
	if err != nil {
		return nil, err
	}
	in, err := readCreation(c.Request)
	if err != nil {
		return nil, err
	}
	q := Request{Subject: in.Subject, Restrictions: auth.Meant(in.Restrictions), By: who.Subject}
	switch most := int64(MaxLifetime / time.Second); {
	case in.NeverExpires != (in.ExpiresInSeconds == 0):
		return nil, wire.InputError("say either expiresInSeconds or neverExpires")
	case in.ExpiresInSeconds < 0 || in.ExpiresInSeconds > most:
		return nil, wire.InputError("expiresInSeconds must be a number from 1 to 315360000, ten years")
	default:
		q.Lifetime = time.Duration(in.ExpiresInSeconds) * time.Second
	}
	if !who.Expires.IsZero() && (q.Lifetime == 0 || a.registry.o.Now().Add(q.Lifetime).After(who.Expires)) {
		return nil, wire.InputError("the token with which you ask ends at " + who.Expires.UTC().Format(time.RFC3339) + ", and what it issues must not outlive it: ask for less")
	}
	token, record, err := a.registry.Issue(c.Request.Context(), q)
	if errors.Is(err, ErrRequest) {
		return nil, wire.InputError(err.Error())
	}
	if err != nil {
		return nil, err
	}
	a.log.InfoContext(c.Request.Context(), "service token issued", slog.String("id", record.ID),
		slog.String("subject", record.Subject), slog.String("by", who.Subject))
	return wire.Created(Created{token, Describe(record)}), nil
}

// Revoke answers DELETE /v1/service-tokens/:id.
func (a *API) Revoke(c *gin.Context) (any, error) {
	who, err := a.admin(c)
	if err != nil {
		return nil, err
	}
	id, ok := wire.Param(c, "id")
	if !ok {
		return nil, wire.MalformedPath()
	}
	record, err := a.registry.Revoke(c.Request.Context(), id)
	if errors.Is(err, ErrUnknown) {
		return nil, wire.NotFound("There is no service token " + id)
	}
	if err != nil {
		return nil, err
	}
	a.log.InfoContext(c.Request.Context(), "service token revoked", slog.String("id", record.ID),
		slog.String("subject", record.Subject), slog.String("by", who.Subject))
	return wire.NoContent(), nil
}

// readCreation reads the body, in which nothing may stand that is not known: a
// slip in a restriction must not widen the access.
func readCreation(r *http.Request) (in Creation, err error) {
	body, ok, err := wire.ReadJSON(r, wire.BodyLimit)
	if err != nil {
		return in, err
	}
	if !ok {
		return in, wire.InputError("the body must be JSON, such as {\"subject\":\"ci\",\"expiresInSeconds\":7776000}")
	}
	decoder := json.NewDecoder(bytes.NewReader(jsonvalue.Append(nil, body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return in, catalog.WrapError(catalog.NameInput, "the body does not say what token is meant", err)
	}
	return in, nil
}
