package provider

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of all providers. Those whose names begin with
// backend_tasks are what dashboards for the reference look for.
type metrics struct {
	runs      *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	started   *prometheus.GaugeVec
	completed *prometheus.GaugeVec
	results   *prometheus.CounterVec
	entities  *prometheus.GaugeVec
	held      *prometheus.GaugeVec
	success   *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	task, own := []string{"taskId", "scope"}, []string{"provider"}
	gauge := func(name, help string, labels []string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "backend_tasks_task_runs_count", Help: "Runs of scheduled tasks, by result: started, completed, failed.",
		}, []string{"taskId", "scope", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "backend_tasks_task_runs_duration", Help: "Time that runs of scheduled tasks took, in seconds.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 10),
		}, []string{"taskId", "scope", "result"}),
		started:   gauge("backend_tasks_task_runs_started", "When a task was last started, in seconds since 1970.", task),
		completed: gauge("backend_tasks_task_runs_completed", "When a task was last completed, in seconds since 1970.", task),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_catalog_provider_runs_total", Help: "Runs of entity providers, by result: published, unchanged, held, failed.",
		}, []string{"provider", "result"}),
		entities: gauge("greenroom_catalog_provider_entities", "Entities that a provider feeds in.", own),
		held:     gauge("greenroom_catalog_provider_held_removals", "Entities that a held listing would remove; 0 where nothing is held.", own),
		success:  gauge("greenroom_catalog_provider_last_success_seconds", "When a provider last had a good run, in seconds since 1970.", own),
	}
	if r != nil {
		r.MustRegister(m.runs, m.duration, m.started, m.completed, m.results, m.entities, m.held, m.success)
	}
	return m
}

const scope = "global"

func taskID(provider string) string { return provider + ":refresh" }

func (m *metrics) begin(provider string, at time.Time) {
	m.runs.WithLabelValues(taskID(provider), scope, "started").Inc()
	m.started.WithLabelValues(taskID(provider), scope).Set(seconds(at))
}

func (m *metrics) end(provider string, run *Run) {
	result := "completed"
	if run.Result == ResultFailed {
		result = "failed"
	}
	took := time.Duration(run.Millis) * time.Millisecond
	m.runs.WithLabelValues(taskID(provider), scope, result).Inc()
	m.duration.WithLabelValues(taskID(provider), scope, result).Observe(took.Seconds())
	m.results.WithLabelValues(provider, run.Result).Inc()
	if run.Result != ResultFailed {
		m.completed.WithLabelValues(taskID(provider), scope).Set(seconds(run.Started.Add(took)))
	}
}

// show brings the gauges in line with what is known of a provider.
func (m *metrics) show(provider string, r Record, h *Held) {
	if r.LastRun != nil {
		m.entities.WithLabelValues(provider).Set(float64(r.LastRun.Entities))
	}
	if !r.LastSuccess.IsZero() {
		m.success.WithLabelValues(provider).Set(seconds(r.LastSuccess))
	}
	removals := 0
	if h != nil {
		removals = len(h.Removals)
	}
	m.held.WithLabelValues(provider).Set(float64(removals))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
