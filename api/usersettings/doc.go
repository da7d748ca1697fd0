// Package usersettings keeps what the portal remembers of each user: starred
// entities, pinned pages, the order of a home page.
//
// It owns the routes below /api/user-settings, what a setting is (any JSON
// value under a key in a bucket of a user), and its bounds. What the values
// mean is known to the frontend alone; they are stored and returned as they
// came. Where they are kept is up to a Store.
//
// Invariants: a user reads and writes nobody's settings but the user's own,
// since the user comes from the token and never from the request; what was
// answered is stored; whoever else has the user's portal open is told of a
// change after it was stored. An API is safe for concurrent use.
package usersettings
