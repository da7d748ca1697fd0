package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Client asks one API.
type Client struct {
	// Base is that of the API, without a slash at the end.
	Base string
	// HTTP sends the requests.
	HTTP *http.Client
	// Message finds the words of the host in an answer that says no; nil: the
	// text of the field message.
	Message func(body []byte) string
	// Forbidden is what is added to an answer of 403: which rights are missing.
	Forbidden string
}

const (
	userAgent = "greenroom"
	// maxAnswer bounds answers, maxMessage what is shown of one.
	maxAnswer  = 32 << 20
	maxMessage = 500
)

// Call sends a request for a path in segments, with a query that may be nil. A
// body is sent as JSON and the answer read into into, nil for neither.
func (c *Client) Call(ctx context.Context, method string, path []string, query url.Values, body, into any) error {
	segments := make([]string, len(path))
	for i, s := range path {
		segments[i] = url.PathEscape(s)
	}
	address := c.Base + "/" + strings.Join(segments, "/")
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return c.CallURL(ctx, method, address, body, into)
}

// CallURL is Call for a URL of the API, such as that of the next page.
func (c *Client) CallURL(ctx context.Context, method, address string, body, into any) error {
	if !strings.HasPrefix(address, c.Base+"/") {
		return errors.New("the host leads to a URL that is none of its API")
	}
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return errors.New("the API of the host has no valid URL")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return unanswered(ctx, err)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return unanswered(ctx, err)
	}
	switch {
	case len(data) > maxAnswer:
		return fmt.Errorf("the answer of the host has more than %d bytes", maxAnswer)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return c.failure(res.StatusCode, data)
	case into == nil || len(data) == 0:
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the answer of the host is not what its API promises: %w", err)
	}
	return nil
}

// unanswered takes the URL out of an error.
func unanswered(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("the host did not answer: %w", err)
}

// An Error is an answer that says no. Its text holds no URL of ours.
type Error struct {
	Status  int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (status %d)", e.Message, e.Status) }

// Is makes the conditions of package catalog of a status.
func (e *Error) Is(target error) bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return target == error(catalog.ErrInput)
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == error(catalog.ErrNotAllowed)
	case http.StatusNotFound:
		return target == error(catalog.ErrNotFound)
	case http.StatusConflict:
		return target == error(catalog.ErrConflict)
	}
	return false
}

func (c *Client) failure(status int, body []byte) error {
	message := c.Message
	if message == nil {
		message = func(body []byte) string {
			var said struct{ Message string }
			_ = json.Unmarshal(body, &said) // what is no JSON says nothing
			return said.Message
		}
	}
	e := &Error{Status: status, Message: strings.Join(strings.Fields(strings.ToValidUTF8(message(body), "")), " ")}
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "…"
	}
	if e.Message == "" {
		e.Message = http.StatusText(status)
	}
	if status == http.StatusForbidden && c.Forbidden != "" {
		e.Message += ": " + c.Forbidden
	}
	return e
}

// Status returns the status of the answer that err is about, 0 if there was
// none.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Unsure tells whether a request that failed so may have done what it was for.
func Unsure(err error) bool { return Status(err) == 0 || Status(err) >= http.StatusInternalServerError }
