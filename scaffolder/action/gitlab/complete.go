package gitlab

import (
	"context"
	"fmt"
	"net/http"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Completion is something that a form can offer.
type Completion struct{ ID, Title string }

// mostOffered bounds what is offered.
const mostOffered = 5000

// Complete returns what a field of a form can be completed to: the resources
// groups, with the user of the token at the end, and repositories, as far as
// the token sees them. The token of the integration is not used.
func Complete(ctx context.Context, hosts Hosts, resource, token string, about map[string]string) ([]Completion, error) {
	host := or(about["host"], "gitlab.com")
	account, ok := hosts.Account(host, token)
	if !ok {
		return nil, catalog.NewError(catalog.NameInput, "No integration for host "+host)
	}
	a, err := newAPI(account)
	if err != nil {
		return nil, err
	}
	var self person
	switch resource {
	case "groups", "repositories":
		if err := a.call(ctx, http.MethodGet, []string{"user"}, nil, &self); err != nil {
			return nil, err
		}
	default:
		return nil, catalog.NewError(catalog.NameInput, "Invalid resource: "+resource)
	}
	own := fmt.Sprintf("%.0f", self.ID)
	var out []Completion
	if resource == "groups" {
		err := list(ctx, a, []string{"groups"}, paged{}, func(g struct {
			ID       float64 `json:"id"`
			FullPath string  `json:"full_path"`
		}) bool {
			out = append(out, Completion{ID: fmt.Sprintf("%.0f", g.ID), Title: g.FullPath})
			return len(out) >= mostOffered
		})
		return append(out, Completion{ID: own, Title: self.Username}), err
	}
	if about["id"] == "" {
		return nil, catalog.NewError(catalog.NameInput, "Missing groupId context parameter")
	}
	path := []string{"groups", about["id"], "projects"}
	if about["id"] == own {
		path[0] = "users"
	}
	err = list(ctx, a, path, paged{}, func(p struct{ Name, Path string }) bool {
		out = append(out, Completion{ID: p.Path, Title: p.Name})
		return len(out) >= mostOffered
	})
	return out, err
}
