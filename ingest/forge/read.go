package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/budget"
)

// Limits bound what is read; zero values mean what is said beside them.
type Limits struct {
	File    int64 // bytes of one file; 10 MiB
	Matches int   // files that a pattern may name; 10,000
	Search  int64 // bytes of all of them; 256 MiB
}

// Complete fills in the defaults.
func (l Limits) Complete() Limits {
	if l.File == 0 {
		l.File = 10 << 20
	}
	if l.Matches == 0 {
		l.Matches = 10_000
	}
	if l.Search == 0 {
		l.Search = 256 << 20
	}
	return l
}

// TooLarge is the error for what is over a limit.
func TooLarge(what string, limit int64) error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf("%s is larger than %d bytes", what, limit))
}

// ReadBounded reads a body up to limit bytes.
func ReadBounded(r io.Reader, what string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, TooLarge(what, limit)
	}
	return data, nil
}

// Whole calls read again if its answer broke off in the middle, which no
// retry of a request sees.
func Whole[V any](ctx context.Context, read func() (V, error)) (V, error) {
	for attempt := 0; ; attempt++ {
		v, err := read()
		if err == nil || attempt == 2 || ctx.Err() != nil || !brokeOff(err) {
			return v, err
		}
	}
}

func brokeOff(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && op.Op == "read"
}

// A StatusError is an answer that is none: a status other than those that were
// expected.
type StatusError struct {
	// URL is what was to be read, Asked what the host was asked for; neither
	// holds a secret.
	URL, Asked string
	Status     int
	Limited    bool      // because there were too many requests
	Later      time.Time // when to try again, if the host said so
}

// RetryAt is when to try again; zero where that is not known.
func (e *StatusError) RetryAt() time.Time { return e.Later }

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s could not be read as %s, %d %s", e.URL, e.Asked, e.Status, http.StatusText(e.Status))
	if e.Limited {
		text += " (rate limit exceeded)"
	}
	return text
}

// Is makes 404 catalog.ErrNotFound.
func (e *StatusError) Is(target error) bool {
	return target == error(catalog.ErrNotFound) && e.Status == http.StatusNotFound
}

// Status returns the error for a response.
func Status(target string, res *http.Response) *StatusError {
	e := &StatusError{URL: target, Status: res.StatusCode}
	if res.Request != nil {
		e.Asked = Shown(res.Request.URL)
	}
	e.Later = budget.RetryAt(res, time.Now())
	e.Limited = !e.Later.IsZero()
	return e
}

// Shown is a URL without what could be a secret in it.
func Shown(u *url.URL) string {
	c := *u
	c.User, c.Fragment, c.RawFragment = nil, "", ""
	q := c.Query()
	for key := range q {
		if key != "ref" && key != "recursive" && key != "ref_name" && key != "path" && key != "sha" && key != "per_page" && key != "page" {
			q.Set(key, "***")
		}
	}
	c.RawQuery = q.Encode()
	return c.String()
}

// EscapePath encodes the segments of a path for a URL.
func EscapePath(p string) string {
	segments := strings.Split(p, "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	return strings.Join(segments, "/")
}

// Failed wraps an error of a request: without the URL that net/http puts into
// it, which may hold a ticket, and with the reason why ctx has ended.
func Failed(ctx context.Context, target string, err error) error {
	var limit *budget.LimitError
	if errors.As(err, &limit) {
		return fmt.Errorf("%s could not be read, %w", target, limit)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("%s could not be read, %w", target, err)
}

// NewTransport returns what sends requests to hosts: with time limits for
// everything but the body, which is bounded by its context.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 10 * time.Second
	t.ResponseHeaderTimeout = 30 * time.Second
	t.MaxIdleConnsPerHost = 16
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// maxRedirects bounds how often an answer may lead elsewhere.
const maxRedirects = 5

var errRedirects = fmt.Errorf("there are more than %d redirects", maxRedirects)

// CheckRedirect is for http.Client: a few redirects, and none from https to
// anything else.
func CheckRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return errors.New("it redirects from https to " + req.URL.Scheme)
	}
	return nil
}
