// Package store says what the catalog engine asks of the place where it keeps
// its records: the record types, and the transactions that read and write
// them. catalog/boltstore keeps them in one file; storetest holds the suite
// that every implementation passes.
//
// An implementation promises: transactions are atomic, durable once Update has
// returned, and isolated (a reader sees one committed state from its begin to
// its end and is never blocked by a writer); there is one writer at a time.
// Bytes that a transaction returns are valid only until it ends, and must not
// be changed. It does not know what the records mean: keeping them consistent
// with one another is the engine's work.
package store
