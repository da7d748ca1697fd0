package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"go.opentelemetry.io/otel/trace"
)

// A requestContext is the context of one request. It holds what the edge
// knows of it, so that a request costs one context, not one for each value.
type requestContext struct {
	context.Context
	ids       *requestIDs
	number    uint64
	principal *auth.Principal // set by the barrier, before any handler runs
	event     *audit.Event    // of the audit log; nil: there is none
}

type requestKey struct{}

// Value finds the request itself and who asks; everything else is asked of the
// context around it.
func (c *requestContext) Value(key any) any {
	switch key {
	case any(requestKey{}):
		return c
	case auth.PrincipalKey:
		if c.principal != nil {
			return c.principal
		}
	case audit.Key:
		return c.event
	}
	return c.Context.Value(key)
}

// requestIDs numbers requests. The text of an id is only made when somebody
// writes it down.
type requestIDs struct {
	prefix string
	traced bool // requests have spans, so that lines of the log name them
	last   atomic.Uint64
}

func newRequestIDs(traced bool) *requestIDs {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return &requestIDs{prefix: hex.EncodeToString(b[:]) + "-", traced: traced}
}

// RequestID returns the id of the request that a context belongs to, "" if to
// none. Ids are unique among all runs of the program, as good as certainly.
func RequestID(ctx context.Context) string {
	c, ok := ctx.Value(requestKey{}).(*requestContext)
	if !ok {
		return ""
	}
	return c.id()
}

func (c *requestContext) id() string { return c.ids.prefix + strconv.FormatUint(c.number, 10) }

// LogHandler returns a handler that adds request_id to every record that is
// logged with the context of a request, and trace_id and span_id where requests
// are traced.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if ctx == nil {
		return h.Handler.Handle(ctx, r)
	}
	if c, ok := ctx.Value(requestKey{}).(*requestContext); ok {
		r.AddAttrs(slog.String("request_id", c.id()))
		if span := trace.SpanContextFromContext(ctx); c.ids.traced && span.IsValid() {
			r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
		}
	}
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name)}
}
