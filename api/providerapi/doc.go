// Package providerapi shows how the providers of the catalog fare, and lets an
// operator decide about listings that are held.
//
// It owns the wire form of both, and that of the scheduler's tasks, which tools
// for the reference know. It does not own what happens: a loop polls, holds,
// releases and discards.
//
// An API is safe for concurrent use.
package providerapi
