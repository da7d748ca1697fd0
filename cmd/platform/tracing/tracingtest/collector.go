package tracingtest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// A Span is one that has arrived.
type Span struct {
	Name, Scope              string
	TraceID, SpanID, Parent  string // in hexadecimal, Parent "" for none
	Attributes, ResourceAttr map[string]string
	Failed                   bool
	Message                  string // of the failure
}

// A Collector takes spans. Its URL is an endpoint without a path.
type Collector struct {
	*httptest.Server
	t testing.TB

	mu      sync.Mutex
	spans   []Span
	header  http.Header // of the last request
	changed chan struct{}
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	c := &Collector{t: t, changed: make(chan struct{})}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "not a request of OTLP", http.StatusNotFound)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	data, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(data, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.add(r.Header, &request)
	answer, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (c *Collector) add(h http.Header, request *collector.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = h
	for _, r := range request.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				c.spans = append(c.spans, Span{
					Name: span.Name, Scope: s.Scope.Name, TraceID: hex.EncodeToString(span.TraceId), SpanID: hex.EncodeToString(span.SpanId),
					Parent: hex.EncodeToString(span.ParentSpanId), Attributes: texts(span.Attributes), ResourceAttr: texts(r.Resource.Attributes),
					Failed: span.Status.GetCode() == 2, Message: span.Status.GetMessage(),
				})
			}
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

func texts(list []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range list {
		out[kv.Key] = kv.Value.GetStringValue()
	}
	return out
}

// Header returns the header of the last request.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header
}

// Spans returns what has arrived so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// patience is how long what should come soon is waited for.
const patience = 30 * time.Second

// Await waits for a span that a test accepts.
func (c *Collector) Await(what string, ok func(Span) bool) Span {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		changed := c.changed
		for _, s := range c.spans {
			if ok(s) {
				c.mu.Unlock()
				return s
			}
		}
		c.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			c.t.Fatalf("no span came that is %s; there are %+v", what, c.Spans())
		}
	}
}
