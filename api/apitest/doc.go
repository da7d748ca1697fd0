// Package apitest starts the HTTP edge for tests of the plugins behind it.
//
// It owns a server without a catalog, with guests, two services and whatever
// plugins a test puts into it, and a client that speaks to it. Requests go
// through everything that those of a browser go through: headers, CORS,
// barrier, routes and the error table.
//
// It is imported by tests alone. A Server belongs to one test.
package apitest
