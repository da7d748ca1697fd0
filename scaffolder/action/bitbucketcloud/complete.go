package bitbucketcloud

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action/rest"
)

// A Completion is something that a form can offer.
type Completion struct{ ID, Title string }

// mostOffered bounds what is offered.
const mostOffered = 5000

// Complete returns what a field of a form can be completed to, as far as the
// token sees it: the resources workspaces, projects of a workspace, repositories
// of a project, and branches of a repository. The credentials of the integration
// are not used.
func Complete(ctx context.Context, hosts Hosts, resource, token string, about map[string]string) ([]Completion, error) {
	path, query, err := listOf(resource, about)
	if err != nil {
		return nil, err
	}
	host := or(about["host"], Host)
	account, ok := hosts.Account(host, token)
	if !ok || token == "" {
		return nil, catalog.NewError(catalog.NameInput, "No integration for host "+host)
	}
	query.Set("pagelen", "100")
	var out []Completion
	err = list(ctx, client(account), path, query, func(v struct{ Slug, Key, Name string }) bool {
		id := map[string]string{"workspaces": v.Slug, "projects": v.Key, "repositories": v.Slug, "branches": v.Name}[resource]
		out = append(out, Completion{ID: id})
		return len(out) >= mostOffered
	})
	var said *rest.Error
	if errors.As(err, &said) {
		return nil, catalog.NewError(refusal(said.Status), err.Error())
	}
	return out, err
}

// listOf returns where a resource is listed.
func listOf(resource string, about map[string]string) (path []string, query url.Values, err error) {
	query = url.Values{}
	need := func(names ...string) {
		if slices.ContainsFunc(names, func(name string) bool { return about[name] == "" }) {
			err = catalog.NewError(catalog.NameInput, "Missing "+strings.Join(names, " and/or ")+" context parameter")
		}
	}
	switch resource {
	case "workspaces":
		path = []string{"workspaces"}
	case "projects":
		need("workspace")
		path = []string{"workspaces", about["workspace"], "projects"}
	case "repositories":
		need("workspace", "project")
		path = []string{"repositories", about["workspace"]}
		query.Set("q", "project.key="+quoted(about["project"]))
	case "branches":
		need("workspace", "repository")
		path = []string{"repositories", about["workspace"], about["repository"], "refs", "branches"}
	default:
		err = catalog.NewError(catalog.NameInput, "Invalid resource: "+resource)
	}
	return path, query, err
}

// refusal is the name of the error for an answer to the token of a user.
func refusal(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return catalog.NameNotAllowed
	case http.StatusNotFound:
		return catalog.NameNotFound
	}
	return catalog.NameUnavailable
}
