package oauthserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// An Issuer knows users and makes tokens for them; see auth.Authority.
type Issuer interface {
	Identify(r *http.Request, plugin string) (auth.Principal, error)
	IssueFor(ctx context.Context, userEntityRef string) (token string, expires time.Time, err error)
	// Present returns an error that is catalog.ErrNotFound for a user who has
	// gone.
	Present(ctx context.Context, userEntityRef string) error
}

// Registration lets clients register themselves.
type Registration struct {
	// Redirects are patterns of where they may be sent back to; nil: this
	// machine's ports, and the editor Cursor.
	Redirects []string
}

// Documents lets clients have the URL of a document as their id.
type Documents struct {
	// Clients are patterns of such ids; nil: those of some known editors and
	// assistants.
	Clients []string
	// Redirects are patterns of where they may be sent back to; nil: this
	// machine's ports.
	Redirects []string
	// HTTP reads documents; nil: one that reads public hosts alone.
	HTTP *http.Client
}

// Refresh gives clients that ask for offline_access a refresh token.
type Refresh struct {
	// Lifetime of a refresh token; 0: 30 days. MaxLifetime of what replaces it,
	// and what replaces that; 0: a year.
	Lifetime, MaxLifetime time.Duration
	// PerUser is how many a user may have; 0: 20.
	PerUser int
	// GoneUsers lets users refresh who are not in the catalog; false: not.
	GoneUsers bool
}

// Options are what a Server needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// BaseURL is the external URL of the backend, and AppURL of the portal.
	// Required.
	BaseURL, AppURL string
	// Issuer and Store. Required.
	Issuer Issuer
	Store  Store
	// Registration and Documents: one of them at least.
	Registration *Registration
	Documents    *Documents
	// Refresh; nil: there are no refresh tokens.
	Refresh *Refresh
	// Resources are the paths, from the root of BaseURL, that tokens are for.
	Resources []string
	// MaxSessions and MaxClients bound what is stored of those who are nobody
	// yet; 0: 10,000 and 2,000. The oldest goes first.
	MaxSessions, MaxClients int
	// Log takes audit lines; nil: they are lost.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Server answers for OAuth.
type Server struct {
	o                             Options
	base                          *url.URL
	issuer                        string
	registration, documents, docs []pattern // where to, and which documents
}

var loopback = []string{"http://localhost:*/*", "http://localhost/*", "http://127.0.0.1:*/*", "http://127.0.0.1/*", "http://[::1]:*/*", "http://[::1]/*"}

// New checks the options.
func New(o Options) (*Server, error) {
	base, err := url.Parse(strings.TrimRight(o.BaseURL, "/"))
	if err != nil || base.Host == "" || o.AppURL == "" || o.Issuer == nil || o.Store == nil || o.Registration == nil && o.Documents == nil {
		return nil, errors.New("an OAuth server needs the URLs of backend and portal, an issuer, a store, and a way for clients to be known")
	}
	s := &Server{o: o, base: base, issuer: base.String() + "/api/auth"}
	s.setDefaults()
	if r := o.Registration; r != nil {
		if s.registration, err = parsePatterns(orElse(r.Redirects, append([]string{"cursor://*", "https://www.cursor.com/*"}, loopback...))); err != nil {
			return nil, fmt.Errorf("redirect URIs of registered clients: %w", err)
		}
	}
	if d := o.Documents; d != nil {
		known := []string{"https://claude.ai/*", "https://vscode.dev/*", "https://chatgpt.com/oauth/codex/*/client.json", "https://cursor.com/oauth/mcp-client.json"}
		if s.docs, err = parsePatterns(orElse(d.Clients, known)); err != nil {
			return nil, fmt.Errorf("ids of clients with documents: %w", err)
		}
		if s.documents, err = parsePatterns(orElse(d.Redirects, loopback)); err != nil {
			return nil, fmt.Errorf("redirect URIs of clients with documents: %w", err)
		}
	}
	return s, nil
}

// Registers tells whether clients may register themselves.
func (s *Server) Registers() bool { return s.o.Registration != nil }

func orElse(list, absent []string) []string {
	if list == nil {
		return absent
	}
	return list
}

func (s *Server) setDefaults() {
	o := &s.o
	o.AppURL = strings.TrimRight(o.AppURL, "/")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxSessions == 0 {
		o.MaxSessions = 10_000
	}
	if o.MaxClients == 0 {
		o.MaxClients = 2_000
	}
	if o.Refresh != nil {
		r := *o.Refresh
		if r.Lifetime == 0 {
			r.Lifetime = 30 * 24 * time.Hour
		}
		if r.MaxLifetime == 0 {
			r.MaxLifetime = 365 * 24 * time.Hour
		}
		if r.PerUser == 0 {
			r.PerUser = 20
		}
		o.Refresh = &r
	}
}

// An oauthError is an error in the form of OAuth.
type oauthError struct {
	status       int
	code, reason string
}

func (e *oauthError) Error() string { return e.code + ", " + e.reason }

func invalidRequest(reason string) error { return &oauthError{400, "invalid_request", reason} }
func invalidGrant(reason string) error   { return &oauthError{400, "invalid_grant", reason} }
func invalidClient(reason string) error  { return &oauthError{401, "invalid_client", reason} }

// answering makes errors what clients of OAuth read.
func (s *Server) answering(h wire.Handler) wire.Handler {
	return func(c *gin.Context) (any, error) {
		c.Writer.Header().Set("Cache-Control", "no-store")
		answer, err := h(c)
		if err == nil {
			return answer, nil
		}
		var fault *oauthError
		if !errors.As(err, &fault) {
			if fault = translated(err); fault == nil {
				return nil, err
			}
		}
		s.o.Log.LogAttrs(c.Request.Context(), slog.LevelInfo, "OAuth request refused", slog.String("error", fault.code), slog.String("reason", fault.reason))
		return wire.Status{Code: fault.status, Body: wire.Obj("error", fault.code, "error_description", fault.reason)}, nil
	}
}

// translated returns what an error of ours is in OAuth, nil if nothing.
func translated(err error) *oauthError {
	var named *catalog.Error
	if !errors.As(err, &named) {
		return nil
	}
	switch named.Name {
	case catalog.NameInput, wire.NameSyntax:
		return &oauthError{400, "invalid_request", named.Message}
	case wire.NameAuthentication:
		return &oauthError{401, "invalid_client", named.Message}
	case catalog.NameNotAllowed:
		return &oauthError{403, "access_denied", named.Message}
	}
	return nil
}

// maxBody is the largest body, in bytes.
const maxBody = 64 << 10

// form reads the parameters of a body, be it a form or JSON.
func form(r *http.Request) (url.Values, error) {
	if wire.IsJSON(r) {
		body, _, err := wire.ReadJSON(r, maxBody)
		if err != nil {
			return nil, err
		}
		out := url.Values{}
		for key, v := range objectOf(body).All() {
			if text, ok := v.(string); ok {
				out.Set(key, text)
			}
		}
		return out, nil
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("the body is not a form, or too large")
	}
	for key, values := range r.PostForm {
		if len(values) > 1 {
			return nil, invalidRequest("the parameter " + key + " is there twice")
		}
	}
	return r.PostForm, nil
}
