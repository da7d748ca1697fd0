// Package schemas says what a well-formed entity is: the embedded JSON Schemas
// of the envelope, of entities in general and of each kind, further kinds from
// a folder, and the formats of the fields that every entity has.
//
// It owns the words of these errors. They are those of the first error that
// ajv, the library behind Backstage, reports, so that people and tools find
// what they know. Where entities come from and what is done with them is not
// its business, and it imports nothing of ours: values are plain ones, as
// encoding/json makes them.
//
// What Backstage and ajv say about thousands of entities, and about values at
// the edges of each format, is recorded in testdata/reference, with the scripts
// that recorded it; the tests hold the package against it.
//
// A Set does not change once New has returned it, and is safe for concurrent
// use. Schemas are data only: none is fetched, and a reference to one that is
// not there is an error of New.
package schemas
