package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// A session is what the frontend learns of a sign-in.
type session struct {
	Profile  profile        `json:"profile"`
	Provider providerInfo   `json:"providerInfo"`
	Identity *auth.Identity `json:"backstageIdentity,omitempty"`
}

type profile struct {
	Email       string `json:"email,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	Picture     string `json:"picture,omitempty"`
}

type providerInfo struct {
	IDToken     string `json:"idToken,omitempty"`
	AccessToken string `json:"accessToken"`
	Scope       string `json:"scope"`
	ExpiresIn   int64  `json:"expiresInSeconds,omitempty"`
}

func profileOf(p Person) profile { return profile{p.Email, p.DisplayName, p.Picture} }

// session finds the User and makes the session. Its scope is still to be set.
func (s *Service) session(ctx context.Context, e *environment, g Grant) (*session, error) {
	out := &session{
		Profile:  profileOf(g.Person),
		Provider: providerInfo{IDToken: g.IDToken, AccessToken: g.AccessToken, ExpiresIn: g.ExpiresIn},
	}
	if len(e.Resolvers) == 0 {
		return out, nil
	}
	identity, err := s.identify(ctx, e.provider, e.Resolvers, g.Person)
	if err != nil {
		return nil, err
	}
	out.Identity = &identity
	return out, nil
}

// identify finds the User of a person, and signs it in.
func (s *Service) identify(ctx context.Context, provider string, resolvers []Resolver, p Person) (auth.Identity, error) {
	who, err := resolve(ctx, s.directory, resolvers, p)
	if err != nil {
		return auth.Identity{}, err
	}
	identity, err := s.issuer.SignIn(ctx, who)
	if err == nil {
		s.log.InfoContext(ctx, "signed in", slog.String("provider", provider), slog.String("entity_ref", who.Subject))
	}
	return identity, err
}

// Refresh answers GET and POST /<provider>/refresh: a new session on the
// strength of the cookies of an earlier one.
func (s *Service) Refresh(provider string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		c.Writer.Header().Set("Cache-Control", "no-store")
		e, err := s.environmentOf(provider, c.Request.URL.Query())
		if err != nil {
			return nil, err
		}
		if err := requestedByScript(c.Request); err != nil {
			return nil, err
		}
		out, err := s.refresh(c, e)
		if err != nil {
			if ctxErr := c.Request.Context().Err(); ctxErr != nil && errors.Is(err, ctxErr) {
				return nil, err
			}
			return nil, catalog.WrapError(wire.NameAuthentication, "Refresh failed", s.named(c.Request.Context(), e, err))
		}
		return out, nil
	}
}

func (s *Service) refresh(c *gin.Context, e *environment) (*session, error) {
	token := e.jar.get(c.Request, e.jar.refreshName())
	if token == "" {
		return nil, wire.InputError("Missing session cookie")
	}
	var granted []string
	if e.traits.Persists {
		granted = splitScope(e.jar.get(c.Request, e.jar.scopeName()))
	}
	scope := joinScopes(splitScope(c.Query("scope")), granted, e.traits.Required, e.Scopes)
	ctx := c.Request.Context()
	want := Scope{Wanted: scope, Granted: !e.traits.Persists || covers(granted, scope)}
	grant, err := s.renewals.do(ctx, e, token, want, func(ctx context.Context) (Grant, error) {
		return e.Connector.Refresh(ctx, token, want)
	})
	if err != nil {
		return nil, err
	}
	origin := c.GetHeader("Origin")
	if grant.RefreshToken != "" && !equal(grant.RefreshToken, token) {
		// The old one may be worth nothing by now, whatever comes next.
		if err := e.jar.set(c.Writer.Header(), c.Request, e.jar.refreshName(), grant.RefreshToken, origin); err != nil {
			return nil, err
		}
	}
	out, err := s.session(ctx, e, grant)
	if err != nil {
		return nil, err
	}
	grant.RefreshToken = ""
	return out, s.keep(c, e, grant, scope, origin, out)
}

// Logout answers POST /<provider>/logout: it ends the session in the browser,
// and at the provider where that can be done.
func (s *Service) Logout(provider string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		e, err := s.environmentOf(provider, c.Request.URL.Query())
		if err != nil {
			return nil, err
		}
		if err := requestedByScript(c.Request); err != nil {
			return nil, err
		}
		origin := c.GetHeader("Origin")
		if origin != "" {
			if _, err := s.allowed(origin); err != nil {
				return nil, wire.NotAllowed("Origin '" + excerpt(origin) + "' is not allowed")
			}
		}
		ctx := c.Request.Context()
		if revoker, can := e.Connector.(Revoker); can {
			if token := e.jar.get(c.Request, e.jar.refreshName()); token != "" {
				if err := revoker.Revoke(ctx, token); err != nil { // the browser is signed out all the same
					s.log.WarnContext(ctx, "a session could not be ended at the provider", slog.String("provider", e.provider), slog.String("error", err.Error()))
				}
			}
		}
		e.jar.drop(c.Writer.Header(), c.Request, e.jar.refreshName(), origin)
		e.jar.drop(c.Writer.Header(), c.Request, e.jar.scopeName(), origin)
		return wire.Status{Code: http.StatusOK}, nil
	}
}
