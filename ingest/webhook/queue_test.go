package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// memory is a store that lasts as long as a test; it stands for the file
// between two queues.
type memory struct {
	mu    sync.Mutex
	next  uint64
	kept  map[uint64]webhook.Delivery
	known map[string]bool
	fail  error
}

func newMemory() *memory {
	return &memory{kept: map[uint64]webhook.Delivery{}, known: map[string]bool{}}
}

func (m *memory) Append(d webhook.Delivery) (webhook.Stored, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return webhook.Stored{}, false, m.fail
	}
	key := d.Source + "/" + d.ID
	if m.known[key] {
		return webhook.Stored{}, true, nil
	}
	m.next++
	m.known[key], m.kept[m.next] = true, d
	return webhook.Stored{Sequence: m.next, Lane: d.Lane, Bytes: len(d.Body)}, false, nil
}

func (m *memory) Pending(yield func(webhook.Stored) bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := uint64(1); i <= m.next; i++ {
		if d, ok := m.kept[i]; ok && !yield(webhook.Stored{Sequence: i, Lane: d.Lane, Bytes: len(d.Body)}) {
			return nil
		}
	}
	return nil
}

func (m *memory) Delivery(sequence uint64) (webhook.Delivery, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.kept[sequence]
	return d, ok, nil
}

func (m *memory) Remove(sequences []uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range sequences {
		delete(m.kept, s)
	}
	return nil
}

func (m *memory) Reject(sequence uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.kept[sequence]
	delete(m.known, d.Source+"/"+d.ID)
	delete(m.kept, sequence)
	return nil
}

func (m *memory) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.kept)
}

func delivery(lane string, n int) webhook.Delivery {
	return webhook.Delivery{Source: "github", Event: "push", ID: fmt.Sprintf("%s-%d", lane, n), Lane: lane, Body: []byte("{}")}
}

// record keeps the IDs of the deliveries that were acted upon.
type record struct {
	mu  sync.Mutex
	ids []string
}

func (r *record) add(d webhook.Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, d.ID)
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ids)
}

// work runs a queue until the returned function ends it.
func work(t *testing.T, store *memory, o webhook.Options, handle webhook.Handler) (*webhook.Queue, func()) {
	t.Helper()
	o.Store = store
	q, err := webhook.New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.Work(ctx, handle) }()
	return q, sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

func put(t *testing.T, q *webhook.Queue, d webhook.Delivery) bool {
	t.Helper()
	isNew, err := q.Put(d)
	require.NoError(t, err)
	return isNew
}

func TestEachDeliveryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen record
		store := newMemory()
		q, stop := work(t, store, webhook.Options{}, func(_ context.Context, d webhook.Delivery) error {
			seen.add(d)
			return nil
		})
		defer stop()
		require.True(t, put(t, q, delivery("a", 1)))
		require.False(t, put(t, q, delivery("a", 1)), "known while it waits")
		synctest.Wait()
		require.False(t, put(t, q, delivery("a", 1)), "known once it is done")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.False(t, put(t, q, delivery("a", 1)), "known once it is removed")
		synctest.Wait()
		require.Equal(t, []string{"a-1"}, seen.all())
		require.Zero(t, store.size())
		require.Zero(t, q.Waiting())
	})
}

func TestLanesKeepTheirOrderAndDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen record
		hold := make(chan struct{})
		q, stop := work(t, newMemory(), webhook.Options{}, func(_ context.Context, d webhook.Delivery) error {
			if d.ID == "slow-1" {
				<-hold
			}
			seen.add(d)
			return nil
		})
		defer stop()
		for i := 1; i <= 3; i++ {
			put(t, q, delivery("slow", i))
		}
		for i := 1; i <= 3; i++ {
			put(t, q, delivery("quick", i))
		}
		synctest.Wait()
		require.Equal(t, []string{"quick-1", "quick-2", "quick-3"}, seen.all())
		close(hold)
		synctest.Wait()
		require.Equal(t, []string{"slow-1", "slow-2", "slow-3"}, seen.all()[3:])
	})
}

func TestFailuresAreTriedAgainInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen record
		failures := 3
		q, stop := work(t, newMemory(), webhook.Options{}, func(_ context.Context, d webhook.Delivery) error {
			if d.ID == "a-1" && failures > 0 {
				failures--
				return errors.New("the host is down")
			}
			seen.add(d)
			return nil
		})
		defer stop()
		put(t, q, delivery("a", 1))
		put(t, q, delivery("a", 2))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Empty(t, seen.all(), "pauses are 1, 2 and 4 seconds")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a-1", "a-2"}, seen.all())
	})
}

func TestWhatCannotBeUsedIsGivenUp(t *testing.T) {
	cases := []struct {
		name  string
		err   error
		tries int
	}{
		{"unusable", fmt.Errorf("no repository: %w", webhook.ErrUnusable), 1},
		{"failing for too long", errors.New("the host is down"), 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen record
				store := newMemory()
				q, stop := work(t, store, webhook.Options{MaxTries: 4}, func(_ context.Context, d webhook.Delivery) error {
					seen.add(d)
					if d.ID == "a-1" {
						return c.err
					}
					return nil
				})
				defer stop()
				put(t, q, delivery("a", 1))
				put(t, q, delivery("a", 2))
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Len(t, seen.all(), c.tries+1)
				require.Equal(t, "a-2", seen.all()[c.tries], "the lane goes on")
				require.Zero(t, store.size())
				require.True(t, put(t, q, delivery("a", 1)), "the host may send it again")
				synctest.Wait()
			})
		})
	}
}

func TestATryThatHangsIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		q, stop := work(t, newMemory(), webhook.Options{Timeout: 10 * time.Second}, func(ctx context.Context, _ webhook.Delivery) error {
			if tries++; tries == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		defer stop()
		put(t, q, delivery("a", 1))
		time.Sleep(12 * time.Second)
		synctest.Wait()
		require.Equal(t, 2, tries)
		require.Zero(t, q.Waiting())
	})
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		started := make(chan string, 10)
		q, stop := work(t, store, webhook.Options{Workers: 1}, func(ctx context.Context, d webhook.Delivery) error {
			started <- d.ID
			if d.ID == "b-1" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		put(t, q, delivery("a", 1))
		synctest.Wait()
		put(t, q, delivery("b", 1))
		put(t, q, delivery("c", 1))
		synctest.Wait()
		stop()
		require.Equal(t, 3, store.size())
		var seen record
		q, stop = work(t, store, webhook.Options{}, func(_ context.Context, d webhook.Delivery) error {
			seen.add(d)
			return nil
		})
		defer stop()
		synctest.Wait()
		require.ElementsMatch(t, []string{"a-1", "b-1", "c-1"}, seen.all(),
			"what was under way, what had not begun, and what had only just been done")
		require.False(t, put(t, q, delivery("b", 1)), "and it is still known")
	})
}

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		wait := func(context.Context, webhook.Delivery) error { <-hold; return nil }
		q, stop := work(t, newMemory(), webhook.Options{MaxDeliveries: 3}, wait)
		defer stop()
		for i := range 3 {
			put(t, q, delivery(fmt.Sprint("lane", i), i))
		}
		_, err := q.Put(delivery("d", 4))
		require.ErrorIs(t, err, webhook.ErrFull, "too many")
		bytes, stopBytes := work(t, newMemory(), webhook.Options{MaxBytes: 10}, wait)
		defer stopBytes()
		big := delivery("a", 1)
		big.Body = make([]byte, 11)
		_, err = bytes.Put(big)
		require.ErrorIs(t, err, webhook.ErrFull, "too large")
		close(hold)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.True(t, put(t, q, delivery("d", 4)), "there is room again")
	})
}

func TestStoreErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		q, stop := work(t, store, webhook.Options{MaxDeliveries: 1}, func(context.Context, webhook.Delivery) error { return nil })
		defer stop()
		store.fail = errors.New("disk full")
		_, err := q.Put(delivery("a", 1))
		require.ErrorContains(t, err, "disk full", "what is not stored is not answered with success")
		store.fail = nil
		require.True(t, put(t, q, delivery("a", 1)), "and takes up no room")
		synctest.Wait()
	})
}

func TestSetID(t *testing.T) {
	d := webhook.Delivery{Event: "push", Body: []byte("{}")}
	d.SetID("72d3162e-cc78-11e3-81ab-4c9367dc0958")
	require.Equal(t, "72d3162e-cc78-11e3-81ab-4c9367dc0958", d.ID)
	d.SetID("")
	none := d.ID
	require.Regexp(t, "^sha256:[0-9a-f]{64}$", none)
	other := webhook.Delivery{Event: "push", Body: []byte("[]")}
	other.SetID("")
	require.NotEqual(t, none, other.ID, "another body is another delivery")
	d.SetID(string(make([]byte, webhook.MaxID+1)))
	require.Len(t, d.ID, len(none), "an ID from outside is bounded")
}
