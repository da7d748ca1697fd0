// Package search is the ranked full text of the search page: documents of some
// types, found by words, beginnings of words and words that were mistyped.
//
// # How it works
//
// An Index holds the documents of one type. It is a list of segments that
// never change: a sorted dictionary of the words of some documents, and for
// each word who has it, in which fields and how much that says. Apply adds a
// small segment with what is new, marks what it replaces as dead, and now and
// then joins segments of a like size, so that its cost follows the difference.
// A Snapshot is one moment of an index; Find ranks over snapshots of several.
//
// # What it owns
//
// Words, ranking, filters, highlights, and how an entity becomes a document;
// a Follower keeps an index equal to the stored catalog by its change log.
// It does not know who may see what: a Part says that with a function. It
// knows neither HTTP nor cursors.
//
// # Invariants
//
// The score of a document depends on the query, on the document, and on how
// many documents a word of the query finds; not on what the caller may see,
// nor on how documents lie in segments. Ties are broken by title and then by
// key, so pages do not overlap. One goroutine at a time may call Apply and
// Replace; snapshots may be used by any number meanwhile, and never wait.
package search
