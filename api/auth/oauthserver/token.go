package oauthserver

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A grant is what a chain of refresh tokens is for. Its end is that of the one
// that is good now.
type grant struct {
	span
	Client string    `json:"client"`
	User   string    `json:"user"`
	Token  string    `json:"token"` // hash of the secret of the one that is good
	Last   time.Time `json:"last"`  // when the chain ends
}

// Token answers POST /v1/token.
func (s *Server) Token(c *gin.Context) (any, error) {
	return s.answering(func(c *gin.Context) (any, error) {
		params, err := form(c.Request)
		if err != nil {
			return nil, err
		}
		who, err := s.authenticate(c.Request, params)
		if err != nil {
			return nil, err
		}
		switch params.Get("grant_type") {
		case "authorization_code":
			return s.exchange(c.Request.Context(), who, params)
		case "refresh_token":
			return s.refresh(c.Request.Context(), who, params)
		case "":
			return nil, invalidRequest("the parameter grant_type is missing")
		}
		return nil, &oauthError{400, "unsupported_grant_type", "The grant types are authorization_code and refresh_token"}
	})(c)
}

// exchange turns a code into a token. The code is gone, whatever comes of it.
func (s *Server) exchange(ctx context.Context, who string, params url.Values) (any, error) {
	text := params.Get("code")
	if text == "" || params.Get("redirect_uri") == "" {
		return nil, invalidRequest("Missing code or redirect_uri parameters for authorization_code grant")
	}
	var allowed code
	var there bool
	err := s.o.Store.Update(ctx, func(tx Tx) (err error) {
		allowed, there, err = take[code](tx, Codes, hashOf(text), s.o.Now())
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, invalidGrant("Invalid authorization code: it does not exist, has been used, or is too old")
	case allowed.Client != who:
		return nil, invalidGrant("Authorization code was not issued to this client")
	case allowed.Redirect != params.Get("redirect_uri"):
		return nil, invalidGrant("Redirect URI mismatch")
	case !same(hashOf(params.Get("code_verifier")), allowed.Challenge):
		return nil, invalidGrant("Invalid code verifier")
	}
	answer, err := s.issue(ctx, allowed.User)
	if err != nil {
		return nil, err
	}
	answer.Set("id_token", answer.Value("access_token"))
	scope := allowed.Scope
	if scope == "" {
		scope = "openid"
	}
	answer.Set("scope", scope)
	if s.o.Refresh != nil && slices.Contains(strings.Fields(scope), "offline_access") {
		token, err := s.begin(ctx, allowed)
		if err != nil {
			return nil, err
		}
		answer.Set("refresh_token", token)
	}
	s.audit(ctx, "token", allowed.User, who)
	return answer, nil
}

func (s *Server) issue(ctx context.Context, user string) (*jsonvalue.Object, error) {
	token, expires, err := s.o.Issuer.IssueFor(ctx, user)
	if err != nil {
		return nil, err
	}
	left := math.Round(expires.Sub(s.o.Now()).Seconds())
	return wire.Obj("access_token", token, "token_type", "Bearer", "expires_in", left), nil
}

// begin makes the first refresh token of a chain.
func (s *Server) begin(ctx context.Context, allowed code) (token string, err error) {
	now, id, password := s.o.Now(), rand.Text(), secret()
	g := grant{span: span{now, now.Add(s.o.Refresh.Lifetime)}, Client: allowed.Client, User: allowed.User,
		Token: hashOf(password), Last: now.Add(s.o.Refresh.MaxLifetime)}
	err = s.o.Store.Update(ctx, func(tx Tx) error {
		if err := makeRoom(tx, Grants, s.o.Refresh.PerUser, now, func(g grant) bool { return g.User == allowed.User }); err != nil {
			return err
		}
		return put(tx, Grants, id, g)
	})
	return id + "." + password, err
}

var errRefresh error = &oauthError{400, "invalid_grant", "Invalid refresh token"}

// refresh replaces a refresh token, and makes a new token of the user. One that
// has been replaced before ends the chain: somebody else has it, too.
func (s *Server) refresh(ctx context.Context, who string, params url.Values) (any, error) {
	if s.o.Refresh == nil {
		return nil, &oauthError{400, "unsupported_grant_type", "Refresh tokens are not enabled"}
	}
	id, password, _ := strings.Cut(params.Get("refresh_token"), ".")
	good, err := s.chain(ctx, id, who, password, "")
	if err != nil {
		return nil, err
	}
	if !s.o.Refresh.GoneUsers {
		if err := s.o.Issuer.Present(ctx, good.User); errors.Is(err, catalog.ErrNotFound) {
			return nil, errors.Join(errRefresh, s.end(ctx, id))
		} else if err != nil {
			return nil, err
		}
	}
	answer, err := s.issue(ctx, good.User)
	if err != nil {
		return nil, err
	}
	next := secret() // only now: a refresh that fails costs the client nothing
	if _, err := s.chain(ctx, id, who, password, next); err != nil {
		return nil, err
	}
	answer.Set("refresh_token", id+"."+next)
	s.audit(ctx, "refresh", good.User, who)
	return answer, nil
}

// chain returns what a refresh token is for, and replaces it unless next is "".
func (s *Server) chain(ctx context.Context, id, who, password, next string) (good grant, err error) {
	now := s.o.Now()
	err = s.o.Store.Update(ctx, func(tx Tx) error {
		g, ok, err := get[grant](tx, Grants, id, now)
		if err != nil || !ok || g.Client != who {
			return err
		}
		if !same(g.Token, hashOf(password)) {
			return tx.Delete(Grants, id)
		}
		good = g
		if next == "" {
			return nil
		}
		g.Token, g.Expires = hashOf(next), earlier(now.Add(s.o.Refresh.Lifetime), g.Last)
		return put(tx, Grants, id, g)
	})
	if err == nil && good.User == "" {
		err = errRefresh
	}
	return good, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (s *Server) end(ctx context.Context, id string) error {
	return s.o.Store.Update(ctx, func(tx Tx) error { return tx.Delete(Grants, id) })
}

// Revoke answers POST /v1/revoke: it ends the chain of a refresh token of the
// client. That there is none is no error, and tokens of users end by
// themselves.
func (s *Server) Revoke(c *gin.Context) (any, error) {
	return s.answering(func(c *gin.Context) (any, error) {
		params, err := form(c.Request)
		if err != nil {
			return nil, err
		}
		if params.Get("token") == "" {
			return nil, invalidRequest("the parameter token is missing")
		}
		who, err := s.authenticate(c.Request, params)
		if err != nil {
			return nil, err
		}
		id, password, _ := strings.Cut(params.Get("token"), ".")
		err = s.o.Store.Update(c.Request.Context(), func(tx Tx) error {
			g, ok, err := get[grant](tx, Grants, id, s.o.Now())
			if err != nil || !ok || g.Client != who || !same(g.Token, hashOf(password)) {
				return err
			}
			return tx.Delete(Grants, id)
		})
		return wire.OK(), err
	})(c)
}
