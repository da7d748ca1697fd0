// Package notifications brings news to users: what a task, a plugin or a
// program outside wants them to know, in the portal's list and bell.
//
// It owns the routes below /api/notifications, who receives what is sent (users
// themselves, members of groups, owners of other entities, or everybody), what
// a user has read and saved, which origins and topics a user does not want to
// hear of, and the end of what has become old. It does not own the catalog,
// which it asks for entities, nor the way to open browsers, which it is given;
// where notifications are kept is up to a Store.
//
// Invariants: a user sees what was sent to that user or to everybody, and
// changes the state of nothing else; only programs send; what was answered is
// stored, and browsers are told after that; there are at most MaxPerUser
// notifications of a user, of which the oldest go first. A Service is safe for
// concurrent use.
package notifications
