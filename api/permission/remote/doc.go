// Package remote asks a plugin "permission" that lives elsewhere what users may
// do.
//
// It owns the request to that plugin and the reading of its answer. It asks in
// the name of the plugin whose permission it is, for the user who called that,
// with a token that package auth signs. It decides nothing itself, but for
// callers that are this process: then the answer is that of its own policy, so
// that a configuration that sends us to ourselves leads to no loop.
//
// Invariants: what cannot be asked is an error, never an answer; requests and
// answers are bounded in time and size, and redirects are not followed. A
// Policy is safe for concurrent use.
package remote
