package eventsapi

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
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
	// Logger is slog.Default where it is nil.
	Logger *slog.Logger
}

// An API answers for the events plugin.
type API struct {
	receivers map[string]Receiver
	queue     Queue
	log       *slog.Logger
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
	return &API{receivers: o.Receivers, queue: o.Queue, log: o.Logger}, nil
}

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
	if receiver == nil {
		a.log.DebugContext(c.Request.Context(), "an event was posted that nobody acts upon", slog.String("topic", topic))
		return accepted, nil
	}
	return a.receive(c, receiver, topic, body)
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
