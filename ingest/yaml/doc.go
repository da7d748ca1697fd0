// Package yaml reads YAML 1.2 documents of the core schema into ordered
// jsonvalue values.
//
// It owns the grammar, the resolution of plain scalars (yes is a string, 0777
// is 777, << is a key like any other), the expansion of aliases, and the words
// and places of syntax errors, which are those that clients of Backstage see:
// the reference uses the npm package "yaml", and what that refuses or accepts
// is refused or accepted here. It knows nothing of entities.
//
// The documents of a stream are told apart before any of them is read, since
// nothing inside a document can hold a document marker at the start of a line.
// So an error ends one document and leaves the others as they are.
//
// What is read is bounded by Limits in size, documents, depth and nodes, nodes
// being counted as they are after aliases were expanded. No input makes it
// panic. Parse is a pure function and safe for concurrent use; the values it
// returns share nothing with each other, nor with its input.
//
// A JSON text is a YAML document. Of %YAML 1.1 documents the booleans and
// numbers of that version are understood, its merge keys and timestamps not.
package yaml
