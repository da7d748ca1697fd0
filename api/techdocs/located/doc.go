// Package located finds where the documentation of an entity is: it reads the
// annotation backstage.io/techdocs-ref, and what it is relative to.
//
// A dir: reference is relative to the place that the entity was read from. For
// an entity that was read from a file of the server's disk that is the folder
// of that file, and nothing above it; an entity that came from elsewhere cannot
// name a file of the disk, whatever its annotations say.
package located
