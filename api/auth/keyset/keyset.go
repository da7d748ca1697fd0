package keyset

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// maxAge is how long a set is used without being fetched again, and
	// maxStale how long when that fails.
	maxAge   = 10 * time.Minute
	maxStale = time.Hour
	// cooldown is how long a set is left alone after it was asked for, but for
	// forcedReloads in each forcedWindow.
	cooldown      = 30 * time.Second
	forcedReloads = 10
	forcedWindow  = time.Minute
)

// MaxAge is how long a key may be believed in without asking for it again.
const MaxAge = maxAge

// ErrNoKey is returned where a set has no key for a token.
var ErrNoKey = errors.New("the key set has no key for the token")

// Options are what a Set needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// URL returns where the set is; it is asked before every fetch. Required.
	URL func(context.Context) (string, error)
	// Transport carries the requests; nil: one of its own, which uses the
	// proxy that the environment names.
	Transport http.RoundTripper
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// At returns the URL of a set that does not move.
func At(url string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return url, nil }
}

// A Set is a key set that somebody else publishes.
type Set struct {
	url    func(context.Context) (string, error)
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    []key
	fetched time.Time   // when keys came
	tried   time.Time   // when they were last asked for
	forced  []time.Time // requests before the cooldown had passed
	flight  chan struct{}
	err     error // of the last try, nil if it succeeded
}

// New returns a Set that has fetched nothing yet.
func New(o Options) *Set {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Set{url: o.URL, client: newClient(o.Transport), now: o.Now}
}

// Find returns the key of an id that may be used with an algorithm, such as
// "ES256"; without an id, the only one that may. It fetches the set where that
// can help. The error is ErrNoKey, or says why the set could not be read.
func (s *Set) Find(ctx context.Context, id, algorithm string) (crypto.PublicKey, error) {
	for asked := false; ; asked = true {
		s.mu.Lock()
		found, ok := match(s.keys, id, algorithm)
		age := s.now().Sub(s.fetched)
		if ok && age < maxAge {
			s.mu.Unlock()
			return found, nil
		}
		flight := s.flight
		if asked || flight == nil && !s.mayFetch() {
			err := s.err
			s.mu.Unlock()
			if ok && age < maxStale {
				return found, nil // rather an old key than none
			}
			if err == nil {
				err = ErrNoKey
			}
			return nil, err
		}
		if flight == nil {
			s.flight = make(chan struct{})
			s.mu.Unlock()
			s.fetch(ctx)
			continue
		}
		s.mu.Unlock()
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// mayFetch tells whether the set may be asked for now, and counts it.
func (s *Set) mayFetch() bool {
	now := s.now()
	if now.Sub(s.tried) >= cooldown {
		s.tried = now
		return true
	}
	recent := s.forced[:0]
	for _, t := range s.forced {
		if now.Sub(t) < forcedWindow {
			recent = append(recent, t)
		}
	}
	s.forced = recent
	if len(s.forced) >= forcedReloads {
		return false
	}
	s.forced = append(s.forced, now)
	s.tried = now
	return true
}

// fetch replaces the keys, for all who wait. It goes on when the request that
// began it is cancelled: others may need it too.
func (s *Set) fetch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	keys, err := s.read(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err == nil {
		s.keys, s.fetched = keys, s.now()
	}
	close(s.flight)
	s.flight = nil
}

func (s *Set) read(ctx context.Context) ([]key, error) {
	url, err := s.url(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the key set: %w", err)
	}
	body, err := get(ctx, s.client, url)
	if err != nil {
		return nil, fmt.Errorf("key set %s: %w", url, err)
	}
	keys, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("key set %s: %w", url, err)
	}
	return keys, nil
}
