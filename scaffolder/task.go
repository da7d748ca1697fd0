package scaffolder

import (
	"time"
)

// A Status is the state of a task, or of a step in its log.
type Status string

// The states. A task is never cancelled or skipped: cancelling makes it fail,
// and an event says why.
const (
	Open       Status = "open"
	Processing Status = "processing"
	Completed  Status = "completed"
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
	Skipped    Status = "skipped"
)

// Ended tells whether a task in this state does nothing any more.
func (s Status) Ended() bool { return s != Open && s != Processing }

// A Task is one run of a template, without its spec.
type Task struct {
	// ID is a UUID in lower case.
	ID     string
	Status Status
	// CreatedAt is when it was asked for; Heartbeat when it last made
	// progress, zero if it never did.
	CreatedAt, Heartbeat time.Time
	// CreatedBy is the entity ref of the user that asked for it, "" for a
	// service.
	CreatedBy string
	// TemplateRef is the ref of its template, "" if that is not known.
	TemplateRef string
	// StartsOver: those who watch forget what was before a retry.
	StartsOver bool
	// Held: the task failed since the program ended during a step that may not
	// run twice. Its workspace and journal are kept for a retry.
	Held bool
	// Number is the order in which tasks were created, from 1.
	Number uint64
	// Turn is the order in which tasks wait to run.
	Turn uint64
}

// An EventType says what an event tells.
type EventType string

// The types of events; clients know no others.
const (
	EventLog        EventType = "log"
	EventCompletion EventType = "completion"
	EventCancelled  EventType = "cancelled"
	EventRecovered  EventType = "recovered"
)

// An Event is something that happened to a task.
type Event struct {
	// ID ascends over all tasks, from 1.
	ID        int64
	TaskID    string
	Type      EventType
	CreatedAt time.Time
	// Body is a JSON object: see LogBody and its like.
	Body []byte
}
