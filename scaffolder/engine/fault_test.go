package engine_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/stretchr/testify/require"
)

// A faultyStore stops writing after some transactions.
type faultyStore struct {
	store.Store
	left atomic.Int64
}

var errDisk = errors.New("no space left on the disk")

func (f *faultyStore) Update(fn func(store.WriteTx) error) error {
	if f.left.Add(-1) < 0 {
		return errDisk
	}
	return f.Store.Update(fn)
}

// When nothing can be stored nothing is shown, the log of the server says why,
// and once it can be stored again the task comes to its end.
func TestAStoreThatFails(t *testing.T) {
	for writes := range int64(8) {
		faulty := &faultyStore{}
		faulty.left.Store(1 << 40)
		h := open(t, func(o *engine.Options) {
			faulty.Store = o.Store
			o.Store = faulty
			o.Concurrency = 1
		})
		gate, reached := h.gate("g")
		id := h.create(job{steps: `[{"id":"w","action":"test:wait","input":{"name":"g"}},{"id":"a","action":"test:write","input":{"name":"x","value":"1"}},
			{"id":"b","action":"test:once","input":{"name":"b"}},{"id":"c","action":"test:read","input":{"name":"x"}}]`})
		within(t, reached, "the first step")
		faulty.left.Store(writes)
		close(gate)
		_, err := h.engine.Create(t.Context(), engine.Request{Spec: h.spec(job{steps: `[]`})})
		for err == nil { // the last write was not used up yet
			_, err = h.engine.Create(t.Context(), engine.Request{Spec: h.spec(job{steps: `[]`})})
		}
		require.ErrorIs(t, err, errDisk, "what cannot be stored is not taken in")
		events, err := h.engine.Events(id, 0)
		require.NoError(t, err)
		h.stop()
		faulty.left.Store(1 << 40)
		before := len(h.allCalls())
		h.start()
		status := h.ended(id)
		task, _, err := h.engine.Task(id)
		require.NoError(t, err)
		if task.Held { // the step that must not run twice may have run
			require.NoError(t, h.engine.Retry(t.Context(), id, engine.Request{}))
			status = h.ended(id)
		}
		require.Equal(t, scaffolder.Completed, status, "%d writes, %d calls before\n%v\n%s", writes, before, h.lines(id), h.log)
		after, err := h.engine.Events(id, 0)
		require.NoError(t, err)
		for i, e := range events {
			if e.Type != scaffolder.EventCompletion {
				require.Equal(t, e.ID, after[i].ID, "what was shown stays")
			}
		}
		h.stop()
	}
}
