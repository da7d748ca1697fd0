package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	gh "github.com/google/go-github/v60/github"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Completion is something that a form can offer.
type Completion struct{ ID, Title string }

// maxPages bounds what is offered, at 100 a page.
const maxPages = 50

// Complete returns what a field of a form can be completed to: the resources
// repositoriesWithOwner, branches and owners, as far as the token of the user
// sees them. The credentials of the integration are not used.
func Complete(ctx context.Context, hosts Hosts, resource, token string, about map[string]string) ([]Completion, error) {
	account, ok, err := hosts.Account(ctx, or(about["host"], "github.com"), about["owner"], token)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, catalog.NewError(catalog.NameInput, "No integration for host "+or(about["host"], "github.com"))
	}
	rest, err := restClient(account)
	if err != nil {
		return nil, err
	}
	switch resource {
	case "repositoriesWithOwner":
		return pages(ctx, rest, "user/repos", func(r struct {
			FullName string `json:"full_name"`
		}) Completion {
			return Completion{ID: r.FullName}
		})
	case "branches":
		if about["owner"] == "" || about["repository"] == "" {
			return nil, catalog.NewError(catalog.NameInput, "Missing owner and/or repository context parameters")
		}
		path := escaped([]string{"repos", about["owner"], about["repository"], "branches"})
		return pages(ctx, rest, path, func(b struct{ Name string }) Completion { return Completion{ID: b.Name} })
	case "owners":
		return pages(ctx, rest, "user/orgs", func(o struct{ Login string }) Completion { return Completion{ID: o.Login} })
	}
	return nil, catalog.NewError(catalog.NameInput, "Invalid resource: "+resource)
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, rest *gh.Client, path string, of func(T) Completion) ([]Completion, error) {
	var out []Completion
	for page := 1; page <= maxPages; page++ {
		query := url.Values{"per_page": {"100"}, "page": {fmt.Sprint(page)}}
		req, err := rest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		var list []T
		res, err := rest.Do(ctx, req, &list)
		if err != nil {
			return nil, failure(ctx, err)
		}
		for _, v := range list {
			out = append(out, of(v))
		}
		if res.NextPage == 0 {
			break
		}
	}
	return out, nil
}
