package process

import (
	"github.com/greenroom-idp/greenroom/catalog"
)

// An Input is an entity to process.
type Input struct {
	// Entity is unprocessed. The run may change it and keeps parts of it.
	Entity catalog.Entity
	// Cache is what the last run of the same entity returned, nil for none.
	Cache *Cache
}

// A Result is what became of an Input.
type Result struct {
	// OK tells that the run succeeded. If not, only Errors, Warnings, Cache and
	// RefreshKeys have a meaning.
	OK bool
	// Entity is processed, and not stitched: it has no uid, no relations and
	// no status.
	Entity catalog.Entity
	// Children are what the entity emits, in the order of their sources.
	Children []Child
	// Relations are what the entity emits for itself and for others.
	Relations []catalog.Relation
	// RefreshKeys are what to report a change under to have it read again;
	// after a failure, those of what the run has tried to read.
	RefreshKeys []string
	// Errors say why the run failed; there is at least one if it did.
	Errors []error
	// Warnings are for the log.
	Warnings []string
	// Cache is for the next run, nil if there is nothing to keep.
	Cache *Cache
}

// A Child is an entity that another one emits.
type Child struct {
	Ref    string // canonical
	Entity catalog.Entity
	// LocationKey says which location the child belongs to.
	LocationKey string
}
