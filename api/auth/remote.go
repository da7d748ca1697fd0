package auth

import (
	"context"
	"crypto"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth/keyset"
	"github.com/hashicorp/golang-lru/v2"
)

// Peers knows the plugins that live elsewhere. *discovery.Directory is one.
type Peers interface {
	// Elsewhere tells whether a plugin lives elsewhere, and Base where: the URL
	// below which its routes are, for calls between backends.
	Elsewhere(plugin string) bool
	Base(ctx context.Context, plugin string) (string, error)
}

const (
	pluginKeysPath = "/.backstage/auth/v1/jwks.json"
	userKeysPath   = "/.well-known/jwks.json"
	authPlugin     = "auth"
)

const (
	// keptSets bounds how many plugins have their keys kept, and newSets how
	// many in each newSetsWindow may be asked for the first time: whoever makes
	// up names must not make us ask for ever.
	keptSets      = 100
	newSets       = 60
	newSetsWindow = time.Minute
)

var (
	errNoPeer   = errors.New("the plugin lives nowhere else: discovery.endpoints does not name it")
	errTooMany  = errors.New("too many plugins that nobody knows have called")
	errNotOurs  = errors.New("the key is not ours, and discovery.endpoints says nowhere else that auth lives")
	errNoPlugin = errors.New("the subject is not the id of a plugin")
)

// remoteKeys finds the keys of plugins that live elsewhere.
type remoteKeys struct {
	peers     Peers // nil: there are none
	transport http.RoundTripper
	now       func() time.Time
	users     *keyset.Set // keys of user tokens; nil: they are ours

	mu      sync.Mutex
	known   *lru.Cache[string, *keyset.Set] // have answered
	unknown *lru.Cache[string, *keyset.Set] // have not
	window  time.Time
	started int // sets since then
}

func newRemoteKeys(peers Peers, transport http.RoundTripper, now func() time.Time) *remoteKeys {
	r := &remoteKeys{peers: peers, transport: transport, now: now}
	r.known, _ = lru.New[string, *keyset.Set](keptSets) // fails for sizes below 1
	r.unknown, _ = lru.New[string, *keyset.Set](keptSets)
	if peers != nil && peers.Elsewhere(authPlugin) {
		r.users = r.newSet(authPlugin, userKeysPath)
	}
	return r
}

func (r *remoteKeys) newSet(plugin, path string) *keyset.Set {
	return keyset.New(keyset.Options{
		URL: func(ctx context.Context) (string, error) {
			base, err := r.peers.Base(ctx, plugin)
			return base + path, err
		},
		Transport: r.transport, Now: r.now,
	})
}

func (r *remoteKeys) hasUsers() bool { return r.users != nil }

// user returns a key for user tokens that is not ours.
func (r *remoteKeys) user(ctx context.Context, keyID, algorithm string) (crypto.PublicKey, error) {
	if r.users == nil {
		return nil, errNotOurs
	}
	return r.users.Find(ctx, keyID, algorithm)
}

// plugin returns a key of a plugin that lives elsewhere.
func (r *remoteKeys) plugin(ctx context.Context, plugin, keyID, algorithm string) (crypto.PublicKey, error) {
	if r.peers == nil || !r.peers.Elsewhere(plugin) {
		return nil, errNoPeer
	}
	set, err := r.setOf(plugin)
	if err != nil {
		return nil, err
	}
	key, err := set.Find(ctx, keyID, algorithm)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unknown.Remove(plugin)
		r.known.Add(plugin, set)
	}
	return key, err
}

// setOf returns the set of a plugin. Those that never had a key that was
// asked for cannot displace the others.
func (r *remoteKeys) setOf(plugin string) (*keyset.Set, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if set, ok := r.known.Get(plugin); ok {
		return set, nil
	}
	if set, ok := r.unknown.Get(plugin); ok {
		return set, nil
	}
	if now := r.now(); now.Sub(r.window) >= newSetsWindow {
		r.window, r.started = now, 0
	}
	if r.started++; r.started > newSets {
		return nil, errTooMany
	}
	set := r.newSet(plugin, pluginKeysPath)
	r.unknown.Add(plugin, set)
	return set, nil
}
