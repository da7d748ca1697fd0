// Package api is the HTTP edge: one handler for everything that the portal,
// its clients and Prometheus ask of the program.
//
// It owns the routes (all of them in routes.go), the order in which a request
// is treated (security headers, CORS, compression, rate limits, health,
// start-up gate, authentication, route), the table from errors to statuses, and the access
// log and metrics. Each portal plugin has its handlers in a folder of its own;
// they return values and errors and write nothing themselves.
//
// Invariants: an error that no table knows is logged under an id and answered
// as 500 with that id alone; no request reaches a plugin without credentials
// unless package auth has an exception for the path; nothing here changes
// after New but the state, so a Server is safe for concurrent use.
package api
