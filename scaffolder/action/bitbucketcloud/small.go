package bitbucketcloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

type pipelineInput struct {
	Workspace string        `json:"workspace" doc:"The workspace of the repository"`
	RepoSlug  string        `json:"repo_slug" doc:"The name of the repository"`
	Body      *pipelineBody `json:"body,omitempty" doc:"What to run, as the API of Bitbucket has it"`
	Token     string        `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

// A pipelineBody says what to run.
type pipelineBody struct {
	Target    *pipelineTarget    `json:"target,omitempty" doc:"What to run it for"`
	Variables []pipelineVariable `json:"variables,omitempty" doc:"Variables of the run"`
}

type pipelineTarget struct {
	RefType           string            `json:"ref_type,omitempty" doc:"The type of the ref: branch or tag"`
	Type              string            `json:"type,omitempty" doc:"The type of the target"`
	RefName           string            `json:"ref_name,omitempty" doc:"The name of the ref"`
	Source            string            `json:"source,omitempty" doc:"The branch of a pull request"`
	Destination       string            `json:"destination,omitempty" doc:"The branch that a pull request merges into"`
	DestinationCommit *hashed           `json:"destination_commit,omitempty" doc:"The commit of that branch"`
	Commit            *pipelineCommit   `json:"commit,omitempty" doc:"The commit to run it for"`
	Selector          *pipelineSelector `json:"selector,omitempty" doc:"Which pipeline of the file to run"`
	PullRequest       *pipelinePull     `json:"pull_request,omitempty" doc:"The pull request to run it for"`
}

type hashed struct {
	Hash string `json:"hash" doc:"The hash of the commit"`
}

type pipelineCommit struct {
	Type string `json:"type" doc:"The word commit"`
	Hash string `json:"hash" doc:"The hash of the commit"`
}

type pipelineSelector struct {
	Type    string `json:"type" doc:"The type of pipeline, such as custom"`
	Pattern string `json:"pattern" doc:"Its name"`
}

type pipelinePull struct {
	ID string `json:"id" doc:"The number of the pull request"`
}

type pipelineVariable struct {
	Key     string `json:"key" doc:"The name of the variable"`
	Value   string `json:"value" doc:"Its value"`
	Secured bool   `json:"secured" doc:"Logs do not show it"`
}

type pipelineOutput struct {
	BuildNumber  float64 `json:"buildNumber,omitempty" doc:"The number of the run"`
	RepoURL      string  `json:"repoUrl,omitempty" doc:"The page of the repository"`
	PipelinesURL string  `json:"pipelinesUrl,omitempty" doc:"The page of its pipelines"`
}

func (p *publisher) pipeline() action.Action {
	const id = "bitbucket:pipelines:run"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Runs a pipeline of a repository at Bitbucket Cloud.",
		Examples: []action.Example{
			{Description: "Run the pipeline of a branch", Example: example(id, "Run it", "workspace: acme", "repo_slug: shop",
				"body:", "  target:", "    type: pipeline_ref_target", "    ref_type: branch", "    ref_name: main")},
		},
	}, func(ctx context.Context, c *action.Context, in pipelineInput) (out pipelineOutput, err error) {
		t, err := p.signIn(c, filters.RepoURL{Host: Host, Workspace: in.Workspace, Repo: in.RepoSlug}, in.Token)
		if err != nil {
			return out, err
		}
		body := in.Body
		if body == nil {
			body = &pipelineBody{}
		}
		for _, v := range body.Variables {
			if v.Secured {
				c.Redact(v.Value)
			}
		}
		key := each(c, "run.bitbucketcloud.pipeline."+t.Workspace+"."+t.Repo)
		return action.Checkpoint(ctx, c, key, func(ctx context.Context) (pipelineOutput, error) {
			var made struct {
				BuildNumber float64 `json:"build_number"`
				Repository  repository
			}
			if err := t.at(ctx, http.MethodPost, []string{"pipelines"}, body, &made); err != nil {
				return pipelineOutput{}, fmt.Errorf("run a pipeline of %s: %w", t.name(), err)
			}
			page := made.Repository.Links.HTML.Href
			return pipelineOutput{BuildNumber: made.BuildNumber, RepoURL: page, PipelinesURL: page + "/pipelines"}, nil
		})
	})
}

type restrictionInput struct {
	RepoURL         string   `json:"repoUrl" doc:"The repository, as bitbucket.org?workspace=workspace&project=KEY&repo=name"`
	Kind            string   `json:"kind" enum:"push,force,delete,restrict_merges,require_tasks_to_be_completed,require_approvals_to_merge,require_default_reviewer_approvals_to_merge,require_no_changes_requested,require_passing_builds_to_merge,require_commits_behind,reset_pullrequest_approvals_on_change,smart_reset_pullrequest_approvals,reset_pullrequest_changes_requested_on_change,require_all_dependencies_merged,enforce_merge_checks,allow_auto_merge_when_builds_pass" doc:"What is restricted"`
	BranchMatchKind string   `json:"branchMatchKind,omitempty" enum:"glob,branching_model" doc:"How branches are named: by pattern or by type; glob if nothing is said"`
	BranchType      string   `json:"branchType,omitempty" enum:"feature,bugfix,release,hotfix,development,production" doc:"The type of branches, for branching_model"`
	Pattern         string   `json:"pattern,omitempty" doc:"The pattern of their names, for glob"`
	Value           *float64 `json:"value,omitempty" schema:"{\"type\":[\"number\",\"null\"]}" doc:"How many are required, for kinds that count"`
	Users           []person `json:"users,omitempty" doc:"Users who are let through"`
	Groups          []group  `json:"groups,omitempty" doc:"Groups that are let through"`
	Token           string   `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

type person struct {
	UUID string `json:"uuid" doc:"The id of the user"`
}

type group struct {
	Slug string `json:"slug" doc:"The name of the group"`
}

type restrictionOutput struct {
	JSON       string  `json:"json,omitempty" doc:"What Bitbucket has answered"`
	StatusCode float64 `json:"statusCode,omitempty" doc:"The status of that answer"`
}

func (p *publisher) restriction() action.Action {
	const id = "bitbucketCloud:branchRestriction:create"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Description: "Restricts what may be done to branches of a repository at Bitbucket Cloud.",
		Examples: []action.Example{
			{Description: "Let nobody push to main", Example: example(id, "Protect it", "repoUrl: "+exampleURL, "kind: push", "pattern: main")},
			{Description: "Two must approve a merge into production", Example: example(id, "Protect it", "repoUrl: "+exampleURL, "kind: require_approvals_to_merge",
				"branchMatchKind: branching_model", "branchType: production", "value: 2")},
		},
	}, func(ctx context.Context, c *action.Context, in restrictionInput) (out restrictionOutput, err error) {
		body, err := in.body()
		if err != nil {
			return out, err
		}
		t, err := p.open(c, in.RepoURL, in.Token)
		if err != nil {
			return out, err
		}
		key := each(c, fmt.Sprintf("create.bitbucketcloud.restriction.%s.%s.%s.%s%s", t.Workspace, t.Repo, in.Kind, in.Pattern, in.BranchType))
		return action.Checkpoint(ctx, c, key, func(ctx context.Context) (restrictionOutput, error) {
			var said json.RawMessage
			if err := t.at(ctx, http.MethodPost, []string{"branch-restrictions"}, body, &said); err != nil {
				return restrictionOutput{}, fmt.Errorf("restrict branches of %s: %w", t.name(), err)
			}
			return restrictionOutput{JSON: string(said), StatusCode: http.StatusCreated}, nil
		})
	})
}

// body is what Bitbucket is asked for.
func (in restrictionInput) body() (map[string]any, error) {
	body := map[string]any{"type": "branchrestriction", "branch_match_kind": or(in.BranchMatchKind, "glob"), "kind": in.Kind}
	switch {
	case body["branch_match_kind"] == "branching_model" && in.BranchType == "":
		return nil, catalog.NewError(catalog.NameInput, "branchMatchKind is branching_model, which needs branchType")
	case body["branch_match_kind"] == "branching_model":
		body["branch_type"] = in.BranchType
	default:
		body["pattern"] = in.Pattern
	}
	if in.Value != nil {
		body["value"] = *in.Value
	}
	if in.Kind == "push" || in.Kind == "restrict_merges" { // others let nobody through
		body["users"], body["groups"] = orEmpty(in.Users), orEmpty(in.Groups)
	}
	return body, nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
