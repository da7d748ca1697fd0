package signin

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// The headers of oauth2-proxy.
const (
	headerUser     = "X-Forwarded-User"
	headerUsername = "X-Forwarded-Preferred-Username"
	headerEmail    = "X-Forwarded-Email"
	headerIDToken  = "X-Oauth2-Proxy-Id-Token"
)

// A Proxy is the one in front, which signs people in and says in headers who
// they are. Anybody can send headers, so that a request must prove that it comes
// from there: by every means that is configured, of which there must be one.
type Proxy struct {
	// Addresses are the networks that it calls from; nil: any.
	Addresses []netip.Prefix
	// SecretHeader is a header that it sets to Secret; "": it does not.
	SecretHeader, Secret string
	// Resolvers find the User. One is needed.
	Resolvers []Resolver
}

// minSecret is the least length of the secret of a proxy, in bytes.
const minSecret = 16

func (p *Proxy) validate() error {
	switch {
	case len(p.Addresses) == 0 && p.SecretHeader == "":
		return errors.New("oauth2Proxy says not which requests come from the proxy: set trustedProxies, sharedSecret, or both")
	case p.SecretHeader != "" && len(p.Secret) < minSecret:
		return errors.New("the shared secret of oauth2Proxy must have 16 or more characters")
	case len(p.Resolvers) == 0:
		return errors.New("oauth2Proxy has no sign-in resolver: set signIn.resolvers")
	}
	return nil
}

// trusts tells whether a request comes from the proxy. The address is that of
// the connection, whatever headers say about it.
func (p *Proxy) trusts(c *gin.Context) bool {
	if len(p.Addresses) > 0 {
		from, ok := peer(c)
		if !ok || !slices.ContainsFunc(p.Addresses, func(n netip.Prefix) bool { return n.Contains(from) }) {
			return false
		}
	}
	if p.SecretHeader == "" {
		return true
	}
	values := c.Request.Header.Values(p.SecretHeader)
	return len(values) == 1 && equal(values[0], p.Secret)
}

// maxHeader bounds a header that is read, in bytes.
const maxHeader = 32 << 10

// person reads the headers. One that is there twice may have been smuggled in
// beside that of the proxy.
func person(h http.Header) (p Person, idToken string, err error) {
	for name, into := range map[string]*string{headerUser: &p.Username, headerUsername: &p.PreferredUsername, headerEmail: &p.Email, headerIDToken: &idToken} {
		values := h.Values(name)
		if len(values) > 1 || len(values) == 1 && len(values[0]) > maxHeader {
			return Person{}, "", wire.Unauthenticated("Header " + name + " is there more than once, or too long")
		}
		if len(values) == 1 {
			*into = strings.ToValidUTF8(strings.TrimSpace(values[0]), "\ufffd")
		}
	}
	if p.Username == "" && p.PreferredUsername == "" && p.Email == "" {
		return Person{}, "", wire.Unauthenticated("The proxy says nothing about who signed in: it must send " + headerUser + ", " + headerUsername + " or " + headerEmail)
	}
	if p.DisplayName = p.PreferredUsername; p.DisplayName == "" {
		p.DisplayName = p.Username
	}
	scheme, token, _ := strings.Cut(idToken, " ")
	if !strings.EqualFold(scheme, "bearer") {
		token = ""
	}
	return p, strings.TrimSpace(token), nil
}

// ProxyRefresh answers GET and POST /oauth2Proxy/refresh.
func (s *Service) ProxyRefresh(c *gin.Context) (any, error) {
	c.Writer.Header().Set("Cache-Control", "no-store")
	ctx := c.Request.Context()
	if !s.proxy.trusts(c) {
		s.log.WarnContext(ctx, "sign-in by headers refused", slog.String("reason", "the request does not come from the proxy"), slog.String("peer", c.Request.RemoteAddr))
		return nil, wire.Unauthenticated("This request does not come from the proxy that signs people in")
	}
	p, token, err := person(c.Request.Header)
	if err != nil {
		return nil, err
	}
	identity, err := s.identify(ctx, OAuth2Proxy, s.proxy.Resolvers, p)
	if err != nil {
		return nil, err
	}
	return proxySession{profileOf(p), proxyInfo{token}, identity}, nil
}

type proxySession struct {
	Profile  profile       `json:"profile"`
	Provider proxyInfo     `json:"providerInfo"`
	Identity auth.Identity `json:"backstageIdentity"`
}

type proxyInfo struct {
	AccessToken string `json:"accessToken"`
}

// ProxyRedirect answers the routes of the redirect flow, which the proxy has
// done by itself.
func (s *Service) ProxyRedirect(*gin.Context) (any, error) { return nil, wire.NotImplemented() }
