// Package boltassets keeps static files of earlier builds of the portal in a
// bbolt database that it shares with others.
//
// A browser that has the page of an earlier build open asks for parts of that
// build until somebody reloads it. So all static files are copied when a build
// is first served, and those of a build that is served no more stay for a week.
//
// It owns the bucket "portal-assets" and nothing else in the file. In it a key
// is the path of a file below static/; the value is the time, in milliseconds
// since 1970 as eight bytes, high byte first, at which it was found to be no
// part of the build any more, 0 as long as it is, and then its content in gzip
// form. Source maps are not kept.
//
// A Shelf is safe for concurrent use.
package boltassets
