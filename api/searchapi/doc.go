// Package searchapi is the search plugin's part of the HTTP API: GET
// /api/search/query, as the search page of the portal asks it.
//
// It owns what is accepted and in which words it is refused, cursors, and the
// wire form of results; and it asks the permission of each type of document
// before any of it is shown. A condition is applied to all that is found, so
// that pages are full and counts are right, unlike in the reference, which
// gives up after a while and does not count. How things are found is the
// business of catalog/search. Types of documents are handed in: whoever has
// some keeps an index of them.
//
// An API is safe for concurrent use.
package searchapi
