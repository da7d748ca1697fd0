// Package auth knows who is asking: it signs users in, issues and verifies
// their tokens, and decides which requests need none.
//
// It owns the signing keys of users and of plugins (made in memory, with their
// public halves in the Store, or from files), the record of what each user
// owns, the tokens of outside callers that the configuration names, the cookie
// for resources that a browser loads by itself, and the table of paths that
// are open. It verifies tokens of plugins that live elsewhere, and signs what
// our plugins send there. Tokens that are issued while the server runs are
// those of package servicetokens. What a known caller may do is the business
// of package permission.
//
// Invariants: a principal comes only from a credential that was verified, in
// this call or in an earlier one of which the cache still knows the end; a
// token never says where the key is that verifies it; a key that is made here
// is never written; comparisons with secrets take constant time; no token is
// written to a log or an error. What others sign is believed for at most ten
// minutes without asking for their keys again.
//
// An Authority is safe for concurrent use.
package auth
