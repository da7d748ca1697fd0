// Package demo starts the built server for demonstrations and asks it questions.
//
// It owns the process of the server and the token that lets the demonstration
// in; what is shown, and the hosts that play along, is the business of the
// commands that import it. It is not for production.
//
// A Server is safe for concurrent use, but for Stop.
package demo
