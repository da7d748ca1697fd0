package api

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// startSpan begins the span of a request, as part of the trace that the client
// names, and returns the context that knows of it. Health and metrics have
// none: they are asked for all day long.
func (s *Server) startSpan(ctx context.Context, r *http.Request) context.Context {
	if path := r.URL.Path; strings.HasPrefix(path, healthPath) || path == metricsPath {
		return ctx
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	path, query, _ := strings.Cut(wire.LoggedURL(sentURL(r)), "?")
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	attributes := []attribute.KeyValue{
		attribute.String("http.request.method", knownMethod(r.Method)), attribute.String("url.scheme", scheme(r)),
		attribute.String("url.path", path), attribute.String("server.address", host), attribute.String("user_agent.original", r.UserAgent()),
	}
	if n, err := strconv.Atoi(port); err == nil {
		attributes = append(attributes, attribute.Int("server.port", n))
	}
	if query != "" {
		attributes = append(attributes, attribute.String("url.query", query))
	}
	if ip := s.limits.Trust.Client(r); ip.IsValid() {
		attributes = append(attributes, attribute.String("client.address", ip.String()))
	}
	ctx, _ = s.tracer.Start(ctx, knownMethod(r.Method), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...))
	return ctx
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// endSpan ends the span of a request, now that its route is known.
func (s *Server) endSpan(c *gin.Context, status int) {
	span := trace.SpanFromContext(c.Request.Context())
	if !span.IsRecording() {
		return
	}
	if route := c.FullPath(); route != "" {
		span.SetName(knownMethod(c.Request.Method) + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		span.SetStatus(codes.Error, "")
	}
	if who := auth.PrincipalFrom(c.Request.Context()); s.traceUsers && who.Subject != "" {
		span.SetAttributes(attribute.String("enduser.id", who.Subject))
	}
	span.End()
}

// Propagate writes the trace that a context belongs to into the headers of a
// request, for the next one on its way.
func Propagate(ctx context.Context, h http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
}
