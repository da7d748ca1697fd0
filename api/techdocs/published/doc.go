// Package published serves documentation sites that somebody else has built,
// with MkDocs in a pipeline for instance, from where they were published: a
// folder of the disk, or any other store of files by path.
//
// It owns where the files of an entity are below the root of such a store
// (<namespace>/<kind>/<name>/, in lower case unless said otherwise) and how what
// is found there gets into the search. It writes nothing, and nothing outside of
// the store is read, links that lead out of a folder included. It is safe for
// concurrent use.
package published
