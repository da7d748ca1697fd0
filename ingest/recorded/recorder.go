package recorded

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Recorder sends requests, and keeps them with their answers.
type Recorder struct {
	next http.RoundTripper
	mask *strings.Replacer

	mu        sync.Mutex
	exchanges []Exchange
}

var _ http.RoundTripper = (*Recorder)(nil)

// NewRecorder records what next sends. The texts of hide are masked in what is
// kept; they are credentials and other secrets.
func NewRecorder(next http.RoundTripper, hide []string) *Recorder {
	var pairs []string
	for _, h := range hide {
		if len(h) > 3 {
			pairs = append(pairs, h, "***")
		}
	}
	return &Recorder{next: next, mask: strings.NewReplacer(pairs...)}
}

// Exchanges returns what was recorded up to now, in the order of the answers.
func (r *Recorder) Exchanges() []Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Exchange(nil), r.exchanges...)
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("the answer to %s is larger than the %d bytes that can be recorded", shown(req), maxBody)
	}
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	r.keep(req, res, body)
	return res, nil
}

func (r *Recorder) keep(req *http.Request, res *http.Response, body []byte) {
	e := Exchange{Method: req.Method, URL: r.masked(req.URL), Status: res.StatusCode, Headers: http.Header{}}
	for _, name := range []string{"Content-Type", "Link", "Location"} {
		if v := res.Header.Get(name); v != "" {
			e.Headers.Set(name, r.mask.Replace(v))
		}
	}
	e.Body = body
	if isText(body) {
		e.Body = []byte(r.mask.Replace(string(body)))
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); strings.HasSuffix(kind, "json") {
		if v, err := jsonvalue.Parse(e.Body); err == nil {
			e.JSON = v
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if repository, ok := strings.CutSuffix(req.URL.Path, advertisement); ok && bytes.Contains(body, []byte(" capabilities^{}\x00")) {
		u := *e.URL
		u.Path, u.RawPath, u.RawQuery = repository, "", ""
		r.exchanges = append(r.exchanges, Exchange{Push: true, URL: &u})
		return
	}
	if strings.HasSuffix(req.URL.Path, receivePack) && len(r.exchanges) > 0 {
		if last := r.exchanges[len(r.exchanges)-1]; last.Push && last.URL.Path+receivePack == req.URL.Path {
			return // the exchange before is all of it
		}
	}
	r.exchanges = append(r.exchanges, e)
}

func (r *Recorder) masked(u *url.URL) *url.URL {
	plain := *u
	plain.User = nil
	if m, err := url.Parse(r.mask.Replace(plain.String())); err == nil {
		return m
	}
	return &plain
}

// isText tells whether a body reads as text.
func isText(b []byte) bool { return utf8.Valid(b) && !bytes.ContainsRune(b, 0) }
