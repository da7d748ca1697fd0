// Package boltkeys keeps the public keys and the user records of package auth,
// and the records of package servicetokens, in a bbolt database that it shares
// with others.
//
// It owns the bucket "auth" and nothing else in the file. In it, bucket "keys"
// maps the id of a key of user tokens to its JSON, bucket "pluginKeys" has a
// bucket of the same kind for each plugin that has signed something, and bucket
// "users" maps the entity ref of a user to what is recorded of it. Bucket
// "tokens" maps the id of a service token to its JSON, with a hash in place of
// the token. Private keys are never written. Expired keys
// go when a key is added; there is one record per user who ever signed in.
package boltkeys
