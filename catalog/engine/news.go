package engine

import "encoding/json"

// News hears what goes wrong with entities, once it is stored. Its methods are
// called while the catalog is being written to: they must not wait.
type News interface {
	// Failed is called for an entity whose errors are new.
	Failed(Failure)
	// Conflicted is called for an entity that was left out, since another
	// location has one of that ref.
	Conflicted(Conflict)
}

// A Failure is an entity that cannot be processed.
type Failure struct {
	Ref string
	// Location is where it was read from, as in its annotation; "": unknown.
	Location string
	// Errors is a JSON array of objects with name and message.
	Errors json.RawMessage
}

// A Conflict is an entity that was left out.
type Conflict struct {
	Ref string
	// Entity is what was left out.
	Entity json.RawMessage
	// NewLocationKey is that of who wanted it in, ExistingLocationKey of who has
	// it.
	NewLocationKey, ExistingLocationKey string
}
