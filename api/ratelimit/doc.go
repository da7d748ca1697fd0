// Package ratelimit counts the requests of each client and says when there are
// too many.
//
// It owns the counting, in windows that begin with the first request of a
// client, and the question who the client is: behind proxies that are trusted,
// the address that they name. It does not answer requests; the edge does, with
// what a Verdict says.
//
// An IPv6 client is the whole /56 that one household or server is given.
// Memory is bounded: beyond a number of clients at the same time, new ones
// share one count, so that to come from many addresses is no way around a
// limit. A Limiter is safe for concurrent use.
package ratelimit
