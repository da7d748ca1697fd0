// Package signin lets people sign in with an account that they have elsewhere:
// by OAuth at a provider, or by the headers of a proxy that has signed them in
// before.
//
// It owns the routes of each provider (start, callback, refresh, logout), the
// state that goes to a provider and comes back, the cookies of browsers between
// those requests, the page that hands a session to the window that asked for
// it, and the resolvers that find the User of the catalog for an account. What
// a provider says over HTTP is behind Connector, in the packages below; tokens
// and their keys are the business of package auth, behind Issuer.
//
// Invariants: nobody is signed in by a callback whose state did not come out of
// a start of the same browser, for the same provider and environment; a start
// serves one callback; no session is handed to an origin, and no browser sent
// to one, that the configuration does not allow; headers of a proxy count only
// if the request proves that it comes from there. No token, code or state is
// written to a log or an error.
//
// A Service is safe for concurrent use.
package signin
