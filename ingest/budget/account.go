package budget

import (
	"math"
	"time"
)

// An account is the budget of one credential for one resource.
type account struct {
	credential Credential
	resource   string

	known            bool
	limit, remaining int
	reset            time.Time
	blocked          time.Time // nothing is sent before
	samples          []sample
	warned           warning
	used             time.Time // when it was last asked for
}

// A sample is how much was left at a time of the current period.
type sample struct {
	at        time.Time
	remaining int
}

// warning is what has been logged in the current period.
type warning int

const (
	nothing warning = iota
	runsOut
	reserved
	exhausted
)

const (
	maxSamples = 20
	// shortestRate is over what time at least a rate is measured: a burst is
	// no trend.
	shortestRate = 20 * time.Second
)

// update takes in what a response has announced. Answers may come in another
// order than the requests were counted in, so within a period the smallest
// remainder is the newest.
func (a *account) update(n announced, now time.Time) {
	if n.blocked.After(a.blocked) {
		a.blocked = n.blocked
	}
	if !n.known {
		return
	}
	period := n.reset.Sub(a.reset)
	switch {
	case a.known && period < -2*time.Second: // an answer from the period before
		return
	case !a.known || period > 2*time.Second: // hosts round to seconds
		a.samples, a.warned = nil, nothing
		a.known, a.limit, a.remaining, a.reset = true, n.limit, n.remaining, n.reset
	default:
		a.limit, a.remaining = n.limit, min(a.remaining, n.remaining)
	}
	a.sample(now)
}

// sample remembers what is left, in steps that make the samples span the
// period.
func (a *account) sample(now time.Time) {
	step := max(a.reset.Sub(now)/maxSamples, time.Second)
	last := len(a.samples) - 1
	if last < 0 || now.Sub(a.samples[last].at) >= step {
		if len(a.samples) == maxSamples {
			a.samples = a.samples[1:]
		}
		a.samples = append(a.samples, sample{at: now, remaining: a.remaining})
	}
}

// runsOutAt forecasts when nothing will be left, from how fast it went so far;
// false when that is not before the budget is renewed.
func (a *account) runsOutAt(now time.Time) (time.Time, bool) {
	if !a.known || len(a.samples) == 0 || !now.Before(a.reset) {
		return time.Time{}, false
	}
	first := a.samples[0]
	elapsed, spent := now.Sub(first.at), first.remaining-a.remaining
	if elapsed < shortestRate || spent <= 0 {
		return time.Time{}, false
	}
	left := float64(a.remaining) * float64(elapsed) / float64(spent)
	if left > float64(math.MaxInt64/2) {
		return time.Time{}, false
	}
	at := now.Add(time.Duration(left))
	return at, at.Before(a.reset)
}

// until returns before when a request must not be sent, and whether only since
// what is left is kept for urgent work. A zero time means that it may go.
func (a *account) until(now time.Time, urgent bool, reserve float64) (at time.Time, kept bool) {
	if now.Before(a.blocked) {
		return a.blocked, false
	}
	if !a.known || !now.Before(a.reset) {
		return time.Time{}, false
	}
	if a.remaining <= 0 {
		return a.reset, false
	}
	if !urgent && float64(a.remaining) <= reserve*float64(a.limit) {
		return a.reset, true
	}
	return time.Time{}, false
}

// level is what there is to warn of.
func (a *account) level(now time.Time, reserve float64) warning {
	if !a.known || !now.Before(a.reset) {
		return nothing
	}
	_, soon := a.runsOutAt(now)
	switch left := float64(a.remaining); {
	case left <= 0:
		return exhausted
	case left <= reserve*float64(a.limit):
		return reserved
	case soon && left < 0.8*float64(a.limit):
		return runsOut
	}
	return nothing
}
