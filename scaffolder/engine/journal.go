package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// maxBatch is how many entries one transaction takes.
const maxBatch = 1024

// errClosed is returned for what comes after the journal was closed.
var errClosed = catalog.NewError(catalog.NameUnavailable, "The scaffolder is shutting down")

// An entry is something to write.
type entry struct {
	// task is whose watchers are to be woken once it is stored.
	task string
	// write writes. It returns a *catalog.Error or store.ErrNotFound, before it
	// has written anything, where the request cannot be met; any other error
	// means that the store has a fault. It may be called twice.
	write func(store.WriteTx) error
	// done takes how it ended; nil: nobody waits.
	done func(error)

	err error
}

// A journal writes entries in the order in which they come, many in one
// transaction, and wakes watchers after the commit.
type journal struct {
	store store.Store
	wake  func(task string)

	mu     sync.RWMutex // against closing while somebody sends
	closed bool
	in     chan *entry
	ended  chan struct{}
}

func newJournal(s store.Store, wake func(string)) *journal {
	j := &journal{store: s, wake: wake, in: make(chan *entry, maxBatch), ended: make(chan struct{})}
	go j.run()
	return j
}

// post hands an entry over. It waits only while the queue is full.
func (j *journal) post(e *entry) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.closed {
		e.finish(errClosed)
		return
	}
	j.in <- e
}

// commit writes and waits until it is stored. When ctx ends first it may be
// stored nonetheless.
func (j *journal) commit(ctx context.Context, task string, write func(store.WriteTx) error) error {
	done := make(chan error, 1)
	j.post(&entry{task: task, write: write, done: func(err error) { done <- err }})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close stores what is there and ends.
func (j *journal) close() {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		close(j.in)
	}
	j.mu.Unlock()
	<-j.ended
}

func (j *journal) run() {
	defer close(j.ended)
	for first := range j.in {
		j.persist(j.gather(first))
	}
}

// gather takes what is there already into the same transaction.
func (j *journal) gather(first *entry) []*entry {
	batch := []*entry{first}
	for len(batch) < maxBatch {
		select {
		case e, ok := <-j.in:
			if !ok {
				return batch
			}
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// persist commits a batch. Where one entry spoils the transaction, each gets
// one of its own.
func (j *journal) persist(batch []*entry) {
	err := j.store.Update(func(tx store.WriteTx) error {
		for _, e := range batch {
			if err := e.try(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && len(batch) > 1 {
		for _, e := range batch {
			j.persist([]*entry{e})
		}
		return
	}
	woken := map[string]bool{}
	for _, e := range batch {
		e.finish(errors.Join(err, e.err))
		if e.task != "" && !woken[e.task] {
			woken[e.task] = true
			j.wake(e.task)
		}
	}
}

// try writes; an error is returned only if it spoils the transaction.
func (e *entry) try(tx store.WriteTx) error {
	e.err = nil
	if e.write == nil {
		return nil
	}
	err := e.write(tx)
	var refusal *catalog.Error
	if errors.As(err, &refusal) || errors.Is(err, store.ErrNotFound) {
		e.err = err
		return nil
	}
	return err
}

func (e *entry) finish(err error) {
	if e.done != nil {
		e.done(err)
	}
}
