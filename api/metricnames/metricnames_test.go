package metricnames_test

import (
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/metricnames"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestSecondNames(t *testing.T) {
	r := prometheus.NewRegistry()
	count := func(name string, labels prometheus.Labels) {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "Help.", ConstLabels: labels})
		c.Inc()
		r.MustRegister(c)
	}
	gauge := func(name, task string, value float64) {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "Help.", ConstLabels: prometheus.Labels{"taskId": task}})
		g.Set(value)
		r.MustRegister(g)
	}
	count("scaffolder_task_count", prometheus.Labels{"result": "ok"})
	count("backend_tasks_task_runs_count", prometheus.Labels{"taskId": "a"})
	count("backend_tasks_task_runs_count_total", prometheus.Labels{"taskId": "b"})
	gauge("backend_tasks_task_runs_started", "a", 1)
	gauge("backend_tasks_task_runs_started_seconds", "b", 2)
	count("other_total", nil)
	require.NoError(t, testutil.GatherAndCompare(metricnames.Gatherer{From: r}, strings.NewReader(`
# HELP backend_tasks_task_runs_count Help.
# TYPE backend_tasks_task_runs_count counter
backend_tasks_task_runs_count{taskId="a"} 1
# HELP backend_tasks_task_runs_count_total Help.
# TYPE backend_tasks_task_runs_count_total counter
backend_tasks_task_runs_count_total{taskId="a"} 1
backend_tasks_task_runs_count_total{taskId="b"} 1
# HELP backend_tasks_task_runs_started Help.
# TYPE backend_tasks_task_runs_started gauge
backend_tasks_task_runs_started{taskId="a"} 1
backend_tasks_task_runs_started{taskId="b"} 2
# HELP backend_tasks_task_runs_started_seconds Help.
# TYPE backend_tasks_task_runs_started_seconds gauge
backend_tasks_task_runs_started_seconds{taskId="b"} 2
# HELP other_total Help.
# TYPE other_total counter
other_total 1
# HELP scaffolder_task_count Help.
# TYPE scaffolder_task_count counter
scaffolder_task_count{result="ok"} 1
# HELP scaffolder_task_count_total Help.
# TYPE scaffolder_task_count_total counter
scaffolder_task_count_total{result="ok"} 1
`)))
}
