package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type issueInput struct {
	RepoURL      string    `json:"repoUrl" doc:"The project, as gitlab.com?owner=group&repo=name"`
	Token        string    `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	ProjectID    any       `json:"projectId,omitempty" schema:"{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"string\",\"minLength\":1}]}" doc:"The project, by number or path; that of repoUrl if nothing is said"`
	Title        string    `json:"title" doc:"The title"`
	Assignees    []float64 `json:"assignees,omitempty" doc:"Users that it is assigned to, by number"`
	Confidential *bool     `json:"confidential,omitempty" doc:"Only members see it"`
	Description  string    `json:"description,omitempty" schema:"{\"maxLength\":1048576}" doc:"The text below the title"`
	CreatedAt    string    `json:"createdAt,omitempty" schema:"{\"pattern\":\"^\\\\d{4}-\\\\d{2}-\\\\d{2}T\\\\d{2}:\\\\d{2}:\\\\d{2}(?:\\\\.\\\\d{3})?Z$\"}" doc:"When it was made"`
	DueDate      string    `json:"dueDate,omitempty" schema:"{\"pattern\":\"^\\\\d{4}-\\\\d{2}-\\\\d{2}T\\\\d{2}:\\\\d{2}:\\\\d{2}(?:\\\\.\\\\d{3})?Z$\"}" doc:"When it is due"`
	Discussion   string    `json:"discussionToResolve,omitempty" doc:"The discussion that it resolves"`
	EpicID       *float64  `json:"epicId,omitempty" schema:"{\"minimum\":0}" doc:"The epic that it belongs to, by number"`
	Labels       string    `json:"labels,omitempty" doc:"Labels, with commas between"`
	IssueType    string    `json:"issueType,omitempty" enum:"issue,incident,test_case,task" doc:"What kind of issue it is"`
	MergeRequest *float64  `json:"mergeRequestToResolveDiscussionsOf,omitempty" doc:"The merge request whose discussions it resolves, by number"`
	MilestoneID  *float64  `json:"milestoneId,omitempty" doc:"The milestone, by number"`
	Weight       *float64  `json:"weight,omitempty" schema:"{\"minimum\":0}" doc:"How heavy it is"`
}

type issueOutput struct {
	IssueURL string  `json:"issueUrl" doc:"The page of the issue"`
	IssueID  float64 `json:"issueId" doc:"Its number"`
	IssueIID float64 `json:"issueIid" doc:"Its number in the project"`
}

// An issue is one that there is.
type issue struct {
	ID        float64 `json:"id"`
	IID       float64 `json:"iid"`
	ProjectID float64 `json:"project_id"`
	WebURL    string  `json:"web_url"`
	State     string  `json:"state"`
	Title     string  `json:"title"`
	UpdatedAt string  `json:"updated_at"`
}

func (p *publisher) createIssue() action.Action {
	const id = "gitlab:issues:create"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Makes an issue at GitLab.",
		Examples: []action.Example{{Description: "Make an issue with labels", Example: example(id, "Make an issue", "title: Set up the alerts",
			"description: The service is new", "labels: todo,platform")}},
	}, func(ctx context.Context, c *action.Context, in issueInput) (issueOutput, error) {
		t, err := p.project(c, in.RepoURL, in.Token)
		if err != nil {
			return issueOutput{}, err
		}
		at := t.path()
		if in.ProjectID != nil {
			if at, err = idOf("projectId", in.ProjectID); err != nil {
				return issueOutput{}, err
			}
		}
		made, err := action.Checkpoint(ctx, c, each(c, "create.issue."+at+"."+in.Title), func(ctx context.Context) (out issue, err error) {
			body, err := in.body(ctx, c, t, at)
			if err != nil {
				return out, err
			}
			return out, t.call(ctx, http.MethodPost, []string{"projects", at, "issues"}, body, &out)
		})
		if err != nil {
			return issueOutput{}, catalog.NewError(catalog.ErrorName(err), "Failed to create GitLab issue: "+err.Error())
		}
		return issueOutput{IssueURL: made.WebURL, IssueID: made.ID, IssueIID: made.IID}, nil
	})
}

func (in issueInput) body(ctx context.Context, c *action.Context, t *target, at string) (map[string]any, error) {
	body := map[string]any{"title": in.Title}
	for key, text := range map[string]string{"description": in.Description, "labels": in.Labels, "issue_type": in.IssueType, "discussion_to_resolve": in.Discussion} {
		if text != "" {
			body[key] = text
		}
	}
	for key, n := range map[string]*float64{"merge_request_to_resolve_discussions_of": in.MergeRequest, "milestone_id": in.MilestoneID, "weight": in.Weight} {
		if n != nil {
			body[key] = *n
		}
	}
	for key, text := range map[string]string{"created_at": in.CreatedAt, "due_date": in.DueDate} {
		if text == "" {
			continue
		}
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("%s is not a date", text))
		}
		body[key] = when.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if in.Assignees != nil {
		body["assignee_ids"] = in.Assignees
	}
	if in.Confidential != nil {
		body["confidential"] = *in.Confidential
	}
	return body, t.epic(ctx, c, at, in.EpicID, body)
}

// epic adds an epic to an issue if it is one of the groups of the project. It
// is left out otherwise, as in the reference.
func (t *target) epic(ctx context.Context, c *action.Context, at string, epic *float64, body map[string]any) error {
	if epic == nil {
		return nil
	}
	var of struct {
		Namespace struct {
			ID   float64
			Kind string
		}
	}
	if err := t.call(ctx, http.MethodGet, []string{"projects", at}, nil, &of); err != nil {
		return err
	}
	found := false
	if of.Namespace.Kind == "group" {
		path := []string{"groups", fmt.Sprintf("%.0f", of.Namespace.ID), "epics"}
		err := list(ctx, t.api, path, paged{AncestorGroups: true}, func(e struct{ ID float64 }) bool {
			found = e.ID == *epic
			return found
		})
		if err != nil && status(err) != http.StatusNotFound && status(err) != http.StatusForbidden { // not every licence has epics
			return err
		}
	}
	if !found {
		c.Warnf("The epic %.0f is not of a group of the project and is left out", *epic)
		return nil
	}
	body["epic_id"] = *epic
	return nil
}

type editInput struct {
	RepoURL          string    `json:"repoUrl" doc:"The project, as gitlab.com?owner=group&repo=name"`
	Token            string    `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	ProjectID        float64   `json:"projectId" doc:"The project, by number"`
	IssueIID         float64   `json:"issueIid" doc:"The number of the issue in the project"`
	AddLabels        string    `json:"addLabels,omitempty" doc:"Labels to add, with commas between"`
	Assignees        []float64 `json:"assignees,omitempty" doc:"Users that it is assigned to, by number"`
	Confidential     *bool     `json:"confidential,omitempty" doc:"Only members see it"`
	Description      string    `json:"description,omitempty" schema:"{\"maxLength\":1048576}" doc:"The text below the title"`
	DiscussionLocked *bool     `json:"discussionLocked,omitempty" doc:"Only members may discuss it"`
	DueDate          string    `json:"dueDate,omitempty" schema:"{\"pattern\":\"^\\\\d{4}-\\\\d{2}-\\\\d{2}$\"}" doc:"When it is due"`
	EpicID           *float64  `json:"epicId,omitempty" schema:"{\"minimum\":0}" doc:"The epic that it belongs to, by number"`
	IssueType        string    `json:"issueType,omitempty" enum:"issue,incident,test_case,task" doc:"What kind of issue it is"`
	Labels           string    `json:"labels,omitempty" doc:"All labels, with commas between"`
	MilestoneID      *float64  `json:"milestoneId,omitempty" doc:"The milestone, by number"`
	RemoveLabels     string    `json:"removeLabels,omitempty" doc:"Labels to remove, with commas between"`
	StateEvent       string    `json:"stateEvent,omitempty" enum:"close,reopen" doc:"Close it, or open it again"`
	Title            string    `json:"title,omitempty" doc:"The title"`
	UpdatedAt        string    `json:"updatedAt,omitempty" schema:"{\"pattern\":\"^\\\\d{4}-\\\\d{2}-\\\\d{2}T\\\\d{2}:\\\\d{2}:\\\\d{2}(?:\\\\.\\\\d{3})?Z$\"}" doc:"When it was changed"`
	Weight           *float64  `json:"weight,omitempty" schema:"{\"minimum\":0,\"maximum\":10}" doc:"How heavy it is"`
}

type editOutput struct {
	IssueURL  string  `json:"issueUrl" doc:"The page of the issue"`
	ProjectID float64 `json:"projectId" doc:"The number of the project"`
	IssueID   float64 `json:"issueId" doc:"The number of the issue"`
	IssueIID  float64 `json:"issueIid" doc:"Its number in the project"`
	State     string  `json:"state" doc:"Whether it is open"`
	Title     string  `json:"title" doc:"Its title"`
	UpdatedAt string  `json:"updatedAt" doc:"When it was changed"`
}

func (p *publisher) editIssue() action.Action {
	const id = "gitlab:issue:edit"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Description: "Changes an issue at GitLab.",
		Examples: []action.Example{{Description: "Close an issue and label it", Example: example(id, "Close the issue", "projectId: 12", "issueIid: 3", "addLabels: done", "stateEvent: close")}},
	}, func(ctx context.Context, c *action.Context, in editInput) (out editOutput, err error) {
		t, err := p.host(c, in.RepoURL, in.Token)
		if err != nil {
			return out, err
		}
		changed, err := in.edit(ctx, c, t)
		if err != nil {
			return out, catalog.NewError(catalog.ErrorName(err), "Failed to edit/modify GitLab issue: "+err.Error())
		}
		return editOutput{IssueURL: changed.WebURL, ProjectID: changed.ProjectID, IssueID: changed.ID, IssueIID: changed.IID, State: changed.State,
			Title: changed.Title, UpdatedAt: changed.UpdatedAt}, nil
	})
}

func (in editInput) edit(ctx context.Context, c *action.Context, t *target) (out issue, err error) {
	project, err := idOf("projectId", in.ProjectID)
	if err != nil {
		return out, err
	}
	number, err := idOf("issueIid", in.IssueIID)
	if err != nil {
		return out, err
	}
	body := map[string]any{}
	for key, text := range map[string]string{"add_labels": in.AddLabels, "description": in.Description, "due_date": in.DueDate, "issue_type": in.IssueType,
		"labels": in.Labels, "remove_labels": in.RemoveLabels, "state_event": in.StateEvent, "title": in.Title, "updated_at": in.UpdatedAt} {
		if text != "" {
			body[key] = text
		}
	}
	for key, n := range map[string]*float64{"milestone_id": in.MilestoneID, "weight": in.Weight} {
		if n != nil {
			body[key] = *n
		}
	}
	for key, b := range map[string]*bool{"confidential": in.Confidential, "discussion_locked": in.DiscussionLocked} {
		if b != nil {
			body[key] = *b
		}
	}
	if in.Assignees != nil {
		body["assignee_ids"] = in.Assignees
	}
	if err := t.epic(ctx, c, project, in.EpicID, body); err != nil {
		return out, err
	}
	return out, t.call(ctx, http.MethodPut, []string{"projects", project, "issues", number}, body, &out)
}
