// Package storetest holds the promises of scaffolder/store as tests, for every
// implementation to keep, and an implementation in memory.
//
// Run asks for the promises one by one, and then compares random operations with
// a plain model. The implementation in memory shows that the promises fit more
// than one store, and serves tests that need no file; it is not for use outside
// of tests.
package storetest
