// Package boltflows keeps the sign-ins that are under way in a bbolt database
// that it shares with others.
//
// It owns the bucket "signin" and nothing else in the file. In it:
//
//	flows   the id of a flow, 32 bytes: its end, and the value as it was given
//	ends    its end and then its id: nothing
//
// An end is the time of expiry in nanoseconds since 1970, in eight big-endian
// bytes. Values are sealed by package signin before they come here. A flow that
// has expired is forgotten when the next is put, and of more than Limit the
// ones that end first.
//
// A Store is safe for concurrent use, and durable when it returns.
package boltflows
