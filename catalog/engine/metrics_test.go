package engine_test

import (
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
)

// The metrics have the names, types and labels that dashboards for the
// reference look for.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := start(t, func(o *engine.Options) { o.Registerer = registry })
	f.world.set("a", entity("component:default/cart", "owner", "group:default/a"), entity("group:default/a"))
	f.register("a")
	f.world.fail("b", catalog.WrapError(catalog.NameInput, "broken", errors.New("x")))
	f.register("b")
	f.settle()

	families, err := registry.Gather()
	require.NoError(t, err)
	samples := map[string]uint64{} // by name and result
	types := map[string]dto.MetricType{}
	for _, family := range families {
		types[family.GetName()] = family.GetType()
		for _, m := range family.Metric {
			key := family.GetName()
			if len(m.Label) > 0 {
				require.Equal(t, "result", m.Label[0].GetName(), key)
				key += " " + m.Label[0].GetValue()
			}
			samples[key] = m.GetHistogram().GetSampleCount() + m.GetSummary().GetSampleCount() + uint64(m.GetCounter().GetValue())
		}
	}
	for name, want := range map[string]dto.MetricType{
		"catalog_processed_entities_count":       dto.MetricType_COUNTER,
		"catalog_processing_duration_seconds":    dto.MetricType_SUMMARY,
		"catalog_processing_duration":            dto.MetricType_HISTOGRAM,
		"catalog_processors_duration_seconds":    dto.MetricType_SUMMARY,
		"catalog_processors_duration":            dto.MetricType_HISTOGRAM,
		"catalog_processing_queue_delay_seconds": dto.MetricType_SUMMARY,
		"catalog_processing_queue_delay":         dto.MetricType_HISTOGRAM,
		"catalog_stitched_entities_count":        dto.MetricType_COUNTER,
		"catalog_stitching_duration":             dto.MetricType_HISTOGRAM,
		"catalog_stitching_queue_delay":          dto.MetricType_HISTOGRAM,
		"catalog_stitching_queue_length":         dto.MetricType_GAUGE,
	} {
		require.Equal(t, want, types[name], name)
	}
	runs := samples["catalog_processed_entities_count changed"] + samples["catalog_processed_entities_count unchanged"] +
		samples["catalog_processed_entities_count errors"]
	require.Positive(t, samples["catalog_processed_entities_count errors"])
	for _, name := range []string{"catalog_processing_duration", "catalog_processing_duration_seconds"} {
		require.Equal(t, runs, samples[name+" changed"]+samples[name+" unchanged"]+samples[name+" errors"], name)
	}
	for _, name := range []string{"catalog_processors_duration", "catalog_processors_duration_seconds"} {
		require.Equal(t, samples["catalog_processed_entities_count errors"], samples[name+" failed"], name)
		require.Equal(t, runs, samples[name+" failed"]+samples[name+" ok"], name)
	}
	require.Equal(t, runs, samples["catalog_processing_queue_delay"])
	require.Equal(t, samples["catalog_stitched_entities_count changed"], samples["catalog_stitching_duration changed"])
	require.Positive(t, samples["catalog_stitching_duration changed"])
	require.Positive(t, samples["catalog_stitching_queue_delay"])
	require.Zero(t, samples["catalog_stitching_queue_length"], "nothing waits any more")
}
