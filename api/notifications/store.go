package notifications

import (
	"context"
	"time"
)

// A Store keeps notifications and what users made of them. Implementations are
// safe for concurrent use, and what they wrote is durable when they return.
type Store interface {
	// Inbox returns what a user sees, newest first, in the state in which the
	// user left it.
	Inbox(ctx context.Context, user string) ([]Notification, error)
	// Status counts what a user sees, in a fraction of the time of Inbox.
	Status(ctx context.Context, user string) (Status, error)
	// Add stores notifications in turn and returns them as they are stored.
	// One with a scope takes the place of an earlier one to the same user, of
	// the same origin and scope, if there is one: that keeps its id and its
	// time of creation, gets this one's title, description, link, topic and
	// severity, was updated when this one was created, and is unread.
	Add(ctx context.Context, list []Notification) ([]Notification, error)
	// Mark changes the state of those of the ids that a user sees; others are
	// passed over.
	Mark(ctx context.Context, user string, ids []string, m Mark) error
	// Settings returns what a user set; nothing is no error.
	Settings(ctx context.Context, user string) (Settings, error)
	// PutSettings stores settings over those before.
	PutSettings(ctx context.Context, user string, s Settings) error
	// Clean forgets what was neither created nor updated after a moment, and
	// says how many notifications that were.
	Clean(ctx context.Context, before time.Time) (int, error)
}

// Status counts notifications.
type Status struct {
	Unread int `json:"unread"`
	Read   int `json:"read"`
}

// A Mark is a change of state; nil leaves a state as it is, and a zero time
// takes it away.
type Mark struct{ Read, Saved *time.Time }
