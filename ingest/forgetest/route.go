package forgetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// A style is how a kind of host speaks beyond its routes.
type style struct {
	// limits tells the budget in the headers of an answer.
	limits func(h http.Header, b budgetState)
	// message writes an error body.
	message func(w http.ResponseWriter, status int, text string)
	// exhausted refuses a request whose budget is used up.
	exhausted func(w http.ResponseWriter, b budgetState)
	// freeNotModified: a 304 to a request with a token is not billed.
	freeNotModified bool
}

// A route is one registered operation.
type route struct {
	forge    *Forge
	name     string
	style    *style
	resource string // which budget it takes from; "" for none
	streams  bool   // the answer is passed on as it comes, without an ETag
	handler  http.HandlerFunc
}

// handle registers an operation of an API under a name, which Requests and
// Fault.Route use. The answers of handler get an ETag and are conditional.
func (f *Forge) handle(pattern, name string, s *style, resource string, handler http.HandlerFunc) {
	f.mux.Handle(pattern, &route{forge: f, name: name, style: s, resource: resource, handler: handler})
}

// HandleFunc adds a route of the caller to the server, for what this package
// does not know, such as a page that redirects.
func (f *Forge) HandleFunc(pattern string, handler http.HandlerFunc) {
	f.mux.Handle(pattern, &route{forge: f, name: pattern, style: plainStyle(), handler: handler})
}

func plainStyle() *style {
	return &style{
		limits:    func(http.Header, budgetState) {},
		message:   func(w http.ResponseWriter, status int, text string) { http.Error(w, text, status) },
		exhausted: func(http.ResponseWriter, budgetState) {},
	}
}

func (f *Forge) serve(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// ServeHTTP counts a request, applies faults and the budget, and answers.
func (t *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.resource != "" && t.forge.observed(r) != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	w, answered := t.forge.faults.apply(w, r, t)
	if answered {
		return
	}
	token := token(r)
	if token != "" && t.resource != "" && !t.forge.known(token) {
		t.forge.counts.add(t.name, true, http.StatusUnauthorized)
		t.style.message(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	if t.resource != "" && t.forge.budgets.state(token, t.resource).Remaining <= 0 {
		b := t.forge.budgets.state(token, t.resource)
		t.forge.counts.add(t.name, false, http.StatusForbidden)
		t.style.limits(w.Header(), b)
		t.style.exhausted(w, b)
		return
	}
	answer := &answer{ResponseWriter: w, request: r, route: t, token: token, status: http.StatusOK}
	t.handler(answer, r)
	answer.finish()
}

// An answer is held back until it is complete, so that it gets an ETag and its
// budget headers, unless its route streams.
type answer struct {
	http.ResponseWriter
	request *http.Request
	route   *route
	token   string
	status  int
	body    bytes.Buffer
	passing bool
}

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) {
	if a.route.streams {
		a.pass()
	}
	if a.passing {
		return a.ResponseWriter.Write(p)
	}
	return a.body.Write(p)
}

// pass sends what there is and lets the rest through.
func (a *answer) pass() {
	if a.passing {
		return
	}
	a.passing = true
	a.bill(a.status)
	a.ResponseWriter.WriteHeader(a.status)
	a.ResponseWriter.Write(a.body.Bytes())
	a.body.Reset()
}

// bill counts the request, takes it from its budget and tells what is left.
func (a *answer) bill(status int) {
	t := a.route
	free := t.resource == "" || status == http.StatusNotModified && t.style.freeNotModified && a.token != ""
	t.forge.counts.add(t.name, !free, status)
	if t.resource != "" {
		t.style.limits(a.Header(), t.forge.budgets.take(a.token, t.resource, !free))
	}
}

func (a *answer) finish() {
	if a.passing {
		return
	}
	h := a.Header()
	if h.Get("ETag") == "-" { // the route wants none
		h.Del("ETag")
	} else if a.status == http.StatusOK && h.Get("ETag") == "" && a.request.Method == http.MethodGet && a.route.resource != "" {
		h.Set("ETag", fmt.Sprintf(`W/"%x"`, sha256.Sum256(a.body.Bytes())))
	}
	if etag := h.Get("ETag"); a.status == http.StatusOK && etag != "" && matches(a.request.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Type")
		a.bill(http.StatusNotModified)
		a.ResponseWriter.WriteHeader(http.StatusNotModified)
		return
	}
	a.bill(a.status)
	a.ResponseWriter.WriteHeader(a.status)
	a.ResponseWriter.Write(a.body.Bytes())
}

// matches compares weakly, as If-None-Match does.
func matches(header, etag string) bool {
	for _, candidate := range strings.Split(header, ",") {
		if c := strings.TrimSpace(candidate); c == "*" || strings.TrimPrefix(c, "W/") == strings.TrimPrefix(etag, "W/") {
			return c != ""
		}
	}
	return false
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.Encode(v)
}

func listen(address string) (net.Listener, error) { return net.Listen("tcp", address) }
