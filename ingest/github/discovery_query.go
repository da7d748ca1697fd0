package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// An API asks a host. Implementations prove who they are with what the
// integration of the host has for the owner, keep to its budget, and are safe
// for concurrent use.
type API interface {
	// GraphQL sends a query and decodes the field data of its answer. Errors
	// in the answer are an error, even where there are data as well.
	GraphQL(ctx context.Context, host, owner, query string, variables map[string]any, into any) error
	// Installations returns the accounts in which a GitHub App is installed and
	// not suspended.
	Installations(ctx context.Context, host string, app int64) ([]string, error)
}

// A repository is what discovery must know of one.
type repository struct {
	Name       string
	URL        string // of its page, without a trailing slash
	Branch     string // the default one, "" if it has none
	Archived   bool
	Fork       bool
	Visibility string // as GitHub spells it in whatever case
	Topics     []string
	// Exists tells that the descriptor is there and not empty. It is only
	// asked for where the options want it.
	Exists bool
}

const repositoryFields = `
	name url isArchived isFork visibility
	repositoryTopics(first: 100) { nodes { topic { name } } }
	defaultBranchRef { name }
	file: object(expression: $file) @include(if: $lookup) { __typename ... on Blob { byteSize } }`

const listRepositories = `query listRepositories($owner: String!, $size: Int!, $after: String, $file: String!, $lookup: Boolean!) {
	repositoryOwner(login: $owner) {
		repositories(first: $size, after: $after, ownerAffiliations: [OWNER]) {
			nodes {` + repositoryFields + `}
			pageInfo { hasNextPage endCursor }
		}
	}
}`

const oneRepository = `query oneRepository($owner: String!, $name: String!, $file: String!, $lookup: Boolean!) {
	repository(owner: $owner, name: $name) {` + repositoryFields + `}
}`

// A repositoryNode is a repository as a query returns it.
type repositoryNode struct {
	Name             string `json:"name"`
	URL              string `json:"url"`
	IsArchived       bool   `json:"isArchived"`
	IsFork           bool   `json:"isFork"`
	Visibility       string `json:"visibility"`
	RepositoryTopics struct {
		Nodes []struct {
			Topic struct {
				Name string `json:"name"`
			} `json:"topic"`
		} `json:"nodes"`
	} `json:"repositoryTopics"`
	DefaultBranchRef *struct {
		Name string `json:"name"`
	} `json:"defaultBranchRef"`
	File *struct {
		Type     string `json:"__typename"`
		ByteSize int64  `json:"byteSize"`
	} `json:"file"`
}

func (n *repositoryNode) repository() repository {
	r := repository{
		Name: n.Name, URL: strings.TrimSuffix(n.URL, "/"), Archived: n.IsArchived, Fork: n.IsFork, Visibility: n.Visibility,
		Exists: n.File != nil && n.File.Type == "Blob" && n.File.ByteSize > 0,
	}
	if n.DefaultBranchRef != nil {
		r.Branch = n.DefaultBranchRef.Name
	}
	for _, t := range n.RepositoryTopics.Nodes {
		r.Topics = append(r.Topics, t.Topic.Name)
	}
	return r
}

// A pageInfo says whether a list goes on.
type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

var (
	errNoOwner    = errors.New("there is no such organisation or user, or the credentials may not see it")
	errIncomplete = errors.New("a list came back incomplete")
)

// maxPages bounds a list that never ends.
const maxPages = 10_000

// pages asks for one page after the other until there are no more. A page that
// is too much for the host is asked for again at half the size.
func pages(ctx context.Context, size int, page func(size int, after *string) (pageInfo, error)) error {
	var after *string
	for range maxPages {
		info, err := page(size, after)
		if err != nil && size > 1 && tooMuch(err) && ctx.Err() == nil {
			size = max(size/2, 1)
			continue
		}
		switch {
		case err != nil:
			return err
		case !info.HasNextPage:
			return nil
		case info.EndCursor == "" || after != nil && info.EndCursor == *after:
			return fmt.Errorf("%w: it goes on, and does not say where", errIncomplete)
		}
		after = &info.EndCursor
	}
	return fmt.Errorf("%w: it has more than %d pages", errIncomplete, maxPages)
}

// A tooMuchError is one of a host that gives up on a query, for its size or for
// the load it is under.
type tooMuchError interface{ TooMuch() bool }

func tooMuch(err error) bool {
	var e tooMuchError
	return errors.As(err, &e) && e.TooMuch()
}

// listOf reads all repositories of an owner.
func listOf(ctx context.Context, api API, o *DiscoveryOptions, owner string) ([]repository, error) {
	var out []repository
	err := pages(ctx, o.PageSize, func(size int, after *string) (pageInfo, error) {
		var answer struct {
			RepositoryOwner *struct {
				Repositories struct {
					Nodes    []*repositoryNode `json:"nodes"`
					PageInfo *pageInfo         `json:"pageInfo"`
				} `json:"repositories"`
			} `json:"repositoryOwner"`
		}
		variables := map[string]any{
			"owner": owner, "size": size, "after": after, "file": o.expression(), "lookup": o.ValidateLocationsExist,
		}
		if err := api.GraphQL(ctx, o.Host, owner, listRepositories, variables, &answer); err != nil {
			return pageInfo{}, fmt.Errorf("list repositories of %s: %w", owner, err)
		}
		if answer.RepositoryOwner == nil {
			return pageInfo{}, fmt.Errorf("list repositories of %s: %w", owner, errNoOwner)
		}
		page := answer.RepositoryOwner.Repositories
		if page.PageInfo == nil {
			return pageInfo{}, fmt.Errorf("list repositories of %s: %w", owner, errIncomplete)
		}
		for _, n := range page.Nodes {
			if n == nil || n.Name == "" || n.URL == "" {
				return pageInfo{}, fmt.Errorf("list repositories of %s: %w", owner, errIncomplete)
			}
			out = append(out, n.repository())
		}
		return *page.PageInfo, nil
	})
	return out, err
}

// lookUp reads one repository, found false where it is gone.
func lookUp(ctx context.Context, api API, o *DiscoveryOptions, owner, name string) (r repository, found bool, err error) {
	var answer struct {
		Repository *repositoryNode `json:"repository"`
	}
	variables := map[string]any{"owner": owner, "name": name, "file": o.expression(), "lookup": o.ValidateLocationsExist}
	err = api.GraphQL(ctx, o.Host, owner, oneRepository, variables, &answer)
	if isNotFound(err) {
		return repository{}, false, nil
	}
	if err != nil {
		return repository{}, false, fmt.Errorf("look up repository %s/%s: %w", owner, name, err)
	}
	if answer.Repository == nil {
		return repository{}, false, nil
	}
	return answer.Repository.repository(), true, nil
}

// A GraphQLError is what a host answers to a query that it could not serve, in
// whole or in part.
type GraphQLError struct {
	// Kinds are the types of the errors, such as NOT_FOUND; Message is the
	// first in words.
	Kinds   []string
	Message string
	Count   int
}

func (e *GraphQLError) Error() string {
	if e.Count > 1 {
		return fmt.Sprintf("%s (and %d more errors)", e.Message, e.Count-1)
	}
	return e.Message
}

// TooMuch tells whether a smaller query may do.
func (e *GraphQLError) TooMuch() bool {
	for _, kind := range e.Kinds {
		if kind == "RESOURCE_LIMITS_EXCEEDED" || kind == "MAX_NODE_LIMIT_EXCEEDED" {
			return true
		}
	}
	return strings.Contains(e.Message, "Something went wrong while executing your query")
}

func isNotFound(err error) bool {
	var e *GraphQLError
	if !errors.As(err, &e) {
		return false
	}
	for _, kind := range e.Kinds {
		if kind != "NOT_FOUND" {
			return false
		}
	}
	return len(e.Kinds) > 0
}

// decodeGraphQL reads the answer to a query into a value.
func decodeGraphQL(body []byte, into any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("answer to a query: %w", err)
	}
	if len(answer.Errors) > 0 {
		e := &GraphQLError{Message: answer.Errors[0].Message, Count: len(answer.Errors)}
		for _, x := range answer.Errors {
			e.Kinds = append(e.Kinds, x.Type)
		}
		return e
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return fmt.Errorf("answer to a query: %w", errIncomplete)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		return fmt.Errorf("answer to a query: %w", err)
	}
	return nil
}
