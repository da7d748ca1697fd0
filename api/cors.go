package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// CORS says who may read answers from another origin.
type CORS struct {
	// Origins are glob patterns of origins, whatever their case. A star does
	// not cross a slash.
	Origins []string
	// Methods that preflights allow; nil: GET, HEAD, PUT, PATCH, POST, DELETE.
	Methods []string
	// AllowedHeaders that preflights allow; nil: those that are asked for.
	AllowedHeaders []string
	// ExposedHeaders that scripts may read; nil: none beyond the safe ones.
	ExposedHeaders []string
	// Credentials lets browsers send cookies; false: they do not.
	Credentials bool
	// MaxAge of a preflight in seconds; 0: not said.
	MaxAge int
}

type cors struct {
	patterns    []string
	methods     string
	allowed     string
	exposed     string
	credentials bool
	maxAge      string
}

func newCORS(o *CORS) (*cors, error) {
	if o == nil {
		return nil, nil
	}
	c := &cors{
		methods: strings.Join(o.Methods, ","), allowed: strings.Join(o.AllowedHeaders, ","),
		exposed: strings.Join(o.ExposedHeaders, ","), credentials: o.Credentials,
	}
	if c.methods == "" {
		c.methods = "GET,HEAD,PUT,PATCH,POST,DELETE"
	}
	if o.MaxAge > 0 {
		c.maxAge = strconv.Itoa(o.MaxAge)
	}
	for _, p := range o.Origins {
		p = singleStars(strings.ToLower(p))
		if !doublestar.ValidatePattern(p) {
			return nil, fmt.Errorf("CORS origin %q is not a pattern", p)
		}
		c.patterns = append(c.patterns, p)
	}
	return c, nil
}

// singleStars takes away the special meaning of **.
func singleStars(pattern string) string {
	for strings.Contains(pattern, "**") {
		pattern = strings.ReplaceAll(pattern, "**", "*")
	}
	return pattern
}

// allows tells whether the origin is one of the patterns. Null, which any page
// can make itself have, has to be spelled out.
func (c *cors) allows(origin string) bool {
	origin = strings.ToLower(origin)
	for _, p := range c.patterns {
		if p == origin || origin != "null" && doublestar.MatchUnvalidated(p, origin) {
			return true
		}
	}
	return false
}

// apply sets the headers for a request, and tells whether it was a preflight
// that is answered by them. Answers differ by origin even where the request
// has none, so all of them say so.
func (c *cors) apply(h http.Header, r *http.Request) (preflight bool) {
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !c.allows(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method != http.MethodOptions {
		if c.exposed != "" {
			h.Set("Access-Control-Expose-Headers", c.exposed)
		}
		return false
	}
	h.Set("Access-Control-Allow-Methods", c.methods)
	c.allowHeaders(h, r)
	if c.maxAge != "" {
		h.Set("Access-Control-Max-Age", c.maxAge)
	}
	h.Set("Content-Length", "0")
	return true
}

func (c *cors) allowHeaders(h http.Header, r *http.Request) {
	allowed := c.allowed
	if allowed == "" {
		allowed = r.Header.Get("Access-Control-Request-Headers")
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	if allowed != "" {
		h.Set("Access-Control-Allow-Headers", allowed)
	}
}
