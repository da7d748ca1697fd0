package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Results of runs, and of stitching.
const (
	resultUnchanged = "unchanged"
	resultChanged   = "changed"
	resultErrors    = "errors"
	resultError     = "error" // of stitching
)

// metrics are the engine's figures, under the names that dashboards for the
// reference know: those of its older Prometheus client, whose durations are
// summaries in seconds, and those of OpenTelemetry, whose are histograms.
type metrics struct {
	processed  *prometheus.CounterVec
	processing timings // of all that a run does
	processors timings // of the processors alone
	waiting    timings // from when an entity is due to the begin of its run
	stitched   *prometheus.CounterVec
	stitching  *prometheus.HistogramVec
	unstitched prometheus.Gauge // processed, and not stitched yet
	stitchWait prometheus.Histogram
	commits    prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		processed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catalog_processed_entities_count", Help: "Runs of processing, by result.",
		}, []string{"result"}),
		processing: newTimings("catalog_processing_duration", "Time to process one entity, in seconds, by result.", "result"),
		processors: newTimings("catalog_processors_duration", "Time that processors took for one entity, in seconds, by result.", "result"),
		waiting:    newTimings("catalog_processing_queue_delay", "Time that an entity was due before its run began, in seconds."),
		stitched: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catalog_stitched_entities_count", Help: "Stitched entities, by result.",
		}, []string{"result"}),
		stitching: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "catalog_stitching_duration", Help: "Time to stitch one entity, in seconds, by result.", Buckets: buckets(),
		}, []string{"result"}),
		unstitched: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "catalog_stitching_queue_length", Help: "Entities that were processed and are not stitched yet.",
		}),
		stitchWait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "catalog_stitching_queue_delay", Help: "Time from the end of the run of an entity to its stitching, in seconds.", Buckets: buckets(),
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "greenroom_catalog_commit_duration_seconds", Help: "Time to store a batch of processed entities.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}),
	}
	if r != nil {
		r.MustRegister(m.processed, m.stitched, m.stitching, m.unstitched, m.stitchWait, m.commits)
		for _, t := range []timings{m.processing, m.processors, m.waiting} {
			r.MustRegister(t.summary, t.histogram)
		}
	}
	return m
}

func buckets() []float64 { return prometheus.ExponentialBuckets(0.00005, 4, 10) }

// timings are durations under both of their names.
type timings struct {
	summary   *prometheus.SummaryVec
	histogram *prometheus.HistogramVec
}

func newTimings(name, help string, labels ...string) timings {
	return timings{
		prometheus.NewSummaryVec(prometheus.SummaryOpts{
			Name: name + "_seconds", Help: help, AgeBuckets: 2,
			Objectives: map[float64]float64{0.01: 0.001, 0.05: 0.005, 0.5: 0.05, 0.9: 0.01, 0.95: 0.005, 0.99: 0.001, 0.999: 0.0001},
		}, labels),
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets()}, labels),
	}
}

func (t timings) observe(took time.Duration, labels ...string) {
	t.summary.WithLabelValues(labels...).Observe(took.Seconds())
	t.histogram.WithLabelValues(labels...).Observe(took.Seconds())
}

// watch adds the gauges that look at the queue.
func (m *metrics) watch(r prometheus.Registerer, q *queue) {
	if r == nil {
		return
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "greenroom_catalog_processing_queue_length", Help: "Entities that are due and not processed yet.",
	}, func() float64 {
		ready, running := q.pending()
		return float64(ready + running)
	}))
}

// processedIn counts a run: all of it took so long, and its processors took
// that long of it.
func (m *metrics) processedIn(o *outcome, took, processors time.Duration) {
	result := resultChanged
	switch {
	case !o.ok:
		result = resultErrors
	case o.settled:
		result = resultUnchanged
	}
	m.processed.WithLabelValues(result).Inc()
	m.processing.observe(took, result)
	verdict := "ok"
	if !o.ok {
		verdict = "failed"
	}
	m.processors.observe(processors, verdict)
}

func (m *metrics) waited(d time.Duration) { m.waiting.observe(d) }

func (m *metrics) stitchedIn(result string, took time.Duration) {
	m.stitched.WithLabelValues(result).Inc()
	m.stitching.WithLabelValues(result).Observe(took.Seconds())
}

func (m *metrics) committed(took time.Duration) { m.commits.Observe(took.Seconds()) }
