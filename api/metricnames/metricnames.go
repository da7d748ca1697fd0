package metricnames

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// An alias is a name, and the families that are shown under it. Those that have
// the name already are among them, and are not shown apart.
type alias struct {
	name string
	of   []string
}

// aliases are the names of OpenTelemetry, as its exporter for Prometheus shows
// them: counters end in _total, and nothing has a suffix for its unit.
var aliases = []alias{
	{"catalog_processed_entities_count_total", []string{"catalog_processed_entities_count"}},
	{"catalog_stitched_entities_count_total", []string{"catalog_stitched_entities_count"}},
	{"catalog_events_scm_messages_total", []string{"catalog_events_scm_messages"}},
	{"scaffolder_task_count_total", []string{"scaffolder_task_count"}},
	{"backend_tasks_task_runs_count_total", []string{"backend_tasks_task_runs_count", "backend_tasks_task_runs_count_total"}},
	{"backend_tasks_task_runs_duration", []string{"backend_tasks_task_runs_duration", "backend_tasks_task_runs_duration_seconds"}},
	{"backend_tasks_task_runs_started", []string{"backend_tasks_task_runs_started", "backend_tasks_task_runs_started_seconds"}},
	{"backend_tasks_task_runs_completed", []string{"backend_tasks_task_runs_completed", "backend_tasks_task_runs_completed_seconds"}},
}

// A Gatherer adds the second names to what another one gathers.
type Gatherer struct{ From prometheus.Gatherer }

var _ prometheus.Gatherer = Gatherer{}

// Gather implements prometheus.Gatherer.
func (g Gatherer) Gather() ([]*dto.MetricFamily, error) {
	families, err := g.From.Gather()
	byName := make(map[string]*dto.MetricFamily, len(families))
	for _, f := range families {
		byName[f.GetName()] = f
	}
	for _, a := range aliases {
		if joined := join(a, byName); joined != nil {
			byName[a.name] = joined
		}
	}
	out := make([]*dto.MetricFamily, 0, len(byName))
	for _, f := range byName {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out, err
}

// join returns a family with all metrics of an alias, nil if there are none.
func join(a alias, byName map[string]*dto.MetricFamily) *dto.MetricFamily {
	var joined *dto.MetricFamily
	for _, name := range a.of {
		f := byName[name]
		if f == nil {
			continue
		}
		if joined == nil {
			joined = &dto.MetricFamily{Name: proto.String(a.name), Help: f.Help, Type: f.Type, Unit: f.Unit}
		}
		if f.GetType() == joined.GetType() {
			joined.Metric = append(joined.Metric, f.Metric...)
		}
	}
	return joined
}
