package eventbus

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/prometheus/client_golang/prometheus"
)

// An Event is something that happened.
type Event struct {
	Topic string
	// Payload is any JSON value.
	Payload json.RawMessage
	// Notified are the subscriptions that know already.
	Notified []string
}

// A Stored is an event with its place in the order of all, without payload.
type Stored struct {
	Sequence uint64
	At       time.Time
	Topic    string
	Notified []string
	Bytes    int // of the payload
}

// A Subscription is who wants events, as it is stored.
type Subscription struct {
	ID     string
	Topics []string
	// Read is the sequence up to which everything has been read.
	Read uint64
}

// A Change is what is stored together, or not at all.
type Change struct {
	// Add keeps an event; nil: there is none.
	Add *Added
	// Remove drops events.
	Remove []uint64
	// Put replaces subscriptions, Drop removes them.
	Put  []Subscription
	Drop []string
}

// An Added is an event with its payload.
type Added struct {
	Stored
	Payload []byte
}

// A Store keeps events and subscriptions. What a method has answered is stored.
// Methods are not called at the same time, but for Payload.
type Store interface {
	// Load returns everything but payloads, events in ascending order.
	Load() ([]Stored, []Subscription, error)
	// Payload returns that of an event, nil if there is no such event.
	Payload(sequence uint64) ([]byte, error)
	Apply(Change) error
}

// Bounds of what is taken.
const (
	// MaxName bounds topics and the ids of subscriptions, in bytes.
	MaxName = 255
	// MaxTopics bounds the topics of a subscription.
	MaxTopics = 1000
	// BatchSize is how many events are given at once, and batchBytes about how
	// large their payloads may be together.
	BatchSize  = 10
	batchBytes = 8 << 20
)

// Options are what a Bus needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Store is required.
	Store Store
	// MaxEvents, MaxBytes and MaxAge bound what is kept. Zeros are 10,000
	// events, 128 MiB and 24 hours.
	MaxEvents int
	MaxBytes  int
	MaxAge    time.Duration
	// MaxSubscriptions is how many there may be; 0: 1,000.
	MaxSubscriptions int
	// MaxIdle is after which time a subscription is dropped that nobody asks
	// for; 0: 24 hours.
	MaxIdle time.Duration
	// Logger; nil: nothing is logged.
	Logger *slog.Logger
	// Registerer takes the metrics; nil: nobody.
	Registerer prometheus.Registerer
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

func (o *Options) setDefaults() {
	setZero(&o.MaxEvents, 10_000)
	setZero(&o.MaxBytes, 128<<20)
	setZero(&o.MaxAge, 24*time.Hour)
	setZero(&o.MaxSubscriptions, 1000)
	setZero(&o.MaxIdle, 24*time.Hour)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func setZero[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// A Bus keeps events for subscriptions.
type Bus struct {
	Options
	metrics *metrics

	mu      sync.Mutex // guards what follows
	events  []*event   // in ascending order
	bytes   int        // of their payloads
	last    uint64     // the highest sequence there ever was, as far as it matters
	subs    map[string]*subscription
	readers map[string]int // of topics: how many subscriptions want them
}

// An event is one that somebody has yet to read.
type event struct {
	Stored
	open int // how many subscriptions have yet to read it
}

// A subscription is who reads.
type subscription struct {
	id      string
	topics  map[string]bool
	read    uint64              // as it is stored
	handed  uint64              // up to which events have been handed out
	flying  map[*Batch]struct{} // on their way
	asked   time.Time
	waiting map[chan struct{}]struct{}
}

func newSubscription(id string, read uint64) *subscription {
	return &subscription{id: id, read: read, handed: read, flying: map[*Batch]struct{}{}, waiting: map[chan struct{}]struct{}{}}
}

// wants tells whether an event is for the subscription.
func (s *subscription) wants(e *event) bool {
	return e.Sequence > s.read && s.topics[e.Topic] && !slices.Contains(e.Notified, s.id)
}

// Open takes over what is stored.
func Open(o Options) (*Bus, error) {
	if o.Store == nil {
		return nil, errors.New("event bus needs a store")
	}
	o.setDefaults()
	b := &Bus{Options: o, subs: map[string]*subscription{}, readers: map[string]int{}}
	b.metrics = newMetrics(o.Registerer, b)
	events, subscriptions, err := o.Store.Load()
	if err != nil {
		return nil, fmt.Errorf("read stored events: %w", err)
	}
	for _, s := range subscriptions {
		own := newSubscription(s.ID, s.Read)
		own.asked = o.Now() // nobody could ask while the program did not run
		b.subs[s.ID] = own
		b.setTopics(own, s.Topics)
		b.last = max(b.last, s.Read)
	}
	for _, s := range events {
		b.last = max(b.last, s.Sequence)
		b.insert(&event{Stored: s})
	}
	return b, nil
}

// insert adds an event to what is known. The caller holds the mutex.
func (b *Bus) insert(e *event) {
	for _, s := range b.subs {
		if s.wants(e) {
			e.open++
		}
	}
	b.events = append(b.events, e)
	b.bytes += e.Bytes
}

// setTopics changes what a subscription wants, without a look at events. The
// caller holds the mutex.
func (b *Bus) setTopics(s *subscription, topics []string) {
	for topic := range s.topics {
		if b.readers[topic]--; b.readers[topic] <= 0 {
			delete(b.readers, topic)
		}
	}
	s.topics = make(map[string]bool, len(topics))
	for _, topic := range topics {
		if !s.topics[topic] {
			s.topics[topic] = true
			b.readers[topic]++
		}
	}
}

// Wanted tells whether anybody has subscribed to a topic, so that an event
// which nobody wants need not be made.
func (b *Bus) Wanted(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.readers[topic] > 0
}

// Publish keeps an event for those who want it, and tells whether there is
// somebody. A topic that is empty or too long is an InputError.
func (b *Bus) Publish(e Event) (wanted bool, err error) {
	if err := checkName("topic", e.Topic); err != nil {
		return false, err
	}
	if len(e.Payload) > b.MaxBytes {
		return false, catalog.NewError(catalog.NameInput, fmt.Sprintf("The payload of an event must not be larger than %d bytes", b.MaxBytes))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	next := &event{Stored: Stored{Sequence: b.last + 1, At: b.Now(), Topic: e.Topic, Notified: e.Notified, Bytes: len(e.Payload)}}
	if b.readers[e.Topic] == 0 || !b.anyone(next) {
		b.metrics.published.WithLabelValues("unwanted").Inc()
		return false, nil
	}
	dropped := b.surplus(e.Topic, next.Bytes)
	change := Change{Add: &Added{next.Stored, e.Payload}, Remove: sequences(dropped)}
	if err := b.Store.Apply(change); err != nil {
		return false, fmt.Errorf("store event: %w", err)
	}
	b.last++
	b.forget(dropped)
	b.insert(next)
	b.metrics.published.WithLabelValues("stored").Inc()
	for _, s := range b.subs {
		if s.wants(next) {
			s.wake()
		}
	}
	return true, nil
}

func checkName(what, name string) error {
	if name == "" || len(name) > MaxName {
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("The %s must have 1 to %d characters", what, MaxName))
	}
	return nil
}

// anyone tells whether a subscription wants an event. The caller holds the
// mutex.
func (b *Bus) anyone(e *event) bool {
	for _, s := range b.subs {
		if s.wants(e) {
			return true
		}
	}
	return false
}

// surplus returns the events that must go so that one more finds room: the
// oldest of the topic that takes up most of it, so that whoever floods a topic
// harms nobody else. The caller holds the mutex.
func (b *Bus) surplus(topic string, size int) (out []*event) {
	if len(b.events) < b.MaxEvents && b.bytes+size <= b.MaxBytes {
		return nil
	}
	number, bytes := map[string]int{topic: 1}, map[string]int{topic: size}
	byTopic := map[string][]*event{}
	for _, e := range b.events {
		number[e.Topic]++
		bytes[e.Topic] += e.Bytes
		byTopic[e.Topic] = append(byTopic[e.Topic], e)
	}
	left, taken := len(b.events), b.bytes
	for left > 0 && (left >= b.MaxEvents || taken+size > b.MaxBytes) {
		hog := largest(number, byTopic)
		if taken+size > b.MaxBytes {
			hog = largest(bytes, byTopic)
		}
		e := byTopic[hog][0]
		byTopic[hog] = byTopic[hog][1:]
		number[hog]--
		bytes[hog] -= e.Bytes
		left--
		taken -= e.Bytes
		out = append(out, e)
	}
	return out
}

// largest returns the topic with the largest share among those that have events
// left; of equal ones, the first by name.
func largest(share map[string]int, byTopic map[string][]*event) (hog string) {
	found := false
	for topic, events := range byTopic {
		if len(events) == 0 {
			continue
		}
		if n, most := share[topic], share[hog]; !found || n > most || n == most && topic < hog {
			hog, found = topic, true
		}
	}
	return hog
}

// forget takes events away, and tells who had yet to read them. The caller holds the
// mutex, and has removed them from the store.
func (b *Bus) forget(dropped []*event) {
	if len(dropped) == 0 {
		return
	}
	lost, gone := map[string]int{}, make(map[*event]bool, len(dropped))
	for _, e := range dropped {
		gone[e] = true
		if e.open > 0 {
			b.metrics.dropped.Inc()
		}
		for _, s := range b.subs {
			if s.wants(e) {
				lost[s.id]++
			}
		}
	}
	for id, n := range lost {
		b.Logger.Warn("events were dropped before they were read", slog.String("subscription", id), slog.Int("events", n))
	}
	b.take(func(e *event) bool { return gone[e] })
}

// take removes events from memory. The caller holds the mutex.
func (b *Bus) take(gone func(*event) bool) {
	b.events = slices.DeleteFunc(b.events, func(e *event) bool {
		if !gone(e) {
			return false
		}
		b.bytes -= e.Bytes
		return true
	})
}

func sequences(events []*event) (out []uint64) {
	for _, e := range events {
		out = append(out, e.Sequence)
	}
	return out
}

// expire drops what is too old, or what nobody has yet to read any more. It only fails to, with a line in the log: the
// next one tries again. The caller holds the mutex.
func (b *Bus) expire() {
	now := b.Now()
	var change Change
	var old []*event
	for _, e := range b.events {
		if e.open == 0 || now.Sub(e.At) >= b.MaxAge {
			old = append(old, e)
		}
	}
	change.Remove = sequences(old)
	for id, s := range b.subs {
		if len(s.waiting) == 0 && now.Sub(s.asked) >= b.MaxIdle {
			change.Drop = append(change.Drop, id)
		}
	}
	if len(change.Remove)+len(change.Drop) == 0 {
		return
	}
	if err := b.Store.Apply(change); err != nil {
		b.Logger.Error("events that are too old cannot be dropped", slog.String("error", err.Error()))
		return
	}
	b.forget(old)
	for _, id := range change.Drop {
		b.Logger.Info("a subscription was dropped that nobody asks for", slog.String("subscription", id))
		b.drop(id)
	}
}

// drop forgets a subscription. What only it had yet to read goes the next time
// that something expires. The caller holds the mutex.
func (b *Bus) drop(id string) {
	s := b.subs[id]
	for _, e := range b.events {
		if s.wants(e) {
			e.open--
		}
	}
	b.setTopics(s, nil)
	delete(b.subs, id)
}
