// Package keyset reads the public keys that others publish, and picks the one
// that verifies a token.
//
// It owns JSON Web Key Sets behind a URL: when they are fetched, how long they
// hold, and which keys in them are of use. It verifies nothing itself, and it
// never learns an address from a token: where a set lives is said by whoever
// made it.
//
// Invariants: at most one request is under way for a set; a key that is not in
// it makes it be fetched again at most every 30 seconds, and ten times a
// minute beyond that, however many tokens name it; answers are bounded in
// size, time and number of keys, and redirects are not followed. A key is only
// handed out for the algorithms that its type, its curve and its own "alg"
// allow; symmetric keys never are.
//
// A Set is safe for concurrent use.
package keyset
