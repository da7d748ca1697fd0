package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// statusOf is the table from the names of errors to statuses.
func statusOf(name string) int {
	switch name {
	case catalog.NameInput, wire.NameSyntax, wire.NameURI:
		return http.StatusBadRequest
	case wire.NameAuthentication:
		return http.StatusUnauthorized
	case catalog.NameNotAllowed:
		return http.StatusForbidden
	case catalog.NameNotFound:
		return http.StatusNotFound
	case catalog.NameConflict:
		return http.StatusConflict
	case wire.NamePayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case wire.NameUnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case wire.NameNotModified:
		return http.StatusNotModified
	case wire.NameNotImplemented:
		return http.StatusNotImplemented
	case catalog.NameUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// isKnown tells whether an error of that name is the caller's doing.
func isKnown(name string) bool { return statusOf(name) != http.StatusInternalServerError }

// clientGone is the status that logs and metrics show for a request whose
// client did not wait for the answer. Nobody receives it.
const clientGone = 499

// writeError answers with the envelope. A named error is shown as it is, with
// what the layers in between added left out; one without a name is logged
// under an id and shown as that id.
func (s *Server) writeError(c *gin.Context, err error) {
	ctx := c.Request.Context()
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))) {
		c.Status(clientGone)
		return
	}
	var named *catalog.Error
	if !errors.As(err, &named) {
		named = s.mask(ctx, err)
	} else if !isKnown(named.Name) {
		s.log.ErrorContext(ctx, "request failed", slog.String("error", err.Error()))
	}
	status := statusOf(named.Name)
	if status == http.StatusNotModified {
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return
	}
	s.writeJSON(c, status, wire.Obj(
		"error", errorObject(named),
		"request", wire.Obj("method", c.Request.Method, "url", relativeURL(c.Request)),
		"response", wire.Obj("statusCode", float64(status)),
	), true)
}

func errorObject(e *catalog.Error) *jsonvalue.Object {
	o := catalog.ErrorObject(e)
	switch e.Name {
	case wire.NameSyntax:
		o.Set("type", "entity.parse.failed")
	case wire.NamePayloadTooLarge:
		o.Set("type", "entity.too.large")
	}
	return o
}

// mask logs an error and returns one that says only where to find it.
func (s *Server) mask(ctx context.Context, err error) *catalog.Error {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	s.log.ErrorContext(ctx, "request failed", slog.String("log_id", id), slog.String("error", err.Error()))
	return catalog.NewError(catalog.NameError, "An internal error occurred logId="+id)
}

// relativeURL returns the path and query as they were sent, below the mount of
// the plugin.
func relativeURL(r *http.Request) string {
	_, rest := splitMount(sentURL(r))
	return rest
}

// splitMount splits what follows /api/<plugin> from a path, which may have a
// query. The plugin is "" for paths that are not below /api; then the rest is
// all of it. A plugin's own path is at least "/".
func splitMount(uri string) (plugin, rest string) {
	const prefix = "/api/"
	if len(uri) < len(prefix) || !strings.EqualFold(uri[:len(prefix)], prefix) {
		return "", uri
	}
	below := uri[len(prefix):]
	end := strings.IndexAny(below, "/?")
	if end < 0 {
		end = len(below)
	}
	plugin, rest = below[:end], below[end:]
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	return plugin, rest
}
