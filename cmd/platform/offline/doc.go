// Package offline checks descriptor files as the catalog would, without a
// network and without a store.
//
// It owns finding the files, following what they refer to beside them, and the
// report. What is right and wrong it does not know: that is the Processor's
// business, the same that the server runs. A file is taken as if it were
// registered by its URL, and as if that URL resolved to the folder that the
// file is in: a relative target or placeholder is read from disk, a path that
// begins with a slash starts at the root of the repository.
//
// What only a network knows is not judged: an absolute URL is noted and taken
// to be fine. Every file is bounded in size, and so is how far Locations lead.
//
// A Checker may be used by one goroutine at a time.
package offline
