package eventbus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/eventbus/bustest"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/require"
)

// A rig is a bus over a store in memory.
type rig struct {
	*eventbus.Bus
	t     *testing.T
	store *bustest.Memory
	now   time.Time
	log   bytes.Buffer
	o     eventbus.Options
}

func newRig(t *testing.T, o eventbus.Options) *rig {
	r := &rig{t: t, store: &bustest.Memory{}, now: time.Unix(1_700_000_000, 0), o: o}
	r.o.Store, r.o.Now, r.o.Logger = r.store, func() time.Time { return r.now }, slog.New(slog.NewTextHandler(&r.log, nil))
	r.restart()
	return r
}

// restart forgets all that is not stored.
func (r *rig) restart() {
	var err error
	r.Bus, err = eventbus.Open(r.o)
	require.NoError(r.t, err)
}

func (r *rig) subscribe(id string, topics ...string) {
	r.t.Helper()
	require.NoError(r.t, r.Subscribe(id, topics))
}

func (r *rig) publish(topic string, payload int, notified ...string) bool {
	r.t.Helper()
	wanted, err := r.Publish(eventbus.Event{Topic: topic, Payload: json.RawMessage(fmt.Sprint(payload)), Notified: notified})
	require.NoError(r.t, err)
	return wanted
}

// take returns the next events as "topic payload", and what became of them.
func (r *rig) take(id string, reached bool) string {
	r.t.Helper()
	batch, err := r.Take(id)
	require.NoError(r.t, err)
	batch.Done(reached)
	return words(batch)
}

func words(b *eventbus.Batch) string {
	var out []string
	for _, e := range b.Events {
		out = append(out, e.Topic+string(e.Payload))
	}
	return strings.Join(out, " ")
}

func TestEventsReachThoseWhoSubscribed(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	require.False(t, r.publish("a", 0), "nobody listens")
	require.False(t, r.Wanted("a"))
	r.subscribe("one", "a", "b", "a")
	r.subscribe("two", "a")
	require.True(t, r.Wanted("a"))
	require.True(t, r.publish("a", 1))
	require.True(t, r.publish("b", 2))
	require.False(t, r.publish("c", 3))
	require.True(t, r.publish("a", 4, "two"))
	require.False(t, r.publish("a", 5, "two", "one"), "all who want it know it already")
	require.Equal(t, "a1 b2 a4", r.take("one", true))
	require.Equal(t, "", r.take("one", true))
	require.Equal(t, "a1", r.take("two", true))
	require.Equal(t, "", r.take("two", true))
	require.Zero(t, r.store.Len(), "what all have read is not kept")
	_, err := r.Take("three")
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, _, err = r.Watch("three")
	require.ErrorIs(t, err, catalog.ErrNotFound)
}

func TestEventsAreGivenAtLeastOnce(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	r.subscribe("s", "a")
	r.publish("a", 1)
	require.Equal(t, "a1", r.take("s", false))
	require.Equal(t, "a1", r.take("s", true), "again, after a failure on the way")
	r.subscribe("s", "a")
	require.Equal(t, "a1", r.take("s", true), "again, to a subscriber that has just started")
	r.restart()
	require.Equal(t, "a1", r.take("s", true), "again, after a restart before the next was asked for")
	r.publish("a", 2)
	require.Equal(t, "a2", r.take("s", true))
	require.Equal(t, "", r.take("s", true))
	r.restart()
	require.Equal(t, "", r.take("s", true), "but not what has been read")
	require.False(t, r.Wanted("b"))
	require.True(t, r.publish("a", 3), "the subscription has outlived the process")
	r.restart()
	require.Equal(t, "a3", r.take("s", true))
}

// Those who share a subscription share its events. What one of them does not
// get, another one does, also when more was handed out meanwhile.
func TestSharedSubscriptions(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	r.subscribe("s", "a")
	for n := range 25 {
		r.publish("a", n)
	}
	first, err := r.Take("s")
	require.NoError(t, err)
	second, err := r.Take("s")
	require.NoError(t, err)
	require.Equal(t, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9", words(first))
	require.Equal(t, "a10 a11 a12 a13 a14 a15 a16 a17 a18 a19", words(second))
	second.Done(true)
	require.Equal(t, "a20 a21 a22 a23 a24", r.take("s", true))
	first.Done(false)
	require.Equal(t, words(first), r.take("s", true))
	require.Equal(t, words(second), r.take("s", true))
	require.Equal(t, "a20 a21 a22 a23 a24", r.take("s", true))
	require.Equal(t, "", r.take("s", true))
	require.Zero(t, r.store.Len())
}

func TestChangedTopics(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	r.subscribe("s", "a", "b")
	r.subscribe("other", "b")
	r.publish("a", 1)
	r.publish("b", 2)
	r.subscribe("s", "b", "c")
	require.False(t, r.Wanted("a"))
	r.publish("c", 3)
	require.Equal(t, "b2 c3", r.take("s", true))
	require.Equal(t, "b2", r.take("other", true))
	r.take("s", true)
	r.take("other", true)
	r.publish("b", 4) // what nobody wants any more goes with the next
	require.Equal(t, 1, r.store.Len())
	r.restart()
	require.Equal(t, "b4", r.take("s", true))
}

func TestBounds(t *testing.T) {
	t.Run("number", func(t *testing.T) {
		r := newRig(t, eventbus.Options{MaxEvents: 3})
		r.subscribe("slow", "a")
		for n := range 5 {
			r.publish("a", n)
		}
		require.Equal(t, 3, r.store.Len())
		require.Equal(t, "a2 a3 a4", r.take("slow", true))
		require.Equal(t, 2, strings.Count(r.log.String(), "subscription=slow events=1"), r.log.String())
	})
	t.Run("size", func(t *testing.T) {
		r := newRig(t, eventbus.Options{MaxBytes: 10})
		r.subscribe("slow", "a")
		r.publish("a", 11111)
		r.publish("a", 22222)
		r.publish("a", 3)
		require.Equal(t, "a22222 a3", r.take("slow", true))
	})
	t.Run("a topic that is flooded", func(t *testing.T) {
		r := newRig(t, eventbus.Options{MaxEvents: 4})
		r.subscribe("s", "calm", "flood")
		r.publish("calm", 1)
		for n := range 10 {
			r.publish("flood", n)
		}
		r.publish("calm", 2)
		require.Equal(t, "calm1 flood8 flood9 calm2", r.take("s", true))
		r = newRig(t, eventbus.Options{MaxBytes: 10})
		r.subscribe("s", "calm", "flood")
		r.publish("calm", 1)
		for n := range 5 {
			r.publish("flood", 11111+n)
		}
		require.Equal(t, "calm1 flood11115", r.take("s", true))
	})
	t.Run("one that is too large for all", func(t *testing.T) {
		r := newRig(t, eventbus.Options{MaxBytes: 3})
		r.subscribe("s", "a")
		r.publish("a", 123)
		_, err := r.Publish(eventbus.Event{Topic: "a", Payload: json.RawMessage("1234")})
		require.ErrorIs(t, err, catalog.ErrInput)
		require.Equal(t, "a123", r.take("s", true), "and it takes nothing away")
	})
	t.Run("age", func(t *testing.T) {
		r := newRig(t, eventbus.Options{})
		r.subscribe("slow", "a")
		r.publish("a", 1)
		r.now = r.now.Add(23 * time.Hour)
		r.publish("a", 2)
		r.take("slow", false)
		r.now = r.now.Add(time.Hour)
		r.publish("a", 3)
		require.Equal(t, "a2 a3", r.take("slow", true))
	})
	t.Run("subscriptions that nobody asks for", func(t *testing.T) {
		r := newRig(t, eventbus.Options{MaxAge: 48 * time.Hour})
		r.subscribe("gone", "a")
		r.subscribe("here", "a")
		r.publish("a", 1)
		r.now = r.now.Add(24 * time.Hour)
		r.restart()
		_, stop, err := r.Watch("here")
		require.NoError(t, err)
		defer stop()
		require.True(t, r.publish("a", 2), "a restart gives it time anew")
		r.now = r.now.Add(24 * time.Hour)
		require.False(t, r.publish("b", 1))
		_, err = r.Take("gone")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		r.now = r.now.Add(-time.Hour)
		require.Equal(t, "a2", r.take("here", true), "whoever waits is there")
		require.Contains(t, r.log.String(), "subscription=gone")
	})
	t.Run("subscriptions", func(t *testing.T) {
		r := newRig(t, eventbus.Options{MaxSubscriptions: 2})
		r.subscribe("1", "a")
		r.subscribe("2", "a")
		require.ErrorIs(t, r.Subscribe("3", nil), catalog.ErrUnavailable)
		r.subscribe("2", "b")
	})
	t.Run("a batch", func(t *testing.T) {
		r := newRig(t, eventbus.Options{})
		r.subscribe("s", "a")
		large := json.RawMessage(`"` + strings.Repeat("x", 5<<20) + `"`)
		for range 3 {
			_, err := r.Publish(eventbus.Event{Topic: "a", Payload: large})
			require.NoError(t, err)
		}
		for range 3 {
			batch, err := r.Take("s")
			require.NoError(t, err)
			require.Len(t, batch.Events, 1)
			batch.Done(true)
		}
	})
}

func TestNamesThatCannotBe(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	long := strings.Repeat("x", 256)
	for _, err := range []error{
		r.Subscribe("", []string{"a"}), r.Subscribe(long, []string{"a"}), r.Subscribe("s", []string{""}), r.Subscribe("s", []string{long}),
		r.Subscribe("s", slices.Repeat([]string{"a"}, 1001)),
	} {
		require.ErrorIs(t, err, catalog.ErrInput)
	}
	_, err := r.Publish(eventbus.Event{Topic: ""})
	require.ErrorIs(t, err, catalog.ErrInput)
	r.subscribe(long[1:], long[1:])
}

// A store that fails changes nothing.
func TestFaultsOfTheStore(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	r.subscribe("s", "a")
	r.publish("a", 1)
	broken := errors.New("disk full")
	r.store.Fail = func(eventbus.Change) error { return broken }
	_, err := r.Publish(eventbus.Event{Topic: "a", Payload: json.RawMessage("2")})
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, r.Subscribe("new", []string{"a"}), broken)
	require.Equal(t, "a1", r.take("s", true))
	_, err = r.Take("s")
	require.ErrorIs(t, err, broken, "what was read cannot be stored")
	r.store.Fail = nil
	require.Equal(t, "", r.take("s", true))
	require.True(t, r.publish("a", 3))
	require.Equal(t, "a3", r.take("s", true))
	_, err = eventbus.Open(eventbus.Options{})
	require.Error(t, err)
}

func TestWatch(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	r.subscribe("s", "a")
	news, stop, err := r.Watch("s")
	require.NoError(t, err)
	require.Empty(t, news)
	r.publish("b", 0)
	require.Empty(t, news)
	r.publish("a", 1)
	r.publish("a", 2)
	require.Len(t, news, 1)
	<-news
	batch, err := r.Take("s")
	require.NoError(t, err)
	batch.Done(false)
	require.Len(t, news, 1, "what comes back is news as well")
	stop()
	<-news
	r.publish("a", 3)
	require.Empty(t, news)
}

// Whatever happens, in which order ever: what was published for a subscription
// is read by it, each batch in order, and nothing else is.
func TestRandomOrders(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	r := newRig(t, eventbus.Options{})
	wants := map[string][]string{"one": {"a", "b"}, "two": {"b", "c"}}
	published, seen := map[string][]string{}, map[string]map[string]bool{}
	for id, topics := range wants {
		r.subscribe(id, topics...)
		seen[id] = map[string]bool{}
	}
	read := func(id string, reached bool) (any bool) {
		got := strings.Fields(r.take(id, reached))
		for i, e := range got {
			require.Contains(t, published[id], e, "seed %d", seed)
			require.True(t, i == 0 || slices.Index(published[id], got[i-1]) < slices.Index(published[id], e), "seed %d: %v", seed, got)
			if reached {
				seen[id][e] = true
			}
		}
		return len(got) > 0
	}
	for n := range 2000 {
		id := []string{"one", "two"}[rnd.IntN(2)]
		switch rnd.IntN(12) {
		case 0, 1, 2, 3, 4, 5:
			topic := []string{"a", "b", "c"}[rnd.IntN(3)]
			for who, topics := range wants {
				if slices.Contains(topics, topic) {
					published[who] = append(published[who], topic+fmt.Sprint(n))
				}
			}
			r.publish(topic, n)
		case 6, 7, 8, 9:
			read(id, rnd.IntN(3) > 0)
		case 10:
			r.subscribe(id, wants[id]...)
		default:
			r.restart()
		}
	}
	for id := range wants {
		for read(id, true) {
		}
		require.Len(t, seen[id], len(published[id]), "seed %d: some were never read", seed)
	}
	require.Zero(t, r.store.Len())
}

func TestConcurrency(t *testing.T) {
	r := newRig(t, eventbus.Options{})
	r.subscribe("s", "a")
	const writers, each = 4, 100
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range each {
				_, err := r.Publish(eventbus.Event{Topic: "a", Payload: json.RawMessage(fmt.Sprint(w*each + n))})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 2 {
		all.Go(func() {
			for {
				batch, err := r.Take("s")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, e := range batch.Events {
					seen[string(e.Payload)] = true
				}
				full := len(seen) == writers*each
				mu.Unlock()
				batch.Done(true)
				if full {
					return
				}
			}
		})
	}
	all.Wait()
	require.Len(t, seen, writers*each)
}

func BenchmarkUnwanted(b *testing.B) {
	bus, err := eventbus.Open(eventbus.Options{Store: &bustest.Memory{}})
	require.NoError(b, err)
	require.NoError(b, bus.Subscribe("s", []string{"a"}))
	b.ReportAllocs()
	for b.Loop() {
		if bus.Wanted("b") {
			b.Fatal("nobody wants it")
		}
	}
}
