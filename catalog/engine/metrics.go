package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the engine's figures, under the names that dashboards for the
// reference know.
type metrics struct {
	processed  *prometheus.CounterVec
	processing *prometheus.HistogramVec
	stitched   *prometheus.CounterVec
	commits    prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		processed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catalog_processed_entities_count", Help: "Runs of processing, by result.",
		}, []string{"result"}),
		processing: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "catalog_processing_duration_seconds", Help: "Time to process one entity, by result.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 4, 10),
		}, []string{"result"}),
		stitched: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catalog_stitched_entities_count", Help: "Stitched entities, by result.",
		}, []string{"result"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "greenroom_catalog_commit_duration_seconds", Help: "Time to store a batch of processed entities.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}),
	}
	if r != nil {
		r.MustRegister(m.processed, m.processing, m.stitched, m.commits)
	}
	return m
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

func (m *metrics) processedIn(o *outcome, took time.Duration) {
	result := "changed"
	switch {
	case !o.ok:
		result = "errors"
	case o.settled:
		result = "unchanged"
	}
	m.processed.WithLabelValues(result).Inc()
	m.processing.WithLabelValues(result).Observe(took.Seconds())
}

func (m *metrics) committed(took time.Duration) { m.commits.Observe(took.Seconds()) }
