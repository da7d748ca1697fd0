package forgetest

import (
	"context"
	"net/http"
	"slices"
	"sync"
)

// A Fault makes requests go wrong. Fields combine: one that holds may then
// answer with a status. A fault that only cuts off or holds lets the route
// answer.
type Fault struct {
	// Route is the name of the operation, as in Requests; "" means all.
	Route string
	// When picks requests; nil means all.
	When func(*http.Request) bool
	// Times is how many requests it affects; 0 means every one until removed.
	Times int
	// Every affects only each n-th of the requests picked; 0 and 1 mean all.
	Every int
	// Hold delays the answer until it is closed or the request ends.
	Hold <-chan struct{}
	// Status answers in place of the route, with Header and Body. Such an
	// answer is counted and billed, unless it is 429 or 403.
	Status int
	Header http.Header
	Body   string
	// CutAfter ends the connection after that many bytes of the body have been
	// sent; 0 means not at all, -1 means at once.
	CutAfter int
}

type activeFault struct {
	Fault
	seen, done int
}

type faults struct {
	mu     sync.Mutex
	active []*activeFault
	held   map[int]context.CancelFunc
	next   int
}

// Inject adds a fault and returns how to remove it. The first that fits a
// request is applied.
func (f *Forge) Inject(fault Fault) (remove func()) {
	a := &activeFault{Fault: fault}
	f.faults.mu.Lock()
	defer f.faults.mu.Unlock()
	f.faults.active = append(f.faults.active, a)
	return func() {
		f.faults.mu.Lock()
		defer f.faults.mu.Unlock()
		f.faults.active = slices.DeleteFunc(f.faults.active, func(other *activeFault) bool { return other == a })
	}
}

// clear removes all faults and lets held answers go.
func (fs *faults) clear() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.active = nil
	for _, cancel := range fs.held {
		cancel()
	}
}

// pick returns the fault that a request meets, if any.
func (fs *faults) pick(r *http.Request, route string) *activeFault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, a := range fs.active {
		if a.Route != "" && a.Route != route || a.Times > 0 && a.done >= a.Times || a.When != nil && !a.When(r) {
			continue
		}
		a.seen++
		if a.Every > 1 && a.seen%a.Every != 0 {
			continue
		}
		a.done++
		return a
	}
	return nil
}

// apply makes a request go wrong if a fault says so. It returns what the route
// is to write to, or true when the request is answered.
func (fs *faults) apply(w http.ResponseWriter, r *http.Request, t *route) (http.ResponseWriter, bool) {
	fault := fs.pick(r, t.name)
	if fault == nil {
		return w, false
	}
	if fault.Hold != nil {
		fs.hold(r, fault.Hold)
	}
	if fault.CutAfter != 0 {
		w = &cutWriter{ResponseWriter: w, left: max(fault.CutAfter, 0)}
	}
	if fault.Status == 0 {
		return w, false
	}
	for key, values := range fault.Header {
		w.Header()[http.CanonicalHeaderKey(key)] = values
	}
	limited := fault.Status == http.StatusTooManyRequests || fault.Status == http.StatusForbidden
	t.forge.counts.add(t.name, t.resource != "" && !limited, fault.Status)
	w.WriteHeader(fault.Status)
	w.Write([]byte(fault.Body))
	return w, true
}

func (fs *faults) hold(r *http.Request, until <-chan struct{}) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	fs.mu.Lock()
	if fs.held == nil {
		fs.held = map[int]context.CancelFunc{}
	}
	id := fs.next
	fs.next++
	fs.held[id] = cancel
	fs.mu.Unlock()
	select {
	case <-until:
	case <-ctx.Done():
	}
	fs.mu.Lock()
	delete(fs.held, id)
	fs.mu.Unlock()
}

// A cutWriter lets some bytes of a body pass and then ends the connection.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	c.Flush()
	panic(http.ErrAbortHandler) // the only way to end a connection amid an answer
}

func (c *cutWriter) Flush() {
	if flusher, ok := c.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}
