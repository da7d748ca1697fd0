package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

const userAgent = "git/greenroom" // some servers want it to begin so

// maxRedirects bounds how often an answer may lead elsewhere.
const maxRedirects = 5

// httpWire is a conversation over HTTP: two requests without a state between
// them.
type httpWire struct {
	client     http.Client
	remote     Remote
	service    string
	base       *url.URL // of the repository, after redirects
	advertised *packp.AdvRefs
}

func openHTTP(ctx context.Context, r Remote, u *url.URL, service string) (wire, error) {
	w := &httpWire{remote: r, service: service, base: u.JoinPath()}
	if w.client = (http.Client{Timeout: httpTimeout}); r.HTTP != nil {
		w.client = *r.HTTP
	}
	w.client.CheckRedirect = sameServer
	req, err := w.request(ctx, http.MethodGet, "/info/refs?service="+service, nil)
	if err != nil {
		return nil, err
	}
	res, err := w.do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if kind := res.Header.Get("Content-Type"); kind != "application/x-"+service+"-advertisement" {
		return nil, errors.New("the answer is not that of a Git server")
	}
	if w.advertised, err = readRefs(res.Body); err != nil {
		return nil, err
	}
	moved := *res.Request.URL
	moved.RawQuery, moved.Path, moved.RawPath = "", strings.TrimSuffix(moved.Path, "/info/refs"), strings.TrimSuffix(moved.RawPath, "/info/refs")
	w.base = &moved
	return w, nil
}

// sameServer follows a redirect where the credentials are for: a repository may
// have another name by now.
func sameServer(req *http.Request, via []*http.Request) error {
	from := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("there are more than %d redirects", maxRedirects)
	case req.URL.Host != from.Host || req.URL.Scheme != from.Scheme && req.URL.Scheme != "https":
		return fmt.Errorf("%w: it redirects to another server, %s", errRefused, req.URL.Host)
	}
	return nil
}

func (w *httpWire) refs() *packp.AdvRefs { return w.advertised }

func (w *httpWire) Close() error { return nil }

func (w *httpWire) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.base.String()+path, body)
	if err != nil {
		return nil, fmt.Errorf("%w: the URL is none", errRefused)
	}
	req.Header.Set("User-Agent", userAgent)
	if w.remote.Password != "" {
		req.SetBasicAuth(w.remote.User, w.remote.Password)
	}
	return req, nil
}

// maxWhole is up to how many bytes a request has a length; Git itself sends
// longer ones as they are made, too.
const maxWhole = 1 << 20

// ask sends what is written while it is written: a pack may be larger than the
// memory.
func (w *httpWire) ask(ctx context.Context, write func(io.Writer) error) (io.ReadCloser, error) {
	out, in := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		in.CloseWithError(write(in))
	}()
	defer func() {
		out.Close()
		<-written
	}()
	head, err := io.ReadAll(io.LimitReader(out, maxWhole+1))
	if err != nil {
		return nil, err
	}
	body := io.Reader(bytes.NewReader(head))
	if len(head) > maxWhole {
		body = io.MultiReader(bytes.NewReader(head), out)
	}
	req, err := w.request(ctx, http.MethodPost, "/"+w.service, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-"+w.service+"-request")
	req.Header.Set("Accept", "application/x-"+w.service+"-result")
	res, err := w.do(req)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// do sends a request; the status of its response is 200.
func (w *httpWire) do(req *http.Request) (*http.Response, error) {
	res, err := w.client.Do(req)
	var inner *url.Error
	switch {
	case errors.As(err, &inner):
		return nil, inner.Err // without the URL
	case err != nil:
		return nil, err
	case res.StatusCode == http.StatusOK:
		return res, nil
	}
	said := &saying{}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		_, err = io.CopyN(said, res.Body, maxSaying)
	}
	if err = errors.Join(err, res.Body.Close()); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return nil, &statusError{status: res.StatusCode, said: said.String()}
}

// A statusError is an answer of a server that is none of Git.
type statusError struct {
	status int
	said   string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answers with status %d", e.status)
	if e.said != "" {
		text += fmt.Sprintf(" and %q", e.said)
	}
	return text
}

// Is makes the conditions of the library of a status.
func (e *statusError) Is(target error) bool {
	return e.status == http.StatusUnauthorized && target == transport.ErrAuthenticationRequired ||
		e.status == http.StatusForbidden && target == transport.ErrAuthorizationFailed ||
		e.status == http.StatusNotFound && target == transport.ErrRepositoryNotFound
}
