package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options are what an Authority needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// BaseURL is the external URL of the backend, such as
	// "https://portal.example.com". Required.
	BaseURL string
	// Store keeps public keys and user records. Required.
	Store Store
	// Keys keeps the public keys of user tokens in another place; nil: Store.
	Keys KeyStore
	// KeyFiles sign user tokens instead of keys that are made and replaced by
	// themselves; nil: there are none.
	KeyFiles []KeyFile
	// Algorithm is that of user tokens, where there are no KeyFiles; "": ES256.
	Algorithm string
	// PluginKeys returns where the public keys of a plugin are kept, with which
	// it signs what it sends to other backends; nil: in memory.
	PluginKeys func(plugin string) KeyStore
	// PluginKeyFiles sign for all plugins instead; nil: there are none.
	PluginKeyFiles []KeyFile
	// Peers knows the plugins that live elsewhere; nil: there are none.
	Peers Peers
	// Transport carries requests for keys; nil: one of its own.
	Transport http.RoundTripper
	// Logger hears why tokens that come from elsewhere are refused; nil: nobody
	// does.
	Logger *slog.Logger
	// Directory knows what users own; nil: nobody is in the catalog.
	Directory Directory
	// TokenLifetime of user tokens; 0: one hour. It is brought into the range
	// from 10 minutes to 24 hours.
	TokenLifetime time.Duration
	// IncludeOwnership puts the refs that a user owns into the token; false:
	// they are only told by the session and by userinfo.
	IncludeOwnership bool
	// Guest is the guest provider; nil: there is none.
	Guest *Guest
	// External are the programs that may call; nil: none.
	External []ExternalAccess
	// Issued knows the service tokens that were issued while running; nil:
	// there are none.
	Issued Issued
	// DisableDefaultPolicy lets requests without a credential pass; false:
	// they are refused.
	DisableDefaultPolicy bool
	// CachedTokens bounds how many verified tokens are remembered; 0: 10,000.
	CachedTokens int
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Guest configures the sign-in without a password.
type Guest struct {
	// Allowed says that this is a development set-up, or that the operator
	// wants guests all the same; false: they are refused.
	Allowed bool
	// UserEntityRef is who the guest is; "": user:development/guest.
	UserEntityRef string
	// Ownership is what the guest owns where the catalog does not say; nil:
	// itself.
	Ownership []string
}

// A Directory knows the users of the catalog.
type Directory interface {
	// Ownership returns the entity refs that a user acts for, itself first. A
	// user who is not there is an error that is catalog.ErrNotFound.
	Ownership(ctx context.Context, userEntityRef string) ([]string, error)
}

// Issued knows service tokens that can be revoked. It is asked at every
// request, and must not be slow.
type Issued interface {
	// Match returns the service that a token stands for now, and whether it
	// stands for one.
	Match(token string) (Principal, bool)
}

// An Authority signs in, issues and verifies.
type Authority struct {
	issuer           string
	base             *url.URL
	store            Store
	directory        Directory
	lifetime         time.Duration
	includeOwnership bool
	guest            *Guest
	external         []external
	issued           Issued
	openPolicy       bool
	now              func() time.Time
	log              *slog.Logger
	keys             *keyring
	plugins          *pluginRings
	remote           *remoteKeys
	remoteUsers      *remoteUsers
	cache            *tokenCache
}

// New checks the options and reads the keys that are still published.
func New(ctx context.Context, o Options) (*Authority, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("base URL %q of the backend is not absolute", o.BaseURL)
	}
	s := &Authority{
		issuer: strings.TrimRight(o.BaseURL, "/") + "/api/auth", base: base, store: o.Store, directory: o.Directory,
		lifetime: lifetime(o.TokenLifetime), includeOwnership: o.IncludeOwnership, guest: o.Guest.withDefaults(),
		openPolicy: o.DisableDefaultPolicy, now: o.Now, issued: o.Issued, log: o.Logger,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if o.CachedTokens == 0 {
		o.CachedTokens = 10_000
	}
	s.cache = newTokenCache(o.CachedTokens)
	for i, a := range o.External {
		e, err := s.newExternal(a, o.Transport)
		if err != nil {
			return nil, fmt.Errorf("external access %d: %w", i, err)
		}
		s.external = append(s.external, e)
	}
	s.remote = newRemoteKeys(o.Peers, o.Transport, s.now)
	s.remoteUsers = newRemoteUsers(o.Peers, o.Transport, s.now)
	return s, s.openKeys(ctx, o)
}

// openKeys opens what user and plugin tokens are signed with.
func (s *Authority) openKeys(ctx context.Context, o Options) (err error) {
	if o.KeyFiles != nil {
		s.keys, err = openKeyFiles(o.KeyFiles, "sig", s.now)
	} else {
		if o.Keys == nil {
			o.Keys = o.Store
		}
		s.keys, err = openKeyring(ctx, o.Keys, o.Algorithm, s.lifetime, s.now)
	}
	if err != nil {
		return err
	}
	s.plugins = &pluginRings{store: o.PluginKeys, now: s.now, rings: map[string]*keyring{}}
	if o.PluginKeyFiles != nil {
		s.plugins.fixed, err = openKeyFiles(o.PluginKeyFiles, "", s.now)
	}
	return err
}

func lifetime(d time.Duration) time.Duration {
	if d == 0 {
		d = time.Hour
	}
	return min(max(d, 10*time.Minute), 24*time.Hour)
}

func (g *Guest) withDefaults() *Guest {
	if g == nil {
		return nil
	}
	out := *g
	if out.UserEntityRef == "" {
		out.UserEntityRef = "user:development/guest"
	}
	if out.Ownership == nil {
		out.Ownership = []string{out.UserEntityRef}
	}
	return &out
}
