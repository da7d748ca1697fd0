package budget

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the figures of all hosts. A nil *Metrics counts nothing.
type Metrics struct {
	requests *prometheus.CounterVec
	retries  *prometheus.CounterVec
	waits    *prometheus.CounterVec

	mu         sync.Mutex
	transports []*Transport
}

var (
	budgetLabels  = []string{"host", "credential", "resource"}
	limitDesc     = prometheus.NewDesc("greenroom_forge_budget_limit", "Requests that a host allows in a period.", budgetLabels, nil)
	remainingDesc = prometheus.NewDesc("greenroom_forge_budget_remaining", "Requests that are left of the period.", budgetLabels, nil)
	resetDesc     = prometheus.NewDesc("greenroom_forge_budget_reset_timestamp_seconds", "When the next period begins.", budgetLabels, nil)
	runsOutDesc   = prometheus.NewDesc("greenroom_forge_budget_runs_out_timestamp_seconds",
		"When nothing will be left at the present rate; absent unless that is before the next period.", budgetLabels, nil)
	blockedDesc = prometheus.NewDesc("greenroom_forge_budget_blocked_timestamp_seconds",
		"Until when the host wants no requests; absent while it takes them.", budgetLabels, nil)
)

// NewMetrics registers the figures.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_forge_requests_total", Help: "Requests to Git hosts, by urgency and by the status of the answer.",
		}, []string{"host", "urgency", "status"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_forge_retries_total", Help: "Requests that were sent again after a failure.",
		}, []string{"host"}),
		waits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "greenroom_forge_budget_wait_seconds_total", Help: "Time that requests have waited for their budget.",
		}, []string{"host"}),
	}
	r.MustRegister(m.requests, m.retries, m.waits, m)
	return m
}

// Describe is for Prometheus.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{limitDesc, remainingDesc, resetDesc, runsOutDesc, blockedDesc} {
		ch <- d
	}
}

// Collect reads the budgets at this moment.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	transports := m.transports
	m.mu.Unlock()
	seen := map[[3]string]bool{} // Prometheus takes each set of labels once
	for _, t := range transports {
		for _, s := range t.States() {
			if labels := [3]string{s.Host, s.Credential, s.Resource}; seen[labels] {
				continue
			} else {
				seen[labels] = true
			}
			gauge := func(d *prometheus.Desc, v float64) {
				ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, s.Host, s.Credential, s.Resource)
			}
			if s.Limit > 0 {
				gauge(limitDesc, float64(s.Limit))
				gauge(remainingDesc, float64(s.Remaining))
				gauge(resetDesc, float64(s.Reset.Unix()))
			}
			if !s.RunsOut.IsZero() {
				gauge(runsOutDesc, float64(s.RunsOut.Unix()))
			}
			if !s.Blocked.IsZero() {
				gauge(blockedDesc, float64(s.Blocked.Unix()))
			}
		}
	}
}

func (m *Metrics) watch(t *Transport) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.transports = append(m.transports, t)
}

func (m *Metrics) asked(host string, urgent bool, res *http.Response, err error) {
	if m == nil {
		return
	}
	urgency, status := "crawl", "error"
	if urgent {
		urgency = "urgent"
	}
	if err == nil {
		status = strconv.Itoa(res.StatusCode)
	}
	m.requests.WithLabelValues(host, urgency, status).Inc()
}

func (m *Metrics) retried(host string) {
	if m != nil {
		m.retries.WithLabelValues(host).Inc()
	}
}

func (m *Metrics) waited(host string, d time.Duration) {
	if m != nil {
		m.waits.WithLabelValues(host).Add(d.Seconds())
	}
}
