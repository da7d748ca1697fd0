package ratelimit

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A Rule is a limit; the zero value of a field means what is said beside it.
type Rule struct {
	// Window is how long requests are counted; 0: one minute.
	Window time.Duration
	// Limit is how many are let through in it; 0: 5.
	Limit int
	// Allow are addresses that are never counted; nil: those of loopback.
	Allow []netip.Addr
	// SkipSuccessful and SkipFailed take requests with a status below 400, or
	// from 400 on, back out of the count when they are answered.
	SkipSuccessful, SkipFailed bool
}

// maxClients bounds how many clients are counted apart.
const maxClients = 100_000

// A Limiter counts by one rule.
type Limiter struct {
	rule Rule
	now  func() time.Time

	mu      sync.Mutex
	clients map[netip.Prefix]*count
	others  count     // of all clients beyond maxClients
	sweep   time.Time // when counts that ended are looked for again
}

type count struct {
	n    int
	ends time.Time
}

// New returns a Limiter. The clock may be nil: time.Now.
func New(rule Rule, now func() time.Time) *Limiter {
	if rule.Window <= 0 {
		rule.Window = time.Minute
	}
	if rule.Limit <= 0 {
		rule.Limit = 5
	}
	if rule.Allow == nil {
		rule.Allow = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	}
	if now == nil {
		now = time.Now
	}
	return &Limiter{rule: rule, now: now, clients: map[netip.Prefix]*count{}}
}

// A Verdict says how a client stands.
type Verdict struct {
	// Limited is false for clients that are not counted; then nothing else is
	// set.
	Limited          bool
	OK               bool
	Limit, Remaining int
	// Reset is when the window ends, and Wait how long that is from now.
	Reset time.Time
	Wait  time.Duration

	counted *count
}

// Take counts a request of a client.
func (l *Limiter) Take(client netip.Addr) Verdict {
	client = client.Unmap()
	if slices.Contains(l.rule.Allow, client) {
		return Verdict{}
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.find(household(client), now)
	if !now.Before(c.ends) {
		c.n, c.ends = 0, now.Add(l.rule.Window)
	}
	c.n++
	return Verdict{
		Limited: true, OK: c.n <= l.rule.Limit, Limit: l.rule.Limit, Remaining: max(0, l.rule.Limit-c.n),
		Reset: c.ends, Wait: c.ends.Sub(now), counted: c,
	}
}

// find returns the count of a client.
func (l *Limiter) find(client netip.Prefix, now time.Time) *count {
	if c := l.clients[client]; c != nil {
		return c
	}
	if !now.Before(l.sweep) {
		for key, c := range l.clients {
			if !now.Before(c.ends) {
				delete(l.clients, key)
			}
		}
		l.sweep = now.Add(l.rule.Window)
	}
	if len(l.clients) >= maxClients {
		return &l.others
	}
	c := &count{}
	l.clients[client] = c
	return c
}

// household returns what counts as one client.
func household(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 56
	}
	p, _ := a.WithZone("").Prefix(bits) // the zero address gives the zero prefix
	return p
}

// Answered tells how a request that was let through ended.
func (l *Limiter) Answered(v Verdict, status int) {
	if v.counted == nil || !l.rule.SkipSuccessful && !l.rule.SkipFailed {
		return
	}
	if failed := status >= 400; failed && !l.rule.SkipFailed || !failed && !l.rule.SkipSuccessful {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.counted.n > 0 && v.counted.ends.Equal(v.Reset) {
		v.counted.n--
	}
}
