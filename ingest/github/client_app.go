package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	gh "github.com/google/go-github/v60/github"

	"github.com/greenroom-idp/greenroom/ingest/integration"
)

const (
	// installationsFresh is for how long a list of installations is believed.
	installationsFresh = 10 * time.Minute
	// failureFresh is for how long it is believed that there is no list.
	failureFresh = 10 * time.Second
	// tokenMargin is how long before its end a token is no longer used.
	tokenMargin = 10 * time.Minute
	// appTimeout bounds a request about installations. It is longer than the
	// patience of one who waits for a budget.
	appTimeout = 30 * time.Second
	// jwtLifetime stays below the ten minutes that GitHub allows.
	jwtLifetime = 9 * time.Minute
	// clockSkew is how far the clock of the host may be behind ours.
	clockSkew            = time.Minute
	maxInstallationPages = 1000
)

// An appClient signs in as a GitHub App.
type appClient struct {
	app  integration.App
	base *url.URL
	now  func() time.Time
	http *http.Client // adds nothing to what it is given

	listing gate       // held while the installations are listed
	mu      sync.Mutex // guards what follows
	listed  time.Time
	of      map[string]installation // by lower-case account
	failed  time.Time               // when listing them last failed, with failure
	failure error
	tokens  map[int64]*installationToken
}

type installation struct {
	id        int64
	account   string
	suspended bool
}

// An installationToken is one that is made anew before it expires.
type installationToken struct {
	making  gate // held while it is made or read
	token   string
	expires time.Time
}

// A gate is a lock whose wait ends with a context.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }

func newAppClient(app integration.App, base *url.URL, next http.RoundTripper, now func() time.Time) *appClient {
	// Nothing redirects here, and the token of an app must not go elsewhere.
	client := &http.Client{Transport: next, CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirected }}
	return &appClient{app: app, base: base, now: now, http: client, listing: newGate(), tokens: map[int64]*installationToken{}}
}

var errRedirected = errors.New("the host redirects the sign-in of an app: apiBaseUrl must be where the API is")

// client is go-github with a token of the app itself.
func (a *appClient) client() (*gh.Client, error) {
	now := a.now()
	claims := jwt.RegisteredClaims{
		Issuer: strconv.FormatInt(a.app.ID, 10), IssuedAt: jwt.NewNumericDate(now.Add(-clockSkew)),
		ExpiresAt: jwt.NewNumericDate(now.Add(jwtLifetime - clockSkew)),
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(a.app.PrivateKey())
	if err != nil {
		return nil, fmt.Errorf("sign in as app %d: %w", a.app.ID, err)
	}
	c := restClient(a.http, a.base).WithAuthToken(signed)
	c.BaseURL = a.base
	return c, nil
}

// installations returns where the app is installed, from a recent list. While
// the host cannot give one, an older list is better than none.
func (a *appClient) installations(ctx context.Context) (map[string]installation, error) {
	if of, err, ok := a.recent(); ok {
		return of, err
	}
	if err := a.listing.enter(ctx); err != nil {
		return nil, err
	}
	defer a.listing.leave()
	if of, err, ok := a.recent(); ok { // somebody else has listed them meanwhile
		return of, err
	}
	begun := a.now()
	of, err := a.list(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.of, a.listed, a.failure = of, begun, nil
	case ctx.Err() != nil: // no fault of the host
		return nil, err
	default:
		a.failed, a.failure = a.now(), err
	}
	return a.latest()
}

// recent returns what a list would give, if one was tried not long ago.
func (a *appClient) recent() (of map[string]installation, err error, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	ok = a.of != nil && now.Sub(a.listed) < installationsFresh || a.failure != nil && now.Sub(a.failed) < failureFresh
	of, err = a.latest()
	return of, err, ok
}

// latest returns the last list, or why there is none; the caller holds the lock.
func (a *appClient) latest() (map[string]installation, error) {
	if a.of != nil {
		return a.of, nil
	}
	return nil, a.failure
}

// stale makes the next request list the installations again.
func (a *appClient) stale() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listed = time.Time{}
}

func (a *appClient) list(ctx context.Context) (map[string]installation, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, appTimeout, errTooSlow)
	defer cancel()
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	out := map[string]installation{}
	o := &gh.ListOptions{PerPage: 100}
	for range maxInstallationPages {
		list, res, err := client.Apps.ListInstallations(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("list the installations of app %d: %w", a.app.ID, appFailure(ctx, err))
		}
		for _, i := range list {
			if login := i.GetAccount().GetLogin(); login != "" && a.app.Allows(login) {
				out[strings.ToLower(login)] = installation{id: i.GetID(), account: login, suspended: i.SuspendedAt != nil}
			}
		}
		if res.NextPage == 0 {
			return out, nil
		}
		o.Page = res.NextPage
	}
	return nil, fmt.Errorf("list the installations of app %d: there are more than %d pages", a.app.ID, maxInstallationPages)
}

// token returns the token of an installation, which is good for a while.
func (a *appClient) token(ctx context.Context, id int64) (string, error) {
	a.mu.Lock()
	t := a.tokens[id]
	if t == nil {
		t = &installationToken{making: newGate()}
		a.tokens[id] = t
	}
	a.mu.Unlock()
	if err := t.making.enter(ctx); err != nil {
		return "", err
	}
	defer t.making.leave()
	if t.token != "" && a.now().Before(t.expires.Add(-tokenMargin)) {
		return t.token, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, appTimeout, errTooSlow)
	defer cancel()
	client, err := a.client()
	if err != nil {
		return "", err
	}
	made, _, err := client.Apps.CreateInstallationToken(ctx, id, nil)
	if err != nil {
		a.stale() // it may be gone
		return "", fmt.Errorf("make a token for installation %d of app %d: %w", id, a.app.ID, appFailure(ctx, err))
	}
	if made.GetToken() == "" {
		return "", fmt.Errorf("make a token for installation %d of app %d: the answer has none", id, a.app.ID)
	}
	t.token, t.expires = made.GetToken(), made.GetExpiresAt().Time
	return t.token, nil
}

// forget drops a token that the host has refused, unless there is another by
// now.
func (a *appClient) forget(ctx context.Context, id int64, token string) {
	a.mu.Lock()
	t := a.tokens[id]
	a.mu.Unlock()
	if t == nil || t.making.enter(ctx) != nil {
		return
	}
	defer t.making.leave()
	if t.token == token {
		t.token = ""
	}
}

// appFailure leaves out of an error of go-github what may be a secret.
func appFailure(ctx context.Context, err error) error {
	var failed *gh.ErrorResponse
	if errors.As(err, &failed) && failed.Response != nil {
		return fmt.Errorf("%d %s: %.200s", failed.Response.StatusCode, http.StatusText(failed.Response.StatusCode), failed.Message)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return err
}
