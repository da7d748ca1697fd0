package eventbus

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Subscribe makes a subscription, which gets the events from now on, or changes
// the topics of one that is there. What that one was given and has not said to
// have read is given again: whoever subscribes has just started.
func (b *Bus) Subscribe(id string, topics []string) error {
	if err := checkSubscription(id, topics); err != nil {
		return err
	}
	topics = slices.Compact(slices.Sorted(slices.Values(topics)))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	s := b.subs[id]
	if s == nil && len(b.subs) >= b.MaxSubscriptions {
		return catalog.NewError(catalog.NameUnavailable, fmt.Sprintf("There are %d subscriptions already. Those that nobody asks for are dropped after %s", len(b.subs), b.MaxIdle))
	}
	read := b.last
	if s != nil {
		read = s.read
	}
	if s == nil || !slices.Equal(topics, slices.Sorted(maps.Keys(s.topics))) {
		if err := b.Store.Apply(Change{Put: []Subscription{{ID: id, Topics: topics, Read: read}}}); err != nil {
			return fmt.Errorf("store subscription: %w", err)
		}
	}
	if s == nil {
		s = newSubscription(id, read)
		b.subs[id] = s
	}
	s.handed, s.asked = read, b.Now()
	b.change(s, topics)
	return nil
}

func checkSubscription(id string, topics []string) error {
	if err := checkName("id of a subscription", id); err != nil {
		return err
	}
	if len(topics) > MaxTopics {
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("A subscription may have %d topics, not %d", MaxTopics, len(topics)))
	}
	for _, topic := range topics {
		if err := checkName("topic", topic); err != nil {
			return err
		}
	}
	return nil
}

// change gives a subscription other topics, and counts anew what it has yet to
// read. The caller holds the mutex.
func (b *Bus) change(s *subscription, topics []string) {
	for _, e := range b.events {
		if s.wants(e) {
			e.open--
		}
	}
	b.setTopics(s, topics)
	for _, e := range b.events {
		if s.wants(e) {
			e.open++
		}
	}
	s.wake()
}

// A Batch is events that were handed out. Done must be called for it.
type Batch struct {
	Events []Event // oldest first

	bus  *Bus
	sub  *subscription
	from uint64 // what had been handed out before
}

// Done tells whether the events have reached the subscriber. Those that have
// not, and all after them, are given again.
func (t *Batch) Done(reached bool) {
	t.bus.mu.Lock()
	defer t.bus.mu.Unlock()
	delete(t.sub.flying, t)
	if !reached && len(t.Events) > 0 {
		t.sub.handed = min(t.sub.handed, t.from)
		t.sub.wake()
	}
}

// Take hands out the next events of a subscription, none if there are none yet.
// That it is called says that those which have reached the subscriber have been
// read. A subscription that
// is not there is catalog.ErrNotFound.
func (b *Bus) Take(id string) (*Batch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.subs[id]
	if s == nil {
		return nil, catalog.NewError(catalog.NameNotFound, "Subscription not found")
	}
	s.asked = b.Now()
	if err := b.acknowledge(s); err != nil {
		return nil, err
	}
	batch := &Batch{bus: b, sub: s, from: s.handed}
	size, until := 0, s.handed
	for _, e := range b.events {
		if e.Sequence <= s.handed || !s.wants(e) {
			continue
		}
		if size += e.Bytes; len(batch.Events) == BatchSize || size > batchBytes && len(batch.Events) > 0 {
			break
		}
		payload, err := b.Store.Payload(e.Sequence)
		if err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		if payload == nil {
			b.Logger.Error("an event is lost", slog.Uint64("sequence", e.Sequence), slog.String("topic", e.Topic))
			continue
		}
		batch.Events = append(batch.Events, Event{Topic: e.Topic, Payload: payload})
		until = e.Sequence
	}
	s.handed = until
	s.flying[batch] = struct{}{}
	b.metrics.delivered.Add(float64(len(batch.Events)))
	return batch, nil
}

// acknowledge stores that everything that was handed out has been read, but for
// what is on its way, and removes what nobody needs any more. The caller holds
// the mutex.
func (b *Bus) acknowledge(s *subscription) error {
	read := s.handed
	for t := range s.flying {
		read = min(read, t.from)
	}
	if read <= s.read {
		return nil
	}
	done := map[*event]bool{}
	var remove []uint64
	for _, e := range b.events {
		if e.Sequence <= read && s.wants(e) {
			if done[e] = e.open == 1; done[e] {
				remove = append(remove, e.Sequence)
			}
		}
	}
	topics := slices.Sorted(maps.Keys(s.topics))
	put := []Subscription{{ID: s.id, Topics: topics, Read: read}}
	if err := b.Store.Apply(Change{Remove: remove, Put: put}); err != nil {
		return fmt.Errorf("store what was read: %w", err)
	}
	for e := range done {
		e.open--
	}
	s.read = read
	if len(remove) > 0 {
		b.take(func(e *event) bool { return done[e] })
	}
	return nil
}

// Watch returns a channel that gets a value when the subscription may have
// something to read. Stop ends it, and must be called.
func (b *Bus) Watch(id string) (news <-chan struct{}, stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.subs[id]
	if s == nil {
		return nil, nil, catalog.NewError(catalog.NameNotFound, "Subscription not found")
	}
	c := make(chan struct{}, 1)
	s.waiting[c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(s.waiting, c)
		s.asked = b.Now()
	}, nil
}

// wake tells all who wait. The caller holds the mutex of the bus.
func (s *subscription) wake() {
	for c := range s.waiting {
		select {
		case c <- struct{}{}:
		default: // it has not looked yet
		}
	}
}
