package eventbus

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	published          *prometheus.CounterVec
	delivered, dropped prometheus.Counter
}

func newMetrics(r prometheus.Registerer, b *Bus) *metrics {
	m := &metrics{
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_events_published_total", Help: "Events that were published, by result: stored, unwanted.",
		}, []string{"result"}),
		delivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "greenroom_events_delivered_total", Help: "Events that were handed to subscribers.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "greenroom_events_dropped_total", Help: "Events that were dropped before all had read them.",
		}),
	}
	if r == nil {
		return m
	}
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return float64(value())
		})
	}
	r.MustRegister(m.published, m.delivered, m.dropped,
		gauge("greenroom_events_stored", "Events that somebody has yet to read.", func() int { return len(b.events) }),
		gauge("greenroom_events_subscriptions", "Subscriptions to events.", func() int { return len(b.subs) }))
	return m
}
