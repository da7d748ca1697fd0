package engine

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// Task returns a task with its spec as JSON, or a NotFoundError.
func (e *Engine) Task(id string) (t scaffolder.Task, spec []byte, err error) {
	err = e.Store.View(func(tx store.ReadTx) error {
		if t, err = tx.Task(id); err != nil {
			return err
		}
		spec, err = tx.Spec(id)
		return err
	})
	return t, spec, noTask(id, err)
}

// An Order says by what tasks are sorted.
type Order struct {
	Field      string // created_at, status or created_by
	Descending bool
}

// A Query asks for tasks.
type Query struct {
	// CreatedBy and Status list what a task may have; empty: anything.
	CreatedBy []string
	Status    []scaffolder.Status
	// Visible tells whether the caller may see a task; nil: all.
	Visible func(scaffolder.Task) bool
	// Order; empty: the newest first.
	Order []Order
	// Limit is how many to return; negative: all that there are.
	Limit, Offset int
}

func (q *Query) matches(t scaffolder.Task) bool {
	return (len(q.CreatedBy) == 0 || slices.Contains(q.CreatedBy, t.CreatedBy)) &&
		(len(q.Status) == 0 || slices.Contains(q.Status, t.Status)) &&
		(q.Visible == nil || q.Visible(t))
}

// A Listed task is one with its spec as JSON.
type Listed struct {
	scaffolder.Task
	Spec []byte
}

// Tasks returns a page of tasks, and how many there are in all.
func (e *Engine) Tasks(q Query) (page []Listed, total int, err error) {
	err = e.Store.View(func(tx store.ReadTx) error {
		found, n, err := q.run(tx)
		if err != nil {
			return err
		}
		total = n
		for _, t := range found {
			spec, err := tx.Spec(t.ID)
			if err != nil {
				return err
			}
			page = append(page, Listed{t, spec})
		}
		return nil
	})
	return page, total, err
}

// run finds the tasks of the page. In the order of the store only these are
// kept, in another one all that match.
func (q *Query) run(tx store.ReadTx) (page []scaffolder.Task, total int, err error) {
	newestFirst := len(q.Order) == 0 || q.Order[0] == Order{"created_at", true}
	stored := newestFirst || q.Order[0] == Order{"created_at", false}
	end := q.Offset + q.Limit
	err = tx.Tasks(newestFirst, func(t scaffolder.Task) bool {
		if !q.matches(t) {
			return true
		}
		if !stored || total >= q.Offset && (q.Limit < 0 || total < end) {
			page = append(page, t)
		}
		total++
		return true
	})
	if err != nil || stored {
		return page, total, err
	}
	slices.SortStableFunc(page, q.compare)
	page = page[min(q.Offset, len(page)):]
	if q.Limit >= 0 {
		page = page[:min(q.Limit, len(page))]
	}
	return page, total, nil
}

func (q *Query) compare(a, b scaffolder.Task) int {
	for _, o := range q.Order {
		var c int
		switch o.Field {
		case "created_at":
			c = cmp.Compare(a.Number, b.Number)
		case "status":
			c = cmp.Compare(a.Status, b.Status)
		case "created_by":
			c = cmp.Compare(a.CreatedBy, b.CreatedBy)
		}
		if o.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// Events returns what happened to a task since the event of that id, and its
// completion in any case. What was before a new beginning is left out where the
// template wants that. A task that is not there is a NotFoundError.
func (e *Engine) Events(id string, after int64) ([]scaffolder.Event, error) {
	events, _, err := e.events(id, after, 0)
	return events, err
}

// pageBytes is how much of a log Page returns at once.
const pageBytes = 256 << 10

// Page is Events for those who take a long log piece by piece: more is true if
// there is more after the last event of the page. The log of a template that
// starts over comes in one piece.
func (e *Engine) Page(t scaffolder.Task, after int64) (events []scaffolder.Event, more bool, err error) {
	limit := pageBytes
	if t.StartsOver {
		limit = 0 // what is to be left out is only known at the end
	}
	return e.events(t.ID, after, limit)
}

func (e *Engine) events(id string, after int64, limit int) (events []scaffolder.Event, more bool, err error) {
	err = e.Store.View(func(tx store.ReadTx) error {
		events, more, err = tx.Events(id, after, limit)
		return err
	})
	if err != nil {
		return nil, false, noTask(id, err)
	}
	return trim(events), more, nil
}

// trim drops what was before the last new beginning, and that itself.
func trim(events []scaffolder.Event) []scaffolder.Event {
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Type != scaffolder.EventRecovered {
			continue
		}
		if bytes.Equal(events[i].Body, scaffolder.RecoveredBody(scaffolder.StartOver)) {
			if i == len(events)-1 {
				return nil
			}
			return events[i:]
		}
		return events
	}
	return events
}

// Watch tells when something is stored about a task. It is to be closed.
func (e *Engine) Watch(id string) *Watch { return e.hub.watch(id) }

// Stopping is closed when the engine begins to shut down: who watches should
// leave then.
func (e *Engine) Stopping() <-chan struct{} { return e.stopping }
