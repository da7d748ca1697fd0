// Package tracingtest is a collector of spans that speaks OpenTelemetry's
// protocol over HTTP, in the process of the test that starts it.
//
// It is for tests alone.
package tracingtest
