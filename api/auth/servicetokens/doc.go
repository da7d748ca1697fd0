// Package servicetokens issues tokens for programs, shows which there are, and
// revokes them, while the server runs.
//
// It owns the records of these tokens, the routes below
// /api/auth/v1/service-tokens, and the answer to whether a token is one of
// them. What the service may do is written in the record, and enforced where
// all principals are judged.
//
// Invariants: of a token only its SHA-256 is kept, and the token itself, which
// has 256 bits of chance, is told once; a record is durable before its token is
// told; a revoked token is refused from the moment on at which the revocation
// is answered. Only a service that nothing restricts may issue and revoke, and
// nothing it issues outlives its own token. A Registry is safe for concurrent
// use.
package servicetokens
