// Package auth knows who is asking: it signs users in, issues and verifies
// their tokens, and decides which requests need none.
//
// It owns the signing keys (in memory; their public halves in the Store), the
// record of what each user owns, the tokens of outside callers that the
// configuration names, the cookie for resources that a browser loads by
// itself, and the table of paths that are open. What a known caller may do is
// the business of package permission.
//
// Invariants: a principal comes only from a credential that was verified, in
// this call or in an earlier one of which the cache still knows the end; the
// private half of a key never leaves memory; comparisons with secrets take
// constant time; no token is written to a log or an error.
//
// An Authority is safe for concurrent use.
package auth
