package engine

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/scaffolder/runner"
)

// metrics count tasks and steps, under the names of the reference.
type metrics struct {
	taskCount, stepCount       *prometheus.CounterVec
	stepTotal                  *prometheus.CounterVec // as OpenTelemetry has it, with skipped steps
	taskDuration, stepDuration *prometheus.HistogramVec
}

var _ runner.Observer = (*metrics)(nil)

// newMetrics registers the metrics; a nil registry means that nobody reads
// them.
func newMetrics(r prometheus.Registerer, e *Engine) (*metrics, error) {
	buckets := prometheus.ExponentialBuckets(0.01, 4, 9)
	m := &metrics{
		taskCount: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scaffolder_task_count", Help: "Tasks that have ended."}, []string{"template", "result"}),
		taskDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "scaffolder_task_duration", Help: "Seconds that tasks ran.", Buckets: buckets}, []string{"template", "result"}),
		stepCount: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scaffolder_step_count", Help: "Steps that have ended."}, []string{"template", "step", "result"}),
		stepTotal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scaffolder_step_count_total", Help: "Steps that have ended, or were skipped."}, []string{"template", "step", "result"}),
		stepDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "scaffolder_step_duration", Help: "Seconds that steps ran.", Buckets: buckets}, []string{"template", "step", "result"}),
	}
	if r == nil {
		return m, nil
	}
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			e.mu.Lock()
			defer e.mu.Unlock()
			return float64(value())
		})
	}
	for _, c := range []prometheus.Collector{m.taskCount, m.taskDuration, m.stepCount, m.stepTotal, m.stepDuration,
		gauge("scaffolder_tasks_waiting", "Tasks that wait for their turn.", func() int { return len(e.queue.waiting) }),
		gauge("scaffolder_tasks_running", "Tasks that run.", func() int { return len(e.active) }),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of the scaffolder: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) task(template string, err error, took time.Duration) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.taskCount.WithLabelValues(template, result).Inc()
	m.taskDuration.WithLabelValues(template, result).Observe(took.Seconds())
}

// Step implements runner.Observer.
func (m *metrics) Step(template, step, result string, took time.Duration) {
	m.stepTotal.WithLabelValues(template, step, result).Inc()
	if result != "skipped" {
		m.stepCount.WithLabelValues(template, step, result).Inc()
	}
	m.stepDuration.WithLabelValues(template, step, result).Observe(took.Seconds())
}
