// Package oauthserver lets programs that act for a user, such as clients of
// MCP, get a token without being handed one: the user is asked in the portal,
// and the program gets a code for it (OAuth 2.1 with PKCE).
//
// It owns the routes authorize, sessions, token, revoke and register below
// /api/auth/v1, the documents by which clients find them (RFC 8414 and RFC
// 9728), who is a client, and where clients may be sent back to. Clients come
// by registering themselves (RFC 7591), or by a document at the URL that is
// their id. Users and tokens are those of package auth; what a token may do is
// that what its user may do. The page that asks the user belongs to the portal.
//
// Invariants: a browser is sent only where the client is registered for and the
// operator allows it; every authorization has a PKCE challenge of method S256; a
// code works once, for ten minutes, for the client and the place it was made
// for, whatever comes of it; a refresh token works once and is replaced, and
// one that comes again ends what it was for. Codes, secrets and refresh tokens
// are stored as hashes. Everything that is stored has an end and a bound, and
// is stored before it is answered. A Server is safe for concurrent use.
package oauthserver
