package schedule_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/schedule"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func start(t *testing.T, s *schedule.Scheduler) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func TestCadence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		s, err := schedule.New(nil, registry)
		require.NoError(t, err)
		begin := time.Now()
		var runs []time.Duration
		require.NoError(t, s.Add(schedule.Task{Plugin: "p", ID: "t", Every: time.Hour, Delay: time.Minute, Run: func(context.Context) error {
			runs = append(runs, time.Since(begin))
			time.Sleep(10 * time.Minute)
			switch len(runs) {
			case 2:
				return errors.New("broken")
			case 3:
				panic("kaboom")
			}
			return nil
		}}))
		stop := start(t, s)
		time.Sleep(4 * time.Hour)
		stop()
		require.Equal(t, []time.Duration{time.Minute, 61 * time.Minute, 121 * time.Minute, 181 * time.Minute}, runs,
			"from start to start, whatever became of the run before")
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP backend_tasks_task_runs_count_total Runs of scheduled tasks, by how far they came.
# TYPE backend_tasks_task_runs_count_total counter
backend_tasks_task_runs_count_total{result="completed",scope="local",taskId="t"} 2
backend_tasks_task_runs_count_total{result="failed",scope="local",taskId="t"} 2
backend_tasks_task_runs_count_total{result="started",scope="local",taskId="t"} 4
`), "backend_tasks_task_runs_count_total"))
	})
}

func TestTimeoutAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := schedule.New(nil, nil)
		require.NoError(t, err)
		var took []time.Duration
		require.NoError(t, s.Add(schedule.Task{Plugin: "p", ID: "t", Every: time.Hour, Timeout: time.Minute, Run: func(ctx context.Context) error {
			begin := time.Now()
			<-ctx.Done()
			took = append(took, time.Since(begin))
			return ctx.Err()
		}}))
		stop := start(t, s)
		time.Sleep(time.Hour + time.Second)
		stop()
		require.Equal(t, []time.Duration{time.Minute, time.Second}, took, "the end of the program ends a run")
	})
}

func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := schedule.New(nil, nil)
		require.NoError(t, err)
		runs, release := 0, make(chan struct{})
		require.NoError(t, s.Add(schedule.Task{Plugin: "notifications", ID: "clean", Every: 26*time.Hour + 90*time.Second, Delay: time.Hour, Run: func(ctx context.Context) error {
			runs++
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}))
		web := apitest.New(t, func(o *api.Options, _ *auth.Options) { o.Portal.Tasks = s })
		at := "/api/notifications/.backstage/scheduler/v1/tasks"
		require.Equal(t, 401, web.Do("GET", at, "", apitest.Anonymous).Status)
		stop := start(t, s)
		defer stop()
		synctest.Wait()
		require.JSONEq(t, `{"tasks":[{"taskId":"clean","pluginId":"notifications","scope":"local",
			"settings":{"version":2,"cadence":"P1DT2H1M30S","initialDelayDuration":"PT1H","timeoutAfterDuration":"PT1H"},
			"taskState":{"status":"idle","startsAt":"2000-01-01T01:00:00.000Z"},"workerState":{"status":"initial-wait"}}]}`, web.Do("GET", at, "").Text())
		require.Equal(t, 409, web.Do("POST", at+"/clean/cancel", "").Status, "it is not running")

		res := web.Do("POST", at+"/clean/trigger", "", apitest.As(apitest.ServiceToken))
		require.Equal(t, 200, res.Status)
		require.Empty(t, res.Text())
		synctest.Wait()
		require.Equal(t, 1, runs)
		require.Contains(t, web.Do("GET", at, "").Text(), `"taskState":{"status":"running","startedAt":"2000-01-01T00:00:00.000Z","timesOutAt":"2000-01-01T01:00:00.000Z"}`)
		require.Equal(t, 409, web.Do("POST", at+"/clean/trigger", "").Status, "it is running")
		require.Equal(t, 200, web.Do("POST", at+"/clean/cancel", "").Status)
		synctest.Wait()
		text := web.Do("GET", at, "").Text()
		require.Contains(t, text, `"lastRunEndedAt":"2000-01-01T00:00:00.000Z"`)
		require.Contains(t, text, "lastRunError")
		for _, path := range []string{"/gone/trigger", "/gone/cancel"} {
			require.Equal(t, 404, web.Do("POST", at+path, "").Status)
		}
		require.Equal(t, 404, web.Do("GET", "/api/catalog/.backstage/scheduler/v1/tasks", "").Status, "a plugin without tasks has no such route")
	})
}

func TestTasksThatMakeNoSense(t *testing.T) {
	s, err := schedule.New(nil, nil)
	require.NoError(t, err)
	run := func(context.Context) error { return nil }
	for _, bad := range []schedule.Task{{}, {Plugin: "p", ID: "t", Run: run}, {Plugin: "p", ID: "t", Every: 1}, {Plugin: "p", Every: 1, Run: run}} {
		require.Error(t, s.Add(bad))
	}
	require.NoError(t, s.Add(schedule.Task{Plugin: "p", ID: "t", Every: 1, Run: run}))
	require.ErrorContains(t, s.Add(schedule.Task{Plugin: "p", ID: "t", Every: 1, Run: run}), "twice")
	require.Equal(t, []string{"p"}, s.Plugins())
}
