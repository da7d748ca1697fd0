// Package recorded answers requests to Git hosts with exchanges that were
// recorded, so that templates can be tested without a network, and records such
// exchanges.
//
// It owns the form of an exchange, what makes a request the one that was
// recorded, and the answer to a push with Git, of which only the outcome is
// recorded. Files and their format are the business of the caller: exchanges go
// in and out as plain values. A request that no exchange answers fails; nothing
// is ever sent while a Player plays.
//
// What is recorded holds no credentials: of requests their method and URL are
// kept, of answers a few headers and the body, in which the texts that the
// caller names are masked.
//
// A Player and a Recorder are safe for concurrent use. Bodies are bounded.
package recorded
