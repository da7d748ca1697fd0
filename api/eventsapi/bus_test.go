package eventsapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/eventbus/bustest"
	"github.com/greenroom-idp/greenroom/api/eventsapi"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

const (
	events    = "/api/events/bus/v1/events"
	shop      = "/api/events/bus/v1/subscriptions/catalog.shop"
	published = `{"event":{"topic":"orders","payload":{"id":1}}}`
)

// hub starts a server with a bus.
func hub(t *testing.T, change func(*eventsapi.Options)) (*apitest.Server, *eventbus.Bus) {
	t.Helper()
	bus, err := eventbus.Open(eventbus.Options{Store: &bustest.Memory{}})
	require.NoError(t, err)
	o := eventsapi.Options{Bus: bus, Receivers: map[string]eventsapi.Receiver{"orders": nil}}
	if change != nil {
		change(&o)
	}
	a, err := eventsapi.New(o)
	require.NoError(t, err)
	return apitest.New(t, func(o *api.Options, _ *auth.Options) { o.Events = a }), bus
}

var service = apitest.As(apitest.ServiceToken)

func TestBus(t *testing.T) {
	s, _ := hub(t, nil)
	res := s.Do("GET", shop+"/events", "", service)
	require.Equal(t, 404, res.Status)
	require.JSONEq(t, `{"error":{"name":"NotFoundError","message":"Subscription not found"},
		"request":{"method":"GET","url":"/bus/v1/subscriptions/catalog.shop/events"},"response":{"statusCode":404}}`, res.Text())
	res = s.Do("POST", events, published, service)
	require.Equal(t, 204, res.Status, "nobody listens")
	for range 2 {
		res = s.Do("PUT", shop, `{"topics":["orders","bills"]}`, service)
		require.Equal(t, 201, res.Status)
		require.Empty(t, res.Body)
	}
	res = s.Do("POST", events, published, service)
	require.Equal(t, 201, res.Status)
	require.Empty(t, res.Body)
	require.Equal(t, 204, s.Do("POST", events, `{"event":{"topic":"orders","payload":2},"notifiedSubscribers":["catalog.shop"]}`, service).Status)
	require.Equal(t, 201, s.Do("POST", events, `{"event":{"topic":"bills","payload":null},"notifiedSubscribers":["other"]}`, service).Status)
	require.Equal(t, 404, s.Do("HEAD", shop+"/events", "", service).Status, "a HEAD would take events away")
	res = s.Do("GET", shop+"/events", "", service)
	require.Equal(t, 200, res.Status)
	require.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"))
	require.Equal(t, `{"events":[{"topic":"orders","payload":{"id":1}},{"topic":"bills","payload":null}]}`, res.Text())
	res = s.Do("GET", "/api/events/openapi.json", "", service)
	for _, id := range []string{"PostEvent", "PutSubscription", "GetSubscriptionEvents"} {
		require.Contains(t, res.Text(), `"operationId":"`+id+`"`)
	}
}

// What is posted over HTTP goes to those who have subscribed.
func TestIngressReachesTheBus(t *testing.T) {
	genuine := receiver(func(_ http.Header, body []byte) (webhook.Delivery, error) {
		return webhook.Delivery{Source: "github", Event: "push", Body: body}, nil
	})
	q := &queue{}
	s, _ := hub(t, func(o *eventsapi.Options) { o.Receivers["github"], o.Queue = genuine, q })
	require.Equal(t, 201, s.Do("PUT", shop, `{"topics":["orders","github","github.push"]}`, service).Status)
	require.Equal(t, 202, s.Do("POST", "/api/events/http/orders", ` {"id": 7} `, apitest.Anonymous).Status)
	require.Equal(t, 202, s.Do("POST", "/api/events/http/github", `{"ref":"main"}`, apitest.Anonymous).Status)
	require.Equal(t, 400, s.Do("POST", "/api/events/http/orders", `{"id":`, apitest.Anonymous).Status)
	require.Len(t, q.put, 1)
	require.JSONEq(t, `{"events":[{"topic":"orders","payload":{"id":7}},{"topic":"github","payload":{"ref":"main"}},{"topic":"github.push","payload":{"ref":"main"}}]}`,
		s.Do("GET", shop+"/events", "", service).Text())
}

func TestWhoMayUseTheBus(t *testing.T) {
	s, _ := hub(t, nil)
	for _, r := range []struct{ method, path, body string }{
		{"POST", events, published}, {"PUT", shop, `{"topics":[]}`}, {"GET", shop + "/events", ""},
	} {
		res := s.Do(r.method, r.path, r.body)
		require.Equal(t, 403, res.Status, r)
		require.Contains(t, res.Text(), "This endpoint does not allow 'user' credentials")
		require.Equal(t, 401, s.Do(r.method, r.path, r.body, apitest.Anonymous).Status)
	}
}

func TestBadRequestsToTheBus(t *testing.T) {
	s, _ := hub(t, nil)
	long := strings.Repeat("x", 256)
	for _, tc := range []struct{ name, method, path, body, says string }{
		{"no event", "POST", events, `{}`, "request/body must have required property 'event'"},
		{"no topic", "POST", events, `{"event":{"payload":1}}`, "request/body/event must have required property 'topic'"},
		{"no payload", "POST", events, `{"event":{"topic":"a"}}`, "request/body/event must have required property 'payload'"},
		{"a topic that is no text", "POST", events, `{"event":{"topic":1,"payload":1}}`, "request/body/event/topic must be string"},
		{"an empty topic", "POST", events, `{"event":{"topic":"","payload":1}}`, "1 to 255 characters"},
		{"subscribers that are no texts", "POST", events, `{"event":{"topic":"a","payload":1},"notifiedSubscribers":[1]}`, "request/body/notifiedSubscribers/0 must be string"},
		{"no JSON", "POST", events, `{`, "JSON"},
		{"no topics", "PUT", shop, `{}`, "request/body must have required property 'topics'"},
		{"a topic that is too long", "PUT", shop, `{"topics":["` + long + `"]}`, "1 to 255 characters"},
		{"an id that is too long", "PUT", "/api/events/bus/v1/subscriptions/" + long, `{"topics":[]}`, "1 to 255 characters"},
		{"too many topics", "PUT", shop, `{"topics":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`, "may have 1000 topics"},
		{"an unknown parameter", "GET", shop + "/events?limit=1", "", "Unknown query parameter 'limit'"},
		{"more than 5 MiB", "POST", events, `{"event":{"topic":"a","payload":"` + strings.Repeat("x", eventsapi.BodyLimit) + `"}}`, "too large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := s.Do(tc.method, tc.path, tc.body, service)
			require.Equal(t, 400, res.Status, res.Text())
			require.Contains(t, res.Text(), tc.says)
		})
	}
	require.Equal(t, 204, s.Do("POST", events, `{"event":{"topic":"a","payload":"`+strings.Repeat("x", 4<<20)+`"}}`, service).Status, "up to 5 MiB")
}

// poll asks for events over a connection, and returns the answer as soon as its
// head is there.
func poll(t *testing.T, ctx context.Context, base string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+shop+"/events", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+apitest.ServiceToken)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// Without events the head of the answer comes at once, and its end with the
// next event.
func TestLongPoll(t *testing.T) {
	s, bus := hub(t, nil)
	web := httptest.NewServer(s)
	defer web.Close()
	require.NoError(t, bus.Subscribe("catalog.shop", []string{"orders"}))
	for n := range 3 {
		res := poll(t, t.Context(), web.URL)
		require.Equal(t, 202, res.StatusCode)
		require.Equal(t, "55000", res.Header.Get("Backstage-Events-Notify-Timeout"))
		require.Empty(t, res.Header.Get("Content-Type"))
		_, err := bus.Publish(eventbus.Event{Topic: "orders", Payload: fmt.Append(nil, n)})
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Empty(t, body)
		res = poll(t, t.Context(), web.URL)
		body, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf(`{"events":[{"topic":"orders","payload":%d}]}`, n), string(body))
	}
	res := poll(t, t.Context(), web.URL)
	require.Equal(t, 202, res.StatusCode)
	s.Stopping()
	_, err := io.ReadAll(res.Body)
	require.NoError(t, err, "the end of the server ends it in order")
}

func TestLongPollEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, bus := hub(t, nil)
		require.NoError(t, bus.Subscribe("catalog.shop", []string{"orders"}))
		begin := time.Now()
		require.Equal(t, 202, s.Do("GET", shop+"/events", "", service).Status)
		require.Equal(t, 55*time.Second, time.Since(begin))
	})
}

// Events that were on their way to somebody who has gone go to the next one who
// asks.
func TestEventsForWhoHasGone(t *testing.T) {
	s, bus := hub(t, nil)
	require.NoError(t, bus.Subscribe("catalog.shop", []string{"orders"}))
	_, err := bus.Publish(eventbus.Event{Topic: "orders", Payload: []byte("1")})
	require.NoError(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(gone, "GET", shop+"/events", nil)
	r.Header.Set("Authorization", "Bearer "+apitest.ServiceToken)
	s.ServeHTTP(httptest.NewRecorder(), r)
	require.Contains(t, s.Do("GET", shop+"/events", "", service).Text(), `"payload":1`)
}
