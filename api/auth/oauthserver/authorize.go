package oauthserver

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// How long a user may take to answer, and a client to come for its token.
const (
	sessionLifetime = time.Hour
	codeLifetime    = 10 * time.Minute
)

// A session is a user being asked. What is asked for does not change.
type session struct {
	span
	ID         string `json:"id"`
	Client     string `json:"client"`
	ClientName string `json:"clientName"`
	Redirect   string `json:"redirect"`
	Scope      string `json:"scope,omitempty"`
	State      string `json:"state,omitempty"`
	Challenge  string `json:"challenge"`
}

// A code is what a user has allowed.
type code struct {
	session
	User string `json:"user"`
}

// Authorize answers GET /v1/authorize: it sends the browser to the page of the
// portal that asks the user. Who the client is and where it may be sent is
// checked first: what is wrong with that is told to the browser, and what is
// wrong with the rest to the client.
func (s *Server) Authorize(c *gin.Context) (any, error) { return s.answering(s.authorize)(c) }

func (s *Server) authorize(c *gin.Context) (any, error) {
	q, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, invalidRequest("the query cannot be read")
	}
	for key, values := range q {
		if len(values) > 1 && key != "resource" {
			return nil, invalidRequest("the parameter " + key + " is there twice")
		}
	}
	for _, key := range []string{"client_id", "redirect_uri", "response_type"} {
		if q.Get(key) == "" {
			return nil, invalidRequest("the parameter " + key + " is missing")
		}
	}
	ctx := c.Request.Context()
	known, back, err := s.resolve(ctx, q.Get("client_id"), q.Get("redirect_uri"))
	if err != nil {
		return nil, err
	}
	asked := session{ID: rand.Text(), Client: q.Get("client_id"), ClientName: known.Name, Redirect: q.Get("redirect_uri"),
		Scope: q.Get("scope"), State: q.Get("state"), Challenge: q.Get("code_challenge")}
	if fault := s.wrong(q, asked); fault != nil {
		return redirect(c, s.back(back, asked.State, "error", fault.code, "error_description", fault.reason))
	}
	now := s.o.Now()
	asked.span = span{now, now.Add(sessionLifetime)}
	err = s.o.Store.Update(ctx, func(tx Tx) error {
		if err := makeRoom(tx, Sessions, s.o.MaxSessions, now, func(session) bool { return true }); err != nil {
			return err
		}
		return put(tx, Sessions, hashOf(asked.ID), asked)
	})
	if err != nil {
		return nil, err
	}
	return redirect(c, s.o.AppURL+"/oauth2/authorize/"+asked.ID)
}

// maxParameter is the longest that a client may have us keep, in bytes.
const maxParameter = 4096

// wrong tells what is wrong with a request of a known client.
func (s *Server) wrong(q url.Values, asked session) *oauthError {
	fault := func(code, reason string) *oauthError { return &oauthError{400, code, reason} }
	switch {
	case q.Get("response_type") != "code":
		return fault("unsupported_response_type", "Only authorization code flow is supported")
	case asked.Challenge == "":
		return fault("invalid_request", "PKCE is required for all clients. Provide a code_challenge parameter.")
	case q.Get("code_challenge_method") != "S256":
		return fault("invalid_request", "Invalid code_challenge_method: it must be S256")
	case len(asked.Challenge) != 43 || strings.Trim(asked.Challenge, base64url) != "":
		return fault("invalid_request", "Invalid code_challenge: it must be a SHA-256 in base64url")
	case len(asked.State) > maxParameter || len(asked.Scope) > maxParameter:
		return fault("invalid_request", "state and scope must not be longer than 4096 bytes")
	}
	for _, scope := range strings.Fields(asked.Scope) {
		if scope != "openid" && scope != "offline_access" {
			return fault("invalid_scope", "The scopes are openid and offline_access")
		}
	}
	for _, resource := range q["resource"] {
		if !s.isResource(resource) {
			return fault("invalid_target", "There is no such resource here")
		}
	}
	return nil
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// isResource tells whether tokens may be asked for a resource: this backend, or
// something in it.
func (s *Server) isResource(text string) bool {
	base := s.base.String()
	return text == base || strings.HasPrefix(text, base+"/")
}

func redirect(c *gin.Context, to string) (any, error) {
	c.Writer.Header().Set("Location", to)
	return wire.Status{Code: http.StatusFound}, nil
}

// back adds an answer to where the client wants the browser back. The issuer is
// part of it, so that answers of several servers are not mixed up (RFC 9207).
func (s *Server) back(to *url.URL, state string, keysAndValues ...string) string {
	out := *to
	q := out.Query()
	for i := 0; i < len(keysAndValues); i += 2 {
		q.Set(keysAndValues[i], keysAndValues[i+1])
	}
	if state != "" {
		q.Set("state", state)
	}
	q.Set("iss", s.issuer)
	out.RawQuery = q.Encode()
	return out.String()
}

func noSession() error { return invalidRequest("Authorization session not found or expired") }

// Session answers GET /v1/sessions/:id: what the page of the portal shows.
func (s *Server) Session(c *gin.Context) (any, error) {
	return s.answering(func(c *gin.Context) (any, error) {
		id, _ := wire.Param(c, "id")
		var asked session
		err := s.o.Store.View(c.Request.Context(), func(tx Tx) (err error) {
			var ok bool
			if asked, ok, err = get[session](tx, Sessions, hashOf(id), s.o.Now()); err == nil && !ok {
				err = noSession()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		out := wire.Obj("id", asked.ID, "clientId", asked.Client, "clientName", asked.ClientName)
		if asked.Scope != "" {
			out.Set("scope", asked.Scope)
		}
		out.Set("redirectUri", asked.Redirect)
		return out, nil
	})(c)
}

// user returns who answers a question: a user, by a token of their own.
func (s *Server) user(r *http.Request) (string, error) {
	who, err := s.o.Issuer.Identify(r, "auth")
	if err != nil {
		return "", err
	}
	if who.Kind != auth.User {
		return "", &oauthError{403, "access_denied", "Authentication required"}
	}
	return who.Subject, nil
}

// Approve answers POST /v1/sessions/:id/approve of a user: it makes the code.
func (s *Server) Approve(c *gin.Context) (any, error) {
	return s.answering(func(c *gin.Context) (any, error) {
		user, err := s.user(c.Request)
		if err != nil {
			return nil, err
		}
		text := secret()
		asked, err := s.decide(c, func(tx Tx, asked session) error {
			now := s.o.Now()
			if err := s.note(tx, asked.Client, now); err != nil {
				return err
			}
			asked.span = span{now, now.Add(codeLifetime)}
			if err := makeRoom(tx, Codes, s.o.MaxSessions, now, func(code) bool { return true }); err != nil {
				return err
			}
			return put(tx, Codes, hashOf(text), code{asked, user})
		})
		if err != nil {
			return nil, err
		}
		s.audit(c.Request.Context(), "authorize", user, asked.Client)
		return s.sendBack(asked, "code", text)
	})(c)
}

// Reject answers POST /v1/sessions/:id/reject of a user.
func (s *Server) Reject(c *gin.Context) (any, error) {
	return s.answering(func(c *gin.Context) (any, error) {
		if _, err := s.user(c.Request); err != nil {
			return nil, err
		}
		asked, err := s.decide(c, func(Tx, session) error { return nil })
		if err != nil {
			return nil, err
		}
		return s.sendBack(asked, "error", "access_denied", "error_description", "User denied the request")
	})(c)
}

// decide ends a session, with what follows from it.
func (s *Server) decide(c *gin.Context, then func(Tx, session) error) (asked session, err error) {
	id, _ := wire.Param(c, "id")
	err = s.o.Store.Update(c.Request.Context(), func(tx Tx) (err error) {
		var ok bool
		if asked, ok, err = take[session](tx, Sessions, hashOf(id), s.o.Now()); err != nil {
			return err
		}
		if !ok {
			return noSession()
		}
		return then(tx, asked)
	})
	return asked, err
}

// note keeps a registered client that a user has allowed something.
func (s *Server) note(tx Tx, id string, now time.Time) error {
	known, ok, err := get[client](tx, Clients, id, now)
	if err != nil || !ok {
		return err
	}
	known.Used, known.Expires = true, now.Add(usedClient)
	return put(tx, Clients, id, known)
}

func (s *Server) sendBack(asked session, keysAndValues ...string) (any, error) {
	u, ok := parseRedirect(asked.Redirect)
	if !ok {
		return nil, noSession()
	}
	return wire.Obj("redirectUrl", s.back(u, asked.State, keysAndValues...)), nil
}

func (s *Server) audit(ctx context.Context, event, user, client string) {
	s.o.Log.LogAttrs(ctx, slog.LevelInfo, "audit", slog.String("plugin", "auth"), slog.String("event_id", "oauth"),
		slog.String("severity", "medium"), slog.String("action_type", event), slog.String("actor", user), slog.String("actor_kind", "user"),
		slog.String("client_id", client), slog.String("status", "succeeded"))
}
