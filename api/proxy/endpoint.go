package proxy

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks/jsregexp"
)

// Policies for the credentials of callers.
const (
	// Require takes users and services, and keeps their tokens back.
	Require = "require"
	// Forward takes users and services, and passes their tokens on.
	Forward = "forward"
	// AllowUnauthenticated takes everybody.
	AllowUnauthenticated = "dangerously-allow-unauthenticated"
)

// An Endpoint is one route; the zero value of a field means what is said
// beside it.
type Endpoint struct {
	// Route is the path below /api/proxy. Required.
	Route string
	// Target is the URL that requests go to. Required.
	Target string
	// Rewrites change the path and query, from /api/proxy on; the first that
	// matches counts. nil: what leads to the route is taken away.
	Rewrites []Rewrite
	// KeepHost sends the Host that the client sent; false: that of the target.
	KeepHost bool
	// Headers are added to requests, over what the client sent.
	Headers map[string]string
	// Methods that are passed on; nil: all.
	Methods []string
	// AllowedHeaders pass in both directions, beside the harmless ones.
	AllowedHeaders []string
	// Credentials is one of the policies; "": Require.
	Credentials string
	// SkipVerify takes every certificate of the target; false: it is checked.
	SkipVerify bool
	// Timeout bounds the wait for the head of the answer; 0: 2 minutes.
	Timeout time.Duration
}

// A Rewrite replaces what a JavaScript regular expression matches.
type Rewrite struct{ Pattern, Replacement string }

// harmless are the headers that pass in both directions.
var harmless = []string{
	"Accept", "Accept-Language", "Cache-Control", "Content-Language", "Content-Length", "Content-Type",
	"Expires", "Host", "Last-Modified", "Pragma", "User-Agent",
}

// never are headers that are about the connection and not about what goes over
// it. They do not pass even if they are allowed.
var never = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// An endpoint is one that has been checked.
type endpoint struct {
	route     string // lower case, with a slash before and none behind
	target    *url.URL
	rewrites  []rewrite // nil: take the route away
	keepHost  bool
	headers   http.Header
	methods   []string
	requests  map[string]bool // allowed headers
	responses map[string]bool
	public    bool
	transport http.RoundTripper
}

type rewrite struct {
	pattern     *jsregexp.Regexp
	replacement string
}

func newEndpoint(e Endpoint) (*endpoint, error) {
	out := &endpoint{
		route: "/" + strings.ToLower(strings.Trim(e.Route, "/")), keepHost: e.KeepHost, methods: e.Methods,
		requests: map[string]bool{}, responses: map[string]bool{}, public: e.Credentials == AllowUnauthenticated,
		headers: http.Header{},
	}
	var err error
	if out.target, err = url.Parse(e.Target); err != nil || out.target.Host == "" ||
		out.target.Scheme != "http" && out.target.Scheme != "https" {
		return nil, fmt.Errorf("its target %s is not an http or https URL", withoutUserinfo(e.Target))
	}
	if !slices.Contains([]string{"", Require, Forward, AllowUnauthenticated}, e.Credentials) {
		return nil, fmt.Errorf("credentials %q is not one of %s, %s, %s", e.Credentials, Require, Forward, AllowUnauthenticated)
	}
	for _, r := range e.Rewrites {
		pattern, err := jsregexp.Compile(r.Pattern, "")
		if err != nil {
			return nil, fmt.Errorf("pathRewrite: %w", err)
		}
		out.rewrites = append(out.rewrites, rewrite{pattern, r.Replacement})
	}
	if e.Rewrites != nil && out.rewrites == nil {
		out.rewrites = []rewrite{}
	}
	return out, out.setHeaders(&e)
}

// setHeaders fills the lists of headers.
func (e *endpoint) setHeaders(from *Endpoint) error {
	allow := func(name string, lists ...map[string]bool) error {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if !isToken(name) || slices.Contains(never, canonical) {
			return fmt.Errorf("header %q cannot be passed on", name)
		}
		for _, list := range lists {
			list[canonical] = true
		}
		return nil
	}
	for _, name := range slices.Concat(harmless, from.AllowedHeaders) {
		if err := allow(name, e.requests, e.responses); err != nil {
			return err
		}
	}
	for name, value := range from.Headers {
		if err := allow(name, e.requests); err != nil {
			return err
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("the value of header %q has a line break in it", name)
		}
		e.headers.Set(name, value)
	}
	if from.Credentials == Forward {
		e.requests["Authorization"] = true
	}
	return nil
}

// isToken tells whether a text may be the name of a header.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// withoutUserinfo makes a URL fit to be shown: a password may be in it.
func withoutUserinfo(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "(not shown)"
	}
	u.User = nil
	return fmt.Sprintf("%q", u.String())
}

// covers tells whether a path, as it was sent, is at or below the route.
func (e *endpoint) covers(path string) bool {
	if e.route == "/" {
		return true
	}
	return len(path) >= len(e.route) && strings.EqualFold(path[:len(e.route)], e.route) &&
		(len(path) == len(e.route) || path[len(e.route)] == '/')
}

func (e *endpoint) takes(method string) bool {
	return e.methods == nil || slices.Contains(e.methods, method)
}
