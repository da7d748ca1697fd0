package api

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// A Front stands before a Server that is still being made, which takes a while
// where there is much to load: whoever watches the process hears that it lives
// and is not ready, and everybody else waits for a moment. Once the Server is
// there it hands everything on, and costs nothing.
type Front struct {
	server  atomic.Pointer[Server]
	there   chan struct{} // closed once there is a server
	wait    time.Duration
	headers []header
	health  map[string]string
}

// NewFront returns a Front with those of the options that make answers look
// like those of the Server: CSP, StartupWait and HealthHeaders.
func NewFront(o Options) *Front {
	f := &Front{there: make(chan struct{}), wait: o.StartupWait, headers: securityHeaders(o.CSP), health: o.HealthHeaders}
	if f.wait == 0 {
		f.wait = defaultStartupWait
	}
	return f
}

// Put lets a server answer from now on. It is called once.
func (f *Front) Put(s *Server) {
	f.server.Store(s)
	close(f.there)
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := f.server.Load(); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	switch strings.TrimSuffix(strings.ToLower(r.URL.Path), "/") {
	case healthPath + "/v1/liveness":
		f.answerHealth(w, r, http.StatusOK, wire.Obj("status", "ok"))
	case healthPath + "/v1/readiness":
		f.answerHealth(w, r, http.StatusServiceUnavailable, notStarted().Body)
	default:
		f.await(w, r)
	}
}

func (f *Front) answerHealth(w http.ResponseWriter, r *http.Request, status int, body any) {
	for name, value := range f.health {
		w.Header().Set(name, value)
	}
	f.answer(w, r, status, body)
}

// await hands a request on as soon as there is a server, and refuses it when
// that takes too long.
func (f *Front) await(w http.ResponseWriter, r *http.Request) {
	timer := time.NewTimer(f.wait)
	defer timer.Stop()
	select {
	case <-f.there:
		f.server.Load().ServeHTTP(w, r)
	case <-timer.C:
		f.answer(w, r, http.StatusServiceUnavailable, errorBody(r, errNotStarted, http.StatusServiceUnavailable))
	case <-r.Context().Done():
	}
}

func (f *Front) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	data, err := wire.AppendJSON(nil, body)
	if err != nil {
		status = http.StatusInternalServerError
	}
	h := w.Header()
	for _, own := range f.headers {
		h[own.key] = own.values
	}
	h["Content-Type"] = jsonType
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // the client has gone; there is nobody to tell
	}
}

// errorBody is the envelope of an error.
func errorBody(r *http.Request, named *catalog.Error, status int) any {
	return wire.Obj(
		"error", errorObject(named),
		"request", wire.Obj("method", r.Method, "url", relativeURL(r)),
		"response", wire.Obj("statusCode", float64(status)),
	)
}
