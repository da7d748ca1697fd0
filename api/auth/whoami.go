package auth

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/catalog"
)

// A Self is what a token says of who holds it: the answer of WhoAmI.
type Self struct {
	// Type is user or service.
	Type string `json:"type"`
	// UserEntityRef and Ownership are those of a user, and Actor the plugin
	// that acts for them, "" for none.
	UserEntityRef string   `json:"userEntityRef,omitempty"`
	Ownership     []string `json:"ownershipEntityRefs,omitempty"`
	Actor         string   `json:"actor,omitempty"`
	// Limited says that the token is good for little more than cookies.
	Limited bool `json:"limited,omitempty"`
	// Subject is the name of a service, and Restrictions what narrows it; nil:
	// nothing does.
	Subject      string              `json:"subject,omitempty"`
	Restrictions []AccessRestriction `json:"accessRestrictions,omitempty"`
	// Audience are the plugins that a plugin token is for.
	Audience []string `json:"audience,omitempty"`
	// Expires is zero for a token that does not.
	Expires time.Time `json:"expiresAt,omitzero"`
}

// WhoAmI answers GET /v1/whoami: what the token of the request stands for,
// whichever plugins it may call.
func (s *Authority) WhoAmI(c *gin.Context) (any, error) {
	token := bearer(c.Request)
	if token == "" {
		return nil, errMissing
	}
	ctx := c.Request.Context()
	v, err := s.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	p := v.principal
	out := Self{Type: p.Kind.String(), Audience: v.audience, Expires: p.Expires}
	if p.Kind == Service {
		out.Subject, out.Restrictions = p.Subject, Spelled(p.Restrictions)
		return out, nil
	}
	out.UserEntityRef, out.Actor, out.Limited = p.Subject, p.Actor, p.Limited
	owns, ok, err := s.ForeignOwnership(WithPrincipal(ctx, p), p.Subject)
	if err == nil && !ok {
		owns, err = s.ownership(ctx, p.Subject)
	}
	out.Ownership = owns
	return out, err
}

// ownership returns what a user was found to own at the last sign-in, or
// lacking that what the catalog says.
func (s *Authority) ownership(ctx context.Context, user string) ([]string, error) {
	info, ok, err := s.store.User(ctx, user)
	if err != nil || ok {
		return info.Ownership, err
	}
	if s.directory == nil {
		return []string{user}, nil
	}
	owns, err := s.directory.Ownership(ctx, user)
	if errors.Is(err, catalog.ErrNotFound) {
		return []string{user}, nil
	}
	return owns, err
}
