package forgetest

import (
	"net/http"
	"sync"
	"time"
)

// A Count says how often an operation was asked for.
type Count struct {
	// Total counts all requests; Billable those that took from a budget, which
	// a conditional request answered with 304 does not.
	Total, Billable int
	// NotModified counts answers with 304, Failed those with 4xx and 5xx.
	NotModified, Failed int
}

type counts struct {
	mu sync.Mutex
	of map[string]Count
}

func (c *counts) add(route string, billable bool, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[route]
	n.Total++
	if billable {
		n.Billable++
	}
	switch {
	case status == http.StatusNotModified:
		n.NotModified++
	case status >= 400:
		n.Failed++
	}
	c.of[route] = n
}

// Requests returns the counts since the start or the last ResetRequests, by
// operation.
func (f *Forge) Requests() map[string]Count {
	f.counts.mu.Lock()
	defer f.counts.mu.Unlock()
	out := make(map[string]Count, len(f.counts.of))
	for route, n := range f.counts.of {
		out[route] = n
	}
	return out
}

// TotalRequests is the sum of Requests.
func (f *Forge) TotalRequests() Count {
	var sum Count
	for _, n := range f.Requests() {
		sum.Total += n.Total
		sum.Billable += n.Billable
		sum.NotModified += n.NotModified
		sum.Failed += n.Failed
	}
	return sum
}

// ResetRequests starts counting at zero.
func (f *Forge) ResetRequests() {
	f.counts.mu.Lock()
	defer f.counts.mu.Unlock()
	f.counts.of = map[string]Count{}
}

// budgets are what each token may still ask for, by resource.
type budgets struct {
	now    func() time.Time
	limit  int
	period time.Duration
	mu     sync.Mutex
	of     map[string]*budget
}

type budget struct {
	limit, used int
	reset       time.Time
}

// A budgetState is a budget at one moment.
type budgetState struct {
	Limit, Remaining, Used int
	Reset                  time.Time
	Resource               string
}

// get returns the budget of a token, renewed if its time is over; the caller
// holds the lock.
func (b *budgets) get(token, resource string) *budget {
	key := token + "\x00" + resource
	entry, now := b.of[key], b.now()
	if entry == nil {
		entry = &budget{limit: b.limit, reset: now.Add(b.period)}
		b.of[key] = entry
	}
	if !now.Before(entry.reset) {
		entry.used, entry.reset = 0, now.Add(b.period)
	}
	return entry
}

func (b *budgets) state(token, resource string) budgetState { return b.take(token, resource, false) }

// take uses one request up if it is billed, and returns what is left.
func (b *budgets) take(token, resource string, billed bool) budgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	entry := b.get(token, resource)
	if billed {
		entry.used++
	}
	return budgetState{Limit: entry.limit, Remaining: max(entry.limit-entry.used, 0), Used: entry.used, Reset: entry.reset, Resource: resource}
}

// SetBudget gives a token ("" for none) its limit and what is left of it for a
// resource: core, search or graphql at GitHub, core at GitLab.
func (f *Forge) SetBudget(token, resource string, limit, remaining int, reset time.Time) {
	f.budgets.mu.Lock()
	defer f.budgets.mu.Unlock()
	f.budgets.of[token+"\x00"+resource] = &budget{limit: limit, used: limit - remaining, reset: reset}
}

// Budget returns the limit of a token for a resource, and what is left of it.
func (f *Forge) Budget(token, resource string) (limit, remaining int) {
	s := f.budgets.state(token, resource)
	return s.Limit, s.Remaining
}
