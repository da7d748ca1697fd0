// Package boltkeys keeps the public keys and the user records of package auth
// in a bbolt database that it shares with others.
//
// It owns the bucket "auth" and nothing else in the file. In it, bucket "keys"
// maps the id of a key of user tokens to its JSON, bucket "pluginKeys" has a
// bucket of the same kind for each plugin that has signed something, and bucket
// "users" maps the entity ref of a user to what is recorded of it. Private keys are never written. Expired keys
// go when a key is added; there is one record per user who ever signed in.
package boltkeys
