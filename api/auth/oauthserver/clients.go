package oauthserver

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A client is a program that acts for users.
type client struct {
	span
	Name      string   `json:"name"`
	Redirects []string `json:"redirects"`
	// Secret is a hash, "" for a client that has none.
	Secret string `json:"secret,omitempty"`
	// Used tells that a user has allowed it something.
	Used bool `json:"used,omitempty"`
}

// unusedClient and usedClient are how long clients are known that no user has
// allowed anything, and others after the last time.
const (
	unusedClient = 7 * 24 * time.Hour
	usedClient   = 400 * 24 * time.Hour
)

// Limits of what a client says of itself.
const (
	maxName      = 200
	maxRedirects = 20
)

func objectOf(v any) *jsonvalue.Object {
	if o, ok := v.(*jsonvalue.Object); ok {
		return o
	}
	return jsonvalue.NewObject()
}

// Register answers POST /v1/register.
func (s *Server) Register(c *gin.Context) (any, error) {
	return s.answering(func(c *gin.Context) (any, error) {
		body, ok, err := wire.ReadJSON(c.Request, maxBody)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, invalidRequest("the body must be JSON, with Content-Type application/json")
		}
		o := objectOf(body)
		redirects, err := s.redirectsOf(o)
		if err != nil {
			return nil, err
		}
		made := client{Name: cleanName(o.String("client_name")), Redirects: redirects}
		return s.register(c.Request.Context(), made, o.String("token_endpoint_auth_method"))
	})(c)
}

func (s *Server) redirectsOf(o *jsonvalue.Object) ([]string, error) {
	list, _ := o.Value("redirect_uris").([]any)
	if len(list) == 0 || len(list) > maxRedirects {
		return nil, &oauthError{400, "invalid_redirect_uri", "redirect_uris must be a list of 1 to 20 URIs"}
	}
	out := make([]string, len(list))
	for i, v := range list {
		text, _ := v.(string)
		u, ok := parseRedirect(text)
		if !ok || !anyMatches(s.registration, u) {
			return nil, &oauthError{400, "invalid_redirect_uri", "Invalid redirect_uri '" + excerpt(text) +
				"': the operator decides which there are, with auth.experimentalDynamicClientRegistration.allowedRedirectUriPatterns"}
		}
		out[i] = text
	}
	return out, nil
}

// excerpt is as much of a text as an error repeats.
func excerpt(text string) string { return strings.ToValidUTF8(text[:min(len(text), 200)], "") }

// cleanName makes a name that can be shown.
func cleanName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1 // what could turn the text around
		}
		return r
	}, name))
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	if name == "" {
		return "Unnamed client"
	}
	return name
}

func (s *Server) register(ctx context.Context, made client, method string) (any, error) {
	if !slices.Contains([]string{"", "none", "client_secret_basic", "client_secret_post"}, method) {
		return nil, &oauthError{400, "invalid_client_metadata", "token_endpoint_auth_method must be none, client_secret_basic or client_secret_post"}
	}
	if method == "" {
		method = "client_secret_basic"
	}
	now := s.o.Now()
	id, password := rand.Text(), ""
	made.span = span{now, now.Add(unusedClient)}
	if method != "none" {
		password = secret()
		made.Secret = hashOf(password)
	}
	err := s.o.Store.Update(ctx, func(tx Tx) error {
		// Those that somebody uses are not pushed out by those that nobody does.
		if err := makeRoom(tx, Clients, s.o.MaxClients, now, func(c client) bool { return !c.Used }); err != nil {
			return err
		}
		return put(tx, Clients, id, made)
	})
	if err != nil {
		return nil, err
	}
	answer := wire.Obj("client_id", id, "client_id_issued_at", float64(now.Unix()), "client_name", made.Name,
		"redirect_uris", wire.Strings(made.Redirects), "response_types", []any{"code"}, "grant_types", s.grantTypes(),
		"token_endpoint_auth_method", method)
	if password != "" {
		answer.Set("client_secret", password)
		answer.Set("client_secret_expires_at", 0.0)
	}
	return wire.Created(answer), nil
}

func (s *Server) grantTypes() []any {
	if s.o.Refresh != nil {
		return []any{"authorization_code", "refresh_token"}
	}
	return []any{"authorization_code"}
}

// resolve returns a client that may be sent to a place.
func (s *Server) resolve(ctx context.Context, id, redirect string) (client, *url.URL, error) {
	u, ok := parseRedirect(redirect)
	if !ok {
		return client{}, nil, invalidRequest("Invalid redirect_uri '" + excerpt(redirect) + "'")
	}
	found, patterns, err := s.find(ctx, id)
	if err != nil {
		return client{}, nil, err
	}
	if !anyMatches(patterns, u) || !registeredFor(found.Redirects, redirect, u) {
		return client{}, nil, invalidRequest("Invalid redirect_uri '" + excerpt(redirect) + "': it is not one that this client is registered for")
	}
	return found, u, nil
}

// find returns a client, and the patterns of where it may be sent.
func (s *Server) find(ctx context.Context, id string) (client, []pattern, error) {
	if isDocument(id) {
		found, err := s.document(ctx, id)
		return found, s.documents, err
	}
	found, err := s.registered(ctx, id)
	return found, s.registration, err
}

func (s *Server) registered(ctx context.Context, id string) (found client, err error) {
	if s.o.Registration == nil || id == "" {
		return client{}, invalidRequest("Invalid client_id")
	}
	err = s.o.Store.View(ctx, func(tx Tx) error {
		var ok bool
		found, ok, err = get[client](tx, Clients, id, s.o.Now())
		if err == nil && !ok {
			err = invalidRequest("Invalid client_id: register again")
		}
		return err
	})
	return found, err
}

// authenticate finds out which client sends a request, and that it is the one.
func (s *Server) authenticate(r *http.Request, params url.Values) (id string, err error) {
	id, password := params.Get("client_id"), params.Get("client_secret")
	if user, pass, ok := r.BasicAuth(); ok {
		// Both are encoded as in a form, before they are as in Basic.
		if id, err = url.QueryUnescape(user); err == nil {
			password, err = url.QueryUnescape(pass)
		}
		if err != nil {
			return "", invalidClient("Invalid client credentials")
		}
	}
	if id == "" {
		return "", invalidClient("Client authentication required: say client_id")
	}
	if isDocument(id) {
		if s.o.Documents == nil {
			return "", invalidClient("Invalid client credentials")
		}
		return id, nil
	}
	known, err := s.registered(r.Context(), id)
	if err != nil {
		return "", invalidClient("Invalid client credentials")
	}
	if known.Secret != "" && !same(known.Secret, hashOf(password)) {
		return "", invalidClient("Invalid client credentials")
	}
	return id, nil
}
