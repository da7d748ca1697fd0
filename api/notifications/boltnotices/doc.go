// Package boltnotices keeps the notifications of package notifications in a
// bbolt database that it shares with others.
//
// It owns the bucket "notifications" and nothing else in the file. In it:
//
//	users       a bucket for each user, named by entity ref: what was sent to the user
//	broadcasts  what was sent to everybody, in the same form
//	seen        a bucket for each user: what the user made of broadcasts
//	settings    entity ref of a user: the user's settings as JSON
//
// Numbers are big-endian, times are milliseconds since 1970 in eight bytes, 0
// for what has not happened. In a bucket of notifications a key that begins
// with "n" goes on with the time of creation and the 16 bytes of the id, so
// that keys are in the order of time; its value is the times of reading,
// saving and updating, and then a JSON object with the origin and the payload.
// A key that begins with "s" goes on with the first 16 bytes of the SHA-256 of
// origin, a zero byte and scope; its value is the key of the notification of
// that scope. The sequence number of the bucket counts the keys with "n". In a
// bucket of seen, the 16 bytes of an id lead to the times of reading and saving.
//
// A Store is safe for concurrent use, and durable when it returns.
package boltnotices
