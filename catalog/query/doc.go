// Package query holds what can be asked of the catalog, as values: filters,
// filter predicates, orders, full-text terms, cursors, page tokens and field
// projections, and how each is read from the form that clients send.
//
// Everything here is pure. Filters say which rows of the index an entity must
// have (see catalog/index for what those are); the package does not know how
// they are looked up. Keys and values in filters are lower-cased by the
// parsers. Input is bounded in depth and in number of terms. Errors that are
// the asker's are *catalog.Error named InputError.
//
// Values are immutable once made and safe for concurrent use.
package query
