package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An API asks a host. Implementations prove who they are with what the
// integration of the host has, keep to its budget, and are safe for concurrent
// use. Paths are below the REST API, without a leading slash and escaped. What
// is not there is an error that is catalog.ErrNotFound.
type API interface {
	// Get decodes the JSON at a path and returns the header of the answer.
	Get(ctx context.Context, host, path string, query url.Values, into any) (http.Header, error)
	// Exists asks with HEAD whether there is something at a path.
	Exists(ctx context.Context, host, path string, query url.Values) (bool, error)
	// GraphQL sends a query and decodes the field data of its answer. Errors in
	// the answer are an error, even where there are data as well.
	GraphQL(ctx context.Context, host, query string, variables map[string]any, into any) error
}

var errIncomplete = errors.New("a list came back incomplete")

const (
	perPage = 100
	// maxPages bounds a list that never ends.
	maxPages = 10_000
)

// list reads all pages of a list of the REST API, in ascending order of their
// ids, and hands them to add. Where the host says how many items there are, as
// many must come: one that is removed while the list is read makes another one
// slip from one page to the one before.
func list[T any](ctx context.Context, api API, host, path string, query url.Values, add func(T) error) error {
	query.Set("per_page", strconv.Itoa(perPage))
	page, seen := "1", 0
	for range maxPages {
		query.Set("page", page)
		var items []T
		header, err := api.Get(ctx, host, path, query, &items)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := add(item); err != nil {
				return err
			}
		}
		seen += len(items)
		next, known := header["X-Next-Page"]
		switch {
		case !known:
			return fmt.Errorf("%w: it does not say whether this was the last page", errIncomplete)
		case next[0] == "":
			return complete(header, seen)
		case next[0] == page || len(items) == 0:
			return fmt.Errorf("%w: it goes on, and does not say where", errIncomplete)
		}
		page = next[0]
	}
	return fmt.Errorf("%w: it has more than %d pages", errIncomplete, maxPages)
}

func complete(header http.Header, seen int) error {
	total := header.Get("X-Total")
	if n, err := strconv.Atoi(total); err == nil && n != seen {
		return fmt.Errorf("%w: %d of %d came, it has changed while it was read", errIncomplete, seen, n)
	}
	return nil
}

// A project is what discovery must know of one.
type project struct {
	ID            int64     `json:"id"`
	Path          string    `json:"path_with_namespace"`
	WebURL        string    `json:"web_url"`
	DefaultBranch string    `json:"default_branch"`
	Archived      bool      `json:"archived"`
	EmptyRepo     bool      `json:"empty_repo"`
	LastActivity  time.Time `json:"last_activity_at"`
	ForkedFrom    *struct{} `json:"forked_from_project"`
	Topics        []string  `json:"topics"`
}

func (p *project) valid() error {
	if p.ID == 0 || p.Path == "" || p.WebURL == "" {
		return fmt.Errorf("%w: a project has no id, path or URL", errIncomplete)
	}
	return nil
}

// projects reads the projects that the options let the host choose.
func (d *Discovery) projects(ctx context.Context, add func(*project) error) error {
	query, path := url.Values{"order_by": {"id"}, "sort": {"asc"}}, "projects"
	if d.opts.Group != "" {
		path = "groups/" + url.PathEscape(d.opts.Group) + "/projects"
		query.Set("include_subgroups", "true")
	}
	if !d.opts.IncludeArchivedRepos {
		query.Set("archived", "false")
	}
	if d.opts.Membership != nil {
		query.Set("membership", strconv.FormatBool(*d.opts.Membership))
	}
	if len(d.opts.Topics) > 0 {
		query.Set("topic", strings.Join(d.opts.Topics, ","))
	}
	err := list(ctx, d.api, d.opts.Host, path, query, func(p *project) error {
		if p == nil {
			return errIncomplete
		}
		if err := p.valid(); err != nil {
			return err
		}
		return add(p)
	})
	if err != nil {
		return fmt.Errorf("list projects: %w", err)
	}
	return nil
}

// A blob is a file that a search found.
type blob struct {
	Path      string `json:"path"`
	Ref       string `json:"ref"`
	ProjectID int64  `json:"project_id"`
}

// search returns the files of the name that the host's search has found.
func (d *Discovery) search(ctx context.Context) ([]blob, error) {
	path, query := "search", url.Values{"scope": {"blobs"}, "search": {"filename:" + d.opts.EntityFilename}}
	if d.opts.Group != "" {
		path = "groups/" + url.PathEscape(d.opts.Group) + "/search"
	}
	var out []blob
	err := list(ctx, d.api, d.opts.Host, path, query, func(b blob) error {
		if b.ProjectID == 0 || b.Path == "" {
			return errIncomplete
		}
		out = append(out, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search for %s: %w", d.opts.EntityFilename, err)
	}
	return out, nil
}

// one reads a project by its id.
func (d *Discovery) one(ctx context.Context, id int64) (*project, error) {
	p := &project{}
	if _, err := d.api.Get(ctx, d.opts.Host, "projects/"+strconv.FormatInt(id, 10), nil, p); err != nil {
		return nil, fmt.Errorf("read project %d: %w", id, err)
	}
	return p, p.valid()
}

// exists asks whether a file is there.
func (d *Discovery) exists(ctx context.Context, p *project, branch string) (bool, error) {
	path := "projects/" + strconv.FormatInt(p.ID, 10) + "/repository/files/" + url.PathEscape(d.opts.EntityFilename)
	ok, err := d.api.Exists(ctx, d.opts.Host, path, url.Values{"ref": {branch}})
	if err != nil {
		return false, fmt.Errorf("look for %s in %s: %w", d.opts.EntityFilename, p.Path, err)
	}
	return ok, nil
}
