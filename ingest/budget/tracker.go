package budget

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxAccounts bounds how many accounts are remembered: users bring tokens of
// their own.
const maxAccounts = 1000

// tracker holds the accounts of one host.
type tracker struct {
	host    string
	reserve float64
	now     func() time.Time
	log     *slog.Logger

	mu sync.Mutex
	of map[string]*account
}

// get returns an account; the caller holds the lock.
func (t *tracker) get(c Credential, resource string) *account {
	key := c.Key + "\x00" + resource
	a := t.of[key]
	if a == nil {
		t.forget()
		a = &account{credential: c, resource: resource}
		t.of[key] = a
	}
	a.used = t.now()
	return a
}

// forget drops the account that was not used for longest, if there are many.
func (t *tracker) forget() {
	if len(t.of) < maxAccounts {
		return
	}
	oldest := ""
	for key, a := range t.of {
		if oldest == "" || a.used.Before(t.of[oldest].used) {
			oldest = key
		}
	}
	delete(t.of, oldest)
}

// take returns nil if a request may be sent, or until when there is no budget.
func (t *tracker) take(c Credential, resource string, urgent bool) *LimitError {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, now := t.get(c, resource), t.now()
	at, kept := a.until(now, urgent, t.reserve)
	if !at.IsZero() {
		return &LimitError{Host: t.host, Credential: a.name(), Resource: resource, Until: at, Reserved: kept}
	}
	return nil
}

// learn takes in what a response has announced.
func (t *tracker) learn(ctx context.Context, c Credential, resource string, n announced) {
	t.mu.Lock()
	a, now := t.get(c, resource), t.now()
	a.update(n, now)
	if n.secondary { // the host wants to be left alone altogether
		for _, other := range t.of {
			if other.credential.Key == c.Key && n.blocked.After(other.blocked) {
				other.blocked = n.blocked
			}
		}
	}
	level, state := a.level(now, t.reserve), a.state(t.host, now)
	news := level > a.warned
	a.warned = max(a.warned, level)
	t.mu.Unlock()
	if n.limited {
		t.log.WarnContext(ctx, "host refuses requests for now", append(state.attributes(), slog.Bool("secondary", n.secondary), slog.Time("until", n.blocked))...)
	}
	if news {
		t.warn(ctx, level, state)
	}
}

func (t *tracker) warn(ctx context.Context, level warning, s State) {
	message := map[warning]string{
		runsOut:   "request budget will run out before it is renewed",
		reserved:  "request budget is low: crawling waits for its renewal, webhooks and users go on",
		exhausted: "request budget is used up",
	}[level]
	t.log.WarnContext(ctx, message, s.attributes()...)
}

func (a *account) name() string {
	if a.credential.Name == "" {
		return "other"
	}
	return a.credential.Name
}

// A State is what a host allows a credential at one moment.
type State struct {
	Host, Credential, Resource string
	// Limit and Remaining are per period; Reset is when the next begins.
	Limit, Remaining int
	Reset            time.Time
	// Blocked is until when the host wants no requests; zero if it does.
	Blocked time.Time
	// RunsOut is when nothing will be left at the present rate; zero if that
	// is not before Reset.
	RunsOut time.Time
}

func (a *account) state(host string, now time.Time) State {
	s := State{Host: host, Credential: a.name(), Resource: a.resource, Limit: a.limit, Remaining: a.remaining, Reset: a.reset}
	if now.Before(a.blocked) {
		s.Blocked = a.blocked
	}
	if !now.Before(a.reset) {
		s.Remaining = s.Limit
	}
	s.RunsOut, _ = a.runsOutAt(now)
	return s
}

func (s State) attributes() []any {
	out := []any{
		slog.String("host", s.Host), slog.String("credential", s.Credential), slog.String("resource", s.Resource),
		slog.Int("remaining", s.Remaining), slog.Int("limit", s.Limit), slog.Time("renewed_at", s.Reset),
	}
	if !s.RunsOut.IsZero() {
		out = append(out, slog.Time("runs_out_at", s.RunsOut))
	}
	return out
}

// states returns what is known of all credentials that have a name, sorted.
func (t *tracker) states() []State {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	var out []State
	for _, a := range t.of {
		if a.credential.Name != "" && (a.known || now.Before(a.blocked)) {
			out = append(out, a.state(t.host, now))
		}
	}
	slices.SortFunc(out, func(a, b State) int {
		return strings.Compare(a.Credential+"\x00"+a.Resource, b.Credential+"\x00"+b.Resource)
	})
	return out
}
