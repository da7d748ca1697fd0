package auth

import (
	"context"
	"errors"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// A session is the answer to a sign-in.
type session struct {
	Profile  profile  `json:"profile"`
	Identity identity `json:"backstageIdentity"`
}

type profile struct {
	Email       string `json:"email,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	Picture     string `json:"picture,omitempty"`
}

type identity struct {
	Token            string       `json:"token"`
	ExpiresInSeconds int          `json:"expiresInSeconds"`
	Identity         identityUser `json:"identity"`
}

type identityUser struct {
	Type      string   `json:"type"`
	Subject   string   `json:"userEntityRef"`
	Ownership []string `json:"ownershipEntityRefs"`
}

// GuestRefresh answers GET and POST /guest/refresh.
func (s *Authority) GuestRefresh(c *gin.Context) (any, error) {
	if s.guest == nil {
		return nil, errNoGuest
	}
	if !s.guest.Allowed {
		return nil, wire.NotAllowed("The guest provider is only for development; set auth.providers.guest.dangerouslyAllowOutsideDevelopment to use it elsewhere")
	}
	ctx := c.Request.Context()
	owns, err := s.guestOwnership(ctx)
	if err != nil {
		return nil, err
	}
	return s.signIn(ctx, UserInfo{Subject: s.guest.UserEntityRef, Ownership: owns}, profile{})
}

// GuestRedirect answers the routes of the redirect flow, which guests lack.
func (s *Authority) GuestRedirect(*gin.Context) (any, error) {
	if s.guest == nil {
		return nil, errNoGuest
	}
	return nil, wire.NotImplemented()
}

var errNoGuest = wire.NotFound("No auth provider registered for 'guest'")

// guestOwnership asks the catalog, and falls back to the configuration: a
// guest can sign in to a catalog that is empty or cannot be read.
func (s *Authority) guestOwnership(ctx context.Context) ([]string, error) {
	if s.directory == nil {
		return s.guest.Ownership, nil
	}
	owns, err := s.directory.Ownership(ctx, s.guest.UserEntityRef)
	if ctxErr := ctx.Err(); ctxErr != nil && errors.Is(err, ctxErr) {
		return nil, err
	}
	if err != nil {
		return s.guest.Ownership, nil
	}
	return owns, nil
}

// signIn issues a token, records what the user owns, and returns the session.
func (s *Authority) signIn(ctx context.Context, info UserInfo, p profile) (session, error) {
	identity, err := s.SignIn(ctx, info)
	return session{p, identity}, err
}

func (s *Authority) issue(ctx context.Context, info UserInfo) (string, claims, error) {
	key, err := s.keys.signer(ctx)
	if err != nil {
		return "", claims{}, err
	}
	issued := s.now()
	c := claims{issuer: s.issuer, subject: info.Subject, issued: issued, expires: issued.Add(s.lifetime).Truncate(1e9)}
	if s.includeOwnership {
		c.ownership = info.Ownership
	}
	token, err := signUser(key, c)
	return token, c, err
}
