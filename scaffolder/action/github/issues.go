package github

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type labelInput struct {
	RepoURL string   `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	Number  float64  `json:"number" doc:"The number of the issue or pull request"`
	Labels  []string `json:"labels" doc:"The labels to add"`
	Token   string   `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

func (p *publisher) labelIssue() action.Action {
	const id = "github:issues:label"
	return action.New(action.Spec{
		ID: id, Repeatable: true, Description: "Adds labels to an issue or a pull request on GitHub.",
		Examples: []action.Example{{Description: "Add two labels", Example: example(id, "Add labels", "number: 7", "labels:", "  - bug", "  - urgent")}},
	}, func(ctx context.Context, c *action.Context, in labelInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		number, err := whole("number", in.Number)
		if err != nil {
			return err
		}
		err = r.at(ctx, http.MethodPost, []string{"issues", number, "labels"}, map[string]any{"labels": in.Labels}, nil)
		if err != nil && ctx.Err() == nil {
			c.Warnf("Failed: adding labels to issue: '%s' on repo: '%s', %s", number, r.Repo, err)
			return nil
		}
		return err
	})
}

// whole returns a number without a fraction as a text.
func whole(name string, n float64) (string, error) {
	if n != math.Trunc(n) || n < 0 || n > 1<<53 {
		return "", catalog.NewError(catalog.NameInput, fmt.Sprintf("%s: %v is not a whole number", name, n))
	}
	return strconv.FormatInt(int64(n), 10), nil
}

type issueInput struct {
	RepoURL   string   `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	Title     string   `json:"title" doc:"The title"`
	Body      string   `json:"body,omitempty" doc:"The text below the title"`
	Assignees []string `json:"assignees,omitempty" doc:"Users that it is assigned to"`
	Milestone any      `json:"milestone,omitempty" schema:"{\"type\":[\"string\",\"number\"]}" doc:"The number of a milestone"`
	Labels    []string `json:"labels,omitempty" doc:"Labels of the issue"`
	Token     string   `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

type issueOutput struct {
	IssueURL    string  `json:"issueUrl" doc:"The page of the issue"`
	IssueNumber float64 `json:"issueNumber" doc:"Its number"`
}

// An issue is one that there is.
type issue struct {
	HTMLURL string  `json:"html_url"`
	Number  float64 `json:"number"`
}

func (p *publisher) createIssue() action.Action {
	const id = "github:issues:create"
	return action.NewWithOutput(action.Spec{
		ID: id, DryRun: true, Description: "Makes an issue on GitHub.",
		Examples: []action.Example{{Description: "Make an issue with a label", Example: example(id, "Make an issue", "title: Set up the alerts",
			"body: The service is new", "labels:", "  - todo")}},
	}, func(ctx context.Context, c *action.Context, in issueInput) (issueOutput, error) {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return issueOutput{}, err
		}
		if c.DryRun {
			c.Infof("Performing dry run of creating issue")
			c.Infof("Dry run complete")
			return issueOutput{IssueURL: "https://github.com/" + r.Slug() + "/issues/42", IssueNumber: 42}, nil
		}
		made, err := action.Checkpoint(ctx, c, each(c, "github.issues.create."+r.Owner+"."+r.Repo+"."+in.Title), func(ctx context.Context) (out issue, err error) {
			err = r.at(ctx, http.MethodPost, []string{"issues"}, in.body(), &out)
			return out, err
		})
		if err != nil {
			c.Warnf("Failed: creating issue: '%s' on repo: '%s', %s", in.Title, r.Repo, err)
			return issueOutput{}, err
		}
		return issueOutput{IssueURL: made.HTMLURL, IssueNumber: made.Number}, nil
	})
}

func (in issueInput) body() map[string]any {
	body := map[string]any{"title": in.Title}
	if in.Body != "" {
		body["body"] = in.Body
	}
	if in.Assignees != nil {
		body["assignees"] = in.Assignees
	}
	if in.Labels != nil {
		body["labels"] = in.Labels
	}
	switch milestone := in.Milestone.(type) {
	case float64:
		body["milestone"] = milestone
	case string:
		body["milestone"] = milestone
		if n, err := strconv.Atoi(strings.TrimSpace(milestone)); err == nil {
			body["milestone"] = n
		}
	}
	return body
}
