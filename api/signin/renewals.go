package signin

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"sync"
	"time"
)

// grace is how long a grant is there for others with the same refresh token.
const grace = 10 * time.Second

// renewals hold what refresh tokens were turned into. A browser that opens all
// its tabs again asks as often with one token, which many providers take once,
// and take a second time for theft.
type renewals struct {
	now func() time.Time

	mu    sync.Mutex
	calls map[[sha256.Size]byte]*renewal
}

// A renewal is complete once done is closed.
type renewal struct {
	done  chan struct{}
	grant Grant
	err   error
	ended time.Time // zero: it goes on
}

// do calls refresh, or returns what another call for the same token has
// returned, or will. What has failed is tried again by the next.
func (r *renewals) do(ctx context.Context, e *environment, token string, s Scope, refresh func(context.Context) (Grant, error)) (Grant, error) {
	key := sha256.Sum256([]byte(e.provider + "\x00" + e.name + "\x00" + strconv.FormatBool(s.Granted) + s.Wanted + "\x00" + token))
	call, mine := r.join(key)
	if !mine {
		select {
		case <-call.done:
			return call.grant, call.err
		case <-ctx.Done():
			return Grant{}, context.Cause(ctx)
		}
	}
	call.err = errInterrupted // unless it returns
	defer r.finish(key, call)
	// The token is spent, even if whoever asked first does not wait.
	call.grant, call.err = refresh(context.WithoutCancel(ctx))
	return call.grant, call.err
}

var errInterrupted = errors.New("the refresh was interrupted")

func (r *renewals) finish(key [sha256.Size]byte, call *renewal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if call.ended = r.now(); call.err != nil {
		delete(r.calls, key)
	}
	close(call.done)
}

// join returns the call for a key, and whether it is the caller's to make.
func (r *renewals) join(key [sha256.Size]byte) (call *renewal, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for k, c := range r.calls {
		if !c.ended.IsZero() && now.Sub(c.ended) > grace {
			delete(r.calls, k)
		}
	}
	if call = r.calls[key]; call == nil {
		call, mine = &renewal{done: make(chan struct{})}, true
		r.calls[key] = call
	}
	return call, mine
}
