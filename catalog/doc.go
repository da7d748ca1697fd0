// Package catalog holds the words of the software catalog: entities, entity
// refs, relations, locations, uids and errors, as plain values.
//
// What is done with them lives below: process turns what was read into what is
// stored, engine commits it, boltstore is the file, index and query answer
// questions, view joins both into what is served. The root knows nothing of
// HTTP, of Git hosts, or of the store, and imports none of the packages below
// it but jsonvalue.
//
// Values of these types do not change once they are shared between goroutines.
package catalog
