package github

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

type ownerKey struct{}
type tokenKey struct{}

// withOwner says whose a request is for; the credentials depend on it.
func withOwner(ctx context.Context, owner string) context.Context {
	return context.WithValue(ctx, ownerKey{}, owner)
}

// withToken makes requests use a token in place of the integration's.
func withToken(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return context.WithValue(ctx, tokenKey{}, token)
}

// A signer adds credentials to requests to the API and to nothing else.
type signer struct {
	host integration.Host
	base *url.URL
	next *budget.Transport
	apps []*appClient
}

func newSigner(h integration.Host, base *url.URL, next *budget.Transport, now func() time.Time) *signer {
	if now == nil {
		now = time.Now
	}
	s := &signer{host: h, base: base, next: next}
	for _, app := range h.Apps {
		named := &named{next: next, name: fmt.Sprintf("app %d", app.ID)}
		s.apps = append(s.apps, newAppClient(app, base, named, now))
	}
	return s
}

// named says with which credential requests are counted.
type named struct {
	next http.RoundTripper
	name string
}

func (n *named) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := budget.WithCredential(req.Context(), budget.Credential{Key: n.name, Name: n.name})
	return n.next.RoundTrip(req.WithContext(ctx))
}

// A credential is what a request is signed with.
type credential struct {
	budget.Credential
	token string
	// forget is called when the host refuses the token.
	forget func()
}

var anonymous = credential{Credential: budget.Credential{Key: "anonymous", Name: "anonymous"}}

// RoundTrip signs a request to the API. A token of an installation that the
// host no longer takes is replaced once.
func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	if !s.toAPI(req.URL) {
		return s.next.RoundTrip(req)
	}
	owner, _ := req.Context().Value(ownerKey{}).(string)
	for again := false; ; again = true {
		c, err := s.credential(req.Context(), owner)
		if err != nil {
			return nil, err
		}
		res, err := s.next.RoundTrip(c.sign(req))
		if err != nil || res.StatusCode != http.StatusUnauthorized || c.forget == nil || again || req.Body != nil && req.GetBody == nil {
			return res, err
		}
		c.forget()
		if err := errors.Join(res.Body.Close(), rewind(&req)); err != nil {
			return nil, err
		}
	}
}

// rewind makes the body of a request ready to be sent once more.
func rewind(req **http.Request) error {
	if (*req).GetBody == nil {
		return nil
	}
	body, err := (*req).GetBody()
	if err != nil {
		return err
	}
	again := (*req).Clone((*req).Context())
	again.Body = body
	*req = again
	return nil
}

// toAPI tells whether a URL is of the API: a redirect may lead anywhere.
func (s *signer) toAPI(u *url.URL) bool {
	if u.Scheme != s.base.Scheme || !strings.EqualFold(u.Host, s.base.Host) {
		return false
	}
	prefix := strings.TrimSuffix(strings.TrimSuffix(s.base.Path, "/"), "/v3") // GraphQL is beside it
	return strings.HasPrefix(u.Path, prefix+"/")
}

func (c credential) sign(req *http.Request) *http.Request {
	signed := req.Clone(budget.WithCredential(req.Context(), c.Credential))
	signed.Header.Del("Authorization")
	if c.token != "" {
		signed.Header.Set("Authorization", "Bearer "+c.token)
	}
	return signed
}

// credential returns what a request for an owner is signed with: the token that
// the caller brought, that of an app which is installed there, the
// integration's, that of an app which may read what is public, or nothing.
func (s *signer) credential(ctx context.Context, owner string) (credential, error) {
	if token, ok := ctx.Value(tokenKey{}).(string); ok {
		return credential{Credential: budget.Credential{Key: fmt.Sprintf("user %x", sha256.Sum256([]byte(token)))}, token: token}, nil
	}
	var public *appClient
	var any installation
	for _, a := range s.apps {
		if !a.app.Allows(owner) && !a.app.PublicAccess {
			continue
		}
		of, err := a.installations(ctx)
		if err != nil {
			return credential{}, err
		}
		if i, ok := of[strings.ToLower(owner)]; ok && !i.suspended && a.app.Allows(owner) {
			return a.credential(ctx, i)
		}
		if i, ok := first(of); ok && a.app.PublicAccess && public == nil {
			public, any = a, i
		}
	}
	switch {
	case !s.host.Token.IsZero():
		return credential{Credential: budget.Credential{Key: "token", Name: "token"}, token: s.host.Token.Value()}, nil
	case public != nil:
		return public.credential(ctx, any)
	}
	return anonymous, nil
}

// first returns the installation with the smallest id that gives tokens.
func first(of map[string]installation) (out installation, ok bool) {
	for _, i := range of {
		if !i.suspended && (!ok || i.id < out.id) {
			out, ok = i, true
		}
	}
	return out, ok
}

func (a *appClient) credential(ctx context.Context, i installation) (credential, error) {
	token, err := a.token(ctx, i.id)
	if err != nil {
		return credential{}, err
	}
	name := fmt.Sprintf("app %d %s", a.app.ID, i.account)
	return credential{
		Credential: budget.Credential{Key: name, Name: name}, token: token, forget: func() { a.forget(ctx, i.id, token) },
	}, nil
}

// signs tells whether requests for an owner would have credentials.
func (s *signer) signs(ctx context.Context, owner string) (bool, error) {
	c, err := s.credential(ctx, owner)
	return c.token != "", err
}

// accounts returns where an app is installed and not suspended, sorted.
func (s *signer) accounts(ctx context.Context, app int64) ([]string, error) {
	for _, a := range s.apps {
		if a.app.ID != app {
			continue
		}
		of, err := a.installations(ctx)
		if err != nil {
			return nil, err
		}
		var out []string
		for _, i := range of {
			if !i.suspended {
				out = append(out, i.account)
			}
		}
		slices.Sort(out)
		return out, nil
	}
	return nil, fmt.Errorf("there is no app %d in integrations.github for host %s", app, s.host.Host)
}
