// Package process turns an entity as it was read into an entity as it is
// stored: see Pipeline.
package process
