// Package oidc is the connector of package signin to any provider of OpenID
// Connect.
//
// What the provider says of itself is read when it is first needed, and again
// until that works, so that one that is down keeps nobody from starting. An id
// token must be signed by the one algorithm that is configured, with a key that
// the provider publishes, be meant for this client, and hold the nonce of the
// start; the userinfo must be about the same person. An address counts only if
// the provider says that it has verified it.
package oidc
