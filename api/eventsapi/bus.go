package eventsapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// timeoutHeader tells a subscriber for how many milliseconds at most a request
// for events is held open.
const timeoutHeader = "backstage-events-notify-timeout"

var (
	textSchema  = &operation.Schema{Type: "string"}
	textsSchema = &operation.Schema{Type: "array", Items: textSchema}
	eventSchema = &operation.Schema{Type: "object", Required: []string{"topic", "payload"}, Properties: []operation.Property{
		{Name: "topic", Schema: textSchema}, {Name: "payload", Schema: &operation.Schema{}}}}
)

// The operations. They are not changed after start-up.
var (
	opPublish = &operation.Operation{Method: http.MethodPost, Path: "/bus/v1/events", ID: "PostEvent", OK: 201,
		About: "Publish an event. 204 says that nobody has subscribed who does not know it already.", BodyRequired: true, BodyLimit: BodyLimit,
		Body: &operation.Schema{Type: "object", Required: []string{"event"}, Properties: []operation.Property{
			{Name: "event", Schema: eventSchema}, {Name: "notifiedSubscribers", Schema: textsSchema}}}}
	opSubscribe = &operation.Operation{Method: http.MethodPut, Path: "/bus/v1/subscriptions/{subscriptionId}", ID: "PutSubscription", OK: 201,
		About: "Subscribe to topics, or change the topics of a subscription.", BodyRequired: true,
		Body: &operation.Schema{Type: "object", Required: []string{"topics"}, Properties: []operation.Property{{Name: "topics", Schema: textsSchema}}}}
	opTake = &operation.Operation{Method: http.MethodGet, Path: "/bus/v1/subscriptions/{subscriptionId}/events", ID: "GetSubscriptionEvents", OK: 200,
		About: "Get the next events of a subscription. 202 says that there are none, and ends when it is worth asking again."}
)

func operations() []*operation.Operation {
	return []*operation.Operation{opPublish, opSubscribe, opTake}
}

// OpenAPI answers GET /openapi.json.
func (a *API) OpenAPI(*gin.Context) (any, error) { return a.described, nil }

// HasBus tells whether the routes of the bus are there.
func (a *API) HasBus() bool { return a.bus != nil }

func needService(c *gin.Context) error { return auth.PrincipalFrom(c.Request.Context()).NeedService() }

// Publish answers POST /bus/v1/events.
func (a *API) Publish(c *gin.Context) (any, error) {
	if err := needService(c); err != nil {
		return nil, err
	}
	in, err := opPublish.Read(c)
	if err != nil {
		return nil, err
	}
	event := in.Body.Object("event")
	wanted, err := a.bus.Publish(eventbus.Event{
		Topic: event.String("topic"), Payload: jsonvalue.Append(nil, event.Value("payload")), Notified: in.Strings("notifiedSubscribers"),
	})
	if err != nil {
		return nil, err
	}
	if !wanted {
		return wire.NoContent(), nil
	}
	return wire.Status{Code: http.StatusCreated}, nil
}

// Subscribe answers PUT /bus/v1/subscriptions/{subscriptionId}.
func (a *API) Subscribe(c *gin.Context) (any, error) {
	if err := needService(c); err != nil {
		return nil, err
	}
	in, err := opSubscribe.Read(c)
	if err != nil {
		return nil, err
	}
	id, _ := wire.Param(c, "subscriptionId")
	if err := a.bus.Subscribe(id, in.Strings("topics")); err != nil {
		return nil, err
	}
	return wire.Status{Code: http.StatusCreated}, nil
}

// Events answers GET /bus/v1/subscriptions/{subscriptionId}/events: with events
// if there are some, and else with a 202 whose end says that there may be.
func (a *API) Events(c *gin.Context) (any, error) {
	if err := needService(c); err != nil {
		return nil, err
	}
	if _, err := opTake.Read(c); err != nil {
		return nil, err
	}
	id, _ := wire.Param(c, "subscriptionId")
	// Watching begins before the look, or an event in between would be seen by
	// neither.
	news, stop, err := a.bus.Watch(id)
	if err != nil {
		return nil, err
	}
	batch, err := a.bus.Take(id)
	if err != nil {
		stop()
		return nil, err
	}
	if len(batch.Events) > 0 {
		stop()
		return a.deliver(batch), nil
	}
	batch.Done(true)
	return wire.Stream{
		Code: http.StatusAccepted, Header: map[string]string{timeoutHeader: strconv.FormatInt(a.poll.Milliseconds(), 10)},
		Run: func(ctx context.Context, send func([]byte) error) error {
			defer stop()
			return a.wait(ctx, news, send)
		},
	}, nil
}

// deliver sends events. They are on their way until the last byte has been
// taken over by the network.
func (a *API) deliver(batch *eventbus.Batch) wire.Stream {
	return wire.Stream{ContentType: "application/json; charset=utf-8", Run: func(ctx context.Context, send func([]byte) error) error {
		body := []byte(`{"events":[`)
		for i, e := range batch.Events {
			if i > 0 {
				body = append(body, ',')
			}
			body = jsonvalue.AppendString(append(body, `{"topic":`...), e.Topic)
			body = append(append(append(body, `,"payload":`...), e.Payload...), '}')
		}
		err := send(append(body, "]}"...))
		batch.Done(err == nil && ctx.Err() == nil)
		return err
	}}
}

// wait holds an answer open until there is news.
func (a *API) wait(ctx context.Context, news <-chan struct{}, send func([]byte) error) error {
	if err := send(nil); err != nil { // so that the client has the status at once
		return err
	}
	timeout := time.NewTimer(a.poll)
	defer timeout.Stop()
	select {
	case <-news:
	case <-timeout.C:
	case <-a.stop:
	case <-ctx.Done():
	}
	return nil
}
