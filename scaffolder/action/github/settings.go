package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type dispatchInput struct {
	RepoURL                  string            `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	WorkflowID               string            `json:"workflowId" doc:"The workflow, by the name of its file or its number"`
	BranchOrTagName          string            `json:"branchOrTagName" doc:"The branch or tag that the workflow runs on"`
	WorkflowInputs           map[string]string `json:"workflowInputs,omitempty" doc:"The inputs of the workflow"`
	ReturnWorkflowRunDetails bool              `json:"returnWorkflowRunDetails,omitempty" doc:"Put out which run this has begun"`
	Token                    string            `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

type dispatchOutput struct {
	WorkflowRunID      float64 `json:"workflowRunId,omitempty" doc:"The number of the run"`
	WorkflowRunURL     string  `json:"workflowRunUrl,omitempty" doc:"The run in the API"`
	WorkflowRunHTMLURL string  `json:"workflowRunHtmlUrl,omitempty" doc:"The page of the run"`
}

// A run is what GitHub says of a workflow that it has begun.
type run struct {
	ID      float64 `json:"workflow_run_id"`
	URL     string  `json:"run_url"`
	HTMLURL string  `json:"html_url"`
}

func (p *publisher) dispatch() action.Action {
	const id = "github:actions:dispatch"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Runs a workflow of a GitHub repository.",
		Examples: []action.Example{{Description: "Run a workflow with an input", Example: example(id, "Deploy", "workflowId: deploy.yaml",
			"branchOrTagName: main", "workflowInputs:", "  stage: test")}},
	}, func(ctx context.Context, c *action.Context, in dispatchInput) (dispatchOutput, error) {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return dispatchOutput{}, err
		}
		body := map[string]any{"ref": in.BranchOrTagName}
		if in.WorkflowInputs != nil {
			body["inputs"] = in.WorkflowInputs
		}
		if in.ReturnWorkflowRunDetails {
			body["return_run_details"] = true
		}
		begun, err := action.Checkpoint(ctx, c, each(c, "create.actions.dispatch."+r.Owner+"."+r.Repo+"."+in.WorkflowID), func(ctx context.Context) (out run, err error) {
			err = r.at(ctx, http.MethodPost, []string{"actions", "workflows", in.WorkflowID, "dispatches"}, body, &out)
			return out, err
		})
		if err != nil {
			c.Warnf("Failed: dispatching workflow '%s' on repo: '%s', %s", in.WorkflowID, r.Repo, err)
			return dispatchOutput{}, err
		}
		if !in.ReturnWorkflowRunDetails {
			return dispatchOutput{}, nil
		}
		return dispatchOutput{WorkflowRunID: begun.ID, WorkflowRunURL: begun.URL, WorkflowRunHTMLURL: begun.HTMLURL}, nil
	})
}

type deployKeyInput struct {
	RepoURL              string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	PublicKey            string `json:"publicKey" doc:"The public key"`
	PrivateKey           string `json:"privateKey" doc:"The private key, which becomes a secret of the repository"`
	DeployKeyName        string `json:"deployKeyName" doc:"The name of the key"`
	PrivateKeySecretName string `json:"privateKeySecretName,omitempty" doc:"The name of the secret; made from that of the key if nothing is said"`
	Token                string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

type deployKeyOutput struct {
	PrivateKeySecretName string `json:"privateKeySecretName" doc:"The name of the secret with the private key"`
}

func (p *publisher) deployKey() action.Action {
	const id = "github:deployKey:create"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Adds a deploy key to a GitHub repository, and keeps its private half as a secret there.",
		Examples: []action.Example{{Description: "Add a key", Example: example(id, "Add a deploy key", "publicKey: ${{ steps.keys.output.public }}",
			"privateKey: ${{ steps.keys.output.private }}", "deployKeyName: Push to the registry")}},
	}, func(ctx context.Context, c *action.Context, in deployKeyInput) (out deployKeyOutput, err error) {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return out, err
		}
		c.Redact(in.PrivateKey)
		name := or(in.PrivateKeySecretName, strings.ToUpper(strings.ReplaceAll(in.DeployKeyName, " ", "_"))+"_PRIVATE_KEY")
		err = once(ctx, c, "create.deploy.key."+r.Owner+"."+r.Repo+"."+in.DeployKeyName, func(ctx context.Context) error {
			return r.at(ctx, http.MethodPost, []string{"keys"}, map[string]any{"title": in.DeployKeyName, "key": in.PublicKey}, nil)
		})
		if err != nil {
			return out, fmt.Errorf("add the deploy key %s to %s: %w", in.DeployKeyName, r.Slug(), err)
		}
		if err := r.secrets(ctx, c, []string{"actions"}, map[string]string{name: in.PrivateKey}); err != nil {
			return out, fmt.Errorf("%w. The deploy key %s exists now: retry the task to go on, or remove the key in the settings of %s", err, in.DeployKeyName, r.Slug())
		}
		return deployKeyOutput{PrivateKeySecretName: name}, nil
	})
}

type autolinkInput struct {
	RepoURL        string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	KeyPrefix      string `json:"keyPrefix" doc:"What the texts begin with that become links"`
	URLTemplate    string `json:"urlTemplate" doc:"Where they lead to, with <num> for the rest of the text"`
	IsAlphanumeric *bool  `json:"isAlphanumeric,omitempty" default:"true" doc:"That rest may have letters"`
	Token          string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

func (p *publisher) autolink() action.Action {
	const id = "github:autolinks:create"
	return action.New(action.Spec{
		ID: id, Description: "Makes texts such as TICKET-7 links, in a GitHub repository.",
		Examples: []action.Example{{Description: "Link tickets", Example: example(id, "Link tickets", "keyPrefix: TICKET-", "urlTemplate: https://tickets.example.com/<num>")}},
	}, func(ctx context.Context, c *action.Context, in autolinkInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		body := map[string]any{"key_prefix": in.KeyPrefix, "url_template": in.URLTemplate}
		if in.IsAlphanumeric != nil {
			body["is_alphanumeric"] = *in.IsAlphanumeric
		}
		err = once(ctx, c, "create.autolink."+r.Owner+"."+r.Repo+"."+in.KeyPrefix, func(ctx context.Context) error {
			return r.at(ctx, http.MethodPost, []string{"autolinks"}, body, nil)
		})
		if err != nil {
			return fmt.Errorf("add the autolink %s to %s: %w", in.KeyPrefix, r.Slug(), err)
		}
		return nil
	})
}

type pagesInput struct {
	RepoURL      string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	BuildType    string `json:"buildType,omitempty" enum:"legacy,workflow" default:"workflow" doc:"What builds the pages: GitHub from a branch, or a workflow"`
	SourceBranch string `json:"sourceBranch,omitempty" default:"main" doc:"The branch"`
	SourcePath   string `json:"sourcePath,omitempty" enum:"/,/docs" default:"/" doc:"The folder of the branch"`
	Token        string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

func (p *publisher) pages() action.Action {
	const id = "github:pages:enable"
	return action.New(action.Spec{
		ID: id, Repeatable: true, Description: "Switches GitHub Pages on for a repository.",
		Examples: []action.Example{{Description: "Build pages from the folder docs", Example: example(id, "Switch pages on", "buildType: legacy", "sourcePath: /docs")}},
	}, func(ctx context.Context, c *action.Context, in pagesInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		body := map[string]any{"build_type": or(in.BuildType, "workflow"),
			"source": map[string]any{"branch": or(in.SourceBranch, "main"), "path": or(in.SourcePath, "/")}}
		err = r.at(ctx, http.MethodPost, []string{"pages"}, body, nil)
		if status(err) == http.StatusConflict { // they are on
			err = r.at(ctx, http.MethodPut, []string{"pages"}, body, nil)
		}
		if err != nil {
			return fmt.Errorf("switch pages on for %s: %w", r.Slug(), err)
		}
		return nil
	})
}
