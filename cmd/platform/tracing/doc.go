// Package tracing sends spans to a collector, by OpenTelemetry's protocol over
// HTTP, if one is configured.
//
// It owns when that is so, the standard environment variables that say how
// (they come before the configuration), and what is told of spans that the
// domain marks with functions. It does not own which spans there are.
//
// Without an endpoint Open returns nil, and whoever asks for a tracer gets nil:
// callers then do nothing at all. With one, spans wait in a queue of bounded
// length, and are dropped, not waited for, where the collector is too slow.
// Texts of errors are masked before they leave.
//
// A Tracing is safe for concurrent use.
package tracing
