// Package found puts the sections of documentation sites into the search index,
// as documents of the type techdocs, each with what is known of its entity.
//
// It owns the shape of those documents, and which of them belong to which
// entity, so that those of an entity are replaced and removed together. Who may
// see one is for the search to ask, by the entity that each names. It is safe
// for concurrent use.
package found
