// Package descriptor turns the bytes of a descriptor file into the documents
// that the catalog processes.
//
// It owns the verdict on each YAML document of a file: an entity nobody has
// checked yet, or an error in the words of the reference. It does not know
// where files come from, nor what an entity must look like beyond being an
// object. Its functions are pure and safe for concurrent use; what they accept
// is bounded by yaml.Limits.
package descriptor
