package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/eventbus/boltevents"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	tasks "github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// The topics that the program itself publishes, which are those of the
// reference.
const (
	topicTask     = "scaffolder.task"
	topicErrors   = "experimental.catalog.errors"
	topicConflict = "experimental.catalog.conflict"
)

// openBus opens the bus of events, and what tells it of the catalog.
func (p *platform) openBus() error {
	store, err := boltevents.Open(p.db)
	if err != nil {
		return err
	}
	if p.bus, err = eventbus.Open(eventbus.Options{Store: store, Logger: p.log, Registerer: p.registry}); err != nil {
		return err
	}
	p.news = &catalogNews{bus: p.bus, log: p.log, queue: make(chan eventbus.Event, newsWaiting)}
	return nil
}

// taskNews tells the bus of tasks.
type taskNews struct {
	bus *eventbus.Bus
	log *slog.Logger
}

var _ tasks.News = taskNews{}

// Wanted implements tasks.News.
func (n taskNews) Wanted() bool { return n.bus.Wanted(topicTask) }

// Tell implements tasks.News.
func (n taskNews) Tell(o *jsonvalue.Object) {
	if _, err := n.bus.Publish(eventbus.Event{Topic: topicTask, Payload: jsonvalue.Append(nil, o)}); err != nil {
		n.log.Error("an event is lost", slog.String("topic", topicTask), slog.String("error", err.Error()))
	}
}

// newsWaiting is how many events of the catalog may wait to be published.
const newsWaiting = 1000

// catalogNews tells the bus of the catalog, without keeping it waiting.
type catalogNews struct {
	bus   *eventbus.Bus
	log   *slog.Logger
	queue chan eventbus.Event
	lost  atomic.Int64 // since the last one was published
}

var _ engine.News = (*catalogNews)(nil)

// Failed implements engine.News.
func (n *catalogNews) Failed(f engine.Failure) {
	n.offer(topicErrors, struct {
		Entity   string          `json:"entity"`
		Location string          `json:"location,omitempty"`
		Errors   json.RawMessage `json:"errors"`
	}{f.Ref, f.Location, f.Errors})
}

// Conflicted implements engine.News.
func (n *catalogNews) Conflicted(c engine.Conflict) {
	n.offer(topicConflict, struct {
		UnprocessedEntity   json.RawMessage `json:"unprocessedEntity"`
		EntityRef           string          `json:"entityRef"`
		NewLocationKey      string          `json:"newLocationKey"`
		ExistingLocationKey string          `json:"existingLocationKey"`
		LastConflictAt      time.Time       `json:"lastConflictAt"`
	}{c.Entity, c.Ref, c.NewLocationKey, c.ExistingLocationKey, time.Now().UTC().Truncate(time.Millisecond)})
}

func (n *catalogNews) offer(topic string, payload any) {
	if !n.bus.Wanted(topic) {
		return
	}
	data, err := json.Marshal(payload)
	if err != nil {
		n.log.Error("an event is lost", slog.String("topic", topic), slog.String("error", err.Error()))
		return
	}
	select {
	case n.queue <- eventbus.Event{Topic: topic, Payload: data}:
	default:
		n.lost.Add(1)
	}
}

// run publishes until ctx ends, and then what is still waiting.
func (n *catalogNews) run(ctx context.Context) {
	for {
		select {
		case e := <-n.queue:
			n.publish(e)
			continue
		default:
		}
		select {
		case e := <-n.queue:
			n.publish(e)
		case <-ctx.Done():
			return
		}
	}
}

func (n *catalogNews) publish(e eventbus.Event) {
	if lost := n.lost.Swap(0); lost > 0 {
		n.log.Warn("events are lost, as there were too many at once", slog.Int64("events", lost))
	}
	if _, err := n.bus.Publish(e); err != nil {
		n.log.Error("an event is lost", slog.String("topic", e.Topic), slog.String("error", err.Error()))
	}
}
