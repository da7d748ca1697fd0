package store

import (
	"errors"
	"time"

	"github.com/greenroom-idp/greenroom/scaffolder"
)

// ErrNotFound is returned for an id that no task has.
var ErrNotFound = errors.New("no such task")

// A Store runs transactions. Both methods return the error of fn, after which
// nothing of an Update remains.
type Store interface {
	View(fn func(ReadTx) error) error
	Update(fn func(WriteTx) error) error
}

// A ReadTx reads one committed state. It is not used after fn has returned, and
// what it hands out is the caller's own.
type ReadTx interface {
	// Task returns a task, or an error that is ErrNotFound.
	Task(id string) (scaffolder.Task, error)
	// Spec returns the spec of a task as JSON, or ErrNotFound.
	Spec(id string) ([]byte, error)
	// Tasks yields all tasks in the order in which they were created, or the
	// other way round, until yield returns false.
	Tasks(newestFirst bool, yield func(scaffolder.Task) bool) error
	// Unfinished yields the tasks that are open or processing, by their turn.
	Unfinished(yield func(scaffolder.Task) bool) error
	// Events returns the events of a task whose id is above after, and its
	// completion if its id is not, ordered by id; ErrNotFound without a task.
	// Once the bodies have limit bytes together it stops, and more is true if
	// there are more; a limit of 0 is none.
	Events(id string, after int64, limit int) (events []scaffolder.Event, more bool, err error)
	// LastStep returns the step that the newest event with a step is about, ""
	// if there is none.
	LastStep(id string) (string, error)
	// Steps returns the journal of a task in order of the steps.
	Steps(id string) ([]StepRecord, error)
	// Checkpoint returns what an action has stored, ok false if nothing.
	Checkpoint(id, key string) (value []byte, ok bool, err error)
	// Secrets returns the sealed secrets of a task, nil if it has none.
	Secrets(id string) ([]byte, error)
}

// A WriteTx reads its own writes. What is written about a task that is not
// there is ErrNotFound, but for PutTask.
type WriteTx interface {
	ReadTx

	// PutTask stores a new task, giving it its number, or changes one. A task
	// whose Turn is 0 is put behind all others. It returns what it stored.
	PutTask(scaffolder.Task) (scaffolder.Task, error)
	// PutSpec stores the spec of a task.
	PutSpec(id string, spec []byte) error
	// Append adds an event, giving it its id, and returns it.
	Append(scaffolder.Event) (scaffolder.Event, error)
	// DropEvents removes the events of a task of these types.
	DropEvents(id string, types ...scaffolder.EventType) error
	// PutStep stores a record of the journal over one of the same step.
	PutStep(id string, r StepRecord) error
	// ClearSteps empties the journal of a task.
	ClearSteps(id string) error
	// PutCheckpoint stores what an action wants to keep.
	PutCheckpoint(id, key string, value []byte) error
	// PutSecrets stores sealed secrets over those before; nil removes them.
	PutSecrets(id string, sealed []byte) error
}

// A StepRecord says how far a step came.
type StepRecord struct {
	// Index is the place of the step among the steps of the task, from 0.
	Index  int
	Status scaffolder.Status // Processing, Completed, Failed or Skipped
	// Done is how many iterations of a step with each have ended.
	Done int
	// Repeatable: the step may run again when its end was not recorded.
	Repeatable bool
	// Output is what the step has put out up to now, a JSON object; nil for
	// nothing.
	Output []byte
	// At is when the record was made.
	At time.Time
}

// MaxBlob is how many bytes a spec, the body of an event, the output of a step
// or a checkpoint may have.
const MaxBlob = 64 << 20

// ErrTooLarge is returned for what has more bytes than MaxBlob.
var ErrTooLarge = errors.New("too large for the store of tasks")
