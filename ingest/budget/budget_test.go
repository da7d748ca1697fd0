package budget_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/budget"
)

// A host answers requests by a function.
type host func(*http.Request) *http.Response

func (h host) RoundTrip(req *http.Request) (*http.Response, error) {
	res := h(req)
	if res == nil {
		return nil, errors.New("connection refused")
	}
	return res, nil
}

func answer(status int, headers ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("body"))}
	for i := 0; i < len(headers); i += 2 {
		res.Header.Set(headers[i], headers[i+1])
	}
	return res
}

func left(status, limit, remaining int, reset time.Time) *http.Response {
	return answer(status, "X-RateLimit-Limit", strconv.Itoa(limit), "X-RateLimit-Remaining", strconv.Itoa(remaining), "X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
}

func ask(ctx context.Context, t *budget.Transport) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/repos", nil)
	if err != nil {
		return 0, err
	}
	res, err := t.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, err = io.ReadAll(res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

func urgent() context.Context { return budget.Urgent(context.Background(), time.Time{}) }

func TestBudgetIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remaining, reset, asked := 15, time.Now().Add(time.Hour), 0
		b := budget.NewTransport(budget.Options{Host: "example.com", Next: host(func(*http.Request) *http.Response {
			asked++
			remaining--
			return left(200, 100, remaining, reset)
		})})
		var limit *budget.LimitError
		for range 5 {
			_, err := ask(context.Background(), b)
			require.NoError(t, err)
		}
		_, err := ask(context.Background(), b)
		require.ErrorAs(t, err, &limit, "a tenth is kept")
		require.True(t, limit.Reserved)
		require.Equal(t, reset.Unix(), limit.RetryAt().Unix())
		require.ErrorContains(t, err, "(rate limit exceeded)")
		for range 10 {
			_, err := ask(urgent(), b)
			require.NoError(t, err)
		}
		_, err = ask(urgent(), b)
		require.ErrorAs(t, err, &limit, "nothing is left")
		require.False(t, limit.Reserved)
		require.Equal(t, 15, asked, "what is sure to be refused is not sent")

		_, err = ask(budget.WithCredential(context.Background(), budget.Credential{Key: "other", Name: "other"}), b)
		require.NoError(t, err, "each credential has its own")
		time.Sleep(time.Hour)
		remaining, reset = 100, time.Now().Add(time.Hour)
		_, err = ask(context.Background(), b)
		require.NoError(t, err, "it is renewed")
	})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		why       string
		refusal   func() *http.Response
		status    int // of the first request, 0 for an error
		asked     int // by one request
		blocked   time.Duration
		resources bool // others are refused too
	}{
		{"a short Retry-After is waited for", func() *http.Response { return answer(429, "Retry-After", "5") }, 200, 2, 0, false},
		{"a long one is not", func() *http.Response { return answer(429, "Retry-After", "600") }, 429, 1, 10 * time.Minute, true},
		{"a date", func() *http.Response {
			return answer(429, "Retry-After", time.Now().Add(20*time.Minute).UTC().Format(http.TimeFormat))
		}, 429, 1, 20 * time.Minute, true},
		{"a used up budget", func() *http.Response { return left(403, 5000, 0, time.Now().Add(30*time.Minute)) }, 403, 1, 30 * time.Minute, false},
		{"a secondary limit with a time", func() *http.Response { return answer(403, "Retry-After", "120") }, 403, 1, 2 * time.Minute, true},
		{"a secondary limit without a time", func() *http.Response {
			res := answer(403)
			res.Body = io.NopCloser(strings.NewReader(`{"message":"You have exceeded a secondary rate limit."}`))
			return res
		}, 403, 1, time.Minute, true},
		{"a host that is not to be believed", func() *http.Response { return answer(429, "Retry-After", "999999999") }, 429, 1, 2 * time.Hour, true},
		{"a 403 for another reason", func() *http.Response { return answer(403) }, 403, 1, 0, false},
		{"a reset in seconds from now", func() *http.Response {
			return answer(429, "RateLimit-Limit", "10", "RateLimit-Remaining", "0", "RateLimit-Reset", "30")
		}, 200, 2, 0, false},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(*http.Request) *http.Response {
					if asked++; asked == 1 {
						return c.refusal()
					}
					return answer(200)
				})})
				status, err := ask(context.Background(), b)
				require.NoError(t, err)
				require.Equal(t, c.status, status)
				require.Equal(t, c.asked, asked)
				var limit *budget.LimitError
				_, err = ask(urgent(), b)
				if c.blocked == 0 {
					require.NoError(t, err)
					return
				}
				require.ErrorAs(t, err, &limit)
				require.WithinDuration(t, time.Now().Add(c.blocked), limit.Until, time.Second)
			})
		})
	}
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		why    string
		method string
		status []int // 0 is no answer at all
		want   int
		asked  int
		took   time.Duration // at most, and more than half of it
	}{
		{"a failure that passes", "GET", []int{503, 0, 200}, 200, 3, 2 * time.Second},
		{"one that does not", "GET", []int{500, 500, 500, 500}, 500, 4, 4400 * time.Millisecond},
		{"what is missing is not a failure", "GET", []int{404}, 404, 1, 0},
		{"what writes is not sent twice", "POST", []int{503}, 503, 1, 0},
		{"but what was turned away for its rate is", "POST", []int{429, 200}, 200, 2, time.Minute},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, start := 0, time.Now()
				b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(*http.Request) *http.Response {
					asked++
					if c.status[asked-1] == 0 {
						return nil
					}
					return answer(c.status[asked-1])
				})})
				req, err := http.NewRequest(c.method, "https://h/x", nil)
				require.NoError(t, err)
				res, err := b.RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.Equal(t, c.want, res.StatusCode)
				require.Equal(t, c.asked, asked)
				require.LessOrEqual(t, time.Since(start), c.took)
				require.GreaterOrEqual(t, time.Since(start), c.took/2)
			})
		})
	}
}

// A host that is down is not asked four times for every request.
func TestRetriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(*http.Request) *http.Response { asked++; return answer(503) })})
		for range 100 {
			_, err := ask(context.Background(), b)
			require.NoError(t, err)
		}
		require.Less(t, asked, 145, "100 requests, 20 retries, and one for five more")
		require.Greater(t, asked, 119)
	})
}

func TestRepeatableBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(req *http.Request) *http.Response {
			data, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			bodies = append(bodies, string(data))
			return answer(502 - len(bodies)*151) // 351, then 200
		}), RetryStatuses: []int{351}})
		req, err := http.NewRequestWithContext(budget.Repeatable(context.Background()), "POST", "https://h/graphql", strings.NewReader("query"))
		require.NoError(t, err)
		res, err := b.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, []string{"query", "query"}, bodies)
		require.NoError(t, res.Body.Close())
	})
}

func TestUrgentWorkGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		underWay, most, open := 0, 0, make(chan struct{})
		b := budget.NewTransport(budget.Options{Host: "h", Concurrency: 3, Next: host(func(req *http.Request) *http.Response {
			mu.Lock()
			underWay++
			most = max(most, underWay)
			order = append(order, req.URL.Fragment)
			mu.Unlock()
			<-open
			mu.Lock()
			underWay--
			mu.Unlock()
			return answer(200)
		})})
		var group sync.WaitGroup
		send := func(ctx context.Context, name string) {
			group.Go(func() {
				req, err := http.NewRequestWithContext(ctx, "GET", "https://h/x#"+name, nil)
				require.NoError(t, err)
				res, err := b.RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
			})
			synctest.Wait()
		}
		for i := range 4 {
			send(context.Background(), fmt.Sprint("crawl ", i))
		}
		require.Len(t, order, 2, "a place is kept")
		send(urgent(), "urgent 0")
		send(urgent(), "urgent 1")
		require.Equal(t, "urgent 0", order[2])
		cancelled, cancel := context.WithCancel(context.Background())
		gone := make(chan error)
		go func() {
			req, _ := http.NewRequestWithContext(cancelled, "GET", "https://h/x#gone", nil)
			_, err := b.RoundTrip(req)
			gone <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		open <- struct{}{}
		synctest.Wait()
		require.Equal(t, "urgent 1", order[3])
		close(open)
		group.Wait()
		require.Equal(t, 3, most)
		require.Len(t, order, 6)
	})
}

// A place is taken until the body was read.
func TestSlotIsHeldByTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.NewTransport(budget.Options{Host: "h", Concurrency: 1, Next: host(func(*http.Request) *http.Response { return answer(200) })})
		req, err := http.NewRequest("GET", "https://h/x", nil)
		require.NoError(t, err)
		res, err := b.RoundTrip(req)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(urgent(), time.Second)
		defer cancel()
		_, err = ask(ctx, b)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, res.Body.Close())
		require.NoError(t, res.Body.Close(), "twice is once")
		_, err = ask(urgent(), b)
		require.NoError(t, err)
	})
}

func TestDeadlineBeatsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(*http.Request) *http.Response { return answer(429, "Retry-After", "30") }), Retries: -1})
		_, err := ask(context.Background(), b)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, err = ask(ctx, b)
		var limit *budget.LimitError
		require.ErrorAs(t, err, &limit)
		require.Zero(t, time.Since(start), "a wait that must fail is not begun")
	})
}

// An answer that may pass is handed out where there is no time for another.
func TestDeadlineBeatsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(*http.Request) *http.Response { return answer(503, "Retry-After", "30") })})
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		status, err := ask(ctx, b)
		require.NoError(t, err)
		require.Equal(t, 503, status)
	})
}

func TestPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, asked := time.Now(), 0
		b := budget.NewTransport(budget.Options{Host: "h", PerMinute: 10, Next: host(func(*http.Request) *http.Response { asked++; return answer(200) })})
		for range 25 {
			_, err := ask(context.Background(), b)
			require.NoError(t, err)
		}
		require.Equal(t, 2*time.Minute, time.Since(start))
	})
}

func TestWarnsBeforeItRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		registry := prometheus.NewRegistry()
		start := time.Now()
		remaining, reset := 5000, start.Add(time.Hour)
		o := budget.Options{
			Host: "example.com", Log: slog.New(slog.NewTextHandler(&log, nil)), Metrics: budget.NewMetrics(registry),
			Next: host(func(*http.Request) *http.Response { remaining -= 5; return left(200, 5000, remaining, reset) }),
		}
		b := budget.NewTransport(o)
		budget.NewTransport(o) // another of the same host does not break the figures
		ctx := budget.WithCredential(context.Background(), budget.Credential{Key: "token", Name: "token"})
		for remaining > 3900 {
			_, err := ask(ctx, b)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		// 5 a second from 5000: used up after 1000 s, long before the hour.
		require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), "request budget will run out before it is renewed")
		require.Contains(t, log.String(), "host=example.com credential=token resource=core remaining=3995 limit=5000")
		states := b.States()
		require.Len(t, states, 1)
		require.WithinDuration(t, start.Add(1000*time.Second), states[0].RunsOut, 5*time.Second)
		require.NoError(t, testutil.CollectAndCompare(registry, strings.NewReader(`
			# HELP greenroom_forge_budget_remaining Requests that are left of the period.
			# TYPE greenroom_forge_budget_remaining gauge
			greenroom_forge_budget_remaining{credential="token",host="example.com",resource="core"} 3900
			# HELP greenroom_forge_requests_total Requests to Git hosts, by urgency and by the status of the answer.
			# TYPE greenroom_forge_requests_total counter
			greenroom_forge_requests_total{host="example.com",status="200",urgency="crawl"} 220
		`), "greenroom_forge_budget_remaining", "greenroom_forge_requests_total"))
		runsOut, err := testutil.GatherAndCount(registry, "greenroom_forge_budget_runs_out_timestamp_seconds")
		require.NoError(t, err)
		require.Equal(t, 1, runsOut)

		remaining = 505
		_, err = ask(ctx, b)
		require.NoError(t, err)
		require.Contains(t, log.String(), "request budget is low")
		require.Equal(t, 2, strings.Count(log.String(), "\n"))
		time.Sleep(time.Hour)
		remaining, reset = 5000, time.Now().Add(time.Hour)
		_, err = ask(ctx, b)
		require.NoError(t, err)
		require.True(t, b.States()[0].RunsOut.IsZero(), "a new period, a new forecast")
	})
}

// A steady pace that fits the period is no reason to warn.
func TestDoesNotWarnWithoutNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		remaining, reset := 5000, time.Now().Add(time.Hour)
		b := budget.NewTransport(budget.Options{
			Host: "h", Log: slog.New(slog.NewTextHandler(&log, nil)),
			Next: host(func(*http.Request) *http.Response { remaining--; return left(200, 5000, remaining, reset) }),
		})
		for time.Now().Before(reset) {
			_, err := ask(context.Background(), b)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.Empty(t, log.String())
		require.Less(t, remaining, 1500)
	})
}

// Tokens that users bring have no figures of their own, and are not kept for
// ever.
func TestManyCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.NewTransport(budget.Options{Host: "h", Next: host(func(*http.Request) *http.Response {
			return left(200, 100, 50, time.Now().Add(time.Hour))
		})})
		for i := range 3000 {
			_, err := ask(budget.WithCredential(context.Background(), budget.Credential{Key: fmt.Sprint(i)}), b)
			require.NoError(t, err)
		}
		require.Empty(t, b.States())
	})
}
