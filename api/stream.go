package api

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/klauspost/compress/gzhttp"

	"github.com/greenroom-idp/greenroom/api/wire"
)

// stallTimeout is how long a client of a stream may leave what is sent to it
// unread, once the buffers on the way are full.
const stallTimeout = 30 * time.Second

// stream sends an answer piece by piece. It is not compressed, as that would
// hold small pieces back.
func (s *Server) stream(c *gin.Context, a wire.Stream) {
	h := c.Writer.Header()
	if a.ContentType != "" {
		h.Set("Content-Type", a.ContentType)
	}
	for name, value := range a.Header {
		h.Set(name, value)
	}
	if !a.Bulk {
		h.Set("Cache-Control", "no-cache")
		h.Set("Connection", "keep-alive")
		h.Set(gzhttp.HeaderNoCompression, "1")
	}
	c.Status(cmp.Or(a.Code, http.StatusOK))
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	control := http.NewResponseController(c.Writer)
	// The time to read a request is over when it has been read; without this
	// it would end the stream.
	_ = control.SetReadDeadline(time.Time{})
	defer control.SetWriteDeadline(time.Time{}) //nolint:errcheck // the next request on the connection has a time of its own
	err := a.Run(c.Request.Context(), func(piece []byte) error {
		_ = control.SetWriteDeadline(time.Now().Add(stallTimeout))
		if _, err := c.Writer.Write(piece); err != nil || a.Bulk {
			return err
		}
		return control.Flush()
	})
	if err != nil && c.Request.Context().Err() == nil {
		s.log.DebugContext(c.Request.Context(), "stream ended", slog.String("error", err.Error()))
	}
}
