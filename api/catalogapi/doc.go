// Package catalogapi is the catalog plugin's part of the HTTP API: every route
// below /api/catalog, as Backstage's catalog client speaks it.
//
// It owns what is accepted (one table of operations in operations.go, from
// which requests are validated and openapi.json is written), the outcomes of
// permissions per route, and the wire forms that are its own. It does not own
// data: it reads through Reader and writes through Engine, both declared here
// by what is called. It never writes to the connection; package api does.
//
// An API is safe for concurrent use.
package catalogapi
