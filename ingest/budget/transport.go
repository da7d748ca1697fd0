package budget

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options say how a host may be asked; the zero value of a field means what is
// said beside it.
type Options struct {
	// Host is the name of the host in figures, logs and errors. Required.
	Host string
	// Next sends the requests; nil: http.DefaultTransport.
	Next http.RoundTripper
	// Concurrency is how many requests are under way at once; 0: 10. Of these,
	// Kept are for urgent work alone; 0: a fifth, at least 1 if there are two.
	Concurrency, Kept int
	// Reserve is the share of each budget that is kept for urgent work; 0: 0.1,
	// negative: none.
	Reserve float64
	// PerMinute is how many requests are sent in a minute at most; 0: any.
	PerMinute int
	// Retries is how often a request that failed is sent again; 0: 3, negative:
	// never. RetryStatuses are which answers are failures; nil: 429, 500, 502,
	// 503 and 504.
	Retries       int
	RetryStatuses []int
	// Wait is how long crawling waits for its budget before it fails; 0: 65 s,
	// which is enough for a limit per minute. Urgent work waits a fifth of it.
	Wait time.Duration
	// Now and Sleep are the clock; nil: the real one.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	// Log gets a line before a budget runs out; nil: none.
	Log *slog.Logger
	// Metrics gets the figures; nil: none.
	Metrics *Metrics
}

// A Transport is an http.RoundTripper that keeps to the budgets of a host.
type Transport struct {
	o       Options
	tracker *tracker
	slots   *slots
	pace    *pace

	mu      sync.Mutex
	retries float64 // how many there may be; grows with the requests
}

// mostRetries is how many retries there may be in a row: when a host is down,
// they stop helping and start hurting.
const mostRetries = 20

// NewTransport completes the options.
func NewTransport(o Options) *Transport {
	if o.Next == nil {
		o.Next = http.DefaultTransport
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 10
	}
	if o.Kept <= 0 || o.Kept >= o.Concurrency {
		o.Kept = min(max(o.Concurrency/5, 1), o.Concurrency-1)
	}
	if o.Reserve == 0 {
		o.Reserve = 0.1
	}
	if o.Retries == 0 {
		o.Retries = 3
	}
	if o.RetryStatuses == nil {
		o.RetryStatuses = []int{429, 500, 502, 503, 504}
	}
	if o.Wait == 0 {
		o.Wait = 65 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Transport{o: o, retries: mostRetries, slots: &slots{total: o.Concurrency, kept: o.Kept}, pace: &pace{perMinute: o.PerMinute}}
	t.tracker = &tracker{host: o.Host, reserve: max(o.Reserve, 0), now: o.Now, log: o.Log, of: map[string]*account{}}
	o.Metrics.watch(t)
	return t
}

// sleep waits, or ends with ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// States returns the budgets of all credentials that have a name.
func (t *Transport) States() []State { return t.tracker.states() }

// RoundTrip sends a request as soon as its budget allows, and again after a
// failure that may pass: requests that only read, others whose context says so
// with Repeatable, and all that were refused for their rate.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	urgent := IsUrgent(ctx)
	t.earnRetry()
	for attempt := 0; ; attempt++ {
		res, err := t.once(req, urgent)
		if !t.again(req, res, err, attempt) {
			return res, err
		}
		pause, ok := t.pause(res, attempt, urgent)
		if !ok || t.tooLate(ctx, pause) || !t.spendRetry() {
			return res, err
		}
		if res != nil {
			discard(res.Body)
		}
		t.o.Metrics.retried(t.o.Host)
		if err := t.o.Sleep(ctx, pause); err != nil {
			return nil, err
		}
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// once sends a request when it is its turn.
func (t *Transport) once(req *http.Request, urgent bool) (*http.Response, error) {
	ctx := req.Context()
	credential, class := credentialOf(ctx), resource(req.URL.Path)
	if err := t.turn(ctx, credential, class, urgent); err != nil {
		return nil, err
	}
	res, err := t.o.Next.RoundTrip(req)
	t.o.Metrics.asked(t.o.Host, urgent, res, err)
	if err != nil {
		t.slots.release()
		return nil, err
	}
	t.tracker.learn(ctx, credential, class, readLimits(res, t.o.Now()))
	res.Body = &body{ReadCloser: res.Body, release: sync.OnceFunc(t.slots.release)}
	return res, nil
}

// turn waits for the budget and then for a slot. While a request waited for
// its slot, others may have used the budget up: then it waits again.
func (t *Transport) turn(ctx context.Context, c Credential, class string, urgent bool) error {
	wait := t.patience(urgent)
	if at, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(at)) // contexts keep to no clock but the real one
	}
	deadline := t.o.Now().Add(wait)
	for {
		if err := t.await(ctx, c, class, urgent, deadline); err != nil {
			return err
		}
		if err := t.slots.acquire(ctx, urgent); err != nil {
			return err
		}
		if t.tracker.take(c, class, urgent) == nil {
			return nil
		}
		t.slots.release()
	}
}

// await waits until the budget allows a request; where that is after the
// deadline, it fails at once.
func (t *Transport) await(ctx context.Context, c Credential, class string, urgent bool, deadline time.Time) error {
	for {
		limit, now := t.tracker.take(c, class, urgent), t.o.Now()
		until := now
		if limit != nil {
			until = limit.Until
		} else if until = t.pace.take(now); !until.After(now) {
			return nil
		}
		if until.After(deadline) {
			if limit == nil {
				limit = &LimitError{Host: t.o.Host, Credential: c.Name, Resource: class, Until: until}
			}
			return limit
		}
		t.o.Metrics.waited(t.o.Host, until.Sub(now))
		if err := t.o.Sleep(ctx, max(until.Sub(now), time.Millisecond)); err != nil {
			return err
		}
	}
}

// patience is how long a request waits for its budget.
func (t *Transport) patience(urgent bool) time.Duration {
	if urgent {
		return t.o.Wait / 5
	}
	return t.o.Wait
}

type repeatableKey struct{}

// Repeatable marks a request other than GET and HEAD that may be sent twice,
// such as a GraphQL query. Its GetBody must be set.
func Repeatable(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatableKey{}, true)
}

// again tells whether an attempt failed in a way that may pass.
func (t *Transport) again(req *http.Request, res *http.Response, err error, attempt int) bool {
	reads := req.Method == http.MethodGet || req.Method == http.MethodHead || req.Context().Value(repeatableKey{}) == true
	if res != nil && (res.StatusCode == http.StatusTooManyRequests || readRefusal(res)) {
		reads = true // it was turned away at the door: nothing was done
	}
	if attempt >= t.o.Retries || !reads || req.Context().Err() != nil || req.Body != nil && req.GetBody == nil {
		return false
	}
	var limit *LimitError
	if err != nil {
		return !errors.As(err, &limit)
	}
	return slices.Contains(t.o.RetryStatuses, res.StatusCode) || readRefusal(res)
}

// readRefusal tells whether a 403 is about the rate of requests.
func readRefusal(res *http.Response) bool {
	return res.StatusCode == http.StatusForbidden && (res.Header.Get("Retry-After") != "" || res.Header.Get("X-RateLimit-Remaining") == "0")
}

// pause is how long to wait before the next attempt: what the host says, or
// twice as long each time, from half a second, with jitter. It is false when
// the host wants more patience than there is.
func (t *Transport) pause(res *http.Response, attempt int, urgent bool) (time.Duration, bool) {
	backoff := time.Duration(float64(500*time.Millisecond<<attempt) * (0.75 + rand.Float64()/2))
	if res == nil {
		return backoff, true
	}
	now := t.o.Now()
	after, ok := retryAfter(res.Header.Get("Retry-After"), now)
	if !ok {
		if n := readLimits(res, now); n.limited {
			after, ok = n.blocked, true
		}
	}
	if !ok {
		return backoff, true
	}
	return max(after.Sub(now), 0), after.Sub(now) <= t.patience(urgent)
}

// tooLate tells whether ctx is over before a pause is.
func (t *Transport) tooLate(ctx context.Context, pause time.Duration) bool {
	at, ok := ctx.Deadline()
	return ok && time.Until(at) < pause
}

func (t *Transport) earnRetry() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retries = min(t.retries+0.2, mostRetries)
}

func (t *Transport) spendRetry() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.retries < 1 {
		return false
	}
	t.retries--
	return true
}

// rewind makes a request anew for another attempt.
func rewind(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	return again, nil
}

// discard closes a body, and reads what little is left so that the connection
// can be used again.
func discard(b io.ReadCloser) {
	io.CopyN(io.Discard, b, 64<<10)
	b.Close()
}

// A body gives its slot back when it is closed or at its end.
type body struct {
	io.ReadCloser
	release func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.release()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}
