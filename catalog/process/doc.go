// Package process turns an entity as it was read into an entity as it is
// stored: with what it emits, or with the reasons why it cannot be.
//
// It owns the order of the steps (placeholders, annotations, policies, the
// schema of the kind, reading of locations, relations, rules), the words of
// their errors, and the relations that each kind emits. It does not own
// reading, which a Reader does, nor schemas, nor what becomes of a result.
//
// A run depends on its Input and on what the Reader returns, and on nothing
// else; it stores nothing. A run that fails says why, and emits nothing. A
// Pipeline does not change once New has returned it and is safe for concurrent
// use.
package process
