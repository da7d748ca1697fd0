// Package view answers what is read of the catalog, as the JSON that clients
// are sent.
//
// Every answer shows one moment: a view takes a snapshot of the index, opens
// the documents at the same revision, and joins the two. Documents are copied
// as they are stored, decoded by nobody, and projected where fields are asked
// for. Nothing waits for writers; a view tries again in the instant between a
// commit and its publishing.
//
// The package owns which parts of an answer come from where, cursors and page
// tokens included. It does not own the forms of requests and of HTTP, or who
// may read what: a permission comes as one more condition. The one answer that
// is not of one moment is the stream of all entities, which must not hold a
// moment open for a slow reader: it tells which entities it has at its begin,
// and each batch of them as they stand when it is read.
package view
