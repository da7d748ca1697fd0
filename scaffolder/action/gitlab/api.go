package gitlab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	gl "github.com/xanzy/go-gitlab"

	"github.com/greenroom-idp/greenroom/catalog"
)

// An api asks one host.
type api struct{ client *gl.Client }

type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }

const userAgent = "greenroom"

// newAPI makes go-gitlab leave tokens, budgets and retries to the account.
func newAPI(a Account) (*api, error) {
	client, err := gl.NewClient("", gl.WithBaseURL(a.API), gl.WithHTTPClient(a.HTTP), gl.WithoutRetries(), gl.WithCustomLimiter(unlimited{}))
	if err != nil {
		return nil, errors.New("the API of the host has no valid URL")
	}
	client.UserAgent = userAgent
	return &api{client: client}, nil
}

// call sends a request for a path in segments. The body of a GET is a struct
// that becomes the query, that of others is sent as JSON; nil is none. The
// answer is read into into.
func (a *api) call(ctx context.Context, method string, path []string, body, into any) error {
	_, err := a.ask(ctx, method, path, body, into)
	return err
}

func (a *api) ask(ctx context.Context, method string, path []string, body, into any) (*gl.Response, error) {
	segments := make([]string, len(path))
	for i, s := range path {
		segments[i] = url.PathEscape(s)
	}
	req, err := a.client.NewRequest(method, strings.Join(segments, "/"), body, []gl.RequestOptionFunc{gl.WithContext(ctx)})
	if err != nil {
		return nil, err
	}
	res, err := a.client.Do(req, into)
	if err != nil {
		return nil, failure(ctx, err)
	}
	return res, nil
}

// paged is the query of a list.
type paged struct {
	PerPage           int    `url:"per_page"`
	Page              int    `url:"page"`
	Ref               string `url:"ref,omitempty"`
	Recursive         bool   `url:"recursive,omitempty"`
	AncestorGroups    bool   `url:"include_ancestor_groups,omitempty"`
	MinAccessLevel    int    `url:"min_access_level,omitempty"`
	IncludeSubgroups  bool   `url:"include_subgroups,omitempty"`
	DescendantsAsWell bool   `url:"include_descendant_groups,omitempty"`
}

// maxPages bounds lists, at 100 a page.
const maxPages = 2000

// list reads a list to its end, or until visit has had enough.
func list[T any](ctx context.Context, a *api, path []string, query paged, visit func(T) (enough bool)) error {
	query.PerPage = 100
	for query.Page = 1; query.Page <= maxPages; query.Page++ {
		var page []T
		res, err := a.ask(ctx, http.MethodGet, path, query, &page)
		if err != nil {
			return err
		}
		for _, v := range page {
			if visit(v) {
				return nil
			}
		}
		if res.NextPage == 0 {
			return nil
		}
	}
	return fmt.Errorf("the list is longer than %d pages", maxPages)
}

// An apiError is an answer of GitLab that says no. Its text holds no URL.
type apiError struct {
	Status  int
	Message string
}

func (e *apiError) Error() string { return fmt.Sprintf("%s (status %d)", e.Message, e.Status) }

// Is makes the conditions of package catalog of a status.
func (e *apiError) Is(target error) bool {
	return e.Status == http.StatusNotFound && target == error(catalog.ErrNotFound) ||
		e.Status == http.StatusForbidden && target == error(catalog.ErrNotAllowed)
}

// failure turns an error of go-gitlab, whose text holds URLs, into ours.
func failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var said *gl.ErrorResponse
	if errors.As(err, &said) {
		e := &apiError{Status: said.Response.StatusCode, Message: said.Message}
		if e.Message == "" {
			e.Message = http.StatusText(e.Status)
		}
		if e.Status == http.StatusForbidden {
			e.Message += ": the token needs the scope api and enough rights"
		}
		return e
	}
	if errors.Is(err, gl.ErrNotFound) {
		return &apiError{Status: http.StatusNotFound, Message: "Not Found"}
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("the host did not answer: %w", err)
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

// saysThat tells whether GitLab's words hold these.
func saysThat(err error, words string) bool {
	var e *apiError
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.Message), strings.ToLower(words))
}

// idOf returns an id, a number or a path, as a segment of a URL.
func idOf(name string, v any) (string, error) {
	switch v := v.(type) {
	case string:
		if v != "" {
			return v, nil
		}
	case float64:
		if v == math.Trunc(v) && v >= 0 && v < 1<<53 {
			return strconv.FormatInt(int64(v), 10), nil
		}
	}
	return "", catalog.NewError(catalog.NameInput, name+" is neither the number nor the path of something")
}
