// Package openapi holds requests against the description that a host publishes
// of its API: does the route exist, is each query parameter known, does the body
// keep to its schema, and is every field of it known there.
//
// It owns how a description is found and read, and what counts as a violation.
// Descriptions are not part of this repository: `make descriptions` fetches that
// of GitHub from the package that package.json names. Tests that need it are
// skipped where it is not there. It is imported by tests alone.
//
// A Description does not change, and is safe for concurrent use.
package openapi
