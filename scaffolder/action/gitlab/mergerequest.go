package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type mergeRequestInput struct {
	RepoURL            string   `json:"repoUrl" doc:"The project, as gitlab.com?owner=group&repo=name"`
	Title              string   `json:"title" doc:"The title, and the message of the commit"`
	Description        string   `json:"description,omitempty" doc:"The text below the title"`
	BranchName         string   `json:"branchName" doc:"The branch that the merge request is made of"`
	TargetBranchName   string   `json:"targetBranchName,omitempty" doc:"The branch to merge into; the default branch if nothing is said"`
	SourcePath         string   `json:"sourcePath,omitempty" doc:"The folder of the workspace that is taken"`
	TargetPath         string   `json:"targetPath,omitempty" doc:"The folder of the repository that the files go to"`
	Token              string   `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	CommitAction       string   `json:"commitAction,omitempty" enum:"create,delete,update,skip,auto" doc:"What is done to the files; auto, which finds out, if nothing is said"`
	ProjectID          string   `json:"projectid,omitempty" doc:"The path of the project; that of repoUrl if nothing is said"`
	RemoveSourceBranch bool     `json:"removeSourceBranch,omitempty" doc:"Remove the branch after the merge"`
	Assignee           string   `json:"assignee,omitempty" doc:"The user that it is assigned to"`
	Reviewers          []string `json:"reviewers,omitempty" doc:"Users that are asked for a review"`
	FromApprovalRules  bool     `json:"assignReviewersFromApprovalRules,omitempty" doc:"Ask those who may approve for a review as well"`
	Labels             any      `json:"labels,omitempty" schema:"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}" doc:"Labels, as a list or with commas between"`
	AutoMerge          bool     `json:"autoMerge,omitempty" doc:"Merge it when its pipeline has succeeded"`
}

type mergeRequestOutput struct {
	TargetBranchName string `json:"targetBranchName" doc:"The branch to merge into"`
	ProjectID        string `json:"projectid" doc:"The path of the project"`
	ProjectPath      string `json:"projectPath" doc:"The path of the project"`
	MergeRequestURL  string `json:"mergeRequestUrl" doc:"The page of the merge request"`
}

// A mergeRequest is one that there is, as it is kept in a checkpoint.
type mergeRequest struct {
	IID    float64 `json:"iid"`
	WebURL string  `json:"web_url"`
	Target string  `json:"target_branch"`
}

func (p *publisher) mergeRequest() action.Action {
	const id = "publish:gitlab:merge-request"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Retired: retired, Description: "Makes a merge request at GitLab from files of the workspace.",
		Examples: []action.Example{
			{Description: "Make a merge request", Example: example(id, "Ask for the change", "branchName: add-service", "title: Add the service", "description: Made from a template")},
			{Description: "Put a folder into another one, and assign the merge request", Example: example(id, "Ask for the change", "branchName: add-service",
				"title: Add the service", "sourcePath: out", "targetPath: services/shop", "assignee: ada", "removeSourceBranch: true")},
		},
	}, func(ctx context.Context, c *action.Context, in mergeRequestInput) (mergeRequestOutput, error) {
		t, err := p.project(c, in.RepoURL, in.Token)
		if err != nil {
			return mergeRequestOutput{}, err
		}
		path := t.path()
		if in.ProjectID != "" {
			c.Log.Warn("The input projectid will go away; name the project in repoUrl")
			path = in.ProjectID
		}
		q := &proposal{in: in, sending: &sending{c: c, t: t, project: path, sourcePath: in.SourcePath, targetPath: in.TargetPath, action: or(in.CommitAction, auto)}}
		key := each(c, "create.mr."+path+"."+in.BranchName)
		mr, err := action.Checkpoint(ctx, c, key, q.make)
		if err != nil {
			return mergeRequestOutput{}, err
		}
		return mergeRequestOutput{TargetBranchName: mr.Target, ProjectID: path, ProjectPath: path, MergeRequestURL: mr.WebURL}, nil
	})
}

// A proposal is a merge request that is being made.
type proposal struct {
	*sending
	in mergeRequestInput
}

// make makes the branch and the merge request, or finds those of an earlier
// run.
func (q *proposal) make(ctx context.Context) (mergeRequest, error) {
	target := q.in.TargetBranchName
	if target == "" {
		var of project
		if err := q.t.call(ctx, http.MethodGet, []string{"projects", q.project}, nil, &of); err != nil {
			return mergeRequest{}, fmt.Errorf("read the project %s: %w", q.project, err)
		}
		target = of.DefaultBranch
	}
	if err := q.prepare(ctx, target); err != nil {
		return mergeRequest{}, err
	}
	mr, err := q.propose(ctx, target)
	if err != nil {
		return mr, fmt.Errorf("make the merge request: %w. The branch %s of %s exists now: retry the task to go on with it, or delete the branch", err, q.in.BranchName, q.project)
	}
	q.askApprovers(ctx, mr)
	if q.in.AutoMerge {
		path := append(q.requests(), fmt.Sprintf("%.0f", mr.IID), "merge")
		if err := q.t.call(ctx, http.MethodPut, path, map[string]any{"merge_when_pipeline_succeeds": true}, nil); err != nil {
			return mr, fmt.Errorf("let merge request %s merge itself: %w", mr.WebURL, err)
		}
	}
	mr.Target = target
	return mr, nil
}

func (q *proposal) requests() []string { return []string{"projects", q.project, "merge_requests"} }

// prepare makes the branch with the changes. One that is there is taken as it
// is if it has them all, as that of an earlier run does.
func (q *proposal) prepare(ctx context.Context, target string) error {
	is, err := q.branchExists(ctx, q.in.BranchName)
	if err != nil {
		return err
	}
	// Whether the branch was there when the step began.
	key := each(q.c, "begin.mr."+q.project+"."+q.in.BranchName)
	stranger, err := action.Checkpoint(ctx, q.c, key, func(context.Context) (bool, error) { return is, nil })
	if err != nil {
		return err
	}
	base := target
	if is {
		base = q.in.BranchName
	}
	actions, err := q.actions(ctx, base)
	switch {
	case err != nil:
		return err
	case is && len(actions) > 0 && (stranger || !q.isOurs(ctx, target)):
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("The branch %s exists already, and the files in it are others: choose another branchName, or delete the branch", q.in.BranchName))
	case !is:
		if err := q.makeBranch(ctx, q.in.BranchName, target); err != nil {
			return err
		}
	}
	if len(actions) == 0 || is && q.action != auto && !q.atTarget(ctx, target) {
		return nil
	}
	_, err = q.commit(ctx, q.in.BranchName, q.in.Title, actions)
	return err
}

// atTarget tells whether the branch was made and has no commit of its own yet.
func (q *proposal) atTarget(ctx context.Context, target string) bool {
	own, ok := q.head(ctx, q.in.BranchName)
	onto, there := q.head(ctx, target)
	return ok && there && own.Commit.ID == onto.Commit.ID
}

// isOurs tells whether an earlier run of the step can have left the branch so:
// at the target, or one commit of our message further.
func (q *proposal) isOurs(ctx context.Context, target string) bool {
	own, ok := q.head(ctx, q.in.BranchName)
	onto, there := q.head(ctx, target)
	if !ok || !there {
		return false
	}
	if own.Commit.ID == onto.Commit.ID {
		return true
	}
	return q.action != auto && own.Commit.Message == q.in.Title && len(own.Commit.Parents) == 1 && own.Commit.Parents[0] == onto.Commit.ID
}

// propose makes the merge request, or finds the open one of the branch.
func (q *proposal) propose(ctx context.Context, target string) (mr mergeRequest, err error) {
	body := map[string]any{"source_branch": q.in.BranchName, "target_branch": target, "title": q.in.Title, "description": q.in.Description,
		"remove_source_branch": q.in.RemoveSourceBranch}
	if labels := labelsOf(q.in.Labels); labels != "" {
		body["labels"] = labels
	}
	if q.in.Assignee != "" {
		if ids := q.users(ctx, []string{q.in.Assignee}); len(ids) > 0 {
			body["assignee_id"] = ids[0]
		}
	}
	if ids := q.users(ctx, q.in.Reviewers); len(ids) > 0 {
		body["reviewer_ids"] = ids
	}
	err = q.t.call(ctx, http.MethodPost, q.requests(), body, &mr)
	if err == nil || status(err) != http.StatusConflict && status(err) < http.StatusInternalServerError && status(err) != 0 {
		return mr, err
	}
	var open []mergeRequest
	query := struct {
		Source string `url:"source_branch"`
		Target string `url:"target_branch"`
		State  string `url:"state"`
	}{q.in.BranchName, target, "opened"}
	if e := q.t.call(ctx, http.MethodGet, q.requests(), query, &open); e != nil || len(open) == 0 {
		return mr, err
	}
	return open[0], nil
}

// labelsOf returns labels with commas between.
func labelsOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var names []string
		for _, name := range v {
			if text, ok := name.(string); ok {
				names = append(names, text)
			}
		}
		return strings.Join(names, ",")
	}
	return ""
}

// users returns the numbers of users; those who are not found are left out.
func (q *proposal) users(ctx context.Context, names []string) (ids []float64) {
	for _, name := range names {
		found, ok, err := q.t.userNamed(ctx, name)
		switch {
		case err != nil:
			q.c.Warnf("The user %s is left out: %s", name, err)
		case !ok:
			q.c.Warnf("There is no user %s at %s, who is left out", name, q.t.Host)
		default:
			ids = append(ids, found.ID)
		}
	}
	return ids
}

// askApprovers asks those who may approve for a review.
func (q *proposal) askApprovers(ctx context.Context, mr mergeRequest) {
	if !q.in.FromApprovalRules {
		return
	}
	path := append(q.requests(), fmt.Sprintf("%.0f", mr.IID))
	var rules []struct {
		Eligible []person `json:"eligible_approvers"`
	}
	err := q.t.call(ctx, http.MethodGet, append(path, "approval_rules"), nil, &rules)
	ids := q.users(ctx, q.in.Reviewers)
	known := map[float64]bool{}
	for _, id := range ids {
		known[id] = true
	}
	for _, rule := range rules {
		for _, who := range rule.Eligible {
			if !known[who.ID] {
				known[who.ID] = true
				ids = append(ids, who.ID)
			}
		}
	}
	if err == nil && len(ids) > 0 {
		err = q.t.call(ctx, http.MethodPut, path, map[string]any{"reviewer_ids": ids}, nil)
	}
	if err != nil {
		q.c.Warnf("Those who may approve were not asked for a review: %s", err)
	}
}
