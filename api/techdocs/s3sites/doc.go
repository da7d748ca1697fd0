// Package s3sites reads published documentation sites from a bucket of S3, or
// of anything that speaks like it.
//
// It owns the connection: the credentials of the configuration or else of the
// environment, and how errors of the store become those of a file. It only
// reads. It is safe for concurrent use.
package s3sites
