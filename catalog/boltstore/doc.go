// Package boltstore keeps the records of the catalog in one bbolt file, and
// implements catalog/store.
//
// It owns the buckets whose names begin with "catalog/" and reads no others:
// sessions, keys and tasks share the file, each in buckets of their own.
// Readers never wait for the writer. A format version stands in the file; a
// file of another format, or one that is no store at all, is refused.
//
// # Layout, format 1
//
// All integers in keys are big endian. A ref is a canonical entity ref in
// UTF-8 without NUL, at most 1024 bytes. "blob" is one byte, 0 for bytes as
// they stand and 1 for S2 block compression, and then the bytes.
//
//	bucket                  key                              value
//	catalog/meta            "format"                         uint32, 1
//	                        "revision"                       uint64
//	                        "setting/" name                  as the engine gave it
//	catalog/states          ref                              state, see codec.go
//	catalog/unprocessed     ref                              blob of JSON
//	catalog/processed       ref                              blob of JSON
//	catalog/caches          ref                              blob of JSON
//	catalog/uids            uid, 16 bytes                    ref
//	catalog/documents       uid, 16 bytes                    uint64 revision, JSON as it is served
//	catalog/children        source 0x00 ref                  empty
//	catalog/relations       source ref 0x00 emitter ref      type, target pairs, see codec.go
//	catalog/refreshkeys     refresh key 0x00 ref             empty
//	catalog/locations       id                               JSON {type,target,entityRef}
//	catalog/locationrefs    type ":" target, or a digest     id
//	catalog/changes         uint64 revision                  change, see codec.go
//
// The digest is "sha1:" and the hex SHA-1 of the canonical JSON [type,target],
// for pairs of more than 1024 bytes, and for types with a colon or named sha1.
// A source is "e" and the ref of the emitting entity, or "p" and the name of
// the provider.
package boltstore
