package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// handle is the adapter between handlers and HTTP: the only place where an
// answer is written.
func (s *Server) handle(h wire.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		answer, err := h(c)
		if err != nil {
			s.writeError(c, err)
			return
		}
		s.write(c, answer)
	}
}

func (s *Server) write(c *gin.Context, answer any) {
	switch a := answer.(type) {
	case wire.Raw:
		if a.Link != "" {
			c.Writer.Header().Set("Link", a.Link)
		}
		s.writeBody(c, http.StatusOK, a.Body)
		if a.Release != nil {
			a.Release()
		}
	case wire.Status:
		if a.Body != nil {
			s.writeJSON(c, a.Code, a.Body, true)
			return
		}
		c.Status(a.Code)
		if a.Code != http.StatusNoContent {
			c.Writer.Header()["Content-Length"] = zeroLength
		}
		c.Writer.WriteHeaderNow()
	case wire.Stream:
		s.stream(c, a)
	case wire.Text:
		c.Data(a.Code, "text/plain; charset=utf-8", []byte(a.Body))
	case wire.HTML:
		c.Data(a.Code, "text/html", []byte(a.Body))
	case wire.Linked:
		if a.Link != "" {
			c.Writer.Header().Set("Link", a.Link)
		}
		s.writeJSON(c, http.StatusOK, a.Body, true)
		if a.Release != nil {
			a.Release()
		}
	default:
		s.writeJSON(c, http.StatusOK, answer, true)
	}
}

var (
	jsonType   = []string{"application/json; charset=utf-8"}
	zeroLength = []string{"0"}
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled is the largest buffer, in bytes, that is kept for the next answer.
const maxPooled = 1 << 20

// writeJSON writes a value. Tagged bodies have a weak ETag, and are not sent
// when the client has them.
func (s *Server) writeJSON(c *gin.Context, status int, v any, tagged bool) {
	buf := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= maxPooled {
			buffers.Put(buf)
		}
	}()
	body, err := wire.AppendJSON((*buf)[:0], v)
	if err != nil {
		s.mask(c.Request.Context(), err)
		c.Status(http.StatusInternalServerError)
		c.Writer.WriteHeaderNow()
		return
	}
	*buf = body
	if tagged {
		tag := etag(body)
		c.Writer.Header()["Etag"] = []string{tag}
		if status == http.StatusOK && fresh(c.Request, tag) {
			c.Status(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
			return
		}
	}
	s.writeBody(c, status, body)
}

func (s *Server) writeBody(c *gin.Context, status int, body []byte) {
	h := c.Writer.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.Status(status)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	_, _ = c.Writer.Write(body) // the client has gone; there is nobody to tell
}

// etag returns the weak validator of a body.
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	var b [48]byte
	out := append(b[:0], `W/"`...)
	out = strconv.AppendInt(out, int64(len(body)), 16)
	out = append(out, '-')
	out = base64.RawStdEncoding.AppendEncode(out, sum[:15])
	return string(append(out, '"'))
}

// fresh tells whether the client has the body of that tag and takes a 304.
func fresh(r *http.Request, tag string) bool {
	match := r.Header.Get("If-None-Match")
	if match == "" || r.Method != http.MethodGet && r.Method != http.MethodHead ||
		strings.Contains(r.Header.Get("Cache-Control"), "no-cache") {
		return false
	}
	if match == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(match, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == tag || "W/"+candidate == tag {
			return true
		}
	}
	return false
}
