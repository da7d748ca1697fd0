package api_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// traced starts a server whose spans are recorded.
func traced(t *testing.T, change func(*api.Options)) (*fixture, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.Tracer, o.AccessLog = provider.Tracer("test"), true
		if change != nil {
			change(o)
		}
	})
	spans.Reset() // signing in is a request as well
	return f, spans
}

func attributesOf(s sdktrace.ReadOnlySpan) map[string]any {
	out := map[string]any{}
	for _, a := range s.Attributes() {
		out[string(a.Key)] = a.Value.AsInterface()
	}
	return out
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestSpansOfRequests(t *testing.T) {
	f, spans := traced(t, nil)
	page(`[]`)(f.reader)
	f.do("GET", "/api/catalog/entities/?access_token=hunter2&filter=kind=api", "", with("Traceparent", traceparent), with("User-Agent", "probe/1"))
	require.Len(t, spans.Ended(), 1)
	span := spans.Ended()[0]
	assert.Equal(t, "GET /api/catalog/entities", span.Name())
	assert.Equal(t, trace.SpanKindServer, span.SpanKind())
	assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", span.SpanContext().TraceID().String(), "it goes on with the trace of the client")
	assert.Equal(t, "b7ad6b7169203331", span.Parent().SpanID().String())
	assert.Equal(t, map[string]any{
		"http.request.method": "GET", "http.route": "/api/catalog/entities", "url.scheme": "http", "url.path": "/api/catalog/entities/",
		"url.query": "access_token=***&filter=kind=api", "server.address": "example.com", "client.address": "192.0.2.1",
		"user_agent.original": "probe/1", "http.response.status_code": int64(400),
	}, attributesOf(span))
	assert.Contains(t, f.logged.String(), "trace_id=0af7651916cd43dd8448eb211c80319c span_id="+span.SpanContext().SpanID().String())
}

func TestSpansOfRequestsThatFail(t *testing.T) {
	f, spans := traced(t, nil)
	f.reader.facets = func(catalogapi.FacetCount) (catalogapi.Page, error) {
		return catalogapi.Page{}, errors.New("disk on fire")
	}
	f.do("GET", "/api/catalog/entity-facets?facet=kind", "")
	f.engine.refresh = func(string) error { panic("kaboom") }
	f.do("POST", "/api/catalog/refresh", `{"entityRef":"x"}`)
	f.do("GET", "/api/catalog/entities", "", anonymous)
	f.do("BREW", "/api/catalog/no-such-route", "")
	var got []string
	for _, s := range spans.Ended() {
		got = append(got, s.Name()+" "+s.Status().Code.String())
	}
	unset := codes.Unset.String()
	assert.Equal(t, []string{"GET /api/catalog/entity-facets Error", "POST /api/catalog/refresh Error", "GET /api/catalog/entities " + unset, "other " + unset}, got)
}

func TestWhatHasNoSpan(t *testing.T) {
	f, spans := traced(t, nil)
	for _, path := range []string{"/.backstage/health/v1/readiness", "/metrics"} {
		assert.Equal(t, 200, f.do("GET", path, "", anonymous).status)
	}
	assert.Empty(t, spans.Ended())
}

// Who asks is only told where the operator wants it.
func TestSpansNameUsersIfAsked(t *testing.T) {
	for _, told := range []bool{false, true} {
		f, spans := traced(t, func(o *api.Options) { o.TraceUsers = told })
		page(`[]`)(f.reader)
		f.do("GET", "/api/catalog/entities", "")
		user, ok := attributesOf(spans.Ended()[0])["enduser.id"]
		assert.Equal(t, told, ok)
		if told {
			assert.Equal(t, "user:development/guest", user)
		}
	}
}

// A traceparent that makes no sense begins a trace of our own.
func TestBadTraceparents(t *testing.T) {
	f, spans := traced(t, nil)
	page(`[]`)(f.reader)
	for _, bad := range []string{"", "00-0-0-0", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"} {
		f.do("GET", "/api/catalog/entities", "", with("Traceparent", bad))
	}
	require.Len(t, spans.Ended(), 4)
	for _, s := range spans.Ended() {
		assert.True(t, s.SpanContext().IsValid())
		assert.False(t, s.Parent().IsValid())
	}
}

func TestPropagate(t *testing.T) {
	provider := sdktrace.NewTracerProvider()
	ctx, span := provider.Tracer("test").Start(t.Context(), "x")
	h := http.Header{}
	api.Propagate(ctx, h)
	require.Contains(t, h.Get("Traceparent"), span.SpanContext().SpanID().String())
	h = http.Header{}
	api.Propagate(t.Context(), h)
	require.Empty(t, h, "without a trace there is nothing to tell")
}
