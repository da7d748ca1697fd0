package api

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// httpMetrics are the metrics of requests. Labels come from the routes, never
// from what clients send, so their number is bounded.
type httpMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge

	// children are kept by their labels: finding one in a vector costs more
	// than everything else that is measured.
	children sync.Map // of metricKey to *metricChild
}

type metricKey struct {
	method, route string
	status        int
}

type metricChild struct {
	requests prometheus.Counter
	duration prometheus.Observer
}

func newHTTPMetrics(r *prometheus.Registry) (*httpMetrics, error) {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time from the head of a request to the end of its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight", Help: "Requests that are being answered.",
		}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.duration, m.inFlight} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register HTTP metrics: %w", err)
		}
	}
	return m, nil
}

func (m *httpMetrics) observe(method, route string, status int, took time.Duration) {
	key := metricKey{knownMethod(method), route, status}
	child, ok := m.children.Load(key)
	if !ok {
		child, _ = m.children.LoadOrStore(key, &metricChild{
			m.requests.WithLabelValues(key.method, route, strconv.Itoa(status)),
			m.duration.WithLabelValues(key.method, route),
		})
	}
	c := child.(*metricChild)
	c.requests.Inc()
	c.duration.Observe(took.Seconds())
}

// knownMethod keeps methods that clients make up out of the labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// CatalogStats are what the gauges of the catalog show.
type CatalogStats struct {
	EntitiesByKind map[string]int // by kind in lower case
	Locations      int            // that are registered
	Relations      int
}

// catalogCollector shows the gauges of the catalog under the names that
// dashboards for the reference read.
type catalogCollector struct {
	stats func() CatalogStats

	mu   sync.Mutex
	seen map[string]bool // kinds of the last scrape: one that has gone is 0 once
}

var (
	entitiesDesc  = prometheus.NewDesc("catalog_entities_count", "Entities in the catalog.", []string{"kind"}, nil)
	locationsDesc = prometheus.NewDesc("catalog_registered_locations_count", "Locations that were registered.", nil, nil)
	relationsDesc = prometheus.NewDesc("catalog_relations_count", "Relations between entities.", nil, nil)
)

// Describe names the gauges.
func (c *catalogCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- entitiesDesc
	ch <- locationsDesc
	ch <- relationsDesc
}

// Collect sends the gauges.
func (c *catalogCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind := range c.seen {
		if _, still := s.EntitiesByKind[kind]; !still {
			gauge(entitiesDesc, 0, kind)
		}
	}
	c.seen = map[string]bool{}
	for kind, n := range s.EntitiesByKind {
		c.seen[kind] = true
		gauge(entitiesDesc, n, kind)
	}
	gauge(locationsDesc, s.Locations)
	gauge(relationsDesc, s.Relations)
}
