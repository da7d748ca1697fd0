package api_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// discard is a ResponseWriter that costs nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkHandler measures a request through everything but the connection
// and the catalog: routing, headers, barrier, validation, answer.
func BenchmarkHandler(b *testing.B) {
	for _, bc := range []struct {
		name, method, path, body string
	}{
		{"page of 34 kB", "GET", "/api/catalog/entities/by-query?filter=kind%3Dcomponent,spec.type%3Dservice&orderField=metadata.name,asc&limit=20", strings.Repeat("x", 34_000)},
		{"one entity", "GET", "/api/catalog/entities/by-name/component/default/payment-service", strings.Repeat("x", 1_700)},
		{"small projected page", "GET", "/api/catalog/entities/by-query?fields=metadata.name&limit=1", strings.Repeat("x", 200)},
		{"not found", "GET", "/api/catalog/nothing", ""},
	} {
		b.Run(bc.name, func(b *testing.B) {
			f := newFixture(b, nil)
			page(bc.body)(f.reader)
			p := catalogapi.Page{Body: []byte(bc.body)}
			f.reader.query = func(catalogapi.Search) (catalogapi.Page, error) { return p, nil }
			r := httptest.NewRequest(bc.method, bc.path, nil)
			r.Header.Set("Authorization", "Bearer "+f.token)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("User-Agent", "bench")
			b.ReportAllocs()
			for b.Loop() {
				w := &discard{h: make(http.Header, 16)}
				f.server.ServeHTTP(w, r)
			}
		})
	}
}

// BenchmarkTracing shows what spans cost, and that they cost nothing where they
// are off.
func BenchmarkTracing(b *testing.B) {
	for _, bc := range []struct {
		name     string
		provider *sdktrace.TracerProvider
	}{
		{"off", nil},
		{"on, not sampled", sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))},
		{"on", sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tracetest.NewSpanRecorder()))},
	} {
		b.Run(bc.name, func(b *testing.B) {
			f := newFixture(b, func(o *api.Options, _ *auth.Options) {
				if bc.provider != nil {
					o.Tracer = bc.provider.Tracer("bench")
				}
			})
			page(strings.Repeat("x", 1700))(f.reader)
			r := httptest.NewRequest("GET", "/api/catalog/entities/by-name/component/default/payment-service", nil)
			r.Header.Set("Authorization", "Bearer "+f.token)
			b.ReportAllocs()
			for b.Loop() {
				f.server.ServeHTTP(&discard{h: make(http.Header, 16)}, r)
			}
		})
	}
}

// BenchmarkAudit shows what the two lines of a read cost that is audited to a
// file, and that it costs nothing where it is not.
func BenchmarkAudit(b *testing.B) {
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "audit.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	log := slog.New(slog.NewTextHandler(io.Discard, nil)) // at level info, where reads are not seen
	for _, bc := range []struct {
		name    string
		options audit.Options
	}{
		{"log alone", audit.Options{Log: log}},
		{"file", audit.Options{Log: log, Own: slog.New(slog.NewJSONHandler(file, nil))}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			f := newFixture(b, func(o *api.Options, _ *auth.Options) { o.Auditor = audit.New(bc.options) })
			page(strings.Repeat("x", 1700))(f.reader)
			r := httptest.NewRequest("GET", "/api/catalog/entities/by-name/component/default/payment-service", nil)
			r.Header.Set("Authorization", "Bearer "+f.token)
			b.ReportAllocs()
			for b.Loop() {
				f.server.ServeHTTP(&discard{h: make(http.Header, 16)}, r)
			}
		})
	}
}
