package github

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// body is how GitHub is told to protect a branch.
func (in protectionInput) body(enforceAdmins bool, blockCreations *bool) map[string]any {
	reviews := map[string]any{
		"required_approving_review_count": 1.0, "require_code_owner_reviews": yes(in.RequireCodeOwnerReviews, false),
		"dismiss_stale_reviews": yes(in.DismissStaleReviews, false), "require_last_push_approval": yes(in.RequireLastPushApproval, false),
	}
	if in.RequiredApprovingReviewCount != nil {
		reviews["required_approving_review_count"] = *in.RequiredApprovingReviewCount
	}
	if in.BypassPullRequestAllowances != nil {
		reviews["bypass_pull_request_allowances"] = in.BypassPullRequestAllowances
	}
	body := map[string]any{
		"enforce_admins":                   enforceAdmins,
		"required_status_checks":           map[string]any{"strict": yes(in.RequireBranchesToBeUpToDate, true), "contexts": orEmpty(in.RequiredStatusCheckContexts)},
		"restrictions":                     nil,
		"required_pull_request_reviews":    reviews,
		"required_conversation_resolution": yes(in.RequiredConversationResolution, false),
		"required_linear_history":          yes(in.RequiredLinearHistory, false),
	}
	if in.Restrictions != nil {
		body["restrictions"] = in.Restrictions
	}
	if blockCreations != nil {
		body["block_creations"] = *blockCreations
	}
	return body
}

// branchPause is how long GitHub may need to know of a branch that was pushed.
const branchPause = 600 * time.Millisecond

// protect protects a branch. Doing so again changes nothing.
func (p *publisher) protect(ctx context.Context, r *repository, branch string, in protectionInput, body map[string]any) error {
	path := []string{"branches", branch, "protection"}
	err := r.at(ctx, http.MethodPut, path, body, nil)
	if saysThat(err, "Branch not found") {
		if err := p.Sleep(ctx, branchPause); err != nil {
			return err
		}
		err = r.at(ctx, http.MethodPut, path, body, nil)
	}
	if err == nil && yes(in.RequiredCommitSigning, false) {
		err = r.at(ctx, http.MethodPost, under(path, "required_signatures"), nil, nil)
	}
	return err
}

// protectDefault protects the branch that was pushed. It warns where that
// cannot be done: the repository is there all the same.
func (p *publisher) protectDefault(ctx context.Context, c *action.Context, r *repository, branch string, in protectionInput, enforceAdmins bool) error {
	err := p.protect(ctx, r, branch, in, in.body(enforceAdmins, nil))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case saysThat(err, "Upgrade to GitHub Pro"):
		c.Warnf("The branch %s was not protected: GitHub protects branches of private repositories for paying accounts alone", branch)
	default:
		c.Warnf("Skipping: default branch protection on '%s', %s", r.Repo, err)
	}
	return nil
}

type branchProtectionInput struct {
	RepoURL       string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	Branch        string `json:"branch,omitempty" doc:"The branch; the default branch if nothing is said"`
	EnforceAdmins *bool  `json:"enforceAdmins,omitempty" default:"true" doc:"Protect it from administrators as well"`
	protectionInput
	BlockCreations *bool  `json:"blockCreations,omitempty" default:"false" doc:"Restrictions apply to new branches as well"`
	Token          string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

func (p *publisher) branchProtection() action.Action {
	return action.New(action.Spec{
		ID: "github:branch-protection:create", Description: "Protects a branch of a GitHub repository.", Repeatable: true,
		Examples: []action.Example{{Description: "Protect the default branch", Example: example("github:branch-protection:create", "Protect the default branch")},
			{Description: "Ask for two reviews on a release branch", Example: example("github:branch-protection:create", "Protect the releases",
				"branch: release", "requiredApprovingReviewCount: 2")}},
	}, func(ctx context.Context, c *action.Context, in branchProtectionInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		branch := in.Branch
		if branch == "" {
			var repo described
			if err := r.at(ctx, http.MethodGet, nil, nil, &repo); err != nil {
				return fmt.Errorf("read the default branch of %s: %w", r.Slug(), err)
			}
			branch = repo.DefaultBranch
		}
		block := yes(in.BlockCreations, false)
		if err := p.protect(ctx, r, branch, in.protectionInput, in.body(yes(in.EnforceAdmins, true), &block)); err != nil {
			return fmt.Errorf("protect the branch %s of %s: %w", branch, r.Slug(), err)
		}
		return nil
	})
}
