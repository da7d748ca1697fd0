// Package metricnames shows metrics under a second name, where the reference
// has two: that of its older Prometheus client, and the one under which an
// exporter of OpenTelemetry shows the same.
//
// It owns the table of those names, and brings together what several packages
// count under one of them. It does not count anything itself.
//
// A Gatherer is safe for concurrent use.
package metricnames
