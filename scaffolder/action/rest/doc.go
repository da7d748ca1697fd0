// Package rest asks REST APIs that speak JSON, for actions whose hosts have no
// client library here.
//
// It owns how a request is written and an answer read within bounds, and what an
// answer that says no becomes: an Error with the words of the host, without
// URLs. Who signs the requests and sends them again is the business of the HTTP
// client that it is given; what is asked is that of the actions.
//
// A Client is safe for concurrent use.
package rest
