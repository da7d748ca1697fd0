// Package boltgrants keeps what package oauthserver stores in a bbolt database:
// clients, questions to users, codes and grants.
//
// The bucket "oauth" has one bucket for each kind, named like it. In those, keys
// are ids as they are given, and values the JSON that is given. What they mean,
// and when they end, is the business of oauthserver. The database stays the
// caller's to close.
package boltgrants
