// Package eventsapi takes what others report to the events plugin: webhooks of
// Git hosts.
//
// It owns which topics may be posted to and what is answered. Whether a
// delivery is genuine is decided by who knows the host, and what it means by
// whoever works off the queue that it is put into: an answer says that the
// delivery is stored, and no more.
//
// The routes are public, since a host has no token of ours: a topic whose
// deliveries nobody can prove has no effect.
//
// An API is safe for concurrent use.
package eventsapi
