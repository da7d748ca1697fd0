package provider

import (
	"context"
	"errors"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/engine"
)

// A Provider feeds entities into the catalog.
type Provider struct {
	// Name is what the catalog knows the provider by, such as
	// github-provider:default.
	Name     string
	Schedule Schedule
	// Fingerprint stands for the options of the provider. Where it is not that
	// of the last run, the provider is polled as soon as the program starts.
	Fingerprint string
	// Poll asks the outside what there is. It is not called again before it
	// has returned, and ends soon after ctx does. An error, of any kind,
	// publishes nothing: a listing is complete or it is no listing.
	Poll func(ctx context.Context) (Listing, error)
}

// A Listing is what a poll has found.
type Listing struct {
	// Unchanged tells that all is as in the last poll; the rest is ignored.
	Unchanged bool
	// Delta tells that Added and Removed are the changes since the last poll.
	// Otherwise Added is all there is.
	Delta   bool
	Added   []engine.Deferred
	Removed []string // canonical entity refs
}

// A Change is what an event says of a provider's entities.
type Change struct {
	Added   []engine.Deferred
	Removed []string // canonical entity refs
}

// A Catalog takes what providers feed in.
type Catalog interface {
	// ApplyMutation stores a mutation whole, or not at all.
	ApplyMutation(ctx context.Context, provider string, m engine.Mutation) error
	// Fed returns the canonical refs of the entities that the provider feeds in
	// at this moment.
	Fed(ctx context.Context, provider string) ([]string, error)
}

// A LaterError is an error that knows when to try again, as a host says it when
// a budget is used up.
type LaterError interface {
	error
	// RetryAt is zero where it is not known.
	RetryAt() time.Time
}

// notBefore returns the time before which err forbids another try.
func notBefore(err error) time.Time {
	var later LaterError
	if errors.As(err, &later) {
		return later.RetryAt()
	}
	return time.Time{}
}

// Errors of a Loop.
var (
	// ErrUnknown: no provider has this name.
	ErrUnknown = errors.New("there is no such provider")
	// ErrNothingHeld: the provider has no listing that is held.
	ErrNothingHeld = errors.New("the provider holds nothing")
	// ErrTimeout is the cause of a run that took longer than its schedule
	// allows.
	ErrTimeout = errors.New("the run took longer than the timeout of its schedule")
)
