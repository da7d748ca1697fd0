package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the figures of a queue.
type metrics struct {
	received *prometheus.CounterVec
	handled  *prometheus.CounterVec
	waited   *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer, q *Queue) *metrics {
	m := &metrics{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_webhook_received_total", Help: "Deliveries of webhooks, by result: stored, known, full.",
		}, []string{"source", "result"}),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_webhook_handled_total", Help: "Deliveries that were acted upon, by result: ok, retry, dropped.",
		}, []string{"source", "event", "result"}),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "greenroom_webhook_delay_seconds", Help: "Time from the arrival of a delivery until it was acted upon.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"source"}),
	}
	if r != nil {
		r.MustRegister(m.received, m.handled, m.waited, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "greenroom_webhook_queue_length", Help: "Deliveries that have not been acted upon.",
		}, func() float64 { return float64(q.Waiting()) }))
	}
	return m
}

func (m *metrics) took(d Delivery, result string, now time.Time) {
	m.handled.WithLabelValues(d.Source, d.Event, result).Inc()
	if result == resultOK {
		m.waited.WithLabelValues(d.Source).Observe(now.Sub(d.Received).Seconds())
	}
}

const (
	resultOK      = "ok"
	resultRetry   = "retry"
	resultDropped = "dropped"
)
