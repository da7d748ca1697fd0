package eventsapi_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/eventsapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

type receiver func(h http.Header, body []byte) (webhook.Delivery, error)

func (r receiver) Accept(h http.Header, body []byte) (webhook.Delivery, error) { return r(h, body) }

type queue struct {
	put  []webhook.Delivery
	fail error
}

func (q *queue) Put(d webhook.Delivery) (bool, error) {
	if q.fail != nil {
		return false, q.fail
	}
	q.put = append(q.put, d)
	return true, nil
}

func post(t *testing.T, a *eventsapi.API, topic, contentType string, body io.Reader) (any, error) {
	t.Helper()
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodPost, "/api/events/http/"+topic, body)
	c.Request.Header.Set("Content-Type", contentType)
	c.Params = gin.Params{{Key: "topic", Value: topic}}
	return a.Post(c)
}

func TestPost(t *testing.T) {
	genuine := receiver(func(_ http.Header, body []byte) (webhook.Delivery, error) {
		return webhook.Delivery{Source: "github", Body: body}, nil
	})
	failing := func(err error) receiver {
		return func(http.Header, []byte) (webhook.Delivery, error) { return webhook.Delivery{}, err }
	}
	const js = "application/json"
	cases := []struct {
		name, topic, contentType, body string
		receiver                       eventsapi.Receiver
		queue                          queue
		status                         int    // of the answer
		err                            string // or the name of the error
		stored                         bool
	}{
		{name: "genuine", topic: "github", contentType: js, body: `{"a": 1}`, receiver: genuine, status: 202, stored: true},
		{name: "with a charset", topic: "github", contentType: "application/json; charset=utf-8", body: `{}`, receiver: genuine, status: 202, stored: true},
		{name: "forged", topic: "github", contentType: js, body: `{}`, receiver: failing(&webhook.RefusedError{Reason: "invalid signature"}), status: 403},
		{name: "no JSON", topic: "github", contentType: js, body: `{`, receiver: failing(webhook.ErrUnusable), err: wire.NameSyntax},
		{name: "no such topic", topic: "gitlab", contentType: js, body: `{}`, receiver: genuine, err: catalog.NameNotFound},
		{name: "another type", topic: "github", contentType: "application/x-www-form-urlencoded", body: `payload={}`, receiver: genuine, err: wire.NameUnsupportedMedia},
		{name: "too large", topic: "github", contentType: js, body: strings.Repeat(" ", eventsapi.BodyLimit+1), receiver: genuine, err: wire.NamePayloadTooLarge},
		{name: "as large as may be", topic: "github", contentType: js, body: strings.Repeat(" ", eventsapi.BodyLimit), receiver: genuine, status: 202, stored: true},
		{name: "a full queue", topic: "github", contentType: js, body: `{}`, receiver: genuine, queue: queue{fail: webhook.ErrFull}, err: catalog.NameUnavailable},
		{name: "a full disk", topic: "github", contentType: js, body: `{}`, receiver: genuine, queue: queue{fail: errors.New("disk full")}, err: catalog.NameError},
		{name: "a topic without effect", topic: "own", contentType: js, body: `{}`, status: 202},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, err := eventsapi.New(eventsapi.Options{Receivers: map[string]eventsapi.Receiver{"github": c.receiver, "own": nil}, Queue: &c.queue})
			require.NoError(t, err)
			// Without its length announced, too: the limit is on what comes.
			for _, body := range []io.Reader{strings.NewReader(c.body), io.MultiReader(strings.NewReader(c.body))} {
				c.queue.put = nil
				answer, err := post(t, a, c.topic, c.contentType, body)
				if c.err != "" {
					require.Equal(t, c.err, catalog.ErrorName(err))
					continue
				}
				require.NoError(t, err)
				require.Equal(t, c.status, answer.(wire.Status).Code)
				if c.stored {
					require.Equal(t, c.body, string(c.queue.put[0].Body), "what is stored is what came, byte for byte")
				} else {
					require.Empty(t, c.queue.put)
				}
			}
		})
	}
	_, err := eventsapi.New(eventsapi.Options{Receivers: map[string]eventsapi.Receiver{"github": genuine}})
	require.Error(t, err)
}

func TestAnswers(t *testing.T) {
	a, err := eventsapi.New(eventsapi.Options{Queue: &queue{}, Receivers: map[string]eventsapi.Receiver{
		"github": receiver(func(http.Header, []byte) (webhook.Delivery, error) {
			return webhook.Delivery{}, &webhook.RefusedError{Reason: "invalid signature"}
		}), "own": nil,
	}})
	require.NoError(t, err)
	for topic, want := range map[string]string{"github": `{"message":"invalid signature"}`, "own": `{"status":"accepted"}`} {
		answer, err := post(t, a, topic, "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		body, err := wire.AppendJSON(nil, answer.(wire.Status).Body)
		require.NoError(t, err)
		require.Equal(t, want, string(body))
	}
}
