package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/stretchr/testify/require"
)

// A reader follows an event stream.
type sseReader struct {
	res   *http.Response
	lines *bufio.Scanner
}

func (w *workshop) follow(server *httptest.Server, id string, after int64) *sseReader {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", server.URL+"/api/scaffolder/v2/tasks/"+id+"/eventstream?after="+strconv.FormatInt(after, 10), nil)
	require.NoError(w.t, err)
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Accept-Encoding", "gzip")
	res, err := server.Client().Do(r)
	require.NoError(w.t, err)
	require.Equal(w.t, 200, res.StatusCode)
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 16<<20)
	return &sseReader{res, lines}
}

type sseEvent struct {
	ID   int64
	Type string
	Body struct{ Message, StepID string }
}

// next returns the next event; false at the end of the stream.
func (r *sseReader) next() (e sseEvent, ok bool) {
	for r.lines.Scan() {
		if data, found := strings.CutPrefix(r.lines.Text(), "data: "); found {
			return e, json.Unmarshal([]byte(data), &e) == nil
		}
	}
	return e, false
}

func TestEventStream(t *testing.T) {
	w := newWorkshop(t, nil)
	server := httptest.NewServer(w.server)
	defer server.Close()
	id := w.create(`{"templateRef":"slow","values":{}}`)
	require.Equal(t, id, <-w.waits)
	s := w.follow(server, id, 0)
	require.Equal(t, "text/event-stream", s.res.Header.Get("Content-Type"))
	require.Equal(t, "no-cache", s.res.Header.Get("Cache-Control"))
	require.Empty(t, s.res.Header.Get("Content-Encoding"), "compressing would hold events back")
	var ids []int64
	for _, want := range []string{"Starting up task with 1 steps", "Beginning step wait"} {
		e, ok := s.next()
		require.True(t, ok)
		require.Equal(t, want, e.Body.Message)
		ids = append(ids, e.ID)
	}
	// A second client has seen the first event already.
	late := w.follow(server, id, ids[0])
	e, ok := late.next()
	require.True(t, ok)
	require.Equal(t, ids[1], e.ID)
	close(w.gate)
	for _, stream := range []*sseReader{s, late} {
		e, ok = stream.next()
		require.True(t, ok)
		require.Equal(t, "Finished step wait", e.Body.Message)
		e, ok = stream.next()
		require.True(t, ok)
		require.Equal(t, "completion", e.Type)
		_, ok = stream.next()
		require.False(t, ok, "the stream ends with the task")
	}
	over := w.follow(server, id, e.ID)
	again, ok := over.next()
	require.True(t, ok)
	require.Equal(t, e.ID, again.ID, "the completion comes whatever comes after")
	_, ok = over.next()
	require.False(t, ok)
	require.Equal(t, 200, w.do("HEAD", "/api/scaffolder/v2/tasks/"+id+"/eventstream", "").status)
}

// The long poll answers when there is something, or with nothing after a while.
func TestEventsWait(t *testing.T) {
	w := newWorkshop(t, func(o *scaffolderapi.Options, _ *engine.Options) { o.PollTimeout = 50 * time.Millisecond })
	id := w.create(`{"templateRef":"slow","values":{}}`)
	<-w.waits
	var events []sseEvent
	require.Eventually(t, func() bool { // until the beginning of the step is stored
		require.NoError(t, json.Unmarshal(w.do("GET", "/api/scaffolder/v2/tasks/"+id+"/events", "").body, &events))
		return len(events) == 2
	}, soon, time.Millisecond)
	last := events[len(events)-1].ID
	r := w.do("GET", fmt.Sprintf("/api/scaffolder/v2/tasks/%s/events?after=%d", id, last), "")
	require.Equal(t, "[]", r.text())
	close(w.gate)
	w.ended(id)
	require.NoError(t, json.Unmarshal(w.do("GET", fmt.Sprintf("/api/scaffolder/v2/tasks/%s/events?after=%d", id, last+100), "").body, &events))
	require.Len(t, events, 1)
	require.Equal(t, "completion", events[0].Type)
}

// A server that stops does not wait for those who follow tasks.
func TestStoppingEndsStreams(t *testing.T) {
	w := newWorkshop(t, nil)
	server := httptest.NewServer(w.server)
	id := w.create(`{"templateRef":"slow","values":{}}`)
	<-w.waits
	s := w.follow(server, id, 0)
	_, ok := s.next()
	require.True(t, ok)
	w.server.Stopping()
	for ok {
		_, ok = s.next()
	}
	done := make(chan struct{})
	go func() { server.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatal("the server waits for a stream")
	}
}

// A client that does not read holds up neither the task nor those who do.
func TestStalledClients(t *testing.T) {
	w := newWorkshop(t, nil)
	w.entities["template:default/chatty"] = `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"chatty","namespace":"default"},
		"spec":{"type":"t","steps":[{"id":"wait","action":"wait"},{"id":"s","action":"say","each":[` + strings.TrimSuffix(strings.Repeat("1,", 300), ",") + `],
		"input":{"message":"` + strings.Repeat("blah ", 8000) + `"}}]}}`
	server := httptest.NewServer(w.server)
	defer server.CloseClientConnections()
	id := w.create(`{"templateRef":"chatty","values":{}}`)
	<-w.waits
	for range 5 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "GET /api/scaffolder/v2/tasks/%s/eventstream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", id, w.token)
		require.NoError(t, err)
	}
	s := w.follow(server, id, 0)
	close(w.gate)
	n, e, ok := 0, sseEvent{}, true
	for ok {
		var next sseEvent
		if next, ok = s.next(); ok {
			e = next
			n++
		}
	}
	require.Equal(t, "completion", e.Type)
	require.Greater(t, n, 600, "who reads gets all twelve megabytes")
}

// Whoever comes again with the id of the last event that was seen gets each
// event once, wherever the connection broke.
func TestReconnecting(t *testing.T) {
	w := newWorkshop(t, nil)
	server := httptest.NewServer(w.server)
	defer server.Close()
	w.entities["template:default/many"] = `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"many","namespace":"default"},
		"spec":{"type":"t","steps":[{"id":"s","action":"say","each":[` + strings.TrimSuffix(strings.Repeat("1,", 200), ",") + `],"input":{"message":"x"}}]}}`
	id := w.create(`{"templateRef":"many","values":{}}`)
	var seen []int64
	last, done := int64(0), false
	for round := 0; !done; round++ {
		s := w.follow(server, id, last)
		for range 1 + round%17 {
			e, ok := s.next()
			if !ok {
				break
			}
			seen, last = append(seen, e.ID), e.ID
			if done = e.Type == "completion"; done {
				break
			}
		}
		s.res.Body.Close()
	}
	var events []sseEvent
	require.NoError(t, json.Unmarshal(w.do("GET", "/api/scaffolder/v2/tasks/"+id+"/events", "").body, &events))
	var want []int64
	for _, e := range events {
		want = append(want, e.ID)
	}
	require.Equal(t, want, seen)
}
