package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQueueHandsOutInOrderAndOnce(t *testing.T) {
	q := newQueue(time.Now)
	q.push("a", "b", "a", "c")
	for _, want := range []string{"a", "b", "c"} {
		got, _, ok := q.pop()
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	q.push("b") // while it is running
	ready, running := q.pending()
	require.Equal(t, 0, ready, "a running ref must not be handed out twice")
	require.Equal(t, 3, running)
	q.done("a", "b", "c")
	got, _, ok := q.pop()
	require.True(t, ok)
	require.Equal(t, "b", got, "what was asked for meanwhile is kept")
	q.done("b")
	require.Empty(t, q.items, "a ref without a schedule is forgotten")
}

func TestQueueKeepsItsSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(time.Now)
		begin := time.Now()
		q.schedule("late", begin.Add(3*time.Hour))
		q.schedule("early", begin.Add(time.Hour))
		q.schedule("moved", begin.Add(time.Minute))
		q.schedule("moved", begin.Add(2*time.Hour))
		for _, want := range []struct {
			ref   string
			after time.Duration
		}{{"early", time.Hour}, {"moved", 2 * time.Hour}, {"late", 3 * time.Hour}} {
			got, _, ok := q.pop()
			require.True(t, ok)
			require.Equal(t, want.ref, got)
			require.Equal(t, want.after, time.Since(begin))
			q.done(got)
		}
		q.close()
	})
}

func TestQueueScheduleOfARunningRefCountsAfterItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(time.Now)
		q.push("a")
		_, _, _ = q.pop()
		q.schedule("a", time.Now().Add(time.Minute))
		time.Sleep(2 * time.Minute)
		ready, _ := q.pending()
		require.Zero(t, ready)
		q.done("a")
		got, _, ok := q.pop()
		require.True(t, ok)
		require.Equal(t, "a", got)
		q.close()
	})
}

func TestQueueRemove(t *testing.T) {
	for name, prepare := range map[string]func(q *queue){
		"ready":     func(q *queue) { q.push("a") },
		"scheduled": func(q *queue) { q.schedule("a", time.Now().Add(time.Hour)) },
		"running and due again": func(q *queue) {
			q.push("a")
			_, _, _ = q.pop()
			q.push("a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(time.Now)
			prepare(q)
			q.remove("a")
			q.done("a")
			q.push("b")
			got, _, _ := q.pop()
			require.Equal(t, "b", got)
			q.done("b")
			require.Empty(t, q.items)
			require.Empty(t, q.waiting)
			q.close()
		})
	}
}

func TestQueueCloseWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(time.Now)
		ended := make(chan bool)
		go func() {
			_, _, ok := q.pop()
			ended <- ok
		}()
		synctest.Wait()
		q.close()
		require.False(t, <-ended)
	})
}

func TestQueueSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(time.Now)
		require.NoError(t, q.settle(t.Context()))
		q.push("a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, q.settle(ctx), context.DeadlineExceeded)
		go func() {
			ref, _, _ := q.pop()
			time.Sleep(time.Minute)
			q.done(ref)
		}()
		require.NoError(t, q.settle(t.Context()))
		q.close()
	})
}

// TestQueueAgainstAModel does what comes at random and compares with a plain
// account of what must be due.
func TestQueueAgainstAModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	q := newQueue(time.Now)
	due, inHand := map[string]bool{}, map[string]bool{}
	for range 200_000 {
		ref := fmt.Sprint(r.IntN(300))
		switch r.IntN(5) {
		case 0, 1:
			q.push(ref)
			due[ref] = true
		case 2:
			q.remove(ref)
			delete(due, ref)
		case 3:
			ready := 0
			for ref := range due {
				if !inHand[ref] {
					ready++
				}
			}
			if ready == 0 {
				continue
			}
			got, _, ok := q.pop()
			require.True(t, ok)
			require.True(t, due[got] && !inHand[got], got)
			delete(due, got)
			inHand[got] = true
		case 4:
			for _, ref := range slices.Collect(keys(inHand)) {
				q.done(ref)
				delete(inHand, ref)
				break
			}
		}
		_, running := q.pending()
		require.Equal(t, len(inHand), running)
	}
	q.close()
}

func keys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
