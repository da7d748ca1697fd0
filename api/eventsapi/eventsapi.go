package eventsapi

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// BodyLimit is the largest delivery, in bytes, that is taken.
const BodyLimit = 5 << 20

// A Receiver knows one source of deliveries.
type Receiver interface {
	// Accept checks that a delivery is genuine and says what it is about. The
	// error is a *webhook.RefusedError, or webhook.ErrUnusable.
	Accept(h http.Header, body []byte) (webhook.Delivery, error)
}

// A Queue keeps deliveries until they have been acted upon.
type Queue interface {
	// Put stores a delivery; isNew is false for one that it has had before.
	Put(d webhook.Delivery) (isNew bool, err error)
}

// Options are what an API needs.
type Options struct {
	// Receivers by topic. Where one is nil, what is posted is taken and has no
	// effect.
	Receivers map[string]Receiver
	// Queue is required where there is a receiver that is not nil.
	Queue Queue
	// Bus takes what is posted, and what is published; nil: there is none.
	Bus *eventbus.Bus
	// PollTimeout is how long a request for events is held open; 0: 55 seconds.
	PollTimeout time.Duration
	// BasePath is the path of the mount in openapi.json; "": /api/events.
	BasePath string
	// Logger is slog.Default where it is nil.
	Logger *slog.Logger
}

// An API answers for the events plugin.
type API struct {
	receivers map[string]Receiver
	queue     Queue
	bus       *eventbus.Bus
	poll      time.Duration
	log       *slog.Logger
	described any

	stopOnce sync.Once
	stop     chan struct{}
}

// New checks the options.
func New(o Options) (*API, error) {
	for _, r := range o.Receivers {
		if r != nil && o.Queue == nil {
			return nil, errors.New("events API needs a queue")
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.PollTimeout == 0 {
		o.PollTimeout = 55 * time.Second
	}
	if o.BasePath == "" {
		o.BasePath = "/api/events"
	}
	return &API{
		receivers: o.Receivers, queue: o.Queue, bus: o.Bus, poll: o.PollTimeout, log: o.Logger, stop: make(chan struct{}),
		described: operation.Describe("events", "What happened, for those who have subscribed to it.", o.BasePath, operations()),
	}, nil
}

// Stop ends requests that wait for events, so that the server can stop.
func (a *API) Stop() { a.stopOnce.Do(func() { close(a.stop) }) }

var accepted = wire.Status{Code: http.StatusAccepted, Body: wire.Obj("status", "accepted")}

// Post answers POST /http/:topic. The answer comes once the delivery is stored.
func (a *API) Post(c *gin.Context) (any, error) {
	topic, ok := wire.Param(c, "topic")
	receiver, known := a.receivers[topic]
	switch {
	case !ok || !known:
		return nil, wire.NotFound("There is no topic " + topic + " that can be posted to")
	case !wire.IsJSON(c.Request):
		return nil, catalog.NewError(wire.NameUnsupportedMedia, "Only application/json is taken")
	}
	body, err := readBody(c.Request)
	if err != nil {
		return nil, err
	}
	if receiver != nil {
		return a.receive(c, receiver, topic, body)
	}
	if _, err := jsonvalue.Parse(body); err != nil {
		return nil, catalog.NewError(wire.NameSyntax, err.Error())
	}
	if err := a.tell(body, topic); err != nil {
		return nil, err
	}
	return accepted, nil
}

// tell publishes the body of a delivery under topics.
func (a *API) tell(body []byte, topics ...string) error {
	if a.bus == nil {
		return nil
	}
	for _, topic := range topics {
		if _, err := a.bus.Publish(eventbus.Event{Topic: topic, Payload: body}); err != nil {
			return err
		}
	}
	return nil
}

func (a *API) receive(c *gin.Context, receiver Receiver, topic string, body []byte) (any, error) {
	d, err := receiver.Accept(c.Request.Header, body)
	var refused *webhook.RefusedError
	switch {
	case errors.As(err, &refused):
		a.log.WarnContext(c.Request.Context(), "a webhook is refused", slog.String("topic", topic), slog.String("reason", refused.Reason))
		return wire.Status{Code: http.StatusForbidden, Body: wire.Obj("message", refused.Reason)}, nil
	case errors.Is(err, webhook.ErrUnusable):
		return nil, catalog.NewError(wire.NameSyntax, "The body is not the JSON of an event")
	case err != nil:
		return nil, err
	}
	switch _, err := a.queue.Put(d); {
	case errors.Is(err, webhook.ErrFull):
		a.log.ErrorContext(c.Request.Context(), "a webhook is turned away: the queue is full", slog.String("topic", topic))
		c.Header("Retry-After", "30")
		return nil, catalog.NewError(catalog.NameUnavailable, "There are too many webhooks that have not been acted upon")
	case err != nil:
		return nil, err
	}
	if err := a.tell(body, topic, d.Source+"."+d.Event); err != nil {
		return nil, err
	}
	return accepted, nil
}

// readBody returns the body as it came: a signature is over its bytes.
func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > BodyLimit {
		return nil, wire.ErrBodyTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, BodyLimit+1))
	switch {
	case err != nil:
		return nil, wire.InputError("request body could not be read")
	case len(body) > BodyLimit:
		return nil, wire.ErrBodyTooLarge
	}
	return body, nil
}
