// Package engine keeps the catalog: it is the only writer of its records, and
// decides when which entity is processed.
//
// # How a change travels
//
// Providers and registered locations hand in unprocessed entities. Workers
// take what is due, run the processor on it, and pass the outcome to one
// committer. The committer takes the outcomes that are there in one batch and
// in one transaction stores them, adds and removes children, moves relations,
// stitches every entity whose content or relations changed, and appends to the
// change log. Once the transaction has committed, the index shows the new
// state. An outcome equal to the stored one writes nothing.
//
// # Promises
//
//   - What a method has answered is stored: it survives the end of the process.
//   - Readers see a state only after it is stored, and all of it at once.
//   - A failed run changes nothing but the errors that the entity shows.
//   - An entity has one parent at most. Entities that nobody emits any more are
//     removed a moment later, or marked, as the configuration says.
//   - Work that is due survives the end of the process.
//
// Entities whose processing read nothing are not refreshed on a schedule: the
// same input gives the same result. Those that did read are refreshed at the
// interval, and at once when told that what they read has changed.
//
// All methods of Engine are safe for concurrent use.
package engine
