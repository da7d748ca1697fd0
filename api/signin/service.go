package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// The providers that there can be, by the names they have in paths.
const (
	GitHub      = "github"
	GitLab      = "gitlab"
	OIDC        = "oidc"
	OAuth2Proxy = "oauth2Proxy"
)

// known are those and the guest, which package auth serves.
var known = [...]string{"guest", GitHub, GitLab, OIDC, OAuth2Proxy}

// Known returns the names of all providers that there can be.
func Known() []string { return slices.Clone(known[:]) }

// Options are what a Service needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// BaseURL is the external URL of the backend, and AppURL that of the
	// frontend; AppURL "": they are the same.
	BaseURL, AppURL string
	// ExtraOrigins are globs of further origins that may ask for sessions; a
	// star does not cross a slash. nil: none.
	ExtraOrigins []string
	// Issuer makes identities, and Directory finds the Users of the catalog.
	// Required.
	Issuer    Issuer
	Directory Directory
	// Flows keeps what providers with Provider.Keeps are told, sealed with a key
	// that is derived from Secret. Required for those.
	Flows  FlowStore
	Secret string
	// Providers by name; nil: none.
	Providers map[string]Provider
	// Proxy trusts a proxy in front; nil: there is none.
	Proxy *Proxy
	// Logger is told who has signed in; nil: nobody is.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// An Issuer makes the identity of somebody who has signed in, and remembers
// what they own.
type Issuer interface {
	SignIn(ctx context.Context, who auth.UserInfo) (auth.Identity, error)
}

// A Directory looks Users up in the catalog, whoever may read it.
type Directory interface {
	// User returns the User of a ref in canonical form, nil if there is none.
	User(ctx context.Context, ref string) (*jsonvalue.Object, error)
	// Users returns the Users that have a value at a path of keys, as the filters
	// of the catalog compare: whatever the case. It may leave out some of many.
	Users(ctx context.Context, path, value string) ([]*jsonvalue.Object, error)
}

// A Provider signs people in by OAuth.
type Provider struct {
	// Required are the scopes without which nobody can be signed in.
	Required []string
	// Persists says that the provider does not tell which scopes were granted,
	// so that a cookie does.
	Persists bool
	// Keeps says that proofs are random and kept in the store. They are derived
	// from the nonce of the start otherwise, with the secret of the environment.
	Keeps bool
	// Environments by name.
	Environments map[string]Environment
}

// An Environment is one configuration of a provider.
type Environment struct {
	Connector Connector
	// Secret keys the proofs of a provider that keeps none: that of the client.
	Secret string
	// CallbackURL is where the provider sends people back to, see CallbackURL.
	CallbackURL string
	// Scopes are asked for beside the required ones; nil: none.
	Scopes []string
	// SessionDuration is how long browsers keep a session; 0: a thousand days.
	SessionDuration time.Duration
	// Resolvers find the User; nil: the provider gives access to itself alone,
	// and nobody is signed in.
	Resolvers []Resolver
}

// CallbackURL is where a provider sends people back to, unless the
// configuration says otherwise.
func CallbackURL(baseURL, provider string) string {
	return strings.TrimRight(baseURL, "/") + "/api/auth/" + provider + "/handler/frame"
}

// A Service serves the routes of all providers. A nil Service has none.
type Service struct {
	appOrigin string
	origins   []string // in lower case
	issuer    Issuer
	directory Directory
	flows     *flows
	renewals  renewals
	providers map[string]map[string]*environment
	proxy     *Proxy
	log       *slog.Logger
	now       func() time.Time
}

// An environment is an Environment at work.
type environment struct {
	Environment
	provider, name string
	traits         Provider
	jar            jar
}

// New checks the options. The error joins all that is wrong.
func New(o Options) (*Service, error) {
	s := &Service{issuer: o.Issuer, directory: o.Directory, proxy: o.Proxy, log: o.Logger, now: o.Now, providers: map[string]map[string]*environment{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.renewals = renewals{now: s.now, calls: map[[sha256.Size]byte]*renewal{}}
	if o.AppURL == "" {
		o.AppURL = o.BaseURL
	}
	var err error
	if s.appOrigin, err = originOf(o.AppURL); err != nil {
		return nil, fmt.Errorf("app URL %q is not absolute", o.AppURL)
	}
	for _, pattern := range o.ExtraOrigins {
		pattern = strings.ToLower(pattern)
		if !doublestar.ValidatePattern(pattern) || strings.Contains(pattern, "**") {
			return nil, fmt.Errorf("origin %q is not a pattern", pattern)
		}
		s.origins = append(s.origins, pattern)
	}
	if s.flows, err = newFlows(o.Flows, o.Secret, s.now); err != nil {
		return nil, err
	}
	for name, p := range o.Providers {
		err = errors.Join(err, s.add(name, p))
	}
	if o.Proxy != nil {
		err = errors.Join(err, o.Proxy.validate())
	}
	return s, err
}

func (s *Service) add(name string, p Provider) error {
	if p.Keeps && !s.flows.usable() {
		return fmt.Errorf("%s needs a secret for its sessions: set auth.session.secret to a long random text", name)
	}
	environments := map[string]*environment{}
	for env, e := range p.Environments {
		callback, err := url.Parse(e.CallbackURL)
		if err != nil || callback.Host == "" || callback.Scheme != "http" && callback.Scheme != "https" {
			return fmt.Errorf("callback URL %q of %s is not an http or https URL", e.CallbackURL, name)
		}
		environments[env] = &environment{
			Environment: e, provider: name, name: env, traits: p, jar: newJar(name, callback, e.SessionDuration, s.now),
		}
	}
	s.providers[name] = environments
	return nil
}

// Providers returns the names of those that are configured and have routes,
// the one of the proxy left out.
func (s *Service) Providers() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.providers))
}

// HasProxy tells whether there is a proxy to trust.
func (s *Service) HasProxy() bool { return s != nil && s.proxy != nil }

// NotFound is the answer below the name of a provider where no route is.
func (s *Service) NotFound(name string) error {
	configured := s != nil && (s.providers[name] != nil || name == OAuth2Proxy && s.proxy != nil)
	if slices.Contains(known[1:], name) && !configured {
		return wire.NotFound("No auth provider registered for '" + name + "'")
	}
	return wire.NotFound("Unknown auth provider '" + name + "'")
}

// maxParameter bounds parameters of requests, in bytes.
const maxParameter = 4096

// environmentOf selects the environment by the parameter env, or by what the
// state says.
func (s *Service) environmentOf(provider string, q url.Values) (*environment, error) {
	for key, values := range q {
		limit := maxParameter
		if key == "state" {
			limit = maxState
		}
		if len(values) > 1 || len(values[0]) > limit {
			return nil, wire.InputError("parameter '" + excerpt(key) + "' is too long, or there more than once")
		}
	}
	name := q.Get("env")
	if text := q.Get("state"); name == "" && text != "" {
		st, err := decodeState(text)
		if err != nil {
			return nil, err
		}
		name = st.Env
	}
	if name == "" {
		return nil, wire.InputError("Must specify 'env' query to select environment")
	}
	if e := s.providers[provider][name]; e != nil {
		return e, nil
	}
	return nil, wire.NotFound("No configuration available for the '" + excerpt(name) + "' environment of this provider.")
}

// excerpt bounds what of a request is repeated in an error.
func excerpt(text string) string {
	const most = 100
	text = strings.ToValidUTF8(text, "?")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// originOf returns the origin of an absolute http or https URL.
func originOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("not an absolute URL")
	}
	host := strings.ToLower(u.Host)
	if p := u.Port(); p == "80" && u.Scheme == "http" || p == "443" && u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":"+p)
	}
	return u.Scheme + "://" + host, nil
}

// allowed returns the origin of a URL, if it may be told of sessions.
func (s *Service) allowed(text string) (string, error) {
	origin, err := originOf(text)
	if err != nil {
		return "", wire.InputError("App origin is invalid, failed to parse")
	}
	ok := origin == s.appOrigin || slices.ContainsFunc(s.origins, func(pattern string) bool {
		return doublestar.MatchUnvalidated(pattern, origin)
	})
	if !ok {
		return "", wire.NotAllowed("Origin '" + excerpt(origin) + "' is not allowed")
	}
	return origin, nil
}

// named returns err as people may read it; what they may not is logged.
func (s *Service) named(ctx context.Context, e *environment, err error) *catalog.Error {
	var known *catalog.Error
	isKnown := errors.As(err, &known)
	if isKnown && known.Error() == err.Error() {
		return known
	}
	s.log.ErrorContext(ctx, "sign-in failed", slog.String("provider", e.provider), slog.String("environment", e.name), slog.String("error", err.Error()))
	if isKnown {
		return known
	}
	return catalog.NewError(catalog.NameUnavailable, "The provider could not be asked who this is; the log of the server says why")
}

// requestedByScript refuses what another site could make a browser send.
func requestedByScript(r *http.Request) error {
	if r.Header.Get("X-Requested-With") != "XMLHttpRequest" {
		return wire.Unauthenticated("Invalid X-Requested-With header")
	}
	return nil
}

// peer returns the address that a request came from; ok is false if it is not
// one.
func peer(c *gin.Context) (netip.Addr, bool) {
	a, err := netip.ParseAddrPort(c.Request.RemoteAddr)
	return a.Addr().Unmap(), err == nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
