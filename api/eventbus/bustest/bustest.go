package bustest

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/stretchr/testify/require"
)

// A Memory is a store without a file. Fail, where it is not nil, is asked
// before every change.
type Memory struct {
	Fail func(eventbus.Change) error

	mu     sync.Mutex
	events map[uint64]eventbus.Added
	subs   map[string]eventbus.Subscription
}

var _ eventbus.Store = (*Memory)(nil)

// Load implements eventbus.Store.
func (m *Memory) Load() (events []eventbus.Stored, subs []eventbus.Subscription, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(m.events)) {
		events = append(events, m.events[n].Stored)
	}
	for _, id := range slices.Sorted(maps.Keys(m.subs)) {
		subs = append(subs, m.subs[id])
	}
	return events, subs, nil
}

// Payload implements eventbus.Store.
func (m *Memory) Payload(sequence uint64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.events[sequence].Payload, nil
}

// Apply implements eventbus.Store.
func (m *Memory) Apply(c eventbus.Change) error {
	if m.Fail != nil {
		if err := m.Fail(c); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events == nil {
		m.events, m.subs = map[uint64]eventbus.Added{}, map[string]eventbus.Subscription{}
	}
	if c.Add != nil {
		m.events[c.Add.Sequence] = *c.Add
	}
	for _, n := range c.Remove {
		delete(m.events, n)
	}
	for _, s := range c.Put {
		m.subs[s.ID] = s
	}
	for _, id := range c.Drop {
		delete(m.subs, id)
	}
	return nil
}

// Len returns how many events are stored.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events)
}

// TestStore checks a store. Open returns the same one each time, as after a
// restart; it is empty in the beginning.
func TestStore(t *testing.T, open func() eventbus.Store) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	event := func(n uint64, topic, payload string, notified ...string) *eventbus.Added {
		return &eventbus.Added{Stored: eventbus.Stored{Sequence: n, At: at, Topic: topic, Notified: notified, Bytes: len(payload)}, Payload: []byte(payload)}
	}
	first, second := event(1, "a", `{"x":"ü"}`), event(300, "tópic \"quoted\"", "null", "s1", "s2")
	sub := eventbus.Subscription{ID: "catalog.s/1", Topics: []string{"a", "b"}, Read: 1<<63 + 5}

	events, subs, err := open().Load()
	require.NoError(t, err)
	require.Empty(t, events)
	require.Empty(t, subs)
	require.NoError(t, open().Apply(eventbus.Change{Add: second}))
	require.NoError(t, open().Apply(eventbus.Change{Add: first, Put: []eventbus.Subscription{{ID: "z"}, sub}}))
	events, subs, err = open().Load()
	require.NoError(t, err)
	require.Equal(t, []eventbus.Stored{first.Stored, second.Stored}, events, "in ascending order")
	require.ElementsMatch(t, []string{"catalog.s/1", "z"}, []string{subs[0].ID, subs[1].ID})
	require.Contains(t, subs, sub)
	for _, e := range []*eventbus.Added{first, second} {
		payload, err := open().Payload(e.Sequence)
		require.NoError(t, err)
		require.Equal(t, string(e.Payload), string(payload))
	}
	payload, err := open().Payload(2)
	require.NoError(t, err)
	require.Nil(t, payload)

	sub.Read = 7
	third := event(301, "c", "[]")
	require.NoError(t, open().Apply(eventbus.Change{Add: third, Remove: []uint64{1, 2}, Put: []eventbus.Subscription{sub}, Drop: []string{"z", "no"}}))
	events, subs, err = open().Load()
	require.NoError(t, err)
	require.Equal(t, []eventbus.Stored{second.Stored, third.Stored}, events)
	require.Equal(t, []eventbus.Subscription{sub}, subs)
}
