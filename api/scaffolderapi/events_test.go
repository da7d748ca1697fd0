package scaffolderapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
)

type event struct {
	ID                int64
	IsTaskRecoverable bool
	TaskID, Type      string
	Body              struct{ Message string }
}

// events asks for events at once.
func (s *shop) events(id, query string) []event {
	s.t.Helper()
	r := s.Do("GET", tasks+"/"+id+"/events"+query, "")
	require.Equal(s.t, 200, r.Status, r.Text())
	var out []event
	require.NoError(s.t, json.Unmarshal(r.Body, &out))
	return out
}

var eventTime = regexp.MustCompile(`"createdAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)

// The stream of a task that has ended is the same events in frames, and ends.
func TestFramesOfAStream(t *testing.T) {
	s := serve(t, nil)
	id := s.create(`{"templateRef":"plain","values":{}}`)
	s.ended(id)
	list := s.events(id, "")
	last := list[len(list)-1]
	require.Equal(t, "completion", last.Type)
	r := s.Do("GET", tasks+"/"+id+"/eventstream", "")
	require.Equal(t, 200, r.Status)
	require.Equal(t, "text/event-stream", r.Header.Get("Content-Type"))
	require.Equal(t, "no-cache", r.Header.Get("Cache-Control"))
	require.Equal(t, "keep-alive", r.Header.Get("Connection"))
	frames, found := strings.CutPrefix(r.Text(), ":\n\n")
	require.True(t, found, "the client knows at once that it is connected")
	var raw []json.RawMessage
	require.NoError(t, json.Unmarshal(s.Do("GET", tasks+"/"+id+"/events", "").Body, &raw))
	want := ""
	for i, e := range raw {
		want += "event: " + list[i].Type + "\ndata: " + string(e) + "\n\n"
		require.Regexp(t, eventTime, string(e))
	}
	require.Equal(t, want, frames)
	require.Contains(t, string(raw[len(raw)-1]), fmt.Sprintf(`{"id":%d,"isTaskRecoverable":false,"taskId":"%s","body":{"message":"Run completed with status: completed","output":{}},"type":"completion",`, last.ID, id))

	completion := ":\n\nevent: completion\ndata: " + string(raw[len(raw)-1]) + "\n\n"
	for name, query := range map[string]string{
		"after the last":               fmt.Sprintf("?after=%d", last.ID),
		"after what is not there yet":  "?after=9007199254740993",
		"with what nobody has thought": fmt.Sprintf("?after=%d&foo=1", last.ID+100),
	} {
		require.Equal(t, completion, s.Do("GET", tasks+"/"+id+"/eventstream"+query, "").Text(), name)
	}
	for _, query := range []string{"?after=x", "?after=", "?after=-5", "?after=1e400"} {
		require.Equal(t, r.Text(), s.Do("GET", tasks+"/"+id+"/eventstream"+query, "").Text(), "%s is the beginning", query)
	}
	after := fmt.Sprintf("?after=%d", list[1].ID)
	require.Equal(t, list[2:], s.events(id, after))
	require.Equal(t, len(list)-2, strings.Count(s.Do("GET", tasks+"/"+id+"/eventstream"+after, "").Text(), "event: "))
	require.Equal(t, list[len(list)-1:], s.events(id, fmt.Sprintf("?after=%d", last.ID)), "the completion comes whatever comes after")
}

// open follows the stream of a task over a connection.
func (s *shop) open(server *httptest.Server, id string) *bufio.Reader {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", server.URL+tasks+"/"+id+"/eventstream", nil)
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	res, err := server.Client().Do(r)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { res.Body.Close() })
	require.Equal(s.t, 200, res.StatusCode)
	return bufio.NewReader(res.Body)
}

// until reads a stream up to a line with that text, or its end.
func until(r *bufio.Reader, text string) (read string, found bool) {
	for {
		line, err := r.ReadString('\n')
		read += line
		if err != nil {
			return read, false
		}
		if strings.Contains(line, text) {
			return read, true
		}
	}
}

// Events are sent while the task runs, and the stream ends with it.
func TestAStreamFollowsATask(t *testing.T) {
	s := serve(t, func(o *scaffolderapi.Options, _ *engine.Options) { o.KeepAlive = time.Millisecond })
	server := httptest.NewServer(s.Server)
	defer server.Close()
	defer s.api.Stop() // a test that has failed does not wait for its stream
	id := s.create(slow)
	s.waiting()
	stream := s.open(server, id)
	_, found := until(stream, "Beginning step w")
	require.True(t, found)
	_, err := stream.ReadString('\n') // the end of the frame
	require.NoError(t, err)
	quiet, err := stream.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, ":\n", quiet, "a silent stream says that it is alive")
	close(s.gate)
	_, found = until(stream, "event: completion")
	require.True(t, found)
	rest, found := until(stream, "event: ")
	require.False(t, found, "nothing comes after the completion: %s", rest)
	require.True(t, strings.HasSuffix(rest, "}\n\n"))
}

// A template that starts over may be retried while somebody watches: its stream
// stays open, and what was before the retry is forgotten.
func TestAStreamOfATaskThatStartsOver(t *testing.T) {
	s := serve(t, func(o *scaffolderapi.Options, _ *engine.Options) { o.KeepAlive = time.Millisecond })
	server := httptest.NewServer(s.Server)
	defer server.Close()
	defer s.api.Stop() // a test that has failed does not wait for its stream
	id := s.create(`{"templateRef":"again","values":{}}`)
	s.ended(id)
	stream := s.open(server, id)
	_, found := until(stream, `"isTaskRecoverable":true`)
	require.True(t, found)
	_, found = until(stream, "event: completion")
	require.True(t, found)
	for range 3 { // signs of life, each for a look at the store
		line, err := "", error(nil)
		for line != ":\n" {
			line, err = stream.ReadString('\n')
			require.NoError(t, err)
			require.NotContains(t, line, "event: ", "the completion is sent once")
		}
	}
	require.Equal(t, 201, s.Do("POST", tasks+"/"+id+"/retry", "{}").Status)
	_, found = until(stream, `"body":{"recoverStrategy":"startOver"}`)
	require.True(t, found)
	_, found = until(stream, "event: completion")
	require.True(t, found, "that of the second run")
	s.ended(id)
	require.Equal(t, "recovered", s.events(id, "")[0].Type, "the list begins with the retry")
	s.api.Stop()
	_, found = until(stream, "event: ")
	require.False(t, found, "a server that stops ends streams")
}

// A poll waits for something to happen.
func TestLongPoll(t *testing.T) {
	s := serve(t, func(o *scaffolderapi.Options, _ *engine.Options) { o.PollTimeout = patience })
	id := s.create(slow)
	s.waiting()
	var seen int64
	for seen == 0 { // until the beginning of the step is stored
		for _, e := range s.events(id, "") {
			if strings.HasPrefix(e.Body.Message, "Beginning") {
				seen = e.ID
			}
		}
	}
	answer := make(chan apitest.Response, 1)
	go func() { answer <- s.Do("GET", fmt.Sprintf("%s/%s/events?after=%d", tasks, id, seen), "") }()
	select {
	case early := <-answer:
		t.Fatalf("nothing has happened: %s", early.Text())
	default:
	}
	close(s.gate)
	select {
	case r := <-answer:
		var got []event
		require.NoError(t, json.Unmarshal(r.Body, &got))
		require.NotEmpty(t, got)
		require.Greater(t, got[0].ID, seen)
	case <-time.After(patience):
		t.Fatal("the poll was not answered")
	}
}

// A poll ends with nothing after a while, and when the server stops.
func TestLongPollsEnd(t *testing.T) {
	for name, change := range map[string]func(*shop){"after a while": func(*shop) {}, "with the server": func(s *shop) { s.api.Stop() }} {
		s := serve(t, func(o *scaffolderapi.Options, _ *engine.Options) {
			if o.PollTimeout = patience; name == "after a while" {
				o.PollTimeout = time.Millisecond
			}
		})
		id := s.create(slow)
		s.waiting()
		change(s)
		require.Equal(t, "[]", s.Do("GET", tasks+"/"+id+"/events?after=1000000", "").Text(), name)
	}
}
