// Package eventsapi is the events plugin: it takes what others report, such as
// webhooks of Git hosts, and is the bus over which plugins in other processes
// tell each other what happened.
//
// It owns which topics may be posted to, the routes of the bus, and what is
// answered. Whether a delivery is genuine is decided by who knows the host, what
// it means by whoever works off the queue that it is put into, and who has yet
// to read it by package eventbus: an answer says that the delivery is stored,
// and no more.
//
// The routes for webhooks are public, since a host has no token of ours: a topic
// whose deliveries nobody can prove does nothing to the catalog, and only goes
// to those who have subscribed to it. Those of the bus are for services.
//
// An API is safe for concurrent use.
package eventsapi
