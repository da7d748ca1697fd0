package tracing_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/cmd/platform/tracing"
	"github.com/greenroom-idp/greenroom/cmd/platform/tracing/tracingtest"
	"github.com/stretchr/testify/require"
)

func getenv(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// Without an endpoint there is nothing, and nothing does nothing.
func TestOff(t *testing.T) {
	for name, o := range map[string]tracing.Options{
		"nothing is configured":      {Getenv: getenv()},
		"the SDK is disabled":        {Endpoint: "http://localhost:4318", Getenv: getenv("OTEL_SDK_DISABLED", "True")},
		"the exporter is none":       {Endpoint: "http://localhost:4318", Getenv: getenv("OTEL_TRACES_EXPORTER", "none")},
		"only metrics have a target": {Getenv: getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:4318")},
	} {
		t.Run(name, func(t *testing.T) {
			tr, err := tracing.Open(t.Context(), o)
			require.NoError(t, err)
			require.Nil(t, tr)
			require.Nil(t, tr.Tracer("x"))
			require.Nil(t, tr.Mark("x"))
			require.NoError(t, tr.Close())
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    tracing.Options
		says string
	}{
		{"an endpoint without a scheme", tracing.Options{Endpoint: "localhost:4318", Getenv: getenv()}, "backend.tracing.endpoint"},
		{"an endpoint that is no URL", tracing.Options{Endpoint: "http://a b", Getenv: getenv()}, "backend.tracing.endpoint"},
		{"gRPC", tracing.Options{Endpoint: "http://localhost", Getenv: getenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")}, "http/protobuf"},
		{"gRPC for traces", tracing.Options{Getenv: getenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")}, "http/protobuf"},
		{"Zipkin", tracing.Options{Endpoint: "http://localhost", Getenv: getenv("OTEL_TRACES_EXPORTER", "zipkin")}, "otlp and none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tracing.Open(t.Context(), tc.o)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestSpansReachTheCollector(t *testing.T) {
	c := tracingtest.New(t)
	tr, err := tracing.Open(t.Context(), tracing.Options{
		Endpoint: c.URL, Headers: map[string]string{"X-Team": "key"}, Version: "1.2.3", Getenv: getenv(),
		Mask: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") },
	})
	require.NoError(t, err)
	mark := tr.Mark("scope")
	ctx, end := mark(t.Context(), "outer", "a", "1", "empty", "")
	_, endInner := mark(ctx, "inner")
	endInner(errors.New("password hunter2 is wrong"))
	end(nil)
	require.NoError(t, tr.Close())
	spans := c.Spans()
	require.Len(t, spans, 2, "what waits is sent at the end")
	inner, outer := spans[0], spans[1]
	require.Equal(t, []string{"inner", "outer", "scope"}, []string{inner.Name, outer.Name, outer.Scope})
	require.Equal(t, map[string]string{"a": "1"}, outer.Attributes)
	require.Equal(t, outer.SpanID, inner.Parent)
	require.Equal(t, outer.TraceID, inner.TraceID)
	require.False(t, outer.Failed)
	require.True(t, inner.Failed)
	require.Equal(t, "password *** is wrong", inner.Message)
	require.Equal(t, "greenroom", outer.ResourceAttr["service.name"])
	require.Equal(t, "1.2.3", outer.ResourceAttr["service.version"])
	require.Equal(t, "key", c.Header().Get("X-Team"))
}

// The standard variables come before the configuration.
func TestVariables(t *testing.T) {
	c := tracingtest.New(t)
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_HEADERS": "x-team=env", "OTEL_SERVICE_NAME": "portal",
		"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
	} {
		t.Setenv(name, value)
	}
	tr, err := tracing.Open(t.Context(), tracing.Options{
		Endpoint: "http://127.0.0.1:1", Headers: map[string]string{"X-Team": "file"},
		Getenv: getenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL, "OTEL_EXPORTER_OTLP_HEADERS", "x-team=env"),
	})
	require.NoError(t, err)
	_, end := tr.Mark("s")(t.Context(), "x")
	end(nil)
	require.NoError(t, tr.Close())
	require.Len(t, c.Spans(), 1)
	require.Equal(t, "portal", c.Spans()[0].ResourceAttr["service.name"])
	require.Equal(t, "test", c.Spans()[0].ResourceAttr["deployment.environment"])
	require.Equal(t, "env", c.Header().Get("X-Team"))
}

func TestRatio(t *testing.T) {
	c := tracingtest.New(t)
	none := 0.0
	tr, err := tracing.Open(t.Context(), tracing.Options{Endpoint: c.URL, Ratio: &none, Getenv: getenv()})
	require.NoError(t, err)
	_, end := tr.Mark("s")(t.Context(), "x")
	end(nil)
	require.NoError(t, tr.Close())
	require.Empty(t, c.Spans())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// A collector that refuses spans is told in the log, once, and is no failure.
func TestCollectorThatRefuses(t *testing.T) {
	c := tracingtest.New(t)
	var log lockedBuffer
	tr, err := tracing.Open(t.Context(), tracing.Options{Endpoint: c.URL + "/elsewhere", Getenv: getenv(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	_, end := tr.Mark("s")(t.Context(), "x")
	end(nil)
	require.NoError(t, tr.Close())
	log.mu.Lock()
	defer log.mu.Unlock()
	require.Equal(t, 1, strings.Count(log.b.String(), "traces cannot be sent"), log.b.String())
}
