package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// edge is around every request: it numbers it, sets the headers that all
// answers have, answers preflights, and writes log and metrics at the end. It
// is one function because each costs the fastest requests as much as their
// answer does.
func (s *Server) edge(c *gin.Context) {
	start := s.now()
	around := c.Request.Context()
	if s.tracer != nil {
		around = s.startSpan(around, c.Request)
	}
	ctx := &requestContext{Context: around, ids: s.ids, number: s.ids.last.Add(1)}
	c.Request = c.Request.WithContext(ctx)
	s.metrics.inFlight.Inc()
	defer s.finish(c, start)
	h := c.Writer.Header()
	for i := range s.headers {
		h[s.headers[i].key] = s.headers[i].values
	}
	if s.cors != nil && s.cors.apply(h, c.Request) {
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		c.Abort()
		return
	}
	c.Next()
}

// finish turns a panic into a 500, and tells log and metrics how it ended.
func (s *Server) finish(c *gin.Context, start time.Time) {
	fault := recover()
	if fault != nil && fault != http.ErrAbortHandler {
		s.log.ErrorContext(c.Request.Context(), "panic in handler",
			slog.String("panic", fmt.Sprint(fault)), slog.String("stack", string(debug.Stack())))
		if !c.Writer.Written() {
			s.writeError(c, catalog.NewError(catalog.NameError, "An internal error occurred"))
		}
		c.Abort()
	}
	took := s.now().Sub(start)
	s.metrics.inFlight.Dec()
	s.metrics.observe(c.Request.Method, c.FullPath(), c.Writer.Status(), took)
	if s.tracer != nil {
		s.endSpan(c, c.Writer.Status())
	}
	if s.accessLog {
		s.logAccess(c, start, took)
	}
	if fault == http.ErrAbortHandler || fault != nil && c.Writer.Written() && c.Writer.Status() < 500 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

func (s *Server) logAccess(c *gin.Context, start time.Time, took time.Duration) {
	r, level := c.Request, slog.LevelInfo
	if !s.logHealth && strings.HasPrefix(c.FullPath(), healthPath) {
		level = slog.LevelDebug // asked for every few seconds, and never of interest
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	s.log.LogAttrs(r.Context(), level, "request",
		slog.String("type", "incomingRequest"), slog.Time("date", start), slog.String("method", r.Method),
		slog.String("url", wire.LoggedURL(sentURL(r))), slog.Int("status", c.Writer.Status()), slog.String("http_version", r.Proto),
		slog.String("user_agent", r.UserAgent()), slog.String("referrer", wire.LoggedURL(r.Referer())),
		slog.Int("content_length", max(0, c.Writer.Size())), slog.Duration("took", took))
}

// sentURL returns the path and query of a request as they were sent. The
// absolute form may hold a password.
func sentURL(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// barrier stands before all routes of plugins, those that do not exist
// included: it waits for the start, and asks package auth who is calling.
func (s *Server) barrier(c *gin.Context) {
	plugin, path := splitMount(c.Request.URL.EscapedPath())
	plugin = strings.ToLower(plugin) // where no route has spelled it
	if !isPlugin(plugin) || isPublic(path) {
		c.Next()
		return
	}
	if err := s.gate(c.Request.Context()); err != nil {
		s.refuse(c, err)
		return
	}
	if plugin == "proxy" && s.portal.Proxy != nil && s.portal.Proxy.Public(path) {
		c.Next()
		return
	}
	principal, err := s.auth.Admit(c.Request, plugin, path)
	if err != nil {
		s.challenge(c, err)
		s.refuse(c, err)
		return
	}
	if ctx, ok := c.Request.Context().(*requestContext); ok {
		ctx.principal = principal
	}
	c.Next()
}

func (s *Server) refuse(c *gin.Context, err error) {
	s.writeError(c, err)
	c.Abort()
}

// isPublic tells whether a path of a plugin comes before the gate: its keys.
func isPublic(path string) bool { return path == pluginKeysPath }
