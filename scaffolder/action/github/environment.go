package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// A branchPolicy says which branches may deploy.
type branchPolicy struct {
	ProtectedBranches    bool `json:"protected_branches" doc:"Protected branches may deploy"`
	CustomBranchPolicies bool `json:"custom_branch_policies" doc:"Branches and tags whose names match may deploy"`
}

type environmentInput struct {
	RepoURL                 string            `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	Name                    string            `json:"name" doc:"The name of the environment"`
	DeploymentBranchPolicy  *branchPolicy     `json:"deploymentBranchPolicy,omitempty" doc:"Which branches may deploy"`
	CustomBranchPolicyNames []string          `json:"customBranchPolicyNames,omitempty" doc:"Patterns of branches that may deploy"`
	CustomTagPolicyNames    []string          `json:"customTagPolicyNames,omitempty" doc:"Patterns of tags that may deploy"`
	EnvironmentVariables    map[string]string `json:"environmentVariables,omitempty" doc:"Variables of the environment"`
	Secrets                 map[string]string `json:"secrets,omitempty" doc:"Secrets of the environment"`
	Token                   string            `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
	WaitTimer               *float64          `json:"waitTimer,omitempty" doc:"How many minutes a deployment waits"`
	PreventSelfReview       *bool             `json:"preventSelfReview,omitempty" doc:"Who has begun a deployment may not approve it"`
	Reviewers               []string          `json:"reviewers,omitempty" doc:"Entity refs of the users and groups that must approve"`
}

func (p *publisher) environment() action.Action {
	const id = "github:environment:create"
	return action.New(action.Spec{
		ID: id, Repeatable: true, Description: "Makes a deployment environment in a GitHub repository, with its variables and secrets.",
		Examples: []action.Example{
			{Description: "Make an environment", Example: example(id, "Make the environment", "name: production")},
			{Description: "Make an environment that a team guards", Example: example(id, "Make the environment", "name: production",
				"deploymentBranchPolicy:", "  protected_branches: true", "  custom_branch_policies: false", "reviewers:", "  - group:default/platform",
				"secrets:", "  KEY: ${{ secrets.key }}")},
		},
	}, func(ctx context.Context, c *action.Context, in environmentInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		body, err := p.environmentBody(ctx, c, r, in)
		if err != nil {
			return err
		}
		path := []string{"environments", in.Name}
		if err := r.at(ctx, http.MethodPut, path, body, nil); err != nil {
			return fmt.Errorf("make the environment %s of %s: %w", in.Name, r.Slug(), err)
		}
		if err := r.policies(ctx, path, "branch", in.CustomBranchPolicyNames); err != nil {
			return err
		}
		if err := r.policies(ctx, path, "tag", in.CustomTagPolicyNames); err != nil {
			return err
		}
		if err := r.variables(ctx, path, in.EnvironmentVariables); err != nil {
			return err
		}
		return r.secrets(ctx, c, path, in.Secrets)
	})
}

func (p *publisher) environmentBody(ctx context.Context, c *action.Context, r *repository, in environmentInput) (map[string]any, error) {
	body := map[string]any{"deployment_branch_policy": nil}
	if in.DeploymentBranchPolicy != nil {
		body["deployment_branch_policy"] = in.DeploymentBranchPolicy
	}
	if in.WaitTimer != nil {
		body["wait_timer"] = *in.WaitTimer
	}
	if in.PreventSelfReview != nil {
		body["prevent_self_review"] = *in.PreventSelfReview
	}
	reviewers, err := p.reviewers(ctx, c, r, in.Reviewers)
	if err != nil {
		return nil, err
	}
	if len(reviewers) > 0 {
		body["reviewers"] = reviewers
	}
	return body, nil
}

// policies adds patterns of names that may deploy. One that is there is kept.
func (r *repository) policies(ctx context.Context, path []string, kind string, names []string) error {
	for _, name := range names {
		err := r.at(ctx, http.MethodPost, under(path, "deployment-branch-policies"), map[string]any{"name": name, "type": kind}, nil)
		if err != nil && status(err) != http.StatusSeeOther && !saysThat(err, "already exists") {
			return fmt.Errorf("let the %s %s deploy: %w", kind, name, err)
		}
	}
	return nil
}

// reviewers finds the accounts of entities. Those that are not found are left
// out.
func (p *publisher) reviewers(ctx context.Context, c *action.Context, r *repository, refs []string) ([]any, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	if p.Catalog == nil {
		c.Warnf("The reviewers of the environment are left out: there is no catalog to look them up in")
		return nil, nil
	}
	parsed := make([]catalog.EntityRef, len(refs))
	for i, ref := range refs {
		var err error
		if parsed[i], err = catalog.ParseEntityRef(ref, "group", "default"); err != nil {
			return nil, catalog.NewError(catalog.NameInput, "reviewers: "+err.Error())
		}
	}
	found, err := p.Catalog.EntitiesByRefs(ctx, c.Initiator, parsed)
	if err != nil {
		return nil, err
	}
	var out []any
	for i, e := range found {
		if e.Object == nil {
			c.Warnf("The reviewer %s is not in the catalog and is left out", refs[i])
			continue
		}
		kind, path := "Team", []string{"orgs", r.Owner, "teams", e.Ref().Name}
		if parsed[i].Kind == "user" {
			kind, path = "User", []string{"users", e.Ref().Name}
		}
		var account struct{ ID int64 }
		if err := r.api(ctx, http.MethodGet, path, nil, &account); err != nil {
			c.Warnf("The reviewer %s has no account at %s and is left out: %s", refs[i], r.Host, err)
			continue
		}
		out = append(out, map[string]any{"type": kind, "id": account.ID})
	}
	return out, nil
}
