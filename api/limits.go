package api

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/ratelimit"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// Limits say how many requests a client may send.
type Limits struct {
	// Global counts all requests; nil: they are not counted.
	Global *ratelimit.Limiter
	// Plugins count those to one plugin, by its id.
	Plugins map[string]*ratelimit.Limiter
	// Trust says which proxies are believed about who the client is.
	Trust ratelimit.Trust
}

// limit refuses clients that ask too often. It comes before the health routes
// and the barrier.
func (s *Server) limit(c *gin.Context) {
	global, plugin := s.limits.Global, (*ratelimit.Limiter)(nil)
	if s.limits.Plugins != nil {
		id, _ := splitMount(c.Request.URL.EscapedPath())
		plugin = s.limits.Plugins[strings.ToLower(id)]
	}
	if global == nil && plugin == nil {
		c.Next()
		return
	}
	client := s.limits.Trust.Client(c.Request)
	for _, l := range []*ratelimit.Limiter{global, plugin} {
		if l == nil {
			continue
		}
		v := l.Take(client)
		if !v.Limited {
			continue
		}
		tellLimit(c.Writer.Header(), v)
		if !v.OK {
			s.refuseTooMany(c, v)
			return
		}
		defer func() { l.Answered(v, c.Writer.Status()) }()
	}
	c.Next()
}

func tellLimit(h http.Header, v ratelimit.Verdict) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(v.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(v.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(ceilSeconds(time.Duration(v.Reset.UnixNano())), 10))
}

func ceilSeconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// refuseTooMany answers like the reference: the one error without a request
// in its body.
func (s *Server) refuseTooMany(c *gin.Context, v ratelimit.Verdict) {
	c.Writer.Header().Set("Retry-After", strconv.FormatInt(ceilSeconds(v.Wait), 10))
	s.writeJSON(c, http.StatusTooManyRequests, wire.Obj(
		"error", wire.Obj("name", "Error", "message", "Too many requests, please try again later"),
		"response", wire.Obj("statusCode", float64(http.StatusTooManyRequests)),
	), false)
	c.Abort()
}
