// Package discovery knows where plugins live that this process does not have,
// or is told not to use.
//
// It owns the meaning of discovery.endpoints for calls from this process: a
// target per plugin, "*" for all that nobody names, and targets that DNS
// resolves. Which plugins this process has itself is said by whoever makes a
// Directory; those are only elsewhere if an entry names them.
//
// A Directory does not change, and is safe for concurrent use.
package discovery
