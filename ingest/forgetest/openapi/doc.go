// Package openapi holds requests against the description that a host publishes
// of its API: does the route exist, is each query parameter known, does the body
// keep to its schema, and is every field of it known there.
//
// It owns how a description is found and read, and what counts as a violation.
// Descriptions are not part of this repository: `make descriptions` fetches those
// of GitHub and Gitea from the packages that they are published in. Tests go on
// without where they are not there. There is no package with that of GitLab or
// Bitbucket Cloud. It is imported by tests alone.
//
// A Description does not change, and is safe for concurrent use.
package openapi
