package provider_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 3), nil)
		schedule := hourly
		schedule.InitialDelay = 5 * time.Minute
		b := start(t, newCatalog(), newStore(), p, schedule, "a")
		defer b.stop()
		after(4 * time.Minute)
		require.Zero(t, p.count(), "the initial delay is waited for")
		after(2 * time.Minute)
		require.Equal(t, 1, p.count())
		require.Equal(t, 3, b.catalog.count(name))
		run := b.status().LastRun
		require.Equal(t, provider.ResultPublished, run.Result)
		require.Equal(t, 3, run.Added)
		require.Equal(t, 3, run.Entities)
		next := b.status().NextRun
		require.False(t, next.Before(run.Started.Add(time.Hour)), "the frequency counts from start to start")
		require.False(t, next.After(run.Started.Add(time.Hour+time.Minute)), "and jitter adds a little")
		after(time.Until(next) + time.Second)
		require.Equal(t, 2, p.count())
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.Equal(t, 3, p.count(), "an operator need not wait")
		require.ErrorIs(t, b.loop.Trigger("nobody"), provider.ErrUnknown)
	})
}

func TestManualScheduleWaitsForATrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(nil, errors.New("the host is down"))
		b := start(t, newCatalog(), newStore(), p, provider.Schedule{Manual: true, Timeout: time.Minute}, "a")
		defer b.stop()
		after(48 * time.Hour)
		require.Zero(t, p.count())
		require.NoError(t, b.loop.Trigger(name))
		after(48 * time.Hour)
		require.Equal(t, 1, p.count(), "not even a failure makes it run by itself")
		require.Zero(t, b.status().NextRun)
	})
}

func TestCronIsDueWhenItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time begins at midnight UTC, 1 January 2000
		p := &script{}
		p.says(listed(0, 1), nil)
		b := start(t, newCatalog(), newStore(), p, provider.Schedule{Cron: "*/30 * * * *", Timeout: time.Minute}, "a")
		defer b.stop()
		after(29 * time.Minute)
		require.Zero(t, p.count(), "it is not due yet")
		after(2 * time.Minute)
		require.Equal(t, 1, p.count())
		after(3 * time.Hour)
		require.Equal(t, 7, p.count())
	})
}

func TestFailureChangesNothingAndBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 50), nil)
		b := start(t, newCatalog(), newStore(), p, hourly, "a")
		defer b.stop()
		after(time.Minute)
		require.Equal(t, 50, b.catalog.count(name))
		good := b.status().LastSuccess
		p.says(listed(0, 1), errors.New("page 2 of 3 could not be read"))
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.Equal(t, 50, b.catalog.count(name), "half a listing is no listing")
		s := b.status()
		require.Equal(t, provider.ResultFailed, s.LastRun.Result)
		require.Equal(t, 50, s.LastRun.Entities)
		require.Equal(t, "page 2 of 3 could not be read", s.LastError.Message)
		require.Equal(t, good, s.LastSuccess)
		var waits []time.Duration
		for range 5 {
			polls := p.count()
			wait := time.Until(b.status().NextRun)
			waits = append(waits, wait)
			after(wait)
			require.Equal(t, polls+1, p.count())
		}
		for i, base := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
			require.InDelta(t, base.Seconds(), waits[i].Seconds(), base.Seconds()/4+1, "try %d", i)
		}
		require.Equal(t, 6, b.status().Failures)
		p.says(listed(0, 50), nil)
		after(time.Until(b.status().NextRun))
		require.Zero(t, b.status().Failures, "a good run ends the row")
		require.NotNil(t, b.status().LastError, "what went wrong last stays to be read")
	})
}

// laterError is an error as a host with a used-up budget causes it.
type laterError struct{ at time.Time }

func (e laterError) Error() string      { return "the budget is used up" }
func (e laterError) RetryAt() time.Time { return e.at }

func TestBackoffKeepsToWhatTheHostAllows(t *testing.T) {
	cases := []struct {
		name string
		wait time.Duration
		want func(t *testing.T, wait time.Duration)
	}{
		{"later than the backoff", 40 * time.Minute, func(t *testing.T, wait time.Duration) {
			require.Equal(t, 40*time.Minute, wait)
		}},
		{"later than the schedule", 3 * time.Hour, func(t *testing.T, wait time.Duration) {
			require.Equal(t, 3*time.Hour, wait)
		}},
		{"absurdly late", 1000 * time.Hour, func(t *testing.T, wait time.Duration) {
			require.Equal(t, 24*time.Hour, wait, "no host can switch a provider off for good")
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &script{}
				p.set(func(context.Context) (provider.Listing, error) {
					return provider.Listing{}, fmt.Errorf("list: %w", laterError{time.Now().Add(c.wait)})
				})
				b := start(t, newCatalog(), newStore(), p, hourly, "a")
				defer b.stop()
				after(10 * time.Second)
				s := b.status()
				c.want(t, s.NextRun.Sub(s.LastError.At))
			})
		})
	}
}

func TestTimeoutEndsARun(t *testing.T) {
	cases := []struct {
		name string
		poll func(ctx context.Context) (provider.Listing, error)
	}{
		{"the poll reports it", func(ctx context.Context) (provider.Listing, error) {
			<-ctx.Done()
			return provider.Listing{}, ctx.Err()
		}},
		{"the poll passes off what it has", func(ctx context.Context) (provider.Listing, error) {
			<-ctx.Done()
			return provider.Listing{Added: listed(0, 1)}, nil
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &script{}
				p.set(c.poll)
				b := start(t, newCatalog(), newStore(), p, hourly, "a")
				defer b.stop()
				after(5 * time.Minute)
				require.True(t, b.status().Running)
				after(6 * time.Minute)
				s := b.status()
				require.Equal(t, provider.ResultFailed, s.LastRun.Result)
				require.Contains(t, s.LastError.Message, provider.ErrTimeout.Error())
				require.Zero(t, b.catalog.applied())
			})
		})
	}
}

func TestUnchangedPublishesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 3), nil)
		b := start(t, newCatalog(), newStore(), p, hourly, "a")
		defer b.stop()
		after(time.Minute)
		p.set(func(context.Context) (provider.Listing, error) { return provider.Listing{Unchanged: true}, nil })
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.Equal(t, 1, b.catalog.applied())
		require.Equal(t, provider.ResultUnchanged, b.status().LastRun.Result)
		require.Equal(t, 3, b.status().LastRun.Entities)
	})
}

func TestDeltaListings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 100), nil)
		b := start(t, newCatalog(), newStore(), p, hourly, "a")
		defer b.stop()
		after(time.Minute)
		remove := func(n int) {
			var refs []string
			for i := range n {
				refs = append(refs, refOf(i))
			}
			p.set(func(context.Context) (provider.Listing, error) {
				return provider.Listing{Delta: true, Added: listed(100, 102), Removed: append(refs, "location:default/unknown")}, nil
			})
			require.NoError(t, b.loop.Trigger(name))
			synctest.Wait()
		}
		remove(10)
		require.Equal(t, 92, b.catalog.count(name))
		require.Equal(t, 10, b.status().LastRun.Removed, "what was not there is not counted")
		remove(60)
		require.Equal(t, provider.ResultHeld, b.status().LastRun.Result, "the guard looks at deltas as well")
		require.Equal(t, 92, b.catalog.count(name))
	})
}

func TestRestartKeepsThePlan(t *testing.T) {
	cases := []struct {
		name        string
		fingerprint string
		pause       time.Duration
		want        int
		why         string
	}{
		{"same options, not due", "a", time.Minute, 1, "a restart costs no budget"},
		{"same options, overdue", "a", 3 * time.Hour, 2, "what was missed is made up for"},
		{"other options", "b", time.Minute, 2, "a change of the configuration shows at once"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, store, entities := &script{}, newStore(), newCatalog()
				p.says(listed(0, 3), nil)
				b := start(t, entities, store, p, hourly, "a")
				after(time.Minute)
				b.stop()
				require.Equal(t, 1, p.count())
				time.Sleep(c.pause)
				b = start(t, entities, store, p, hourly, c.fingerprint)
				defer b.stop()
				after(time.Minute)
				require.Equal(t, c.want, p.count(), c.why)
				require.NotNil(t, b.status().LastRun)
			})
		})
	}
}

func TestAStopInTheMiddleIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store, entities := &script{}, newStore(), newCatalog()
		p.set(func(ctx context.Context) (provider.Listing, error) {
			<-ctx.Done()
			return provider.Listing{}, ctx.Err()
		})
		b := start(t, entities, store, p, hourly, "a")
		after(time.Minute)
		require.True(t, b.status().Running)
		b.stop()
		require.Empty(t, store.records, "the run counts for nothing")
		p.says(listed(0, 3), nil)
		b = start(t, entities, store, p, hourly, "a")
		defer b.stop()
		after(10 * time.Second)
		require.Equal(t, 3, entities.count(name))
	})
}

func TestProvidersThatAreGoneAreForgotten(t *testing.T) {
	store := newStore()
	store.records["github-provider:old"] = provider.Record{}
	store.held["github-provider:old"] = provider.Held{}
	_, err := provider.New(provider.Options{Catalog: newCatalog(), Store: store})
	require.NoError(t, err)
	require.Empty(t, store.records)
	require.Empty(t, store.held)
}

func TestEventsDuringAPollWin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 3), nil)
		b := start(t, newCatalog(), newStore(), p, hourly, "a")
		defer b.stop()
		after(time.Minute)
		answer := make(chan []engine.Deferred)
		p.set(func(context.Context) (provider.Listing, error) { return provider.Listing{Added: <-answer}, nil })
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.NoError(t, b.loop.Apply(t.Context(), name, provider.Change{Added: listed(7, 8), Removed: []string{refOf(1)}}))
		answer <- listed(0, 3) // as it was before the event
		synctest.Wait()
		fed, _ := b.catalog.Fed(t.Context(), name)
		want := []string{refOf(0), refOf(2), refOf(7)}
		slices.Sort(want)
		require.Equal(t, want, fed)
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		answer <- listed(0, 3)
		synctest.Wait()
		require.Equal(t, 3, b.catalog.count(name), "the next listing has the last word")
		require.ErrorIs(t, b.loop.Apply(t.Context(), "nobody", provider.Change{}), provider.ErrUnknown)
	})
}

func TestWhatCannotBeStoredIsAFailedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entities := newCatalog()
		entities.fail = errors.New("disk full")
		p := &script{}
		p.says(listed(0, 3), nil)
		b := start(t, entities, newStore(), p, hourly, "a")
		defer b.stop()
		after(time.Minute)
		require.Equal(t, provider.ResultFailed, b.status().LastRun.Result)
		require.Contains(t, b.status().LastError.Message, "disk full")
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 100), nil)
		b := start(t, newCatalog(), newStore(), p, hourly, "a")
		defer b.stop()
		after(time.Minute)
		p.says(listed(0, 10), nil)
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		for metric, want := range map[string]float64{
			"greenroom_catalog_provider_entities": 100, "greenroom_catalog_provider_held_removals": 90,
		} {
			families, err := b.registry.Gather()
			require.NoError(t, err)
			found := false
			for _, f := range families {
				if f.GetName() == metric {
					found = true
					require.Equal(t, want, f.GetMetric()[0].GetGauge().GetValue(), metric)
				}
			}
			require.True(t, found, metric)
		}
		n, err := testutil.GatherAndCount(b.registry, "backend_tasks_task_runs_count")
		require.NoError(t, err)
		require.Equal(t, 2, n, "started and completed")
	})
}

func TestScheduleValidate(t *testing.T) {
	cases := []struct {
		name string
		s    provider.Schedule
		want string
	}{
		{"duration", provider.Schedule{Every: time.Minute, Timeout: time.Minute}, ""},
		{"cron", provider.Schedule{Cron: "0 */3 * * *", Timeout: time.Minute}, ""},
		{"cron with seconds and Sunday as 7", provider.Schedule{Cron: "15 0 6 * * 7", Timeout: time.Minute}, ""},
		{"by hand", provider.Schedule{Manual: true, Timeout: time.Minute}, ""},
		{"no frequency", provider.Schedule{Timeout: time.Minute}, "needs a frequency"},
		{"two frequencies", provider.Schedule{Every: time.Minute, Manual: true, Timeout: time.Minute}, "one frequency"},
		{"too often", provider.Schedule{Every: time.Millisecond, Timeout: time.Minute}, "too short"},
		{"negative", provider.Schedule{Every: -time.Minute, Timeout: time.Minute}, "too short"},
		{"no cron", provider.Schedule{Cron: "every monday", Timeout: time.Minute}, "not a cron expression"},
		{"never due", provider.Schedule{Cron: "0 0 30 2 *", Timeout: time.Minute}, "not a cron expression"},
		{"no timeout", provider.Schedule{Every: time.Minute}, "needs a timeout"},
		{"negative delay", provider.Schedule{Every: time.Minute, Timeout: time.Minute, InitialDelay: -1}, "negative"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.s.Validate()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	poll := func(context.Context) (provider.Listing, error) { return provider.Listing{}, nil }
	opts := provider.Options{Catalog: newCatalog(), Store: newStore()}
	good := provider.Provider{Name: name, Schedule: hourly, Poll: poll}
	for why, providers := range map[string][]provider.Provider{
		"no name": {{Schedule: hourly, Poll: poll}}, "no poll": {{Name: name, Schedule: hourly}},
		"no schedule": {{Name: name, Poll: poll}}, "twice": {good, good},
	} {
		_, err := provider.New(opts, providers...)
		require.Error(t, err, why)
	}
	_, err := provider.New(provider.Options{})
	require.Error(t, err)
}

func testContext(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}
