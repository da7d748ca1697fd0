package budget

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A LimitError is why a request was not sent: its budget is used up.
type LimitError struct {
	Host, Credential, Resource string
	// Until is when there is budget again.
	Until time.Time
	// Reserved is set when what is left is kept for urgent work.
	Reserved bool
}

func (e *LimitError) Error() string {
	what := "is used up"
	if e.Reserved {
		what = "is used up but for what is kept for webhooks and users"
	}
	return fmt.Sprintf("the rate limit of %s for %s requests with %s %s until %s (rate limit exceeded)",
		e.Host, e.Resource, e.Credential, what, e.Until.UTC().Format(time.RFC3339))
}

// RetryAt is when to try again.
func (e *LimitError) RetryAt() time.Time { return e.Until }

// resource tells from which of a host's budgets a request takes.
func resource(path string) string {
	switch {
	case strings.HasSuffix(path, "/graphql"):
		return "graphql"
	case strings.Contains(path, "/search/"):
		return "search"
	}
	return "core"
}

// announced is what a response says of the budget.
type announced struct {
	known            bool // limit, remaining and reset are set
	limit, remaining int
	reset            time.Time
	// limited: the request was refused, and others will be until blocked.
	limited   bool
	blocked   time.Time
	secondary bool // the refusal is for all resources
}

// secondaryPause is how long to wait after a refusal that names no time.
const secondaryPause = time.Minute

// longestBlock bounds what a host can make us wait.
const longestBlock = 2 * time.Hour

// readLimits reads the headers of a response, and for a refusal that names no
// budget the beginning of its body.
func readLimits(res *http.Response, now time.Time) announced {
	var a announced
	h := res.Header
	for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
		limit, errLimit := strconv.Atoi(h.Get(prefix + "Limit"))
		remaining, errRemaining := strconv.Atoi(h.Get(prefix + "Remaining"))
		reset, errReset := strconv.ParseInt(h.Get(prefix+"Reset"), 10, 64)
		if errLimit == nil && errRemaining == nil && errReset == nil && limit > 0 {
			a.known, a.limit, a.remaining, a.reset = true, limit, max(remaining, 0), resetTime(reset, now)
			break
		}
	}
	after, hasAfter := retryAfter(h.Get("Retry-After"), now)
	switch exhausted := a.known && a.remaining == 0; {
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusForbidden && (exhausted || hasAfter || saysSecondary(res)):
		a.limited = true
		a.secondary = !exhausted
		a.blocked = now.Add(secondaryPause)
		if hasAfter {
			a.blocked = after
		} else if exhausted {
			a.blocked = a.reset
		}
	case exhausted:
		a.blocked = a.reset
	}
	if latest := now.Add(longestBlock); a.blocked.After(latest) {
		a.blocked = latest
	}
	return a
}

// RetryAt returns until when a response that was refused for the rate of requests
// asks to be left alone; zero if it was not.
func RetryAt(res *http.Response, now time.Time) time.Time {
	if n := readLimits(res, now); n.limited {
		return n.blocked
	}
	return time.Time{}
}

// resetTime understands seconds since 1970 and, as RFC drafts have it, seconds
// from now.
func resetTime(n int64, now time.Time) time.Time {
	if n < 100_000_000 { // 1973
		return now.Add(time.Duration(max(n, 0)) * time.Second)
	}
	return time.Unix(n, 0)
}

// retryAfter understands both forms of the header.
func retryAfter(value string, now time.Time) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds >= 0 {
		return now.Add(time.Duration(seconds) * time.Second), true
	}
	if t, err := http.ParseTime(value); err == nil {
		return t, true
	}
	return time.Time{}, false
}

// saysSecondary looks into the body of a refusal, and leaves it as it was.
func saysSecondary(res *http.Response) bool {
	const enough = 8 << 10
	head, _ := io.ReadAll(io.LimitReader(res.Body, enough))
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
	return bytes.Contains(bytes.ToLower(head), []byte("secondary rate limit"))
}
