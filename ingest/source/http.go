package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// maxRedirects is how many redirects of one request are followed.
const maxRedirects = 5

// dated marks an etag that is the date of the last change.
const dated = "date:"

// fetch reads a plain URL that is allowed.
func (r *Reader) fetch(ctx context.Context, target, etag string) (data []byte, newETag string, notModified bool, err error) {
	res, err := r.follow(ctx, target, etag)
	if err != nil {
		return nil, "", false, err
	}
	defer res.Body.Close() //nolint:errcheck // only read
	switch {
	case res.StatusCode == http.StatusNotModified && etag != "":
		return nil, etag, true, nil
	case res.StatusCode == http.StatusNotFound:
		return nil, "", false, catalog.NewError(catalog.NameNotFound, unreadable(target, res.Status))
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, "", false, errors.New(unreadable(target, res.Status))
	}
	data, err = readBounded(res.Body, res.ContentLength)
	if err != nil {
		return nil, "", false, fmt.Errorf("could not read %s, %w", target, reason(ctx, err))
	}
	return data, etagOf(res.Header), false, nil
}

func unreadable(target, status string) string { return "could not read " + target + ", " + status }

// reason prefers why the context ended over that it did.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// follow sends the request, and again for each redirect to where reading is
// allowed.
func (r *Reader) follow(ctx context.Context, target, etag string) (*http.Response, error) {
	for range maxRedirects + 1 {
		u, err := r.check(target)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, err
		}
		setCondition(req, etag)
		res, err := r.client.Do(req)
		if err != nil {
			return nil, fmt.Errorf("could not read %s, %w", target, reason(ctx, errors.Unwrap(err)))
		}
		next := res.Header.Get("Location")
		if res.StatusCode < 300 || res.StatusCode > 399 || next == "" || res.StatusCode == http.StatusNotModified {
			return res, nil
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		to, err := u.Parse(next)
		if err != nil {
			return nil, fmt.Errorf("could not read %s, it redirects to an invalid URL", target)
		}
		target = to.String()
	}
	return nil, fmt.Errorf("could not read %s, there are more than %d redirects", target, maxRedirects)
}

func setCondition(req *http.Request, etag string) {
	if date, ok := strings.CutPrefix(etag, dated); ok {
		req.Header.Set("If-Modified-Since", date)
	} else if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
}

// etagOf returns what marks the state of the source in the next request.
func etagOf(h http.Header) string {
	const longest = 1024
	if tag := h.Get("ETag"); tag != "" && len(tag) < longest {
		return tag
	}
	if date := h.Get("Last-Modified"); date != "" && len(date) < longest {
		return dated + date
	}
	return ""
}

var errTooLarge = fmt.Errorf("it is larger than %d bytes", MaxFileBytes)

// readBounded reads up to MaxFileBytes. Size is how much is to come, -1 if
// that is not known.
func readBounded(body io.Reader, size int64) ([]byte, error) {
	if size > MaxFileBytes {
		return nil, errTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(body, MaxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileBytes {
		return nil, errTooLarge
	}
	return data, nil
}
