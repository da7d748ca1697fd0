// Package operation checks requests against what a route is documented to take,
// in the words of the reference's validator, and writes the OpenAPI document
// of a plugin from the same table: what is promised and what is checked cannot
// differ.
//
// It owns query strings (repeated and bracketed parameters, counts, unknown
// names), request bodies as far as the operations need JSON Schema, and the
// order in which faults are found. What a route does is the business of its
// plugin.
//
// Operations do not change after start-up and are safe for concurrent use; an
// Input belongs to its request.
package operation
