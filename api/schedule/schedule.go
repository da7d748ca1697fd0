package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/prometheus/client_golang/prometheus"
)

// A Task is something that is done again and again.
type Task struct {
	// Plugin and ID name it. Required.
	Plugin, ID string
	// Every is the time from the start of a run to the start of the next.
	// Required.
	Every time.Duration
	// Delay is the time from the start of the program to the first run.
	Delay time.Duration
	// Timeout ends the context of a run; 0: one hour.
	Timeout time.Duration
	// Run does it. Required.
	Run func(ctx context.Context) error
}

// A Scheduler runs tasks.
type Scheduler struct {
	log     *slog.Logger
	metrics taskMetrics
	tasks   []*worker
}

type taskMetrics struct {
	runs               *prometheus.CounterVec
	duration           *prometheus.HistogramVec
	started, completed *prometheus.GaugeVec
}

// New returns a Scheduler without tasks. Logger and registerer may be nil.
func New(log *slog.Logger, r prometheus.Registerer) (*Scheduler, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{log: log, metrics: taskMetrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "backend_tasks_task_runs_count_total", Help: "Runs of scheduled tasks, by how far they came.",
		}, []string{"taskId", "scope", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "backend_tasks_task_runs_duration_seconds", Help: "Time that runs of scheduled tasks took.",
			Buckets: []float64{.01, .1, 1, 10, 60, 600, 3600},
		}, []string{"taskId", "scope", "result"}),
		started: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "backend_tasks_task_runs_started_seconds", Help: "When the last run of a scheduled task started.",
		}, []string{"taskId", "scope"}),
		completed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "backend_tasks_task_runs_completed_seconds", Help: "When the last run of a scheduled task ended.",
		}, []string{"taskId", "scope", "result"}),
	}}
	if r != nil {
		for _, c := range []prometheus.Collector{s.metrics.runs, s.metrics.duration, s.metrics.started, s.metrics.completed} {
			if err := r.Register(c); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// Add adds a task, before Run and before the routes are built.
func (s *Scheduler) Add(t Task) error {
	if t.Plugin == "" || t.ID == "" || t.Every <= 0 || t.Run == nil {
		return fmt.Errorf("task %q of %q needs a plugin, an id, a time and something to do", t.ID, t.Plugin)
	}
	if s.find(t.Plugin, t.ID) != nil {
		return fmt.Errorf("task %q of %q is there twice", t.ID, t.Plugin)
	}
	if t.Timeout == 0 {
		t.Timeout = time.Hour
	}
	s.tasks = append(s.tasks, &worker{Task: t, log: s.log, metrics: &s.metrics, wake: make(chan struct{}, 1), state: "initial-wait"})
	return nil
}

// Plugins returns the plugins that have tasks.
func (s *Scheduler) Plugins() (out []string) {
	for _, t := range s.tasks {
		if !slices.Contains(out, t.Plugin) {
			out = append(out, t.Plugin)
		}
	}
	return out
}

// Run runs the tasks until ctx ends, and waits for those that are running.
func (s *Scheduler) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, t := range s.tasks {
		all.Go(func() { t.loop(ctx) })
	}
	all.Wait()
}

func (s *Scheduler) find(plugin, id string) *worker {
	for _, t := range s.tasks {
		if t.Plugin == plugin && t.ID == id {
			return t
		}
	}
	return nil
}

// List answers GET /.backstage/scheduler/v1/tasks of a plugin.
func (s *Scheduler) List(plugin string) wire.Handler {
	return func(*gin.Context) (any, error) {
		tasks := []any{}
		for _, t := range s.tasks {
			if t.Plugin == plugin {
				tasks = append(tasks, t.object())
			}
		}
		return wire.Obj("tasks", tasks), nil
	}
}

// Trigger answers POST /.backstage/scheduler/v1/tasks/:id/trigger of a plugin.
func (s *Scheduler) Trigger(plugin string) wire.Handler { return s.act(plugin, (*worker).trigger) }

// Cancel answers POST /.backstage/scheduler/v1/tasks/:id/cancel of a plugin.
func (s *Scheduler) Cancel(plugin string) wire.Handler { return s.act(plugin, (*worker).stop) }

func (s *Scheduler) act(plugin string, do func(*worker) error) wire.Handler {
	return func(c *gin.Context) (any, error) {
		id, ok := wire.Param(c, "id")
		if !ok {
			return nil, wire.MalformedPath()
		}
		t := s.find(plugin, id)
		if t == nil {
			return nil, wire.NotFound("Task " + id + " does not exist")
		}
		if err := do(t); err != nil {
			return nil, err
		}
		return wire.OK(), nil
	}
}

// A worker runs one task.
type worker struct {
	Task
	log     *slog.Logger
	metrics *taskMetrics
	wake    chan struct{} // asks for a run now

	mu       sync.Mutex
	state    string // initial-wait, idle or running
	cancel   context.CancelCauseFunc
	next     time.Time // when idle
	started  time.Time // when running
	ended    time.Time // the last run
	lastFail error
}

func (w *worker) loop(ctx context.Context) {
	wait := w.Delay
	for {
		w.mu.Lock()
		w.next = time.Now().Add(wait)
		w.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-w.wake:
			timer.Stop()
		case <-timer.C:
		}
		began := time.Now()
		w.once(ctx)
		wait = max(0, w.Every-time.Since(began))
	}
}

// scope is what the reference calls tasks that every process runs for itself.
const scope = "local"

// once runs the task one time.
func (w *worker) once(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithTimeout(ctx, w.Timeout)
	defer stop()
	began := time.Now()
	w.mu.Lock()
	w.state, w.started, w.cancel = "running", began, cancel
	w.mu.Unlock()
	w.metrics.runs.WithLabelValues(w.ID, scope, "started").Inc()
	w.metrics.started.WithLabelValues(w.ID, scope).Set(seconds(began))
	err := w.guarded(ctx)
	result := "completed"
	if err != nil {
		result = "failed"
		w.log.ErrorContext(ctx, "scheduled task failed", slog.String("plugin", w.Plugin), slog.String("task", w.ID), slog.Any("error", err))
	}
	now := time.Now()
	w.metrics.runs.WithLabelValues(w.ID, scope, result).Inc()
	w.metrics.duration.WithLabelValues(w.ID, scope, result).Observe(now.Sub(began).Seconds())
	w.metrics.completed.WithLabelValues(w.ID, scope, result).Set(seconds(now))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state, w.cancel, w.ended, w.lastFail = "idle", nil, now, err
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// guarded turns a panic into an error: a task that breaks must not take the
// others with it.
func (w *worker) guarded(ctx context.Context) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	if err = w.Run(ctx); err != nil && ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	return err
}

func (w *worker) trigger() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == "running" {
		return catalog.NewError(catalog.NameConflict, "Task "+w.ID+" is currently running")
	}
	select {
	case w.wake <- struct{}{}:
	default: // somebody was faster
	}
	return nil
}

var errCancelled = errors.New("the task was cancelled")

func (w *worker) stop() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel == nil {
		return catalog.NewError(catalog.NameConflict, "Task "+w.ID+" is not running")
	}
	w.cancel(errCancelled)
	return nil
}

func (w *worker) object() *jsonvalue.Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := wire.Obj("status", "idle", "startsAt", iso(w.next))
	if w.state == "running" {
		state = wire.Obj("status", "running", "startedAt", iso(w.started), "timesOutAt", iso(w.started.Add(w.Timeout)))
	}
	if !w.ended.IsZero() {
		state.Set("lastRunEndedAt", iso(w.ended))
	}
	if w.lastFail != nil {
		// What went wrong is in the log; whoever is signed in can read this.
		state.Set("lastRunError", `{"name":"Error","message":"the run failed, see the log"}`)
	}
	return wire.Obj("taskId", w.ID, "pluginId", w.Plugin, "scope", scope,
		"settings", wire.Obj("version", 2.0, "cadence", isoDuration(w.Every), "initialDelayDuration", isoDuration(w.Delay),
			"timeoutAfterDuration", isoDuration(w.Timeout)),
		"taskState", state, "workerState", wire.Obj("status", w.state))
}

func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// isoDuration writes a duration of whole milliseconds as in ISO 8601.
func isoDuration(d time.Duration) string {
	var days, rest strings.Builder
	if n := d / (24 * time.Hour); n > 0 {
		days.WriteString(strconv.Itoa(int(n)) + "D")
		d -= n * 24 * time.Hour
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "H"}, {time.Minute, "M"}} {
		if n := d / unit.size; n > 0 {
			rest.WriteString(strconv.Itoa(int(n)) + unit.name)
			d -= n * unit.size
		}
	}
	if d > 0 || days.Len()+rest.Len() == 0 {
		rest.WriteString(strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S")
	}
	if rest.Len() == 0 {
		return "P" + days.String()
	}
	return "P" + days.String() + "T" + rest.String()
}
