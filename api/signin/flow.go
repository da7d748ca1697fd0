package signin

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// maxForm bounds the body of a callback that comes as a form, in bytes.
const maxForm = 64 << 10

// Start answers GET /<provider>/start: it sends the browser to the provider.
func (s *Service) Start(provider string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		q := c.Request.URL.Query()
		e, err := s.environmentOf(provider, q)
		if err != nil {
			return nil, err
		}
		st := state{Env: e.name, Flow: q.Get("flow"), RedirectURL: q.Get("redirectUrl")}
		if q.Has("origin") {
			if st.Origin, err = s.allowed(q.Get("origin")); err != nil {
				return nil, err
			}
		}
		if err := s.checkRedirect(st); err != nil {
			return nil, err
		}
		var granted []string
		if e.traits.Persists {
			granted = splitScope(e.jar.get(c.Request, e.jar.scopeName()))
		}
		scope := joinScopes(splitScope(q.Get("scope")), granted, e.traits.Required, e.Scopes)
		if e.traits.Persists {
			st.Scope = scope
		}
		st.Nonce = base64.StdEncoding.EncodeToString(random(16))
		ctx := c.Request.Context()
		proof, err := s.flows.begin(ctx, e, st.Nonce)
		if err != nil {
			return nil, err
		}
		location, err := e.Connector.Location(ctx, Request{Scope: scope, State: st.encode(), Proof: proof})
		if err != nil {
			return nil, s.named(ctx, e, err)
		}
		h := c.Writer.Header()
		e.jar.setNonce(h, st.Nonce, st.Origin)
		h.Set("Location", location)
		return wire.Status{Code: http.StatusFound}, nil
	}
}

// checkRedirect sees to it that a page is only sent back to an app of ours.
func (s *Service) checkRedirect(st state) error {
	if !st.redirects() {
		return nil
	}
	if st.RedirectURL == "" {
		return wire.InputError("No redirectUrl provided in request query parameters")
	}
	_, err := s.allowed(st.RedirectURL)
	return err
}

// Callback answers GET and POST /<provider>/handler/frame: the browser comes
// back from the provider. The answer is a page or a redirect, whether the
// sign-in worked or not.
func (s *Service) Callback(provider string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		c.Writer.Header().Set("Cache-Control", "no-store")
		q, err := callbackParameters(c)
		if err != nil {
			return nil, err
		}
		e, err := s.environmentOf(provider, q)
		if err != nil {
			return nil, err
		}
		st, err := decodeState(q.Get("state"))
		if err != nil {
			return nil, err
		}
		if st.Env != e.name {
			return nil, wire.NotAllowed("OAuth state is for another environment")
		}
		if err := s.checkRedirect(st); err != nil {
			return nil, err
		}
		origin := s.appOrigin
		if st.Origin != "" {
			if origin, err = s.allowed(st.Origin); err != nil {
				return frame(c.Writer.Header(), s.appOrigin, failed(s.named(c.Request.Context(), e, err).Name, err.Error())), nil
			}
		}
		session, err := s.complete(c, e, st, q, origin)
		if err != nil {
			return s.refuse(c, e, st, origin, err)
		}
		return s.accept(c, st, origin, session)
	}
}

// callbackParameters are those of the URL, and of the form that some providers
// send.
func callbackParameters(c *gin.Context) (url.Values, error) {
	q := c.Request.URL.Query()
	if c.Request.Method != http.MethodPost || q.Has("state") {
		return q, nil
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm)
	if err := c.Request.ParseForm(); err != nil {
		return nil, wire.InputError("the form of the provider cannot be read, or is too long")
	}
	for key, values := range c.Request.PostForm {
		q[key] = append(q[key], values...)
	}
	return q, nil
}

// complete checks what came back, and turns it into a session.
func (s *Service) complete(c *gin.Context, e *environment, st state, q url.Values, origin string) (any, error) {
	ctx, h := c.Request.Context(), c.Writer.Header()
	nonce := read(c.Request, e.jar.nonceName())
	switch {
	case nonce == "":
		return nil, wire.NotAllowed("Auth response is missing cookie nonce")
	case !equal(nonce, st.Nonce):
		return nil, wire.NotAllowed("Invalid nonce")
	}
	e.jar.dropNonce(h, origin)
	proof, err := s.flows.end(ctx, e, nonce)
	if err != nil {
		return nil, err
	}
	if refused := q.Get("error"); refused != "" {
		message := "Authentication failed, the provider says " + excerpt(refused)
		if why := q.Get("error_description"); why != "" {
			message += ": " + excerpt(why)
		}
		return nil, wire.Unauthenticated(message)
	}
	if q.Get("code") == "" {
		return nil, wire.InputError("Auth response is missing the code of the provider")
	}
	if e.traits.Persists && st.Scope == "" {
		return nil, wire.Unauthenticated("No scope found in OAuth state")
	}
	grant, err := e.Connector.Exchange(context.WithValue(ctx, issuerKey{}, q.Get("iss")), q.Get("code"), proof)
	if err != nil {
		return nil, err
	}
	out, err := s.session(ctx, e, grant)
	if err != nil {
		return nil, err
	}
	return out, s.keep(c, e, grant, st.Scope, origin, out)
}

type issuerKey struct{}

// IssuerFrom returns the issuer that a callback names by RFC 9207, for
// Connector.Exchange; "" if it names none.
func IssuerFrom(ctx context.Context) string {
	iss, _ := ctx.Value(issuerKey{}).(string)
	return iss
}

// keep sets the cookies of a new session, and says which scopes it has.
func (s *Service) keep(c *gin.Context, e *environment, g Grant, scope, origin string, out *session) error {
	h := c.Writer.Header()
	out.Provider.Scope = joinScopes(splitScope(g.Scope))
	if e.traits.Persists {
		out.Provider.Scope = scope
		if err := e.jar.set(h, c.Request, e.jar.scopeName(), scope, origin); err != nil {
			return err
		}
	}
	if g.RefreshToken == "" {
		return nil
	}
	return e.jar.set(h, c.Request, e.jar.refreshName(), g.RefreshToken, origin)
}

// accept hands the session over, or lets the app ask for it by a refresh.
func (s *Service) accept(c *gin.Context, st state, origin string, session any) (any, error) {
	if st.redirects() {
		c.Writer.Header().Set("Location", st.RedirectURL)
		return wire.Status{Code: http.StatusFound}, nil
	}
	outcome, err := succeeded(session)
	if err != nil {
		return nil, err
	}
	return frame(c.Writer.Header(), origin, outcome), nil
}

// refuse tells the app why nobody was signed in.
func (s *Service) refuse(c *gin.Context, e *environment, st state, origin string, err error) (any, error) {
	ctx := c.Request.Context()
	why := s.named(ctx, e, err)
	s.log.InfoContext(ctx, "sign-in refused", slog.String("provider", e.provider), slog.String("environment", e.name), slog.String("reason", why.Message))
	if !st.redirects() {
		return frame(c.Writer.Header(), origin, failed(why.Name, why.Message)), nil
	}
	u, err := url.Parse(st.RedirectURL)
	if err != nil {
		return nil, wire.InputError("redirectUrl is no URL")
	}
	q := u.Query()
	q.Set("error", why.Message)
	u.RawQuery = q.Encode()
	c.Writer.Header().Set("Location", u.String())
	return wire.Status{Code: http.StatusFound}, nil
}
