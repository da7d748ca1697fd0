// Package index is the read index of the catalog: what is asked of entities by
// the values of their fields is answered here, from memory.
//
// It is derived. Every served entity is flattened to rows of key, value and
// original value; the index holds the rows of all entities, and is loaded from
// the stored documents when the program starts.
//
// A Snapshot is one moment of it and never changes: any number of readers use
// it without locks, for as long as they like. Prepare makes the next snapshot
// out of the newest one and shares with it all that did not change, so that
// its cost follows the difference; nobody sees it until Commit makes it the
// newest. There is one writer at a time: Load, Prepare and Commit must not run
// concurrently with one another. A prepared snapshot may be dropped; only one
// that was prepared from the newest may be committed.
//
// Inside, entities are dense numbers in the order of their uids, so the order
// by uid, which breaks every tie, is the order of the numbers. A row's key is
// a field, its value within the field a term, and a term has the set of the
// entities that have it. Fields, terms and entity refs stand in trees.
//
// The package does not know where documents are kept or what is served.
package index
