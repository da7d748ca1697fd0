// Package boltevents keeps the events and subscriptions of package eventbus in
// a bbolt database, in a bucket of their own.
//
// It owns the layout, and nothing of what events mean:
//
//	eventbus
//	  events         8 bytes of sequence, big endian -> the head and the payload
//	  subscriptions  id -> JSON {"topics": [...], "read": sequence}
//
// The value of an event is the length of its head in 4 bytes, big endian, the
// head as JSON {"at": milliseconds since 1970, "topic": ..., "notified": [...]},
// and the payload as it is.
//
// A Store is safe for concurrent use.
package boltevents
