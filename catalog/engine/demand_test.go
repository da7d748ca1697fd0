package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/process"
)

// Who asks for a run is known while it is under way, and no longer.
func TestDemandOfRuns(t *testing.T) {
	now := time.Unix(1000, 0)
	q := newQueue(func() time.Time { return now })
	pop := func() process.Demand {
		ref, _, ok := q.pop()
		require.True(t, ok)
		return q.demand(ref)
	}
	q.push("a")
	require.Equal(t, process.Demand{Since: now}, pop(), "it is new")
	now = now.Add(time.Second)
	q.ask(process.Demand{Urgent: true}, "a") // while it is running
	now = now.Add(time.Second)
	q.push("a")                                            // does not make it less urgent
	q.ask(process.Demand{Since: now.Add(-time.Hour)}, "a") // nor does what came late make it older
	q.done("a")
	require.Equal(t, process.Demand{Since: now, Urgent: true}, pop())
	q.done("a")
	q.schedule("a", now)
	q.ring()
	require.Zero(t, pop(), "it was simply time for it")
	require.Zero(t, q.demand("unknown"))
	q.done("a")
	received := now.Add(-time.Minute)
	q.ask(process.Demand{Since: received, Urgent: true}, "a")
	require.Equal(t, process.Demand{Since: received, Urgent: true}, pop(), "since a webhook came")
}
