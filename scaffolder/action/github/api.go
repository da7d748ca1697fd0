package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// A repository is one that an action works on, be it there or not.
type repository struct {
	filters.RepoURL
	account Account
	rest    *gh.Client
}

const userAgent = "greenroom"

func newRepository(at filters.RepoURL, a Account) (*repository, error) {
	rest, err := restClient(a)
	if err != nil {
		return nil, err
	}
	return &repository{RepoURL: at, account: a, rest: rest}, nil
}

// restClient is go-github. Each use has its own: it remembers rate limits, and
// the client below knows these better.
func restClient(a Account) (*gh.Client, error) {
	base, err := url.Parse(a.API + "/")
	if err != nil {
		return nil, errors.New("the API of the host has no valid URL")
	}
	rest := gh.NewClient(a.HTTP)
	rest.BaseURL, rest.UserAgent = base, userAgent
	return rest, nil
}

// call sends a request; a body is sent as JSON, and the answer read into into,
// nil for neither.
func call(ctx context.Context, rest *gh.Client, method, path string, body, into any) error {
	req, err := rest.NewRequest(method, path, body)
	if err != nil {
		return err
	}
	_, err = rest.Do(ctx, req, into)
	var accepted *gh.AcceptedError // GitHub does it in a while: no error here
	switch {
	case errors.As(err, &accepted) && into != nil:
		return json.Unmarshal(accepted.Raw, into)
	case err != nil && accepted == nil:
		return failure(ctx, err)
	}
	return nil
}

// api is call for a path below that of the API, in segments.
func (r *repository) api(ctx context.Context, method string, segments []string, body, into any) error {
	return call(ctx, r.rest, method, escaped(segments), body, into)
}

// at is call for a path below that of the repository, in segments.
func (r *repository) at(ctx context.Context, method string, segments []string, body, into any) error {
	return r.api(ctx, method, append([]string{"repos", r.Owner, r.Repo}, segments...), body, into)
}

func escaped(segments []string) string {
	out := make([]string, len(segments))
	for i, s := range segments {
		out[i] = url.PathEscape(s)
	}
	return strings.Join(out, "/")
}

// An apiError is an answer of GitHub that says no. Its text holds no URL.
type apiError struct {
	Status  int
	Message string
	scopes  string // what the token would need, "" if that is not known
}

func (e *apiError) Error() string {
	text := e.Message
	if text == "" {
		text = http.StatusText(e.Status)
	}
	if e.scopes != "" {
		text += " (the token needs one of these scopes: " + e.scopes + ")"
	}
	return fmt.Sprintf("%s (status %d)", text, e.Status)
}

// Is makes the conditions of package catalog of a status.
func (e *apiError) Is(target error) bool {
	return e.Status == http.StatusNotFound && target == error(catalog.ErrNotFound) ||
		e.Status == http.StatusForbidden && target == error(catalog.ErrNotAllowed)
}

// failure turns an error of go-github, whose text holds URLs, into ours.
func failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var said *gh.ErrorResponse
	var limited *gh.RateLimitError
	var abuse *gh.AbuseRateLimitError
	switch {
	case errors.As(err, &said):
		return answered(said)
	case errors.As(err, &limited):
		return &apiError{Status: http.StatusForbidden, Message: "the rate limit is exceeded: " + limited.Message}
	case errors.As(err, &abuse):
		return &apiError{Status: http.StatusForbidden, Message: "the rate limit is exceeded: " + abuse.Message}
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("the host did not answer: %w", err)
}

// answered keeps what GitHub says in an error, and what it says of scopes.
func answered(said *gh.ErrorResponse) error {
	e := &apiError{Status: said.Response.StatusCode, Message: strings.TrimSuffix(said.Message, ".")}
	var details []string
	for _, d := range said.Errors {
		text := d.Message
		if text == "" {
			text = strings.TrimSpace(d.Field + " " + d.Code)
		}
		if text != "" {
			details = append(details, text)
		}
	}
	if len(details) > 0 {
		e.Message += ": " + strings.Join(details, ", ")
	}
	h := said.Response.Header
	if needed := h.Get("X-Accepted-OAuth-Scopes"); needed != "" && h.Get("X-OAuth-Scopes") != needed &&
		(e.Status == http.StatusForbidden || e.Status == http.StatusNotFound) {
		e.scopes = needed
	}
	return e
}

// status returns the status of the answer that err is about, 0 if there was
// none.
func status(err error) int {
	var e *apiError
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// saysThat tells whether GitHub's words hold these.
func saysThat(err error, words string) bool {
	var e *apiError
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.Message), strings.ToLower(words))
}
