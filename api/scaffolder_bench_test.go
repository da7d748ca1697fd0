package api_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/stretchr/testify/require"
)

// BenchmarkEventStreams follows fifty tasks by two hundred streams, over HTTP,
// from their creation to their completion.
func BenchmarkEventStreams(b *testing.B) {
	const tasks, streams = 50, 200
	w := newWorkshop(b, nil)
	server := httptest.NewServer(w.server)
	defer server.Close()
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = streams
	var events atomic.Int64
	for b.Loop() {
		var ids []string
		for range tasks {
			ids = append(ids, w.create(hello))
		}
		var followers sync.WaitGroup
		for i := range streams {
			followers.Add(1)
			go func() {
				defer followers.Done()
				s := w.follow(server, ids[i%tasks], 0)
				defer s.res.Body.Close()
				for {
					if _, ok := s.next(); !ok {
						return
					}
					events.Add(1)
				}
			}()
		}
		followers.Wait()
	}
	b.ReportMetric(float64(events.Load())/float64(b.N), "events/op")
	b.ReportMetric(float64(events.Load())/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkPush is how long a cancel is on its way: from the request, over the
// commit, to the client of the stream that reads the event.
func BenchmarkPush(b *testing.B) {
	w := newWorkshop(b, nil)
	server := httptest.NewServer(w.server)
	defer server.Close()
	for b.Loop() {
		b.StopTimer()
		id := w.create(`{"templateRef":"slow","values":{}}`)
		<-w.waits
		s := w.follow(server, id, 0)
		for range 2 {
			_, ok := s.next()
			require.True(b, ok)
		}
		b.StartTimer()
		if err := w.engine.Cancel(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		if e, ok := s.next(); !ok || e.Type != string(scaffolder.EventCancelled) {
			b.Fatal(e)
		}
		s.res.Body.Close()
	}
}
