package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a Proxy needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Endpoints are looked at in this order.
	Endpoints []Endpoint
	// SkipInvalid leaves endpoints out that make no sense, with a warning;
	// false: they are errors.
	SkipInvalid bool
	// OpenPolicy lets requests without a credential pass at all endpoints, as
	// the whole backend does then; false: only where an endpoint says so.
	OpenPolicy bool
	// Outbound returns the proxy through which a target is reached; nil:
	// targets are reached directly.
	Outbound func(*http.Request) (*url.URL, error)
	// Propagate adds headers for whoever gets a request, such as the trace that
	// it belongs to; nil: none are added.
	Propagate func(context.Context, http.Header)
	// Registerer gets the metrics; nil: there are none.
	Registerer prometheus.Registerer
	// Logger takes what goes wrong; nil: it is lost.
	Logger *slog.Logger
}

// A Proxy passes requests on.
type Proxy struct {
	endpoints  []*endpoint
	openPolicy bool
	propagate  func(context.Context, http.Header)
	log        *slog.Logger
	requests   *prometheus.CounterVec
}

// New checks the endpoints.
func New(o Options) (*Proxy, error) {
	p := &Proxy{log: o.Logger, openPolicy: o.OpenPolicy, propagate: o.Propagate}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	transports := map[string]http.RoundTripper{}
	for _, e := range o.Endpoints {
		checked, err := newEndpoint(e)
		if err != nil {
			err = fmt.Errorf("proxy endpoint '%s': %w", e.Route, err)
			if !o.SkipInvalid {
				return nil, err
			}
			p.log.Warn("a proxy endpoint is left out", slog.Any("error", err))
			continue
		}
		kind := fmt.Sprint(e.SkipVerify, e.Timeout)
		if transports[kind] == nil {
			transports[kind] = newTransport(o.Outbound, e.SkipVerify, e.Timeout)
		}
		checked.transport = transports[kind]
		p.endpoints = append(p.endpoints, checked)
	}
	p.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "proxy_requests_total", Help: "Requests that were passed on, by configured route.",
	}, []string{"route", "status"})
	if o.Registerer != nil {
		if err := o.Registerer.Register(p.requests); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// newTransport returns a transport that asks for nothing but what it is told:
// no compression of its own.
func newTransport(outbound func(*http.Request) (*url.URL, error), skipVerify bool, timeout time.Duration) http.RoundTripper {
	if timeout == 0 {
		timeout = 2 * time.Minute
	}
	return bare{&http.Transport{
		Proxy:               outbound,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: skipVerify}, // the operator said secure: false
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: timeout, ExpectContinueTimeout: time.Second,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 100, MaxIdleConnsPerHost: 16, MaxConnsPerHost: 256,
		IdleConnTimeout: 90 * time.Second, DisableCompression: true, ForceAttemptHTTP2: true,
	}}
}

// bare is a round trip without what goes beside request and response: early
// hints on the way, and trailers after the body, whose headers nobody checks.
type bare struct{ next http.RoundTripper }

func (b bare) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r.WithContext(untraced{r.Context()}))
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return nil, errors.Join(errors.New("the target wants to switch protocols"), res.Body.Close())
	}
	out := *res // trailers arrive in the original
	out.Trailer = nil
	return &out, nil
}

// untraced is a context that ends with another, and knows nothing of it.
type untraced struct{ context.Context }

func (untraced) Value(any) any { return nil }

// find returns the endpoint of a path, as it was sent, below the mount.
func (p *Proxy) find(path string) *endpoint {
	for _, e := range p.endpoints {
		if e.covers(path) {
			return e
		}
	}
	return nil
}

// Public tells whether everybody may ask for a path below the mount.
func (p *Proxy) Public(path string) bool {
	e := p.find(path)
	return e != nil && e.public && !climbs(path)
}

// climbs tells whether a path has a part that is "..", in whatever form, or
// cannot be decoded.
func climbs(path string) bool {
	decoded, err := url.PathUnescape(path)
	if err != nil || strings.ContainsRune(decoded, 0) {
		return true
	}
	return slices.Contains(strings.Split(strings.ReplaceAll(decoded, `\`, "/"), "/"), "..")
}

// Serve passes a request on. Uri is the path and query below the mount, as
// they were sent. The error is for the edge to show; without one, the answer
// has been written.
func (p *Proxy) Serve(c *gin.Context, uri string) error {
	path, _, _ := strings.Cut(uri, "?")
	e := p.find(path)
	switch {
	case e == nil:
		refuse(c, http.StatusNotFound, "")
		return nil
	case climbs(path):
		refuse(c, http.StatusBadRequest, "Bad Request")
		return nil
	case !e.takes(c.Request.Method):
		refuse(c, http.StatusNotFound, "")
		return nil
	}
	// The barrier has looked at the same path, but this must never depend on
	// two readings of it being the same.
	if who := auth.PrincipalFrom(c.Request.Context()); who.Kind == auth.None && !e.public && !p.openPolicy {
		return wire.Unauthenticated("Missing credentials")
	}
	destination, err := e.destination(uri)
	if err != nil || climbs(destination.EscapedPath()) {
		refuse(c, http.StatusBadRequest, "Bad Request")
		return nil
	}
	p.forward(c, e, destination)
	p.requests.WithLabelValues(e.route, strconv.Itoa(c.Writer.Status())).Inc()
	return nil
}

func (p *Proxy) forward(c *gin.Context, e *endpoint, to *url.URL) {
	head := c.Writer.Header()
	proxy := httputil.ReverseProxy{
		Transport: e.transport,
		ErrorLog:  slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL = to
			r.Out.Host = ""
			if e.keepHost {
				r.Out.Host = r.In.Host
			}
			r.Out.Trailer = nil
			filter(r.Out.Header, e.requests)
			for name, values := range e.headers {
				r.Out.Header[name] = values
			}
			if p.propagate != nil {
				p.propagate(r.In.Context(), r.Out.Header)
			}
			if host := e.headers.Get("Host"); host != "" {
				r.Out.Host = host
			}
			if _, said := r.Out.Header["User-Agent"]; !said {
				r.Out.Header["User-Agent"] = nil // rather none than that of a library
			}
		},
		ModifyResponse: func(res *http.Response) error {
			filter(res.Header, e.responses)
			for name := range res.Header {
				head.Del(name) // what the target says comes in place of ours
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) { p.fail(c, e, err) },
	}
	proxy.ServeHTTP(c.Writer, c.Request)
}

// filter takes headers away that are not allowed.
func filter(h http.Header, allowed map[string]bool) {
	for name := range h {
		if !allowed[http.CanonicalHeaderKey(name)] {
			delete(h, name)
		}
	}
}

// clientGone is the status that logs show where the client did not wait.
const clientGone = 499

// fail answers for a target that did not.
func (p *Proxy) fail(c *gin.Context, e *endpoint, err error) {
	ctx := c.Request.Context()
	if ctx.Err() != nil {
		c.Status(clientGone)
		return
	}
	p.log.WarnContext(ctx, "the target of a proxy route did not answer", slog.String("route", e.route), slog.Any("error", err))
	status := http.StatusBadGateway
	var network net.Error
	var operation *net.OpError
	if errors.As(err, &operation) || errors.As(err, &network) && network.Timeout() {
		status = http.StatusGatewayTimeout // as the reference says of all that is about the network
	}
	refuse(c, status, "Error occurred while trying to proxy: the target of "+e.route+" did not answer")
}

// refuse answers with a text, or without a body.
func refuse(c *gin.Context, status int, text string) {
	h := c.Writer.Header()
	if text != "" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.Status(status)
	c.Writer.WriteHeaderNow()
	if c.Request.Method != http.MethodHead {
		_, _ = c.Writer.WriteString(text) // the client has gone; there is nobody to tell
	}
}
