package git

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

const (
	userAgent = "git/greenroom" // some servers want it to begin so
	service   = "git-upload-pack"
)

// httpSession is a conversation over HTTP: two requests without a state between
// them.
type httpSession struct {
	client     *http.Client
	endpoint   endpoint
	base       *url.URL // of the repository, after redirects
	user       string
	password   string
	advertised *packp.AdvRefs
}

// openHTTP asks what a repository has.
func openHTTP(ctx context.Context, client *http.Client, e endpoint, user, password string) (session, error) {
	s := &httpSession{client: client, endpoint: e, base: e.url, user: user, password: password}
	res, err := s.do(ctx, http.MethodGet, "/info/refs?service="+service, nil)
	if err != nil {
		return nil, err
	}
	body := &watched{ReadCloser: res.Body}
	if kind := res.Header.Get("Content-Type"); kind != "application/x-"+service+"-advertisement" {
		return nil, errors.Join(e.unavailable(errNotGit), body.Close())
	}
	s.advertised, err = readRefs(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, e.unavailable(err)
	}
	moved := *res.Request.URL
	moved.RawQuery = ""
	moved.Path = strings.TrimSuffix(moved.Path, "/info/refs")
	moved.RawPath = strings.TrimSuffix(moved.RawPath, "/info/refs")
	s.base = &moved
	return s, nil
}

func (s *httpSession) refs() *packp.AdvRefs { return s.advertised }

func (s *httpSession) Close() error { return nil }

func (s *httpSession) pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	body, err := encodeRequest(req)
	if err != nil {
		return nil, err
	}
	res, err := s.do(ctx, http.MethodPost, "/"+service, body)
	if err != nil {
		return nil, err
	}
	return readPack(req, &watched{ReadCloser: res.Body})
}

// A watched body tells when it is closed that it broke off: the library that
// reads it makes an error of its own of that.
type watched struct {
	io.ReadCloser
	broke error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		w.broke = err
	}
	return n, err
}

func (w *watched) Close() error { return errors.Join(w.broke, w.ReadCloser.Close()) }

// do sends a request; the status of its response is 200.
func (s *httpSession) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(budget.Repeatable(ctx), method, s.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-"+service+"-request")
		req.Header.Set("Accept", "application/x-"+service+"-result")
	}
	// A redirect may have led to another host, which gets no credentials.
	if s.password != "" && s.base.Host == s.endpoint.url.Host && s.base.Scheme == s.endpoint.url.Scheme {
		req.SetBasicAuth(s.user, s.password)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, forge.Failed(ctx, s.endpoint.target, err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	failure := forge.Status(s.endpoint.target, res)
	return nil, errors.Join(failure, res.Body.Close())
}
