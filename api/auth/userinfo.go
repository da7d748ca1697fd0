package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/hashicorp/golang-lru/v2"
)

const (
	userInfoPath    = "/v1/userinfo"
	userInfoTimeout = 5 * time.Second
	// userInfoAge is how long an answer is believed, as in the reference.
	userInfoAge  = 5 * time.Second
	maxUserInfo  = 1 << 20
	keptUserInfo = 1000
)

// remoteUsers asks the plugin auth, where that lives elsewhere, what its users
// own.
type remoteUsers struct {
	peers  Peers
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	answers *lru.Cache[string, ownershipAnswer] // by token
}

type ownershipAnswer struct {
	owns []string
	at   time.Time
}

func newRemoteUsers(peers Peers, transport http.RoundTripper, now func() time.Time) *remoteUsers {
	r := &remoteUsers{peers: peers, now: now, client: &http.Client{
		Transport: transport, Timeout: userInfoTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	r.answers, _ = lru.New[string, ownershipAnswer](keptUserInfo) // fails for sizes below 1
	return r
}

// ForeignOwnership returns what the user of a request owns by the word of the
// backend that has signed them in. Ok is false for users whom this one has
// signed in, and for any other than the one who asks. The token of the user is
// sent to that backend, and nowhere else. The error is named
// ServiceUnavailableError where there is no answer that makes sense.
func (s *Authority) ForeignOwnership(ctx context.Context, user string) (owns []string, ok bool, err error) {
	who := PrincipalFrom(ctx)
	if !who.foreign || who.Subject != user || who.limited == "" {
		return nil, false, nil
	}
	owns, err = s.remoteUsers.ownership(ctx, who.limited, user)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, false, cause
	}
	if err != nil {
		s.log.ErrorContext(ctx, "the auth plugin did not say what a user owns", slog.String("entity_ref", user), slog.Any("error", err))
		return nil, false, errNoOwnership
	}
	return owns, true, nil
}

// errNoOwnership is what callers hear; the reason is in the log.
var errNoOwnership = catalog.NewError(catalog.NameUnavailable,
	"The auth plugin, which lives elsewhere, did not say what the user owns; see the log of the server")

func (r *remoteUsers) ownership(ctx context.Context, token, user string) ([]string, error) {
	r.mu.Lock()
	known, ok := r.answers.Get(token)
	r.mu.Unlock()
	if ok && r.now().Sub(known.at) < userInfoAge {
		return known.owns, nil
	}
	owns, err := r.ask(ctx, token, user)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.answers.Add(token, ownershipAnswer{owns, r.now()})
	r.mu.Unlock()
	return owns, nil
}

func (r *remoteUsers) ask(ctx context.Context, token, user string) ([]string, error) {
	base, err := r.peers.Base(ctx, authPlugin)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+userInfoPath, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return []string{user}, nil // it has no record
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxUserInfo+1))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Claims UserInfo `json:"claims"`
	}
	if len(body) > maxUserInfo {
		return nil, fmt.Errorf("it answers more than %d bytes", maxUserInfo)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("its answer is no user info: %w", err)
	}
	if answer.Claims.Subject != user {
		return nil, errors.New("its answer is about another user")
	}
	return answer.Claims.Ownership, nil
}
