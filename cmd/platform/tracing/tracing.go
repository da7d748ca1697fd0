package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// Options are what the configuration says; the zero value of a field means what
// is said beside it. Environment variables come before all of them.
type Options struct {
	// Endpoint is the URL of a collector, such as http://localhost:4318; the
	// path /v1/traces is added where there is none. "": no spans are sent,
	// unless a variable names one.
	Endpoint string
	// Headers are sent along.
	Headers map[string]string
	// Ratio is the share of traces that is kept, of those that begin here; nil:
	// all are.
	Ratio *float64
	// Version is that of the program.
	Version string
	// Mask hides secrets in texts; nil: they go as they are.
	Mask func(string) string
	// Log is told when spans cannot be sent; nil: nobody is.
	Log *slog.Logger
	// Getenv reads the environment. Required.
	Getenv func(string) string
}

// The environment variables that name an endpoint.
const (
	envEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	envTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

// enabled tells whether spans are wanted at all.
func (o *Options) enabled() bool {
	if strings.EqualFold(o.Getenv("OTEL_SDK_DISABLED"), "true") || o.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return o.Endpoint != "" || o.Getenv(envEndpoint) != "" || o.Getenv(envTracesEndpoint) != ""
}

// check returns what is asked for and not there.
func (o *Options) check() error {
	if e := o.Getenv("OTEL_TRACES_EXPORTER"); e != "" && e != "otlp" {
		return fmt.Errorf("OTEL_TRACES_EXPORTER is %q: this program has otlp and none", e)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := o.Getenv(name); p != "" && p != "http/protobuf" {
			return fmt.Errorf("%s is %q: this program speaks http/protobuf; collectors take it on port 4318", name, p)
		}
	}
	if o.Endpoint == "" {
		return nil
	}
	if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("backend.tracing.endpoint is not an http or https URL, such as http://localhost:4318")
	}
	return nil
}

// A Tracing sends spans.
type Tracing struct {
	provider *sdktrace.TracerProvider
	mask     func(string) string
}

// Open begins to send spans; it returns nil where none are wanted. The caller
// closes what it returns. A collector that cannot be reached is no error: the
// log says so when spans are lost.
func Open(ctx context.Context, o Options) (*Tracing, error) {
	if !o.enabled() {
		return nil, nil
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Mask == nil {
		o.Mask = func(s string) string { return s }
	}
	exporter, err := otlptracehttp.New(ctx, o.exporter()...)
	if err != nil {
		return nil, fmt.Errorf("open the exporter of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName("greenroom"), semconv.ServiceVersion(o.Version)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("describe the program to traces: %w", err)
	}
	if o.Log != nil {
		otel.SetErrorHandler(&complaints{log: o.Log, mask: o.Mask})
	}
	settings := []sdktrace.TracerProviderOption{sdktrace.WithBatcher(exporter), sdktrace.WithResource(about)}
	if o.Ratio != nil && o.Getenv("OTEL_TRACES_SAMPLER") == "" {
		settings = append(settings, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(*o.Ratio))))
	}
	return &Tracing{provider: sdktrace.NewTracerProvider(settings...), mask: o.Mask}, nil
}

// exporter returns what the configuration says and no variable does. The
// exporter reads the variables itself.
func (o *Options) exporter() (out []otlptracehttp.Option) {
	if o.Getenv(envEndpoint) == "" && o.Getenv(envTracesEndpoint) == "" {
		u, _ := url.Parse(o.Endpoint) // checked
		if u.Path == "" || u.Path == "/" {
			u.Path = "/v1/traces"
		}
		out = append(out, otlptracehttp.WithEndpointURL(u.String()))
	}
	if len(o.Headers) > 0 && o.Getenv("OTEL_EXPORTER_OTLP_HEADERS") == "" && o.Getenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS") == "" {
		out = append(out, otlptracehttp.WithHeaders(o.Headers))
	}
	return out
}

// Tracer returns the tracer of a scope, nil if t is.
func (t *Tracing) Tracer(scope string) trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(scope)
}

// A Mark is called where a span begins, with its attributes as keys and values
// in turn. What it returns is called where the span ends.
type Mark = func(ctx context.Context, name string, keysAndValues ...string) (context.Context, func(error))

// Mark returns the function that marks the spans of a scope, nil if t is.
func (t *Tracing) Mark(scope string) Mark {
	if t == nil {
		return nil
	}
	tracer := t.provider.Tracer(scope)
	return func(ctx context.Context, name string, keysAndValues ...string) (context.Context, func(error)) {
		attributes := make([]attribute.KeyValue, 0, len(keysAndValues)/2)
		for i := 0; i+1 < len(keysAndValues); i += 2 {
			if keysAndValues[i+1] != "" {
				attributes = append(attributes, attribute.String(keysAndValues[i], keysAndValues[i+1]))
			}
		}
		ctx, span := tracer.Start(ctx, name, trace.WithAttributes(attributes...))
		return ctx, func(err error) {
			if err != nil {
				span.SetStatus(codes.Error, t.mask(err.Error()))
			}
			span.End()
		}
	}
}

// flushTimeout is how long the last spans may take to be sent.
const flushTimeout = 5 * time.Second

// Close sends what is still waiting. It may be called for nil.
func (t *Tracing) Close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err) // that a collector is away must not make the end a failure
	}
	return nil
}

// complaints tell the log of spans that are lost, once a minute at most.
type complaints struct {
	log  *slog.Logger
	mask func(string) string

	mu   sync.Mutex
	told time.Time
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.told) >= time.Minute {
		c.told = now
		c.log.Warn("traces cannot be sent", slog.String("error", c.mask(err.Error())))
	}
}
